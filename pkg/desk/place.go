package desk

import (
	"context"
	"fmt"
	"strings"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// NotPlaced is the answer to the placing of a draft that cannot be placed as it is:
// its review says why. Nothing was changed.
type NotPlaced struct{ Review *Review }

func (e *NotPlaced) Error() string {
	var codes []string
	for _, p := range e.Review.Problems {
		if p.Code.IsError() {
			codes = append(codes, p.Code.String())
		}
	}
	return fmt.Sprintf("draft %s cannot be placed: %s", e.Review.ID, strings.Join(codes, ", "))
}

// Place turns a draft into an order in planning: stock is looked at again and
// reserved, the fees are accepted, the address is fixed. What comes of it is
// handed on by ReleaseDue. Of several placings of the last units one wins, and the
// others get *NotPlaced. A large order becomes several. ledger.ErrNotFound,
// ErrNoSnapshot.
func (d *Desk) Place(ctx context.Context, merchant, id, actor string) (placed []removal.Order, err error) {
	err = d.decide(ctx, merchant, func(m *removal.Merchant) error {
		draft, err := d.Draft(ctx, merchant, id)
		if err != nil {
			return err
		}
		v, err := d.verdict(ctx, m, draft)
		if err != nil {
			return err
		}
		if !v.Placeable {
			return &NotPlaced{&v.Review}
		}
		c := &ledger.Change{
			Movements: v.movements,
			Dropped:   []ledger.Draft{{Merchant: merchant, ID: id, Version: draft.version}},
		}
		for i := range v.orders {
			c.New = append(c.New, ledger.Record{Order: v.orders[i]})
			c.Events = append(c.Events, ledger.Event{
				Actor: actor, Subject: ledger.SubjectOrder, ID: v.orders[i].ID, What: "placed",
				From: string(removal.StateDraft), To: string(removal.StatePlanning), Why: accepted(&v.orders[i], id),
			})
		}
		placed = v.orders
		return d.change(ctx, m, c)
	})
	if err != nil {
		return nil, err
	}
	return placed, nil
}

// accepted says for the history what the person agreed to.
func accepted(o *removal.Order, draft string) string {
	why := fmt.Sprintf("fee %s %s", o.Fee, o.Currency)
	if o.NoFee == len(o.Lines) {
		why = "fee without a figure"
	} else if o.NoFee > 0 {
		why += fmt.Sprintf(", %d without a figure", o.NoFee)
	}
	if o.ID != draft {
		why += ", part of " + draft
	}
	return why
}
