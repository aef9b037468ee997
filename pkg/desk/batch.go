package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// Batch is items that can be one order.
type Batch struct {
	Method  removal.Method
	Address removal.Address
	Items   []Item
}

// Batches shares a list out to as few orders as can be: one of the profile's
// method; goods that may not be returned go into disposals; none has more SKUs than
// the policy lets one file have.
func Batches(m *removal.Merchant, store policy.Store, s *inventory.Snapshot, items []Item) []Batch {
	var all []Batch
	open := [removal.Disposal + 1]int{} // number of the batch that takes more, + 1
	for _, it := range items {
		method := m.Profile.DefaultMethod
		if method == removal.Return && !returnable(store, s, it.SKU) {
			method = removal.Disposal
		}
		if n := open[method]; n == 0 || len(all[n-1].Items) >= store.MaxSKUsPerFile {
			b := Batch{Method: method}
			if method == removal.Return {
				b.Address = m.Profile.ReturnAddress
			}
			all = append(all, b)
			open[method] = len(all)
		}
		b := &all[open[method]-1]
		b.Items = append(b.Items, it)
	}
	return all
}

// returnable tells whether goods may be returned at all, as the rules have it.
func returnable(store policy.Store, s *inventory.Snapshot, sku string) bool {
	i := s.Lookup([]byte(sku))
	if i < 0 {
		return true
	}
	p := s.PoolOf(i)
	if !store.HazmatReturnable(s.Product(p).HazmatClass) {
		return false
	}
	return store.RecalledReturnable || s.RecalledOf(p, removal.Sellable)+s.RecalledOf(p, removal.Unsellable) == 0
}

// Order makes of a batch what an upload file is written from. The id is made of
// what it holds and the day: the same list on the same day has the same.
func (b *Batch) Order(merchant string, day time.Time) removal.Order {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00", b.Method)
	o := removal.Order{Method: b.Method, Address: b.Address}
	for _, it := range b.Items {
		fmt.Fprintf(sum, "%s\x00%d\x00%d\x00", it.SKU, it.Sellable, it.Unsellable)
		line := removal.Line{SKU: it.SKU}
		line.Sellable.Requested, line.Unsellable.Requested = it.Sellable, it.Unsellable
		o.Lines = append(o.Lines, line)
	}
	o.ID = validate.GeneratedID(day.Format("060102"), merchant, hex.EncodeToString(sum.Sum(nil)), 1, 0)
	return o
}

// CreateAll makes a draft of each batch, or none.
func (d *Desk) CreateAll(ctx context.Context, merchant, actor string, batches []Batch) (made []Draft, err error) {
	for _, b := range batches {
		draft, err := d.Create(ctx, Draft{Merchant: merchant, Actor: actor, Method: b.Method, Address: b.Address, Items: b.Items})
		if err != nil {
			for i := range made {
				err = errors.Join(err, d.Discard(ctx, merchant, made[i].ID, actor))
			}
			return nil, err
		}
		made = append(made, draft)
	}
	return made, nil
}
