package desk

import (
	"context"
	"errors"
	"strings"
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/validate"
)

// Stock is what a snapshot shows less what removals have taken or will take that
// it does not show yet. It belongs to the merchant's revision read before.
func Stock(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store) (*validate.Stock, error) {
	stock := validate.NewStock(s)
	err := inPools(ctx, l, merchant, s, stock.TakeBefore, func(take takeKey) error {
		return placed(ctx, l, merchant, s, store, take)
	})
	if errors.Is(err, errMoved) {
		stock = validate.NewStock(s)
		err = countedPools(ctx, l, merchant, s, store, stock.TakeBefore)
	}
	return stock, err
}

// takeKey is told what an order took of a pool, by the pool's key.
type takeKey = func(pool, order string, sellable, unsellable int64)

// errMoved says that not all orders have only been placed.
var errMoved = errors.New("orders have moved")

// placed is Counted for a merchant whose orders have only been placed, as after a
// large file: nothing has to be gathered before it is told. The error is errMoved
// where it is not so; all up to the first that moved is then read in vain.
func placed(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store, take takeKey) error {
	hidden, err := leftOut(ctx, l, merchant, s, store)
	if err != nil {
		return err
	}
	if len(hidden) > 0 {
		return errMoved
	}
	return l.Taken(ctx, merchant, func(m ledger.Movement) error {
		if moved(&m) {
			return errMoved
		}
		take(m.PoolKey, m.Order, m.Sellable, m.Unsellable)
		return nil
	})
}

// moved tells whether a movement is more than the placing of an order.
func moved(m *ledger.Movement) bool {
	return m.Kind != ledger.MovementOpened || m.Sellable < 0 || m.Unsellable < 0
}

// countedPools is Counted with the pools' numbers in the snapshot; what was taken
// of pools that are not in it is left out.
func countedPools(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store,
	take func(pool int32, order string, sellable, unsellable int64)) error {
	return inPools(ctx, l, merchant, s, take, func(take takeKey) error {
		return Counted(ctx, l, merchant, s, store, take)
	})
}

// inPools finds the pools of what tell tells of.
func inPools(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot,
	take func(pool int32, order string, sellable, unsellable int64), tell func(take takeKey) error) error {
	var lost []taken
	batch, keys, pools := make([]taken, 0, lookedUp), make([]string, lookedUp), make([]int32, lookedUp)
	end := func() {
		for i := range batch {
			keys[i] = batch[i].pool
		}
		s.FindPools(keys[:len(batch)], pools[:len(batch)])
		for i, t := range batch {
			if pools[i] >= 0 {
				take(pools[i], t.order, t.sellable, t.unsellable)
			} else {
				lost = append(lost, t)
			}
		}
		batch = batch[:0]
	}
	err := tell(func(pool, order string, sellable, unsellable int64) {
		if batch = append(batch, taken{pool, order, sellable, unsellable}); len(batch) == lookedUp {
			end()
		}
	})
	if err != nil {
		return err
	}
	if end(); len(lost) == 0 {
		return nil
	}
	return takeLost(ctx, l, merchant, s, lost, take)
}

// lookedUp is how many pools are looked up together.
const lookedUp = 256

// taken is what an order took of a pool.
type taken struct {
	pool, order          string
	sellable, unsellable int64
}

// takeLost enters what was taken of pools that have another key now. One and the
// same stock is a pool of its MSKU in a file without FNSKUs, and a pool of its
// FNSKU in the next; the orders know which MSKU it was.
func takeLost(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, lost []taken,
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

// Counted calls take for what each order took of a pool of the snapshot that the
// snapshot does not show: units that left after its date, and open units, except
// those that the snapshot's figures leave out already.
func Counted(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store, take takeKey) error {
	hidden, err := leftOut(ctx, l, merchant, s, store)
	if err != nil {
		return err
	}
	c := counter{date: s.Date(), hidden: hidden, moved: map[string]bool{}}
	if err := l.Taken(ctx, merchant, c.add); err != nil {
		return err
	}
	c.give(take)
	return nil
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

// counter gathers movements. Most orders have only been placed, so those are
// handed through one by one; the others are summed by pool and order first.
type counter struct {
	date   time.Time
	hidden map[string]bool // orders whose open units the snapshot leaves out
	moved  map[string]bool // orders of which something left or was cancelled
	all    [][]counted     // in pages: a list of a million that grows is copied again and again
}

// counted is what is needed of a movement.
type counted struct {
	pool, order string
	units       [2]int64
	kind        ledger.MovementKind
	after       bool // the snapshot's date
}

const countedPage = 1 << 12

func (c *counter) add(m ledger.Movement) error {
	if moved(&m) {
		c.moved[m.Order] = true
	}
	if n := len(c.all); n == 0 || len(c.all[n-1]) == countedPage {
		c.all = append(c.all, make([]counted, 0, countedPage))
	}
	last := &c.all[len(c.all)-1]
	*last = append(*last, counted{m.PoolKey, m.Order, [2]int64{m.Sellable, m.Unsellable}, m.Kind, m.At.After(c.date)})
	return nil
}

// movements are all of them, in their order.
func (c *counter) movements(visit func(*counted)) {
	for _, page := range c.all {
		for i := range page {
			visit(&page[i])
		}
	}
}

// tally is what one order did to one pool.
type tally struct{ open, after [2]int64 }

type poolOrder struct{ pool, order string }

func (c *counter) give(take func(pool, order string, sellable, unsellable int64)) {
	sums := map[poolOrder]*tally{}
	c.movements(func(m *counted) {
		if !c.moved[m.order] && !c.hidden[m.order] {
			return
		}
		k := poolOrder{m.pool, m.order}
		t := sums[k]
		if t == nil {
			t = &tally{}
			sums[k] = t
		}
		for i, units := range m.units {
			switch m.kind {
			case ledger.MovementOpened:
				t.open[i] += units
			case ledger.MovementLeft:
				t.open[i] -= units
				if m.after {
					t.after[i] += units
				}
			}
		}
	})
	c.movements(func(m *counted) {
		if !c.moved[m.order] && !c.hidden[m.order] {
			take(m.pool, m.order, m.units[0], m.units[1])
			return
		}
		k := poolOrder{m.pool, m.order}
		t := sums[k]
		if t == nil {
			return // given with the order's first movement of the pool
		}
		delete(sums, k)
		if c.hidden[m.order] {
			t.open = [2]int64{}
		}
		if sellable, unsellable := t.open[0]+t.after[0], t.open[1]+t.after[1]; sellable != 0 || unsellable != 0 {
			take(m.pool, m.order, sellable, unsellable)
		}
	})
}
