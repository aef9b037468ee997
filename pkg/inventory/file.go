package inventory

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rensa/pkg/removal"
)

// The file: magic and version; the sections one after another; the directory,
// JSON, that says where they are with a checksum for each megabyte or so; and at
// the very end where the directory is, with its checksum. Titles and ASINs check
// themselves, group by group, and are left in the file, and so do facts.
const (
	fileMagic = "RENSASNP"
	fileEnd   = "RENSAEND"
	// A snapshot without facts has the first version, which knows none.
	fileVersion      = 2
	fileVersionPlain = 1
	headSize         = 16
	tailSize         = 24
	maxDir           = 64 << 20
)

var (
	// ErrFormat: the file is no snapshot, was cut short or is damaged.
	ErrFormat = errors.New("not a snapshot file, or a damaged one")
	// ErrVersion: the snapshot file was written by a newer program.
	ErrVersion = errors.New("the snapshot file has a newer format than this program knows")
)

// section is one part of the file. Sums are CRC-32C of its blocks.
type section struct {
	Offset int64    `json:"offset"`
	Length int64    `json:"length"`
	Block  int      `json:"block"`
	Sums   []uint32 `json:"sums"`
}

type directory struct {
	Kind       removal.Kind `json:"kind"`
	Date       time.Time    `json:"date"`
	DateTime   bool         `json:"date_has_time"`
	Excluded   bool         `json:"open_removals_excluded"`
	Sellable   int64        `json:"sellable"`
	Unsellable int64        `json:"unsellable"`
	Seed       uint64       `json:"seed"`
	ASINLens   uint64       `json:"asin_lengths"`
	Items      int          `json:"items"`
	Pools      int          `json:"pools"`
	Facts      int          `json:"facts"`
	Named      int          `json:"pools_with_fnsku"`
	Hazmat     []string     `json:"hazmat_classes"`

	ItemData  section `json:"item_data"`
	PoolData  section `json:"pool_data"`
	FactData  section `json:"fact_data"`
	Overflow  section `json:"overflow"`
	SKUs      section `json:"sku_index"`
	FNSKUs    section `json:"fnsku_index"`
	SideIndex section `json:"title_index"`
	SideData  section `json:"title_data"`

	Sources   []Source `json:"sources,omitempty"`
	BookIndex *section `json:"fact_index,omitempty"`
	BookData  *section `json:"fact_records,omitempty"`
}

const blockSize = 1 << 20

// WriteTo writes the snapshot as a file. The same snapshot gives the same bytes.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) {
	f := &fileWriter{w: w}
	s.write(f)
	return f.n, f.err
}

// WriteFile is WriteTo for a new, empty file. The hash names the content, for the
// most part through the checksums of its blocks.
func (s *Snapshot) WriteFile(file *os.File) (content [sha256.Size]byte, err error) {
	b := bufio.NewWriterSize(file, blockSize)
	f := &fileWriter{w: b, copied: sha256.New()}
	dir := s.write(f)
	if err := errors.Join(f.err, b.Flush()); err != nil {
		return content, err
	}
	s.grown.Store(nil)
	return sha256.Sum256(f.copied.Sum(dir)), nil
}

// write returns the directory as it was written.
func (s *Snapshot) write(f *fileWriter) (dir []byte) {
	skus, fnskus := s.grownIndexes()
	version := uint64(fileVersionPlain)
	if s.book != nil {
		version = fileVersion
	}
	f.write(binary.LittleEndian.AppendUint64(append([]byte(nil), fileMagic...), version))
	d := directory{
		Kind: s.kind, Date: s.date, DateTime: s.dateTime, Excluded: s.excluded,
		Sellable: s.sellable, Unsellable: s.unsold, Seed: s.seed, ASINLens: s.asinLens,
		Items: s.items.n, Pools: s.pools.n, Facts: s.facts.n, Named: s.named, Hazmat: s.hazmat,
	}
	d.ItemData = f.section(s.items.pageBytes(), s.items.used()...)
	d.PoolData = f.section(s.pools.pageBytes(), s.pools.used()...)
	d.FactData = f.section(s.facts.pageBytes(), s.facts.used()...)
	d.Overflow = f.section(blockSize, cut(s.overflow)...)
	d.SKUs = f.section(blockSize, cut(skus.slots)...)
	d.FNSKUs = f.section(blockSize, cut(fnskus.slots)...)
	d.SideIndex = f.section(blockSize, cut(offsetBytes(s.side.offsets))...)
	d.SideData = section{Offset: f.n, Length: s.side.size()}
	f.copy(io.NewSectionReader(s.side.r, 0, s.side.size()), s.side.size())
	if s.book != nil {
		index := f.section(blockSize, cut(offsetBytes(s.book.offsets))...)
		d.Sources, d.BookIndex = s.book.sources, &index
		d.BookData = &section{Offset: f.n, Length: s.book.size()}
		f.copy(io.NewSectionReader(s.book.r, 0, s.book.size()), s.book.size())
	}
	return f.end(&d)
}

