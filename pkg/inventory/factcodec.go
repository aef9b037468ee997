package inventory

import (
	"encoding/binary"
	"fmt"

	"rensa/pkg/removal"
)

// The parts of a pool's record. Each is its tag, the number of its source, and
// its numbers; all are unsigned varints.
const (
	tagLots = iota + 1
	tagAged
	tagSales
	tagStranded
	tagReserved
	tagRecalled
	tagMeasured
)

// appendFacts writes a record; nothing known gives no bytes.
func appendFacts(b []byte, f *Facts) []byte {
	put := func(values ...int64) {
		for _, v := range values {
			b = binary.AppendUvarint(b, uint64(v))
		}
	}
	if f.Lots.From >= 0 {
		put(tagLots, int64(f.Lots.From), f.Lots.Sellable, f.Lots.Unsellable, int64(len(f.Lots.All)))
		for _, l := range f.Lots.All {
			flags := int64(l.Condition)
			if l.Recalled {
				flags |= 2
			}
			put(flags, l.Units, int64(l.Received), int64(l.Since), int64(l.Expiry))
		}
	}
	for i := range f.Aged {
		a := &f.Aged[i]
		put(tagAged, int64(a.From), a.Units, a.Charge+1, a.Charge456+1, int64(a.Bands.Starts))
		for k, units := range a.Bands.Units {
			if a.Bands.Starts&(1<<k) != 0 {
				put(units)
			}
		}
	}
	if f.Sales.From >= 0 {
		put(tagSales, int64(f.Sales.From), f.Sales.T30+1, f.Sales.T90+1)
	}
	if f.Stranded.From >= 0 {
		put(tagStranded, int64(f.Stranded.From), int64(f.Stranded.Since), f.Stranded.Units)
	}
	if f.Reserved.From >= 0 {
		put(tagReserved, int64(f.Reserved.From), f.Reserved.Units)
	}
	if f.Recalled.From >= 0 {
		put(tagRecalled, int64(f.Recalled.From), int64(f.Recalled.Since))
	}
	if f.Measured.From >= 0 {
		put(tagMeasured, int64(f.Measured.From), f.Measured.VolumeMM3)
	}
	return b
}

// maxVarint bounds every number in a record: units, days, cubic millimetres.
const maxVarint = 1 << 60

// factReader reads the numbers of a record; a fault is kept.
type factReader struct {
	b       []byte
	sources int
	bad     bool
}

func (r *factReader) next() int64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > maxVarint {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

func (r *factReader) source() int {
	n := r.next()
	if n >= int64(r.sources) {
		r.bad = true
		return 0
	}
	return int(n)
}

// readFacts reads a record into f, whose memory is used again.
func readFacts(b []byte, sources int, f *Facts) error {
	lots, aged := f.Lots.All[:0], f.Aged[:0]
	*f = noFacts()
	f.Aged = aged
	r := &factReader{b: b, sources: sources}
	for len(r.b) > 0 {
		switch tag := r.next(); tag {
		case tagLots:
			f.Lots = Lots{From: r.source(), Sellable: r.next(), Unsellable: r.next(), All: lots}
			n := r.next()
			if n > int64(len(r.b)) {
				r.bad = true
				n = 0
			}
			for range n {
				flags := r.next()
				f.Lots.All = append(f.Lots.All, Lot{
					Condition: removal.Condition(flags & 1), Recalled: flags&2 != 0, Units: r.next(),
					Received: Day(r.next()), Since: Day(r.next()), Expiry: Day(r.next()),
				})
			}
		case tagAged:
			a := Aged{From: r.source(), Units: r.next(), Charge: r.next() - 1, Charge456: r.next() - 1}
			a.Bands.Starts = uint16(r.next())
			for k := range a.Bands.Units {
				if a.Bands.Starts&(1<<k) != 0 {
					a.Bands.Units[k] = r.next()
				}
			}
			f.Aged = append(f.Aged, a)
		case tagSales:
			f.Sales = Sales{From: r.source(), T30: r.next() - 1, T90: r.next() - 1}
		case tagStranded:
			f.Stranded = Stranded{From: r.source(), Since: Day(r.next()), Units: r.next()}
		case tagReserved:
			f.Reserved = Reserved{From: r.source(), Units: r.next()}
		case tagRecalled:
			f.Recalled = Recalled{From: r.source(), Since: Day(r.next())}
		case tagMeasured:
			f.Measured = Measured{From: r.source(), VolumeMM3: r.next()}
		default:
			r.bad = true
		}
		if r.bad {
			return fmt.Errorf("facts: %w", ErrFormat)
		}
	}
	return nil
}
