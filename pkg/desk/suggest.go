package desk

import (
	"context"

	"rensa/pkg/inventory"
)

// Suggest tells why the stock has not a SKU, and what was probably meant.
// ErrNoSnapshot.
func (d *Desk) Suggest(ctx context.Context, merchant, sku string) (inventory.Suggestion, error) {
	s, err := d.snapshot(ctx, merchant)
	if err != nil {
		return inventory.Suggestion{}, err
	}
	return s.Suggest([]byte(sku), false), s.Err()
}
