package inventory

import (
	"bytes"
	"context"
	"errors"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// Hits are the items that a search found: the best of them, and how many there are.
type Hits struct {
	Items []int32
	Total int
}

// maxSearch is how many bytes of what is searched for count.
const maxSearch = 200

// Find finds items as a person types: all words of text must be found in one item,
// each in its MSKU, FNSKU, ASIN or title, in any case and with or without accents;
// a word may be the beginning of one, and from three characters on any part of one.
// Items of which text is the MSKU, FNSKU or ASIN come first, then those where a key
// begins with it, those with all words as they are, those with words that begin so,
// and last those that have them somewhere; each in the file's order.
//
// It works on an index of words, which is kept in a file beside that of the
// snapshot and made when it is first asked for (two seconds for a million MSKUs);
// Prepare makes it ahead. A search reads all of the index and keeps none of it.
func (s *Snapshot) Find(ctx context.Context, text string, limit int) (Hits, error) {
	q := newQuery(text)
	if q == nil || limit <= 0 {
		return Hits{}, nil
	}
	x, err := s.words.get(ctx, s)
	if err != nil {
		return Hits{}, err
	}
	hits, err := x.find(ctx, q, limit)
	if errors.Is(err, ErrFormat) {
		// A part of the file was damaged since: what it was made from is there.
		if x, err = s.words.renew(ctx, s, x); err == nil {
			hits, err = x.find(ctx, q, limit)
		}
	}
	return hits, err
}

// Prepare makes what Find needs, where it is not there yet.
func (s *Snapshot) Prepare(ctx context.Context) error {
	_, err := s.words.get(ctx, s)
	return err
}

// query is what is searched for.
type query struct {
	whole []byte // the text, folded
	words []queryWord
}

// queryWord is a part of the text between blanks: it is looked for in the keys as
// it stands, and in titles by the words that it consists of.
type queryWord struct {
	text   []byte
	tokens []queryToken
}

type queryToken struct {
	word []byte
	open bool // may be the beginning of a longer word
	part bool // may be any part of a word
}

func newQuery(text string) *query {
	q := &query{whole: foldText(nil, cutRunes(bytes.TrimSpace([]byte(text)), maxSearch))}
	for _, w := range bytes.Fields(q.whole) {
		word := queryWord{text: w}
		tokens(w, func(t []byte, whole bool) {
			n := utf8.RuneCount(t)
			word.tokens = append(word.tokens, queryToken{t, whole, whole && n >= 3})
		})
		q.words = append(q.words, word)
	}
	if len(q.words) == 0 {
		return nil
	}
	return q
}

// The ranks of what is found, best first.
const (
	rankEqual = iota // the text is a key
	rankKey          // a key begins with the text
	rankWords        // all words, as they are
	rankBegin        // all words, as beginnings
	rankPart         // all words, anywhere
	numRanks
)

// found are the items of one segment: as many as are wanted of each rank, and
// how many there are of all ranks together.
type found struct {
	items [numRanks][]int32
	total int
}

// find searches the segments, two at a time.
func (x *wordIndex) find(ctx context.Context, q *query, limit int) (Hits, error) {
	results := make([]found, len(x.segments))
	errs := make([]error, len(x.segments))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(2, len(x.segments)) {
		wg.Go(func() {
			for {
				k := int(next.Add(1)) - 1
				if k >= len(x.segments) {
					return
				}
				if errs[k] = ctx.Err(); errs[k] == nil {
					errs[k] = x.search(k, q, limit, &results[k])
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return Hits{}, err
	}
	var h Hits
	for rank := range numRanks {
		for k := range results {
			h.Items = append(h.Items, results[k].items[rank]...)
		}
	}
	for k := range results {
		h.Total += results[k].total
	}
	h.Items = h.Items[:min(limit, len(h.Items))]
	return h, nil
}

// bitset says which items of a segment are meant.
type bitset [segmentItems / 64]uint64

func (b *bitset) set(i uint32) { b[i/64] |= 1 << (i % 64) }

func (b *bitset) and(o *bitset) {
	for k := range b {
		b[k] &= o[k]
	}
}

func (b *bitset) or(o *bitset) {
	for k := range b {
		b[k] |= o[k]
	}
}

func (b *bitset) without(o *bitset) {
	for k := range b {
		b[k] &^= o[k]
	}
}

// take adds the first items to list, until it has limit.
func (b *bitset) take(list []int32, base int32, limit int) []int32 {
	for k, word := range b {
		for word != 0 && len(list) < limit {
			list = append(list, base+int32(k*64+bits.TrailingZeros64(word)))
			word &= word - 1
		}
	}
	return list
}

func (b *bitset) count() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// grades are the items in which a word is found: as it is, as a beginning,
// anywhere; each holds those before it.
type grades [3]bitset

func (x *wordIndex) search(k int, q *query, limit int, out *found) error {
	seg, err := x.read(k)
	if err != nil {
		return err
	}
	defer x.done(seg)
	sets := scratch.Get().(*searchSets)
	defer scratch.Put(sets)
	sets.ranks = [numRanks]bitset{}
	ranks := &sets.ranks
	if len(q.words) > 1 { // one word alone is looked for in the keys once, below
		seg.wholeKeys(q.whole, &ranks[rankEqual], &ranks[rankKey])
	}
	for n := range q.words {
		sets.word = grades{}
		seg.word(&q.words[n], len(q.words) == 1, sets)
		for g := range sets.word {
			if n == 0 {
				ranks[rankWords+g] = sets.word[g]
			} else {
				ranks[rankWords+g].and(&sets.word[g])
			}
		}
	}
	sets.seen = bitset{}
	for rank := range ranks {
		ranks[rank].without(&sets.seen)
		sets.seen.or(&ranks[rank])
		out.items[rank] = ranks[rank].take(nil, int32(k)*segmentItems, limit)
	}
	out.total = sets.seen.count()
	return nil
}

// searchSets are the sets that one search of a segment works with.
type searchSets struct {
	ranks       [numRanks]bitset
	word, token grades
	title       grades
	seen        bitset
}

var scratch = sync.Pool{New: func() any { return new(searchSets) }}

// wholeKeys finds the keys that are, or begin with, the text.
func (g *segment) wholeKeys(text []byte, equal, begin *bitset) {
	g.eachKey(text, func(item uint32, at int) {
		if isKeyEnd(g.keys[at-1]) {
			begin.set(item)
			if isKeyEnd(g.keys[at+len(text)]) {
				equal.set(item)
			}
		}
	})
}

// word finds the items of one word of the text; alone, the keys that are or begin
// with it too.
func (g *segment) word(w *queryWord, alone bool, sets *searchSets) {
	for n := range w.tokens {
		sets.token = grades{}
		g.title(&w.tokens[n], &sets.token)
		for k := range sets.token {
			if n == 0 {
				sets.title[k] = sets.token[k]
			} else {
				sets.title[k].and(&sets.token[k])
			}
		}
	}
	if len(w.tokens) > 0 {
		sets.word = sets.title
	}
	short := utf8.RuneCount(w.text) < 2
	if short && !alone {
		return // every key has most characters somewhere
	}
	g.eachKey(w.text, func(item uint32, at int) {
		if !short {
			sets.word[2].set(item)
		}
		if !isKeyEnd(g.keys[at-1]) {
			return
		}
		if !short {
			sets.word[1].set(item)
		}
		if alone {
			sets.ranks[rankKey].set(item)
			if isKeyEnd(g.keys[at+len(w.text)]) {
				sets.ranks[rankEqual].set(item)
			}
		}
	})
}

// eachKey calls visit for the places in the keys where text stands.
func (g *segment) eachKey(text []byte, visit func(item uint32, at int)) {
	item := 0
	for from := 0; ; {
		at := bytes.Index(g.keys[from:], text)
		if at < 0 {
			return
		}
		at += from
		item = g.lineOf(item, uint32(at))
		visit(uint32(item), at)
		from = at + 1
	}
}

// lineOf gives the line in which an offset lies, from one at or before it on. It is
// often the next one.
func (g *segment) lineOf(from int, at uint32) int {
	for range 4 {
		if from+1 == len(g.lines) || at < g.lines[from+1] {
			return from
		}
		from++
	}
	n, ok := slices.BinarySearch(g.lines[from:], at)
	if !ok {
		n--
	}
	return from + n
}

// title finds the items that have a word in their title.
func (g *segment) title(t *queryToken, sets *grades) {
	first := g.firstFrom(t.word)
	last := first
	for last < g.words() && bytes.HasPrefix(g.wordAt(last), t.word) {
		if len(g.wordAt(last)) == len(t.word) {
			g.post(last, &sets[0])
		} else if !t.open {
			break
		} else {
			g.post(last, &sets[1])
		}
		last++
	}
	sets[1].or(&sets[0])
	if t.part {
		for from := 0; ; {
			at := bytes.Index(g.vocabulary[from:], t.word)
			if at < 0 {
				break
			}
			n := g.wordOf(uint32(from + at))
			if n < first || n >= last {
				g.post(n, &sets[2])
			}
			from = int(g.starts[n+1])
		}
	}
	sets[2].or(&sets[1])
}
