package validate

import (
	"cmp"
	"slices"

	"rensa/pkg/removal"
)

// Finish decides what had to wait for the end of the file and gives the orders
// their ids. out gets every order, in the order of their first rows; it must not
// keep the pointer. given tells which ids stand in the file; it may take others for
// them, for which another is found then.
func (d *Decider) Finish(given func(id string) bool, out func(*removal.OrderOutcome) error) error {
	if err := d.release(); err != nil {
		return err
	}
	if err := d.settleHeld(); err != nil {
		return err
	}
	d.held = nil
	names := namer{d: d, given: given, made: map[uint64]bool{}}
	// Room for all at once: a list that grows leaves as much behind.
	recipients := recipients{most: int64(d.r.Store.CustomerUnits), many: make([]uint64, 0, d.orders.n)}
	for from := int32(0); from < d.orders.n; from += namedAtOnce {
		some := make([]*order, 0, namedAtOnce)
		for n := from; n < min(from+namedAtOnce, d.orders.n); n++ {
			o, err := d.orders.take(n)
			if err != nil {
				return err
			}
			some = append(some, o)
		}
		if err := names.name(some); err != nil {
			return err
		}
		for _, o := range some {
			recipients.add(o)
			if err := d.finish(o, out); err != nil {
				return err
			}
		}
	}
	d.suspectCustomers(&recipients)
	return d.stock.takings.err
}

