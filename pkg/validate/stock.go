package validate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"rensa/pkg/inventory"
	"rensa/pkg/removal"
)

// Stock is what is left of the pools of a snapshot while rows take from it.
// Every taking is remembered, so that a row that comes too late can be told who
// was first, and a refused order can give back.
type Stock struct {
	snapshot *inventory.Snapshot
	pools    []pool
	written  []bool // by groups of pools
	takings  takings
	orders   []string // who took before this file, by ^taking.who
	touched  int32    // so that fetch is not left out by the compiler
	lists    map[takerKey]*takerList
}

// pool is kept small: there is one for each of a million products. More units than
// can be told are as many as can be told, which is all that a snapshot can have.
type pool struct {
	sellable, unsellable uint32 // taken so far
	last                 int32  // its last taking, from 1; 0: none
}

// poolGroup is how many pools are made ready at once: those of a page.
const poolGroup = 256

// ready sees to it that a pool is in memory that was written to: a page of new memory
// that is read first costs two faults, the second of which stops the other core too.
func (s *Stock) ready(at int32) {
	if g := at / poolGroup; !s.written[g] {
		s.written[g] = true
		clear(s.pools[g*poolGroup : min(int(g+1)*poolGroup, len(s.pools))])
	}
}

func sum(units uint32, more int32) uint32 {
	return uint32(min(max(0, int64(units)+int64(more)), math.MaxUint32))
}

// NewStock starts from what the snapshot shows.
func NewStock(s *inventory.Snapshot) *Stock {
	n := s.Pools()
	return &Stock{snapshot: s, pools: make([]pool, n), written: make([]bool, n/poolGroup+1)}
}

// KeepIn lets the stock put what was taken long ago into pages, where it would need
// too much memory. Whether that went well Decide and Finish tell.
func (s *Stock) KeepIn(p Pages) { s.takings.old = p }

// Taker numbers an order that took before this file, for TakeBefore.
func (s *Stock) Taker(order string) int32 {
	if n := len(s.orders); n == 0 || s.orders[n-1] != order {
		s.orders = append(s.orders, order)
	}
	return int32(len(s.orders) - 1)
}

// TakeBefore enters units that an order, given by its number, took, or will take, of a
// pool of the snapshot, and which the snapshot does not show.
func (s *Stock) TakeBefore(at, order int32, sellable, unsellable int64) {
	s.ready(at)
	s.take(at, taking{who: ^order, sellable: int32(sellable), unsellable: int32(unsellable)})
}

func (s *Stock) take(at int32, t taking) {
	p := &s.pools[at]
	t.before = p.last
	p.last = s.takings.add(t)
	p.sellable, p.unsellable = sum(p.sellable, t.sellable), sum(p.unsellable, t.unsellable)
}

// fetch brings the pools of a block of rows near: one after another they would each
// be waited for.
func (s *Stock) fetch(rows []Checked) {
	var touched int32
	for i := range rows {
		s.ready(rows[i].pool)
		touched |= s.pools[rows[i].pool].last
	}
	s.touched = touched
}

// giveBack undoes the last taking of a pool.
func (s *Stock) giveBack(at int32) {
	p := &s.pools[at]
	t := s.takings.at(p.last)
	p.sellable -= uint32(t.sellable)
	p.unsellable -= uint32(t.unsellable)
	p.last = t.before
}

// Taken is what orders took, or will take, of a pool.
func (s *Stock) Taken(at int32) (sellable, unsellable int64) {
	return int64(s.pools[at].sellable), int64(s.pools[at].unsellable)
}

// maxTakers is how many takers a hint names.
const maxTakers = 5

// takerKey is a condition of a pool.
type takerKey struct {
	pool      int32
	condition removal.Condition
}

// takerList is who took of a pool, up to one taking: a pool that many rows want in
// vain is asked for again and again.
type takerList struct {
	upTo  int32 // from 1
	first []takerShare
	more  int64 // units of all others
}

// mostLists is how many lists are remembered.
const mostLists = 4096

type takerShare struct {
	who   int32
	units int64
}

func (l *takerList) add(who int32, units int64) {
	switch n := len(l.first); {
	case units == 0:
	case n > 0 && l.more == 0 && l.first[n-1].who == who:
		l.first[n-1].units += units
	case n < maxTakers:
		l.first = append(l.first, takerShare{who, units})
	default:
		l.more += units
	}
}

// takers lists who took units of a condition, the first first, a line each:
// "order\tA-1\t4", "row\t7\t5".
func (s *Stock) takers(pool int32, c removal.Condition) string {
	list := s.takerList(pool, c)
	var b strings.Builder
	for i, t := range list.first {
		if i > 0 {
			b.WriteByte('\n')
		}
		if t.who < 0 {
			fmt.Fprintf(&b, "order\t%s\t%d", s.orders[^t.who], t.units)
		} else {
			fmt.Fprintf(&b, "row\t%d\t%d", t.who, t.units)
		}
	}
	if list.more > 0 {
		fmt.Fprintf(&b, "\nmore\t\t%d", list.more)
	}
	return b.String()
}

// takerList brings the list of a pool up to its last taking.
func (s *Stock) takerList(pool int32, c removal.Condition) *takerList {
	key := takerKey{pool, c}
	list := s.lists[key]
	if list == nil {
		list = &takerList{}
		if s.lists == nil {
			s.lists = map[takerKey]*takerList{}
		}
		if len(s.lists) == mostLists { // any of them can be made again
			clear(s.lists)
		}
		s.lists[key] = list
	}
	var fresh []taking
	at := s.pools[pool].last
	for at > list.upTo {
		fresh = append(fresh, s.takings.at(at))
		at = fresh[len(fresh)-1].before
	}
	if at != list.upTo { // what it knows was given back since
		*list = takerList{}
		for at > 0 {
			fresh = append(fresh, s.takings.at(at))
			at = fresh[len(fresh)-1].before
		}
	}
	for _, t := range slices.Backward(fresh) {
		units := int64(t.sellable)
		if c == removal.Unsellable {
			units = int64(t.unsellable)
		}
		list.add(t.who, units)
	}
	list.upTo = s.pools[pool].last
	return list
}
