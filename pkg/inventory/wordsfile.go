package inventory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"
)

// The index of words is a file beside the snapshot's: magic and version; a segment
// for every segmentItems items; the directory that says where they are, how long and
// with which checksum, and of which snapshot they are; at the end where the
// directory is, with its checksum. It is made of the snapshot and can be thrown away.
const (
	wordsMagic   = "RENSAWRD"
	wordsEnd     = "WORDSEND"
	wordsVersion = 1
	segmentItems = 1 << 16
	wordsDirItem = 20 // bytes a segment in the directory
	wordsDirHead = 16
)

// WordsSuffix ends the name of the index file of a snapshot, which otherwise has the
// name of the snapshot's.
const WordsSuffix = ".words"

// wordIndex reads the segments of an index. Several goroutines may search it.
type wordIndex struct {
	r        io.ReaderAt
	file     *os.File // nil where the index is held in memory
	segments []segmentPlace
	buffers  sync.Pool
}

type segmentPlace struct {
	offset int64
	length uint32
	sum    uint32
	items  uint32
}

// segment is a part of the index in memory. keys holds a line for each item, "\n" MSKU
// "\x1f" FNSKU "\x1f" ASIN, and a "\n" at the end; lines are the lines' offsets.
// vocabulary holds the words in order, each ended by "\n", at starts, which is one
// longer. The items of word n stand in postings from posts[n] to posts[n+1].
type segment struct {
	buf        []byte
	keys       []byte
	lines      []uint32
	vocabulary []byte
	starts     []uint32
	posts      []uint32
	postings   []byte
}

func isKeyEnd(c byte) bool { return c == '\n' || c == '\x1f' }

func (g *segment) words() int { return len(g.starts) - 1 }

func (g *segment) wordAt(n int) []byte { return g.vocabulary[g.starts[n] : g.starts[n+1]-1] }

// firstFrom gives the first word that is not before w.
func (g *segment) firstFrom(w []byte) int {
	return sort.Search(g.words(), func(n int) bool { return bytes.Compare(g.wordAt(n), w) >= 0 })
}

// wordOf gives the word that stands at an offset of the vocabulary.
func (g *segment) wordOf(at uint32) int {
	n, ok := slices.BinarySearch(g.starts, at)
	if !ok {
		n--
	}
	return n
}

// post enters the items of a word.
func (g *segment) post(n int, to *bitset) {
	item := uint32(0)
	list := g.postings[g.posts[n]:g.posts[n+1]]
	for len(list) > 0 {
		step := uint64(list[0])
		size := 1
		if step >= 0x80 {
			step, size = binary.Uvarint(list)
		}
		item += uint32(step)
		to.set(item % segmentItems)
		list = list[max(1, size):]
	}
}

// The head of a segment: the lengths of its parts, each a multiple of four bytes.
const segmentHead = 24

func (x *wordIndex) read(k int) (*segment, error) {
	g, _ := x.buffers.Get().(*segment)
	if g == nil {
		g = &segment{}
	}
	p := &x.segments[k]
	g.buf = slices.Grow(g.buf[:0], int(p.length))[:p.length]
	if _, err := x.r.ReadAt(g.buf, p.offset); err != nil {
		return nil, fmt.Errorf("reading the index of words: %w", err)
	}
	if crc32.Checksum(g.buf, castagnoli) != p.sum {
		return nil, fmt.Errorf("index of words, segment %d: checksum: %w", k, ErrFormat)
	}
	rest := g.buf[segmentHead:]
	part := func(off int) []byte {
		n := u32(g.buf, off)
		b := rest[:n:n]
		rest = rest[(n+3)&^3:]
		return b
	}
	g.lines = numbers(g.lines, part(0))
	g.starts, g.posts = numbers(g.starts, part(4)), numbers(g.posts, part(8))
	g.keys, g.vocabulary, g.postings = part(12), part(16), part(20)
	return g, nil
}

func (x *wordIndex) done(g *segment) { x.buffers.Put(g) }

// numbers reads numbers of four bytes.
func numbers(dst []uint32, b []byte) []uint32 {
	dst = slices.Grow(dst[:0], len(b)/4)[:len(b)/4]
	for i := range dst {
		dst[i] = u32(b, 4*i)
	}
	return dst
}

// bytes puts a segment together.
func (g *segment) bytes() []byte {
	b := make([]byte, segmentHead)
	for k, list := range [][]uint32{g.lines, g.starts, g.posts} {
		put32(b, 4*k, uint32(4*len(list)))
		for _, n := range list {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	for k, part := range [][]byte{g.keys, g.vocabulary, g.postings} {
		put32(b, 12+4*k, uint32(len(part)))
		b = append(b, part...)
		b = append(b, make([]byte, (4-len(part)%4)%4)...)
	}
	return b
}

// openWords opens the index of a snapshot. ErrFormat: it is of another snapshot or
// version, or damaged.
func openWords(path string, s *Snapshot) (*wordIndex, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	x := &wordIndex{r: f, file: f}
	if err := x.readDirectory(s); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return x, nil
}

func (x *wordIndex) readDirectory(s *Snapshot) error {
	info, err := x.file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	count := int64(s.Len()+segmentItems-1) / segmentItems
	dirSize := wordsDirHead + count*wordsDirItem
	if size < 16+dirSize+12 {
		return ErrFormat
	}
	head, tail := make([]byte, 16), make([]byte, dirSize+12)
	if _, err := x.file.ReadAt(head, 0); err != nil {
		return err
	}
	if _, err := x.file.ReadAt(tail, size-int64(len(tail))); err != nil {
		return err
	}
	dir := tail[:dirSize]
	if string(head[:8]) != wordsMagic || binary.LittleEndian.Uint64(head[8:]) != wordsVersion ||
		string(tail[dirSize+4:]) != wordsEnd || u32(tail, int(dirSize)) != crc32.Checksum(dir, castagnoli) ||
		binary.LittleEndian.Uint64(dir) != s.seed || binary.LittleEndian.Uint64(dir[8:]) != uint64(s.Len()) {
		return ErrFormat
	}
	for at := int64(wordsDirHead); at < dirSize; at += wordsDirItem {
		e := dir[at:]
		p := segmentPlace{int64(binary.LittleEndian.Uint64(e)), u32(e, 8), u32(e, 12), u32(e, 16)}
		if p.offset < 16 || p.length < segmentHead || p.offset+int64(p.length) > size {
			return ErrFormat
		}
		x.segments = append(x.segments, p)
	}
	return nil
}

// wordsDirectory is the end of an index file.
func (x *wordIndex) directory(s *Snapshot) []byte {
	b := binary.LittleEndian.AppendUint64(nil, s.seed)
	b = binary.LittleEndian.AppendUint64(b, uint64(s.Len()))
	for _, p := range x.segments {
		b = binary.LittleEndian.AppendUint64(b, uint64(p.offset))
		for _, n := range []uint32{p.length, p.sum, p.items} {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, wordsEnd...)
}

func (x *wordIndex) close() error {
	if x == nil || x.file == nil {
		return nil
	}
	return x.file.Close()
}

// removeOthers takes away the indexes of other snapshots in the folder: only the
// current one is searched. What cannot be taken away takes room and does no harm.
func removeOthers(path string) {
	others, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"+WordsSuffix))
	if err != nil {
		return
	}
	for _, name := range others {
		if name != path {
			_ = os.Remove(name)
		}
	}
}
