// Package process is what happens to one file, from its bytes to its answer: which
// kind it is, what is decided about it, what is committed and what is written.
//
// An upload is read twice. The first pass decides: every row gets an outcome,
// packed and kept. The second writes: rows and outcomes together become the
// reports, the accepted orders and the outgoing files, all staged and synced.
// Then one short transaction commits the decision, and what is staged is given
// its place. Reports are made again later by the second pass alone.
//
// Nothing is lost or ordered twice: the ledger's commit is the one decision, it
// is refused where another was made meanwhile (and this one is then made anew),
// and a crash after it is repaired by Recover. The goroutines of the work are
// all started here.
package process

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/storage"
	"rensa/templates"
)

// Options is what a Processor works with; all but Progress is required.
type Options struct {
	Ledger *ledger.Ledger
	Policy *policy.Set
	Root   string // folder of the workspace
	Now    func() time.Time
	Limits decode.Limits
	Log    zerolog.Logger
	// Progress is told how many rows of how many passes' worth are done;
	// total is 0 while it is unknown. Default: nobody is told.
	Progress func(done, total int64)
	// Step is told of every step that a file passes, and Watch of every act on
	// the disk, for tests that stop the program there. Default: nobody is told.
	Step  func(name string)
	Watch storage.Watch
}

// Processor takes files. It may be used by several goroutines, for files of
// different merchants.
type Processor struct {
	Options
	dir       *storage.Dir
	snapshots snapshotCache
	me        struct {
		mu     sync.Mutex
		known  *identity
		taking map[string]bool // claims that are being renamed at this moment
	}
}

// New opens the workspace's folders. Close lets them go.
func New(opt Options) (*Processor, error) {
	dir, err := storage.Open(opt.Root)
	if err != nil {
		return nil, err
	}
	if opt.Progress == nil {
		opt.Progress = func(int64, int64) {}
	}
	if opt.Step == nil {
		opt.Step = func(string) {}
	}
	dir.SetWatch(opt.Watch)
	return &Processor{Options: opt, dir: dir}, nil
}

func (p *Processor) step(name string) { p.Step(name) }

// Close lets folders and snapshots go.
func (p *Processor) Close() error { return errors.Join(p.leave(), p.snapshots.close(), p.dir.Close()) }

// Request is one file to be taken.
type Request struct {
	Merchant string
	Path     string // where its bytes are
	Name     string // what the user calls it
	// AsOf is the snapshot's date where the file has none; zero: not given.
	AsOf    time.Time
	Force   bool     // take a snapshot that has shrunk
	Reports []string // which files to write; nil: the profile's
	// Check answers without keeping anything; the reports go to OutDir, "" for none.
	Check  bool
	OutDir string
	// Last says that no other file will come: memory that only one could use is given
	// back early, and a large commit need not think of those who come after.
	Last bool
	// Document asks for the text of the summary.
	Document bool
	Actor    string // who, for the history
}

// Exit codes of a file that was looked at.
const (
	ExitAccepted = 0
	ExitRejected = 3
	ExitRefused  = 4
	ExitSeen     = 6
)

// Result is the answer to one file.
type Result struct {
	RunID     string
	ReportDir string // "" where nothing was written
	ExitCode  int
	// Summary is the run's; of a new run's outgoing files it says how many orders they
	// have.
	Summary *report.Summary
	// Document is the text of summary.json, where it was asked for.
	Document json.RawMessage
	// Problems are the first of them, located, with message and hint.
	Problems []Finding
	// More is how many problems there are beyond those.
	More int
	// FileProblem is why the file could not be used; nil where it could.
	FileProblem *Finding
	// Seen is the run that took the same bytes before; nil where none did.
	Seen *ledger.Run
}

// Finding is a problem with its texts in the merchant's language.
type Finding struct {
	removal.Problem
	Message, Hint string
}

