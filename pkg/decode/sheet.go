package decode

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"

	"rensa/pkg/removal"
)

// maxBlock bounds the values of one block: a few bytes of XML can refer to a
// long string.
const maxBlock = 64 << 20

// sheetScan reads the rows of a chunk of a sheet's XML. Behind the chunk stand
// zero bytes, at which every loop ends.
type sheetScan struct {
	xmlScan
	b     *Block
	book  *workbook
	lim   Limits
	after int
	base  int
	first int // index of the first span of the row
	col   int // of the cell before, from 1
	row   int // number of the row, 0 where not known
	notes int // before this row
	tmp   []byte
}

var errTorn = io.ErrUnexpectedEOF

func (c *Chunk) splitSheet(b *Block) error {
	sheet := c.r.sheet
	b.reset(b.data[:0])
	b.sheet = true
	n := len(c.buf)
	x := append(c.buf, make([]byte, slack)...)
	c.buf = x[:n]
	s := sheetScan{
		xmlScan: xmlScan{x: x}, b: b, book: sheet.file.book,
		lim: sheet.file.opt.Limits, after: c.r.after, base: c.base,
	}
	if err := s.rows(); err != nil {
		return sheet.file.src.torn(err, sheet.name)
	}
	return nil
}

func (s *sheetScan) rows() error {
	for {
		if s.plainRow() {
			if err := s.cells(); err != nil {
				return err
			}
			s.endRow()
			continue
		}
		if !s.next() {
			break
		}
		switch {
		case s.close:
			return errTorn
		case s.is("row"):
			n, empty := rowNumber(s.attr("r")), s.empty
			s.startRow(n)
			if !empty {
				if err := s.cells(); err != nil {
					return err
				}
			}
			s.endRow()
		default:
			if !s.skip() {
				return errTorn
			}
		}
	}
	if s.p < len(s.x) {
		return errTorn
	}
	return nil
}

// plainRow begins a row whose tag has the usual form, r="12" before anything else
// and no character that could hide the tag's end.
func (s *sheetScan) plainRow() bool {
	const begin = `<row r="`
	if !bytes.HasPrefix(s.x[s.p:], []byte(begin)) {
		return false
	}
	x, p, n := s.x, s.p+len(begin), 0
	for ; x[p]-'0' < 10 && n < 1<<24; p++ {
		n = n*10 + int(x[p]-'0')
	}
	if n == 0 || x[p] != '"' {
		return false
	}
	quotes := 1
	for p++; x[p] != '>'; p++ {
		switch x[p] {
		case '"':
			quotes++
		case '\'', '/', '<', 0:
			return false
		}
	}
	if quotes%2 == 0 {
		return false // the tag's end stands inside a value
	}
	s.p = p + 1
	s.startRow(n)
	return true
}

// rowNumber reads r="12"; 0 where there is none that can be used.
func rowNumber(v []byte) int {
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' || n > 1<<27 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func (s *sheetScan) startRow(number int) {
	b := s.b
	s.col, s.first, s.notes, s.row = 0, len(b.spans), len(b.notes), 0
	switch {
	case number > 0:
		b.numbered = true
		b.last = number
	case b.numbered:
		b.last++
	default:
		b.records++
	}
	if b.numbered {
		s.row = b.last
	} else if s.base > 0 {
		s.row = s.base + b.records - 1
	}
}

func (s *sheetScan) endRow() {
	b := s.b
	if len(b.spans) == s.first || s.row > 0 && s.row <= s.after {
		b.spans = b.spans[:s.first]
		b.notes, b.noteRows = b.notes[:s.notes], b.noteRows[:s.notes]
		return
	}
	row := blockRow{cell: uint32(s.first), number: uint32(b.last)}
	if !b.numbered {
		row.number = uint32(b.records - 1)
	}
	b.rows = append(b.rows, row)
	if !b.numbered {
		b.lead = len(b.rows)
	}
}

func (s *sheetScan) cells() error {
	for {
		if read, err := s.plainCell(); err != nil {
			return err
		} else if read {
			continue
		}
		for isSpace(s.x[s.p]) {
			s.p++
		}
		if b := s.x[s.p:]; b[0] == '<' && b[1] == 'c' && (b[2] == ' ' || b[2] == '>' || b[2] == '/' || isSpace(b[2])) {
			if err := s.cell(); err != nil {
				return err
			}
			continue
		}
		switch {
		case !s.next():
			return errTorn
		case s.close && s.is("row"):
			return nil
		case s.close || s.is("row"):
			return errTorn
		case s.is("c"):
			s.p = s.start
		case !s.skip():
			return errTorn
		}
	}
}

