package validate

import (
	"slices"

	"rensa/pkg/removal"
)

// Finish decides what had to wait for the end of the file and gives the orders
// their ids. It returns the orders in the order of their first rows.
func (d *Decider) Finish() ([]removal.OrderOutcome, error) {
	if err := d.release(); err != nil {
		return nil, err
	}
	if err := d.settleHeld(); err != nil {
		return nil, err
	}
	if err := d.name(); err != nil {
		return nil, err
	}
	d.suspectCustomers()
	out := make([]removal.OrderOutcome, len(d.orders))
	for i, o := range d.orders {
		// An order is refused where something was wrong and nothing of it stands.
		o.Refused = o.Refused && o.Accepted == 0 && o.seen == 0
		switch {
		case o.Accepted > 0:
			d.Counts.OrdersAccepted++
		case o.Refused:
			d.Counts.OrdersRefused++
		}
		out[i] = o.OrderOutcome
	}
	return out, nil
}

// release ends the waiting for the rows of an order without an id: now it can be
// told whether it is an earlier one again.
func (d *Decider) release() error {
	o := d.waiting
	if o == nil {
		return nil
	}
	d.waiting = nil
	matches, err := d.past.Matches(o.HeaderHash)
	if err != nil {
		return err
	}
	// Its rows are the last that are held: no row of another order came since.
	begin := len(d.held)
	for begin > 0 && d.orders[d.held[begin-1].Order] == o {
		begin--
	}
	best := d.mostEqual(matches, d.held[begin:])
	if best != nil {
		d.matched[best] = true
		o.past, o.Matched = best, true
		o.problem(removal.OrderMatched, removal.FieldOrderID,
			append(removal.Args{}.Arg("order", best.ID), d.pastArgs(best)...))
	}
	if d.hold {
		return nil
	}
	held := d.held
	d.held = nil
	for i := range held {
		d.settle(&held[i])
		if err := d.send(&held[i]); err != nil {
			return err
		}
	}
	return nil
}

// mostEqual finds the family, not matched yet, that has most lines equal to the
// rows; of several the first. It is nil where none has any.
func (d *Decider) mostEqual(families []*Family, rows []record) *Family {
	bySKU := d.familiesBySKU(families)
	equal := map[*Family]int{}
	for i := range rows {
		for _, f := range bySKU[rows[i].sku] {
			if _, same, _ := f.find(rows[i].sku, rows[i].Sellable, rows[i].Unsellable); same && !d.matched[f] {
				equal[f]++
			}
		}
	}
	var best *Family
	for _, f := range families {
		if equal[f] > equal[best] {
			best = f
		}
	}
	return best
}

// familiesBySKU is an index over the families that Past gave for one header; it is
// made once for each.
func (d *Decider) familiesBySKU(families []*Family) map[string][]*Family {
	if len(families) == 0 {
		return nil
	}
	if index, ok := d.bySKU[families[0].HeaderHash]; ok {
		return index
	}
	index := map[string][]*Family{}
	for _, f := range families {
		for sku := range f.lines {
			index[sku] = append(index[sku], f)
		}
	}
	if d.bySKU == nil {
		d.bySKU = map[uint64]map[string][]*Family{}
	}
	d.bySKU[families[0].HeaderHash] = index
	return index
}

// settleHeld decides the rows of a file whose acceptance is not by row.
func (d *Decider) settleHeld() error {
	if !d.r.Merchant.Profile.Split {
		d.refuseLarge()
	}
	switch d.r.Merchant.Profile.Acceptance {
	case removal.AcceptOrder:
		d.settleOrders()
	case removal.AcceptFile:
		d.settleAll()
		d.refuseAll()
	default:
		d.settleAll()
	}
	for i := range d.held {
		if err := d.send(&d.held[i]); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decider) settleAll() {
	for i := range d.held {
		d.settle(&d.held[i])
	}
}

// refuseLarge refuses the orders that pass the outgoing limit by themselves, as
// far as they are new.
func (d *Decider) refuseLarge() {
	good := make([]int, len(d.orders))
	for i := range d.held {
		rec := &d.held[i]
		if past := d.orders[rec.Order].past; past != nil {
			if _, again, _ := past.find(rec.sku, rec.Sellable, rec.Unsellable); again {
				continue
			}
		}
		if !hasError(rec.Problems) {
			good[rec.Order]++
		}
	}
	for i, o := range d.orders {
		if good[i] > d.r.Store.MaxSKUsPerFile {
			o.problem(removal.OrderTooManySKUs, removal.FieldNone,
				removal.Args{}.Arg("skus", good[i]).Arg("max", d.r.Store.MaxSKUsPerFile))
		}
	}
}

// settleOrders decides whole orders in the order of their first rows. One with a
// bad row gives all its units back before the next is decided.
func (d *Decider) settleOrders() {
	rows := make([][]int, len(d.orders))
	for i := range d.held {
		rows[d.held[i].Order] = append(rows[d.held[i].Order], i)
	}
	for n := range d.orders {
		bad := false
		for _, i := range rows[n] {
			d.settle(&d.held[i])
			bad = bad || d.held[i].Status == removal.Rejected
		}
		if bad {
			for _, i := range slices.Backward(rows[n]) {
				d.refuse(&d.held[i], removal.OrderRefused)
			}
		}
	}
}

// refuseAll refuses the good rows of a file that has a bad one.
func (d *Decider) refuseAll() {
	if !slices.ContainsFunc(d.held, func(r record) bool { return r.Status == removal.Rejected }) {
		return
	}
	for i := range slices.Backward(d.held) {
		d.refuse(&d.held[i], removal.FileRefused)
	}
}

// refuse takes an acceptance back. Rows must be refused last first, so that each
// gives back the last taking of its pool.
func (d *Decider) refuse(rec *record, code removal.Code) {
	if rec.Status != removal.Accepted {
		return
	}
	o := d.orders[rec.Order]
	d.stock.giveBack(rec.pool)
	o.accepted--
	rec.Status, rec.Part = removal.Rejected, 0
	rec.TakenSellable, rec.TakenUnsellable, rec.Fee, rec.HasFee = 0, 0, 0, false
	rec.problem(code, removal.FieldNone, nil)
}

// suspectCustomers warns where returns go to many recipients with few units each.
func (d *Decider) suspectCustomers() {
	units := map[uint64]int64{} // by hash of the address
	for _, o := range d.orders {
		if o.Method == removal.Return {
			units[o.HeaderHash] += o.asked
		}
	}
	recipients := 0
	for _, n := range units {
		if n > 0 && n <= int64(d.r.Store.CustomerUnits) {
			recipients++
		}
	}
	if recipients >= d.r.Store.CustomerRecipients {
		d.Problems = append(d.Problems, removal.Problem{
			Code: removal.CustomerFulfilmentSuspected, Field: removal.FieldNone,
			Args: removal.Args{}.Arg("recipients", recipients).Arg("units", d.r.Store.CustomerUnits),
		})
	}
}
