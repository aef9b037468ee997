package process

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Desk is where things are done with orders, with this workspace's snapshots and
// folders. It is good until the Processor is closed.
func (p *Processor) Desk() *desk.Desk {
	return desk.New(desk.Options{
		Ledger: p.Ledger, Policy: p.Policy, Now: p.Now, Put: p.putOutgoing,
		Write: func(orders []removal.Order) ([]byte, error) {
			var body bytes.Buffer
			err := writeOrders(&body, orders)
			return body.Bytes(), err
		},
		Snapshot: func(ctx context.Context, merchant string) (*inventory.Snapshot, error) {
			row, err := p.Ledger.Snapshot(ctx, merchant)
			if err != nil || row == nil {
				return nil, err
			}
			return p.openSnapshot(row.Path)
		},
	})
}

// putOutgoing gives an outgoing file its place, its manifest first: who sees a file
// finds what it holds.
func (p *Processor) putOutgoing(ctx context.Context, f *ledger.Outgoing) error {
	m, err := p.Ledger.Merchant(ctx, f.Merchant)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return err
	}
	beside, err := outgoingManifest(&job{zone: zone}, &f.Outbound)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		body []byte
	}{{manifestName(f.Name), beside}, {f.Name, f.Body}} {
		_, err := p.dir.Put(path.Join("outbound", f.Merchant, file.name), bytes.NewReader(file.body))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// firstState is where the orders of an upload begin: without a delay they are
// handed on at once.
func (j *job) firstState() removal.State {
	if j.merchant.Profile.ReleaseDelay > 0 {
		return removal.StatePlanning
	}
	return removal.StatePending
}
