package upload

import "math/bits"

// hashTable finds numbers by hashes, which must be evenly spread. A number takes 14 to
// 16 bytes: in a map it would take twice as much.
//
// It grows part by part. To grow whole it would need room for the old and the new side
// by side, and leave holes behind that nothing else fits into: with 500,000 numbers
// that was as much again as the table itself.
type hashTable struct {
	parts [hashParts]hashPart
}

const (
	hashPartBits = 8
	hashParts    = 1 << hashPartBits
	fewestSlots  = 32
)

// hashPart holds the hashes that begin with the same bits.
type hashPart struct {
	hashes  []uint64
	numbers []int32 // + 1; 0: free
	n       int
}

// find gives the number of a hash.
func (t *hashTable) find(hash uint64) (int32, bool) {
	p := t.part(hash)
	if p.n == 0 {
		return 0, false
	}
	at := p.slot(hash)
	return p.numbers[at] - 1, p.numbers[at] > 0
}

// add enters a hash that is not there.
func (t *hashTable) add(hash uint64, number int32) {
	p := t.part(hash)
	if p.n*20 >= len(p.hashes)*17 {
		p.grow()
	}
	p.put(hash, number+1)
	p.n++
}

func (t *hashTable) part(hash uint64) *hashPart { return &t.parts[hash>>(64-hashPartBits)] }

func (p *hashPart) grow() {
	old := *p
	slots := max(fewestSlots, len(p.hashes)+len(p.hashes)/8)
	p.hashes, p.numbers = make([]uint64, slots), make([]int32, slots)
	for i, n := range old.numbers {
		if n > 0 {
			p.put(old.hashes[i], n)
		}
	}
}

func (p *hashPart) put(hash uint64, number int32) {
	at := p.slot(hash)
	p.hashes[at], p.numbers[at] = hash, number
}

// slot is where a hash stands, or a free one where it could.
func (p *hashPart) slot(hash uint64) int {
	home, _ := bits.Mul64(hash<<hashPartBits, uint64(len(p.hashes)))
	at := int(home)
	for p.numbers[at] > 0 && p.hashes[at] != hash {
		if at++; at == len(p.hashes) {
			at = 0
		}
	}
	return at
}
