package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/storage"
	"rensa/pkg/upload"
	"rensa/pkg/validate"
)

// readUpload reads the headings, or layout B's key lines, of an upload.
func readUpload(what *found) (*upload.Sheet, error) {
	if what.sign.KeyValue {
		return upload.ReadB(what.sheet.Name(), what.head, what.row)
	}
	return upload.ReadA(what.sheet.Name(), what.row)
}

// upload takes a file of removal orders. Where stock or orders of the merchant
// change while it is being decided, it is decided anew.
func (p *Processor) upload(ctx context.Context, j *job, f *decode.File, what *found) (*Result, error) {
	up, err := readUpload(what)
	if err != nil {
		return nil, err
	}
	for range maxAttempts {
		result, err := p.tryUpload(ctx, j, f, what, up)
		if errors.Is(err, ledger.ErrConflict) {
			p.Log.Info().Str("run", j.runID).Msg("stock changed meanwhile: deciding anew")
			continue
		}
		if errors.Is(err, ledger.ErrExists) { // another process named its run so
			if j.runID, err = p.newRunID(ctx, j); err != nil {
				return nil, err
			}
			continue
		}
		if errors.Is(err, ledger.ErrSeen) || errors.Is(err, validate.ErrSameHash) {
			continue // a copy is found at the next attempt, which has another seed
		}
		return result, err
	}
	return nil, fmt.Errorf("decided %d times: %w", maxAttempts, ledger.ErrConflict)
}

func (p *Processor) tryUpload(ctx context.Context, j *job, f *decode.File, what *found, up *upload.Sheet) (_ *Result, err error) {
	if j.merchant, err = p.Ledger.Merchant(ctx, j.Merchant); err != nil {
		return nil, err
	}
	// Asked after the revision was read: copies that arrive together are told here.
	if seen, err := p.seenBefore(ctx, j); seen != nil || err != nil {
		return seen, err
	}
	row, snapshot, err := p.currentSnapshot(ctx, j)
	if err != nil {
		return nil, err
	}
	rules, err := p.rules(ctx, j, snapshot)
	if err != nil {
		return nil, err
	}
	rules.Headings = len(up.Headings)
	stock, err := p.stock(ctx, j, snapshot)
	if err != nil {
		return nil, err
	}
	spool := p.spool(j)
	defer func() { err = errors.Join(err, spool.Close()) }()
	stock.KeepIn(&pages{spool: spool})
	d, err := p.decide(ctx, j, what.sheet, up, rules, stock, spool)
	if err != nil {
		return nil, err
	}
	again, err := p.checkedAgain(ctx, j)
	if err != nil {
		return nil, err
	}
	d.problems = slices.Concat(again, what.ignored(), fileProblems(rules, up, d))
	run := p.run(j, f, what)
	run.Layout, run.Heading = string(up.Layout), up.Heading
	run.SnapshotID, run.SnapshotDate = row.ID, row.Date
	run.Read, run.Accepted, run.Rejected, run.Seen = d.counts.Read, d.counts.Accepted, d.counts.Rejected, d.counts.Seen
	run.OrdersAccepted, run.OrdersRefused = d.counts.OrdersAccepted, d.counts.OrdersRefused
	u := &uploadRun{p: p, j: j, what: what, file: f, up: up, rules: rules, d: d, run: run}
	return u.answer(ctx)
}

// spool begins a spool for what of a file is too much for memory.
func (p *Processor) spool(j *job) *storage.Spool {
	s := storage.NewSpool(j.temp)
	s.SetWatch(p.Watch)
	return s
}

// fileProblems are those of the whole file: about its headings, the snapshot's
// age, and what the rows together look like.
func fileProblems(rules *validate.Rules, up *upload.Sheet, d *decision) []removal.Problem {
	problems := append([]removal.Problem(nil), up.Problems...)
	if stale := rules.Stale(); stale != nil {
		problems = append(problems, *stale)
	}
	return append(problems, d.problems...)
}

// rules gathers what rows are held against.
func (p *Processor) rules(ctx context.Context, j *job, snapshot *inventory.Snapshot) (*validate.Rules, error) {
	store, err := p.store(j)
	if err != nil {
		return nil, err
	}
	centres, err := p.Ledger.Centres(ctx, j.Merchant)
	if err != nil {
		return nil, err
	}
	rules := &validate.Rules{
		Merchant: j.merchant, Policy: p.Policy, Store: store, Snapshot: snapshot,
		Centres: centres, Now: j.today(), Source: j.sha256,
	}
	return rules, rules.Prepare()
}

// uploadRun is a decided upload whose answer is being written.
type uploadRun struct {
	p     *Processor
	j     *job
	what  *found
	file  *decode.File
	up    *upload.Sheet
	rules *validate.Rules
	d     *decision
	run   ledger.Run
	// open are orders of which rows are still to come in the second pass.
	open map[int32]*decided
}

