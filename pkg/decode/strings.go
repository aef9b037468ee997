package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"rensa/pkg/removal"
)

// sharedStrings are the values of a workbook's string table, trimmed. Cells ask for
// them in any order, and what costs is to wait for memory: a short one stands whole
// in its slot, two of which are a line of the cache. Slots and long values lie in
// pieces, so that a large table is never copied to grow.
type sharedStrings struct {
	slots [][]stringSlot
	n     int
	long  [][]byte
	size  int          // bytes of slots and long values
	bad   map[int]bool // damaged ones
	tmp   []byte
}

// stringSlot ends with the length of the value that it begins with. Of one that is
// too long for it, it says instead in which piece of the long ones it is, where it
// begins there, and how long it is.
type stringSlot [slotSize]byte

const (
	slotSize   = 32
	slotLength = slotSize - 1 // where the length stands, and the longest value
	slotLong   = 255

	slotShift      = 15 // a piece of slots is 1 MiB
	stringPiece    = 1 << 20
	maxStrings     = 768 << 20 // bytes kept in memory
	maxStringCount = 32 << 20
)

// appendTo appends the value of string i, which must be there.
func (t *sharedStrings) appendTo(dst []byte, i int) []byte {
	s := &t.slots[i>>slotShift][i&(1<<slotShift-1)]
	n, from := int(s[slotLength]), len(dst)
	switch {
	case n == slotLong:
		piece := t.long[binary.LittleEndian.Uint32(s[0:])]
		off, length := binary.LittleEndian.Uint32(s[4:]), binary.LittleEndian.Uint32(s[8:])
		return append(dst, piece[off:off+length]...)
	case cap(dst)-from < slotSize:
		return append(dst, s[:n]...)
	}
	// Of known length: no call, and no wrong guess at how long it is.
	dst = dst[:from+slotSize]
	*(*stringSlot)(dst[from:]) = *s
	return dst[:from+n]
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
		if v, ok := s.plainEntry(); ok && isPlain(v) {
			a, z := trim(v, 0, len(v))
			t.add(v[a:min(z, a+most+1)])
		} else if more, err := t.entry(&s, v, ok, most); err != nil || !more {
			return err
		}
		if t.size > maxStrings || t.n > maxStringCount {
			return removal.NewFileError(removal.FileTooLarge, "limit", "unpacked", "max", maxStrings)
		}
	}
}

// entry takes an entry of any kind; v is its text as it is written where ok says so.
// There are no more where it returns false.
func (t *sharedStrings) entry(s *xmlScan, v []byte, ok bool, most int) (more bool, err error) {
	t.tmp = t.tmp[:0]
	switch {
	case ok:
		t.tmp = appendText(t.tmp, v)
	case !s.next():
		if s.p < len(s.x) {
			return false, io.ErrUnexpectedEOF
		}
		return false, nil
	case s.close || !s.is("si"):
		return false, io.ErrUnexpectedEOF
	case !s.empty:
		if t.tmp, ok = s.runs(t.tmp, "si"); !ok {
			return false, io.ErrUnexpectedEOF
		}
	}
	a, z := trim(t.tmp, 0, len(t.tmp))
	value := t.tmp[a:min(z, a+most+1)]
	if damaged(value) {
		if t.bad == nil {
			t.bad = map[int]bool{}
		}
		t.bad[t.n] = true
	}
	t.add(value)
	return true, nil
}

// isPlain tells whether v is ASCII without control characters and stands for itself:
// no reference and no escape of a spreadsheet begins in it.
func isPlain(v []byte) bool {
	for len(v) >= 8 {
		if !isPlainWord(binary.LittleEndian.Uint64(v)) {
			return false
		}
		v = v[8:]
	}
	last := uint64(ones * ' ')
	for _, c := range v {
		last = last<<8 | uint64(c)
	}
	return isPlainWord(last)
}

func isPlainWord(w uint64) bool {
	and, low, del := w^ones*'&', w^ones*'_', w^ones*0x7f
	return (w|(w-ones*' ')&^w|(and-ones)&^and|(low-ones)&^low|(del-ones)&^del)&highs == 0
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
	last := len(t.slots) - 1
	if last < 0 || len(t.slots[last]) == 1<<slotShift {
		room := 0 // a small table grows
		if last++; last > 0 {
			room = 1 << slotShift
		}
		t.slots = append(t.slots, make([]stringSlot, 0, room))
	}
	var s stringSlot
	if len(v) <= slotLength {
		s[slotLength] = byte(copy(s[:slotLength], v))
	} else {
		t.addLong(&s, v)
	}
	t.slots[last] = append(t.slots[last], s)
	t.n++
	t.size += slotSize
}

func (t *sharedStrings) addLong(s *stringSlot, v []byte) {
	last := len(t.long) - 1
	if last < 0 || cap(t.long[last])-len(t.long[last]) < len(v) {
		t.long = append(t.long, make([]byte, 0, max(stringPiece, len(v))))
		last++
	}
	binary.LittleEndian.PutUint32(s[0:], uint32(last))
	binary.LittleEndian.PutUint32(s[4:], uint32(len(t.long[last])))
	binary.LittleEndian.PutUint32(s[8:], uint32(len(v)))
	s[slotLength] = slotLong
	t.long[last] = append(t.long[last], v...)
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
