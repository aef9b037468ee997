package process

import (
	"context"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/validate"
)

// Stock gives the merchant's current snapshot, open until the processor is closed
// or another one is used, with what removals took that it does not show. Where
// there is none the error is a *removal.FileError of snapshot_missing.
func (p *Processor) Stock(ctx context.Context, merchant string) (*ledger.Snapshot, *inventory.Snapshot, *validate.Stock, error) {
	j, err := p.newJob(ctx, Request{Merchant: merchant})
	if err != nil {
		return nil, nil, nil, err
	}
	row, snapshot, err := p.currentSnapshot(ctx, j)
	if err != nil {
		return nil, nil, nil, err
	}
	stock, err := p.stock(ctx, j, snapshot)
	return row, snapshot, stock, err
}

// stock is what the snapshot shows less what removals took that it does not show.
func (p *Processor) stock(ctx context.Context, j *job, snapshot *inventory.Snapshot) (*validate.Stock, error) {
	store, err := p.Policy.Store(j.merchant.Profile.HomeStore, j.today(), j.merchant.Profile.Policy)
	if err != nil {
		return nil, err
	}
	return desk.Stock(ctx, p.Ledger, j.Merchant, snapshot, store)
}
