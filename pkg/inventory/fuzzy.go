package inventory

import (
	"math/bits"
	"slices"
	"sync"
	"unicode/utf8"
)

// fuzzy finds MSKUs that are nearly equal to a key. Each stands in it under the
// hashes of its soft form, of its bare form where that is another, and of the thirds
// of its soft form, because two edits leave one third of a key as it is. A bit filter
// tells of most forms that nobody has them, and is small enough for a cache. All of
// it takes 18 MB for a million MSKUs, and 18 more while it is made.
type fuzzy struct {
	parts    []hashPart
	filter   []uint64 // of whole soft forms
	bitShift uint
	alphabet []rune
}

// hashPart finds the items of one stretch by their hashes. An entry has the item's
// number within the stretch in its lower bits and as much of the hash as finds room
// above it; the entries of a bucket are in order, so that those of one hash stand
// together.
type hashPart struct {
	first      int32 // item of the stretch
	itemBits   uint
	bucketBits uint
	heads      []uint32 // entries[heads[b]:heads[b+1]] are those of bucket b
	entries    []uint32
}

const (
	// bucketEntries is about how many entries a bucket has: with fewer the heads take
	// more memory, with more the ordering takes longer (BenchmarkFuzzyIndex).
	bucketEntries = 16
	// indexParts are built side by side. Every one of them is searched: with eight, each
	// of which is built in a cache, the hints of a large file take longer than is won.
	indexParts  = 2
	filterBits  = 8 // a form
	maxAlphabet = 96
	minPieces   = 4 // characters: shorter keys are not searched by thirds
)

const polyBase = 0x9e3779b97f4a7c15

// poly is a hash that can be put together from parts of a key.
func poly(s []rune) uint64 {
	var h uint64
	for _, r := range s {
		h = h*polyBase + uint64(r)
	}
	return h
}

// polyPowers are the powers of polyBase for the parts of keys.
var polyPowers = func() (p [maxKeyBytes + 1]uint64) {
	p[0] = 1
	for i := range maxKeyBytes {
		p[i+1] = p[i] * polyBase
	}
	return p
}()

// wholeHash is that of a whole form whose poly is h.
func wholeHash(h uint64) uint64 { return fold(h^hashMul2, hashMul1) }

// pieceHash is that of a third of a form of n characters.
func pieceHash(piece, n int, h uint64) uint64 {
	return fold(h^uint64(piece*64+n)*hashMul3, hashMul2)
}

// pieceBounds are the borders of the thirds of a form of n characters.
func pieceBounds(n int) [4]int { return [4]int{0, n / 3, n * 2 / 3, n} }

func newFuzzy(s *Snapshot) *fuzzy {
	n := s.items.n
	bitCount := uint(bits.Len(uint(n*filterBits/64))) + 6
	f := &fuzzy{
		parts:  make([]hashPart, indexParts),
		filter: make([]uint64, 1<<(bitCount-6)), bitShift: 64 - bitCount,
	}
	var makers [indexParts]*partMaker
	var wg sync.WaitGroup
	for w := range makers {
		wg.Go(func() {
			m := &partMaker{s: s, filter: f.filter, bitShift: f.bitShift}
			if w > 0 {
				m.filter = make([]uint64, len(f.filter))
			}
			clear(m.filter) // see newIndex
			f.parts[w] = m.make(w*n/indexParts, (w+1)*n/indexParts)
			makers[w] = m
		})
	}
	wg.Wait()
	for k, bits := range makers[1].filter {
		f.filter[k] |= bits
	}
	f.alphabet = append(makers[0].forms.alphabet(), makers[1].forms.alphabet()...)
	slices.Sort(f.alphabet)
	f.alphabet = slices.Compact(f.alphabet)
	f.alphabet = f.alphabet[:min(len(f.alphabet), maxAlphabet)]
	return f
}

// mayHave tells of most forms that no MSKU has them.
func (f *fuzzy) mayHave(whole uint64) bool {
	bit := whole >> f.bitShift
	return f.filter[bit/64]&(1<<(bit%64)) != 0
}

// partMaker makes a part.
type partMaker struct {
	s        *Snapshot
	forms    former
	filter   []uint64
	bitShift uint
	hashes   [][hashesAnItem]uint32
	bare     []bareHash
}

// hashesAnItem are those of the whole form and of its thirds.
const hashesAnItem = 4

type bareHash struct{ hash, item uint32 }

// entryHash is the part of a hash by which entries are found; 0 says that there is none.
func entryHash(h uint64) uint32 { return max(1, uint32(h>>32)) }

func (m *partMaker) make(from, to int) hashPart {
	n := to - from
	p := hashPart{first: int32(from), itemBits: uint(bits.Len(uint(n)))}
	p.bucketBits = uint(bits.Len(uint(n * hashesAnItem / bucketEntries)))
	m.hashes = make([][hashesAnItem]uint32, n)
	for i := range m.hashes {
		m.take(m.s.SKU(int32(from+i)), uint32(i))
	}
	p.heads = make([]uint32, 1<<p.bucketBits+1)
	for i := range m.hashes {
		for _, h := range &m.hashes[i] {
			if h != 0 {
				p.heads[p.bucket(h)]++
			}
		}
	}
	for _, b := range m.bare {
		p.heads[p.bucket(b.hash)]++
	}
	p.fill(m)
	p.order()
	return p
}

