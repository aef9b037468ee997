package desk

import (
	"slices"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// dates gives the units of a line that left their dates: those of disposals are
// the status rows', those of shipments the parcels' as far as parcels are known,
// earliest first, and for the rest the status rows'. at is the date of what is new.
func dates(left []removal.Left, units removal.Units, parcels []ledger.Shipment, at time.Time) []removal.Left {
	var disposed, undated []removal.Left
	fewer := -units.Shipped // units that left after all not
	for _, l := range left {
		switch {
		case l.Disposed:
			disposed = append(disposed, l)
			continue
		case !l.Dated:
			undated = append(undated, l)
		}
		fewer += l.Units
	}
	if fewer > 0 {
		undated = resize(undated, max(0, sum(undated)-fewer), removal.Left{})
	}
	disposed = resize(disposed, units.Disposed, removal.Left{At: at, Disposed: true})
	parcels = slices.Clone(parcels)
	slices.SortStableFunc(parcels, func(a, b ledger.Shipment) int { return a.At.Compare(b.At) })
	rest := units.Shipped
	var all []removal.Left
	for _, s := range parcels {
		if n := min(s.Units, rest); n > 0 {
			rest -= n
			if k := len(all); k > 0 && all[k-1].At.Equal(s.At) {
				all[k-1].Units += n
				continue
			}
			all = append(all, removal.Left{At: s.At, Units: n, Dated: true})
		}
	}
	// What parcels date now are the units that were told of first.
	if known := sum(undated) - rest; known > 0 {
		undated = drop(undated, known)
	}
	undated = resize(undated, rest, removal.Left{At: at})
	return slices.Concat(disposed, all, undated)
}

func sum(left []removal.Left) (n int64) {
	for _, l := range left {
		n += l.Units
	}
	return n
}

// resize makes the units of a list n: what is new is added with a date, what is too
// many is taken from the last.
func resize(left []removal.Left, n int64, fresh removal.Left) []removal.Left {
	more := n - sum(left)
	if more > 0 {
		if k := len(left); k > 0 && left[k-1].At.Equal(fresh.At) {
			left[k-1].Units += more
			return left
		}
		fresh.Units = more
		return append(left, fresh)
	}
	for more < 0 {
		k := len(left) - 1
		take := min(left[k].Units, -more)
		more += take
		if left[k].Units -= take; left[k].Units == 0 {
			left = left[:k]
		}
	}
	return left
}

// drop takes n units from the first of a list.
func drop(left []removal.Left, n int64) []removal.Left {
	for n > 0 {
		take := min(left[0].Units, n)
		n -= take
		if left[0].Units -= take; left[0].Units == 0 {
			left = left[1:]
		}
	}
	return left
}

// redate sets the dates of a line's units that left, and notes the movements that
// make it so. It answers whether anything changed.
func (p *planner) redate(r *ledger.Record, l *removal.Line, c removal.Condition, parcels []ledger.Shipment, at time.Time, row int) bool {
	progress := p.progress(r, l.SKU, c)
	before := progress.Left
	after := dates(slices.Clone(before), *l.Units(c), parcels, at)
	if slices.Equal(before, after) {
		return false
	}
	var when []time.Time
	change := map[int64]int64{}
	count := func(left []removal.Left, sign int64) {
		for _, x := range left {
			if _, ok := change[x.At.UnixMicro()]; !ok {
				when = append(when, x.At)
			}
			change[x.At.UnixMicro()] += sign * x.Units
		}
	}
	count(before, -1)
	count(after, 1)
	slices.SortFunc(when, time.Time.Compare)
	for _, t := range when {
		p.move(ledger.MovementLeft, t, r, l, c, change[t.UnixMicro()], row)
	}
	progress.Left = after
	return true
}

// parcelsByLine are the shipments of an order by its lines.
func parcelsByLine(all []ledger.Shipment) map[lineKey][]ledger.Shipment {
	by := map[lineKey][]ledger.Shipment{}
	for _, s := range all {
		k := lineKey{s.SKU, s.Condition}
		by[k] = append(by[k], s)
	}
	return by
}