// input is what the reports are made from.
func (u *uploadRun) input() *report.Input {
	in := &report.Input{
		Run: u.run, Merchant: u.j.merchant, Zone: u.j.zone, FileProblems: u.d.problems,
		Headings: u.up.Headings, Locate: u.up.Locate,
		Snapshot: &report.Snapshot{
			ID: u.run.SnapshotID, Date: u.rules.Snapshot.Date(),
			DateHasTime: u.rules.Snapshot.DateHasTime(), SKUs: u.rules.Snapshot.Len(),
		},
		Currency: u.rules.Store.Currency, Policy: u.p.Policy, Texts: u.j.texts,
		TempDir: u.j.temp,
	}
	for _, row := range u.what.head {
		if row.Number <= u.up.Heading {
			in.Lead = append(in.Lead, report.Lead{Number: row.Number, Cells: row.Cells})
		}
	}
	for f := range in.FieldColumns {
		in.FieldColumns[f] = u.up.Column(removal.Field(f))
	}
	if u.file.Format().Workbook && !u.j.plain {
		in.Original = func() (io.ReaderAt, int64, error) {
			r, size := u.file.Unpacked()
			return r, size, nil
		}
	}
	return in
}

// parts is the second pass: the rows with their outcomes go into the files of set,
// and, formatted and in the order of the file, to deliver. finish, which may be nil,
// is called side by side before.
func (u *uploadRun) parts(ctx context.Context, set *report.Set, finish, deliver func(*batch) error) error {
	outcomes := u.d.reader()
	defer outcomes.stop()
	u.open = map[int32]*decided{}
	done := int64(0)
	return eachBatch(ctx, u.what.sheet, u.up, u.d.batches, stages{
		prepare: outcomes.unpack,
		inOrder: func(b *batch) error {
			if err := outcomes.collect(b); err != nil {
				return err
			}
			if err := u.join(b); err != nil {
				return err
			}
			set.Link(&b.part)
			return nil
		},
		finish: func(b *batch) error {
			u.findFNSKUs(b)
			set.Format(&b.part)
			return run(finish, b)
		},
		deliver: func(b *batch) error {
			if len(b.rows) == 0 {
				return nil
			}
			done += int64(len(b.rows))
			u.p.Progress(u.d.counts.Read+done, 2*u.d.counts.Read)
			return errors.Join(set.Append(&b.part), run(deliver, b))
		},
	})
}

// findFNSKUs looks pools and FNSKUs of a batch up.
func (u *uploadRun) findFNSKUs(b *batch) {
	rows := b.part.Rows
	b.items, b.pools, b.fnskus = b.items[:0], resize(b.pools, len(rows)), resize(b.fnskus, len(rows))
	for i := range rows {
		b.items = append(b.items, rows[i].Outcome.Item)
	}
	u.rules.Snapshot.FNSKUs(b.items, b.pools, b.fnskus)
	for i := range rows {
		rows[i].FNSKU = b.fnskus[i]
	}
}

// join puts the rows of a batch together with what was decided about them.
func (u *uploadRun) join(b *batch) error {
	b.part.Rows = slices.Grow(b.part.Rows[:0], len(b.outcomes))
	b.decided, b.loaded = b.decided[:0], 0
	for from, to := 0, 0; from < len(b.outcomes); from = to {
		number := b.outcomes[from].Order
		for to = from; to < len(b.outcomes) && b.outcomes[to].Order == number; to++ {
			if o := &b.outcomes[to]; o.Row != b.rows[to].Number {
				return fmt.Errorf("outcome of row %d stands at row %d", o.Row, b.rows[to].Number)
			}
		}
		order, err := u.orderOf(b, number, to-from)
		if err != nil {
			return fmt.Errorf("order of row %d: %w", b.outcomes[from].Row, err)
		}
		b.decided = append(b.decided, order)
		for i := from; i < to; i++ {
			b.part.Rows = append(b.part.Rows, report.Row{
				Row: &b.rows[i], Outcome: &b.outcomes[i], Order: &order.OrderOutcome,
				Cells: b.block.Cells(i), Data: b.block.Data(),
			})
		}
	}
	return nil
}

// orderOf gives the order of some rows, the next that it has: one of which more are to
// come stays at hand, another is got from the shelf.
func (u *uploadRun) orderOf(b *batch, number int32, rows int) (*decided, error) {
	order, open := u.open[number]
	if !open {
		if b.loaded == len(b.orderRoom) {
			b.orderRoom = append(b.orderRoom, nil)
		}
		if order = b.orderRoom[b.loaded]; order == nil {
			order = &decided{}
			b.orderRoom[b.loaded] = order
		}
		var err error
		if b.shelved, err = u.d.orders.decided(number, order, b.shelved); err != nil {
			return nil, err
		}
		if order.left = order.Rows; rows < order.left {
			b.orderRoom[b.loaded] = nil // it outlives the batch
			u.open[number] = order
		} else {
			b.loaded++
		}
	}
	if order.left -= rows; open && order.left <= 0 {
		delete(u.open, number)
	}
	return order, nil
}

// exitCode is 3 where a row came back.
func exitCode(run *ledger.Run) int {
	if run.Rejected > 0 {
		return ExitRejected
	}
	return ExitAccepted
}

// asOf is the date of a snapshot whose file has none: as the user says, else when
// the file was last changed, unless its clock was ahead of ours.
func (j *job) asOf() time.Time {
	switch {
	case !j.AsOf.IsZero():
		return j.AsOf
	case j.modTime.After(j.started):
		return j.started
	}
	return j.modTime
}

// latest is the last moment of which a file may speak: clocks differ, and days begin
// elsewhere before they do here.
func (j *job) latest() time.Time { return j.started.Add(24 * time.Hour) }

// today is the run's moment where the merchant is: policies and fee cards hold by
// the day there.
func (j *job) today() time.Time { return j.started.In(j.zone) }
