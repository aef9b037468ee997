package process

import (
	"context"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
)

// settleAtOnce is up to how many pools with unsellable units the holds are settled
// while a file is taken in. Beyond, that would take longer than the file itself:
// the nightly notices settle them on the snapshot that is current then, so that of
// several snapshots of one day only the last counts.
const settleAtOnce = 20_000

// holds is what a new snapshot does to the merchant's holds; nothing where it is
// kept as history only.
func (p *Processor) holds(ctx context.Context, j *job, row *ledger.Snapshot, previous, next *inventory.Snapshot) (*ledger.Change, error) {
	if !row.Current || next.ManyUnsellable(settleAtOnce) {
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
