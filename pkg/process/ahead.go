package process

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"rensa/pkg/decode"
	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// Ahead begins to open what nearly every file of the merchant needs, for one who will
// give such a file but has something else to do before. The processor is not closed
// before wait has returned.
func (p *Processor) Ahead(ctx context.Context, merchant string) (wait func()) {
	// Asked first, and not beside: for two who ask at once the ledger is opened twice,
	// which takes longer than the answer, and the snapshot is begun later.
	row, err := p.Ledger.Snapshot(ctx, merchant)
	if err != nil || row == nil {
		return func() {}
	}
	var work sync.WaitGroup
	work.Go(func() {
		if _, err := p.openSnapshot(row.Path); err != nil {
			p.Log.Debug().Err(err).Str("merchant", merchant).Msg("opening the snapshot ahead")
		}
	})
	return work.Wait
}

// snapshotAhead opens the merchant's current snapshot; nil where there is none.
func (p *Processor) snapshotAhead(ctx context.Context, merchant string) (*inventory.Snapshot, error) {
	row, err := p.Ledger.Snapshot(ctx, merchant)
	if err != nil || row == nil {
		return nil, err
	}
	return p.openSnapshot(row.Path)
}

// ahead is what a file will need, made while its bytes are copied and hashed: the
// current snapshot, which most files need, and for an upload what open orders took of
// it. Whoever then needs it and finds nothing makes it, and is told what is wrong.
type ahead struct {
	cancel context.CancelFunc
	work   sync.WaitGroup

	// The stock, and what it was made from.
	stock    *validate.Stock
	snapshot *inventory.Snapshot
	revision int64
	excluded bool
}

// lookAhead begins it for a file, which is in hand until end is called.
func (p *Processor) lookAhead(ctx context.Context, j *job) {
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{cancel: cancel, revision: j.merchant.Revision}
	j.ahead = a
	known := *j // the job goes on meanwhile
	a.work.Go(func() {
		if err := a.make(ctx, p, &known); err != nil {
			p.Log.Debug().Err(err).Str("merchant", known.Merchant).Msg("working ahead")
		}
	})
}

func (a *ahead) make(ctx context.Context, p *Processor, j *job) (err error) {
	if a.snapshot, err = p.snapshotAhead(ctx, j.Merchant); err != nil || a.snapshot == nil {
		return err
	}
	if upload, err := p.looksUpload(ctx, j); err != nil || !upload {
		return err
	}
	store, err := p.store(j)
	if err != nil {
		return err
	}
	a.excluded = desk.OpenExcluded(a.snapshot, store)
	a.stock, err = desk.Stock(ctx, p.Ledger, j.Merchant, a.snapshot, store)
	return err
}

// looksUpload tells whether the file seems to be one of removal orders. A packed one,
// which would have to be unpacked for that, is none.
func (p *Processor) looksUpload(ctx context.Context, j *job) (_ bool, err error) {
	if j.claim != nil {
		return j.claim.Kind == removal.KindUpload, nil
	}
	f, err := os.Open(j.Path)
	if err != nil {
		return false, err
	}
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	if err = errors.Join(err, f.Close()); err != nil || decode.Packed(head[:n]) {
		return false, err
	}
	kind, err := p.Kind(ctx, j.Merchant, j.Path)
	return kind == removal.KindUpload, err
}

// take gives the stock once, if it is what would be made now.
func (a *ahead) take(j *job, snapshot *inventory.Snapshot, excluded bool) *validate.Stock {
	a.work.Wait()
	stock := a.stock
	a.stock = nil // rows will be taken of it
	if a.revision != j.merchant.Revision || a.snapshot != snapshot || a.excluded != excluded {
		return nil
	}
	return stock
}

// end gives up what is not made yet.
func (a *ahead) end() {
	a.cancel()
	a.work.Wait()
}
