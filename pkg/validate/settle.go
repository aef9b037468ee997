package validate

import (
	"rensa/pkg/inventory"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
)

// settle decides one row, all before it being settled.
func (d *Decider) settle(o *order, rec *record) {
	refused := hasError(o.OrderOutcome.Problems)
	if o.past != nil && !refused && d.seen(o, rec) {
		rec.Status = removal.Seen
		return
	}
	give := d.compare(o, rec)
	if refused || hasError(rec.Problems) {
		rec.Status = removal.Rejected
		return
	}
	rec.Status = removal.Accepted
	rec.TakenSellable, rec.TakenUnsellable = give[removal.Sellable], give[removal.Unsellable]
	rec.Part = int32(o.accepted / d.r.Store.MaxSKUsPerFile)
	d.stock.take(rec.pool, taking{
		who: int32(rec.Row), sellable: int32(rec.TakenSellable), unsellable: int32(rec.TakenUnsellable),
	})
	o.accepted++
	d.estimate(o, rec)
}

// seen compares a row of a used id with what was accepted under it. It answers
// true where the row is one of those again.
func (d *Decider) seen(o *order, rec *record) bool {
	used := func(reason string, order int, more removal.Args) {
		args := append(removal.Args{}.Arg("reason", reason), d.pastArgs(o.past, order)...)
		rec.problem(removal.OrderIDUsed, removal.FieldOrderID, append(args, more...))
	}
	switch {
	case d.r.Merchant.Profile.Resubmit == removal.ResubmitRefuse:
		used("refused_profile", o.past.asked, nil)
		return false
	case o.past.HeaderHash != o.HeaderHash:
		used("header", o.past.asked, nil)
		return false
	}
	for i := range rec.Problems {
		if f := rec.Problems[i].Field; rec.Problems[i].Code.IsError() &&
			(f == removal.FieldSellable || f == removal.FieldUnsellable || rec.Problems[i].Code == removal.RowDuplicate) {
			return false
		}
	}
	line, equal, known := o.past.find(rec.sku, rec.Sellable, rec.Unsellable)
	if equal {
		rec.warningsOnly()
		rec.problem(removal.RowSeen, removal.FieldNone,
			append(removal.Args{}.Arg("order", o.past.made[line.made].id), d.pastArgs(o.past, line.made)...))
		return true
	}
	if known {
		reason := "quantity"
		if line.cancelled {
			reason = "cancelled"
		}
		used(reason, line.made, removal.Args{}.Arg("was_sellable", line.sellable).Arg("was_unsellable", line.unsellable).
			Arg("asked_sellable", rec.Sellable).Arg("asked_unsellable", rec.Unsellable))
	}
	return false
}

// warningsOnly drops the errors of a row that needs nothing any more: its SKU may
// have left the snapshot since it was accepted.
func (rec *record) warningsOnly() {
	var rest []removal.Problem
	for _, p := range rec.Problems {
		if !p.Code.IsError() {
			rest = append(rest, p)
		}
	}
	rec.Problems = rest
}

// compare holds a row against the stock and answers what it may have of each
// condition.
func (d *Decider) compare(o *order, rec *record) (give [2]int64) {
	if rec.Item < 0 {
		return give
	}
	at := rec.pool
	taken := d.stock.pools[at]
	asked := [2]int64{rec.Sellable, rec.Unsellable}
	// Orders may have taken what the snapshot never had.
	left := [2]int64{max(0, rec.has[0]-int64(taken.sellable)), max(0, rec.has[1]-int64(taken.unsellable))}
	if o.Method == removal.Return && rec.facts {
		d.returnable(rec, at, asked, left)
	}
	give = [2]int64{min(asked[0], left[0]), min(asked[1], left[1])}
	partial := d.r.Merchant.Profile.Partial && give[0]+give[1] > 0
	for c := range asked {
		if asked[c] <= left[c] {
			continue
		}
		d.short(rec, at, removal.Condition(c), asked[c], left[c], partial)
	}
	return give
}

// short says that a pool has less than a row asks for.
func (d *Decider) short(rec *record, at int32, c removal.Condition, asked, left int64, partial bool) {
	has, field := rec.has[c], removal.FieldSellable
	if c == removal.Unsellable {
		field = removal.FieldUnsellable
	}
	args := removal.Args{}.Arg("condition", c).Arg("asked", asked).Arg("snapshot", has).
		Arg("date", d.r.day(d.r.Snapshot.Date()))
	if partial {
		rec.problem(removal.QuantityReduced, field, args.Arg("taken", left).Arg("left", left))
		return
	}
	args = args.Arg("taken", has-left).Arg("left", left)
	if who := d.stock.takers(at, c); who != "" {
		args = args.Arg("takers", who)
	}
	rec.problem(removal.QuantityOverStock, field, args)
}

// returnable checks what may not be sent back: dangerous goods of other classes
// than the policy's, and recalled units where the policy says so.
func (d *Decider) returnable(rec *record, at int32, asked, left [2]int64) {
	if class := d.r.Snapshot.Product(at).HazmatClass; !d.r.Store.HazmatReturnable(class) {
		rec.problem(removal.NotReturnable, removal.FieldSKU,
			removal.Args{}.Arg("reason", "hazmat").Arg("class", class))
		return
	}
	if d.r.Store.RecalledReturnable {
		return
	}
	for c := range asked {
		recalled := d.r.Snapshot.RecalledOf(at, removal.Condition(c))
		if recalled > 0 && asked[c] > 0 && asked[c] > left[c]-recalled {
			rec.problem(removal.NotReturnable, removal.FieldSKU, removal.Args{}.Arg("reason", "recalled"))
			return
		}
	}
}

// estimate sets the fee of an accepted row, or counts why there is none.
func (d *Decider) estimate(o *order, rec *record) {
	var unit unitFee
	switch {
	case rec.facts:
		unit = d.unitFee(o, d.r.Snapshot.Product(rec.pool))
	case !o.unknown.asked:
		o.unknown = d.unitFee(o, inventory.Product{})
		fallthrough
	default:
		unit = o.unknown
	}
	if !unit.known {
		if o.NoFeeReason == "" {
			o.NoFeeReason = unit.reason
		}
		return
	}
	rec.Fee, rec.HasFee = unit.fee*removal.Amount(rec.TakenSellable+rec.TakenUnsellable), true
}

// unitFee is what the removal of one unit costs, or why that is not known.
type unitFee struct {
	asked, known bool
	fee          removal.Amount
	reason       string
}

func (d *Decider) unitFee(o *order, product inventory.Product) (f unitFee) {
	country := ""
	if o.header != nil {
		country = o.header.Country
	}
	f.asked = true
	f.fee, f.known, f.reason = d.r.fees.Fee(o.Method, country, policy.Product{
		WeightG: product.WeightG, HasWeight: product.HasWeight, HasSize: product.HasSize,
		LongestMM: product.LongestMM, MedianMM: product.MedianMM, ShortestMM: product.ShortestMM,
	})
	return f
}