// The types of cells; those of one letter are named as in the file.
const (
	typeNumber = 'n'
	typeShared = 's'
	typeBool   = 'b'
	typeError  = 'e'
	typeDate   = 'd'
	typeText   = 'f' // text of a formula
	typeInline = 'i'
)

func cellType(v []byte) byte {
	switch string(v) {
	case "s", "b", "e", "d", "n":
		return v[0]
	case "inlineStr":
		return typeInline
	case "str":
		return typeText
	}
	return typeNumber
}

var (
	endOfValue  = binary.LittleEndian.Uint64([]byte("</v></c>"))
	beginOfCell = binary.LittleEndian.Uint64([]byte("<c r=\"\x00\x00"))
	typeOfText  = binary.LittleEndian.Uint64([]byte(" t=\"s\"><"))
)

// plainCell reads the cell at p where it has the form of nearly all that hold a
// string of the table: <c r="B7" s="1" t="s"><v>12</v></c>, with a style or without.
// Of any other nothing is read.
func (s *sheetScan) plainCell() (read bool, err error) {
	x, p := s.x, s.p
	if binary.LittleEndian.Uint64(x[p:])&(1<<48-1) != beginOfCell {
		return false, nil
	}
	p += 6
	col, letters := 0, p
	for ; x[p]-'A' < 26 && p-letters < 4; p++ {
		col = col*26 + int(x[p]-'A') + 1
	}
	if p == letters {
		return false, nil
	}
	for x[p]-'0' < 10 {
		p++
	}
	if x[p] == '"' && x[p+1] == ' ' && x[p+2] == 's' && x[p+3] == '=' && x[p+4] == '"' {
		for p += 5; x[p]-'0' < 10; p++ {
		}
	}
	if x[p] != '"' || binary.LittleEndian.Uint64(x[p+1:]) != typeOfText || x[p+9] != 'v' || x[p+10] != '>' {
		return false, nil
	}
	p += 11
	i, digits := 0, p
	for ; x[p]-'0' < 10 && p-digits < 9; p++ {
		i = i*10 + int(x[p]-'0')
	}
	if p == digits || binary.LittleEndian.Uint64(x[p:]) != endOfValue {
		return false, nil
	}
	s.p, s.col = p+8, col
	return true, s.sharedAt(i)
}

// cell reads the cell that begins at p.
func (s *sheetScan) cell() error {
	x, p := s.x, s.p+2
	col, style, kind := s.col+1, 0, byte(typeNumber)
	for x[p] != '>' {
		switch c := x[p]; {
		case isSpace(c):
			p++
		case c == '/' && x[p+1] == '>':
			s.p, s.col = p+2, col
			return nil
		case x[p+1] == '=' && x[p+2] == '"' && (c == 'r' || c == 's' || c == 't'):
			from := p + 3
			for p = from; x[p] != '"'; p++ {
				if x[p] == 0 || x[p] == '<' {
					return errTorn
				}
			}
			switch v := x[from:p]; c {
			case 'r':
				col = columnOf(v, col)
			case 's':
				style = rowNumber(v)
			default:
				kind = cellType(v)
			}
			p++
		default:
			name, v, rest, ok := nextAttr(x[p:])
			if !ok {
				return errTorn
			}
			switch string(name) {
			case "r":
				col = columnOf(v, col)
			case "s":
				style = rowNumber(v)
			case "t":
				kind = cellType(v)
			}
			p = len(x) - len(rest)
		}
	}
	p++
	s.col = col
	if x[p] == '<' && x[p+1] == 'v' && x[p+2] == '>' {
		q := p + 3
		for x[q] != '<' && x[q] != 0 && x[q] != '&' {
			q++
		}
		if binary.LittleEndian.Uint64(x[q:]) == endOfValue && kind != typeText && kind != typeInline {
			s.p = q + 8
			return s.value(kind, style, x[p+3:q])
		}
	}
	s.p = p
	return s.content(kind, style)
}

