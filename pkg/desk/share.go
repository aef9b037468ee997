package desk

import "context"

// Share is Batches on the merchant's current stock, by the policy in force now.
// ErrNoSnapshot.
func (d *Desk) Share(ctx context.Context, merchant string, items []Item) ([]Batch, error) {
	m, err := d.opt.Ledger.Merchant(ctx, merchant)
	if err != nil {
		return nil, err
	}
	s, err := d.snapshot(ctx, merchant)
	if err != nil {
		return nil, err
	}
	store, err := d.store(&m)
	if err != nil {
		return nil, err
	}
	return Batches(&m, store, s, items), nil
}
