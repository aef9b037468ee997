package process

import (
	"context"
	"errors"
	"fmt"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

// ErrNoRow is the answer to a row that a run has not.
var ErrNoRow = errors.New("the run has no such row")

// Explanation says why a row was accepted or refused.
type Explanation struct {
	Run     ledger.Run
	Outcome removal.Outcome
	Order   removal.OrderOutcome
	OrderID string // under which it was accepted; the file's own where it was not
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
	e := &Explanation{Run: *run, Outcome: *o, Order: *order, OrderID: order.ID}
	switch {
	case o.Status == removal.Accepted && order.Parts != nil:
		e.OrderID = order.Parts[o.Part]
	case o.Status != removal.Accepted && order.Given != "":
		e.OrderID = order.Given
	}
	j := &job{texts: templates.Load(run.Language)}
	for _, problems := range [][]removal.Problem{order.Problems, o.Problems} {
		for _, problem := range problems {
			e.Findings = append(e.Findings, p.finding(j, problem))
		}
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
