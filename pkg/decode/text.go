package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"rensa/pkg/removal"
)

// text is what is known about a text file.
type text struct {
	start int64 // of the text in the source, in bytes
	delim byte
	// skip is the length of a line that only names the delimiter ("sep=;"), in
	// bytes of UTF-8, 0 where there is none.
	skip int
}

var delimiters = []struct {
	char byte
	name string
}{{'\t', "tab"}, {';', "semicolon"}, {',', "comma"}, {'|', "pipe"}}

// sampleSize is how much of a text its delimiter is chosen by.
const sampleSize = 64 << 10

func (f *File) openText() (err error) {
	if f.format.Encoding, f.text.start, err = f.detect(); err != nil {
		return err
	}
	sample := make([]byte, sampleSize)
	n, err := io.ReadFull(f.decoded(), sample)
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole {
		return fmt.Errorf("read file: %w", err)
	}
	if sample = sample[:n]; whole && len(bytes.Trim(sample, " \t\r\n,;|\u00a0")) == 0 {
		return removal.NewFileError(removal.FileEmpty)
	}
	if !whole {
		sample = sample[:bytes.LastIndexAny(sample, "\r\n")+1]
	}
	f.text.delim, f.text.skip = namedDelimiter(sample)
	if f.text.skip == 0 {
		f.text.delim = chooseDelimiter(sample, f.opt)
	}
	for _, d := range delimiters {
		if d.char == f.text.delim {
			f.format.Delimiter = d.name
		}
	}
	f.sheets = []*Sheet{{file: f}}
	return nil
}

// namedDelimiter reads the line "sep=;" which Excel writes and obeys.
func namedDelimiter(sample []byte) (delim byte, length int) {
	if len(sample) < 6 || !bytes.EqualFold(sample[:4], []byte("sep=")) {
		return 0, 0
	}
	for _, d := range delimiters {
		if d.char != sample[4] {
			continue
		}
		switch {
		case sample[5] == '\r' && len(sample) > 6 && sample[6] == '\n':
			return d.char, 7
		case sample[5] == '\r' || sample[5] == '\n':
			return d.char, 6
		}
	}
	return 0, 0
}

// lineAt is the physical line of the byte at offset off of the decoded text. It
// reads the file anew: only an error needs it.
func (f *File) lineAt(off int64) (int, error) {
	return lineBehind(io.LimitReader(f.decoded(), off))
}

// lineBehind is the physical line on which a text goes on behind what r gives of it.
func lineBehind(r io.Reader) (int, error) {
	line, buf := 1, make([]byte, 64<<10)
	cr := false
	for {
		n, err := r.Read(buf)
		for _, c := range buf[:n] {
			if c == '\r' || c == '\n' && !cr {
				line++
			}
			cr = c == '\r'
		}
		if errors.Is(err, io.EOF) {
			return line, nil
		}
		if err != nil {
			return 0, fmt.Errorf("read file: %w", err)
		}
	}
}

// textCutter cuts decoded text into chunks of whole records.
type textCutter struct {
	f    *File
	src  io.Reader
	cur  []byte // read and not handed out
	base int64  // offset of cur[0] in the decoded text
	end  bool   // cur goes to the end of the text

	pos    int  // everything before is looked at
	border int  // end of the last whole record before pos
	open   int  // where the quoted field opens that pos stands in, -1 outside
	multi  bool // the open field has a line end in what was asked about
	asked  int  // pos when overLines was called last
}

func (f *File) newTextCutter() (*textCutter, error) {
	c := &textCutter{f: f, src: f.decoded(), open: -1, base: int64(f.text.skip)}
	if _, err := io.CopyN(io.Discard, c.src, c.base); err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	return c, nil
}

// next returns the next chunk and its offset in the decoded text.
func (c *textCutter) next(spare func(size int) []byte) (chunk []byte, at int64, err error) {
	if c.cur == nil {
		if c.end {
			return nil, 0, io.EOF
		}
		// Only the first time: afterwards the rest of the chunk before is there.
		c.cur = make([]byte, 0, max(1, min(firstChunk, c.f.chunk)))
	}
	for {
		if err := c.fill(); err != nil {
			return nil, 0, err
		}
		err := c.scan()
		switch {
		case err != nil || c.end && c.open >= 0:
			return nil, 0, c.quoteOpen()
		case c.end && len(c.cur) == 0:
			c.cur = nil
			return nil, 0, io.EOF
		case c.end:
			chunk, c.cur = c.cur, nil
			return chunk, c.base, nil
		case c.border > 0:
			chunk, at = c.cut(spare)
			return chunk, at, nil
		case len(c.cur) >= c.f.opt.Limits.maxRecord():
			return nil, 0, c.tooLong()
		}
		bigger := spare(2 * cap(c.cur))
		c.cur = append(bigger, c.cur...)
	}
}

// fill reads until the buffer is full or the text ends.
func (c *textCutter) fill() error {
	n, err := io.ReadFull(c.src, c.cur[len(c.cur):cap(c.cur)])
	c.cur = c.cur[:len(c.cur)+n]
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		c.end = len(c.cur) < cap(c.cur)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read file: %w", err)
	}
	return nil
}

func (c *textCutter) cut(spare func(int) []byte) (chunk []byte, at int64) {
	chunk, at = c.cur[:c.border], c.base
	rest := c.cur[c.border:]
	c.cur = append(spare(len(rest)+1), rest...)
	c.base += int64(c.border)
	c.pos -= c.border
	c.asked = max(c.asked-c.border, 0)
	if c.open >= 0 {
		c.open -= c.border
	}
	c.border = 0
	return chunk, at
}

