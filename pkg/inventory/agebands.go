package inventory

import "rensa/pkg/removal"

// The bands in which ages are shown, by their first day, and their number.
var shownStarts = [...]int{0, 91, 181, 271, 366}

// ShownBands is how many bands of ages are shown: up to 90 days, 180, 270, 365,
// and older.
const ShownBands = len(shownStarts)

// Ages are a pool's sellable units by age.
type Ages struct {
	Basis Basis
	From  int
	AsOf  Day // the day on which they were so old
	Units [ShownBands]int64
	// Mid are those of 121 to 180 days; -1: not known.
	Mid     int64
	Unknown int64 // units of which no age is known
}

// Ages tells how old a pool's sellable units are on a day: to the day where lots
// are known, else in the bands of the newest report, on that report's day.
func (f *Facts) Ages(sources []Source, sellable int64, on Day) Ages {
	lots, aged := f.truth(sources)
	a := Ages{Basis: BasisNone, From: -1, AsOf: on, Mid: -1, Unknown: sellable}
	switch {
	case lots:
		a.fromLots(f, sellable, on)
	case aged != nil && aged.Bands.Known():
		a.Basis, a.From, a.AsOf = BasisBands, aged.From, sources[aged.From].Day
		aged.Bands.Each(func(from, _ int, units int64) { a.Units[shown(from)] += units })
		a.drop(aged.Units - sellable)
		a.Unknown = sellable
		for _, n := range a.Units {
			a.Unknown -= n
		}
		a.Unknown = max(a.Unknown, 0)
	}
	return a
}

func shown(age int) int {
	i := 0
	for i+1 < ShownBands && age >= shownStarts[i+1] {
		i++
	}
	return i
}

func (a *Ages) fromLots(f *Facts, sellable int64, on Day) {
	a.Basis, a.From, a.Mid = BasisLots, f.Lots.From, 0
	gone := max(f.Lots.Sellable-sellable, 0)
	for _, l := range f.Lots.All { // the oldest first
		if !sellableLot(l) {
			continue
		}
		n := l.Units - min(l.Units, gone)
		gone -= l.Units - n
		n = min(n, a.Unknown)
		age := int(on - l.Received)
		a.Units[shown(age)] += n
		a.Unknown -= n
		if age > 120 && age <= 180 {
			a.Mid += n
		}
	}
}

// drop takes so many of the oldest units away.
func (a *Ages) drop(units int64) {
	for i := ShownBands - 1; i >= 0 && units > 0; i-- {
		n := min(a.Units[i], units)
		a.Units[i] -= n
		units -= n
	}
}

// UnsellableAges are a pool's unsellable units by the days since they became so.
type UnsellableAges struct {
	Week, To60, To90, Older int64
	Unknown                 int64
}

// UnsellableAges tells since when a pool's unsellable units are so, where lots say
// it. Of units that are gone since, the longest unsellable went first.
func (f *Facts) UnsellableAges(unsellable int64, on Day) UnsellableAges {
	a := UnsellableAges{Unknown: unsellable}
	if f.Lots.From < 0 {
		return a
	}
	gone := max(f.Lots.Unsellable-unsellable, 0)
	all := unsellableBySince(f.Lots.All)
	for _, l := range all {
		n := l.Units - min(l.Units, gone)
		gone -= l.Units - n
		n = min(n, a.Unknown)
		a.Unknown -= n
		switch days := int(on - l.Since); {
		case days <= 7:
			a.Week += n
		case days <= 60:
			a.To60 += n
		case days <= 90:
			a.To90 += n
		default:
			a.Older += n
		}
	}
	return a
}

// unsellableBySince are the lots that say since when, the longest first.
func unsellableBySince(lots []Lot) []Lot {
	var all []Lot
	for _, l := range lots {
		if l.Condition != removal.Unsellable || l.Since == 0 {
			continue
		}
		at := len(all)
		for at > 0 && all[at-1].Since > l.Since {
			at--
		}
		all = append(all[:at], append([]Lot{l}, all[at:]...)...)
	}
	return all
}
