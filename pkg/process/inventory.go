package process

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// inventory takes a file that brings a snapshot.
func (p *Processor) inventory(ctx context.Context, j *job, f *decode.File, what *found) (_ *Result, err error) {
	for range maxAttempts {
		result, err := p.tryInventory(ctx, j, f, what)
		if errors.Is(err, ledger.ErrConflict) {
			continue
		}
		return result, err
	}
	return nil, fmt.Errorf("decided %d times: %w", maxAttempts, ledger.ErrConflict)
}

func (p *Processor) tryInventory(ctx context.Context, j *job, f *decode.File, what *found) (_ *Result, err error) {
	if j.merchant, err = p.Ledger.Merchant(ctx, j.Merchant); err != nil {
		return nil, err
	}
	current, previous, err := p.currentSnapshot(ctx, j)
	gone := isGone(err)
	if gone {
		// A full file is the way out, and the only one: it needs nothing of what was there.
		p.Log.Warn().Err(err).Str("merchant", j.Merchant).Msg("the snapshot before cannot be read; what it alone knew is lost")
		previous = nil
	} else if err != nil && !isMissing(err) {
		return nil, err
	}
	opt, err := p.readOptions(j, previous)
	if err != nil {
		return nil, err
	}
	read, err := inventory.Read(what.sheet, what.row.Number, what.row.Cells, what.sign.Kind, opt)
	if err != nil {
		return p.refusedInventory(j, f, what, read, err)
	}
	defer func() {
		if read.Snapshot != nil {
			err = errors.Join(err, read.Snapshot.Close())
		}
	}()
	if skus := read.Snapshot.Len(); gone && int64(skus)*2 < current.SKUs && !j.Force {
		return p.refusedInventory(j, f, what, read, removal.NewFileError(removal.SnapshotShrunk, "new", skus, "current", current.SKUs))
	}
	read.Problems = append(what.ignored(), read.Problems...)
	row := snapshotRow(j, what, read)
	if current != nil && row.Date.Before(current.Date) {
		row.Current = false
		say := j.day
		if j.day(row.Date) == j.day(current.Date) {
			say = func(t time.Time) string { return t.In(j.zone).Format(time.RFC3339) }
		}
		read.Problems = append(read.Problems, removal.Problem{
			Code: removal.SnapshotOlder, Field: removal.FieldNone, Args: removal.Args{}.
				Arg("date", say(row.Date)).Arg("current", say(current.Date)),
		})
	} else if err := read.Snapshot.Inherit(previous, j.temp); err != nil {
		return nil, err
	}
	run := p.run(j, f, what)
	run.Heading = what.row.Number
	run.Read, run.Rejected = int64(read.RowsRead), int64(read.RowsBad)
	run.Accepted = run.Read - run.Rejected
	run.SnapshotDate = row.Date
	if j.Check {
		if row.Current {
			p.snapshots.keepChecked(j.Merchant, row, read.Snapshot)
			read.Snapshot = nil
		}
		return p.answerOther(ctx, j, &run, read.Problems, &ledger.Commit{})
	}
	if err := p.keepSnapshot(ctx, j, read.Snapshot, row); err != nil {
		return nil, err
	}
	run.SnapshotID, row.Run = row.ID, run.ID
	change, err := p.holds(ctx, j, row, previous, read.Snapshot)
	if err != nil {
		return nil, err
	}
	return p.answerOther(ctx, j, &run, read.Problems, &ledger.Commit{Snapshot: row, Change: change})
}

// day is the date of a moment where the merchant is.
func (j *job) day(t time.Time) string { return t.In(j.zone).Format(time.DateOnly) }

func (p *Processor) readOptions(j *job, previous *inventory.Snapshot) (inventory.ReadOptions, error) {
	store, err := p.Policy.Store(j.merchant.Profile.HomeStore, j.today(), j.merchant.Profile.Policy)
	if err != nil {
		return inventory.ReadOptions{}, err
	}
	zone, err := time.LoadLocation(store.TimeZone)
	if err != nil {
		return inventory.ReadOptions{}, err
	}
	seed, err := hex.DecodeString(j.sha256[:16])
	if err != nil {
		return inventory.ReadOptions{}, err
	}
	return inventory.ReadOptions{
		Previous: previous, Date: j.asOf(), DateKnown: true, Zone: zone, Latest: j.latest(), Force: j.Force,
		Seed: binary.LittleEndian.Uint64(seed), TempDir: j.temp, File: j.sha256,
	}, nil
}

