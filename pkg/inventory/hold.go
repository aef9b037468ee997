package inventory

import (
	"cmp"
	"slices"
	"time"

	"rensa/pkg/removal"
)

// Cause is why units are held, and since which day; zero: the day on which they
// were first shown.
type Cause struct {
	Reason removal.HoldReason
	Since  time.Time
	// Shown is the day of the file that tells of it; zero: that of the snapshot.
	Shown time.Time
}

// Portion is units of a pool that are held, in one condition, as a snapshot shows
// them: with every cause that they have.
type Portion struct {
	Units  int64
	Causes []Cause
}

// OrderUnits is what one removal order did to a pool in one condition.
type OrderUnits struct {
	Order                 string
	Open, Left, Cancelled int64
	// Counted are the units that the snapshot shows although the order takes them.
	Counted int64
	// New says that the order was made since the holds were settled last.
	New bool
	// Elsewhere says that it was not made here.
	Elsewhere bool
}

// HoldPool is a pool in one condition with all that its holds depend on.
type HoldPool struct {
	Pool, SKU, FNSKU, Title string
	Condition               removal.Condition
	Holds                   []removal.Hold // by id; Settle changes them and adds new ones
	Portions                []Portion
	Orders                  []OrderUnits // in the order in which they were made
}

// HoldRules is what holds follow beside the stock. Days are midnight UTC of the
// day in the store's zone.
type HoldRules struct {
	Days  map[removal.HoldReason]int
	Today time.Time // on which it is decided
	Now   time.Time
	// Shown is the day of the snapshot, Snapshot its moment.
	Shown, Snapshot time.Time
	// NextID is the id of the next new hold.
	NextID int64
}

// resumeDays is how long after its notice a hold of units that came back from an
// order lasts at least.
const resumeDays = 7

// returnWithin is how much newer than the return of units a snapshot has to be
// which does not show them, so that they are not waited for any longer.
const returnWithin = 3 * 24 * time.Hour

// Settle brings the holds of a pool to where the snapshot and the orders are.
// Units that orders take are covered, oldest deadline first; units that came back
// from one go into a new hold; more units than before open a hold, fewer close
// the oldest first. It is to be called for the snapshot before, with the orders
// as they are now, and then for a new one: what orders did must not be mistaken
// for what the new snapshot says.
func (r *HoldRules) Settle(p *HoldPool) {
	s := settling{r: r, p: p, free: make(map[int64]int64, len(p.Holds))}
	s.shares = r.shares(p.Portions)
	s.allocate()
	s.follow()
	s.subtract()
	s.match()
	s.grow()
	s.end()
}

// share is a portion with the cause that ends it first.
type share struct {
	Portion
	Cause
	dated    bool
	deadline time.Time
}

// shares finds for every portion the cause with the earliest deadline. Those of
// equal causes are one.
func (r *HoldRules) shares(portions []Portion) []share {
	var all []share
	for _, p := range portions {
		if p.Units <= 0 {
			continue
		}
		best := share{Portion: p}
		for _, reason := range removal.HoldReasons {
			for _, c := range p.Causes {
				if c.Reason != reason {
					continue
				}
				since := c.Since
				if since.IsZero() {
					since = c.Shown
				}
				if since.IsZero() {
					since = r.Shown
				}
				deadline := since.AddDate(0, 0, r.Days[reason])
				if best.deadline.IsZero() || deadline.Before(best.deadline) {
					best.Cause, best.dated, best.deadline = Cause{Reason: reason, Since: since}, !c.Since.IsZero(), deadline
				}
			}
		}
		if best.deadline.IsZero() {
			continue
		}
		k := slices.IndexFunc(all, func(o share) bool {
			return o.Cause == best.Cause && o.dated == best.dated && slices.Equal(o.Causes, best.Causes)
		})
		if k >= 0 {
			all[k].Units += best.Units
			continue
		}
		all = append(all, best)
	}
	slices.SortStableFunc(all, func(a, b share) int {
		return cmp.Or(a.deadline.Compare(b.deadline), a.Since.Compare(b.Since))
	})
	return all
}

// settling is one pool at work.
type settling struct {
	r      *HoldRules
	p      *HoldPool
	shares []share
	// free are the units of each hold that no share accounts for yet.
	free map[int64]int64
}

