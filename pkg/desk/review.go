package desk

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// Review is a draft as it would be placed now.
type Review struct {
	Draft
	Items []ReviewItem
	// Fee is the estimate over the items that have a figure; NoFee counts those
	// without one, for the reason NoFeeReason.
	Fee         removal.Amount
	Currency    string
	NoFee       int
	NoFeeReason string
	Window      Window
	// Problems are all that was found, in the order of the items, those of the
	// order and the file first. Row is the item's number from 1, 0 for the order.
	Problems []removal.Problem
	// Placeable says that no problem refuses the order.
	Placeable bool
	// UploadRequired says that only its destination stands in the way: the order
	// can be made by upload file. Upload is that file, UploadName what to call it.
	UploadRequired bool
	Upload         []byte
	UploadName     string
	Snapshot       time.Time // date of the snapshot that the stock is from
}

// ReviewItem is one item with what would be taken.
type ReviewItem struct {
	Item
	FNSKU, Title string
	// TakenSellable and TakenUnsellable are less than asked only where the
	// profile allows it.
	TakenSellable, TakenUnsellable int64
	Fee                            removal.Amount
	HasFee                         bool
	Refused                        bool
}

func (d *Desk) snapshot(ctx context.Context, merchant string) (*inventory.Snapshot, error) {
	s, err := d.opt.Snapshot(ctx, merchant)
	if err == nil && s == nil {
		err = fmt.Errorf("%s: %w", merchant, ErrNoSnapshot)
	}
	return s, err
}

// Review looks at a draft as it would be placed now. ledger.ErrNotFound, ErrNoSnapshot.
func (d *Desk) Review(ctx context.Context, merchant, id string) (*Review, error) {
	m, err := d.opt.Ledger.Merchant(ctx, merchant)
	if err != nil {
		return nil, err
	}
	draft, err := d.Draft(ctx, merchant, id)
	if err != nil {
		return nil, err
	}
	v, err := d.verdict(ctx, &m, draft)
	if err != nil {
		return nil, err
	}
	return &v.Review, nil
}

// verdict is a review with what would be committed.
type verdict struct {
	Review
	orders    []removal.Order
	movements []ledger.Movement
}

