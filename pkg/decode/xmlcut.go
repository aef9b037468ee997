package decode

import (
	"bytes"
	"errors"
	"io"
)

// slack is how many zero bytes follow a chunk of XML, so that the scanner of
// cells may look ahead without asking for the end each time.
const slack = 16

// xmlCutter cuts a part into chunks of whole items (rows of a sheet, entries of
// the string table) and checks that the part goes to its proper end.
type xmlCutter struct {
	src       io.Reader
	container string // element that holds the items
	root      string // element of the whole part; the same for the string table
	item      string
	chunk     int
	lim       Limits
	wrap      func(error) error

	cur    []byte
	end    bool // cur goes to the end of the part
	inside bool // in the container
	done   bool
}

func (w *workbook) newSheetCutter(s *Sheet) (*xmlCutter, error) {
	wrap := func(err error) error { return w.f.src.torn(err, s.name) }
	src, err := w.plain(s.part.Name, "worksheet", w.used)
	if err != nil {
		return nil, wrap(err)
	}
	return &xmlCutter{
		src: src, container: "sheetData", root: "worksheet", item: "row",
		chunk: w.f.chunk, lim: w.f.opt.Limits, wrap: wrap,
	}, nil
}

// next returns the next chunk, or io.EOF behind the last one once the rest of the
// part was read too.
func (c *xmlCutter) next(spare func(size int) []byte) ([]byte, error) {
	if c.done {
		return nil, io.EOF
	}
	chunk, err := c.cut(spare)
	if err != nil {
		return nil, c.wrap(err)
	}
	if len(chunk) == 0 {
		return nil, io.EOF
	}
	return chunk, nil
}

func (c *xmlCutter) cut(spare func(size int) []byte) (chunk []byte, err error) {
	if c.cur == nil {
		c.cur = make([]byte, 0, max(2*slack, min(firstChunk, c.chunk)))
	}
	for {
		if err := c.fill(); err != nil {
			return nil, err
		}
		if !c.inside {
			moved, err := c.enter()
			if err != nil || c.done {
				return nil, err
			}
			if moved {
				continue
			}
		} else if border, last := c.border(); last {
			c.done = true
			chunk = append(chunk, c.cur[:border]...)
			return chunk, c.finish(border)
		} else if border > 0 {
			rest := c.cur[border:]
			next := append(spare(len(rest)+2*slack), rest...)
			chunk, c.cur = c.cur[:border], next
			return chunk, nil
		}
		if c.end {
			return nil, io.ErrUnexpectedEOF
		}
		if len(c.cur) >= c.lim.maxRecord() {
			return nil, c.tooLong()
		}
		if cap(c.cur)-len(c.cur) <= slack {
			c.cur = append(spare(2*cap(c.cur)), c.cur...)
		}
	}
}

// tooLong says what is wrong with an item longer than any within the limits.
func (c *xmlCutter) tooLong() error {
	switch {
	case !c.inside:
		return io.ErrUnexpectedEOF // no tag is that long
	case bytes.Count(c.cur, []byte("<c ")) > c.lim.Columns:
		return tooLarge("columns", c.lim.Columns, 0)
	}
	return tooLarge("cell", c.lim.Cell, 0)
}

func (c *xmlCutter) fill() error {
	for len(c.cur) < cap(c.cur)-slack && !c.end {
		n, err := c.src.Read(c.cur[len(c.cur) : cap(c.cur)-slack])
		c.cur = c.cur[:len(c.cur)+n]
		if errors.Is(err, io.EOF) {
			c.end = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// enter passes over what comes before the container. It tells whether it got on.
func (c *xmlCutter) enter() (moved bool, err error) {
	s := xmlScan{x: c.cur}
	for !c.inside && s.next() {
		if s.close || !s.is(c.container) {
			continue
		}
		if s.empty {
			c.done = true
			return true, c.finish(s.p)
		}
		c.inside = true
	}
	c.cur = c.cur[:copy(c.cur, c.cur[s.p:])]
	return s.p > 0, nil
}

// border finds the end of the last whole item; last says that it is the last of
// all. The end tag of an item can only stand for itself, but in comments and
// CDATA sections: where there may be any, every tag is looked at.
func (c *xmlCutter) border() (at int, last bool) {
	s := xmlScan{x: c.cur}
	open := false
	if !declares(c.cur) {
		end := "</" + c.item + ">"
		if i := bytes.LastIndex(c.cur, []byte(end)); i >= 0 {
			s.p = i + len(end)
			at = s.p
		}
	}
	for s.next() {
		switch {
		case s.close && s.is(c.container):
			return s.start, true
		case s.is(c.item):
			if open = !s.close && !s.empty; !open {
				at = s.p
			}
		}
	}
	return at, false
}

func declares(b []byte) bool {
	for {
		i := bytes.IndexByte(b, '!')
		if i < 0 {
			return false
		}
		if i > 0 && b[i-1] == '<' {
			return true
		}
		b = b[i+1:]
	}
}

// finish reads the part from cur[from:] to its end, which must be the end tag of
// its root: a part that breaks off before has lost rows, or may have.
func (c *xmlCutter) finish(from int) error {
	const window = 4096
	last := append([]byte(nil), c.cur[max(from, len(c.cur)-window):]...)
	for !c.end {
		c.cur = c.cur[:0]
		if err := c.fill(); err != nil {
			return err
		}
		last = append(last, c.cur[max(0, len(c.cur)-window):]...)
		last = append(last[:0], last[max(0, len(last)-window):]...)
	}
	c.cur = nil
	if !bytes.Contains(last, []byte("</"+c.root)) {
		return io.ErrUnexpectedEOF
	}
	return nil
}
