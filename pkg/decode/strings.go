package decode

import (
	"bytes"
	"errors"
	"io"

	"rensa/pkg/removal"
)

// sharedStrings are the values of a workbook's string table, trimmed. They stand
// behind one another in pieces, so that a large table is never copied to grow.
type sharedStrings struct {
	pieces [][]byte
	refs   []stringRef
	size   int
	bad    map[uint32]bool // damaged ones
	tmp    []byte
}

type stringRef struct{ piece, off, length uint32 }

const (
	stringPiece    = 1 << 20
	maxStrings     = 512 << 20 // bytes kept in memory
	maxStringCount = 32 << 20
)

func (t *sharedStrings) at(i int) []byte {
	r := t.refs[i]
	return t.pieces[r.piece][r.off : r.off+r.length]
}

func (w *workbook) readStrings() error {
	r, err := w.plain(w.stringed, "sst", 0)
	if err != nil {
		return err
	}
	lim := w.f.opt.Limits
	cut := &xmlCutter{
		src: r, container: "sst", root: "sst", item: "si",
		chunk: w.f.chunk, lim: lim, wrap: func(err error) error { return err },
	}
	a := ahead{cut: cut, size: w.f.chunk, full: make(chan []byte, 1), free: make(chan []byte, 3), stop: make(chan struct{})}
	go a.run()
	defer a.end()
	for chunk := range a.full {
		w.used += int64(len(chunk))
		if err := w.strings.read(chunk, lim.Cell); err != nil {
			return err
		}
		select {
		case a.free <- chunk[:0]:
		default:
		}
	}
	if errors.Is(a.err, io.EOF) {
		return nil
	}
	return a.err
}

// ahead unpacks and cuts a part while what it has cut is read.
type ahead struct {
	cut        *xmlCutter
	size       int
	full, free chan []byte
	stop       chan struct{}
	err        error // why full was closed
}

func (a *ahead) run() {
	defer close(a.full)
	for {
		var chunk []byte
		if chunk, a.err = a.cut.next(a.spare); a.err != nil {
			return
		}
		select {
		case a.full <- chunk:
		case <-a.stop:
			return
		}
	}
}

// end waits until nothing reads the part any more.
func (a *ahead) end() {
	close(a.stop)
	for range a.full { // what was under way
	}
}

func (a *ahead) spare(size int) []byte {
	select {
	case b := <-a.free:
		if cap(b) >= size {
			return b
		}
	default:
	}
	return make([]byte, 0, max(size, a.size))
}

var plainEntry = []byte("<si><t>")

// read takes the entries of a chunk. An entry over the limit is kept so far that
// a cell that uses it is found to pass it; one that no cell uses does no harm.
func (t *sharedStrings) read(chunk []byte, most int) error {
	s := xmlScan{x: chunk}
	for {
		t.tmp = t.tmp[:0]
		if v, ok := s.plainEntry(); ok {
			t.tmp = appendText(t.tmp, v)
		} else if !s.next() {
			if s.p < len(s.x) {
				return io.ErrUnexpectedEOF
			}
			return nil
		} else if s.close || !s.is("si") {
			return io.ErrUnexpectedEOF
		} else if !s.empty {
			var ok bool
			if t.tmp, ok = s.runs(t.tmp, "si"); !ok {
				return io.ErrUnexpectedEOF
			}
		}
		a, z := trim(t.tmp, 0, len(t.tmp))
		t.add(t.tmp[a:min(z, a+most+1)])
		if t.size > maxStrings || len(t.refs) > maxStringCount {
			return removal.NewFileError(removal.FileTooLarge, "limit", "unpacked", "max", maxStrings)
		}
	}
}

// plainEntry reads the form that nearly all entries have.
func (s *xmlScan) plainEntry() (v []byte, ok bool) {
	b := s.x[s.p:]
	if !bytes.HasPrefix(b, plainEntry) {
		return nil, false
	}
	b = b[len(plainEntry):]
	i := bytes.IndexByte(b, '<')
	const end = "</t></si>"
	if i < 0 || len(b) < i+len(end) || string(b[i:i+len(end)]) != end {
		return nil, false
	}
	s.p += len(plainEntry) + i + len(end)
	return b[:i], true
}

func (t *sharedStrings) add(v []byte) {
	if damaged(v) {
		if t.bad == nil {
			t.bad = map[uint32]bool{}
		}
		t.bad[uint32(len(t.refs))] = true
	}
	last := len(t.pieces) - 1
	if last < 0 || cap(t.pieces[last])-len(t.pieces[last]) < len(v) {
		t.pieces = append(t.pieces, make([]byte, 0, max(stringPiece, len(v))))
		last++
	}
	piece := t.pieces[last]
	t.refs = append(t.refs, stringRef{uint32(last), uint32(len(piece)), uint32(len(v))})
	t.pieces[last] = append(piece, v...)
	t.size += len(v)
}

// runs appends the text of the element just opened, a string entry or inline
// string: that of all its runs, without what only says how to pronounce it.
func (s *xmlScan) runs(dst []byte, element string) (_ []byte, ok bool) {
	for s.next() {
		switch {
		case s.close && s.is(element):
			return dst, true
		case s.close || s.empty || s.is("r"):
		case s.is("t"):
			if dst, ok = s.text(dst); !ok {
				return dst, false
			}
		default:
			if !s.skip() {
				return dst, false
			}
		}
	}
	return dst, false
}
