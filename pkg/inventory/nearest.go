package inventory

import (
	"bytes"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Bounds of one search. An MSKU among thousands that are all two edits away from
// each other may be missed, and so may, in snapshots of more than that, one with two
// neighbours swapped and an edit besides; one that is a single edit or swap away is not.
const (
	maxEqual    = 64
	maxOneEdit  = 64
	maxTwoEdits = 256
)

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

	found  []int32
	thirds []third

	touched byte
}

// nearest gives the MSKUs nearest to a key, best first; none for a key that is longer
// than any can be.
func (s *Snapshot) nearest(key []byte) []string {
	if len(key) > maxKeyBytes {
		return nil
	}
	q, ok := s.searches.Get().(*search)
	if !ok {
		q = &search{s: s}
	}
	defer func() {
		q.f = nil
		s.searches.Put(q)
	}()
	q.f = s.fuzzy.get(func() *fuzzy { return newFuzzy(s) })
	q.key, q.best = key, q.best[:0]
	q.soft, q.raw = soft(q.soft[:0], key), runes(q.raw[:0], key)
	q.equal()
	if len(q.best) == 0 && len(q.soft) > 0 && len(q.soft) <= maxRunes {
		q.edits()
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
	for _, i := range q.find(wholeHash(poly(form, 0)), maxEqual) {
		sku := q.s.SKU(i)
		q.buf = bare(soft(q.buf[:0], sku))
		if slices.Equal(q.buf, form) {
			q.keep(match{item: i, near: difference(q.key, sku), sku: sku})
		}
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

// edits looks for items that one or two edits lead to.
func (q *search) edits() {
	if q.s.items.n <= maxTwoEdits {
		for i := range int32(q.s.items.n) {
			q.try(i, 2)
		}
		return
	}
	q.gatherThirds()
	if missed := q.tryThirds(); missed {
		q.oneEdit()
	}
}

// oneEdit tries every single edit of the key in the index of whole forms.
func (q *search) oneEdit() {
	n, r, pow := len(q.soft), q.soft, &polyPowers
	pre := q.prefixes()
	left := maxOneEdit
	for i := range n + 1 {
		if left <= 0 {
			return
		}
		rest, without := pre[n]-pre[i], uint64(0) // from i on, and from the next on
		if i < n {
			without = rest - uint64(r[i])*pow[i]
			q.probe(pre[i]+without*polyBack, &left)
		}
		if i+1 < n && r[i] != r[i+1] {
			q.probe(pre[n]+(uint64(r[i+1])-uint64(r[i]))*(pow[i]-pow[i+1]), &left)
		}
		for _, c := range q.f.alphabet {
			with := pre[i] + uint64(c)*pow[i]
			q.probe(with+rest*polyBase, &left)
			if i < n && c != r[i] {
				q.probe(with+without, &left)
			}
		}
	}
}

// prefixes are poly of all beginnings of the key.
func (q *search) prefixes() (pre [maxRunes + 1]uint64) {
	for i, c := range q.soft {
		pre[i+1] = pre[i] + uint64(c)*polyPowers[i]
	}
	return pre
}

func (q *search) probe(sum uint64, left *int) {
	if h := wholeHash(sum); q.f.mayHave(h) {
		q.tryAll(q.find(h, *left), left, 1)
	}
}

// find gives the items that have a hash, in order, at most limit of them. They stand
// until the next call.
func (q *search) find(hash uint32, limit int) []int32 {
	q.found = q.found[:0]
	q.found, _ = q.f.find(q.found, hash, limit)
	return q.found[:min(limit, len(q.found))]
}

// third is where in the key a third of MSKUs of one length may stand, and who has it.
type third struct {
	hash          uint32
	length, piece int8
	single        bool  // a single edit may have moved it there
	from, to      int32 // they stand in found[from:to], unless they are too many
	count         int
}

// maxThirds are the lengths, the thirds and the places of each that two edits leave.
const maxThirds = 5 * 3 * 5

// gatherThirds gathers the items that have a third in common with the key, at a place
// that two edits can move it to.
func (q *search) gatherThirds() {
	n := len(q.soft)
	pre := q.prefixes()
	q.found, q.thirds = q.found[:0], q.thirds[:0]
	for length := max(minPieces, n-2); length <= min(maxRunes, n+2); length++ {
		bounds := pieceBounds(length)
		for piece := range 3 {
			size := bounds[piece+1] - bounds[piece]
			for shift := -2; shift <= 2; shift++ {
				at, moved := bounds[piece]+shift, abs(shift)+abs(n-length-shift)
				if moved > 2 || at < 0 || at+size > n {
					continue
				}
				h := pieceHash(piece, length, shiftSum(pre[at+size]-pre[at], -shift))
				q.thirds = append(q.thirds, third{hash: h, length: int8(length), piece: int8(piece), single: moved <= 1})
			}
		}
	}
	q.touched += byte(q.f.touch(q.thirds))
	for k := range q.thirds {
		t := &q.thirds[k]
		t.from = int32(len(q.found))
		q.found, t.count = q.f.find(q.found, t.hash, maxTwoEdits)
		t.to = int32(len(q.found))
	}
	q.thirds = slices.DeleteFunc(q.thirds, func(t third) bool { return t.count == 0 })
}

// tryThirds tries what was gathered, the rarest thirds first. It tells whether an item
// that a single edit leads to may have been left out.
func (q *search) tryThirds() (missed bool) {
	slices.SortStableFunc(q.thirds, func(a, b third) int { return a.count - b.count })
	n, left := len(q.soft), maxTwoEdits
	// A character more, less or other leaves two thirds as they are, so that one of them
	// may be left out, and two neighbours swapped leave two, or else stand on a border.
	var out [3]uint8 // of MSKUs as long as the key, one shorter or one longer
	for _, t := range q.thirds {
		if t.count > left && t.single {
			out[int(t.length)-n+1] |= 1 << t.piece
		}
		q.tryAll(q.found[t.from:t.to], &left, 2)
	}
	for _, pieces := range out {
		missed = missed || bits.OnesCount8(pieces) > 1
	}
	q.swap(n / 3)
	q.swap(n * 2 / 3)
	return missed || n <= minPieces || n >= maxRunes
}

// tryAll tries what of the items is left to try.
func (q *search) tryAll(l []int32, left *int, limit int) {
	l = l[:min(*left, len(l))]
	*left -= len(l)
	for len(l) > 0 {
		n := min(LookupBatch, len(l))
		for _, i := range l[:n] {
			// Fetches the items side by side; the sum is of no use.
			q.touched += q.s.items.at(i)[4]
		}
		for _, i := range l[:n] {
			q.try(i, limit)
		}
		l = l[n:]
	}
}

// swap tries the key with two neighbours swapped.
func (q *search) swap(at int) {
	if at == 0 || at >= len(q.soft) || q.soft[at-1] == q.soft[at] {
		return
	}
	r := append(q.other[:0], q.soft...)
	r[at-1], r[at] = r[at], r[at-1]
	q.other = r
	left := maxOneEdit
	q.probe(poly(r, 0), &left)
}

func abs(n int) int { return max(n, -n) }
