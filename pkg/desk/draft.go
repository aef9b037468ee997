package desk

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// Draft is an order that a person is making. It reserves nothing.
type Draft struct {
	Merchant, ID     string
	Created, Updated time.Time
	Actor            string // who changed it last
	Method           removal.Method
	Address          removal.Address
	Notes            string
	Items            []Item

	key     string // what a generated id is made from
	version int64
}

// MaxQuantity is the most units of a condition that an item may ask for.
const MaxQuantity = validate.MaxQuantity

// Item is one SKU of a draft with what is asked of it.
type Item struct {
	SKU        string `json:"sku"`
	Sellable   int64  `json:"sellable"`
	Unsellable int64  `json:"unsellable"`
}

// draftBody is what the ledger keeps of a draft.
type draftBody struct {
	Key     string          `json:"key"`
	Method  string          `json:"method"`
	Address removal.Address `json:"address"`
	Notes   string          `json:"notes,omitempty"`
	Items   []Item          `json:"items"`
}

func (d *Draft) row() (ledger.Draft, error) {
	body, err := json.Marshal(draftBody{d.key, d.Method.String(), d.Address, d.Notes, d.Items})
	return ledger.Draft{
		Merchant: d.Merchant, ID: d.ID, Version: d.version, Created: d.Created, Actor: d.Actor, Body: body,
	}, err
}

func draftOf(r ledger.Draft) (Draft, error) {
	var b draftBody
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return Draft{}, fmt.Errorf("draft %s: %w", r.ID, err)
	}
	return Draft{
		Merchant: r.Merchant, ID: r.ID, Created: r.Created, Updated: r.Updated, Actor: r.Actor,
		Method: removal.ParseMethod(b.Method), Address: b.Address, Notes: b.Notes, Items: b.Items,
		key: b.Key, version: r.Version,
	}, nil
}

// Units are what the draft asks for, by condition.
func (d *Draft) Units() (sellable, unsellable int64) {
	for _, it := range d.Items {
		sellable += it.Sellable
		unsellable += it.Unsellable
	}
	return sellable, unsellable
}

// Draft gives one draft. ledger.ErrNotFound.
func (d *Desk) Draft(ctx context.Context, merchant, id string) (Draft, error) {
	r, err := d.opt.Ledger.Draft(ctx, merchant, id)
	if err != nil {
		return Draft{}, err
	}
	return draftOf(r)
}

