package inventory

import (
	"bytes"
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
	lists [][]uint32

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
	equals := q.f.find(wholeHash(poly(form)))
	for _, e := range equals[:min(maxEqual, len(equals))] {
		i := q.f.item(e)
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
	found, n := q.thirds(), len(q.soft)
	// A single edit or swap leaves a third as it is, so that all it leads to is among
	// what was found, unless that is more than is looked at, or may have no thirds.
	if found > maxTwoEdits || n <= minPieces || n >= maxRunes {
		if q.oneEdit(); len(q.best) >= maxCandidates {
			return
		}
	}
	q.tryThirds()
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
	for _, e := range q.f.find(h) {
		if *left <= 0 {
			return
		}
		*left--
		q.try(q.f.item(e), 1)
	}
}

// thirds gathers the items that have a third in common with the key, at a place that
// two edits can move it to, and tells how many there are.
func (q *search) thirds() (found int) {
	n := len(q.soft)
	pre := q.prefixes()
	q.lists = q.lists[:0]
	for length := max(minPieces, n-2); length <= min(maxRunes, n+2); length++ {
		bounds := pieceBounds(length)
		for k := range 3 {
			size := bounds[k+1] - bounds[k]
			for shift := -2; shift <= 2; shift++ {
				at := bounds[k] + shift
				if abs(shift)+abs(n-length-shift) > 2 || at < 0 || at+size > n {
					continue
				}
				h := pieceHash(k, length, pre[at+size]-pre[at]*polyPowers[size])
				if l := q.f.find(h); len(l) > 0 {
					q.lists = append(q.lists, l)
					found += len(l)
				}
			}
		}
	}
	return found
}

// tryThirds tries what thirds gathered, the rarest thirds first.
func (q *search) tryThirds() {
	slices.SortStableFunc(q.lists, func(a, b []uint32) int { return len(a) - len(b) })
	left := maxTwoEdits
	for _, l := range q.lists {
		l = l[:min(left, len(l))]
		left -= len(l)
		for len(l) > 0 {
			n := min(lookupBatch, len(l))
			for _, e := range l[:n] {
				// Fetches the items side by side; the sum is of no use.
				q.touched += q.s.items.at(q.f.item(e))[4]
			}
			for _, e := range l[:n] {
				q.try(q.f.item(e), 2)
			}
			l = l[n:]
		}
	}
}

func abs(n int) int { return max(n, -n) }
