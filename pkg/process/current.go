package process

import (
	"context"

	"rensa/pkg/inventory"
)

// Current opens the merchant's current snapshot; nil where there is none. It is
// the Processor's to close, which may happen unless the merchant is held.
func (p *Processor) Current(ctx context.Context, merchant string) (*inventory.Snapshot, error) {
	row, err := p.Ledger.Snapshot(ctx, merchant)
	if err != nil || row == nil {
		return nil, err
	}
	return p.openSnapshot(row.Path)
}

// Hold keeps the merchant's snapshots open until release is called: for whoever
// uses Current or the Desk beside the work.
func (p *Processor) Hold(merchant string) (release func()) { return p.snapshots.use(merchant) }
