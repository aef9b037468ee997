package process

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// errChanged says that somebody still wrote to a file while it was decided.
var errChanged = errors.New("the file was still being written to")

// Limits of patience with one file.
const (
	maxFailures = 5 // attempts that ended in an error
	maxBegun    = 8 // attempts after which the program was gone
)

// stagedNote is, in the run's own folder, what is put beside a rejected file.
const stagedNote = "problems.txt"

// noteSuffix ends the name of that note beside the file.
const noteSuffix = ".problems.txt"

// runFolder is a claimed file's own folder: what is staged for its answer.
func runFolder(w *ledger.Work) string { return path.Join("work", w.Merchant, ".run-"+w.ID) }

// advance does what is to be done next with a file that is in hand, to its end.
func (p *Processor) advance(ctx context.Context, w *ledger.Work) error {
	switch {
	case w.Target != "":
		return p.bring(ctx, w)
	case w.State == ledger.FileClaimed:
		return p.decideClaim(ctx, w)
	}
	run, err := p.Ledger.Run(ctx, w.Merchant, w.Run)
	if err != nil {
		return err
	}
	return p.publishAgain(ctx, &run)
}

// decideClaim answers a claimed file.
func (p *Processor) decideClaim(ctx context.Context, w *ledger.Work) error {
	there, err := p.dir.Stat(w.Place)
	if errors.Is(err, fs.ErrNotExist) {
		p.Log.Info().Str("merchant", w.Merchant).Str("claim", w.ID).Msg("claim closed: its file was never taken")
		return p.Ledger.CloseClaim(ctx, w, "never taken")
	}
	switch {
	case err != nil:
		return err
	case !there.Regular:
		return p.give(ctx, w, "no file")
	case w.Failures >= maxFailures:
		return p.give(ctx, w, w.Reason)
	case w.Attempts > maxBegun:
		return p.give(ctx, w, fmt.Sprintf("the program ended %d times while it worked on the file", w.Attempts-1))
	}
	for range 3 {
		err = p.tryClaim(ctx, w)
		if !errors.Is(err, errChanged) {
			break
		}
		p.Log.Info().Str("merchant", w.Merchant).Str("claim", w.ID).Msg("the file changed meanwhile: deciding anew")
	}
	return err
}

func (p *Processor) tryClaim(ctx context.Context, w *ledger.Work) (err error) {
	j, err := p.beginClaim(ctx, w)
	if err != nil {
		return err
	}
	defer func() {
		if e := p.end(j); e != nil {
			p.Log.Warn().Err(e).Str("run", j.runID).Msg("clearing the run's folder")
		}
	}()
	log := p.Log.With().Str("run", j.runID).Str("merchant", j.Merchant).Str("claim", w.ID).Logger()
	log.Info().Str("sha256", j.sha256).Int64("bytes", j.bytes).Int("attempt", w.Attempts).Msg("file taken in hand")
	result, err := p.take(ctx, j)
	if bad, ok := errors.AsType[*removal.FileError](err); ok {
		return p.reject(ctx, j, w, bad.Code.String(), []removal.Problem{bad.Problem()})
	}
	if err != nil {
		return err
	}
	switch result.ExitCode {
	case ExitRefused:
		problems := make([]removal.Problem, len(result.Problems))
		for i := range result.Problems {
			problems[i] = result.Problems[i].Problem
		}
		return p.reject(ctx, j, w, result.FileProblem.Code.String(), problems)
	case ExitSeen:
		log.Info().Str("first", result.RunID).Msg("the same bytes were taken before: nothing is done")
		w.SHA256 = j.sha256
		target := path.Join("archive", w.Merchant, w.ID+"_"+safeName(w.Name))
		if err := p.Ledger.Settle(ctx, w, ledger.FileArchived, target, removal.FileSeen.String()); err != nil {
			return err
		}
		return p.bring(ctx, w)
	}
	log.Info().Int("exit", result.ExitCode).Dur("took", p.Now().Sub(j.started)).Msg("file done")
	return nil
}

// beginClaim is begin for a file that is claimed: it is ours where it lies, so
// that no copy is taken.
func (p *Processor) beginClaim(ctx context.Context, w *ledger.Work) (_ *job, err error) {
	j, err := p.newJob(ctx, Request{Merchant: w.Merchant, Name: w.Name, Actor: "inbox"})
	if err != nil {
		return nil, err
	}
	j.claim = w
	j.folder = runFolder(w)
	j.temp = p.path(j.folder)
	// What an attempt before left was never committed.
	if err := p.dir.Delete(j.folder); err != nil {
		return nil, err
	}
	if err := p.dir.MakeDir(j.folder); err != nil {
		return nil, err
	}
	p.step("before hash")
	if j.original, err = p.dir.Get(w.Place); err != nil {
		return nil, err
	}
	p.lookAhead(ctx, j)
	info, err := j.original.Stat()
	if err == nil {
		j.modTime = info.ModTime()
		j.sha256, j.bytes, err = hashOf(j.original)
	}
	if err == nil {
		j.runID, err = p.newRunID(ctx, j)
	}
	if err != nil {
		return nil, errors.Join(err, p.end(j))
	}
	p.step("hashed")
	return j, nil
}

