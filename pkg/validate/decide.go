package validate

import (
	"errors"
	"hash/maphash"
	"strings"

	"rensa/pkg/removal"
)

// Decider decides the rows of one file, in their order. It is used by one
// goroutine.
type Decider struct {
	r     *Rules
	stock *Stock
	past  Past
	emit  func(*removal.Outcome) error

	orders   orders
	families map[string]*Family // of the ids of the block in hand
	matched  map[*Family]bool
	bySKU    map[uint64]map[string][]*Family // by header, families of orders without an id
	seed     maphash.Seed

	// held rows wait: for the end of an order that may be an earlier one again,
	// or, where acceptance is not by row, for the end of the file.
	held    []record
	waiting *order
	hold    bool
	rec     record // of the row at hand

	unknown map[unknownSKU]int32 // at which row an order first has an SKU that is not in stock

	Counts   Counts
	Problems []removal.Problem // of the file
}

// Counts says how many rows were read and what became of them, and of the orders.
type Counts struct {
	Read, Accepted, Rejected, Seen         int64
	OrdersAccepted, OrdersRefused          int64
	Sellable, Unsellable                   int64 // units accepted
	SellableRequested, UnsellableRequested int64
}

type unknownSKU struct {
	order int32
	hash  uint64
}

type record struct {
	removal.Outcome
	pool  int32    // of Item >= 0
	has   [2]int64 // the pool's units in the snapshot, by condition
	facts bool     // more is known of the pool
	sku   string   // only where the order has a past or may have one
}

// ErrSameHash tells that two order ids of the file were taken for one: they are told
// apart by a hash with a seed of its own for each attempt, so decide again.
var ErrSameHash = errors.New("two order ids have one hash")

// NewDecider decides for rules over stock. emit gets every outcome, in the order
// of the rows; it must not keep the pointer. shelf is for the orders of large files;
// nil keeps all in memory.
func NewDecider(r *Rules, stock *Stock, past Past, shelf Shelf, emit func(*removal.Outcome) error) *Decider {
	p := r.Merchant.Profile
	return &Decider{
		r: r, stock: stock, past: past, emit: emit, orders: newOrders(shelf),
		matched: map[*Family]bool{}, seed: maphash.MakeSeed(), unknown: map[unknownSKU]int32{},
		hold: p.Acceptance == removal.AcceptOrder || p.Acceptance == removal.AcceptFile || !p.Split,
	}
}

// Decide takes the next block of rows with what Check found about each and the
// orders that they belong to.
func (d *Decider) Decide(rows []removal.Row, checked []Checked, groups []removal.Group) error {
	if err := d.lookUp(rows, groups); err != nil {
		return err
	}
	d.stock.fetch(checked)
	for i := range rows {
		if d.waiting != nil && groups[i].Order != d.waiting.n {
			if err := d.release(); err != nil {
				return err
			}
		}
		if err := d.add(&rows[i], &checked[i], groups[i]); err != nil {
			return err
		}
	}
	return d.stock.takings.err
}

// lookUp asks once for all ids that are new in the block.
func (d *Decider) lookUp(rows []removal.Row, groups []removal.Group) error {
	var ids []string
	for i := range rows {
		if id := rows[i].Value(removal.FieldOrderID); groups[i].First && len(id) > 0 {
			ids = append(ids, string(id))
		}
	}
	d.families = nil
	if len(ids) == 0 {
		return nil
	}
	var err error
	d.families, err = d.past.Families(ids)
	return err
}

func (d *Decider) add(row *removal.Row, c *Checked, g removal.Group) error {
	rec := &d.rec
	*rec = record{Outcome: removal.Outcome{
		Row: row.Number, Line: row.Line, Order: g.Order, Item: c.Item,
		Sellable: c.Sellable, Unsellable: c.Unsellable, Problems: c.Problems,
	}, pool: c.pool, has: c.has, facts: c.facts}
	for i := range rec.Problems {
		rec.Problems[i].Row, rec.Problems[i].Line = row.Number, row.Line
	}
	o, err := d.orderOf(row, c, g, rec)
	if err != nil {
		return err
	}
	if g.Back && o.Given != string(row.Value(removal.FieldOrderID)) {
		return ErrSameHash
	}
	if g.Back && !o.scattered {
		o.scattered = true
		o.problem(removal.OrderScattered, removal.FieldNone,
			removal.Args{}.Arg("row", row.Number).Arg("order", o.Given))
	}
	if !g.First && c.Header != nil {
		d.conflicts(o, row, c.Header, rec)
	}
	d.duplicate(o, row, rec)
	o.Rows++
	d.Counts.Read++
	d.Counts.SellableRequested += c.Sellable
	d.Counts.UnsellableRequested += c.Unsellable
	o.asked += c.Sellable + c.Unsellable
	if o.past != nil || d.waiting == o {
		rec.sku = string(row.Value(removal.FieldSKU))
	}
	if d.hold || d.waiting == o {
		d.held = append(d.held, *rec)
		return nil
	}
	d.settle(o, rec)
	return d.send(o, rec)
}

