package process

import (
	"context"

	"github.com/gofrs/flock"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
)

// Using says that the merchant's snapshots are in use until done is called.
func (p *Processor) Using(merchant string) (done func()) { return p.snapshots.use(merchant) }

// Current opens the merchant's current snapshot; nil, nil where there is none. It
// is good while the merchant's snapshots are in use, and the Processor's to close.
func (p *Processor) Current(ctx context.Context, merchant string) (*ledger.Snapshot, *inventory.Snapshot, error) {
	row, err := p.Ledger.Snapshot(ctx, merchant)
	if err != nil || row == nil {
		return nil, nil, err
	}
	s, err := p.openSnapshot(row.Path)
	return row, s, err
}

// Deleting waits for a backup that is being made, and keeps others from beginning
// until release is called: old files may be deleted meanwhile.
func (p *Processor) Deleting(ctx context.Context) (release func() error, err error) {
	return p.keeping(ctx, (*flock.Flock).TryLockContext)
}
