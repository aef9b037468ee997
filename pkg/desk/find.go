package desk

import (
	"context"
	"fmt"
	"sync"
	"time"
	"weak"

	"rensa/pkg/inventory"
	"rensa/pkg/removal"
)

// Found is one SKU of the stock, for a draft to be made from.
type Found struct {
	SKU, FNSKU, ASIN, Title string
	Sellable, Unsellable    int64 // available, never below zero
	// What the snapshot shows of the SKU's pool, and what of it removals took or
	// will take that the snapshot does not show yet.
	PoolSellable, PoolUnsellable int64
	OpenSellable, OpenUnsellable int64
	// Pool is the pool's key, which other SKUs may share.
	Pool string
}

// Finding is what a look at the stock gave.
type Finding struct {
	Items []Found
	// Total is how many there are, of which Items are some.
	Total int
	// Snapshot is the date of the stock, a day's start where DateOnly.
	Snapshot time.Time
	DateOnly bool
}

// Search finds SKUs by title, MSKU, ASIN or FNSKU with what is available of each,
// the best first. ErrNoSnapshot.
func (d *Desk) Search(ctx context.Context, merchant, text string, limit int) ([]Found, error) {
	f, err := d.Find(ctx, merchant, text, 0, limit)
	if err != nil {
		return nil, err
	}
	return f.Items, nil
}

// Find is Search, telling also how many there are. Without a text it gives the SKUs
// from a number on in the order of the stock. ErrNoSnapshot.
func (d *Desk) Find(ctx context.Context, merchant, text string, from, limit int) (*Finding, error) {
	at, err := d.stockNow(ctx, merchant)
	if err != nil {
		return nil, err
	}
	f := &Finding{Total: at.snapshot.Len(), Snapshot: at.snapshot.Date(), DateOnly: !at.snapshot.DateHasTime()}
	var items []int32
	if text == "" {
		for i := max(0, from); i < f.Total && len(items) < limit; i++ {
			items = append(items, int32(i))
		}
	} else {
		hits, err := at.snapshot.Find(ctx, text, limit)
		if err != nil {
			return nil, err
		}
		items, f.Total = hits.Items, hits.Total
	}
	for _, i := range items {
		f.Items = append(f.Items, at.found(i))
	}
	return f, at.snapshot.Err()
}

// Item gives one SKU of the stock. ErrNoItem, ErrNoSnapshot.
func (d *Desk) Item(ctx context.Context, merchant, sku string) (*Finding, error) {
	at, err := d.stockNow(ctx, merchant)
	if err != nil {
		return nil, err
	}
	i := at.snapshot.Lookup([]byte(sku))
	if i < 0 {
		return nil, fmt.Errorf("%.60q: %w", sku, ErrNoItem)
	}
	f := &Finding{Items: []Found{at.found(i)}, Total: 1, Snapshot: at.snapshot.Date(), DateOnly: !at.snapshot.DateHasTime()}
	return f, at.snapshot.Err()
}

// StockTotals are the sums over all pools of a merchant's stock.
type StockTotals struct {
	SKUs, Pools                  int
	Sellable, Unsellable         int64
	OpenSellable, OpenUnsellable int64
	Snapshot                     time.Time
	DateOnly                     bool
	Kind                         removal.Kind
}

// Totals sums the stock up. ErrNoSnapshot.
func (d *Desk) Totals(ctx context.Context, merchant string) (*StockTotals, error) {
	at, err := d.stockNow(ctx, merchant)
	if err != nil {
		return nil, err
	}
	s := at.snapshot
	t := &StockTotals{SKUs: s.Len(), Pools: s.Pools(), Snapshot: s.Date(), DateOnly: !s.DateHasTime(), Kind: s.Kind()}
	t.Sellable, t.Unsellable = s.Totals()
	for _, units := range at.taken {
		t.OpenSellable += units[0]
		t.OpenUnsellable += units[1]
	}
	return t, nil
}

// Prepare makes ahead what the first search would wait for. ErrNoSnapshot.
func (d *Desk) Prepare(ctx context.Context, merchant string) error {
	at, err := d.stockNow(ctx, merchant)
	if err != nil {
		return err
	}
	return at.snapshot.Prepare(ctx)
}

// takenStock is a snapshot with what is taken of its pools, by condition.
type takenStock struct {
	snapshot *inventory.Snapshot
	taken    map[int32][2]int64
}

func (t *takenStock) found(i int32) Found {
	it := t.snapshot.Item(i)
	f := Found{SKU: string(it.SKU), FNSKU: string(it.FNSKU), ASIN: it.ASIN, Title: it.Title, Pool: t.snapshot.PoolKey(it.Pool)}
	f.PoolSellable, f.PoolUnsellable = t.snapshot.Units(it.Pool)
	units := t.taken[it.Pool]
	f.OpenSellable, f.OpenUnsellable = units[0], units[1]
	f.Sellable, f.Unsellable = max(0, f.PoolSellable-units[0]), max(0, f.PoolUnsellable-units[1])
	return f
}

// takenKept is of how many merchants it is kept what is taken of their stock.
const takenKept = 8

// takenCache keeps what is taken of merchants' stock: a search as one types asks for
// it at each key, and it changes only with the merchant's revision. It keeps no
// snapshot in memory that nobody else does.
type takenCache struct {
	mu   sync.Mutex
	kept map[string]*keptTaken
	uses uint64
}

type keptTaken struct {
	takenOf
	taken map[int32][2]int64
	used  uint64
}

// takenOf says what it belongs to.
type takenOf struct {
	snapshot weak.Pointer[inventory.Snapshot]
	revision int64
	excluded bool
}

// stockNow gives the stock as of the merchant's present revision. ErrNoSnapshot.
func (d *Desk) stockNow(ctx context.Context, merchant string) (*takenStock, error) {
	m, err := d.opt.Ledger.Merchant(ctx, merchant)
	if err != nil {
		return nil, err
	}
	s, err := d.snapshot(ctx, merchant)
	if err != nil {
		return nil, err
	}
	store, err := d.store(&m)
	if err != nil {
		return nil, err
	}
	of := takenOf{weak.Make(s), m.Revision, OpenExcluded(s, store)}
	if taken := d.taken.get(merchant, of); taken != nil {
		return &takenStock{s, taken}, nil
	}
	stock, err := Stock(ctx, d.opt.Ledger, merchant, s, store)
	if err != nil {
		return nil, err
	}
	taken := map[int32][2]int64{}
	for p := range int32(s.Pools()) {
		if sellable, unsellable := stock.Taken(p); sellable != 0 || unsellable != 0 {
			taken[p] = [2]int64{sellable, unsellable}
		}
	}
	// What was committed meanwhile may be in it already, or not.
	after, err := d.opt.Ledger.Merchant(ctx, merchant)
	if err == nil && after.Revision == m.Revision {
		d.taken.put(merchant, of, taken)
	}
	return &takenStock{s, taken}, err
}

// get gives what is kept of the same snapshot and revision, nil where nothing is.
func (c *takenCache) get(merchant string, of takenOf) map[int32][2]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kept[merchant]
	if k == nil || k.takenOf != of {
		return nil
	}
	c.uses++
	k.used = c.uses
	return k.taken
}

func (c *takenCache) put(merchant string, of takenOf, taken map[int32][2]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]*keptTaken{}
	}
	c.uses++
	c.kept[merchant] = &keptTaken{of, taken, c.uses}
	for len(c.kept) > takenKept {
		oldest := merchant
		for id, k := range c.kept {
			if k.used < c.kept[oldest].used {
				oldest = id
			}
		}
		delete(c.kept, oldest)
	}
}