// scan looks on from pos for quoted fields and the ends of records between them.
func (c *textCutter) scan() error {
	for {
		if c.open >= 0 {
			c.hop()
			if more, err := c.inQuotes(); more || err != nil {
				return err
			}
		}
		stop := nextQuote(c.cur, c.pos)
		// Between the fields of a row there is nothing but the delimiter.
		if stop != c.pos+1 || c.cur[c.pos] != c.f.text.delim {
			c.findBorder(stop)
		}
		if c.pos = stop; stop == len(c.cur) {
			return nil
		}
		if more := c.atQuote(); more {
			return nil
		}
	}
}

// hop passes over quoted fields of a row that follow each other directly, as where
// a program quotes every value.
func (c *textCutter) hop() {
	cur, delim := c.cur, c.f.text.delim
	p := nextQuote(cur, c.pos)
	for p+2 < len(cur) && cur[p+1] == delim && cur[p+2] == '"' {
		c.open, c.multi = p+2, false
		p = nextQuote(cur, p+3)
	}
	c.pos = p
}

// nextQuote is the place of the first quote in b[p:], len(b) where there is none.
// Most values are short: a call for each would cost more than the bytes, and a
// look at each byte a wrong guess at where the value ends.
func nextQuote(b []byte, p int) int {
	for near := p + 24; p < near && p+8 <= len(b); p += 8 {
		x := binary.LittleEndian.Uint64(b[p:]) ^ ones*'"'
		// Above the first quote a carry may mark more, never below.
		if m := (x - ones) &^ x & highs; m != 0 {
			return p + bits.TrailingZeros64(m)>>3
		}
	}
	if i := bytes.IndexByte(b[p:], '"'); i >= 0 {
		return p + i
	}
	return len(b)
}

// findBorder looks for the last line end between pos and stop. A CR that ends
// what is known may be followed by its LF and is no border yet.
func (c *textCutter) findBorder(stop int) {
	for p := stop - 1; p >= c.pos; p-- {
		switch ch := c.cur[p]; {
		case ch == '\n', ch == '\r' && (p+1 < len(c.cur) || c.end):
			c.border = p + 1
			return
		}
	}
	// A CR before pos whose border was put off, with its LF not at pos.
	if c.pos > 0 && c.pos > c.border && c.pos < len(c.cur) && c.cur[c.pos-1] == '\r' {
		c.border = c.pos
	}
}

// atQuote sees the quote at pos and moves behind it or behind the field that it
// opens; more says that this cannot be told yet.
func (c *textCutter) atQuote() (more bool) {
	delim := c.f.text.delim
	if p := c.pos; p > 0 {
		if before := c.cur[p-1]; before != delim && before != '\n' && before != '\r' {
			c.pos++
			return false
		}
	}
	if delim != '\t' {
		c.open, c.multi = c.pos, false
		c.pos++
		return false
	}
	end, next := closing(c.cur, c.pos, delim, c.f.opt.Limits.Cell, c.end)
	switch {
	case end == moreData:
		return true
	case end < 0:
		c.pos++
	default:
		c.pos = next
	}
	return false
}

// inQuotes moves behind the open field, or to what is not known yet. A quote on a
// later line that is followed by more of the value is taken for the begin of
// another field: then the open one never closes.
func (c *textCutter) inQuotes() (more bool, err error) {
	for {
		c.pos = nextQuote(c.cur, c.pos)
		if c.pos == len(c.cur) {
			return true, nil
		}
		what, next := afterQuote(c.cur, c.pos+1, c.f.text.delim, c.end)
		switch {
		case what == quoteUnknown:
			return true, nil
		case what == quoteDoubled:
			c.pos += 2
		case what == quoteCloses:
			c.pos, c.open = next, -1
			return false, nil
		case c.overLines():
			return false, errQuoteOpen
		default:
			c.pos++
		}
	}
}

// overLines tells whether a line end stands between the opening quote and pos.
// Each byte is asked once.
func (c *textCutter) overLines() bool {
	v := c.cur[max(c.open, c.asked):c.pos]
	c.asked = c.pos
	c.multi = c.multi || bytes.IndexByte(v, '\n') >= 0 || bytes.IndexByte(v, '\r') >= 0
	return c.multi
}

// errQuoteOpen says that the open field never closes; quoteOpen makes of it what
// the user sees.
var errQuoteOpen = errors.New("quote never closes")

func (c *textCutter) quoteOpen() error {
	line, err := c.f.lineAt(c.base + int64(c.open))
	if err != nil {
		return err
	}
	return quoteOpenAt(line)
}

// tooLong says what is wrong with a record that is longer than any within the
// limits. Where it is a quoted field, the rest of the file is looked through to
// tell a value that is too long from a quote that never closes.
func (c *textCutter) tooLong() error {
	lim, quoted := c.f.opt.Limits, c.open >= 0
	line, err := c.f.lineAt(c.base + int64(max(c.open, 0)))
	if err != nil {
		return err
	}
	for c.open >= 0 {
		if c.end {
			return quoteOpenAt(line)
		}
		c.overLines()
		c.base += int64(c.pos)
		c.cur = c.cur[:copy(c.cur, c.cur[c.pos:])]
		c.pos, c.open, c.asked = 0, 0, 0
		if err := c.fill(); err != nil {
			return err
		}
		if _, err := c.inQuotes(); err != nil {
			return quoteOpenAt(line)
		}
	}
	e := tooLarge("cell", lim.Cell, 0)
	if !quoted && bytes.Count(c.cur, []byte{c.f.text.delim}) >= lim.Columns {
		e = tooLarge("columns", lim.Columns, 0)
	}
	e.Line = line
	return e
}

func quoteOpenAt(line int) error {
	e := removal.NewFileError(removal.FileQuoteOpen, "line", line)
	e.Line = line
	return e
}
