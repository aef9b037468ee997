package desk

import (
	"context"
	"fmt"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Counts says what became of the rows of a status file or cancel list.
type Counts struct {
	Rows      int64 // read
	Applied   int64 // changed something
	Unchanged int64 // known already, or older than what is known
	Kept      int64 // kept in the history and not applied
	Orders    int64 // orders that changed
	External  int64 // orders that were made elsewhere and are new here
}

// Plan is what a status file or cancel list does, decided and not committed.
type Plan struct {
	Change   ledger.Change
	Problems []removal.Problem
	Counts   Counts
	// Cancels are the results of a cancel list's rows, nil for one that could
	// not be used.
	Cancels []*CancelResult
}

// planner makes a plan from the orders as they are.
type planner struct {
	Plan
	ctx     context.Context
	d       *Desk
	m       *removal.Merchant
	run     string
	actor   string
	now     time.Time
	records map[string]*ledger.Record
	touched map[string]bool
	order   []string                 // touched ids, in the order in which they were
	history map[string]map[told]bool // what was kept of an order, by its id
	indexes map[*ledger.Record]*lineIndex
}

// told is an event as far as it tells two apart.
type told struct{ what, why string }

// plan reads the orders of the ids.
func (d *Desk) plan(ctx context.Context, m *removal.Merchant, run, actor string, ids []string) (*planner, error) {
	p := &planner{
		ctx: ctx, d: d, m: m, run: run, actor: actor, now: d.now(),
		records: make(map[string]*ledger.Record, len(ids)), touched: map[string]bool{}, history: map[string]map[told]bool{},
		indexes: map[*ledger.Record]*lineIndex{},
	}
	found, err := d.opt.Ledger.Records(ctx, m.ID, ids)
	if err != nil {
		return nil, err
	}
	for i := range found {
		p.records[found[i].ID] = &found[i]
	}
	return p, nil
}

// orderIDs are the different ids of rows, in the order in which they come.
func orderIDs[T any](rows []T, id func(*T) string) []string {
	seen := map[string]bool{}
	var ids []string
	for i := range rows {
		if k := id(&rows[i]); !seen[k] {
			seen[k] = true
			ids = append(ids, k)
		}
	}
	return ids
}

// touch marks a record as changed.
func (p *planner) touch(r *ledger.Record) {
	if !p.touched[r.ID] {
		p.touched[r.ID] = true
		p.order = append(p.order, r.ID)
	}
}

// move notes what a line did to its pool.
func (p *planner) move(kind ledger.MovementKind, at time.Time, r *ledger.Record, l *removal.Line, c removal.Condition, units int64, row int) {
	if units == 0 {
		return
	}
	m := ledger.Movement{Kind: kind, At: at.UTC().Truncate(time.Microsecond), PoolKey: poolKey(l), Order: r.ID, Run: p.run, Row: row}
	if c == removal.Sellable {
		m.Sellable = units
	} else {
		m.Unsellable = units
	}
	p.Change.Movements = append(p.Change.Movements, m)
}

// poolKey is the pool of a line as snapshots name it.
func poolKey(l *removal.Line) string {
	if l.FNSKU == "" {
		return "\x00" + l.SKU
	}
	return l.FNSKU
}

// tell notes what happened to an order.
func (p *planner) tell(r *ledger.Record, what, from, to, why string) {
	p.Change.Events = append(p.Change.Events, ledger.Event{
		Actor: p.actor, Subject: ledger.SubjectOrder, ID: r.ID, What: what, From: from, To: to, Why: why, Run: p.run,
	})
}

// keep notes what was not applied, once however often it is told, and answers
// whether it is news.
func (p *planner) keep(id, what, why string) (bool, error) {
	if _, ok := p.history[id]; !ok {
		events, err := p.d.opt.Ledger.History(p.ctx, p.m.ID, id)
		if err != nil {
			return false, err
		}
		p.history[id] = make(map[told]bool, len(events))
		for _, e := range events {
			p.history[id][told{e.What, e.Why}] = true
		}
	}
	if p.history[id][told{what, why}] {
		return false, nil
	}
	p.history[id][told{what, why}] = true
	e := ledger.Event{Actor: p.actor, Subject: ledger.SubjectOrder, ID: id, What: what, Why: why, Run: p.run}
	p.Change.Events = append(p.Change.Events, e)
	return true, nil
}

// finish hands the changed records over.
func (p *planner) finish() {
	for _, id := range p.order {
		r := p.records[id]
		if r.Seq == 0 {
			p.Change.New = append(p.Change.New, *r)
			p.Counts.External++
			continue
		}
		p.Change.Changed = append(p.Change.Changed, *r)
	}
	p.Counts.Orders = int64(len(p.order))
}

// settle moves an order to where a status file has it, as far as the state machine
// goes: no way leads back, and nothing is finished while units are open.
func settle(r *ledger.Record, target removal.State) {
	event := removal.EventStart
	switch target {
	case removal.StateCompleted:
		event = removal.EventComplete
	case removal.StateCancelled:
		event = removal.EventStop
	case removal.StatePending:
		event = removal.EventRelease
	}
	to, guard, ok := removal.Next(r.State, event)
	if ok && guard == removal.GuardNothingOpen && r.InProcess() > 0 {
		to, _, ok = removal.Next(r.State, removal.EventStart)
	}
	if !ok {
		return
	}
	if r.State = to; to.Final() {
		r.CancelRequested = false
	}
}

func unitsText(o *removal.Order) string {
	s, u := o.Totals()
	return fmt.Sprintf("cancelled %d, disposed %d, shipped %d, in process %d",
		s.Cancelled+u.Cancelled, s.Disposed+u.Disposed, s.Shipped+u.Shipped, s.InProcess()+u.InProcess())
}
