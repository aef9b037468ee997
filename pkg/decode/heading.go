package decode

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"rensa/pkg/removal"
)

// Signature says by which headings a kind of file is recognised. All headings in
// it have the form of Heading.
type Signature struct {
	Kind removal.Kind
	// Required headings: of each inner slice, one must be there.
	Required [][]string
	Known    []string // all headings that the kind knows
	Only     bool     // no other heading may be there
	// Names are the required headings as the kind writes them, to be shown.
	Names    []string
	KeyValue bool // headings stand one a line, with a value beside
}

// Heading is the form in which headings are compared: lower case, letters and
// digits only, so that "Merchant SKU", "merchant-sku" and "MerchantSKU" are equal.
func Heading(s string) string {
	if len(s) <= maxPlainHeading {
		if h, ok := plainHeading(s); ok {
			return h
		}
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(s))
}

// maxPlainHeading is the longest heading for which plainHeading has room.
const maxPlainHeading = 64

// plainHeading is Heading for text without letters beyond ASCII. Every cell of the
// first rows is asked for its form, and most are plain.
func plainHeading(s string) (string, bool) {
	var buf [maxPlainHeading]byte
	n := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			return "", false
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case (c < 'a' || c > 'z') && (c < '0' || c > '9'):
			continue
		}
		buf[n] = c
		n++
	}
	if n == len(s) && string(buf[:n]) == s {
		return s, true
	}
	return string(buf[:n]), true
}

// headRows is how many rows Head returns, and how many choose a delimiter.
const headRows = 60

// chooseDelimiter reads the sample with each delimiter and takes the one by which
// most known headings stand on one row, then most in all, then the one which that
// row holds most of. Where no heading is known, the first row counts, then the
// first that holds any delimiter.
func chooseDelimiter(sample []byte, opt Options) byte {
	best, most := byte('\t'), [4]int{}
	lim := DefaultLimits()
	data := make([]byte, 0, len(sample))
	var b Block
	for _, d := range delimiters {
		data = b.splitHead(data, sample, d.char, lim)
		var score [4]int
		for i := range min(b.Len(), headRows) {
			cells := b.Cells(i)
			known := 0
			for _, c := range cells {
				if opt.Known != nil && opt.Known(Heading(string(data[c.Off:c.Off+c.Len]))) {
					known++
				}
			}
			if known > score[0] || i == 0 {
				score[0], score[2] = known, len(cells)-1
			}
			score[1] += known
			if score[3] == 0 {
				score[3] = len(cells) - 1
			}
		}
		if score[0] > 0 {
			score[3] = 0
		}
		if higher(score, most) {
			best, most = d.char, score
		}
	}
	return best
}

// headPart is how much of a sample is read first: nearly always more than headRows rows.
const headPart = 8 << 10

// splitHead splits so much of the sample that its first rows, up to headRows, stand as
// in the whole of it; all of it is work for four delimiters that none of them is chosen
// by. What was split is in data's room.
func (b *Block) splitHead(data, sample []byte, delim byte, lim Limits) []byte {
	for n := headPart; ; n *= 2 {
		part := sample[:min(n, len(sample))]
		data = append(data[:0], part...)
		b.splitText(data, delim, lim, 0)
		// What closes a quote may come after the part.
		if len(part) == len(sample) || b.Len() > headRows && !b.stray {
			return data
		}
	}
}

func higher(a, b [4]int) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] > b[i]
		}
	}
	return false
}

// Column adds a column that the kind knows, with the spellings of its heading as
// they are written, the usual one first.
func (s *Signature) Column(required bool, headings ...string) {
	var spellings []string
	for _, h := range headings {
		spellings = append(spellings, Heading(h))
	}
	if required {
		s.Required = append(s.Required, spellings)
		s.Names = append(s.Names, headings[0])
	}
	s.Known = append(s.Known, spellings...)
}

// CellPlace is where a row's column stands under these headings; col is counted
// from 0, -1: the whole row.
func CellPlace(sheet string, headings []string, row, line, col int) removal.Place {
	p := removal.Place{Sheet: sheet, Row: row, Line: line}
	if col >= 0 {
		p.Col, p.Cell = col+1, removal.CellName(col+1, row)
		if col < len(headings) {
			p.Column = headings[col]
		}
	}
	return p
}
