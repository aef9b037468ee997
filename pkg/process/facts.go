package process

import (
	"context"
	"errors"
	"fmt"

	"rensa/pkg/decode"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
)

// facts takes a file that says more about the stock of the current snapshot. Its
// answer is a snapshot of the same quantities and date with the facts in it, so
// that every upload is decided, and can be explained, by one immutable file.
func (p *Processor) facts(ctx context.Context, j *job, f *decode.File, what *found) (*Result, error) {
	for range maxAttempts {
		result, err := p.tryFacts(ctx, j, f, what)
		if errors.Is(err, ledger.ErrConflict) {
			continue
		}
		return result, err
	}
	return nil, fmt.Errorf("decided %d times: %w", maxAttempts, ledger.ErrConflict)
}

func (p *Processor) tryFacts(ctx context.Context, j *job, f *decode.File, what *found) (_ *Result, err error) {
	if j.merchant, err = p.Ledger.Merchant(ctx, j.Merchant); err != nil {
		return nil, err
	}
	current, snapshot, err := p.currentSnapshot(ctx, j)
	if err != nil {
		return nil, err
	}
	opt, err := p.readOptions(j, snapshot)
	if err != nil {
		return nil, err
	}
	read, err := inventory.ReadFacts(what.sheet, what.row.Number, what.row.Cells, what.sign.Kind, snapshot, opt)
	if err != nil {
		return p.refusedInventory(j, f, what, read, err)
	}
	defer func() {
		if read.Snapshot != nil {
			err = errors.Join(err, read.Snapshot.Close())
		}
	}()
	read.Problems = append(what.ignored(), read.Problems...)
	// It stays the stock of the file that brought the quantities: that one's
	// original is kept, and its date is what removals are counted from.
	row := *current
	row.ID, row.Path, row.Current = "", "", true
	run := p.run(j, f, what)
	run.Heading = what.row.Number
	run.Read, run.Rejected = int64(read.RowsRead), int64(read.RowsBad)
	run.Accepted = run.Read - run.Rejected
	run.SnapshotDate = row.Date
	if j.Check {
		// The checked one reads titles from the current one's file, to the end.
		p.snapshots.use(j.Merchant)
		p.snapshots.keepChecked(j.Merchant, &row, read.Snapshot)
		read.Snapshot = nil
		return p.answerOther(ctx, j, &run, read.Problems, &ledger.Commit{})
	}
	if err := p.keepSnapshot(ctx, j, read.Snapshot, &row); err != nil {
		return nil, err
	}
	run.SnapshotID = row.ID
	change, err := p.holds(ctx, j, &row, snapshot, read.Snapshot)
	if err != nil {
		return nil, err
	}
	return p.answerOther(ctx, j, &run, read.Problems, &ledger.Commit{Snapshot: &row, Change: change})
}
