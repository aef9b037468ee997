package inventory

import (
	"math/bits"
	"slices"
	"sync"
)

// fuzzyMaker makes a fuzzy. Readers make the hashes of a share of the items each, and
// sort them into lanes; then lane by lane is placed. The buckets of a lane fit into a
// cache, and all of them do not: hashes placed as they come take a third longer
// (BenchmarkFuzzyIndex).
type fuzzyMaker struct {
	fuzzy
	readers [2]hashReader
}

// hashReader makes the hashes of some items.
type hashReader struct {
	forms  former
	wholes [lanes]lane // of whole forms, and of bare ones where they differ
	thirds [lanes]lane
}

// usualHashes is how many most items have: of the whole form and of its thirds.
const usualHashes = 4

func newFuzzy(s *Snapshot) *fuzzy {
	n := s.items.n
	var m fuzzyMaker
	m.itemBits = uint(bits.Len(uint(n)))
	m.bucketBits = max(laneBits+1, uint(bits.Len(uint(n*usualHashes/bucketEntries))))
	m.filterBits = max(laneBits, uint(bits.Len(uint(n*formBits/64)))) + 6
	m.filter = make([]uint64, 1<<m.filterBits/64)
	m.heads = make([]uint32, 1<<m.bucketBits+1)
	m.eachReader(func(w int) {
		m.readers[w].readAll(s, w*n/len(m.readers), (w+1)*n/len(m.readers))
	})
	var starts [lanes + 1]uint32
	for k := range lanes {
		starts[k+1] = starts[k]
		for w := range m.readers {
			starts[k+1] += uint32(m.readers[w].wholes[k].len() + m.readers[w].thirds[k].len())
		}
	}
	m.entries = make([]uint32, starts[lanes])
	m.eachReader(func(w int) {
		for k := w; k < lanes; k += len(m.readers) {
			m.place(uint32(k), starts[k])
		}
	})
	m.order()
	m.alphabet = append(m.readers[0].forms.alphabet(), m.readers[1].forms.alphabet()...)
	slices.Sort(m.alphabet)
	m.alphabet = slices.Compact(m.alphabet)
	m.alphabet = m.alphabet[:min(len(m.alphabet), maxAlphabet)]
	f := m.fuzzy // a copy: the readers go
	return &f
}

func (m *fuzzyMaker) eachReader(do func(w int)) {
	var wg sync.WaitGroup
	for w := range m.readers {
		wg.Go(func() { do(w) })
	}
	wg.Wait()
}

func (r *hashReader) readAll(s *Snapshot, from, to int) {
	for i := from; i < to; i++ {
		r.read(s.SKU(int32(i)), uint32(i))
	}
}

// read makes the hashes of an item and sorts them into lanes.
func (r *hashReader) read(sku []byte, item uint32) {
	plain := r.forms.read(sku)
	n, sums := r.forms.n, &r.forms.sums
	h := wholeHash(sums[n])
	r.wholes[h>>(32-laneBits)].add(h, item)
	if n >= minPieces && n <= maxRunes {
		bounds := pieceBounds(n)
		for k := range len(bounds) - 1 {
			h := pieceHash(k, n, sums[bounds[k+1]]-sums[bounds[k]])
			r.thirds[h>>(32-laneBits)].add(h, item)
		}
	}
	if !plain && !isBare(r.forms.soft) {
		h := wholeHash(poly(bare(r.forms.soft), 0))
		r.wholes[h>>(32-laneBits)].add(h, item)
	}
}

// place makes the entries of a lane, from start on. While it does, the head of a
// bucket's end is where its next entry goes: so it stands there once the bucket is full.
func (m *fuzzyMaker) place(k, start uint32) {
	bucketBits := m.bucketBits - laneBits
	heads := m.heads[k<<bucketBits+1:][:1<<bucketBits]
	m.eachLane(k, func(l *lane) { l.count(heads, bucketBits) })
	for b, n := range heads {
		heads[b] = start
		start += n
	}
	m.eachLane(k, func(l *lane) { l.fill(heads, bucketBits, m.entries, m.itemMask()) })
	bitBits := m.filterBits - laneBits
	filter := m.filter[k<<bitBits/64:][:1<<bitBits/64]
	for w := range m.readers {
		m.readers[w].wholes[k].note(filter, bitBits)
	}
}

// eachLane gives what stands in a lane; what has one hash, in order.
func (m *fuzzyMaker) eachLane(k uint32, do func(l *lane)) {
	for w := range m.readers {
		do(&m.readers[w].wholes[k])
	}
	for w := range m.readers {
		do(&m.readers[w].thirds[k])
	}
}

// order puts long buckets in order. Of nearly all their entries the hash is the same,
// and those are in order already.
func (m *fuzzyMaker) order() {
	mask := m.itemMask()
	var others []uint32
	for b := range len(m.heads) - 1 {
		l := m.entries[m.heads[b]:m.heads[b+1]]
		if len(l) <= longBucket {
			continue
		}
		tag, n := l[len(l)/2]&^mask, 0
		others = others[:0]
		for _, e := range l {
			if e&^mask == tag {
				l[n] = e
				n++
			} else {
				others = append(others, e)
			}
		}
		slices.Sort(others)
		at, _ := slices.BinarySearch(others, tag)
		copy(l[at:], l[:n])
		copy(l, others[:at])
		copy(l[at+n:], others[at:])
	}
}
