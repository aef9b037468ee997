package desk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
)

// HoldPlan is what becomes of a merchant's holds, decided and not committed.
type HoldPlan struct {
	Change ledger.HoldChange
	// Live are the holds as they are then, by id, with their steps.
	Live []removal.Hold
}

// holdKey is a pool in one condition.
type holdKey struct {
	pool string
	c    removal.Condition
}

// holdPlanner settles the holds of one merchant, one snapshot after the other.
type holdPlanner struct {
	ctx      context.Context
	ledger   *ledger.Ledger
	merchant string
	store    policy.Store
	zone     *time.Location
	now      time.Time
	rules    inventory.HoldRules
	before   map[int64]removal.Hold
	only     int32 // the pool to settle, or allPools
	pools    []*inventory.HoldPool
	orders   map[string]*ledger.Record
	// fresh are orders made since the holds were settled last; they count as such
	// for the first snapshot only.
	fresh map[string]bool
	mark  int64
}

// PlanHolds settles the merchant's holds: with the orders as they are against the
// current snapshot, then against the one that replaces it. Either may be nil:
// there is none. Days are those of the store's zone. It belongs to the merchant's
// revision read before.
func PlanHolds(ctx context.Context, l *ledger.Ledger, m *removal.Merchant, store policy.Store,
	current, next *inventory.Snapshot, now time.Time) (*HoldPlan, error) {
	book, err := l.LiveHolds(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	return planHolds(ctx, l, m, store, now, book, allPools, current, next)
}

// PlanPool settles the holds of one pool of the merchant's current snapshot, to be
// looked at: nothing of it is for a commit.
func PlanPool(ctx context.Context, l *ledger.Ledger, m *removal.Merchant, store policy.Store,
	current *inventory.Snapshot, pool int32, now time.Time) (*HoldPlan, error) {
	book, err := l.PoolHolds(ctx, m.ID, current.PoolKey(pool))
	if err != nil {
		return nil, err
	}
	return planHolds(ctx, l, m, store, now, book, pool, current)
}

// allPools stands for a pool.
const allPools = -1

func planHolds(ctx context.Context, l *ledger.Ledger, m *removal.Merchant, store policy.Store,
	now time.Time, book *ledger.HoldBook, pool int32, snapshots ...*inventory.Snapshot) (*HoldPlan, error) {
	p := &holdPlanner{
		ctx: ctx, ledger: l, merchant: m.ID, store: store, now: now.UTC().Truncate(time.Microsecond),
		only: pool, before: map[int64]removal.Hold{},
		orders: map[string]*ledger.Record{}, fresh: map[string]bool{},
	}
	var err error
	if p.zone, err = time.LoadLocation(store.TimeZone); err != nil {
		return nil, err
	}
	p.rules = inventory.HoldRules{Days: HoldDays(store), Today: Day(now, p.zone), Now: p.now, NextID: book.Next}
	p.gather(book)
	if err := p.readOrders(book); err != nil {
		return nil, err
	}
	for _, s := range snapshots {
		if s == nil {
			continue
		}
		if err := p.settle(s); err != nil {
			return nil, err
		}
		clear(p.fresh)
	}
	return p.plan(book.Mark), nil
}

// Day is the day of a moment in a zone, as midnight UTC.
func Day(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// HoldDays are the store's days by reason.
func HoldDays(store policy.Store) map[removal.HoldReason]int {
	return map[removal.HoldReason]int{
		removal.HoldUnsellable: store.HoldDays, removal.HoldExpiry: store.HoldDaysExpiry,
		removal.HoldRecalled: store.HoldDaysRecalled, removal.HoldStranded: store.HoldDaysStranded,
	}
}

// gather puts the holds together by pool and condition.
func (p *holdPlanner) gather(book *ledger.HoldBook) {
	pools := map[holdKey]*inventory.HoldPool{}
	for i := range book.Holds {
		h := &book.Holds[i]
		p.before[h.ID] = h.Clone()
		k := holdKey{h.Pool, h.Condition}
		hp := pools[k]
		if hp == nil {
			hp = &inventory.HoldPool{Pool: h.Pool, SKU: h.SKU, FNSKU: h.FNSKU, Title: h.Title, Condition: h.Condition}
			pools[k] = hp
			p.pools = append(p.pools, hp)
		}
		hp.Holds = append(hp.Holds, *h)
	}
}

// readOrders reads the orders that take units of the holds, and those that were
// made since the holds were settled last, as far as they have such a pool.
func (p *holdPlanner) readOrders(book *ledger.HoldBook) error {
	ids := map[string]bool{}
	skus := map[string]bool{}
	for i := range book.Holds {
		skus[book.Holds[i].SKU], skus[book.Holds[i].Pool] = true, true
		for _, c := range book.Holds[i].Covers {
			ids[c.Order] = true
		}
	}
	if err := p.read(sorted(ids)); err != nil {
		return err
	}
	var err error
	p.mark, err = p.ledger.OrdersAfter(p.ctx, p.merchant, book.Mark, func(o removal.Order) error {
		for i := range o.Lines {
			if l := &o.Lines[i]; skus[poolKey(l)] || skus[l.SKU] {
				p.fresh[o.ID] = true
				break
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.read(sorted(p.fresh))
}

func (p *holdPlanner) read(ids []string) error {
	orders, err := p.ledger.Records(p.ctx, p.merchant, ids)
	for i := range orders {
		p.orders[orders[i].ID] = &orders[i]
	}
	return err
}

func sorted(set map[string]bool) []string {
	all := make([]string, 0, len(set))
	for k := range set {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// settle settles every pool that has holds or held units in a snapshot.
func (p *holdPlanner) settle(s *inventory.Snapshot) error {
	p.rules.Snapshot, p.rules.Shown = s.Date(), Day(s.Date(), p.zone)
	at, gone, err := p.find(s)
	if err != nil {
		return err
	}
	taken, err := p.taken(s, at)
	if err != nil {
		return err
	}
	units := p.unitsOf(s, at)
	pools := make([]int32, 0, len(at))
	for pool := range at {
		pools = append(pools, pool)
	}
	slices.Sort(pools)
	for _, pool := range pools {
		for _, hp := range at[pool] {
			if hp != nil {
				p.settlePool(hp, units[pool], taken[pool])
			}
		}
	}
	for _, hp := range gone {
		hp.Portions = nil
		p.settlePool(hp, p.unitsOfGone(hp), nil)
	}
	return nil
}

// units are what an order did to a pool, by condition.
type units [2]removal.Units

func (p *holdPlanner) settlePool(hp *inventory.HoldPool, of map[string]units, taken map[string][2]int64) {
	hp.Orders = hp.Orders[:0]
	for id, u := range of {
		c := u[hp.Condition]
		if c.Requested == 0 {
			continue
		}
		hp.Orders = append(hp.Orders, inventory.OrderUnits{
			Order: id, Open: c.InProcess(), Left: c.Shipped + c.Disposed, Cancelled: c.Cancelled, Counted: taken[id][hp.Condition],
			New: p.fresh[id], Elsewhere: p.orders[id].Source == removal.SourceExternal,
		})
	}
	slices.SortFunc(hp.Orders, func(a, b inventory.OrderUnits) int {
		x, y := p.orders[a.Order], p.orders[b.Order]
		return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(a.Order, b.Order))
	})
	p.rules.Settle(hp)
}

// find gives the pools of a snapshot of which units are held or were, with their
// portions, and those with holds that the snapshot does not have.
func (p *holdPlanner) find(s *inventory.Snapshot) (at map[int32]*[2]*inventory.HoldPool, gone []*inventory.HoldPool, err error) {
	at = map[int32]*[2]*inventory.HoldPool{}
	put := func(pool int32, hp *inventory.HoldPool) {
		both := at[pool]
		if both == nil {
			both = new([2]*inventory.HoldPool)
			at[pool] = both
		}
		if first := both[hp.Condition]; first != nil { // pools that a file with FNSKUs joins
			first.Holds = append(first.Holds, hp.Holds...)
			slices.SortFunc(first.Holds, func(a, b removal.Hold) int { return cmp.Compare(a.ID, b.ID) })
			return
		}
		both[hp.Condition] = hp
	}
	known := p.pools
	p.pools = nil
	for _, hp := range known {
		pool := s.FindPool(hp.Pool)
		if pool < 0 { // its key may be another one now
			if item := s.Lookup([]byte(hp.SKU)); item >= 0 {
				pool = s.PoolOf(item)
			}
		}
		if hp.Portions = nil; pool >= 0 {
			put(pool, hp)
			continue
		}
		gone = append(gone, hp)
	}
	from, to := p.only, p.only+1
	if p.only == allPools {
		from, to = 0, int32(s.Pools())
	}
	for pool := from; pool < to; pool++ {
		for _, c := range []removal.Condition{removal.Sellable, removal.Unsellable} {
			portions, err := s.Held(pool, c)
			if err != nil {
				return nil, nil, err
			}
			if len(portions) > 0 {
				if at[pool] == nil || at[pool][c] == nil {
					put(pool, &inventory.HoldPool{Condition: c})
				}
				at[pool][c].Portions = portions
			}
		}
	}
	p.pools = gone
	for pool, both := range at {
		for _, hp := range both {
			if hp != nil {
				name(hp, s, pool)
				p.pools = append(p.pools, hp)
			}
		}
	}
	slices.SortFunc(p.pools, func(a, b *inventory.HoldPool) int {
		return cmp.Or(cmp.Compare(a.Pool, b.Pool), cmp.Compare(a.Condition, b.Condition))
	})
	return at, gone, nil
}

// name gives a pool and its holds what they are called in the snapshot. The MSKU
// stays as long as the pool has it.
func name(hp *inventory.HoldPool, s *inventory.Snapshot, pool int32) {
	at := s.Lookup([]byte(hp.SKU))
	if hp.SKU == "" || at < 0 || s.PoolOf(at) != pool {
		at = s.FirstItem(pool)
	}
	item := s.Item(at)
	hp.Pool, hp.SKU, hp.FNSKU = s.PoolKey(pool), string(item.SKU), string(item.FNSKU)
	if hp.Title == "" {
		hp.Title = item.Title
	}
	for i := range hp.Holds {
		h := &hp.Holds[i]
		h.Pool, h.SKU, h.FNSKU = hp.Pool, hp.SKU, hp.FNSKU
	}
}

// taken are the units that orders take of the pools and that the snapshot still
// shows.
func (p *holdPlanner) taken(s *inventory.Snapshot, at map[int32]*[2]*inventory.HoldPool) (map[int32]map[string][2]int64, error) {
	all := map[int32]map[string][2]int64{}
	if len(at) == 0 {
		return all, nil
	}
	missing := map[string]bool{}
	err := countedPools(p.ctx, p.ledger, p.merchant, s, p.store, func(pool int32, order string, sellable, unsellable int64) {
		both := at[pool]
		if both == nil || both[removal.Sellable] == nil && unsellable == 0 || both[removal.Unsellable] == nil && sellable == 0 {
			return
		}
		if all[pool] == nil {
			all[pool] = map[string][2]int64{}
		}
		sum := all[pool][order]
		all[pool][order] = [2]int64{sum[0] + sellable, sum[1] + unsellable}
		if p.orders[order] == nil {
			missing[order] = true
		}
	})
	if err == nil {
		err = p.read(sorted(missing))
	}
	if err != nil || !OpenExcluded(s, p.store) {
		return all, err
	}
	// What the figures left out while it was open they do not show after it left.
	for _, of := range all {
		for id := range of {
			if o := p.orders[id]; o != nil && !o.Progress.Requested.IsZero() && o.Progress.Requested.Before(s.Date()) {
				delete(of, id)
			}
		}
	}
	return all, nil
}

// unitsOf are what the orders did to the pools.
func (p *holdPlanner) unitsOf(s *inventory.Snapshot, at map[int32]*[2]*inventory.HoldPool) map[int32]map[string]units {
	all := map[int32]map[string]units{}
	for id, o := range p.orders {
		for i := range o.Lines {
			l := &o.Lines[i]
			pool := s.FindPool(poolKey(l))
			if pool < 0 {
				if item := s.Lookup([]byte(l.SKU)); item >= 0 {
					pool = s.PoolOf(item)
				}
			}
			if pool < 0 || at[pool] == nil {
				continue
			}
			if all[pool] == nil {
				all[pool] = map[string]units{}
			}
			all[pool][id] = all[pool][id].plus(l)
		}
	}
	return all
}

// unitsOfGone are what the orders did to a pool that the snapshot does not have.
func (p *holdPlanner) unitsOfGone(hp *inventory.HoldPool) map[string]units {
	all := map[string]units{}
	for id, o := range p.orders {
		for i := range o.Lines {
			if l := &o.Lines[i]; poolKey(l) == hp.Pool || l.SKU == hp.SKU {
				all[id] = all[id].plus(l)
			}
		}
	}
	return all
}

func (u units) plus(l *removal.Line) units {
	for c, more := range [...]removal.Units{l.Sellable, l.Unsellable} {
		u[c].Requested += more.Requested
		u[c].Cancelled += more.Cancelled
		u[c].Disposed += more.Disposed
		u[c].Shipped += more.Shipped
	}
	return u
}

// plan gathers what changed.
func (p *holdPlanner) plan(mark int64) *HoldPlan {
	plan := &HoldPlan{}
	if p.mark > mark {
		plan.Change.Mark = p.mark
	}
	for _, hp := range p.pools {
		for i := range hp.Holds {
			h := &hp.Holds[i]
			if h.Live() {
				plan.Live = append(plan.Live, *h)
			}
			before, known := p.before[h.ID]
			if known && before.Same(h) {
				continue
			}
			row := h.Clone()
			plan.Change.Covers = append(plan.Change.Covers, row.Covers...)
			if row.Covers = nil; known {
				plan.Change.Changed = append(plan.Change.Changed, row)
			} else {
				plan.Change.New = append(plan.Change.New, row)
			}
		}
	}
	byID := func(a, b removal.Hold) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(plan.Live, byID)
	slices.SortFunc(plan.Change.New, byID)
	slices.SortFunc(plan.Change.Changed, byID)
	return plan
}

// Set changes a live hold, and notes that it changed.
func (p *HoldPlan) Set(h removal.Hold) {
	for i := range p.Live {
		if p.Live[i].ID == h.ID {
			p.Live[i] = h
		}
	}
	row := h.Clone()
	p.Change.Covers = slices.DeleteFunc(p.Change.Covers, func(c removal.HoldCover) bool { return c.Hold == h.ID })
	p.Change.Covers = append(p.Change.Covers, row.Covers...)
	row.Covers = nil
	for _, rows := range [][]removal.Hold{p.Change.New, p.Change.Changed} {
		for i := range rows {
			if rows[i].ID == h.ID {
				rows[i] = row
				return
			}
		}
	}
	p.Change.Changed = append(p.Change.Changed, row)
}

// Take covers all units of a live hold by an order.
func (p *HoldPlan) Take(h removal.Hold, order string) {
	h.Covers = append(slices.Clone(h.Covers), removal.HoldCover{Hold: h.ID, Order: order, Covered: h.Units})
	h.Covered, h.Units = h.Covered+h.Units, 0
	p.Set(h)
}
