package inventory

import (
	"encoding/binary"
	"math/bits"
)

// packedIndex is an index that grows no more, in half the memory: a slot of 4 bytes
// has number + 1 in its lower bits and, above, as much of the tag as finds room, which
// tells apart all but one in thousands of those that the home slot does not. Each
// number stands where it stood in the index, which can be had again by the keys.
type packedIndex struct {
	slots      []byte
	shift      uint // home = tag >> shift
	numberBits uint
}

// newPackedIndex gives an empty one of 1 << bitCount slots for numbers below n.
func newPackedIndex(bitCount uint, n int) packedIndex {
	x := packedIndex{slots: make([]byte, 4<<bitCount), shift: 32 - bitCount, numberBits: numberBits(n)}
	wholePages(x.slots)
	return x
}

func numberBits(n int) uint { return uint(bits.Len(uint(n))) }

// packed is the index for numbers below n.
func (x *index) packed(n int) packedIndex {
	p := newPackedIndex(32-x.shift, n)
	p.pack(x.slots, p.slots)
	return p
}

// pack gives the packed form of some slots of an index. An empty one stays so: to ask
// for it would be the greater part of the work.
func (x *packedIndex) pack(wide, to []byte) {
	for len(wide) >= 8 && len(to) >= 4 {
		v := binary.LittleEndian.Uint64(wide)
		put32(to, 0, uint32(v>>32)<<x.numberBits|uint32(v))
		wide, to = wide[8:], to[4:]
	}
}

func (x *packedIndex) value(tag uint32, number int32) uint32 {
	return tag<<x.numberBits | uint32(number+1)
}

func (x *packedIndex) mask() uint32 { return uint32(len(x.slots)/4 - 1) }

func (x *packedIndex) slot(pos uint32) uint32 { return u32(x.slots[uint(pos)*4:], 0) }

func (x *packedIndex) number(slot uint32) int32 { return int32(slot&(1<<x.numberBits-1)) - 1 }

// next walks from pos to the first slot that may hold the tag or is empty.
func (x *packedIndex) next(tag, pos uint32) (number int32, at uint32) {
	mask, high := x.mask(), tag<<x.numberBits
	for {
		v := x.slot(pos)
		if v == 0 {
			return -1, pos
		}
		if (v^high)>>x.numberBits == 0 {
			return x.number(v), pos
		}
		pos = (pos + 1) & mask
	}
}

// add inserts a number whose key may stand there already, in a table made large enough.
func (x *packedIndex) add(h uint64, number int32) {
	tag, mask := tagOf(h), x.mask()
	pos := tag >> x.shift
	for x.slot(pos) != 0 {
		pos = (pos + 1) & mask
	}
	put32(x.slots, int(pos)*4, x.value(tag, number))
}

// unpack puts a number back into the index that this one was made of.
func (x *packedIndex) unpack(to *index, h uint64, number int32) {
	tag, mask := tagOf(h), x.mask()
	pos := tag >> x.shift
	for v := x.slot(pos); x.number(v) != number; v = x.slot(pos) {
		if v == 0 {
			return
		}
		pos = (pos + 1) & mask
	}
	binary.LittleEndian.PutUint64(to.slots[uint(pos)*8:], uint64(tag)<<32|uint64(uint32(number+1)))
	to.n++
}

// grownIndexes are the indexes of MSKUs and FNSKUs as they were when the snapshot was
// made, and as they are written. They are let go once that is done.
type grownIndexes struct{ skus, fnskus index }

// grownIndexes gives them for any snapshot: for one from a file they are read again.
// Should they be damaged there, or be let go, they are made of the packed ones and the
// keys.
func (s *Snapshot) grownIndexes() (skus, fnskus index) {
	if g := s.grown.Load(); g != nil {
		return g.skus, g.fnskus
	}
	if s.loadGrown != nil {
		g, err := s.loadGrown()
		if err == nil {
			return g.skus, g.fnskus
		}
		s.fail(err)
	}
	x := s.fnskuIndex()
	skus, fnskus = newIndex(32-s.skus.shift), newIndex(32-x.shift)
	for i := range int32(s.items.n) {
		s.skus.unpack(&skus, hashBytes(s.seed, s.SKU(i)), i)
	}
	for p := range int32(s.pools.n) {
		if f := s.FNSKU(s.FirstItem(p)); len(f) > 0 {
			x.unpack(&fnskus, hashBytes(s.seed, f), p)
		}
	}
	return skus, fnskus
}
