package inventory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync/atomic"
	"unicode/utf8"
)

// ASIN and title of the items, apart from the rest because no rule needs them:
// groups of sideGroup items, each with a checksum, read one at a time.
const (
	sideGroup = 64
	maxTitle  = 1000 // bytes; longer titles are cut
	// sideMemory is how much of it is kept in memory while a file is read,
	// before it goes to a temporary file.
	sideMemory = 4 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// side reads the groups. Its offsets are n+1 for n groups.
type side struct {
	r       io.ReaderAt
	offsets []uint64
	items   int
	last    atomic.Pointer[sideBlock]
	spool   *spool
}

type sideBlock struct {
	group int
	buf   []byte
	cells [][]byte // ASIN and title of each item in turn
}

func (d *side) size() int64 {
	if len(d.offsets) == 0 {
		return 0
	}
	return int64(d.offsets[len(d.offsets)-1])
}

func (d *side) close() error {
	return d.spool.close()
}

// get gives ASIN and title of an item.
func (d *side) get(i int32) (asin, title []byte, err error) {
	group := int(i) / sideGroup
	b := d.last.Load()
	if b == nil || b.group != group {
		b = new(sideBlock)
		if err = d.read(group, b); err != nil {
			return nil, nil, err
		}
		d.last.Store(b)
	}
	k := int(i) % sideGroup * 2
	return b.cells[k], b.cells[k+1], nil
}

// each visits all items in order until visit says no; the slices are good only
// until it returns.
func (d *side) each(visit func(i int32, asin, title []byte) bool) error {
	var b sideBlock
	for group := range (d.items + sideGroup - 1) / sideGroup {
		if err := d.read(group, &b); err != nil {
			return err
		}
		for k := 0; k < len(b.cells); k += 2 {
			if !visit(int32(group*sideGroup+k/2), b.cells[k], b.cells[k+1]) {
				return nil
			}
		}
	}
	return nil
}

// read fills b, whose memory is used again.
func (d *side) read(group int, b *sideBlock) error {
	from, to := d.offsets[group], d.offsets[group+1]
	if to < from+4 || to-from > sideGroup*(maxTitle+maxKeyBytes+8)+4 {
		return fmt.Errorf("titles, group %d: %w", group, ErrFormat)
	}
	b.buf = slices.Grow(b.buf[:0], int(to-from))[:to-from]
	if _, err := d.r.ReadAt(b.buf, int64(from)); err != nil {
		return fmt.Errorf("reading titles, group %d: %w", group, err)
	}
	body := b.buf[:len(b.buf)-4]
	if crc32.Checksum(body, castagnoli) != u32(b.buf, len(body)) {
		return fmt.Errorf("titles, group %d: checksum: %w", group, ErrFormat)
	}
	n := min(sideGroup, d.items-group*sideGroup)
	b.group, b.cells = group, slices.Grow(b.cells[:0], 2*n)
	for range 2 * n {
		size, k := binary.Uvarint(body)
		if k <= 0 || size > uint64(len(body)-k) {
			return fmt.Errorf("titles, group %d: %w", group, ErrFormat)
		}
		b.cells = append(b.cells, body[k:k+int(size)])
		body = body[k+int(size):]
	}
	return nil
}

// sideWriter gathers the groups while a file is read.
type sideWriter struct {
	dir     string
	buf     []byte // finished groups that are not spooled yet, then the open one
	start   int    // of the open group in buf
	spooled uint64
	offsets []uint64
	items   int
	spool   *spool
	spare   []byte     // what was spooled last; free once writing has answered
	writing chan error // nil where nothing is being spooled
}

// appendSide appends ASIN and title of an item in the form in which groups hold them.
func appendSide(dst, asin, title []byte) []byte {
	if len(title) > maxTitle {
		cut := maxTitle
		for cut > 0 && !utf8.RuneStart(title[cut]) {
			cut--
		}
		title = title[:cut]
	}
	dst = append(binary.AppendUvarint(dst, uint64(len(asin))), asin...)
	return append(binary.AppendUvarint(dst, uint64(len(title))), title...)
}

// add adds an item as appendSide made it.
func (w *sideWriter) add(item []byte) error {
	w.buf = append(w.buf, item...)
	w.items++
	if w.items%sideGroup != 0 {
		return nil
	}
	w.closeGroup()
	if len(w.buf) < sideMemory {
		return nil
	}
	return w.flush()
}

func (w *sideWriter) closeGroup() {
	w.offsets = append(w.offsets, w.spooled+uint64(w.start))
	w.buf = binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(w.buf[w.start:], castagnoli))
	w.start = len(w.buf)
}

// flush moves the finished groups to a temporary file. The write goes on beside
// the reading of the file.
func (w *sideWriter) flush() error {
	if err := w.wait(); err != nil {
		return err
	}
	if w.spool == nil {
		f, err := newSpool(w.dir)
		if err != nil {
			return err
		}
		w.spool = f
	}
	file, buf, done := w.spool.file, w.buf, make(chan error, 1)
	w.writing = done
	go func() {
		_, err := file.Write(buf)
		done <- err
	}()
	w.spooled += uint64(len(buf))
	w.buf, w.spare, w.start = w.spare[:0], buf, 0
	return nil
}

// wait waits for the write that goes on.
func (w *sideWriter) wait() error {
	if w.writing == nil {
		return nil
	}
	err := <-w.writing
	w.writing = nil
	if err != nil {
		return fmt.Errorf("spooling titles: %w", err)
	}
	return nil
}

// finish makes the reader of what was added.
func (w *sideWriter) finish(d *side) error {
	if w.items%sideGroup != 0 {
		w.closeGroup()
	}
	if w.spool != nil {
		if err := errors.Join(w.flush(), w.wait()); err != nil {
			return err
		}
		d.r, d.spool = w.spool.file, w.spool
	} else {
		d.r = bytes.NewReader(w.buf)
	}
	d.offsets = append(w.offsets, w.spooled+uint64(w.start))
	d.items = w.items
	return nil
}

func (w *sideWriter) discard() error { return errors.Join(w.wait(), w.spool.close()) }

// spool is a temporary file that has no name any more where the system allows
// it, so that nothing is left behind by a crash.
type spool struct {
	file *os.File
	name string // to be removed at the end; "": gone already
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "rensa-titles-*")
	if err != nil {
		return nil, fmt.Errorf("spooling titles: %w", err)
	}
	s := &spool{file: f}
	if os.Remove(f.Name()) != nil {
		s.name = f.Name()
	}
	return s, nil
}

func (s *spool) close() error {
	if s == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}