// job is one file on its way.
type job struct {
	Request
	merchant removal.Merchant
	limits   decode.Limits
	texts    *templates.Texts
	zone     *time.Location
	started  time.Time
	runID    string
	folder   string // in the workspace, or a temporary one for a check: the run's own
	temp     string // the same as a path of the system
	original *os.File
	taken    *storage.Taken // the original, where it was copied
	sha256   string
	bytes    int64
	modTime  time.Time
	claim    *ledger.Work    // nil for a file that was given to Process
	ahead    *ahead          // nil where there is no file
	changes  *report.Changes // what the desk decided about the orders that the file tells of
	// committed is true from the commit until everything is published.
	committed bool
	// plain leaves the original workbook out of the reports: it cannot be annotated.
	plain bool
}

// ErrMerchant is the answer to a merchant that the ledger does not know.
var ErrMerchant = errors.New("no such merchant")

// maxAttempts is how often a file is decided anew because stock moved meanwhile.
const maxAttempts = 20

// Process takes one file. What is wrong with the file is in the result; an error
// is a failure of ours, after which nothing is committed and the file may be
// given again.
func (p *Processor) Process(ctx context.Context, req Request) (_ *Result, err error) {
	if !req.Check {
		leave, err := p.enter(ctx)
		if err != nil {
			return nil, err
		}
		defer leave()
	}
	defer p.snapshots.use(req.Merchant)()
	j, err := p.begin(ctx, req)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := p.end(j); e != nil {
			p.Log.Warn().Err(e).Str("run", j.runID).Msg("clearing the run's folder")
		}
	}()
	log := p.Log.With().Str("run", j.runID).Str("merchant", j.Merchant).Str("sha256", j.sha256).Logger()
	log.Info().Str("file", j.Name).Int64("bytes", j.bytes).Msg("file taken")
	result, err := p.take(ctx, j)
	var bad *removal.FileError
	if errors.As(err, &bad) {
		log.Info().Str("code", bad.Code.String()).Msg("file refused")
		return p.refused(j, bad)
	}
	if err != nil {
		log.Error().Err(err).Msg("file failed")
		return nil, fmt.Errorf("file %s: %w", j.Name, err)
	}
	log.Info().Int("exit", result.ExitCode).Dur("took", p.Now().Sub(j.started)).Msg("file done")
	return result, nil
}

// begin takes a copy of the file, so that no one else can write to what is being
// decided, and hashes it on the way.
func (p *Processor) begin(ctx context.Context, req Request) (_ *job, err error) {
	j, err := p.newJob(ctx, req)
	if err != nil {
		return nil, err
	}
	p.lookAhead(ctx, j)
	if err := p.copy(j); err != nil {
		j.ahead.end()
		return nil, err
	}
	if j.runID, err = p.newRunID(ctx, j); err != nil {
		return nil, errors.Join(err, p.end(j))
	}
	return j, nil
}

// newJob is a file's way before its bytes are looked at.
func (p *Processor) newJob(ctx context.Context, req Request) (_ *job, err error) {
	j := &job{Request: req, started: p.Now().UTC(), limits: p.Limits}
	j.merchant, err = p.Ledger.Merchant(ctx, req.Merchant)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, fmt.Errorf("%s: %w", req.Merchant, ErrMerchant)
	}
	if err != nil {
		return nil, err
	}
	if j.zone, err = time.LoadLocation(j.merchant.Profile.TimeZone); err != nil {
		return nil, fmt.Errorf("merchant %s: %w", req.Merchant, err)
	}
	j.texts = templates.Load(j.merchant.Profile.Language)
	return j, nil
}

// place is where a claimed file lies; "" for any other.
func (j *job) place() string {
	if j.claim == nil {
		return ""
	}
	return j.claim.Place
}

// copy puts the file's bytes where no one else writes: into a folder of the run's
// own, on the same disk as the places where its files will be. A check reads the
// file where it lies.
func (p *Processor) copy(j *job) (err error) {
	info, err := os.Stat(j.Path)
	if err != nil {
		return err
	}
	j.modTime = info.ModTime()
	if j.Check {
		return j.look()
	}
	me, err := p.identity()
	if err != nil {
		return err
	}
	// Named for its owner too, so that others can tell when nobody needs it.
	j.folder = path.Join("work", j.Merchant, ".run-"+me.id+"-"+strings.ToLower(rand.Text()))
	j.temp = p.path(j.folder)
	if j.taken, err = p.dir.Take(path.Join(j.folder, stagedOriginal), j.Path); err == nil {
		j.sha256, j.bytes = j.taken.SHA256, j.taken.Bytes
		j.original, err = p.dir.Get(path.Join(j.folder, stagedOriginal))
	}
	if err != nil {
		return errors.Join(err, j.durable(), p.dir.Delete(j.folder))
	}
	return nil
}

