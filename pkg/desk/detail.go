package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// ApplyOrderDetail applies the rows of a Removal Order Detail report. See
// PlanOrderDetail.
func (d *Desk) ApplyOrderDetail(ctx context.Context, merchant, run string, lines []removal.OrderDetailLine) ([]removal.Problem, Counts, error) {
	return d.apply(ctx, merchant, run, func(m *removal.Merchant) (*Plan, error) { return d.PlanOrderDetail(ctx, m, run, lines) })
}

// apply commits a plan.
func (d *Desk) apply(ctx context.Context, merchant, run string, plan func(*removal.Merchant) (*Plan, error)) ([]removal.Problem, Counts, error) {
	var made *Plan
	err := d.decide(ctx, merchant, func(m *removal.Merchant) (err error) {
		if made, err = plan(m); err != nil {
			return err
		}
		made.Change.Run = run
		return d.change(ctx, m, &made.Change)
	})
	if err != nil {
		return nil, Counts{}, err
	}
	return made.Problems, made.Counts, nil
}

// PlanOrderDetail decides what the rows of a Removal Order Detail report do, on the
// merchant's revision, and commits nothing: the plan's change goes into the run's
// commit. The quantities of the newest row of each line count; rows that do not
// add up, or do not fit the order, are kept in its history and not applied; orders
// that are not known come in with source external. The same rows again change
// nothing, and an older row never overwrites a newer one.
func (d *Desk) PlanOrderDetail(ctx context.Context, m *removal.Merchant, run string, lines []removal.OrderDetailLine) (*Plan, error) {
	store, err := d.store(m)
	if err != nil {
		return nil, err
	}
	ids := orderIDs(lines, func(l *removal.OrderDetailLine) string { return l.OrderID })
	p, err := d.plan(ctx, m, run, "status file", ids)
	if err != nil {
		return nil, err
	}
	parcels, err := d.opt.Ledger.ShipmentsOf(ctx, m.ID, ids)
	if err != nil {
		return nil, err
	}
	groups := map[string][]int{}
	for i := range lines {
		groups[lines[i].OrderID] = append(groups[lines[i].OrderID], i)
	}
	p.Counts.Rows = int64(len(lines))
	for _, id := range ids {
		g := &detailGroup{planner: p, id: id, parcels: parcelsByLine(parcels[id]), currency: store.Currency}
		for _, i := range groups[id] {
			g.take(&lines[i])
		}
		if err := g.apply(); err != nil {
			return nil, err
		}
	}
	p.finish()
	return &p.Plan, nil
}

type lineKey struct {
	sku       string
	condition removal.Condition
}

// detailGroup is the rows of one order.
type detailGroup struct {
	*planner
	id       string
	parcels  map[lineKey][]ledger.Shipment
	currency string
	rows     []*removal.OrderDetailLine // the newest of each line, in their order
	place    map[lineKey]int
	fees     map[string]removal.Amount // by SKU, as far as rows have some
	newest   *removal.OrderDetailLine  // of those that were applied or known
}

// take keeps the newest row of each line; of equally new ones the last.
func (g *detailGroup) take(l *removal.OrderDetailLine) {
	if g.place == nil {
		g.place = map[lineKey]int{}
	}
	k := lineKey{l.SKU, l.Condition}
	i, ok := g.place[k]
	switch {
	case !ok:
		g.place[k] = len(g.rows)
		g.rows = append(g.rows, l)
	case l.LastUpdated.Before(g.rows[i].LastUpdated):
		g.Counts.Unchanged++
	default:
		g.Counts.Unchanged++
		g.rows[i] = l
	}
}

