package desk

import (
	"context"
	"strings"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/validate"
)

// Stock is what a snapshot shows less what removals have taken or will take that
// it does not show yet. It belongs to the merchant's revision read before.
func Stock(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store) (*validate.Stock, error) {
	stock := validate.NewStock(s)
	var takers []int32 // numbers of a block's orders among the stock's, from 1
	block := -1
	err := counted(ctx, l, merchant, s, store, func(c *countedChunk) {
		if c.Block != block {
			block = c.Block
			takers = make([]int32, len(c.Orders))
		}
		for _, t := range c.taken {
			if takers[t.order] == 0 {
				takers[t.order] = stock.Taker(c.Orders[t.order]) + 1
			}
			stock.TakeBefore(t.pool, takers[t.order]-1, t.sellable, t.unsellable)
		}
	}, func(pool int32, order string, sellable, unsellable int64) {
		stock.TakeBefore(pool, stock.Taker(order), sellable, unsellable)
	})
	return stock, err
}

// countedPools calls take for what each order took of a pool of the snapshot that the
// snapshot does not show: units that left after its date, and open units, except those
// that the snapshot's figures leave out already. What was taken of pools that are not
// in it is left out.
func countedPools(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store,
	take func(pool int32, order string, sellable, unsellable int64)) error {
	return counted(ctx, l, merchant, s, store, func(c *countedChunk) {
		for _, t := range c.taken {
			take(t.pool, c.Orders[t.order], t.sellable, t.unsellable)
		}
	}, take)
}

// lostTaking is what an order took of a pool that is not in the snapshot.
type lostTaking struct {
	pool, order          string
	sellable, unsellable int64
}

// takeLost enters what was taken of pools that have another key now. One and the
// same stock is a pool of its MSKU in a file without FNSKUs, and a pool of its
// FNSKU in the next; the orders know which MSKU it was.
func takeLost(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, lost []lostTaking,
	take func(pool int32, order string, sellable, unsellable int64)) error {
	var ids []string
	for i := range lost {
		if !strings.HasPrefix(lost[i].pool, inventory.OwnPool) && (i == 0 || lost[i].order != lost[i-1].order) {
			ids = append(ids, lost[i].order)
		}
	}
	orders, err := l.Orders(ctx, merchant, ids)
	if err != nil {
		return err
	}
	skus := map[[2]string]string{} // by order and FNSKU
	for i := range orders {
		for _, line := range orders[i].Lines {
			skus[[2]string{orders[i].ID, line.FNSKU}] = line.SKU
		}
	}
	for _, t := range lost {
		sku, own := strings.CutPrefix(t.pool, inventory.OwnPool)
		if !own {
			sku = skus[[2]string{t.order, t.pool}]
		}
		if item := s.Lookup([]byte(sku)); item >= 0 {
			take(s.PoolOf(item), t.order, t.sellable, t.unsellable)
		}
	}
	return nil
}

// OpenExcluded tells whether the figures of a snapshot leave out the units of open
// orders that the marketplace knew when it was made.
func OpenExcluded(s *inventory.Snapshot, store policy.Store) bool {
	if excluded, known := s.OpenRemovalsExcluded(); known {
		return excluded
	}
	return store.OpenRemovalsExcluded
}

// leftOut are the orders whose open units the figures of a snapshot leave out.
func leftOut(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store) (map[string]bool, error) {
	if !OpenExcluded(s, store) {
		return nil, nil
	}
	confirmed, err := l.Confirmed(ctx, merchant)
	orders := map[string]bool{}
	for _, o := range confirmed {
		if o.Requested.Before(s.Date()) {
			orders[o.Order] = true
		}
	}
	return orders, err
}
