package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
)

// CancelRequest asks to cancel an order, or one SKU of it.
type CancelRequest struct {
	Order string
	SKU   string // "" for the whole order
	Actor string
	File  string // cancel list that asks for it, "" where none does
}

// CancelOutcome is what became of a request to cancel.
type CancelOutcome string

// The outcomes.
const (
	CancelDone      CancelOutcome = "cancelled" // nobody else knew of the units yet
	CancelRequested CancelOutcome = "requested" // a cancel file goes out; a status file will tell
	CancelPartly    CancelOutcome = "partly"    // as requested, but some units have left already
	CancelAlready   CancelOutcome = "already"   // it was cancelled or requested before
	CancelTooLate   CancelOutcome = "too_late"  // all units have left
	CancelForbidden CancelOutcome = "forbidden" // state or source does not allow it
)

// CancelResult says what became of a request.
type CancelResult struct {
	Order, SKU string
	Outcome    CancelOutcome
	State      removal.State // of the order from now on
	// Units are those that were cancelled, or are asked to be; Left those that
	// have left already.
	Units, Left int64
	File        string // the cancel file that goes out; "" for none
	// Problem is why it was not done, or not wholly; nil otherwise.
	Problem *removal.Problem
}

// Cancel cancels an order, or one SKU of it, as far as its state and the store's
// policy allow: at once in planning, later by a request that goes out as a cancel
// file. ledger.ErrNotFound: no such order. ErrNoItem: it has no such SKU.
func (d *Desk) Cancel(ctx context.Context, merchant string, req CancelRequest) (*CancelResult, error) {
	var result *CancelResult
	err := d.decide(ctx, merchant, func(m *removal.Merchant) error {
		plan, err := d.PlanCancels(ctx, m, "", req.Actor, req.File, []removal.CancelLine{{OrderID: req.Order, SKU: req.SKU}})
		if err != nil {
			return err
		}
		if result = plan.Cancels[0]; result == nil {
			if _, err := d.record(ctx, merchant, req.Order); err != nil {
				return err
			}
			return fmt.Errorf("order %s, SKU %s: %w", req.Order, req.SKU, ErrNoItem)
		}
		return d.change(ctx, m, &plan.Change)
	})
	if err != nil {
		return nil, err
	}
	return result, d.FlushOutgoing(ctx, merchant)
}

// CancelList cancels what the rows of a cancel list name, as one change. Rows that
// cannot be used are problems, and the others are done.
func (d *Desk) CancelList(ctx context.Context, merchant, run, actor, file string, lines []removal.CancelLine) (plan *Plan, err error) {
	err = d.decide(ctx, merchant, func(m *removal.Merchant) error {
		if plan, err = d.PlanCancels(ctx, m, run, actor, file, lines); err != nil {
			return err
		}
		plan.Change.Run = run
		return d.change(ctx, m, &plan.Change)
	})
	if err != nil {
		return nil, err
	}
	return plan, d.FlushOutgoing(ctx, merchant)
}

// record gives one order. ledger.ErrNotFound.
func (d *Desk) record(ctx context.Context, merchant, id string) (ledger.Record, error) {
	found, err := d.opt.Ledger.Records(ctx, merchant, []string{id})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("order %s: %w", id, ledger.ErrNotFound)
	}
	if err != nil {
		return ledger.Record{}, err
	}
	return found[0], nil
}

// PlanCancels decides what the rows of a cancel list do, on the merchant's
// revision, and commits nothing: the plan's change goes into the run's commit.
func (d *Desk) PlanCancels(ctx context.Context, m *removal.Merchant, run, actor, file string, lines []removal.CancelLine) (*Plan, error) {
	store, err := d.store(m)
	if err != nil {
		return nil, err
	}
	p, err := d.plan(ctx, m, run, actor, orderIDs(lines, func(l *removal.CancelLine) string { return l.OrderID }))
	if err != nil {
		return nil, err
	}
	var asked []removal.CancelLine
	for i := range lines {
		l := &lines[i]
		p.Counts.Rows++
		result, problem := p.cancel(&store, l, file)
		p.Cancels = append(p.Cancels, result)
		if problem != nil {
			problem.Row, problem.Line, problem.OrderID, problem.SKU = l.Row, l.Line, l.OrderID, l.SKU
			p.Problems = append(p.Problems, *problem)
			if result != nil {
				result.Problem = problem
			}
		}
		if result != nil && (result.Outcome == CancelRequested || result.Outcome == CancelPartly) {
			asked = append(asked, *l)
		}
	}
	p.sendCancels(m, asked)
	p.finish()
	return &p.Plan, nil
}

func badValue(heading, value string) *removal.Problem {
	return &removal.Problem{
		Code: removal.InputRowBad, Field: removal.FieldNone, Value: value,
		Args: removal.Args{}.Arg("reason", "unknown").Arg("heading", heading),
	}
}

