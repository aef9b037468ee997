package inventory

import "sync"

// beginnings tells of most keys that no key of a set is as long and begins with the
// same two characters. FNSKUs are all alike in that, and MSKUs seldom like them: the
// index of FNSKUs, 8 MB for a million, then need not be read to know that an unknown
// MSKU is none. The zero value is that of no keys.
type beginnings [64]uint64

func beginningOf(key []byte) (word, bit uint) {
	h := uint(len(key)) * 0x9e3779b1
	if len(key) > 1 {
		h ^= (uint(key[0]) | uint(key[1])<<8) * 0x85ebca6b
	}
	h ^= h >> 15
	return h >> 6 & 63, h & 63
}

func (b *beginnings) add(key []byte) {
	word, bit := beginningOf(key)
	b[word] |= 1 << bit
}

func (b *beginnings) has(key []byte) bool {
	word, bit := beginningOf(key)
	return b[word]>>bit&1 == 1
}

// fnskusOf adds the FNSKUs of items as they stand in the file. Where one lies in the
// overflow, which may not have been read yet, there is no telling: known is false.
func (b *beginnings) fnskusOf(items []byte) (known bool) {
	known = true
	var last uint32 // length and first two characters
	for ; len(items) >= itemSize; items = items[itemSize:] {
		rec := items[:itemSize]
		n, m := int(rec[4]), int(rec[5])
		switch {
		case n == overflown:
			known = known && u16(rec, itemKeys+6) == 0
		case m == 1:
			b.add(rec[itemKeys+n:][:1])
		case m > 1:
			key := rec[itemKeys+n:][:m]
			if now := uint32(m)<<16 | uint32(key[0])<<8 | uint32(key[1]); now != last {
				b.add(key)
				last = now
			}
		}
	}
	return known
}

// beginningsOfBlocks gathers those of blocks of items that are read side by side.
type beginningsOfBlocks struct {
	mu    sync.Mutex
	all   beginnings
	known bool
}

func (b *beginningsOfBlocks) look(items []byte) {
	var some beginnings
	known := some.fnskusOf(items)
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, bits := range some {
		b.all[k] |= bits
	}
	b.known = b.known && known
}
