package decode

import (
	"archive/zip"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"rensa/pkg/removal"
)

// Sheet is one table of a file.
type Sheet struct {
	file   *File
	name   string
	hidden bool
	part   *zip.File // nil for a text file
}

// Name is the sheet's name, "" for a text file.
func (s *Sheet) Name() string { return s.name }

// Size is how many bytes of text the sheet has; 0 in a workbook, whose bytes tell
// little about its rows.
func (s *Sheet) Size() int64 {
	if s.part != nil {
		return 0
	}
	return s.file.src.size
}

// Hidden tells whether the workbook does not show the sheet.
func (s *Sheet) Hidden() bool { return s.hidden }

// Head reads the first 60 rows that are not blank.
func (s *Sheet) Head() ([]Row, error) {
	r, err := s.Rows(0)
	if err != nil {
		return nil, err
	}
	var rows []Row
	var b Block
	number, line := r.First()
	for {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		if err := c.Split(&b); err != nil {
			return nil, err
		}
		r.Recycle(c)
		number, line = b.Start(number, line)
		for i := range b.Len() {
			if rows = append(rows, b.Row(i)); len(rows) == headRows {
				return rows, nil
			}
		}
	}
}

// Rows begins a pass over the rows whose number is above after.
func (s *Sheet) Rows(after int) (*Reader, error) {
	r := &Reader{sheet: s, after: after, number: 1, line: 1}
	r.spareFunc = r.spare
	if s.part != nil {
		if err := s.file.book.load(); err != nil {
			return nil, err
		}
		cut, err := s.file.book.newSheetCutter(s)
		if err != nil {
			return nil, err
		}
		r.sheetCut, r.line = cut, 0
	} else {
		cut, err := s.file.newTextCutter()
		if err != nil {
			return nil, err
		}
		if r.textCut = cut; s.file.text.skip > 0 {
			r.number, r.line = 2, 2
		}
	}
	return r, r.forward()
}

// Reader is one pass over a sheet. Next is for one goroutine; the chunks may be
// split and recycled by others.
type Reader struct {
	sheet    *Sheet
	textCut  *textCutter
	sheetCut *xmlCutter
	after    int
	err      error
	waiting  *Chunk

	number, line int // of the first chunk that Next gives

	rows   atomic.Int64 // split so far
	values atomic.Int64 // bytes of a workbook's values so far

	spareFunc func(size int) []byte // made once: a method value is an allocation

	mu   sync.Mutex
	free []*Chunk
	bufs [][]byte
}

// Chunk is a piece of the sheet that holds whole records.
type Chunk struct {
	r    *Reader
	buf  []byte
	at   int64 // offset in the decoded text
	skip int   // records of a text that come before Reader.after
	base int   // number of the first row of a sheet's chunk, 0 where not known
}

// First is the place of the first record that Next gives, for Block.Start.
func (r *Reader) First() (number, line int) { return r.number, r.line }

// Next cuts off the next chunk; io.EOF ends the sheet. Any other error is the
// answer of all later calls too.
func (r *Reader) Next() (*Chunk, error) {
	if c := r.waiting; c != nil {
		r.waiting = nil
		return c, nil
	}
	if r.err != nil {
		return nil, r.err
	}
	c := r.chunk()
	if r.textCut != nil {
		c.buf, c.at, r.err = r.textCut.next(r.spareFunc)
	} else {
		c.buf, r.err = r.sheetCut.next(r.spareFunc)
	}
	if r.err != nil {
		return nil, r.err
	}
	return c, nil
}

// Recycle gives back a chunk that was split, or will not be.
func (r *Reader) Recycle(c *Chunk) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cap(c.buf) > 0 {
		r.bufs = append(r.bufs, c.buf[:0])
	}
	*c = Chunk{r: r}
	r.free = append(r.free, c)
}

func (r *Reader) chunk() *Chunk {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.free); n > 0 {
		c := r.free[n-1]
		r.free = r.free[:n-1]
		return c
	}
	return &Chunk{r: r}
}

// spare returns an empty buffer for a chunk, or for one of at least size bytes.
func (r *Reader) spare(size int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	want := r.sheet.file.chunk
	// A small file needs no full buffer; one byte more shows its end at once.
	if f := r.sheet.file; r.textCut != nil && f.src.size*3 < int64(want) {
		want = int(f.src.size)*3 + 1
	}
	size = max(size, want)
	for i := len(r.bufs) - 1; i >= 0; i-- {
		if b := r.bufs[i]; cap(b) >= size {
			r.bufs = append(r.bufs[:i], r.bufs[i+1:]...)
			// No longer than asked for: where chunks end depends on the file
			// alone, not on which buffer came back first.
			return b[:0:size]
		}
	}
	return make([]byte, 0, size)
}

// forward passes over the chunks that hold no row after r.after. The chunk where
// the wanted rows begin waits for Next.
func (r *Reader) forward() error {
	var b Block
	for r.number <= r.after {
		c, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// A chunk is split once only; this one may have to be split for the caller.
		trial := Chunk{r: r, buf: append([]byte(nil), c.buf...), at: c.at, base: r.number}
		if err := trial.split(&b); err != nil {
			return err
		}
		number, line := b.Start(r.number, r.line)
		// The rows of a sheet are chosen one by one: they may come in any order.
		if number-1 > r.after || b.sheet && b.Len() > 0 {
			c.skip, c.base = r.after-r.number+1, r.number
			r.waiting = c
			return nil
		}
		r.number, r.line = number, line
		r.Recycle(c)
	}
	return nil
}

// Split takes the chunk apart into b, which keeps what it needs of it: the chunk
// may be recycled at once, and must not be split again.
func (c *Chunk) Split(b *Block) error {
	if err := c.split(b); err != nil {
		return err
	}
	lim := c.r.sheet.file.opt.Limits
	if n := c.r.rows.Add(int64(b.Len())); n > int64(lim.Rows) {
		return c.r.place(tooLarge("rows", int64(lim.Rows), n))
	}
	if c.r.sheetCut != nil {
		if n := c.r.values.Add(int64(len(b.data))); n > lim.Unpacked {
			return c.r.place(tooLarge("unpacked", lim.Unpacked, n))
		}
	}
	return nil
}

func (c *Chunk) split(b *Block) error {
	f := c.r.sheet.file
	if c.r.sheetCut != nil {
		return c.splitSheet(b)
	}
	data := c.buf
	c.buf = b.data[:0]
	b.expect(data, f.text.delim, int(min(int64(f.chunk), f.src.size)))
	over := b.splitText(data, f.text.delim, f.opt.Limits, c.skip)
	if over == nil {
		return nil
	}
	e := tooLarge(over.limit, over.most, over.found)
	line, err := f.lineAt(c.at + int64(over.at))
	if err != nil {
		return err
	}
	e.Line = line
	return e
}

func (r *Reader) place(e *removal.FileError) *removal.FileError {
	e.Sheet = r.sheet.name
	return e
}
