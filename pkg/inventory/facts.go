package inventory

import (
	"time"

	"rensa/pkg/removal"
)

// Day is a calendar day where the store is, in days since 1970. 0: unknown.
type Day int32

// DayOf is the day of a moment where it is.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Time is midnight UTC of the day, zero for an unknown one.
func (d Day) Time() time.Time { return dayTime(uint32(d)) }

// Source is a file that facts were read from.
type Source struct {
	Kind removal.Kind `json:"kind"`
	File string       `json:"file"` // SHA-256 of its bytes
	Date time.Time    `json:"date"`
	Day  Day          `json:"day"` // of Date, where the store is
}

// Facts are what is known about a pool beyond its quantities. Each fact has the
// number of its source in Sources; -1 where there is no such fact.
type Facts struct {
	Lots     Lots
	Aged     []Aged // the newest first; those after it serve interpolation
	Sales    Sales
	Stranded Stranded
	Reserved Reserved
	Recalled Recalled
	Measured Measured
}

// Lots are the lots of a pool of which a date is known.
type Lots struct {
	From                 int
	Sellable, Unsellable int64 // the pool's units then, those without dates too
	All                  []Lot // by condition, then by the days in them
}

// Lot is units that came together.
type Lot struct {
	Condition               removal.Condition
	Recalled                bool
	Units                   int64
	Received, Since, Expiry Day
}

// Aged is how old a pool's sellable units were, as a report says it.
type Aged struct {
	From  int
	Units int64 // sellable then
	// Charge are the units that the report says will be charged at the clean-up
	// after its day, and Charge456 those of them aged 456 days or more; -1: it
	// does not say.
	Charge, Charge456 int64
	Bands             Bands
}

// Sales are units shipped in the last 30 and 90 days before the source's date;
// -1: not known.
type Sales struct {
	From     int
	T30, T90 int64
}

// Stranded are units that no listing sells.
type Stranded struct {
	From  int
	Since Day
	Units int64
}

// Reserved are units that are on hand and spoken for.
type Reserved struct {
	From  int
	Units int64
}

// Recalled says that a recall list names the pool's product.
type Recalled struct {
	From  int
	Since Day
}

// Measured says where sizes and weight came from that Product gives, if not from
// the snapshot's own file.
type Measured struct {
	From      int
	VolumeMM3 int64 // of one unit as the source says it; 0: it does not
}

// noFacts is a pool of which nothing more is known.
func noFacts() Facts {
	return Facts{
		Lots: Lots{From: -1}, Sales: Sales{From: -1}, Stranded: Stranded{From: -1}, Reserved: Reserved{From: -1},
		Recalled: Recalled{From: -1}, Measured: Measured{From: -1},
	}
}

// The bands in which reports count ages, by their first day. A report that knows
// fewer has wider ones.
var bandStarts = [...]int{0, 31, 61, 91, 181, 271, 331, 366, 456}

const (
	numBands  = len(bandStarts)
	lastBand  = numBands - 1
	openEnded = 1 << 30 // the last day of the last band
)

// Bands are units by age. Starts has a bit for each of bandStarts at which a band
// begins; the units of a band stand at its start. No bit: no ages are known.
type Bands struct {
	Starts uint16
	Units  [numBands]int64
}

// Known tells whether there are ages.
func (b *Bands) Known() bool { return b.Starts != 0 }

// set begins a band.
func (b *Bands) set(start int, units int64) {
	b.Starts |= 1 << start
	b.Units[start] = units
}

// Each visits the bands from the youngest: the ages from and to, both included;
// to is far beyond any age for the last.
func (b *Bands) Each(visit func(from, to int, units int64)) {
	for i := 0; i < numBands; {
		next := i + 1
		for next < numBands && b.Starts&(1<<next) == 0 {
			next++
		}
		if b.Starts&(1<<i) != 0 {
			to := openEnded
			if next < numBands {
				to = bandStarts[next] - 1
			}
			visit(bandStarts[i], to, b.Units[i])
		}
		i = next
	}
}

// Sum are all units in the bands.
func (b *Bands) Sum() (n int64) {
	for i := range numBands {
		if b.Starts&(1<<i) != 0 {
			n += b.Units[i]
		}
	}
	return n
}

// HistoryStep is how many days lie between the reports that are kept for
// interpolation, at least, and HistoryDays how far back they go.
const (
	HistoryStep = 28
	HistoryDays = 400
)

// putAged takes a report's ages in. The newest is the truth; of the older ones
// some are kept for interpolation.
func (f *Facts) putAged(a Aged, sources []Source) {
	day := func(a Aged) Day { return sources[a.From].Day }
	at := 0
	for at < len(f.Aged) && sources[f.Aged[at].From].Date.After(sources[a.From].Date) {
		at++
	}
	if at < len(f.Aged) && day(f.Aged[at]) == day(a) {
		f.Aged[at] = a
	} else {
		f.Aged = append(f.Aged[:at], append([]Aged{a}, f.Aged[at:]...)...)
	}
	// From the oldest on, so that which ones stay does not depend on today.
	newest := day(f.Aged[0])
	var kept []Aged
	last := Day(0)
	for i := len(f.Aged) - 1; i >= 0; i-- {
		d := day(f.Aged[i])
		if i == 0 || d > newest-HistoryDays && (last == 0 || d >= last+HistoryStep) && f.Aged[i].Bands.Known() {
			kept = append(kept, f.Aged[i])
			last = d
		}
	}
	f.Aged = f.Aged[:0]
	for i := len(kept) - 1; i >= 0; i-- {
		f.Aged = append(f.Aged, kept[i])
	}
}