// durable waits until the copy of the original is on the disk. Nothing may be
// committed before.
func (j *job) durable() error {
	if j.taken == nil {
		return nil
	}
	return j.taken.Sync()
}

// look opens and hashes the file of a check.
func (j *job) look() (err error) {
	if j.original, err = os.Open(j.Path); err != nil {
		return err
	}
	if j.temp, err = os.MkdirTemp("", "rensa-check-"); err != nil {
		return errors.Join(err, j.original.Close())
	}
	sum := sha256.New()
	if j.bytes, err = io.CopyBuffer(sum, j.original, make([]byte, 1<<20)); err != nil {
		return errors.Join(err, j.original.Close(), os.RemoveAll(j.temp))
	}
	j.sha256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// newRunID names a run: its time, so that names sort, and a hash, so that two of
// one moment differ.
func (p *Processor) newRunID(ctx context.Context, j *job) (string, error) {
	for n := 0; ; n++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d\x00%d", j.Merchant, j.sha256, j.Name, j.started.UnixNano(), n))
		id := j.started.In(j.zone).Format("20060102-150405") + "-" + hex.EncodeToString(sum[:3])
		_, err := p.Ledger.Run(ctx, j.Merchant, id)
		if errors.Is(err, ledger.ErrNotFound) {
			return id, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// end clears away what the run did not give a place. Once it is committed, its
// folder is needed until everything of it is published.
func (p *Processor) end(j *job) error {
	j.ahead.end()
	if j.committed {
		return j.original.Close()
	}
	return errors.Join(j.durable(), j.original.Close(), os.RemoveAll(j.temp))
}

// open reads the file's container, encoding and kind.
func (p *Processor) open(j *job) (*decode.File, *found, error) {
	f, err := decode.Open(j.original, j.bytes, decode.Options{
		Limits: j.limits, ShiftJIS: j.merchant.Profile.ShiftJIS, TempDir: j.temp, Known: known(),
	})
	if err != nil {
		return nil, nil, err
	}
	what, err := recognise(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, what, nil
}

// take sends a file the way of its kind.
func (p *Processor) take(ctx context.Context, j *job) (_ *Result, err error) {
	if seen, err := p.seenBefore(ctx, j); seen != nil || err != nil {
		return seen, err
	}
	p.step("before decoding")
	f, what, err := p.open(j)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	p.step("kind known")
	switch {
	case what.sign.Kind == removal.KindUpload:
		return p.upload(ctx, j, f, what)
	case what.sign.Kind == removal.KindCentres:
		return p.centres(ctx, j, f, what)
	case what.sign.Kind.OfOrders():
		return p.status(ctx, j, f, what)
	case what.sign.Kind.AddsFacts():
		return p.facts(ctx, j, f, what)
	}
	return p.inventory(ctx, j, f, what)
}

// Kind tells what a file is, without taking it.
func (p *Processor) Kind(ctx context.Context, merchant, path string) (_ removal.Kind, err error) {
	m, err := p.Ledger.Merchant(ctx, merchant)
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	info, err := file.Stat()
	if err != nil {
		return "", errors.Join(err, file.Close())
	}
	j := &job{merchant: m, original: file, bytes: info.Size(), limits: p.Limits}
	defer func() { err = errors.Join(err, file.Close()) }()
	f, what, err := p.open(j)
	if err != nil {
		return "", err
	}
	return what.sign.Kind, f.Close()
}

// safeName is a user's file name as a part of ours: no folder, nothing hidden.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, filepath.Base(name))
	name = strings.TrimLeft(name, ".")
	for len(name) > 120 {
		name = name[:len(name)-1]
	}
	if name = strings.ToValidUTF8(name, ""); name == "" {
		return "file"
	}
	return name
}