func snapshotRow(j *job, what *found, read *inventory.Result) *ledger.Snapshot {
	s := read.Snapshot
	row := &ledger.Snapshot{
		Merchant: j.Merchant, Date: s.Date(), DateHasTime: s.DateHasTime(), Kind: what.sign.Kind,
		SHA256: j.sha256, SKUs: int64(s.Len()), Pools: int64(s.Pools()), Current: true,
	}
	row.Sellable, row.Unsellable = s.Totals()
	return row
}

// keepSnapshot writes the compact file, named by what is in it, and sets the
// row's id and path.
func (p *Processor) keepSnapshot(ctx context.Context, j *job, s *inventory.Snapshot, row *ledger.Snapshot) (err error) {
	staged := path.Join(j.folder, "snapshot")
	f, err := os.Create(p.path(staged))
	if err != nil {
		return err
	}
	content, err := s.WriteFile(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// The titles' checksums are no part of the content's hash, but they come from
	// the original.
	sum := sha256.Sum256(append(content[:], j.sha256...))
	hash := hex.EncodeToString(sum[:])[:20]
	row.Path = path.Join("snapshots", j.Merchant, hash+".snap")
	if row.ID, err = p.freeSnapshotID(ctx, j.Merchant, hash); err != nil {
		return err
	}
	if err = p.dir.Move(staged, row.Path); !errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err = p.openSnapshot(row.Path); !isGone(err) {
		return errors.Join(err, p.dir.Delete(staged))
	}
	if err = p.dir.Delete(row.Path); err != nil {
		return err
	}
	return p.dir.Move(staged, row.Path)
}

// freeSnapshotID numbers the times that one and the same snapshot was taken in.
func (p *Processor) freeSnapshotID(ctx context.Context, merchant, hash string) (string, error) {
	for n := 1; ; n++ {
		id := hash
		if n > 1 {
			id = fmt.Sprintf("%s.%d", hash, n)
		}
		_, err := p.Ledger.SnapshotByID(ctx, merchant, id)
		if errors.Is(err, ledger.ErrNotFound) {
			return id, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// refusedInventory refuses a file with the problems of its rows beside it.
func (p *Processor) refusedInventory(j *job, f *decode.File, what *found, read *inventory.Result, cause error) (_ *Result, err error) {
	var bad *removal.FileError
	if !errors.As(cause, &bad) || read == nil {
		return nil, cause
	}
	run := p.run(j, f, what)
	run.Read, run.Rejected = int64(read.RowsRead), int64(read.RowsRead)
	result, err := p.refusedRun(j, run, bad)
	if err != nil || len(read.Problems) == 0 {
		return result, err
	}
	p.gather(j, result, read.Problems)
	pl, err := p.stage(j)
	if err != nil {
		return nil, err
	}
	defer func() {
		if !j.committed {
			err = errors.Join(err, pl.discard())
		}
	}()
	problems := append([]removal.Problem{bad.Problem()}, read.Problems...)
	if _, _, err := p.writeOther(j, &run, problems, nil, pl.reports, []string{report.Errors}); err != nil {
		return nil, err
	}
	if j.Check {
		result.ReportDir, err = pl.give(j.OutDir)
		return result, err
	}
	folder, err := (&detail{Zone: j.zone.String()}).reportFolder(&run)
	if err != nil {
		return nil, err
	}
	if _, err = pl.files.Commit(folder); errors.Is(err, fs.ErrExist) {
		err = nil // an attempt before this one got as far
	}
	result.ReportDir = p.path(folder)
	return result, err
}

// gather keeps the first problems in a result, infos about rows after the others
// and as far as there is room.
func (p *Processor) gather(j *job, result *Result, problems []removal.Problem) {
	var infos []removal.Problem
	for i := range problems {
		if problems[i].Code.Severity() == removal.SeverityInfo && problems[i].Row > 0 {
			infos = append(infos, problems[i])
			continue
		}
		if len(result.Problems) == shown {
			result.More++
			continue
		}
		result.Problems = append(result.Problems, p.finding(j, problems[i]))
	}
	for _, problem := range infos[:min(len(infos), shown-len(result.Problems))] {
		result.Problems = append(result.Problems, p.finding(j, problem))
	}
}

// centres takes a list of fulfilment centres' addresses. It replaces the list
// that the merchant had.
func (p *Processor) centres(ctx context.Context, j *job, f *decode.File, what *found) (*Result, error) {
	centres, problems, rows, err := inventory.ReadCentres(what.sheet, what.row.Number, what.row.Cells)
	if err != nil {
		return nil, err
	}
	problems = append(what.ignored(), problems...)
	run := p.run(j, f, what)
	run.Heading = what.row.Number
	run.Read = int64(rows)
	bad := map[int]bool{}
	for i := range problems {
		if problems[i].Code.IsError() && problems[i].Row > 0 {
			bad[problems[i].Row] = true
		}
	}
	run.Rejected = int64(len(bad))
	run.Accepted = run.Read - run.Rejected
	if centres == nil {
		centres = []removal.Centre{}
	}
	for range maxAttempts {
		if j.merchant, err = p.Ledger.Merchant(ctx, j.Merchant); err != nil {
			return nil, err
		}
		result, err := p.answerOther(ctx, j, &run, problems, &ledger.Commit{Centres: centres})
		if !errors.Is(err, ledger.ErrConflict) {
			return result, err
		}
	}
	return nil, fmt.Errorf("decided %d times: %w", maxAttempts, ledger.ErrConflict)
}

// answerOther writes the two reports of a file that is no upload, commits what it
// brought and publishes them.
func (p *Processor) answerOther(ctx context.Context, j *job, run *ledger.Run, problems []removal.Problem, c *ledger.Commit) (_ *Result, err error) {
	pl, err := p.stage(j)
	if err != nil {
		return nil, err
	}
	defer func() {
		if !j.committed {
			err = errors.Join(err, pl.discard())
		}
	}()
	run.Finished = p.Now().UTC()
	which := j.reports()
	if j.Check && j.OutDir == "" {
		which = []string{report.Summaries}
	}
	result := &Result{RunID: run.ID, ExitCode: exitCode(run)}
	var files []report.File
	if result.Summary, files, err = p.writeOther(j, run, problems, sentOut(c), pl.reports, which); err != nil {
		return nil, err
	}
	if result.Document, err = j.document(result.Summary); err != nil {
		return nil, err
	}
	p.gather(j, result, problems)
	if j.Check {
		result.ReportDir, err = pl.give(j.OutDir)
		return result, err
	}
	if err := pl.sync(); err != nil {
		return nil, err
	}
	if err := p.commit(ctx, j, run, files, problems, c); err != nil {
		return nil, err
	}
	result.ReportDir, err = p.publishNow(ctx, j, &c.Run)
	return result, err
}

// sentOut are the files that a commit sends out.
func sentOut(c *ledger.Commit) []ledger.Outbound {
	if c.Change == nil {
		return nil
	}
	files := make([]ledger.Outbound, len(c.Change.Outgoing))
	for i := range files {
		files[i] = c.Change.Outgoing[i].Outbound
	}
	return files
}

// isGone tells whether an error says that a snapshot's file is not there, or damaged.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, inventory.ErrFormat)
}

// isMissing tells whether an error says that the merchant has no snapshot.
func isMissing(err error) bool {
	var bad *removal.FileError
	return errors.As(err, &bad) && bad.Code == removal.SnapshotMissing
}

// checkedSnapshot is one that a check read and nobody keeps: the uploads that are
// checked after it are held against it.
type checkedSnapshot struct {
	row      *ledger.Snapshot
	snapshot *inventory.Snapshot
}

// currentSnapshot opens what the merchant's rows are checked against. Where there
// is none the error is snapshot_missing.
func (p *Processor) currentSnapshot(ctx context.Context, j *job) (*ledger.Snapshot, *inventory.Snapshot, error) {
	p.snapshots.mu.Lock()
	checked, ok := p.snapshots.checked[j.Merchant]
	p.snapshots.mu.Unlock()
	if j.Check && ok {
		return checked.row, checked.snapshot, nil
	}
	row, err := p.Ledger.Snapshot(ctx, j.Merchant)
	if err != nil {
		return nil, nil, err
	}
	if row == nil {
		return nil, nil, removal.NewFileError(removal.SnapshotMissing, "merchant", j.Merchant)
	}
	s, err := p.openSnapshot(row.Path)
	return row, s, err
}