// hashOf hashes a file from its beginning.
func hashOf(f *os.File) (string, int64, error) {
	sum := sha256.New()
	n, err := io.CopyBuffer(sum, io.NewSectionReader(f, 0, 1<<62), make([]byte, 256<<10))
	return hex.EncodeToString(sum.Sum(nil)), n, err
}

// unchanged hashes a claimed file again, right before it is committed.
func (j *job) unchanged() error {
	if j.claim == nil {
		return nil
	}
	again, n, err := hashOf(j.original)
	if err == nil && (again != j.sha256 || n != j.bytes) {
		err = errChanged
	}
	return err
}

// fileOf is what the commit does to the work list: a claimed file moves on, any
// other is entered, in the hand of who publishes it.
func (p *Processor) fileOf(j *job) (ledger.File, error) {
	if j.claim != nil {
		return j.claim.File, nil
	}
	hand, err := p.hand(handNow)
	return ledger.File{LeaseOwner: hand, LeaseUntil: p.Now().Add(leaseFor)}, err
}

// reject decides that a file cannot be used: it ends in rejected with a note of
// its problems beside it.
func (p *Processor) reject(ctx context.Context, j *job, w *ledger.Work, reason string, problems []removal.Problem) error {
	var note bytes.Buffer
	run := ledger.Run{ID: j.runID, Merchant: j.Merchant, FileName: j.Name, Started: j.started}
	if err := report.Problems(&note, p.otherInput(j, &run), problems); err != nil {
		return err
	}
	w.SHA256 = j.sha256
	j.committed = true // the note is needed until it is in place, also where the answer to Settle is lost
	return p.settleRejected(ctx, w, reason, note.Bytes())
}

// give gives a file up that cannot be answered, for a reason of ours.
func (p *Processor) give(ctx context.Context, w *ledger.Work, reason string) error {
	j, err := p.newJob(ctx, Request{Merchant: w.Merchant, Name: w.Name})
	if err != nil {
		return err
	}
	p.Log.Error().Str("merchant", w.Merchant).Str("claim", w.ID).Str("file", w.Name).Str("reason", reason).Msg("file given up")
	note := j.texts.T("report.note.given_up", "file", w.Name, "id", w.ID, "reason", reason)
	return p.settleRejected(ctx, w, reason, []byte(note+"\r\n"))
}

func (p *Processor) settleRejected(ctx context.Context, w *ledger.Work, reason string, note []byte) error {
	if _, err := p.dir.Replace(path.Join(runFolder(w), stagedNote), bytes.NewReader(note)); err != nil {
		return err
	}
	target, err := p.freeRejected(w)
	if err != nil {
		return err
	}
	p.step("before rejection")
	if err := p.Ledger.Settle(ctx, w, ledger.FileRejected, target, reason); err != nil {
		return err
	}
	p.step("rejection decided")
	p.Log.Info().Str("merchant", w.Merchant).Str("claim", w.ID).Str("code", reason).Msg("file rejected")
	return p.bring(ctx, w)
}

// freeRejected finds a name in rejected under which neither a file nor its note
// stands.
func (p *Processor) freeRejected(w *ledger.Work) (string, error) {
	name := w.Name
	if len(name) > 200 {
		name = safeName(name)
	}
	for n := 1; ; n++ {
		target := path.Join("rejected", w.Merchant, numbered(name, n))
		file, err := p.dir.Exists(target)
		if err != nil {
			return "", err
		}
		note, err := p.dir.Exists(target + noteSuffix)
		if err != nil {
			return "", err
		}
		if !file && !note {
			return target, nil
		}
	}
}

// bring moves the original of a settled file to its place, and its note before
// it. It may be called again after it failed half-way.
func (p *Processor) bring(ctx context.Context, w *ledger.Work) error {
	note := path.Join(runFolder(w), stagedNote)
	for {
		err := p.dir.Move(note, w.Target+noteSuffix)
		if err == nil || errors.Is(err, fs.ErrNotExist) { // there is none, or it was moved before
			if err = p.dir.Move(w.Place, w.Target); err == nil {
				break
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			there, e := p.dir.Exists(w.Target)
			if e != nil {
				return e
			}
			if !there {
				p.Log.Error().Str("merchant", w.Merchant).Str("claim", w.ID).Msg("the original is gone from the work folder")
			}
			break
		}
		if !errors.Is(err, fs.ErrExist) || w.State != ledger.FileRejected {
			return err
		}
		// Somebody put a file of this name there meanwhile.
		if err := p.dir.Move(w.Target+noteSuffix, note); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		target, err := p.freeRejected(w)
		if err != nil {
			return err
		}
		if err := p.Ledger.Retarget(ctx, w, target); err != nil {
			return err
		}
	}
	p.step("original moved")
	if err := p.Ledger.Settled(ctx, w); err != nil {
		return err
	}
	p.step("settled")
	return p.dir.Delete(runFolder(w))
}
