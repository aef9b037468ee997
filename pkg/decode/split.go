package decode

import (
	"bytes"
	"math/bits"

	"rensa/pkg/removal"
)

// excess is a value or row that passes a limit, and where in the chunk.
type excess struct {
	limit       string
	most, found int
	at          int
}

// splitter takes a chunk of text apart. The data is changed only inside quoted
// fields, and only behind the walk.
type splitter struct {
	b     *Block
	data  []byte
	delim byte
	lim   Limits
	skip  int // records to leave out
	first int // index of the first span of the record
	keep  int // length of the spans up to the record's last that is not blank
	begin int // where the record begins
	lines int // line ends inside quotes of this record
	ctrl  bool
	over  *excess
}

// splitText takes a chunk of whole records apart. The block keeps the data, and
// the chunk's records are numbered from 0 until Start; the first skip of them
// are counted but left out.
func (b *Block) splitText(data []byte, delim byte, lim Limits, skip int) *excess {
	b.reset(data)
	s := splitter{b: b, data: data, delim: delim, lim: lim, skip: skip}
	start := s.walk(bytes.IndexByte(data, '"') >= 0)
	if s.begin < len(data) {
		s.cell(start, len(data))
		s.endRecord(len(data))
	}
	b.spans = b.spans[:s.first]
	b.lead = len(b.rows)
	if s.ctrl || isHigh(data) && suspicious(data) || bytes.IndexByte(data, 0x7f) >= 0 {
		b.noteDamage()
	}
	return s.over
}

// walk goes over the bytes that can end a field: the delimiter, control
// characters, and quotes where there are any. They are found eight at a time. It
// returns where the field begins that none of them ends.
func (s *splitter) walk(quotes bool) (start int) {
	b, data, delim := s.b, s.data, s.delim
	columns, short := s.lim.Columns, uint(s.lim.Cell)
	find := newFinder(delim, quotes)
	seen := 0 // all before is done with, as part of a quoted field
	for i := 0; i < len(data); i += 8 {
		for m := find.in(data, i); m != 0; m &= m - 1 {
			p := i + bits.TrailingZeros64(m)>>3
			if p >= len(data) {
				break
			}
			switch c := data[p]; {
			case c == delim && p >= seen:
				// Nearly every cell is short, not blank at its ends, and has room.
				if n := len(b.spans); n < cap(b.spans) && n-s.first < columns && uint(p-start) < short &&
					(start == p || data[start]-'!' < 0x80-'!' && data[p-1]-'!' < 0x80-'!') {
					b.spans = b.spans[:n+1]
					b.spans[n] = removal.Span{Off: uint32(start), Len: uint32(p - start)}
					if start < p {
						s.keep = n + 1
					}
				} else {
					s.cell(start, p)
				}
				start = p + 1
			case p < seen:
			case c == '\n' || c == '\r':
				start = s.lineEnd(start, p)
			case c == '"' && p == start:
				end, next := s.field(p)
				if end < 0 {
					b.stray = true
					continue // no field of quotes: the byte stands for itself
				}
				s.cell(p+1, end)
				if next >= len(data) {
					s.endRecord(len(data))
					return next
				}
				if start = next + 1; data[next] != delim {
					s.endRecord(start)
				}
				// On to the word that holds start.
				if seen = start; seen >= i+8 {
					i, m = seen&^7-8, 0
				}
			case c < ' ' && c != '\t':
				s.ctrl = true
			}
		}
	}
	return start
}

// field reads the field that opens with the quote at open. It returns the end of
// its value, which it has rid of doubled quotes, and the place next of the byte
// behind the field. end is -1 where the quote opens nothing.
func (s *splitter) field(open int) (end, next int) {
	data := s.data
	if s.delim == '\t' {
		if end, _ = closing(data, open, s.delim, s.lim.Cell, true); end < 0 {
			return -1, 0
		}
	}
	doubled := false
	for p := nextQuote(data, open+1); p < len(data); p = nextQuote(data, p) {
		what, next := afterQuote(data, p+1, s.delim, true)
		switch what {
		case quoteDoubled:
			doubled = true
			p += 2
		case quoteCloses:
			s.inside(open+1, p)
			if end = p; doubled {
				end = unquote(data, open+1, p)
			}
			return end, next
		default:
			p++
		}
	}
	return -1, 0
}

// inside sees what stands between quotes.
func (s *splitter) inside(from, to int) {
	for p := from; p < to; p++ {
		switch c := s.data[p]; {
		case c >= ' ' || c == '\t':
		case c == '\r', c == '\n' && s.data[p-1] != '\r':
			s.lines++
		case c != '\n':
			s.ctrl = true
		}
	}
}

// lineEnd ends the record at p, but for the LF of a CRLF whose CR did so.
func (s *splitter) lineEnd(start, p int) int {
	if s.data[p] == '\n' && p == start && p > 0 && s.data[p-1] == '\r' {
		s.begin = p + 1
		return p + 1
	}
	s.cell(start, p)
	s.endRecord(p + 1)
	return p + 1
}