func offsetBytes(offsets []uint64) []byte {
	b := make([]byte, 0, 8*len(offsets))
	for _, o := range offsets {
		b = binary.LittleEndian.AppendUint64(b, o)
	}
	return b
}

func offsetsOf(b []byte) (offsets []uint64) {
	for off := 0; off < len(b); off += 8 {
		offsets = append(offsets, binary.LittleEndian.Uint64(b[off:]))
	}
	return offsets
}

// cut gives b in blocks.
func cut(b []byte) [][]byte {
	var blocks [][]byte
	for len(b) > 0 {
		n := min(blockSize, len(b))
		blocks = append(blocks, b[:n])
		b = b[n:]
	}
	return blocks
}

// fileWriter counts, and keeps the first error.
type fileWriter struct {
	w   io.Writer
	n   int64
	err error
	// copied is of what has no checksum in the directory; nil where nobody asks.
	copied hash.Hash
}

func (f *fileWriter) write(b []byte) {
	if f.err != nil {
		return
	}
	n, err := f.w.Write(b)
	f.n += int64(n)
	if err != nil {
		f.err = fmt.Errorf("writing snapshot: %w", err)
	}
}

func (f *fileWriter) section(block int, blocks ...[]byte) section {
	s := section{Offset: f.n, Block: block}
	for _, b := range blocks {
		s.Sums = append(s.Sums, crc32.Checksum(b, castagnoli))
		s.Length += int64(len(b))
		f.write(b)
	}
	return s
}

func (f *fileWriter) copy(r io.Reader, size int64) {
	if f.err != nil {
		return
	}
	if f.copied != nil {
		r = io.TeeReader(r, f.copied)
	}
	n, err := io.Copy(f.w, r)
	f.n += n
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		f.err = fmt.Errorf("writing snapshot: %w", err)
	}
}

func (f *fileWriter) end(d *directory) []byte {
	b, err := json.Marshal(d)
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("writing snapshot: %w", err)
	}
	tail := binary.LittleEndian.AppendUint64(nil, uint64(f.n))
	tail = binary.LittleEndian.AppendUint32(tail, uint32(len(b)))
	tail = binary.LittleEndian.AppendUint32(tail, crc32.Checksum(b, castagnoli))
	f.write(b)
	f.write(append(tail, fileEnd...))
	return b
}

// Open opens a snapshot file and reads what the rules need into memory, on two
// cores; the file stays open for titles until Close. Errors are ErrFormat,
// ErrVersion or the system's.
func Open(path string) (*Snapshot, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening snapshot: %w", err)
	}
	s, err := open(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening snapshot %s: %w", path, err), f.Close())
	}
	s.file = f
	return s, nil
}

func open(f *os.File) (*Snapshot, error) {
	d, err := readDirectory(f)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{
		kind: d.Kind, date: d.Date.UTC(), dateTime: d.DateTime, excluded: d.Excluded,
		sellable: d.Sellable, unsold: d.Unsellable, seed: d.Seed, asinLens: d.ASINLens, hazmat: d.Hazmat,
		named: d.Named,
		items: newTable(itemSize, itemShift), pools: newTable(poolSize, poolShift), facts: newTable(factSize, factShift),
	}
	var l loader
	var items, pools, facts, offsets, bookOffsets []byte
	begin := beginningsOfBlocks{known: true}
	l.add(wanted{section: &d.ItemData, length: d.ItemData.Length, into: &items, look: begin.look})
	l.want(&d.PoolData, &pools)
	l.want(&d.FactData, &facts)
	l.want(&d.Overflow, &s.overflow)
	s.skus = packedIndex{shift: d.SKUs.indexShift(), numberBits: numberBits(d.Items)}
	l.wantPacked(&d.SKUs, &s.skus)
	l.want(&d.SideIndex, &offsets)
	if d.BookIndex != nil {
		l.want(d.BookIndex, &bookOffsets)
	}
	if err := l.run(f); err != nil {
		return nil, err
	}
	if begin.known {
		s.fnskusBegin = &begin.all
	}
	s.items.adopt(items, d.Items)
	s.pools.adopt(pools, d.Pools)
	s.facts.adopt(facts, d.Facts)
	s.side.items = d.Items
	s.side.r = io.NewSectionReader(f, d.SideData.Offset, d.SideData.Length)
	s.side.offsets = offsetsOf(offsets)
	if s.side.size() != d.SideData.Length {
		return nil, fmt.Errorf("title index: %w", ErrFormat)
	}
	if d.BookIndex != nil {
		s.book = &book{
			r: io.NewSectionReader(f, d.BookData.Offset, d.BookData.Length), offsets: offsetsOf(bookOffsets),
			pools: d.Pools, sources: d.Sources,
		}
		if s.book.size() != d.BookData.Length {
			return nil, fmt.Errorf("fact index: %w", ErrFormat)
		}
	}
	s.loadFNSKUs = func() (packedIndex, error) {
		var l loader
		x := packedIndex{shift: d.FNSKUs.indexShift(), numberBits: numberBits(d.Pools)}
		l.wantPacked(&d.FNSKUs, &x)
		err := l.run(f)
		return x, err
	}
	s.loadGrown = func() (grownIndexes, error) {
		var l loader
		g := grownIndexes{index{n: d.Items, shift: d.SKUs.indexShift()}, index{n: d.Named, shift: d.FNSKUs.indexShift()}}
		l.want(&d.SKUs, &g.skus.slots)
		l.want(&d.FNSKUs, &g.fnskus.slots)
		err := l.run(f)
		return g, err
	}
	return s, nil
}

