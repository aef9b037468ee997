package inventory

import (
	"encoding/binary"
	"math/bits"
)

// Odd constants of the hash. They are part of the file format: a change needs a
// new format version.
const (
	hashMul1 = 0x9fb21c651e98df25
	hashMul2 = 0xd6e8feb86659fd93
	hashMul3 = 0xa0761d6478bd642f
)

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// hashBytes is the stable, seeded hash of a key. Its upper 32 bits are the tag
// in an index.
func hashBytes(seed uint64, b []byte) uint64 {
	h := seed ^ uint64(len(b))*hashMul3
	for len(b) >= 8 {
		h = fold(h^binary.LittleEndian.Uint64(b), hashMul1) + hashMul2
		b = b[8:]
	}
	var tail uint64
	switch {
	case len(b) >= 4:
		tail = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))<<32
	case len(b) > 0:
		tail = uint64(b[0]) | uint64(b[len(b)/2])<<8 | uint64(b[len(b)-1])<<16 | 1<<32
	}
	h = fold(h^tail, hashMul3)
	return fold(h^hashMul2, hashMul1)
}

// index is an open-addressing table of 8-byte slots: number + 1 in the lower
// half, the key's tag in the upper. The home slot is the tag's top bits, so a
// table grows, and is written to a file, without the keys.
type index struct {
	slots []byte
	shift uint // home = tag >> shift
	n     int
}

const minIndexBits = 4

func newIndex(bitCount uint) index {
	slots := make([]byte, 8<<bitCount)
	wholePages(slots)
	// Whoever puts a number in looks at a slot first, and memory that was only
	// looked at is got by a second fault when it is written to.
	clear(slots)
	return index{slots: slots, shift: 32 - bitCount}
}

// newIndexFor gives a table with room for n numbers.
func newIndexFor(n int) index { return newIndex(newIndexBits(n)) }

func newIndexBits(n int) uint {
	b := uint(minIndexBits)
	for n*10 > 7<<b {
		b++
	}
	return b
}

func (x *index) mask() uint32 { return uint32(len(x.slots)/8 - 1) }

func (x *index) slot(pos uint32) uint64 {
	return binary.LittleEndian.Uint64(x.slots[uint(pos)*8:])
}

func tagOf(h uint64) uint32 { return uint32(h >> 32) }

// next walks from pos to the first slot that holds the tag or is empty.
func (x *index) next(tag, pos uint32) (number int32, at uint32) {
	mask := x.mask()
	for {
		v := x.slot(pos)
		if v == 0 {
			return -1, pos
		}
		if uint32(v>>32) == tag {
			return int32(uint32(v)) - 1, pos
		}
		pos = (pos + 1) & mask
	}
}

// put fills the empty slot that next ended at, and grows the table where it
// gets crowded.
func (x *index) put(tag, at uint32, number int32) {
	binary.LittleEndian.PutUint64(x.slots[uint(at)*8:], uint64(tag)<<32|uint64(uint32(number+1)))
	x.n++
	if x.n*10 > 7*(len(x.slots)/8) {
		x.grow()
	}
}

func (x *index) grow() { x.resize(32 - x.shift + 1) }

// fit takes away the room that a table made for more numbers does not need: its
// size says how many there are, whatever was expected.
func (x *index) fit() {
	if b := newIndexBits(x.n); b < 32-x.shift {
		x.resize(b)
	}
}

func (x *index) resize(bitCount uint) {
	other := newIndex(bitCount)
	for pos := 0; pos < len(x.slots); pos += 8 {
		if v := binary.LittleEndian.Uint64(x.slots[pos:]); v != 0 {
			other.insert(v)
		}
	}
	other.n = x.n
	*x = other
}

// insert adds a slot's value without looking whether its key is there.
func (x *index) insert(v uint64) {
	mask := x.mask()
	pos := uint32(v>>32) >> x.shift
	for x.slot(pos) != 0 {
		pos = (pos + 1) & mask
	}
	binary.LittleEndian.PutUint64(x.slots[uint(pos)*8:], v)
}
