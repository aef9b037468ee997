package inventory

import (
	"math/bits"
	"slices"

	"rensa/pkg/removal"
)

// Basis is what an age is known from, from the best to the least.
type Basis string

// The bases of ages.
const (
	BasisLots         Basis = "lots"         // lots with the days they were received
	BasisColumn       Basis = "column"       // the report says itself what will be charged
	BasisInterpolated Basis = "interpolated" // age bands, with what earlier reports and lots tell of the band that the line cuts
	BasisBands        Basis = "bands"        // age bands alone
	BasisNone         Basis = "none"
)

// AgeLine says which units are charged: those aged FromDays or more on CleanUp.
type AgeLine struct {
	CleanUp  Day
	FromDays int
	// Next is the clean-up that a report of a day speaks of: the first after it.
	Next func(Day) Day
}

// AgedUnits are units of at least an age, in days on the day of the clean-up.
type AgedUnits struct {
	Age   int
	Units int64
}

// Charged are the sellable units of a pool that will be charged if nothing more is
// sold.
type Charged struct {
	Units int64
	Basis Basis
	From  int // number of the source; -1: none
	// AtLeast: there may be more, of which it is not known.
	AtLeast bool
	ByAge   []AgedUnits // the oldest first; their sum is Units
}

// truth tells what the ages of a pool's sellable units are known from: the newest
// of lots and reports, of one day the lots.
func (f *Facts) truth(sources []Source) (lots bool, aged *Aged) {
	hasLots := f.Lots.From >= 0 && slices.ContainsFunc(f.Lots.All, func(l Lot) bool {
		return l.Condition == removal.Sellable && l.Received > 0
	})
	if len(f.Aged) > 0 && (!hasLots || sources[f.Aged[0].From].Day > sources[f.Lots.From].Day) {
		return false, &f.Aged[0]
	}
	return hasLots, nil
}

// Charged finds the units that the line charges of the sellable ones that a pool
// has. What left since the facts' day were the oldest, first in first out.
func (f *Facts) Charged(sources []Source, sellable int64, line AgeLine) Charged {
	lots, aged := f.truth(sources)
	c := Charged{Basis: BasisNone, From: -1, AtLeast: sellable > 0}
	switch {
	case lots:
		c = f.chargedLots(sellable, line)
	case aged != nil:
		c = f.chargedAged(sources, aged, sellable, line)
	}
	c.limit(sellable)
	return c
}

// limit keeps at most so many units, the oldest.
func (c *Charged) limit(units int64) {
	c.Units = 0
	for i := range c.ByAge {
		c.ByAge[i].Units = min(c.ByAge[i].Units, units-c.Units)
		c.Units += c.ByAge[i].Units
	}
	c.ByAge = slices.DeleteFunc(c.ByAge, func(a AgedUnits) bool { return a.Units == 0 })
}

// drop takes so many of the oldest units away; none, where units came instead.
func (c *Charged) drop(units int64) {
	units = max(units, 0)
	for i := range c.ByAge {
		n := min(c.ByAge[i].Units, units)
		c.ByAge[i].Units -= n
		units -= n
	}
}

func (f *Facts) chargedLots(sellable int64, line AgeLine) Charged {
	c := Charged{Basis: BasisLots, From: f.Lots.From}
	dated := int64(0)
	for _, l := range f.Lots.All {
		if l.Condition != removal.Sellable || l.Received == 0 {
			continue
		}
		dated += l.Units
		if age := int(line.CleanUp - l.Received); age >= line.FromDays {
			c.ByAge = append(c.ByAge, AgedUnits{age, l.Units}) // in the order of the days: the oldest first
		}
	}
	c.AtLeast = f.Lots.Sellable > dated
	c.drop(f.Lots.Sellable - sellable)
	return c
}

func (f *Facts) chargedAged(sources []Source, a *Aged, sellable int64, line AgeLine) Charged {
	day := sources[a.From].Day
	if a.Charge >= 0 && line.isYear() && line.Next(day) == line.CleanUp {
		c := Charged{Basis: BasisColumn, From: a.From}
		old := max(min(a.Charge456, a.Charge), 0)
		c.ByAge = []AgedUnits{{456, old}, {line.FromDays, a.Charge - old}}
		c.drop(a.Units - sellable)
		return c
	}
	c := f.chargedBands(sources, a, line)
	c.From = a.From
	// What a report says of an earlier clean-up will be charged at this one too.
	if line.isYear() && a.Charge >= 0 && line.Next(day) < line.CleanUp {
		sum := int64(0)
		for _, u := range c.ByAge {
			sum += u.Units
		}
		if a.Charge > sum {
			c.Basis, c.AtLeast = BasisColumn, true
			c.ByAge = append(c.ByAge, AgedUnits{line.FromDays, a.Charge - sum})
		}
	}
	c.drop(a.Units - sellable)
	return c
}

