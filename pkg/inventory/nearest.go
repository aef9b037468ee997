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

	lists  []items
	thirds []third

	touched byte
}

// nearest gives the MSKUs nearest to a key, best first.
func (s *Snapshot) nearest(key []byte) []string {
	q, ok := s.searches.Get().(*search)
	if !ok {
		q = &search{s: s}
	}
	defer func() {
		clear(q.lists[:cap(q.lists)]) // they are parts of the index
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
	h, left := entryHash(wholeHash(poly(form))), maxEqual
	for k := range q.f.parts {
		l := q.f.parts[k].find(h)
		for e := range l.entries[:min(left, len(l.entries))] {
			i := l.at(e)
			sku := q.s.SKU(i)
			q.buf = bare(soft(q.buf[:0], sku))
			if slices.Equal(q.buf, form) {
				q.keep(match{item: i, near: difference(q.key, sku), sku: sku})
			}
		}
		left -= min(left, len(l.entries))
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
	n, r := len(q.soft), q.soft
	pre, pow := q.prefixes(), &polyPowers
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

// prefixes are poly of all beginnings of the key.
func (q *search) prefixes() (pre [maxRunes + 1]uint64) {
	for i, c := range q.soft {
		pre[i+1] = pre[i]*polyBase + uint64(c)
	}
	return pre
}

func (q *search) probe(h uint64, left *int) {
	h = wholeHash(h)
	if !q.f.mayHave(h) {
		return
	}
	for k := range q.f.parts {
		q.tryAll(q.f.parts[k].find(entryHash(h)), left, 1)
	}
}

// third is where in the key a third of MSKUs of one length may stand, and who has it.
type third struct {
	length, piece int8
	single        bool // a single edit may have moved it there
	from, to      int32
	count         int // of items in lists[from:to]
}

// gatherThirds gathers the items that have a third in common with the key, at a place
// that two edits can move it to.
func (q *search) gatherThirds() {
	n := len(q.soft)
	pre := q.prefixes()
	q.lists, q.thirds = q.lists[:0], q.thirds[:0]
	for length := max(minPieces, n-2); length <= min(maxRunes, n+2); length++ {
		bounds := pieceBounds(length)
		for piece := range 3 {
			size := bounds[piece+1] - bounds[piece]
			for shift := -2; shift <= 2; shift++ {
				at, moved := bounds[piece]+shift, abs(shift)+abs(n-length-shift)
				if moved > 2 || at < 0 || at+size > n {
					continue
				}
				t := third{length: int8(length), piece: int8(piece), single: moved <= 1, from: int32(len(q.lists))}
				h := entryHash(pieceHash(piece, length, pre[at+size]-pre[at]*polyPowers[size]))
				for k := range q.f.parts {
					if l := q.f.parts[k].find(h); len(l.entries) > 0 {
						q.lists = append(q.lists, l)
						t.count += len(l.entries)
					}
				}
				if t.to = int32(len(q.lists)); t.count > 0 {
					q.thirds = append(q.thirds, t)
				}
			}
		}
	}
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
		for _, l := range q.lists[t.from:t.to] {
			q.tryAll(l, &left, 2)
		}
	}
	for _, pieces := range out {
		missed = missed || bits.OnesCount8(pieces) > 1
	}
	q.swap(n / 3)
	q.swap(n * 2 / 3)
	return missed || n <= minPieces || n >= maxRunes
}

// tryAll tries what of the items is left to try.
func (q *search) tryAll(l items, left *int, limit int) {
	l.entries = l.entries[:min(*left, len(l.entries))]
	*left -= len(l.entries)
	for len(l.entries) > 0 {
		n := min(lookupBatch, len(l.entries))
		for k := range n {
			// Fetches the items side by side; the sum is of no use.
			q.touched += q.s.items.at(l.at(k))[4]
		}
		for k := range n {
			q.try(l.at(k), limit)
		}
		l.entries = l.entries[n:]
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
	q.probe(poly(r), &left)
}

func abs(n int) int { return max(n, -n) }