// oldest gives the holds by deadline.
func (s *settling) oldest() []*removal.Hold {
	all := make([]*removal.Hold, len(s.p.Holds))
	for i := range s.p.Holds {
		all[i] = &s.p.Holds[i]
	}
	slices.SortStableFunc(all, func(a, b *removal.Hold) int {
		return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// cover is a hold's row for one order.
type cover struct {
	hold *removal.Hold
	row  *removal.HoldCover
}

// coversOf are the rows of one order, oldest deadline first.
func (s *settling) coversOf(order string) (all []cover) {
	for _, h := range s.oldest() {
		for k := range h.Covers {
			if h.Covers[k].Order == order {
				all = append(all, cover{h, &h.Covers[k]})
			}
		}
	}
	return all
}

// allocate gives orders the units that they take of the holds, oldest deadline
// first. Orders that the holds know already take more only where more is held
// than there is.
func (s *settling) allocate() {
	var held, there int64
	for i := range s.p.Holds {
		held += s.p.Holds[i].Units
	}
	for i := range s.shares {
		there += s.shares[i].Units
	}
	for i := range s.p.Orders {
		there -= s.p.Orders[i].Counted
	}
	over := max(0, held-max(0, there))
	for i := range s.p.Orders {
		o := &s.p.Orders[i]
		known, came := int64(0), int64(0)
		for _, c := range s.coversOf(o.Order) {
			known, came = known+c.row.Covered+c.row.Gone, came+c.row.Returned
		}
		take := max(0, o.Counted-known)
		if !o.New {
			take = min(take, over)
		}
		over = max(0, over-take)
		// Placed and taken back while nobody looked: the hold ended all the same.
		if o.New && !o.Elsewhere {
			take += max(0, o.Cancelled-came)
		}
		s.take(o.Order, take)
	}
}

// take moves units from the holds to an order.
func (s *settling) take(order string, units int64) {
	for _, h := range s.oldest() {
		n := min(units, h.Units)
		if n == 0 {
			continue
		}
		units -= n
		h.Units -= n
		k := slices.IndexFunc(h.Covers, func(c removal.HoldCover) bool { return c.Order == order })
		if k < 0 {
			k = len(h.Covers)
			h.Covers = append(h.Covers, removal.HoldCover{Hold: h.ID, Order: order})
		}
		h.Covers[k].Covered += n
	}
}

// follow brings the rows of each order to what became of its units: those that
// left are the oldest, those that came back the newest.
func (s *settling) follow() {
	for i := range s.p.Orders {
		o := &s.p.Orders[i]
		rows := s.coversOf(o.Order)
		var all int64
		for _, c := range rows {
			all += c.row.Covered + c.row.Gone + c.row.Returned
		}
		gone := min(all, o.Left)
		open := min(all-gone, o.Open)
		for _, c := range rows {
			units, before := c.row.Covered+c.row.Gone+c.row.Returned, c.row.Returned
			c.row.Gone = min(units, gone)
			c.row.Covered = min(units-c.row.Gone, open)
			c.row.Returned = units - c.row.Gone - c.row.Covered
			gone, open = gone-c.row.Gone, open-c.row.Covered
			if c.row.Returned > before {
				c.row.ReturnedAt = s.r.Now
			}
		}
	}
	for i := range s.p.Holds {
		h := &s.p.Holds[i]
		h.Covered, h.Returned = 0, 0
		for _, c := range h.Covers {
			h.Covered += c.Covered
			h.Returned += c.Returned
		}
		h.Resumed = min(h.Resumed, h.Returned)
		s.free[h.ID] = h.Units
	}
}

// subtract takes from the shares what orders take of them, and notes what of it
// left already: while the snapshot shows it, the hold has to be known.
func (s *settling) subtract() {
	for i := range s.p.Holds {
		s.p.Holds[i].Leaving = 0
	}
	for i := range s.p.Orders {
		rest := s.p.Orders[i].Counted
		rows := s.coversOf(s.p.Orders[i].Order)
		for _, c := range slices.Backward(rows) {
			n := min(rest, c.row.Covered+c.row.Gone)
			c.hold.Leaving += max(0, n-c.row.Covered)
			rest -= n - s.drop(n, func(p *share) bool { return p.dated && p.Reason == c.hold.Reason && p.Since.Equal(c.hold.Since) },
				func(p *share) bool { return !p.dated })
		}
		s.drop(rest)
	}
}

// drop takes units from the shares, first from those that fit best, and gives how
// many found no room.
func (s *settling) drop(units int64, best ...func(*share) bool) int64 {
	for _, fits := range append(best, func(*share) bool { return true }) {
		for i := range s.shares {
			if p := &s.shares[i]; units > 0 && fits(p) {
				n := min(units, p.Units)
				p.Units -= n
				units -= n
			}
		}
	}
	return units
}

// match finds the holds that the shares are in. Of equals the newest stay, so that
// the oldest close first.
func (s *settling) match() {
	newest := s.oldest()
	slices.Reverse(newest)
	pair := func(p *share, fits func(*removal.Hold) bool) {
		for _, h := range newest {
			if p.Units > 0 && s.free[h.ID] > 0 && fits(h) {
				n := min(p.Units, s.free[h.ID])
				p.Units -= n
				s.free[h.ID] -= n
			}
		}
	}
	for i := range s.shares {
		if p := &s.shares[i]; p.dated {
			pair(p, func(h *removal.Hold) bool { return h.Reason == p.Reason && h.Since.Equal(p.Since) })
		}
	}
	for i := range s.shares {
		p := &s.shares[i]
		pair(p, func(h *removal.Hold) bool {
			return p.seen(h.Reason) && (h.Reason == p.Reason || !h.Deadline.After(p.deadline))
		})
	}
	for i := range s.shares {
		p := &s.shares[i]
		if !p.dated && s.p.Condition == removal.Unsellable {
			pair(p, func(h *removal.Hold) bool { return !h.Deadline.After(p.deadline) })
		}
		s.change(p, newest)
	}
}

// has tells whether a reason is among the causes, seen whether it is one whose
// day no file gives.
func (p *share) has(reason removal.HoldReason) bool {
	return slices.ContainsFunc(p.Causes, func(c Cause) bool { return c.Reason == reason })
}

func (p *share) seen(reason removal.HoldReason) bool {
	return slices.ContainsFunc(p.Causes, func(c Cause) bool { return c.Reason == reason && c.Since.IsZero() })
}

// change puts units of holds on what ends them earlier, or on the day that a file
// gives where their beginning was only seen.
func (s *settling) change(p *share, newest []*removal.Hold) {
	for _, h := range newest {
		if p.Units == 0 {
			return
		}
		better := p.dated && !h.Dated || !p.dated && p.has(h.Reason) && h.Deadline.After(p.deadline)
		if s.free[h.ID] == 0 || !better {
			continue
		}
		n := min(p.Units, s.free[h.ID])
		p.Units -= n
		s.free[h.ID] -= n
		h.Reason, h.Since, h.Dated, h.Deadline = p.Reason, p.Since, p.dated, p.deadline
	}
}

// grow ends what no share accounts for, and opens holds for the shares that are in
// none: first those of units that came back from orders.
func (s *settling) grow() {
	for i := range s.p.Holds {
		s.p.Holds[i].Units -= s.free[s.p.Holds[i].ID]
	}
	old := len(s.p.Holds)
	for _, exact := range []bool{true, false} {
		for i := range s.shares {
			p := &s.shares[i]
			for k := range old {
				s.resume(p, k, exact)
			}
		}
	}
	for i := range s.shares {
		if p := &s.shares[i]; p.Units > 0 {
			s.open(removal.Hold{Reason: p.Reason, Since: p.Since, Dated: p.dated, Deadline: p.deadline}, p.Units)
		}
	}
}

// resume opens a hold for units that came back to hold k.
func (s *settling) resume(p *share, k int, exact bool) {
	h := &s.p.Holds[k]
	n := min(p.Units, h.Returned-h.Resumed)
	if n <= 0 || exact && (!p.dated || h.Reason != p.Reason || !h.Since.Equal(p.Since)) ||
		!p.has(h.Reason) && s.p.Condition == removal.Sellable {
		return
	}
	deadline := s.r.Today.AddDate(0, 0, resumeDays)
	if h.Deadline.After(deadline) {
		deadline = h.Deadline
	}
	p.Units -= n
	h.Resumed += n
	fresh := removal.Hold{Origin: h.ID, Reason: h.Reason, Since: h.Since, Dated: h.Dated, Deadline: deadline}
	if p.Reason != h.Reason && p.deadline.Before(deadline) && !p.deadline.Before(s.r.Today.AddDate(0, 0, resumeDays)) {
		fresh.Reason, fresh.Since, fresh.Dated, fresh.Deadline = p.Reason, p.Since, p.dated, p.deadline
	}
	s.open(fresh, n)
}

func (s *settling) open(h removal.Hold, units int64) {
	h.ID, s.r.NextID = s.r.NextID, s.r.NextID+1
	h.Pool, h.SKU, h.FNSKU, h.Title, h.Condition = s.p.Pool, s.p.SKU, s.p.FNSKU, s.p.Title, s.p.Condition
	h.Opened, h.First, h.Units = s.r.Now, units, units
	s.p.Holds = append(s.p.Holds, h)
}

// end notes which holds have nothing left. What came back and is in no snapshot
// that is newer by some days is gone after all.
func (s *settling) end() {
	for i := range s.p.Holds {
		h := &s.p.Holds[i]
		if h.Returned > h.Resumed && s.lost(h) {
			h.Resumed = h.Returned
		}
		switch {
		case h.Live():
			h.Ended = time.Time{}
		case h.Ended.IsZero():
			h.Ended = s.r.Now
		}
	}
}

func (s *settling) lost(h *removal.Hold) bool {
	return !slices.ContainsFunc(h.Covers, func(c removal.HoldCover) bool {
		return c.Returned > 0 && s.r.Snapshot.Before(c.ReturnedAt.Add(returnWithin))
	})
}
