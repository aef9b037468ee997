package process

import (
	"context"

	"rensa/pkg/inventory"
)

// Snapshot gives the merchant's current snapshot; nil where there is none. It is
// the Processor's to close, and stays open as long as anybody has it.
func (p *Processor) Snapshot(ctx context.Context, merchant string) (*inventory.Snapshot, error) {
	row, err := p.Ledger.Snapshot(ctx, merchant)
	if err != nil || row == nil {
		return nil, err
	}
	return p.lendSnapshot(row.Path)
}
