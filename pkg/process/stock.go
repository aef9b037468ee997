package process

import (
	"context"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
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
	store, err := p.store(j)
	if err != nil {
		return nil, err
	}
	if j.ahead != nil {
		if stock := j.ahead.take(j, snapshot, desk.OpenExcluded(snapshot, store)); stock != nil {
			return stock, nil
		}
	}
	return desk.Stock(ctx, p.Ledger, j.Merchant, snapshot, store)
}

// store is the merchant's home store by the policy of the day.
func (p *Processor) store(j *job) (policy.Store, error) {
	return p.Policy.Store(j.merchant.Profile.HomeStore, j.today(), j.merchant.Profile.Policy)
}
