package inventory

import (
	"cmp"
	"math"
	"slices"

	"rensa/pkg/removal"
)

// A dated lot while a file is read, 24 bytes: the first item of its pool, units,
// three days and what it is.
const (
	lotSize  = 24
	lotShift = 14

	lotItem     = 0
	lotUnits    = 4
	lotReceived = 8
	lotSince    = 12
	lotExpiry   = 16
	lotFlags    = 20 // condition; 2: recalled
)

// lotTable keeps the dated lots of Rensa's own format in the file's order.
type lotTable struct {
	table
	source Source
	dir    string
}

func newLotTable(opt ReadOptions, kind removal.Kind) lotTable {
	return lotTable{newTable(lotSize, lotShift), Source{Kind: kind, File: opt.File}, opt.TempDir}
}

// keep notes a lot of the pool that begins with item; lots without dates are not
// kept, because the pool's quantity has them.
func (t *lotTable) keep(item int32, c removal.Condition, units uint32, l *lot) {
	if units == 0 || l.received == 0 && l.since == 0 && l.expiry == 0 {
		return
	}
	_, rec := t.add()
	put32(rec, lotItem, uint32(item))
	put32(rec, lotUnits, units)
	put32(rec, lotReceived, uint32(l.received))
	put32(rec, lotSince, uint32(l.since))
	put32(rec, lotExpiry, uint32(l.expiry))
	rec[lotFlags] = byte(c)
	if l.recalled {
		rec[lotFlags] |= 2
	}
}

// book makes the snapshot's facts of the lots, after pools were joined and
// counted; nil where there are no lots.
func (t *lotTable) book(s *Snapshot, day Day) (*book, error) {
	if t.n == 0 {
		return nil, nil
	}
	t.source.Date, t.source.Day = s.date, day
	// Chains of lots by pool, in the file's order.
	head, next := make([]int32, s.pools.n), make([]int32, t.n)
	for i := int32(t.n) - 1; i >= 0; i-- {
		p := s.PoolOf(int32(u32(t.at(i), lotItem)))
		next[i], head[p] = head[p], i+1
	}
	w := bookWriter{dir: t.dir}
	var record []byte
	f := noFacts()
	for p := range int32(s.pools.n) {
		record = record[:0]
		if head[p] > 0 {
			f.Lots = Lots{From: 0, All: f.Lots.All[:0]}
			f.Lots.Sellable, f.Lots.Unsellable = s.Units(p)
			for i := head[p] - 1; i >= 0; i = next[i] - 1 {
				f.Lots.All = append(f.Lots.All, lotOf(t.at(i)))
			}
			f.Lots.All = sortLots(f.Lots.All)
			record = appendFacts(record, &f)
		}
		if err := w.add(record); err != nil {
			return nil, err
		}
	}
	return w.finish([]Source{t.source})
}

func lotOf(rec []byte) Lot {
	return Lot{
		Condition: removal.Condition(rec[lotFlags] & 1), Recalled: rec[lotFlags]&2 != 0, Units: int64(u32(rec, lotUnits)),
		Received: Day(u32(rec, lotReceived)), Since: Day(u32(rec, lotSince)), Expiry: Day(u32(rec, lotExpiry)),
	}
}

// sortLots puts lots in order and adds up those that differ in nothing but units.
func sortLots(all []Lot) []Lot {
	same := func(a, b Lot) int {
		return cmp.Or(cmp.Compare(a.Condition, b.Condition), cmp.Compare(a.Received, b.Received),
			cmp.Compare(a.Since, b.Since), cmp.Compare(a.Expiry, b.Expiry), boolCompare(a.Recalled, b.Recalled))
	}
	slices.SortStableFunc(all, same)
	out := all[:0]
	for _, l := range all {
		if n := len(out); n > 0 && same(out[n-1], l) == 0 && out[n-1].Units <= math.MaxInt64-l.Units {
			out[n-1].Units += l.Units
			continue
		}
		out = append(out, l)
	}
	return out
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// rawBook is a book of which every record lies in memory, for random access.
type rawBook struct {
	data    []byte
	at      []uint32 // by pool, and the end
	sources []Source
}

func readRaw(k *book) (*rawBook, error) {
	r := &rawBook{at: make([]uint32, 1, k.pools+1), sources: k.sources}
	err := k.each(func(_ int32, record []byte) error {
		if uint64(len(r.data))+uint64(len(record)) > math.MaxUint32 {
			return ErrFormat
		}
		r.data = append(r.data, record...)
		r.at = append(r.at, uint32(len(r.data)))
		return nil
	})
	return r, err
}

func (r *rawBook) record(p int32) []byte { return r.data[r.at[p]:r.at[p+1]] }