// columnOf reads the letters of a reference such as "AB12"; where there are none
// the cell stands behind the one before.
func columnOf(ref []byte, otherwise int) int {
	n := 0
	for _, c := range ref {
		if c |= 0x20; c < 'a' || c > 'z' || n > 1<<20 {
			break
		}
		n = n*26 + int(c-'a') + 1
	}
	if n == 0 {
		return otherwise
	}
	return n
}

// content reads what stands in a cell that has more than a plain value in it.
func (s *sheetScan) content(kind byte, style int) error {
	s.tmp = s.tmp[:0]
	ok, formula := true, false
	for ok && s.next() {
		switch {
		case s.close && s.is("c"):
			if formula {
				s.b.note(len(s.b.rows), s.col, removal.NoteFormula)
			}
			return s.value(kind, style, s.tmp)
		case s.close:
		case s.is("v"):
			if !s.empty {
				s.tmp, ok = s.text(s.tmp)
			}
		case s.is("is"):
			if !s.empty {
				s.tmp, ok = s.runs(s.tmp, "is")
			}
		default:
			formula = formula || s.is("f")
			ok = s.skip()
		}
	}
	return errTorn
}

// value puts what is stored as v into the row.
func (s *sheetScan) value(kind byte, style int, v []byte) error {
	b := s.b
	from := len(b.data)
	switch kind {
	case typeShared:
		return s.shared(v)
	case typeNumber:
		var long bool
		if b.data, long = s.number(style, bytes.TrimSpace(v)); long {
			b.note(len(b.rows), s.col, removal.NoteLongNumber)
		}
	case typeBool:
		word := "FALSE"
		if isTrue(string(v)) {
			word = "TRUE"
		}
		if len(v) > 0 {
			b.data = append(b.data, word...)
		}
	case typeError:
		b.data = append(b.data, v...)
		b.note(len(b.rows), s.col, removal.NoteError)
	default:
		b.data = append(b.data, v...)
		if damaged(v) {
			b.note(len(b.rows), s.col, removal.NoteDamaged)
		}
	}
	return s.put(trim(b.data, from, len(b.data)))
}

func (s *sheetScan) number(style int, v []byte) (_ []byte, long bool) {
	dst := s.b.data
	if len(v) == 0 {
		return dst, false
	}
	if kind := s.book.style(style); kind != notDate {
		if serial, err := strconv.ParseFloat(string(v), 64); err == nil {
			if date, ok := appendDate(dst, serial, kind, s.book.date1904); ok {
				return date, false
			}
		}
	}
	return appendNumber(dst, v)
}

// shared puts the string into the row whose number stands in v.
func (s *sheetScan) shared(v []byte) error {
	i, n := 0, 0
	for n < len(v) && n < 9 && v[n]-'0' < 10 {
		i = i*10 + int(v[n]-'0')
		n++
	}
	if n < len(v) || n == 0 {
		if v = bytes.TrimSpace(v); len(v) == 0 {
			return nil
		}
		if i = rowNumber(v); i == 0 && string(v) != "0" {
			return errTorn
		}
	}
	return s.sharedAt(i)
}

func (s *sheetScan) sharedAt(i int) error {
	t, b := &s.book.strings, s.b
	if i >= t.n {
		return errTorn // the string table has lost its end
	}
	from := len(b.data)
	b.data = t.appendTo(b.data, i)
	if len(t.bad) > 0 && t.bad[i] {
		b.note(len(b.rows), s.col, removal.NoteDamaged)
	}
	return s.put(from, len(b.data))
}

// put makes data[a:z] the value of the row's current column. Cells may come in
// any order.
func (s *sheetScan) put(a, z int) error {
	b := s.b
	switch {
	case a == z:
		return nil
	case z-a > s.lim.Cell:
		return s.exceeds(tooLarge("cell", s.lim.Cell, z-a))
	case s.col > s.lim.Columns:
		return s.exceeds(tooLarge("columns", s.lim.Columns, s.col))
	case len(b.data) > maxBlock:
		return s.exceeds(tooLarge("unpacked", maxBlock, len(b.data)))
	}
	for len(b.spans) < s.first+s.col {
		b.spans = append(b.spans, removal.Span{})
	}
	b.spans[s.first+s.col-1] = removal.Span{Off: uint32(a), Len: uint32(z - a)}
	return nil
}

func (s *sheetScan) exceeds(e *removal.FileError) error {
	e.Row = s.row
	return e
}