func (g *detailGroup) apply() error {
	r := g.records[g.id]
	if r == nil || r.State == removal.StateRefused {
		r = g.external()
		if r == nil {
			return g.keepAll()
		}
	}
	from, fresh, changed := r.State, r.Seq == 0, false
	confirmed := r.Progress.Requested.IsZero() && !fresh
	for _, l := range g.rows {
		applied, err := g.line(r, l)
		if err != nil {
			return err
		}
		changed = changed || applied
	}
	if g.newest != nil && !micros(g.newest.LastUpdated).Before(r.Progress.Updated) {
		g.confirm(r)
	}
	confirmed = confirmed && !r.Progress.Requested.IsZero()
	switch {
	case fresh:
		g.touch(r)
		g.tell(r, "external", "", string(r.State), unitsText(&r.Order))
	case from != r.State || changed:
		g.touch(r)
		g.tell(r, "status", string(from), string(r.State), unitsText(&r.Order))
	case confirmed:
		g.tell(r, "confirmed", string(from), string(r.State), "")
	}
	return nil
}

// confirm notes that the marketplace knows the order, and where it has it.
func (g *detailGroup) confirm(r *ledger.Record) {
	if at := g.newest.RequestDate; !at.IsZero() && (r.Progress.Requested.IsZero() || micros(at).Before(r.Progress.Requested)) {
		r.Progress.Requested = micros(at)
		g.touch(r)
	}
	if at := micros(g.newest.LastUpdated); at.After(r.Progress.Updated) {
		r.Progress.Updated = at
		g.touch(r)
	}
	settle(r, g.newest.Status)
}

func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// line applies one row to its line; false: nothing changed.
func (g *detailGroup) line(r *ledger.Record, row *removal.OrderDetailLine) (bool, error) {
	if !row.Balanced() {
		return false, g.refuse(row)
	}
	i := g.lineOf(r, row.SKU)
	elsewhere := madeElsewhere(&r.Order)
	if i < 0 {
		if !elsewhere || r.State.Final() {
			return false, g.refuse(row)
		}
		r.Lines = append(r.Lines, removal.Line{SKU: row.SKU, FNSKU: row.FNSKU})
		i, r.Grown = len(r.Lines)-1, true
		g.charge(r, &r.Lines[i])
	}
	l := &r.Lines[i]
	progress := g.progress(r, row.SKU, row.Condition)
	u := l.Units(row.Condition)
	now := removal.Units{
		Requested: u.Requested, Cancelled: progress.Before + row.Cancelled, Disposed: row.Disposed, Shipped: row.Shipped,
	}
	if elsewhere {
		now.Requested = row.Requested
	} else if row.Requested != u.Requested-progress.Before {
		return false, g.refuse(row)
	}
	if g.newest == nil || !row.LastUpdated.Before(g.newest.LastUpdated) {
		g.newest = row
	}
	if micros(row.LastUpdated).Before(progress.Updated) {
		g.Counts.Unchanged++
		return false, nil
	}
	if *u != now && r.State.Final() {
		news, err := g.keep(g.id, "status_late", detailText(row))
		if news {
			g.Counts.Kept++
		} else {
			g.Counts.Unchanged++
		}
		return false, err
	}
	return g.set(r, l, row, now), nil
}

// madeElsewhere tells whether Rensa never had the say over an order: it has no
// hash of method and address then.
func madeElsewhere(o *removal.Order) bool {
	return o.HeaderHash == 0 && (o.Source == removal.SourceExternal || o.Source == removal.SourceRequired)
}

// set gives a line its quantities.
func (g *detailGroup) set(r *ledger.Record, l *removal.Line, row *removal.OrderDetailLine, now removal.Units) bool {
	u, c := l.Units(row.Condition), row.Condition
	changed := *u != now
	if elsewhere := now.Requested - u.Requested; elsewhere != 0 {
		if c == removal.Sellable {
			l.AskedSellable = now.Requested
		} else {
			l.AskedUnsellable = now.Requested
		}
		at := row.RequestDate
		if at.IsZero() {
			at = row.LastUpdated
		}
		g.move(ledger.MovementOpened, at, r, l, c, elsewhere, row.Row)
	}
	g.move(ledger.MovementOpened, row.LastUpdated, r, l, c, u.Cancelled-now.Cancelled, row.Row)
	*u = now
	if g.redate(r, l, c, g.parcels[lineKey{l.SKU, c}], micros(row.LastUpdated), row.Row) {
		changed = true
	}
	progress := g.progress(r, l.SKU, c)
	if at := micros(row.LastUpdated); !progress.Updated.Equal(at) {
		progress.Updated = at
		g.touch(r)
	}
	if !changed {
		g.Counts.Unchanged++
		return false
	}
	g.touch(r)
	g.Counts.Applied++
	return true
}