// verdict decides about a draft on the merchant's revision.
func (d *Desk) verdict(ctx context.Context, m *removal.Merchant, draft Draft) (*verdict, error) {
	s, err := d.snapshot(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	rules, err := d.rules(ctx, m, s, &draft)
	if err != nil {
		return nil, err
	}
	stock, err := Stock(ctx, d.opt.Ledger, m.ID, s, rules.Store)
	if err != nil {
		return nil, err
	}
	rows := draftRows(&draft)
	checked, groups := make([]validate.Checked, len(rows)), make([]removal.Group, len(rows))
	rules.Check(rows, checked, len(rows))
	var outcomes []removal.Outcome
	decider := validate.NewDecider(rules, stock, past{ctx, d.opt.Ledger, m.ID}, nil, func(o *removal.Outcome) error {
		outcomes = append(outcomes, *o)
		return nil
	})
	for i := range groups {
		groups[i].First = i == 0
	}
	if err := decider.Decide(rows, checked, groups); err != nil {
		return nil, err
	}
	var decided []removal.OrderOutcome
	err = decider.Finish(func(id string) bool { return id == draft.ID }, func(o *removal.OrderOutcome) error {
		decided = append(decided, *o)
		return nil
	})
	if err != nil {
		return nil, err
	}
	v := &verdict{Review: Review{
		Draft: draft, Currency: rules.Store.Currency, Snapshot: s.Date(), Window: expected(rules.Store, rules.Now), Placeable: len(rows) > 0,
	}}
	if stale := rules.Stale(); stale != nil {
		v.Problems = append(v.Problems, *stale)
	}
	if len(rows) == 0 {
		v.Problems = append(v.Problems, removal.Problem{Code: removal.QuantityMissing, Field: removal.FieldNone, OrderID: draft.ID})
	}
	for i := range decided {
		v.take(&draft, s, &decided[i], outcomes)
	}
	if v.UploadRequired {
		err = d.offer(v)
	}
	if v.Placeable {
		v.make(d.now(), s, rules, decided, outcomes)
	}
	return v, err
}

// rules gathers what a draft is held against. Its id must be new: an order that
// was placed is continued by upload file only.
func (d *Desk) rules(ctx context.Context, m *removal.Merchant, s *inventory.Snapshot, draft *Draft) (*validate.Rules, error) {
	store, err := d.store(m)
	if err != nil {
		return nil, err
	}
	centres, err := d.opt.Ledger.Centres(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return nil, err
	}
	r := &validate.Rules{
		Merchant: *m, Policy: d.opt.Policy, Store: store, Snapshot: s, Centres: centres,
		Now: d.opt.Now().In(zone), Source: draft.key, Headings: removal.NumFields, Draft: true,
	}
	r.Merchant.Profile.Acceptance = removal.AcceptRow
	r.Merchant.Profile.Resubmit = removal.ResubmitRefuse
	return r, r.Prepare()
}

// HasFee tells whether any item has a figure.
func (r *Review) HasFee() bool {
	return slices.ContainsFunc(r.Items, func(it ReviewItem) bool { return it.HasFee })
}

// anyProfile leaves out why a used id was refused: a draft's must be new whatever the
// profile says, and changing that would not help.
func anyProfile(args removal.Args) removal.Args {
	return slices.DeleteFunc(slices.Clone(args), func(a removal.Arg) bool { return a.Name == "reason" })
}

// take puts what was decided into the review.
func (v *verdict) take(draft *Draft, s *inventory.Snapshot, o *removal.OrderOutcome, outcomes []removal.Outcome) {
	errors, upload := 0, false
	note := func(p removal.Problem, sku string) {
		if p.Code.IsError() {
			errors++
			upload = upload || p.Code == removal.UploadRequired
		}
		p.OrderID, p.SKU = draft.ID, sku
		v.Problems = append(v.Problems, p)
	}
	for _, p := range o.Problems {
		p.Row, p.Value = 0, draft.value(p.Field)
		note(p, "")
	}
	for i := range outcomes {
		out := &outcomes[i]
		it := ReviewItem{
			Item: draft.Items[i], TakenSellable: out.TakenSellable, TakenUnsellable: out.TakenUnsellable,
			Fee: out.Fee, HasFee: out.HasFee,
		}
		if out.Item >= 0 {
			found := s.Item(out.Item)
			it.FNSKU, it.Title = string(found.FNSKU), found.Title
		}
		for _, p := range out.Problems {
			if p.Value = valueOf(&it.Item, p.Field); p.Field.OfOrder() {
				p.Value = draft.value(p.Field)
			}
			if p.Code == removal.OrderIDUsed {
				p.Args = anyProfile(p.Args)
			}
			it.Refused = it.Refused || p.Code.IsError()
			note(p, it.SKU)
		}
		v.Items = append(v.Items, it)
	}
	v.Fee, v.NoFee, v.NoFeeReason = o.Fee, o.NoFee, o.NoFeeReason
	v.Placeable = v.Placeable && errors == 0
	v.UploadRequired = upload && errors == 1
}

// value is the draft's value of an order's field.
func (d *Draft) value(f removal.Field) string {
	switch f {
	case removal.FieldOrderID:
		return d.ID
	case removal.FieldMethod:
		return d.Method.String()
	case removal.FieldNotes:
		return d.Notes
	}
	if part := d.Address.Part(f); part != nil {
		return *part
	}
	return ""
}

func valueOf(it *Item, f removal.Field) string {
	switch f {
	case removal.FieldSKU:
		return it.SKU
	case removal.FieldSellable:
		return strconv.FormatInt(it.Sellable, 10)
	case removal.FieldUnsellable:
		return strconv.FormatInt(it.Unsellable, 10)
	}
	return ""
}

// offer makes the upload file by which an order across the border can be made.
func (d *Desk) offer(v *verdict) (err error) {
	o := removal.Order{ID: v.ID, Method: v.Method, Address: v.Address, Notes: v.Notes}
	for _, it := range v.Draft.Items {
		o.Lines = append(o.Lines, removal.Line{
			SKU: it.SKU, Sellable: removal.Units{Requested: it.Sellable}, Unsellable: removal.Units{Requested: it.Unsellable},
		})
	}
	v.UploadName = "upload-" + fileName(v.ID) + ".tsv"
	v.Upload, err = d.opt.Write([]removal.Order{o})
	return err
}

// make makes the orders of a draft that can be placed: one, or the parts of a
// large one.
func (v *verdict) make(now time.Time, s *inventory.Snapshot, rules *validate.Rules, decided []removal.OrderOutcome, outcomes []removal.Outcome) {
	o := &decided[0]
	base := removal.Order{
		Merchant: v.Merchant, ID: o.ID, Family: o.Family, State: removal.StatePlanning, Method: o.Method, Source: removal.SourceDraft,
		Created: now, Notes: v.Notes, Currency: v.Currency, HeaderHash: o.HeaderHash,
	}
	if o.Method == removal.Return {
		base.Address = v.Address
		if code, ok := rules.Policy.CountryAlias(base.Address.Country); ok {
			base.Address.Country = code
		}
	}
	v.orders = []removal.Order{base}
	if o.Parts != nil {
		v.orders = make([]removal.Order, len(o.Parts))
		for i, id := range o.Parts {
			v.orders[i] = base
			v.orders[i].ID = id
		}
	}
	for i := range outcomes {
		out := &outcomes[i]
		part := &v.orders[0]
		if o.Parts != nil {
			part = &v.orders[out.Part]
		}
		part.Lines = append(part.Lines, removal.Line{
			SKU: v.Items[i].SKU, FNSKU: v.Items[i].FNSKU, AskedSellable: out.Sellable, AskedUnsellable: out.Unsellable,
			Sellable: removal.Units{Requested: out.TakenSellable}, Unsellable: removal.Units{Requested: out.TakenUnsellable},
			Fee: out.Fee, HasFee: out.HasFee,
		})
		if part.Fee += out.Fee; !out.HasFee {
			part.NoFee++
			part.NoFeeReason = o.NoFeeReason
		}
		v.movements = append(v.movements, ledger.Movement{
			At: now, PoolKey: s.PoolKey(s.PoolOf(out.Item)), Order: part.ID, Row: i + 1,
			Sellable: out.TakenSellable, Unsellable: out.TakenUnsellable,
		})
	}
}

// draftRows writes a draft as the rows of an upload.
func draftRows(d *Draft) []removal.Row {
	rows := make([]removal.Row, len(d.Items))
	for i, it := range d.Items {
		row := &rows[i]
		row.Number = i + 1
		set := func(f removal.Field, v string) {
			row.Spans[f] = removal.Span{Off: uint32(len(row.Data)), Len: uint32(len(v))}
			row.Data = append(row.Data, v...)
			if (i == 0 || !f.OfOrder()) && strings.ContainsFunc(v, unreadable) {
				row.Notes = append(row.Notes, removal.CellNote{Field: f, What: removal.NoteDamaged})
			}
		}
		for f := removal.FieldOrderID; f.OfOrder(); f++ {
			if !f.OfAddress() || d.Method == removal.Return {
				set(f, d.value(f))
			}
		}
		set(removal.FieldSKU, it.SKU)
		set(removal.FieldSellable, strconv.FormatInt(it.Sellable, 10))
		set(removal.FieldUnsellable, strconv.FormatInt(it.Unsellable, 10))
	}
	return rows
}

// unreadable tells whether a character may not stand in a file either: all control
// characters but tabs and line ends, which are written as blanks.
func unreadable(r rune) bool {
	return unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) || r == utf8.RuneError
}

