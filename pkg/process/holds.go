package process

import (
	"context"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
)

// holds is what a new snapshot does to the merchant's holds; nothing where it is
// kept as history only.
func (p *Processor) holds(ctx context.Context, j *job, row *ledger.Snapshot, previous, next *inventory.Snapshot) (*ledger.Change, error) {
	if !row.Current {
		return nil, nil
	}
	now := p.Now()
	store, err := p.Policy.Store(j.merchant.Profile.HomeStore, j.today(), j.merchant.Profile.Policy)
	if err != nil {
		return nil, err
	}
	plan, err := desk.PlanHolds(ctx, p.Ledger, &j.merchant, store, previous, next, now)
	if err != nil {
		return nil, err
	}
	return &ledger.Change{Holds: &plan.Change}, nil
}