// finish counts an order and gives it out.
func (d *Decider) finish(o *order, out func(*removal.OrderOutcome) error) error {
	// An order is refused where something was wrong and nothing of it stands.
	o.Refused = o.Refused && o.Accepted == 0 && o.seen == 0
	switch {
	case o.Accepted > 0:
		d.Counts.OrdersAccepted++
	case o.Refused:
		d.Counts.OrdersRefused++
	}
	err := out(&o.OrderOutcome)
	d.orders.free(o)
	return err
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
	for begin > 0 && d.held[begin-1].Order == o.n {
		begin--
	}
	best := d.mostEqual(matches, d.held[begin:])
	if best != nil {
		d.matched[best] = true
		d.setPast(o, best)
		o.Matched = true
		o.problem(removal.OrderMatched, removal.FieldOrderID,
			append(removal.Args{}.Arg("order", best.ID), d.pastArgs(best, best.asked)...))
	}
	if d.hold {
		return nil
	}
	held := d.held
	d.held = nil
	for i := range held {
		d.settle(o, &held[i])
		if err := d.send(o, &held[i]); err != nil {
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
	if len(d.held) == 0 {
		return nil
	}
	if !d.r.Merchant.Profile.Split {
		if err := d.refuseLarge(); err != nil {
			return err
		}
	}
	acceptance := d.r.Merchant.Profile.Acceptance
	settle := func() error {
		return d.eachHeld(func(o *order, rec *record) error {
			d.settle(o, rec)
			return nil
		})
	}
	if acceptance == removal.AcceptOrder {
		settle = d.settleOrders
	}
	if err := settle(); err != nil {
		return err
	}
	if acceptance == removal.AcceptFile {
		if err := d.refuseAll(); err != nil {
			return err
		}
	}
	return d.eachHeld(d.send)
}

// eachHeld visits the rows that are held, with their orders, until one fails.
func (d *Decider) eachHeld(visit func(*order, *record) error) error {
	for i := range d.held {
		o, err := d.orders.at(d.held[i].Order)
		if err != nil {
			return err
		}
		if err := visit(o, &d.held[i]); err != nil {
			return err
		}
	}
	return nil
}

// refuseLarge refuses the orders that pass the outgoing limit by themselves, as
// far as they are new.
func (d *Decider) refuseLarge() error {
	good := make([]int, d.orders.n)
	for i := range d.held {
		rec := &d.held[i]
		if past := d.orders.past[rec.Order]; past != nil {
			if _, again, _ := past.find(rec.sku, rec.Sellable, rec.Unsellable); again {
				continue
			}
		}
		if !hasError(rec.Problems) {
			good[rec.Order]++
		}
	}
	for n, skus := range good {
		if skus <= d.r.Store.MaxSKUsPerFile {
			continue
		}
		o, err := d.orders.at(int32(n))
		if err != nil {
			return err
		}
		o.problem(removal.OrderTooManySKUs, removal.FieldNone,
			removal.Args{}.Arg("skus", skus).Arg("max", d.r.Store.MaxSKUsPerFile))
	}
	return nil
}

// settleOrders decides whole orders in the order of their first rows. One with a
// bad row gives all its units back before the next is decided.
func (d *Decider) settleOrders() error {
	rows := make([][]int, d.orders.n)
	for i := range d.held {
		rows[d.held[i].Order] = append(rows[d.held[i].Order], i)
	}
	for n := range rows {
		o, err := d.orders.at(int32(n))
		if err != nil {
			return err
		}
		bad := false
		for _, i := range rows[n] {
			d.settle(o, &d.held[i])
			bad = bad || d.held[i].Status == removal.Rejected
		}
		if bad {
			for _, i := range slices.Backward(rows[n]) {
				d.refuse(o, &d.held[i], removal.OrderRefused)
			}
		}
	}
	return nil
}

// refuseAll refuses the good rows of a file that has a bad one.
func (d *Decider) refuseAll() error {
	if !slices.ContainsFunc(d.held, func(r record) bool { return r.Status == removal.Rejected }) {
		return nil
	}
	for i := range slices.Backward(d.held) {
		o, err := d.orders.at(d.held[i].Order)
		if err != nil {
			return err
		}
		d.refuse(o, &d.held[i], removal.FileRefused)
	}
	return nil
}

// refuse takes an acceptance back. Rows must be refused last first, so that each
// gives back the last taking of its pool.
func (d *Decider) refuse(o *order, rec *record, code removal.Code) {
	if rec.Status != removal.Accepted {
		return
	}
	d.stock.giveBack(rec.pool)
	o.accepted--
	rec.Status, rec.Part = removal.Rejected, 0
	rec.TakenSellable, rec.TakenUnsellable, rec.Fee, rec.HasFee = 0, 0, 0, false
	rec.problem(code, removal.FieldNone, nil)
}

// recipients are the addresses of a file's returns: with the units asked for where
// these are few, since there are as many as orders.
type recipients struct {
	most int64 // few units
	few  []recipient
	many []uint64 // hashes of addresses to which an order has more
}

type recipient struct {
	address uint64 // its hash
	units   int64
}

func (r *recipients) add(o *order) {
	switch {
	case o.Method != removal.Return:
	case o.asked <= r.most:
		r.few = append(r.few, recipient{o.HeaderHash, o.asked})
	default:
		r.many = append(r.many, o.HeaderHash)
	}
}

// withFew counts the addresses that get some units in all, but few.
func (r *recipients) withFew() (n int) {
	slices.Sort(r.many)
	slices.SortFunc(r.few, func(a, b recipient) int { return cmp.Compare(a.address, b.address) })
	for from, to := 0, 0; from < len(r.few); from = to {
		units := int64(0)
		for to = from; to < len(r.few) && r.few[to].address == r.few[from].address; to++ {
			units += r.few[to].units
		}
		if _, more := slices.BinarySearch(r.many, r.few[from].address); units > 0 && units <= r.most && !more {
			n++
		}
	}
	return n
}

// suspectCustomers warns where returns go to many recipients with few units each.
func (d *Decider) suspectCustomers(all *recipients) {
	n := all.withFew()
	if n >= d.r.Store.CustomerRecipients {
		d.Problems = append(d.Problems, removal.Problem{
			Code: removal.CustomerFulfilmentSuspected, Field: removal.FieldNone,
			Args: removal.Args{}.Arg("recipients", n).Arg("units", d.r.Store.CustomerUnits),
		})
	}
}