// Drafts gives all drafts of a merchant, the newest first.
func (d *Desk) Drafts(ctx context.Context, merchant string) ([]Draft, error) {
	rows, err := d.opt.Ledger.Drafts(ctx, merchant)
	if err != nil {
		return nil, err
	}
	all := make([]Draft, len(rows))
	for i, r := range rows {
		if all[i], err = draftOf(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Create begins a draft: without a method it gets the profile's, without an
// address a return gets the profile's, without an id one is generated. What is
// wrong with items and address stands in its review. ledger.ErrExists: the id has a
// draft or an order. ErrValue.
func (d *Desk) Create(ctx context.Context, draft Draft) (Draft, error) {
	m, err := d.opt.Ledger.Merchant(ctx, draft.Merchant)
	if err != nil {
		return Draft{}, err
	}
	if draft.Method == removal.MethodNone {
		draft.Method = m.Profile.DefaultMethod
	}
	if draft.Method == removal.Return && draft.Address.IsZero() {
		draft.Address = m.Profile.ReturnAddress
	}
	draft.key, draft.version, draft.Created = rand.Text(), 0, d.now()
	items := draft.Items
	draft.Items = nil
	if err := draft.Add(items...); err != nil {
		return Draft{}, err
	}
	if draft.ID != "" {
		return d.create(ctx, draft, "")
	}
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return Draft{}, err
	}
	for n := 0; ; n++ {
		draft.ID = validate.GeneratedID(draft.Created.In(zone).Format("060102"), m.ID, draft.key, 1, n)
		made, err := d.create(ctx, draft, "")
		if !errors.Is(err, ledger.ErrExists) {
			return made, err
		}
	}
}

func (d *Desk) create(ctx context.Context, draft Draft, why string) (Draft, error) {
	if err := d.unused(ctx, draft.Merchant, draft.ID); err != nil {
		return Draft{}, err
	}
	row, err := draft.row()
	if err != nil {
		return Draft{}, err
	}
	err = d.opt.Ledger.AddDraft(ctx, row, ledger.Event{
		Actor: draft.Actor, Subject: ledger.SubjectOrder, ID: draft.ID, What: "created", To: string(removal.StateDraft), Why: why,
	})
	if err != nil {
		return Draft{}, err
	}
	return d.Draft(ctx, draft.Merchant, draft.ID)
}

// unused answers ledger.ErrExists for an id that an order has, ErrValue for none.
func (d *Desk) unused(ctx context.Context, merchant, id string) error {
	if id == "" || utf8.RuneCountInString(id) > validate.MaxOrderID || strings.TrimSpace(id) != id ||
		strings.ContainsAny(id, "\t\r\n") || !utf8.ValidString(id) {
		return fmt.Errorf("order id %.60q: %w", id, ErrValue)
	}
	used, err := d.opt.Ledger.UsedIDs(ctx, merchant, []string{id})
	if err == nil && len(used) > 0 {
		err = fmt.Errorf("order %s: %w", id, ledger.ErrExists)
	}
	return err
}

// Edit changes a draft by what fn does to it; fn may be called again where the
// draft changed meanwhile. what says it in the history.
func (d *Desk) Edit(ctx context.Context, merchant, id, actor, what string, fn func(*Draft) error) (Draft, error) {
	for range maxAttempts {
		row, err := d.opt.Ledger.Draft(ctx, merchant, id)
		if err != nil {
			return Draft{}, err
		}
		draft, err := draftOf(row)
		if err != nil {
			return Draft{}, err
		}
		if err := fn(&draft); err != nil {
			return Draft{}, err
		}
		if draft.ID != id {
			if err := d.unused(ctx, merchant, draft.ID); err != nil {
				return Draft{}, err
			}
		}
		draft.Actor = actor
		after, err := draft.row()
		if err != nil {
			return Draft{}, err
		}
		e := ledger.Event{Actor: actor, Subject: ledger.SubjectOrder, ID: draft.ID, What: "edited", Why: what}
		if draft.ID != id {
			e.From, e.To = id, draft.ID
		}
		if err = d.opt.Ledger.SetDraft(ctx, row, after, e); errors.Is(err, ledger.ErrConflict) {
			continue
		}
		if err != nil {
			return Draft{}, err
		}
		return d.Draft(ctx, merchant, draft.ID)
	}
	return Draft{}, fmt.Errorf("draft %s: %w", id, ledger.ErrConflict)
}

// AddItems adds to a draft; what is asked of a SKU that it has already is added up.
func (d *Desk) AddItems(ctx context.Context, merchant, id, actor string, items ...Item) (Draft, error) {
	return d.Edit(ctx, merchant, id, actor, "added "+skusOf(items), func(draft *Draft) error { return draft.Add(items...) })
}

// ChangeItem sets what is asked of a SKU. ErrNoItem.
func (d *Desk) ChangeItem(ctx context.Context, merchant, id, actor string, item Item) (Draft, error) {
	return d.Edit(ctx, merchant, id, actor, "changed "+item.SKU, func(draft *Draft) error { return draft.Change(item) })
}

// RemoveItem takes a SKU off a draft. ErrNoItem.
func (d *Desk) RemoveItem(ctx context.Context, merchant, id, actor, sku string) (Draft, error) {
	return d.Edit(ctx, merchant, id, actor, "removed "+sku, func(draft *Draft) error { return draft.Remove(sku) })
}

// SetMethod changes the method. A return that has no address gets the profile's.
func (d *Desk) SetMethod(ctx context.Context, merchant, id, actor string, method removal.Method) (Draft, error) {
	m, err := d.opt.Ledger.Merchant(ctx, merchant)
	if err != nil {
		return Draft{}, err
	}
	return d.Edit(ctx, merchant, id, actor, "method "+method.String(), func(draft *Draft) error {
		draft.Method = method
		if method == removal.Return && draft.Address.IsZero() {
			draft.Address = m.Profile.ReturnAddress
		}
		return nil
	})
}

// SetAddress changes the address.
func (d *Desk) SetAddress(ctx context.Context, merchant, id, actor string, address removal.Address) (Draft, error) {
	return d.Edit(ctx, merchant, id, actor, "address", func(draft *Draft) error {
		draft.Address = address
		return nil
	})
}

// SetID changes the id. ledger.ErrExists: it has a draft or an order.
func (d *Desk) SetID(ctx context.Context, merchant, id, actor, newID string) (Draft, error) {
	return d.Edit(ctx, merchant, id, actor, "id", func(draft *Draft) error {
		draft.ID = newID
		return nil
	})
}

// Discard throws a draft away. ledger.ErrNotFound.
func (d *Desk) Discard(ctx context.Context, merchant, id, actor string) error {
	for range maxAttempts {
		row, err := d.opt.Ledger.Draft(ctx, merchant, id)
		if err != nil {
			return err
		}
		err = d.opt.Ledger.DropDraft(ctx, row, ledger.Event{
			Actor: actor, Subject: ledger.SubjectOrder, ID: id, What: "discarded", From: string(removal.StateDraft),
		})
		if !errors.Is(err, ledger.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("draft %s: %w", id, ledger.ErrConflict)
}

func (d *Draft) find(sku string) int {
	return slices.IndexFunc(d.Items, func(it Item) bool { return it.SKU == sku })
}

// Add adds items; what is asked of a SKU that is there already is added up.
func (d *Draft) Add(items ...Item) error {
	for _, it := range items {
		if err := it.check(); err != nil {
			return err
		}
		i := d.find(it.SKU)
		if i < 0 {
			d.Items = append(d.Items, it)
			continue
		}
		d.Items[i].Sellable += it.Sellable
		d.Items[i].Unsellable += it.Unsellable
		if err := d.Items[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// Change sets what is asked of SKUs that are there. ErrNoItem.
func (d *Draft) Change(items ...Item) error {
	for _, it := range items {
		if err := it.check(); err != nil {
			return err
		}
		i := d.find(it.SKU)
		if i < 0 {
			return fmt.Errorf("%s: %w", it.SKU, ErrNoItem)
		}
		d.Items[i] = it
	}
	return nil
}

// Remove takes SKUs off. ErrNoItem.
func (d *Draft) Remove(skus ...string) error {
	for _, sku := range skus {
		i := d.find(sku)
		if i < 0 {
			return fmt.Errorf("%s: %w", sku, ErrNoItem)
		}
		d.Items = slices.Delete(d.Items, i, i+1)
	}
	return nil
}

func (it Item) check() error {
	if it.Sellable < 0 || it.Unsellable < 0 || it.Sellable > MaxQuantity || it.Unsellable > MaxQuantity {
		return fmt.Errorf("%s: quantity %d, %d: %w", it.SKU, it.Sellable, it.Unsellable, ErrValue)
	}
	if it.SKU == "" || strings.ContainsAny(it.SKU, "\t\r\n") || !utf8.ValidString(it.SKU) {
		return fmt.Errorf("SKU %.60q: %w", it.SKU, ErrValue)
	}
	return nil
}

func skusOf(items []Item) string {
	var names []string
	for _, it := range items {
		if names = append(names, it.SKU); len(names) == 5 {
			break
		}
	}
	text := strings.Join(names, ", ")
	if len(items) > len(names) {
		text += fmt.Sprintf(" + %d", len(items)-len(names))
	}
	return text
}