func (d *Decider) orderOf(row *removal.Row, c *Checked, g removal.Group, rec *record) (*order, error) {
	if !g.First {
		return d.orders.at(g.Order)
	}
	o, err := d.orders.begin()
	if err != nil {
		return nil, err
	}
	return o, d.begin(o, row, c, rec)
}

// begin fills a new order from its first row.
func (d *Decider) begin(o *order, row *removal.Row, c *Checked, rec *record) error {
	o.header = c.Header
	o.Given, o.Row, o.line = string(row.Value(removal.FieldOrderID)), row.Number, row.Line
	if c.Header == nil {
		o.problem(removal.OrderHeaderMissing, removal.FieldMethod, nil)
	} else {
		o.Method, o.HeaderHash = c.Header.Method, c.Header.Hash
		for _, p := range c.Header.Problems {
			o.problem(p.Code, p.Field, p.Args)
		}
	}
	if isBroken(o.Given) {
		rec.problem(removal.TextDamaged, removal.FieldOrderID, nil)
	}
	o.adopt(rec)
	if o.Given != "" {
		d.setPast(o, d.families[o.Given])
		return nil
	}
	if hasError(o.OrderOutcome.Problems) {
		return nil
	}
	matches, err := d.past.Matches(o.HeaderHash)
	if err != nil {
		return err
	}
	if len(matches) > 0 {
		d.waiting = o
	}
	return nil
}

func (d *Decider) setPast(o *order, f *Family) {
	if o.past = f; f != nil {
		d.orders.past[o.n] = f
	}
}

// adopt makes the errors in order values of the first row those of the order: no
// unit may go to an address, or under an id, that cannot be used.
func (o *order) adopt(rec *record) {
	var rest []removal.Problem
	for _, p := range rec.Problems {
		if p.Code.IsError() && p.Field.OfOrder() {
			o.problem(p.Code, p.Field, p.Args)
			continue
		}
		rest = append(rest, p)
	}
	rec.Problems = rest
}

func (o *order) problem(code removal.Code, f removal.Field, args removal.Args) {
	if code == removal.OrderHeaderMissing {
		args = removal.Args{}.Arg("order", o.Given)
	}
	o.OrderOutcome.Problems = append(o.OrderOutcome.Problems, removal.Problem{
		Place: removal.Place{Row: o.Row, Line: o.line}, Code: code, Field: f, Args: args, OrderID: o.Given,
	})
}

func (o *order) has(code removal.Code) bool {
	for i := range o.OrderOutcome.Problems {
		if o.OrderOutcome.Problems[i].Code == code {
			return true
		}
	}
	return false
}

func (rec *record) problem(code removal.Code, f removal.Field, args removal.Args) {
	rec.Problems = append(rec.Problems, removal.Problem{
		Place: removal.Place{Row: rec.Row, Line: rec.Line}, Code: code, Field: f, Args: args,
	})
}

// conflicts compares the order values of a later row with the first row's.
func (d *Decider) conflicts(o *order, row *removal.Row, h *Header, rec *record) {
	// Where the first row has no order values at all, that was said once already.
	if o.header == nil || o.header.raw == h.raw {
		return
	}
	first := o.header.raw
	for f := removal.FieldMethod; f <= removal.FieldNotes; f++ {
		var expected string
		expected, first, _ = strings.Cut(first, "\x00")
		v := row.Value(f)
		if len(v) == 0 || f.OfAddress() && isPlaceholder(v) || equalValues(f, v, []byte(expected)) {
			continue
		}
		if f == removal.FieldMethod && o.has(removal.OrderHeaderMissing) {
			continue // said once, on the first row
		}
		args := removal.Args{}.Arg("first_row", o.Row)
		if !f.OfAddress() {
			args = args.Arg("expected", expected)
		}
		rec.problem(removal.OrderConflict, f, args)
	}
}

// isBroken tells whether an id goes over lines or columns, which no file that hands
// orders on can say: it would come out as another.
func isBroken(id string) bool {
	for i := range len(id) {
		if c := id[i]; c == '\t' || c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}

func (d *Decider) duplicate(o *order, row *removal.Row, rec *record) {
	earlier, twice := int32(0), false
	if rec.Item >= 0 {
		earlier, twice = o.skus.add(rec.Item, int32(row.Number), &d.orders.rooms)
	} else if sku := row.Value(removal.FieldSKU); len(sku) > 0 {
		key := unknownSKU{rec.Order, maphash.Bytes(d.seed, sku)}
		if earlier, twice = d.unknown[key]; !twice {
			d.unknown[key] = int32(row.Number)
		}
	}
	if twice {
		rec.problem(removal.RowDuplicate, removal.FieldSKU, removal.Args{}.Arg("row", earlier))
	}
}

func (d *Decider) send(o *order, rec *record) error {
	switch rec.Status {
	case removal.Accepted:
		d.Counts.Accepted++
		d.Counts.Sellable += rec.TakenSellable
		d.Counts.Unsellable += rec.TakenUnsellable
		o.Accepted++
		if o.Fee += rec.Fee; !rec.HasFee {
			o.NoFee++
		}
	case removal.Rejected:
		d.Counts.Rejected++
		o.Refused = true
	case removal.Seen:
		d.Counts.Seen++
		o.seen++
	}
	return d.emit(&rec.Outcome)
}
