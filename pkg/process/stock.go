package process

import (
	"context"
	"strings"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/validate"
)

// Stock gives the merchant's current snapshot, open until the processor is closed
// or another one is used, with what removals took that it does not show. Where
// there is none the error is a *removal.FileError of snapshot_missing.
func (p *Processor) Stock(ctx context.Context, merchant string) (*ledger.Snapshot, *inventory.Snapshot, *validate.Stock, error) {
	j := &job{Request: Request{Merchant: merchant}}
	row, snapshot, err := p.currentSnapshot(ctx, j)
	if err != nil {
		return nil, nil, nil, err
	}
	stock, err := p.stock(ctx, j, snapshot)
	return row, snapshot, stock, err
}

// stock is what the snapshot shows less what removals took that it does not show.
func (p *Processor) stock(ctx context.Context, j *job, snapshot *inventory.Snapshot) (*validate.Stock, error) {
	stock := validate.NewStock(snapshot)
	var lost []ledger.Movement
	err := p.Ledger.Taken(ctx, j.Merchant, func(m ledger.Movement) error {
		if at := snapshot.FindPool(m.PoolKey); at >= 0 {
			stock.TakeBefore(at, m.Order, m.Sellable, m.Unsellable)
		} else {
			lost = append(lost, m)
		}
		return nil
	})
	if err != nil || len(lost) == 0 {
		return stock, err
	}
	return stock, p.takeLost(ctx, j.Merchant, snapshot, stock, lost)
}

// takeLost enters what was taken of pools that have another key now. One and the
// same stock is a pool of its MSKU in a file without FNSKUs, and a pool of its
// FNSKU in the next; the orders know which MSKU it was.
func (p *Processor) takeLost(ctx context.Context, merchant string, snapshot *inventory.Snapshot, stock *validate.Stock, lost []ledger.Movement) error {
	var ids []string
	for i := range lost {
		if !strings.HasPrefix(lost[i].PoolKey, inventory.OwnPool) && (i == 0 || lost[i].Order != lost[i-1].Order) {
			ids = append(ids, lost[i].Order)
		}
	}
	orders, err := p.Ledger.Orders(ctx, merchant, ids)
	if err != nil {
		return err
	}
	skus := map[[2]string]string{} // by order and FNSKU
	for i := range orders {
		for _, l := range orders[i].Lines {
			skus[[2]string{orders[i].ID, l.FNSKU}] = l.SKU
		}
	}
	for _, m := range lost {
		sku, own := strings.CutPrefix(m.PoolKey, inventory.OwnPool)
		if !own {
			sku = skus[[2]string{m.Order, m.PoolKey}]
		}
		if item := snapshot.Lookup([]byte(sku)); item >= 0 {
			stock.TakeBefore(snapshot.PoolOf(item), m.Order, m.Sellable, m.Unsellable)
		}
	}
	return nil
}