// take makes the hashes of an item.
func (m *partMaker) take(sku []byte, i uint32) {
	whole, plain := m.forms.read(sku)
	bit := whole >> m.bitShift
	m.filter[bit/64] |= 1 << (bit % 64)
	to, n := &m.hashes[i], m.forms.bounds[3]
	*to = [hashesAnItem]uint32{entryHash(whole)}
	if n >= minPieces && n <= maxRunes {
		for k := range m.forms.pieces {
			to[1+k] = entryHash(pieceHash(k, n, m.forms.pieces[k]))
		}
	}
	if !plain && !isBare(m.forms.soft) {
		bare := bare(m.forms.soft)
		m.bare = append(m.bare, bareHash{entryHash(wholeHash(poly(bare))), i})
	}
}

func (p *hashPart) bucket(h uint32) uint32 { return h >> (32 - p.bucketBits) }

// tag is what an entry has of a hash, above the item's number.
func (p *hashPart) tag(h uint32) uint32 { return h << p.bucketBits >> p.itemBits << p.itemBits }

// fill turns the counts in heads into places and fills them from behind.
func (p *hashPart) fill(m *partMaker) {
	total := uint32(0)
	for b := range p.heads {
		total += p.heads[b]
		p.heads[b] = total
	}
	p.entries = make([]uint32, total)
	for _, b := range m.bare {
		p.put(b.hash, b.item)
	}
	for i := len(m.hashes) - 1; i >= 0; i-- { // the entries of one hash are then in order
		for _, h := range &m.hashes[i] {
			if h != 0 {
				p.put(h, uint32(i))
			}
		}
	}
}

func (p *hashPart) put(h, item uint32) {
	place := &p.heads[p.bucket(h)]
	*place--
	p.entries[*place] = p.tag(h) | item
}

// order puts the entries of buckets in order: nearly all have a few.
func (p *hashPart) order() {
	for b := range len(p.heads) - 1 {
		l := p.entries[p.heads[b]:p.heads[b+1]]
		if len(l) > 4*bucketEntries {
			slices.Sort(l)
			continue
		}
		for i := 1; i < len(l); i++ {
			v, at := l[i], i
			for ; at > 0 && l[at-1] > v; at-- {
				l[at] = l[at-1]
			}
			l[at] = v
		}
	}
}

// find gives the items that have a hash, in order; seldom others too.
func (p *hashPart) find(h uint32) items {
	b := p.bucket(h)
	l := p.entries[p.heads[b]:p.heads[b+1]]
	tag := p.tag(h)
	from, _ := slices.BinarySearch(l, tag)
	l = l[from:]
	to, last := slices.BinarySearch(l, tag|(1<<p.itemBits-1))
	if last {
		to++
	}
	return items{l[:to], p}
}

// items are entries of a part.
type items struct {
	entries []uint32
	part    *hashPart
}

func (l items) at(k int) int32 {
	return l.part.first + int32(l.entries[k]&(1<<l.part.itemBits-1))
}

// former makes the forms of MSKUs, and notes the characters that occur in them. Its
// memory is used again.
type former struct {
	ascii  [utf8.RuneSelf]bool
	used   map[rune]bool
	soft   []rune    // unless it was plain
	pieces [3]uint64 // poly of the thirds
	bounds [4]int
}

// read gives the hash of the whole form and leaves its thirds. plain says that it is
// the bare form too.
func (f *former) read(sku []byte) (whole uint64, plain bool) {
	if plain = f.plain(sku); !plain {
		f.other(sku)
	}
	whole = f.pieces[0]
	for k := 1; k < len(f.pieces); k++ {
		whole = whole*polyPowers[f.bounds[k+1]-f.bounds[k]] + f.pieces[k]
	}
	return wholeHash(whole), plain
}

// plain does it for an MSKU of ASCII whose soft form is bare, as nearly all are; of
// any other it says that it is not plain. No form is written down.
func (f *former) plain(sku []byte) bool {
	if len(sku) == 0 || sku[0] == '0' || sku[0] == 'o' || sku[0] == 'O' {
		return false
	}
	f.bounds = pieceBounds(len(sku))
	for k := range f.pieces {
		var h uint64
		for _, c := range sku[f.bounds[k]:f.bounds[k+1]] {
			if c >= utf8.RuneSelf || c == ' ' || c == '\t' {
				return false
			}
			r := softTable[c]
			f.ascii[r&(utf8.RuneSelf-1)] = true
			h = h*polyBase + uint64(r)
		}
		f.pieces[k] = h
	}
	return true
}

func (f *former) other(sku []byte) {
	f.soft = soft(f.soft[:0], sku)
	for _, r := range f.soft {
		if r < utf8.RuneSelf {
			f.ascii[r] = true
		} else if len(f.used) < 4096 {
			if f.used == nil {
				f.used = map[rune]bool{}
			}
			f.used[r] = true
		}
	}
	f.bounds = pieceBounds(len(f.soft))
	for k := range f.pieces {
		f.pieces[k] = poly(f.soft[f.bounds[k]:f.bounds[k+1]])
	}
}

func (f *former) alphabet() []rune {
	var all []rune
	for r, used := range f.ascii {
		if used {
			all = append(all, rune(r))
		}
	}
	for r := range f.used {
		all = append(all, r)
	}
	return all
}