// SpeaksOfFile tells whether the hint of a problem speaks of a file, which a draft
// is not.
func SpeaksOfFile(c removal.Code) bool {
	return c == removal.AddressFieldMissing || c == removal.TextDamaged
}

// past answers validate's questions about a draft, whose id is given and must be new.
type past struct {
	ctx      context.Context
	ledger   *ledger.Ledger
	merchant string
}

// Used implements validate.Past.
func (p past) Used(ids []string) (map[string]bool, error) {
	families, err := p.ledger.UsedIDs(p.ctx, p.merchant, ids)
	used := make(map[string]bool, len(families))
	for id := range families {
		used[id] = true
	}
	return used, err
}

// Families implements validate.Past.
func (p past) Families(ids []string) (map[string]*validate.Family, error) {
	used, err := p.ledger.UsedIDs(p.ctx, p.merchant, ids)
	if err != nil {
		return nil, err
	}
	families := make(map[string]*validate.Family, len(used))
	for id, members := range used {
		orders, err := p.ledger.Orders(p.ctx, p.merchant, members)
		if err != nil {
			return nil, err
		}
		families[id] = validate.NewFamily(id, orders, make([]string, len(orders)))
	}
	return families, nil
}

// Matches implements validate.Past: a draft always has an id.
func (p past) Matches(uint64) ([]*validate.Family, error) { return nil, nil }