func (s *splitter) cell(a, z int) {
	b := s.b
	if a == z && len(b.spans)-s.first < s.lim.Columns {
		b.spans = append(b.spans, removal.Span{Off: uint32(a)})
		return
	}
	if a < z {
		if f, l := s.data[a], s.data[z-1]; f <= ' ' || f == 0xc2 || l <= ' ' || l == 0xa0 {
			a, z = trim(s.data, a, z)
		}
	}
	if len(b.spans)-s.first >= s.lim.Columns {
		if a < z {
			s.exceeds("columns", s.lim.Columns, s.lim.Columns+1, a)
		}
		return
	}
	b.spans = append(b.spans, removal.Span{Off: uint32(a), Len: uint32(z - a)})
	if a < z {
		s.keep = len(b.spans)
		if z-a > s.lim.Cell {
			s.exceeds("cell", s.lim.Cell, z-a, a)
		}
	}
}

func (s *splitter) exceeds(limit string, most, found, at int) {
	if s.over == nil {
		s.over = &excess{limit: limit, most: most, found: found, at: at}
	}
}

func (s *splitter) endRecord(next int) {
	b := s.b
	if s.keep > s.first && b.records >= s.skip {
		b.rows = append(b.rows, blockRow{cell: uint32(s.first), number: uint32(b.records), line: uint32(b.lines)})
		s.first = s.keep
	}
	b.spans = b.spans[:s.first]
	b.records++
	b.lines += 1 + s.lines
	s.keep, s.lines, s.begin = s.first, 0, next
}

// closing finds the end of a field that opens with the quote at data[open]: the
// place of the closing quote and of the byte behind the field. The first is -1
// where the quote opens nothing and stands for itself, and moreData where that
// cannot be told before more than data is known (final false).
//
// In a tab file a quote closes the field only right before a tab, a line end or
// the end of the file, and a field that runs over a line end holds no tab: a
// bare quote, as of inches, would else swallow rows. Elsewhere blanks may follow
// the closing quote, and a quote that is neither doubled nor closing is taken as
// part of the value, on the line where the field opens.
func closing(data []byte, open int, delim byte, most int, final bool) (end, next int) {
	bar := barrier{on: delim == '\t', open: open, most: most}
	for p := open + 1; ; {
		i := bytes.IndexByte(data[p:], '"')
		stop := p + i
		if i < 0 {
			stop = len(data)
		}
		switch {
		case bar.barred(data, p, stop):
			return -1, 0
		case i < 0 && final:
			return -1, 0
		case i < 0:
			return moreData, 0
		}
		what, next := afterQuote(data, stop+1, delim, final)
		switch {
		case what == quoteCloses:
			return stop, next
		case what == quoteUnknown:
			return moreData, 0
		case what == quoteDoubled:
			p = stop + 2
		case bar.on:
			return -1, 0
		default:
			p = stop + 1
		}
	}
}

const moreData = -2

// barrier tells, stretch by stretch, what cannot be a quoted field of a tab file.
type barrier struct {
	on         bool
	open, most int
	tab, line  bool
}

func (b *barrier) barred(data []byte, from, to int) bool {
	if !b.on || from > to {
		return false
	}
	v := data[from:to]
	b.tab = b.tab || bytes.IndexByte(v, '\t') >= 0
	b.line = b.line || bytes.IndexByte(v, '\n') >= 0 || bytes.IndexByte(v, '\r') >= 0
	return b.tab && b.line || to-b.open > 2*b.most+2
}

type quoteMeaning uint8

const (
	quoteLiteral quoteMeaning = iota
	quoteDoubled
	quoteCloses
	quoteUnknown
)

// afterQuote tells what a quote inside a quoted field means by what follows it
// from data[p] on; next is the byte behind the field where it closes.
func afterQuote(data []byte, p int, delim byte, final bool) (what quoteMeaning, next int) {
	if p < len(data) {
		switch c := data[p]; {
		case c == delim || c == '\n' || c == '\r':
			return quoteCloses, p
		case c == '"':
			return quoteDoubled, 0
		}
	}
	for delim != '\t' && p < len(data) && (data[p] == ' ' || data[p] == '\t') {
		p++
	}
	switch {
	case p == len(data) && final:
		return quoteCloses, p
	case p == len(data):
		return quoteUnknown, 0
	case data[p] == delim || data[p] == '\n' || data[p] == '\r':
		return quoteCloses, p
	}
	return quoteLiteral, 0
}

// unquote makes one quote of two in data[a:z], in place, and returns the new end.
func unquote(data []byte, a, z int) int {
	i := bytes.IndexByte(data[a:z], '"')
	if i < 0 {
		return z
	}
	w := a + i
	for p := w; p < z; p++ {
		data[w] = data[p]
		w++
		if data[p] == '"' && p+1 < z && data[p+1] == '"' {
			p++
		}
	}
	return w
}