// isYear tells whether the line is the one that the reports' columns speak of.
func (l *AgeLine) isYear() bool { return l.FromDays == 365 }

func (f *Facts) chargedBands(sources []Source, a *Aged, line AgeLine) Charged {
	c := Charged{Basis: BasisBands}
	if !a.Bands.Known() {
		return Charged{Basis: BasisNone, AtLeast: a.Units > 0}
	}
	day := sources[a.From].Day
	least := line.FromDays - int(line.CleanUp-day) // the age on the report's day from which units are charged
	a.Bands.Each(func(from, to int, units int64) {
		switch {
		case units == 0 || to < least:
		case from >= least:
			c.ByAge = append(c.ByAge, AgedUnits{max(from+int(line.CleanUp-day), line.FromDays), units})
		default:
			n, ok := f.crossing(sources, day, from, to, least, units)
			if ok {
				c.Basis = BasisInterpolated
				c.ByAge = append(c.ByAge, AgedUnits{line.FromDays, n})
				return
			}
			c.AtLeast = true
		}
	})
	slices.Reverse(c.ByAge)
	return c
}

// widths is a multiple of how many days any closed band has, so that shares of
// bands are whole numbers.
const widths = 31 * 60 * 7 * 13 * 3 * 19

// crossing estimates how many of the units aged from to to on a day are aged least
// or more, by how many came on each of those days: an earlier report had them in a
// narrower band, lots know their day. Of several the narrowest band counts, then
// the latest. Of units that came, the youngest are still there. Not ok: nothing is
// known of some of the days, or of no units.
func (f *Facts) crossing(sources []Source, day Day, from, to, least int, units int64) (n int64, ok bool) {
	if to == openEnded {
		return 0, false
	}
	var young, old uint64
	for age := from; age <= to; age++ {
		share, known := f.arrivals(sources, day, day-Day(age))
		if !known {
			return 0, false
		}
		if age < least {
			young += share
		} else {
			old += share
		}
	}
	all := young + old
	switch came := uint64(units) * widths; {
	case all == 0:
		return 0, false
	case all >= came:
		if young >= came {
			return 0, true
		}
		return int64((came - young) / widths), true
	}
	high, low := bits.Mul64(uint64(units), old)
	share, _ := bits.Div64(high, low, all)
	return int64(share), true
}

// arrivals is how many units came on a day, times widths, as facts from before the
// report's day tell it.
func (f *Facts) arrivals(sources []Source, report, came Day) (share uint64, known bool) {
	width, at := openEnded, Day(0)
	if l := &f.Lots; l.From >= 0 && sources[l.From].Day < report && came <= sources[l.From].Day {
		dated := int64(0)
		for _, lot := range l.All {
			if sellableLot(lot) {
				dated += lot.Units
				if lot.Received == came {
					share += uint64(lot.Units) * widths
				}
			}
		}
		if dated > 0 && dated == l.Sellable { // else it is not known how many came that day
			return share, true
		}
		share = 0
	}
	for i := range f.Aged {
		a := &f.Aged[i]
		d := sources[a.From].Day
		if d >= report || came > d {
			continue
		}
		age := int(d - came)
		a.Bands.Each(func(from, to int, units int64) {
			if age < from || age > to || to == openEnded {
				return
			}
			if w := to - from + 1; w < width || w == width && d > at {
				width, at = w, d
				share = uint64(units) * (widths / uint64(w))
			}
		})
	}
	return share, width < openEnded
}

func sellableLot(l Lot) bool { return l.Condition == removal.Sellable && l.Received > 0 }

// Less is what is left after so many of the oldest units were taken away.
func (c Charged) Less(units int64) Charged {
	c.ByAge = slices.Clone(c.ByAge)
	c.drop(units)
	c.limit(c.Units)
	return c
}
