package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/upload"
	"rensa/templates"
)

// ErrNoRow is the answer to a row that a run has not.
var ErrNoRow = errors.New("the run has no such row")

// Explanation says why a row was accepted or refused.
type Explanation struct {
	Run     ledger.Run
	Outcome removal.Outcome
	Order   removal.OrderOutcome
	OrderID string // as result.csv has it
	// SKU and FNSKU are as in the snapshot; "" where the row's SKU is not there.
	SKU, FNSKU string
	// Snapshot is what the row was checked against; nil where it is not kept.
	Snapshot *ledger.Snapshot
	Findings []Finding // of the order and of the row
}

// Explain tells why a row of a run was accepted or refused. The row is named by
// the number that a spreadsheet shows. ledger.ErrNotFound, ErrNoRow.
func (p *Processor) Explain(ctx context.Context, merchant, run string, row int) (*Explanation, error) {
	r, err := p.Ledger.Run(ctx, merchant, run)
	if err != nil {
		return nil, err
	}
	if !r.Kind.HasOutcomes() {
		return nil, fmt.Errorf("run %s has no order rows: %w", run, ErrNoRow)
	}
	o, err := p.Ledger.OutcomeOf(ctx, merchant, run, row)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, fmt.Errorf("row %d of run %s: %w", row, run, ErrNoRow)
	}
	if err != nil {
		return nil, err
	}
	orders, err := p.Ledger.OrderOutcomes(ctx, merchant, run)
	if err != nil {
		return nil, err
	}
	return p.explain(ctx, &r, &o, &orders[o.Order])
}

func (p *Processor) explain(ctx context.Context, run *ledger.Run, o *removal.Outcome, order *removal.OrderOutcome) (*Explanation, error) {
	e := &Explanation{Run: *run, Outcome: *o, Order: *order, OrderID: report.OrderID(o, order)}
	if err := p.findings(ctx, e); err != nil {
		return nil, err
	}
	snapshot, err := p.Ledger.SnapshotByID(ctx, run.Merchant, run.SnapshotID)
	if errors.Is(err, ledger.ErrNotFound) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	e.Snapshot = snapshot
	if o.Item < 0 {
		return e, nil
	}
	s, err := p.openSnapshot(snapshot.Path)
	if err != nil {
		return nil, err
	}
	e.SKU, e.FNSKU = string(s.SKU(o.Item)), string(s.FNSKU(o.Item))
	return e, nil
}

// findings gives the problems of the order and of the row their values and places,
// which stand in the original alone: where that is no longer kept they have leftOut.
func (p *Processor) findings(ctx context.Context, e *Explanation) error {
	order, row := slices.Clone(e.Order.Problems), slices.Clone(e.Outcome.Problems)
	err := p.reread(ctx, &e.Run, e.Outcome.Row, func(up *upload.Sheet, r *removal.Row) {
		locate := func(problems []removal.Problem) {
			for i := range problems {
				problems[i].SKU = string(r.Value(removal.FieldSKU))
				up.Locate(&problems[i], r)
			}
		}
		if r.Number == e.Order.Row {
			locate(order)
		}
		if r.Number == e.Outcome.Row {
			locate(row)
		}
	})
	gone := errors.Is(err, ErrOriginalGone)
	if err != nil && !gone {
		return err
	}
	j := &job{texts: templates.Load(e.Run.Language)}
	for _, problem := range slices.Concat(order, row) {
		if gone && problem.Field != removal.FieldNone {
			problem.Value = leftOut
		}
		e.Findings = append(e.Findings, p.finding(j, problem))
	}
	return nil
}

// leftOut stands for a value that is no longer kept.
const leftOut = "…"

// errReread ends the way of the rows behind the last that is wanted.
var errReread = errors.New("all rows that are wanted were read")

// reread shows the item rows of a run's original, up to the one of a number.
func (p *Processor) reread(ctx context.Context, run *ledger.Run, last int, show func(*upload.Sheet, *removal.Row)) (err error) {
	again, err := p.reopen(ctx, run)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.close()) }()
	f, what, err := p.open(again.j)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	up, err := readUpload(what)
	if err != nil {
		return err
	}
	err = eachBatch(ctx, what.sheet, up, &sync.Pool{}, stages{inOrder: func(b *batch) error {
		for i := range b.rows {
			if b.rows[i].Number > last {
				return errReread
			}
			show(up, &b.rows[i])
		}
		return nil
	}})
	if errors.Is(err, errReread) {
		return nil
	}
	return err
}
