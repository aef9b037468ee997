package upload

import (
	"encoding/binary"
	"math/bits"
)

// hashTable finds numbers by hashes, of which the first hashBits count and must be
// evenly spread. A number takes 12 to 13 bytes: in a map it would take three times as
// much.
//
// It grows part by part. To grow whole it would need room for the old and the new side
// by side, and leave holes behind that nothing else fits into: with 500,000 numbers
// that was as much again as the table itself.
type hashTable struct {
	parts [1 << partBits]hashPart
}

const (
	partBits = 8  // of a hash, by which it belongs to a part
	slotBits = 48 // that stand in the part
	hashBits = partBits + slotBits

	slotSize    = slotBits/8 + 4
	fewestSlots = 32
)

// hashPart holds the hashes that begin with the same bits.
type hashPart struct {
	slots []byte // what is left of a hash, and the number + 1; 0: free
	n     int
}

// find gives the number of a hash.
func (t *hashTable) find(hash uint64) (int32, bool) {
	p, rest := t.part(hash)
	if p.n == 0 {
		return 0, false
	}
	number := p.number(p.slot(rest))
	return number - 1, number > 0
}

// add enters a hash that is not there.
func (t *hashTable) add(hash uint64, number int32) {
	p, rest := t.part(hash)
	if p.n*20 >= p.size()*17 {
		p.grow()
	}
	p.put(rest, number+1)
	p.n++
}

// part gives the part of a hash, and what stands in it.
func (t *hashTable) part(hash uint64) (_ *hashPart, rest uint64) {
	return &t.parts[hash>>(64-partBits)], hash << partBits >> (64 - slotBits)
}

func (p *hashPart) size() int { return len(p.slots) / slotSize }

func (p *hashPart) number(at int) int32 {
	return int32(binary.LittleEndian.Uint32(p.slots[at*slotSize+slotBits/8:]))
}

func (p *hashPart) rest(at int) uint64 {
	return binary.LittleEndian.Uint64(p.slots[at*slotSize:]) & (1<<slotBits - 1)
}

func (p *hashPart) grow() {
	old := *p
	size := max(fewestSlots, old.size()+old.size()/8)
	p.slots = make([]byte, size*slotSize)
	clear(p.slots) // new memory that is read first costs two faults a page
	for at := range old.size() {
		if n := old.number(at); n > 0 {
			p.put(old.rest(at), n)
		}
	}
}

func (p *hashPart) put(rest uint64, number int32) {
	b := p.slots[p.slot(rest)*slotSize:]
	binary.LittleEndian.PutUint32(b, uint32(rest))
	binary.LittleEndian.PutUint16(b[4:], uint16(rest>>32))
	binary.LittleEndian.PutUint32(b[slotBits/8:], uint32(number))
}

// slot is where a hash stands, or a free one where it could.
func (p *hashPart) slot(rest uint64) int {
	home, _ := bits.Mul64(rest<<(64-slotBits), uint64(p.size()))
	at := int(home)
	for p.number(at) > 0 && p.rest(at) != rest {
		if at++; at == p.size() {
			at = 0
		}
	}
	return at
}
