package inventory

import (
	"bytes"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// fuzzy finds MSKUs that are nearly equal to a key. It holds three indexes over
// the soft forms: one of whole forms, which answers any single edit when the
// edits of the key are tried; a bit filter before it, small enough for a cache;
// and one of thirds, because two edits leave one third of a key as it is.
type fuzzy struct {
	whole    index // soft forms, and bare forms where they differ
	filter   []uint64
	bitShift uint
	alphabet []rune

	heads      []uint32 // items[heads[k]:heads[k+1]] are the items of bucket k
	items      []int32
	pieceShift uint
}

// Bounds of one search. An MSKU among thousands that are all two edits away from
// each other may be missed, and so may one with two neighbours swapped and an
// edit besides; one that is a single edit or swap away is not.
const (
	maxAlphabet = 96
	maxEqual    = 64
	maxOneEdit  = 64
	maxTwoEdits = 256
	minPieces   = 4 // characters: shorter keys are not searched by thirds
	noPiece     = math.MaxUint32
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

// polyAt is poly of all that stands before each border: from two of them comes that
// of the part between.
func polyAt(s []rune, bounds [4]int) (at [4]uint64) {
	for k := 1; k < len(bounds); k++ {
		at[k] = at[k-1]
		for _, r := range s[bounds[k-1]:bounds[k]] {
			at[k] = at[k]*polyBase + uint64(r)
		}
	}
	return at
}

// polyPowers are the powers of polyBase for the parts of keys that are searched.
var polyPowers = func() (p [maxRunes + 1]uint64) {
	p[0] = 1
	for i := range maxRunes {
		p[i+1] = p[i] * polyBase
	}
	return p
}()

func polyEnd(h uint64) uint64 { return fold(h^hashMul2, hashMul1) }

// pieceBounds are the borders of the thirds of a form of n characters.
func pieceBounds(n int) [4]int { return [4]int{0, n / 3, n * 2 / 3, n} }

func (f *fuzzy) pieceBucket(piece, n int, h uint64) uint32 {
	return uint32(fold(h^uint64(piece*64+n)*hashMul3, hashMul2) >> f.pieceShift)
}

// part is what one of the two halves of the items gives to the indexes.
type part struct {
	extra []uint64 // hash and item in turn, of bare forms
	used  map[rune]bool
}

func newFuzzy(s *Snapshot) *fuzzy {
	n := s.items.n
	bits := uint(minIndexBits)
	for n > 1<<bits {
		bits++
	}
	f := &fuzzy{pieceShift: 64 - (bits + 1), bitShift: 64 - (bits + 4), filter: make([]uint64, 1<<(bits+4)/64)}
	hashes := make([]uint64, n)
	pieces := make([]uint32, 3*n)
	var parts [2]part
	var wg sync.WaitGroup
	for k := range parts {
		wg.Go(func() { parts[k] = f.scan(s, hashes, pieces, k*n/2, (k+1)*n/2) })
	}
	wg.Wait()
	wg.Go(func() { f.fillWhole(hashes, parts[:]) })
	wg.Go(func() { f.fillPieces(pieces, 1<<(bits+1)) })
	wg.Wait()
	return f
}

func (f *fuzzy) scan(s *Snapshot, hashes []uint64, pieces []uint32, from, to int) part {
	var used [utf8.RuneSelf]bool
	p := part{used: map[rune]bool{}}
	var buf, bareBuf []rune
	for i := from; i < to; i++ {
		sku := s.SKU(int32(i))
		n := len(sku)
		bounds, at, plain := plainForm(sku, &used)
		if !plain {
			buf = soft(buf[:0], sku)
			for _, r := range buf {
				if r < utf8.RuneSelf {
					used[r] = true
				} else if len(p.used) < 4096 {
					p.used[r] = true
				}
			}
			n = len(buf)
			bounds = pieceBounds(n)
			at = polyAt(buf, bounds)
			if !isBare(buf) {
				bareBuf = bare(append(bareBuf[:0], buf...))
				p.extra = append(p.extra, polyEnd(poly(bareBuf)), uint64(i))
			}
		}
		hashes[i] = polyEnd(at[3])
		for k := range 3 {
			pieces[3*i+k] = noPiece
			if n >= minPieces && n <= maxRunes {
				h := at[k+1] - at[k]*polyPowers[bounds[k+1]-bounds[k]]
				pieces[3*i+k] = f.pieceBucket(k, n, h)
			}
		}
	}
	for r := range used {
		if used[r] {
			p.used[rune(r)] = true
		}
	}
	return p
}

// plainForm is what polyAt gives for an MSKU of ASCII whose soft form is bare, as
// nearly all are; of any other it says that it is not plain. No form is written down.
func plainForm(sku []byte, used *[utf8.RuneSelf]bool) (bounds [4]int, at [4]uint64, plain bool) {
	if len(sku) == 0 || sku[0] == '0' || sku[0] == 'o' || sku[0] == 'O' {
		return bounds, at, false
	}
	bounds = pieceBounds(len(sku))
	for k := 1; k < len(bounds); k++ {
		h := at[k-1]
		for _, c := range sku[bounds[k-1]:bounds[k]] {
			if c >= utf8.RuneSelf || c == ' ' || c == '\t' {
				return bounds, at, false
			}
			r := softTable[c]
			used[r&(utf8.RuneSelf-1)] = true
			h = h*polyBase + uint64(r)
		}
		at[k] = h
	}
	return bounds, at, true
}

func (f *fuzzy) fillWhole(hashes []uint64, parts []part) {
	f.whole = newIndexFor(len(hashes) + len(parts[0].extra)/2 + len(parts[1].extra)/2)
	put := func(h uint64, i int32) {
		f.whole.add(h, i)
		bit := h >> f.bitShift
		f.filter[bit/64] |= 1 << (bit % 64)
	}
	for i, h := range hashes {
		put(h, int32(i))
	}
	for _, p := range parts {
		for k := 0; k < len(p.extra); k += 2 {
			put(p.extra[k], int32(p.extra[k+1]))
		}
		for r := range p.used {
			f.alphabet = append(f.alphabet, r)
		}
	}
	slices.Sort(f.alphabet)
	f.alphabet = slices.Compact(f.alphabet)
	f.alphabet = f.alphabet[:min(len(f.alphabet), maxAlphabet)]
}

func (f *fuzzy) fillPieces(pieces []uint32, buckets int) {
	f.heads = make([]uint32, buckets+1)
	for _, b := range pieces {
		if b != noPiece {
			f.heads[b+1]++
		}
	}
	for b := range buckets {
		f.heads[b+1] += f.heads[b]
	}
	f.items = make([]int32, f.heads[buckets])
	// Filled from behind, so that afterwards each head stands at its bucket's
	// start and the items of a bucket are in order.
	ends := f.heads[1:]
	for k := len(pieces) - 1; k >= 0; k-- {
		if b := pieces[k]; b != noPiece {
			ends[b]--
			f.items[ends[b]] = int32(k / 3)
		}
	}
	copy(f.heads, ends)
	f.heads[buckets] = uint32(len(f.items))
}

// match is a candidate with what ranks it.
type match struct {
	item      int32
	near, raw int
	sku       []byte
}

func (m *match) before(o *match) bool {
	if m.near != o.near {
		return m.near < o.near
	}
	if m.raw != o.raw {
		return m.raw < o.raw
	}
	return bytes.Compare(m.sku, o.sku) < 0
}

// maxCandidates is how many MSKUs a hint names.
const maxCandidates = 3

// search is one search for the MSKUs nearest to a key. Its memory is used again.
type search struct {
	s     *Snapshot
	f     *fuzzy
	key   []byte
	soft  []rune
	raw   []rune
	best  []match
	buf   []rune
	other []rune
	lists [][]int32

	touched byte
}

// nearest gives the MSKUs nearest to a key, best first.
func (s *Snapshot) nearest(key []byte) []string {
	s.fuzzyOnce.Do(func() { s.fuzzy = newFuzzy(s) })
	q, ok := s.searches.Get().(*search)
	if !ok {
		q = &search{s: s, f: s.fuzzy}
	}
	defer s.searches.Put(q)
	q.key, q.best = key, q.best[:0]
	q.soft, q.raw = soft(q.soft[:0], key), runes(q.raw[:0], key)
	q.equal()
	if len(q.best) == 0 && len(q.soft) > 0 && len(q.soft) <= maxRunes {
		q.oneEdit()
		if len(q.best) < maxCandidates {
			q.twoEdits()
		}
	}
	var all []string
	for _, m := range q.best {
		all = append(all, string(m.sku))
	}
	return all
}

func runes(dst []rune, b []byte) []rune {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		dst, b = append(dst, r), b[n:]
	}
	return dst
}

// keep puts a match among the best.
func (q *search) keep(m match) {
	for _, b := range q.best {
		if b.item == m.item {
			return
		}
	}
	at := len(q.best)
	for at > 0 && m.before(&q.best[at-1]) {
		at--
	}
	q.best = slices.Insert(q.best, at, m)
	q.best = q.best[:min(len(q.best), maxCandidates)]
}

// equal looks for MSKUs that differ in case, blanks, leading zeros or
// look-alikes only.
func (q *search) equal() {
	q.other = bare(append(q.other[:0], q.soft...))
	form := q.other
	if len(form) == 0 && len(q.soft) == 0 {
		return
	}
	tag := tagOf(polyEnd(poly(form)))
	pos := tag >> q.f.whole.shift
	for range maxEqual {
		i, at := q.f.whole.next(tag, pos)
		if i < 0 {
			return
		}
		sku := q.s.SKU(i)
		q.buf = bare(soft(q.buf[:0], sku))
		if slices.Equal(q.buf, form) {
			q.keep(match{item: i, near: difference(q.key, sku), sku: sku})
		}
		pos = (at + 1) & q.f.whole.mask()
	}
}

// try verifies an item that an index gave.
func (q *search) try(i int32, limit int) {
	sku := q.s.SKU(i)
	q.buf = soft(q.buf[:0], sku)
	near := distance(q.soft, q.buf, limit)
	// Something must be left of a key for another to be like it.
	if near > limit || near >= min(len(q.soft), len(q.buf)) {
		return
	}
	q.other = runes(q.other[:0], sku)
	q.keep(match{item: i, near: near, raw: distance(q.raw, q.other, maxRunes), sku: sku})
}

// oneEdit tries every single edit of the key in the index of whole forms.
func (q *search) oneEdit() {
	n, r := len(q.soft), q.soft
	var pre, pow [maxRunes + 2]uint64
	pow[0] = 1
	for i, c := range r {
		pre[i+1] = pre[i]*polyBase + uint64(c)
		pow[i+1] = pow[i] * polyBase
	}
	rest := func(i int) uint64 { return pre[n] - pre[i]*pow[n-i] }
	left := maxOneEdit
	for i := range n + 1 {
		if left <= 0 {
			return
		}
		if i < n {
			q.probe(pre[i]*pow[n-i-1]+rest(i+1), &left)
		}
		if i+1 < n && r[i] != r[i+1] {
			h := (pre[i]*polyBase+uint64(r[i+1]))*polyBase + uint64(r[i])
			q.probe(h*pow[n-i-2]+rest(i+2), &left)
		}
		for _, c := range q.f.alphabet {
			h := pre[i]*polyBase + uint64(c)
			q.probe(h*pow[n-i]+rest(i), &left)
			if i < n && c != r[i] {
				q.probe(h*pow[n-i-1]+rest(i+1), &left)
			}
		}
	}
}

func (q *search) probe(h uint64, left *int) {
	h = polyEnd(h)
	bit := h >> q.f.bitShift
	if q.f.filter[bit/64]&(1<<(bit%64)) == 0 {
		return
	}
	tag := tagOf(h)
	pos := tag >> q.f.whole.shift
	for *left > 0 {
		i, at := q.f.whole.next(tag, pos)
		if i < 0 {
			return
		}
		*left--
		q.try(i, 1)
		pos = (at + 1) & q.f.whole.mask()
	}
}

// twoEdits looks for items that have a third in common with the key, at a place
// that two edits can move it to; the rarest thirds first.
func (q *search) twoEdits() {
	n := len(q.soft)
	var pre, pow [maxRunes + 1]uint64
	pow[0] = 1
	for i, c := range q.soft {
		pre[i+1] = pre[i]*polyBase + uint64(c)
		pow[i+1] = pow[i] * polyBase
	}
	lists := q.lists[:0]
	for length := max(minPieces, n-2); length <= min(maxRunes, n+2); length++ {
		bounds := pieceBounds(length)
		for k := range 3 {
			size := bounds[k+1] - bounds[k]
			for shift := -2; shift <= 2; shift++ {
				at := bounds[k] + shift
				if abs(shift)+abs(n-length-shift) > 2 || at < 0 || at+size > n {
					continue
				}
				b := q.f.pieceBucket(k, length, pre[at+size]-pre[at]*pow[size])
				if l := q.f.items[q.f.heads[b]:q.f.heads[b+1]]; len(l) > 0 {
					lists = append(lists, l)
				}
			}
		}
	}
	slices.SortStableFunc(lists, func(a, b []int32) int { return len(a) - len(b) })
	q.lists = lists
	left := maxTwoEdits
	for _, l := range lists {
		l = l[:min(left, len(l))]
		left -= len(l)
		for len(l) > 0 {
			n := min(lookupBatch, len(l))
			for _, i := range l[:n] {
				// Fetches the items side by side; the sum is of no use.
				q.touched += q.s.items.at(i)[4]
			}
			for _, i := range l[:n] {
				q.try(i, 2)
			}
			l = l[n:]
		}
	}
}

func abs(n int) int { return max(n, -n) }
