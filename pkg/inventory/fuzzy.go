package inventory

import (
	"math/bits"
	"slices"
	"sync"
	"unicode/utf8"
)

// fuzzy finds MSKUs that are nearly equal to a key. Each stands in it under the
// hashes of its soft form, of its bare form where that is another, and of the thirds
// of its soft form, because two edits leave one third of a key as it is. An entry has
// the item's number in its lower bits and as much of the hash as finds room above it;
// the entries of a bucket are in order, so that those of one hash stand together.
// A bit filter tells of most forms that nobody has them, and is small enough for a
// cache. All of it takes 18 MB for a million MSKUs, and 4 more while it is made.
type fuzzy struct {
	heads    []uint32 // entries[heads[b]:heads[b+1]] are those of bucket b
	entries  []uint32
	shift    uint // the bucket of a hash is its upper bits
	itemBits uint

	filter   []uint64 // of whole soft forms
	bitShift uint
	alphabet []rune
}

const (
	// bucketEntries is about how many entries a bucket has: with fewer the heads take
	// more memory, with more the ordering takes longer (BenchmarkFuzzyIndex).
	bucketEntries = 16
	filterBits    = 8 // a form
	maxAlphabet   = 96
	minPieces     = 4 // characters: shorter keys are not searched by thirds
	// maxHinted is how many MSKUs are in the index, whose entries are counted in 32 bits.
	maxHinted = 1 << 29
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
	n := min(s.items.n, maxHinted)
	bucketBits := uint(bits.Len(uint(n * 4 / bucketEntries)))
	formBits := uint(bits.Len(uint(n*filterBits/64))) + 6
	f := &fuzzy{
		heads: make([]uint32, 1<<bucketBits+1), shift: 64 - bucketBits, itemBits: uint(bits.Len(uint(n))),
		filter: make([]uint64, 1<<(formBits-6)), bitShift: 64 - formBits,
	}
	// Each half of the items counts its own entries and then knows where they go.
	// What the second half leaves in its places are the ends of the buckets.
	places := [2][]uint32{make([]uint32, 1<<bucketBits), f.heads[1:]}
	filters := [2][]uint64{make([]uint64, len(f.filter)), f.filter}
	var alphabets [2][]rune
	both(func(half int) {
		alphabets[half] = f.count(s, places[half], filters[half], half*n/2, (half+1)*n/2)
	})
	f.alphabet = joinAlphabets(alphabets[0], alphabets[1])
	for k, bits := range filters[0] {
		f.filter[k] |= bits
	}
	total := uint32(0)
	for b := range places[0] {
		first, second := places[0][b], places[1][b]
		places[0][b], places[1][b] = total, total+first
		total += first + second
	}
	f.entries = make([]uint32, total)
	both(func(half int) { f.fill(s, places[half], half*n/2, (half+1)*n/2) })
	both(func(half int) { f.order(half<<bucketBits/2, (half+1)<<bucketBits/2) })
	return f
}

// both does two halves of a work side by side.
func both(work func(half int)) {
	var wg sync.WaitGroup
	wg.Go(func() { work(1) })
	work(0)
	wg.Wait()
}

func (f *fuzzy) count(s *Snapshot, places []uint32, filter []uint64, from, to int) []rune {
	forms := new(former) // here, so that the halves do not write to one line of the cache
	for i := from; i < to; i++ {
		whole, others := forms.hashes(s.SKU(int32(i)))
		places[whole>>f.shift]++
		for _, h := range others {
			places[h>>f.shift]++
		}
		bit := whole >> f.bitShift
		filter[bit/64] |= 1 << (bit % 64)
	}
	return forms.alphabet()
}

func (f *fuzzy) fill(s *Snapshot, places []uint32, from, to int) {
	forms := new(former)
	put := func(h uint64, i int) {
		place := &places[h>>f.shift]
		f.entries[*place] = uint32(h)<<f.itemBits | uint32(i)
		*place++
	}
	for i := from; i < to; i++ {
		whole, others := forms.hashes(s.SKU(int32(i)))
		put(whole, i)
		for _, h := range others {
			put(h, i)
		}
	}
}

// order puts the entries of buckets in order: nearly all have a few.
func (f *fuzzy) order(from, to int) {
	for b := from; b < to; b++ {
		l := f.entries[f.heads[b]:f.heads[b+1]]
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

// find gives the entries of a hash, in the order of the items; seldom those of
// another one too.
func (f *fuzzy) find(h uint64) []uint32 {
	b := h >> f.shift
	l := f.entries[f.heads[b]:f.heads[b+1]]
	first := uint32(h) << f.itemBits
	at, _ := slices.BinarySearch(l, first)
	l = l[at:]
	end, last := slices.BinarySearch(l, first|uint32(f.item(^uint32(0))))
	if last {
		end++
	}
	return l[:end]
}

func (f *fuzzy) item(entry uint32) int32 { return int32(entry & (1<<f.itemBits - 1)) }

// mayHave tells of most forms that no MSKU has them.
func (f *fuzzy) mayHave(whole uint64) bool {
	bit := whole >> f.bitShift
	return f.filter[bit/64]&(1<<(bit%64)) != 0
}

// former makes the hashes under which an MSKU stands, and notes the characters that
// occur in soft forms. Its memory is used again.
type former struct {
	ascii  [utf8.RuneSelf]bool
	used   map[rune]bool
	soft   []rune
	bare   []rune
	others [4]uint64
	pieces [3]uint64 // poly of the thirds
	bounds [4]int
}

// hashes gives the hash of the soft form, and those of thirds and bare form, good
// until the next call.
func (f *former) hashes(sku []byte) (whole uint64, others []uint64) {
	plain := f.plain(sku)
	if !plain {
		f.other(sku)
	}
	n := f.bounds[3]
	whole = f.pieces[0]
	for k := 1; k < len(f.pieces); k++ {
		whole = whole*polyPowers[f.bounds[k+1]-f.bounds[k]] + f.pieces[k]
	}
	others = f.others[:0]
	if n >= minPieces && n <= maxRunes {
		for k, h := range f.pieces {
			others = append(others, pieceHash(k, n, h))
		}
	}
	if !plain && !isBare(f.soft) {
		f.bare = bare(append(f.bare[:0], f.soft...))
		others = append(others, wholeHash(poly(f.bare)))
	}
	return wholeHash(whole), others
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

// joinAlphabets gives the first characters of those of both.
func joinAlphabets(a, b []rune) []rune {
	all := slices.Concat(a, b)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), maxAlphabet)]
}