// refuse keeps a row in the history that cannot be applied.
func (g *detailGroup) refuse(row *removal.OrderDetailLine) error {
	g.Problems = append(g.Problems, removal.Problem{
		Place: removal.Place{Row: row.Row, Line: row.Line}, Code: removal.StatusUnbalanced, Field: removal.FieldNone,
		Args: removal.Args{}.Arg("order", g.id), OrderID: g.id, SKU: row.SKU,
	})
	g.Counts.Kept++
	_, err := g.keep(g.id, "status_unbalanced", detailText(row))
	return err
}

// keepAll keeps the rows of an order that is not known and cannot be made.
func (g *detailGroup) keepAll() error {
	for _, row := range g.rows {
		if err := g.refuse(row); err != nil {
			return err
		}
	}
	return nil
}

func detailText(row *removal.OrderDetailLine) string {
	return fmt.Sprintf("%s %s %s: requested %d, cancelled %d, disposed %d, shipped %d, in process %d",
		row.LastUpdated.UTC().Format(time.DateOnly), row.SKU, row.Condition, row.Requested, row.Cancelled, row.Disposed, row.Shipped, row.InProcess)
}

// external makes an order that was made elsewhere; its lines follow. nil where no
// row can be used.
func (g *detailGroup) external() *ledger.Record {
	i := slices.IndexFunc(g.rows, func(l *removal.OrderDetailLine) bool { return l.Balanced() })
	if i < 0 {
		return nil
	}
	first := g.rows[i]
	r := &ledger.Record{Order: removal.Order{
		Merchant: g.m.ID, ID: g.id, Family: g.id, State: removal.StatePending, Method: removal.ParseOrderType(first.Type),
		Source: removal.ParseOrderSource(first.Source), Run: g.run, Row: first.Row, Created: micros(first.RequestDate),
		Currency: first.Currency,
	}}
	if first.RequestDate.IsZero() {
		r.Created = micros(first.LastUpdated)
	}
	if r.Currency == "" {
		r.Currency = g.currency
	}
	if t := first.Type; removal.ParseOrderType(t) == removal.Disposal {
		r.Notes = t
	}
	seen := map[string]bool{}
	for _, l := range g.rows {
		if !l.Balanced() {
			continue
		}
		if !seen[l.SKU] {
			seen[l.SKU] = true
			r.Lines = append(r.Lines, removal.Line{SKU: l.SKU, FNSKU: l.FNSKU})
		}
	}
	for k := range r.Lines {
		g.charge(r, &r.Lines[k])
	}
	g.records[g.id] = r
	g.Problems = append(g.Problems, removal.Problem{
		Place: removal.Place{Row: first.Row, Line: first.Line}, Code: removal.StatusExternalOrder, Field: removal.FieldNone,
		Args: removal.Args{}.Arg("order", g.id), OrderID: g.id, SKU: first.SKU,
	})
	return r
}

// charge gives a new line of an order that was made elsewhere the fees of its rows.
func (g *detailGroup) charge(r *ledger.Record, line *removal.Line) {
	if g.fees == nil {
		g.fees = map[string]removal.Amount{}
		for _, row := range g.rows {
			if row.HasFee && row.Balanced() {
				g.fees[row.SKU] += row.Fee
			}
		}
	}
	line.Fee, line.HasFee = g.fees[line.SKU]
	if r.Fee += line.Fee; !line.HasFee {
		r.NoFee++
		r.NoFeeReason = "rate_unknown"
	}
}
