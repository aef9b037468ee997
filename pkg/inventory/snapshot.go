package inventory

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"rensa/pkg/removal"
)

// An item is 64 bytes: pool, lengths, then MSKU and FNSKU beside each other. Keys
// that do not fit lie in the overflow, and the item says where.
const (
	itemSize  = 64
	itemShift = 14 // a page is 1 MiB
	itemKeys  = 6
	keyRoom   = itemSize - itemKeys
	overflown = 255 // as length of the MSKU
)

// A pool is 16 bytes: units of both conditions, the first of its items, and its
// facts' number + 1.
const (
	poolSize  = 16
	poolShift = 16
)

// Snapshot is the stock of a merchant at one moment. MSKUs and pools have numbers
// from 0 in the order of the file. It never changes; Close it when done.
type Snapshot struct {
	kind     removal.Kind
	date     time.Time
	dateTime bool
	excluded bool
	sellable int64
	unsold   int64 // unsellable units
	seed     uint64
	asinLens uint64 // bit n: there is an ASIN of n bytes; bit 63: of 63 or more

	items    table
	pools    table
	facts    table
	overflow []byte
	hazmat   []string
	skus     packedIndex

	side side
	book *book // nil: nothing is known beyond quantities and products

	// tellsRecalled: the file said of each lot whether it is recalled.
	tellsRecalled bool

	// fnskus finds pools by FNSKU; for a file it is read when it is first asked for.
	fnskus     onDemand[packedIndex]
	loadFNSKUs func() (packedIndex, error)
	named      int // pools with an FNSKU
	// fnskusBegin is nil where it is not known; then fnskus is to be asked.
	fnskusBegin *beginnings
	// grown is nil where the snapshot was read from a file, or written to one.
	grown     atomic.Pointer[grownIndexes]
	loadGrown func() (grownIndexes, error) // nil: there is no file

	chain    onDemand[[]int32] // next item of the same pool, -1 after the last
	asins    onDemand[packedIndex]
	fuzzy    onDemand[fuzzy]
	searches sync.Pool
	digits   onDemand[digitIndex]
	words    finder

	failed  atomic.Pointer[error]
	touched atomic.Uint32
	file    *os.File
}

// Pool is the stock of one FNSKU, or of one MSKU that has none.
type Pool struct {
	// Key is the FNSKU, or "\x00" and the MSKU.
	Key                                  string
	Sellable, Unsellable                 int64
	RecalledSellable, RecalledUnsellable int64 // of the above
	Product                              Product
}

// Product is what a pool's units are, as far as the file says it. Dates are
// midnight UTC of their day, zero where unknown.
type Product struct {
	WeightG                           int64
	HasWeight                         bool
	LongestMM, MedianMM, ShortestMM   int64
	HasSize                           bool
	VolumeCM3                         int64 // 0: unknown
	HazmatClass                       string
	Expiry, UnsellableSince, Received time.Time // the earliest of the pool's lots
	// StrandedSince and RecalledSince are of the whole pool, from the files that
	// say so; a recall that a lot tells has no day.
	StrandedSince, RecalledSince time.Time
}

// Item is one MSKU. SKU and FNSKU are parts of the snapshot, not to be changed;
// ASIN and title are read from the file when they are asked for.
type Item struct {
	SKU, FNSKU  []byte
	ASIN, Title string
	Pool        int32
}

// Date is the moment of the snapshot in UTC; a day without a time is its start
// in the store's zone.
func (s *Snapshot) Date() time.Time { return s.date }

// DateHasTime tells whether the date came with a time of day.
func (s *Snapshot) DateHasTime() bool { return s.dateTime }

// Kind is the kind of file that the snapshot was read from.
func (s *Snapshot) Kind() removal.Kind { return s.kind }

// Len is the number of MSKUs.
func (s *Snapshot) Len() int { return s.items.n }

// Pools is the number of stock pools.
func (s *Snapshot) Pools() int { return s.pools.n }

// Totals are the units of all pools together.
func (s *Snapshot) Totals() (sellable, unsellable int64) { return s.sellable, s.unsold }

// OpenRemovalsExcluded tells whether the quantities leave units of open removal
// orders out. known is false for kinds of which only the policy can say it.
func (s *Snapshot) OpenRemovalsExcluded() (excluded, known bool) {
	return s.excluded, s.kind == removal.KindInventory
}

// Err is the first failure in reading a part of the file that is not held in
// memory: titles and ASINs. Without them a snapshot is complete for every rule.
func (s *Snapshot) Err() error {
	if p := s.failed.Load(); p != nil {
		return *p
	}
	return nil
}

func (s *Snapshot) fail(err error) {
	if err != nil {
		s.failed.CompareAndSwap(nil, &err)
	}
}

// Close gives back what the snapshot holds open. It must not be used after.
func (s *Snapshot) Close() error {
	err := errors.Join(s.side.close(), s.book.close(), s.words.close())
	if s.file != nil {
		if e := s.file.Close(); err == nil {
			err = e
		}
	}
	return err
}

// keys gives an item's MSKU and FNSKU.
func (s *Snapshot) keys(i int32) (sku, fnsku []byte) {
	return itemKeysOf(s.items.at(i), s.overflow)
}

func itemKeysOf(rec, overflow []byte) (sku, fnsku []byte) {
	n, m := int(rec[4]), int(rec[5])
	if n != overflown {
		return rec[itemKeys : itemKeys+n : itemKeys+n], rec[itemKeys+n : itemKeys+n+m : itemKeys+n+m]
	}
	off := int(u32(rec, itemKeys))
	n, m = int(u16(rec, itemKeys+4)), int(u16(rec, itemKeys+6))
	return overflow[off : off+n : off+n], overflow[off+n : off+n+m : off+n+m]
}