// readDirectory reads and checks all that says where the rest is.
func readDirectory(f *os.File) (*directory, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var head [headSize]byte
	var tail [tailSize]byte
	size := info.Size()
	if size < headSize+tailSize {
		return nil, fmt.Errorf("%d bytes: %w", size, ErrFormat)
	}
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	version := binary.LittleEndian.Uint64(head[8:])
	switch {
	case string(head[:8]) != fileMagic || version == 0:
		return nil, fmt.Errorf("heading: %w", ErrFormat)
	case version > fileVersion:
		return nil, fmt.Errorf("version %d: %w", version, ErrVersion)
	}
	if _, err := f.ReadAt(tail[:], size-tailSize); err != nil {
		return nil, err
	}
	at, n := binary.LittleEndian.Uint64(tail[:]), int64(u32(tail[:], 8))
	if string(tail[16:]) != fileEnd || n > maxDir || at > uint64(size) || int64(at)+n+tailSize != size {
		return nil, fmt.Errorf("end of file: %w", ErrFormat)
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, int64(at)); err != nil {
		return nil, err
	}
	if crc32.Checksum(b, castagnoli) != u32(tail[:], 12) {
		return nil, fmt.Errorf("directory: checksum: %w", ErrFormat)
	}
	d := new(directory)
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		return nil, fmt.Errorf("directory: %w: %w", ErrFormat, err)
	}
	return d, d.check(int64(at))
}

// check holds the directory against itself, so that no later step can reach
// outside of what was read.
func (d *directory) check(end int64) error {
	sections := []*section{&d.ItemData, &d.PoolData, &d.FactData, &d.Overflow, &d.SKUs, &d.FNSKUs, &d.SideIndex, &d.SideData}
	if (d.BookIndex == nil) != (d.BookData == nil) {
		return fmt.Errorf("directory: facts: %w", ErrFormat)
	}
	if d.BookIndex != nil {
		sections = append(sections, d.BookIndex, d.BookData)
		if groups := int64(d.Pools+bookGroup-1) / bookGroup; d.BookIndex.Length != 8*(groups+1) {
			return fmt.Errorf("directory: facts: %w", ErrFormat)
		}
	}
	for _, s := range sections {
		if s.Offset < headSize || s.Length < 0 || s.Offset > end || s.Length > end-s.Offset || s.Block < 0 || s.Block > blockSize {
			return fmt.Errorf("directory: section at %d: %w", s.Offset, ErrFormat)
		}
		if s != &d.SideData && s != d.BookData && (s.Block == 0 || int64(len(s.Sums)) != (s.Length+int64(s.Block)-1)/int64(s.Block)) {
			return fmt.Errorf("directory: section at %d: %w", s.Offset, ErrFormat)
		}
	}
	groups := int64(d.Items+sideGroup-1) / sideGroup
	if d.Items < 0 || d.Pools < 0 || d.Facts < 0 ||
		d.ItemData.Length != int64(d.Items)*itemSize || d.ItemData.Block%itemSize != 0 || d.PoolData.Length != int64(d.Pools)*poolSize ||
		d.FactData.Length != int64(d.Facts)*factSize || d.SideIndex.Length != 8*(groups+1) ||
		!d.SKUs.isIndex(d.Items) || !d.FNSKUs.isIndex(d.Named) {
		return fmt.Errorf("directory: lengths: %w", ErrFormat)
	}
	return nil
}

// isIndex tells whether the section has the length of an index of n numbers.
func (s *section) isIndex(n int) bool {
	slots := s.Length / 8
	return s.Length%8 == 0 && s.Block%8 == 0 && slots >= 1<<minIndexBits && slots&(slots-1) == 0 && slots <= 1<<32 && int64(n) < slots && n >= 0
}

func (s *section) indexShift() uint {
	bits := uint(0)
	for int64(8)<<bits < s.Length {
		bits++
	}
	return 32 - bits
}

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
