package upload

import "math/bits"

// hashTable finds numbers by hashes, which must be evenly spread. A number takes 15 to
// 19 bytes: in a map it would take twice as much.
type hashTable struct {
	hashes  []uint64
	numbers []int32 // + 1; 0: free
	n       int
}

const fewestSlots = 1 << 8

// find gives the number of a hash.
func (t *hashTable) find(hash uint64) (int32, bool) {
	if t.n == 0 {
		return 0, false
	}
	at := t.slot(hash)
	return t.numbers[at] - 1, t.numbers[at] > 0
}

// add enters a hash that is not there.
func (t *hashTable) add(hash uint64, number int32) {
	if t.n*5 >= len(t.hashes)*4 {
		old := *t
		slots := max(fewestSlots, len(t.hashes)+len(t.hashes)/4)
		t.hashes, t.numbers = make([]uint64, slots), make([]int32, slots)
		for i, n := range old.numbers {
			if n > 0 {
				t.put(old.hashes[i], n)
			}
		}
	}
	t.put(hash, number+1)
	t.n++
}

func (t *hashTable) put(hash uint64, number int32) {
	at := t.slot(hash)
	t.hashes[at], t.numbers[at] = hash, number
}

// slot is where a hash stands, or a free one where it could.
func (t *hashTable) slot(hash uint64) int {
	home, _ := bits.Mul64(hash, uint64(len(t.hashes)))
	at := int(home)
	for t.numbers[at] > 0 && t.hashes[at] != hash {
		if at++; at == len(t.hashes) {
			at = 0
		}
	}
	return at
}