// putKeys writes MSKU and FNSKU into an item and returns the overflow, longer
// where they did not fit.
func putKeys(rec, overflow, sku, fnsku []byte) []byte {
	clear(rec[4:])
	if len(sku)+len(fnsku) <= keyRoom {
		rec[4], rec[5] = byte(len(sku)), byte(len(fnsku))
		copy(rec[itemKeys+copy(rec[itemKeys:], sku):], fnsku)
		return overflow
	}
	rec[4] = overflown
	put32(rec, itemKeys, uint32(len(overflow)))
	put16(rec, itemKeys+4, uint16(len(sku)))
	put16(rec, itemKeys+6, uint16(len(fnsku)))
	return append(append(overflow, sku...), fnsku...)
}

// FNSKU is the FNSKU of an item, empty where it has none; part of the snapshot.
func (s *Snapshot) FNSKU(i int32) []byte { _, f := s.keys(i); return f }

// SKU is the MSKU of an item; part of the snapshot.
func (s *Snapshot) SKU(i int32) []byte { k, _ := s.keys(i); return k }

// PoolOf is the pool of an item.
func (s *Snapshot) PoolOf(i int32) int32 { return int32(u32(s.items.at(i), 0)) }

// Item gives all of an MSKU. Where ASIN and title cannot be read they are blank
// and Err says why.
func (s *Snapshot) Item(i int32) Item {
	it := Item{Pool: s.PoolOf(i)}
	it.SKU, it.FNSKU = s.keys(i)
	asin, title, err := s.side.get(i)
	s.fail(err)
	it.ASIN, it.Title = string(asin), string(title)
	return it
}

// Lookup finds an MSKU by its exact bytes; -1: not there.
func (s *Snapshot) Lookup(sku []byte) int32 {
	tag := tagOf(hashBytes(s.seed, sku))
	return s.find(sku, tag, tag>>s.skus.shift)
}

// find walks the index from pos on.
func (s *Snapshot) find(sku []byte, tag, pos uint32) int32 {
	for {
		i, at := s.skus.next(tag, pos)
		if i < 0 || s.isSKU(i, sku) {
			return i
		}
		pos = (at + 1) & s.skus.mask()
	}
}

func (s *Snapshot) isSKU(i int32, sku []byte) bool {
	rec := s.items.page[i>>itemShift][int(i)&(1<<itemShift-1)<<6:][:itemSize]
	if int(rec[4]) == len(sku) && len(sku) <= keyRoom {
		return string(rec[itemKeys:itemKeys+len(sku)]) == string(sku)
	}
	if rec[4] != overflown {
		return false
	}
	k, _ := itemKeysOf(rec, s.overflow)
	return string(k) == string(sku)
}

// LookupBatch is how many look-ups wait for memory together. The loops below do so
// little that a core asks for ten lines and more before the first one comes; where a
// loop also hashes it asks for three. 1,000,000 random look-ups took 175 ns each with
// the hashing between, 65 to 95 ns now.
const LookupBatch = 64

// LookupAll is Lookup for each of skus, the answers in out, which must be as long. It
// is faster: slots, items and keys of LookupBatch of them are fetched side by side.
func (s *Snapshot) LookupAll(skus [][]byte, out []int32) {
	for len(skus) > 0 {
		n := min(LookupBatch, len(skus))
		s.lookup(skus[:n], out[:n])
		skus, out = skus[n:], out[n:]
	}
}

func (s *Snapshot) lookup(skus [][]byte, out []int32) {
	var tags, slots, at [LookupBatch]uint32
	var words [LookupBatch]uint64
	x := &s.skus
	for k, sku := range skus {
		tags[k] = tagOf(hashBytes(s.seed, sku))
	}
	for k, tag := range tags[:len(skus)] {
		slots[k] = x.slot(tag >> x.shift)
	}
	for k, slot := range slots[:len(skus)] {
		out[k], at[k] = -1, tags[k]>>x.shift
		if slot != 0 {
			out[k], at[k] = x.next(tags[k], at[k])
		}
	}
	for k, i := range out {
		if i >= 0 {
			words[k] = s.itemWord(i)
		}
	}
	for k, sku := range skus {
		// The length stands in the word: most false tags end here.
		if i := out[k]; i >= 0 {
			n := byte(words[k] >> 32)
			if (int(n) != len(sku) && n != overflown) || !s.isSKU(i, sku) {
				out[k] = s.find(sku, tags[k], (at[k]+1)&x.mask())
			}
		}
	}
}

// itemWord gives the first word of an item, its pool and its lengths, and brings the
// rest of it near.
func (s *Snapshot) itemWord(i int32) uint64 {
	return binary.LittleEndian.Uint64(s.items.page[i>>itemShift][int(i)&(1<<itemShift-1)<<6:])
}

// FNSKUs gives pool and FNSKU of each of items, 0 and nil for those that are -1; the
// answers are as long as items. It is faster than PoolOf and FNSKU one by one.
func (s *Snapshot) FNSKUs(items, pools []int32, fnskus [][]byte) {
	for k, i := range items {
		if pools[k] = 0; i >= 0 {
			pools[k] = int32(uint32(s.itemWord(i)))
		}
	}
	for k, i := range items {
		if fnskus[k] = nil; i >= 0 {
			fnskus[k] = s.FNSKU(i)
		}
	}
}
