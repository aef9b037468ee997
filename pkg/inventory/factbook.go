package inventory

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync/atomic"
)

// The records of pools in their order, apart from the rest because only ageing
// and people ask for them: groups of bookGroup pools, each with a checksum, read
// one at a time. A snapshot of which nothing more is known has no book.
const bookGroup = 64

// maxGroup is more bytes than a group has, so that a damaged offset does not
// take all memory.
const maxGroup = 1 << 30

type book struct {
	r       io.ReaderAt
	offsets []uint64 // n+1 for n groups
	pools   int
	sources []Source
	last    atomic.Pointer[bookPage]
	spool   *spool
}

type bookPage struct {
	group   int
	buf     []byte
	records [][]byte
}

// Sources are the files from which the facts came that Facts gives, by number.
// They are not to be changed.
func (s *Snapshot) Sources() []Source {
	if s.book == nil {
		return nil
	}
	return s.book.sources
}

// HasFacts tells whether anything is known beyond quantities and products.
func (s *Snapshot) HasFacts() bool { return s.book != nil }

// Facts gives what is known about a pool. It reads the file.
func (s *Snapshot) Facts(p int32) (Facts, error) {
	f := noFacts()
	if s.book == nil {
		return f, nil
	}
	b, err := s.book.record(p)
	if err != nil {
		return f, err
	}
	return f, readFacts(b, len(s.book.sources), &f)
}

// EachFacts visits all pools in order. f is good only until visit returns; an
// error of visit ends it.
func (s *Snapshot) EachFacts(visit func(p int32, f *Facts) error) error {
	f := noFacts()
	if s.book == nil {
		for p := range int32(s.pools.n) {
			if err := visit(p, &f); err != nil {
				return err
			}
			f = noFacts()
		}
		return nil
	}
	return s.book.each(func(p int32, record []byte) error {
		if err := readFacts(record, len(s.book.sources), &f); err != nil {
			return err
		}
		return visit(p, &f)
	})
}

func (k *book) size() int64 {
	if len(k.offsets) == 0 {
		return 0
	}
	return int64(k.offsets[len(k.offsets)-1])
}

// record gives a pool's bytes.
func (k *book) record(p int32) ([]byte, error) {
	group := int(p) / bookGroup
	page := k.last.Load()
	if page == nil || page.group != group {
		page = new(bookPage)
		if err := k.read(group, page); err != nil {
			return nil, err
		}
		k.last.Store(page)
	}
	return page.records[int(p)%bookGroup], nil
}

func (k *book) each(visit func(p int32, record []byte) error) error {
	var page bookPage
	for group := range (k.pools + bookGroup - 1) / bookGroup {
		if err := k.read(group, &page); err != nil {
			return err
		}
		for i, record := range page.records {
			if err := visit(int32(group*bookGroup+i), record); err != nil {
				return err
			}
		}
	}
	return nil
}

// read fills page, whose memory is used again.
func (k *book) read(group int, page *bookPage) error {
	from, to := k.offsets[group], k.offsets[group+1]
	if to < from+4 || to-from > maxGroup {
		return fmt.Errorf("facts, group %d: %w", group, ErrFormat)
	}
	page.buf = slices.Grow(page.buf[:0], int(to-from))[:to-from]
	if _, err := k.r.ReadAt(page.buf, int64(from)); err != nil {
		return fmt.Errorf("reading facts, group %d: %w", group, err)
	}
	body := page.buf[:len(page.buf)-4]
	if crc32.Checksum(body, castagnoli) != u32(page.buf, len(body)) {
		return fmt.Errorf("facts, group %d: checksum: %w", group, ErrFormat)
	}
	page.group, page.records = group, page.records[:0]
	for range min(bookGroup, k.pools-group*bookGroup) {
		size, n := binary.Uvarint(body)
		if n <= 0 || size > uint64(len(body)-n) {
			return fmt.Errorf("facts, group %d: %w", group, ErrFormat)
		}
		page.records = append(page.records, body[n:n+int(size)])
		body = body[n+int(size):]
	}
	return nil
}

// bookWriter gathers the records of pools in order.
type bookWriter struct {
	dir     string
	buf     []byte
	start   int // of the open group in buf
	spooled uint64
	offsets []uint64
	pools   int
	any     bool
	spool   *spool
}

func (w *bookWriter) add(record []byte) error {
	w.any = w.any || len(record) > 0
	w.buf = append(binary.AppendUvarint(w.buf, uint64(len(record))), record...)
	w.pools++
	if w.pools%bookGroup != 0 {
		return nil
	}
	w.closeGroup()
	if len(w.buf) < sideMemory {
		return nil
	}
	return w.flush()
}

func (w *bookWriter) closeGroup() {
	w.offsets = append(w.offsets, w.spooled+uint64(w.start))
	w.buf = binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(w.buf[w.start:], castagnoli))
	w.start = len(w.buf)
}

func (w *bookWriter) flush() error {
	if w.spool == nil {
		f, err := newSpool(w.dir)
		if err != nil {
			return err
		}
		w.spool = f
	}
	if _, err := w.spool.file.Write(w.buf); err != nil {
		return fmt.Errorf("spooling facts: %w", err)
	}
	w.spooled += uint64(len(w.buf))
	w.buf, w.start = w.buf[:0], 0
	return nil
}

// finish makes the book of what was added; nil where it is empty.
func (w *bookWriter) finish(sources []Source) (*book, error) {
	if !w.any {
		return nil, w.spool.close()
	}
	if w.pools%bookGroup != 0 {
		w.closeGroup()
	}
	k := &book{pools: w.pools, sources: sources}
	if w.spool != nil {
		if err := w.flush(); err != nil {
			return nil, err
		}
		k.r, k.spool = w.spool.file, w.spool
	} else {
		k.r = bytes.NewReader(w.buf)
	}
	k.offsets = append(w.offsets, w.spooled+uint64(w.start))
	return k, nil
}

func (k *book) close() error {
	if k == nil {
		return nil
	}
	return k.spool.close()
}
