package storage

import (
	"io"
	"sync"
)

const (
	// aheadMost is how much is read where reads go on from one another, and
	// aheadLeast where they do not.
	aheadMost, aheadLeast = 64 << 10, 1 << 10
	// aheadWindows is how many readers may go on side by side.
	aheadWindows = 4
)

// readAhead reads small pieces of a file whose bytes do not change, a few stretches
// of which it keeps.
type readAhead struct {
	mu      sync.Mutex
	clock   int
	windows [aheadWindows]window
}

type window struct {
	off  int64
	b    []byte
	used int // by the clock
}

func (w *window) end() int64 { return w.off + int64(len(w.b)) }

// read fills dst with what stands at off of the first size bytes.
func (a *readAhead) read(f io.ReaderAt, size int64, dst []byte, off int64) error {
	if len(dst) >= aheadMost/4 {
		_, err := f.ReadAt(dst, off)
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.find(off, int64(len(dst)))
	a.clock++
	w.used = a.clock
	if off < w.off || off+int64(len(dst)) > w.end() {
		if err := w.fill(f, size, off, len(dst)); err != nil {
			return err
		}
	}
	copy(dst, w.b[off-w.off:])
	return nil
}

// find gives the window in which the bytes stand, or that before which the reader
// was, or the one that was not used for longest.
func (a *readAhead) find(off, n int64) *window {
	oldest := &a.windows[0]
	var before *window
	for i := range a.windows {
		w := &a.windows[i]
		if off >= w.off && off+n <= w.end() {
			return w
		}
		if w.used > 0 && off >= w.off && off <= w.end()+aheadMost {
			before = w
		}
		if w.used < oldest.used {
			oldest = w
		}
	}
	if before != nil {
		return before
	}
	oldest.b = oldest.b[:0]
	return oldest
}

// fill reads a stretch that begins at off and has n bytes at least: a long one where
// the reader goes on.
func (w *window) fill(f io.ReaderAt, size, off int64, n int) error {
	length := aheadLeast
	if len(w.b) > 0 {
		length = aheadMost
	}
	length = int(min(int64(max(length, n)), size-off))
	if cap(w.b) < length {
		w.b = make([]byte, length)
	}
	w.off, w.b = off, w.b[:length]
	if _, err := f.ReadAt(w.b, off); err != nil {
		w.b = w.b[:0]
		return err
	}
	return nil
}
