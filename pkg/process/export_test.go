package process

import (
	"context"
	"errors"

	"rensa/pkg/desk"
	"rensa/pkg/validate"
)

// SortByPool lets a test see how takings are sorted.
var SortByPool = sortByPool

// StockAhead works ahead for a file to the end, lets something happen and gives the
// stock as the file would then get it, twice; nil where it would have to be made.
func (p *Processor) StockAhead(ctx context.Context, req Request, happens func()) (first, second *validate.Stock, err error) {
	j, err := p.newJob(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	defer p.snapshots.use(req.Merchant)()
	p.lookAhead(ctx, j)
	defer j.ahead.end()
	j.ahead.work.Wait()
	happens()
	j.merchant, err = p.Ledger.Merchant(ctx, req.Merchant)
	_, snapshot, e := p.currentSnapshot(ctx, j)
	if err = errors.Join(err, e); err != nil {
		return nil, nil, err
	}
	store, err := p.store(j)
	excluded := desk.OpenExcluded(snapshot, store)
	return j.ahead.take(j, snapshot, excluded), j.ahead.take(j, snapshot, excluded), err
}
