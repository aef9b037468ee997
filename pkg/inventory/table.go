package inventory

import "encoding/binary"

// table is a growing array of records of one size, in pages, so that growing
// never copies and a page can be written and read as it is.
type table struct {
	size  int  // bytes a record
	shift uint // a page holds 1 << shift records
	page  [][]byte
	n     int
}

func newTable(size int, shift uint) table { return table{size: size, shift: shift} }

func (t *table) pageBytes() int { return t.size << t.shift }

// at gives a record's bytes.
func (t *table) at(i int32) []byte {
	off := (int(i) & (1<<t.shift - 1)) * t.size
	return t.page[i>>t.shift][off : off+t.size : off+t.size]
}

// add gives a new record, all zero.
func (t *table) add() (i int32, rec []byte) {
	if t.n == len(t.page)<<t.shift {
		t.page = append(t.page, make([]byte, t.pageBytes()))
	}
	t.n++
	return int32(t.n - 1), t.at(int32(t.n - 1))
}

// adopt makes a table of n records of bytes that were read.
func (t *table) adopt(b []byte, n int) {
	t.n = n
	for len(b) > 0 {
		k := min(t.pageBytes(), len(b))
		t.page = append(t.page, b[:k:k])
		b = b[k:]
	}
}

// used gives the pages without the unused end of the last.
func (t *table) used() [][]byte {
	pages := make([][]byte, 0, len(t.page))
	left := t.n * t.size
	for _, p := range t.page {
		pages = append(pages, p[:min(left, len(p))])
		left -= min(left, len(p))
	}
	return pages
}

func u32(b []byte, off int) uint32      { return binary.LittleEndian.Uint32(b[off:]) }
func put32(b []byte, off int, v uint32) { binary.LittleEndian.PutUint32(b[off:], v) }
func u16(b []byte, off int) uint16      { return binary.LittleEndian.Uint16(b[off:]) }
func put16(b []byte, off int, v uint16) { binary.LittleEndian.PutUint16(b[off:], v) }