// cancel does one row. Without a result the row could not be used.
func (p *planner) cancel(store *policy.Store, l *removal.CancelLine, file string) (*CancelResult, *removal.Problem) {
	r := p.records[l.OrderID]
	if r == nil {
		return nil, badValue("order-id", l.OrderID)
	}
	lines := r.Lines
	if l.SKU != "" {
		i := p.lineOf(r, l.SKU)
		if i < 0 {
			return nil, badValue("sku", l.SKU)
		}
		lines = lines[i : i+1]
	}
	c := &CancelResult{Order: l.OrderID, SKU: l.SKU, State: r.State}
	requested := int64(0)
	for i := range lines {
		for _, u := range []removal.Units{lines[i].Sellable, lines[i].Unsellable} {
			c.Units += u.InProcess()
			c.Left += u.Disposed + u.Shipped
			requested += u.Requested
		}
	}
	args := removal.Args{}.Arg("order", l.OrderID)
	switch {
	case r.State == removal.StateCancelled && c.Left == 0, c.Units == 0 && c.Left == 0 && requested > 0 && !r.State.Final():
		c.Outcome = CancelAlready
		return c, nil
	case r.State == removal.StateCompleted || r.State == removal.StateCancelled, c.Units == 0 && !r.State.Final():
		c.Outcome = CancelTooLate
		return c, &removal.Problem{Code: removal.CancelTooLate, Field: removal.FieldNone, Args: args}
	case !r.Cancellable(store.CancelIn):
		c.Outcome, c.Units = CancelForbidden, 0
		return c, &removal.Problem{Code: removal.CancelForbidden, Field: removal.FieldNone, Args: args.Arg("state", r.State)}
	case r.State == removal.StatePlanning:
		p.cancelNow(r, lines, file)
		c.Outcome, c.State = CancelDone, r.State
		p.Counts.Applied++
		return c, nil
	case p.askedBefore(r, l.SKU):
		c.Outcome = CancelAlready
		return c, nil
	}
	c.Outcome = CancelRequested
	p.ask(r, l.SKU, file)
	p.Counts.Applied++
	if c.Left > 0 {
		c.Outcome = CancelPartly
		return c, &removal.Problem{Code: removal.CancelTooLate, Field: removal.FieldNone, Args: args}
	}
	return c, nil
}

// cancelNow cancels lines that nobody else knows of.
func (p *planner) cancelNow(r *ledger.Record, lines []removal.Line, file string) {
	var units int64
	for i := range lines {
		l := &lines[i]
		for _, c := range []removal.Condition{removal.Sellable, removal.Unsellable} {
			u := l.Units(c)
			n := u.InProcess()
			if n == 0 {
				continue
			}
			u.Cancelled += n
			p.progress(r, l.SKU, c).Before += n
			units += n
			p.move(ledger.MovementOpened, p.now, r, l, c, -n, 0)
		}
	}
	from := r.State
	if r.InProcess() == 0 {
		r.State = removal.StateCancelled
	}
	p.touch(r)
	p.tell(r, "cancelled", string(from), string(r.State), strings.TrimSpace(fmt.Sprintf("%d units %s", units, file)))
}

func (p *planner) askedBefore(r *ledger.Record, sku string) bool {
	if r.Progress.CancelAll || sku == "" {
		return r.Progress.CancelAll
	}
	for _, c := range []removal.Condition{removal.Sellable, removal.Unsellable} {
		if i, ok := p.index(r).progress[lineKey{sku, c}]; ok && r.Progress.Lines[i].CancelAsked {
			return true
		}
	}
	return false
}

// ask marks that a cancellation was asked for.
func (p *planner) ask(r *ledger.Record, sku, file string) {
	r.CancelRequested = true
	if sku == "" {
		r.Progress.CancelAll = true
	} else {
		p.progress(r, sku, removal.Sellable).CancelAsked = true
	}
	p.touch(r)
	p.tell(r, "cancel_requested", string(r.State), string(r.State), strings.TrimSpace(sku+" "+file))
}

// sendCancels makes the cancel file of all that was asked for.
func (p *planner) sendCancels(m *removal.Merchant, asked []removal.CancelLine) {
	if len(asked) == 0 {
		return
	}
	whole := !slices.ContainsFunc(asked, func(l removal.CancelLine) bool { return l.SKU != "" })
	var b strings.Builder
	b.WriteString("order-id")
	if !whole {
		b.WriteString("\tsku")
	}
	b.WriteString("\r\n")
	for _, l := range asked {
		b.WriteString(tabbed(l.OrderID))
		if !whole {
			b.WriteString("\t" + tabbed(l.SKU))
		}
		b.WriteString("\r\n")
	}
	ids := orderIDs(asked, func(l *removal.CancelLine) string { return l.OrderID })
	f := outgoingFile(m, "cancel", 1, ids, []byte(b.String()), ledger.OutboundCancel, p.now)
	p.Change.Outgoing = append(p.Change.Outgoing, f)
	for _, c := range p.Cancels {
		if c != nil && (c.Outcome == CancelRequested || c.Outcome == CancelPartly) {
			c.File = f.Name
		}
	}
}

// tabbed is a value as it stands in a tab-separated file: one that begins with a quote
// would be read as another.
func tabbed(v string) string {
	if strings.HasPrefix(v, `"`) {
		return `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
	}
	return v
}

// SetStatus tells by hand that work on an order has begun: pending becomes
// processing. Final states come from status files only. ErrState,
// ledger.ErrNotFound.
func (d *Desk) SetStatus(ctx context.Context, merchant, id string, to removal.State, actor string) error {
	return d.decide(ctx, merchant, func(m *removal.Merchant) error {
		p, err := d.plan(ctx, m, "", actor, []string{id})
		if err != nil {
			return err
		}
		r := p.records[id]
		if r == nil {
			return fmt.Errorf("order %s: %w", id, ledger.ErrNotFound)
		}
		if r.State != removal.StatePending || to != removal.StateProcessing {
			return fmt.Errorf("order %s is %s and cannot be set to %s: %w", id, r.State, to, ErrState)
		}
		r.State = to
		p.touch(r)
		p.tell(r, "status", string(removal.StatePending), string(to), "")
		p.finish()
		return d.change(ctx, m, &p.Change)
	})
}
