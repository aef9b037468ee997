package desk

import (
	"context"
	"fmt"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// At gives a desk whose clock stands still at a moment: what scheduled work does
// is done at the time of its run.
func (d *Desk) At(t time.Time) *Desk {
	opt := d.opt
	opt.Now = func() time.Time { return t }
	return New(opt)
}

// Upload writes orders as an upload file.
func (d *Desk) Upload(orders []removal.Order) ([]byte, error) { return d.opt.Write(orders) }

// Required is disposal orders that nobody asked for, decided and not committed.
type Required struct {
	Orders []removal.Order
	// Change holds them with their movements and events.
	Change ledger.Change
	// Refused are items that cannot be ordered, with the reason.
	Refused []ReviewItem
}

// Require decides disposal orders, of source required and so not to be cancelled,
// in planning: each of at most the policy's MSKUs, held against stock and rules as
// any order is, with its fees. Items that the rules refuse are left out and given
// back. key makes the ids: the same key gives the same ids as long as they are
// free. It belongs to the revision of m. ErrNoSnapshot.
func (d *Desk) Require(ctx context.Context, m *removal.Merchant, items []Item, key, why string) (*Required, error) {
	store, err := d.store(m)
	if err != nil {
		return nil, err
	}
	q := &Required{}
	for n := 0; len(items) > 0; n++ {
		share := items[:min(len(items), store.MaxSKUsPerFile)]
		items = items[len(share):]
		if err := d.require(ctx, m, share, n+1, key, why, q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (d *Desk) require(ctx context.Context, m *removal.Merchant, items []Item, ordinal int, key, why string, q *Required) error {
	id, err := d.requiredID(ctx, m, ordinal, key)
	if err != nil {
		return err
	}
	draft := Draft{Merchant: m.ID, ID: id, Method: removal.Disposal, Items: items, key: key, Created: d.now()}
	v, err := d.verdict(ctx, m, draft)
	if err != nil {
		return err
	}
	// What is wrong with the order as a whole is wrong with every item.
	if refused := v.refused(); !v.Placeable && len(refused) == 0 {
		q.Refused = append(q.Refused, v.Items...)
		return nil
	} else if len(refused) > 0 {
		q.Refused = append(q.Refused, refused...)
		if draft.Items = v.good(); len(draft.Items) == 0 {
			return nil
		}
		if v, err = d.verdict(ctx, m, draft); err != nil {
			return err
		}
		if !v.Placeable {
			q.Refused = append(q.Refused, v.Items...)
			return nil
		}
	}
	for i := range v.orders {
		o := v.orders[i]
		o.Source = removal.SourceRequired
		q.Orders = append(q.Orders, o)
		q.Change.New = append(q.Change.New, ledger.Record{Order: o})
		q.Change.Events = append(q.Change.Events, ledger.Event{
			At: d.now(), Actor: "rensa", Subject: ledger.SubjectOrder, ID: o.ID, What: "required",
			To: string(removal.StatePlanning), Why: fmt.Sprintf("%s; %s", why, accepted(&o, o.ID)),
		})
	}
	q.Change.Movements = append(q.Change.Movements, v.movements...)
	return nil
}

// requiredID finds the first id that no order and no draft has.
func (d *Desk) requiredID(ctx context.Context, m *removal.Merchant, ordinal int, key string) (string, error) {
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return "", err
	}
	for n := 0; ; n++ {
		id := validate.GeneratedID(d.now().In(zone).Format("060102"), m.ID, key, ordinal, n)
		used, err := d.opt.Ledger.UsedIDs(ctx, m.ID, []string{id})
		if err != nil {
			return "", err
		}
		if len(used) == 0 {
			return id, nil
		}
	}
}

// refused are the items that a problem of their own refuses.
func (v *verdict) refused() (items []ReviewItem) {
	for _, it := range v.Items {
		if it.Refused {
			items = append(items, it)
		}
	}
	return items
}

// good are the others.
func (v *verdict) good() (items []Item) {
	for _, it := range v.Items {
		if !it.Refused {
			items = append(items, it.Item)
		}
	}
	return items
}
