package inventory

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"sync"
	"sync/atomic"
)

// loader reads sections into one piece of memory and checks their sums.
type loader struct {
	wanted []wanted
	size   int64
	blocks []block
}

type wanted struct {
	section *section
	at      int64 // in the memory
	length  int64
	into    *[]byte
	packs   *packedIndex // what is read is an index, and this its packed form; nil: no
	// look is shown each block while it is in the cache; nil: nobody looks.
	look func(data []byte)
}

type block struct {
	data  []byte
	at    int64
	sum   uint32
	packs *packedIndex
	look  func(data []byte)
}

// want asks for a section, which run puts into *into.
func (l *loader) want(s *section, into *[]byte) {
	l.add(wanted{section: s, length: s.Length, into: into})
}

// wantPacked asks for the packed form of a section that holds an index.
func (l *loader) wantPacked(s *section, x *packedIndex) {
	l.add(wanted{section: s, length: s.Length / 2, into: &x.slots, packs: x})
}

func (l *loader) add(w wanted) {
	w.at = l.size
	l.wanted = append(l.wanted, w)
	// An item begins where a line of the cache does.
	l.size += (w.length + itemSize - 1) / itemSize * itemSize
}

// cut makes the memory and says which block goes where.
func (l *loader) cut() {
	memory := make([]byte, l.size)
	wholePages(memory)
	for _, w := range l.wanted {
		b := memory[w.at : w.at+w.length : w.at+w.length]
		*w.into = b
		size := w.section.Block
		if w.packs != nil {
			size /= 2
		}
		for k, sum := range w.section.Sums {
			from, at := k*size, w.section.Offset+int64(k)*int64(w.section.Block)
			l.blocks = append(l.blocks, block{b[from:min(from+size, len(b))], at, sum, w.packs, w.look})
		}
	}
}

// run reads on two cores: more do not make memory faster.
func (l *loader) run(f *os.File) error {
	l.cut()
	var next atomic.Int64
	var errs [2]error
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			var buf []byte
			for errs[w] == nil {
				k := int(next.Add(1)) - 1
				if k >= len(l.blocks) {
					return
				}
				if b := &l.blocks[k]; b.packs == nil {
					errs[w] = b.read(f)
				} else {
					buf = slices.Grow(buf, packPiece)[:packPiece]
					errs[w] = b.readPacked(f, buf)
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}

func (b *block) read(f *os.File) error {
	if _, err := f.ReadAt(b.data, b.at); err != nil {
		return err
	}
	if err := b.check(crc32.Checksum(b.data, castagnoli)); err != nil || b.look == nil {
		return err
	}
	b.look(b.data)
	return nil
}

func (b *block) check(sum uint32) error {
	if sum != b.sum {
		return fmt.Errorf("block at %d: checksum: %w", b.at, ErrFormat)
	}
	return nil
}

// packPiece is how much of an index is read before it is packed: a part that stays in
// the cache.
const packPiece = 128 << 10

// readPacked reads a block of an index and keeps its packed form.
func (b *block) readPacked(f *os.File, buf []byte) error {
	sum, at := uint32(0), b.at
	for to := b.data; len(to) > 0; to = to[min(len(to), packPiece/2):] {
		piece := buf[:min(2*len(to), packPiece)]
		if _, err := f.ReadAt(piece, at); err != nil {
			return err
		}
		sum = crc32.Update(sum, castagnoli, piece)
		b.packs.pack(piece, to)
		at += int64(len(piece))
	}
	return b.check(sum)
}
