package inventory

// lane holds hashes of one range, each with its item, in the order of the items. In a
// word are the bits of a hash below those that the range has in common, and below them
// how many items on from the one before it its item is. Where that finds no room the
// item follows in a word of its own.
type lane struct {
	full [][]uint32
	last []uint32
	item uint32 // of the last hash
	far  int    // items that have words of their own
}

const (
	laneBits              = 5 // of a hash, that all in a lane have in common
	lanes                 = 1 << laneBits
	farStep               = 1<<(32-hashBits+laneBits) - 1 // says that the item follows
	firstChunk, laneChunk = 1 << 8, 1 << 12               // words
)

func (l *lane) add(hash, item uint32) {
	if len(l.last)+2 > cap(l.last) {
		l.full = append(l.full, l.last)
		l.last = make([]uint32, 0, min(laneChunk, max(firstChunk, 2*cap(l.last))))
	}
	step := item - l.item
	l.item = item
	if step < farStep {
		l.last = append(l.last, hash<<laneBits|step)
		return
	}
	l.last = append(l.last, hash<<laneBits|farStep, item)
	l.far++
}

// len is how many hashes there are.
func (l *lane) len() int {
	n := len(l.last) - l.far
	for _, words := range l.full {
		n += len(words)
	}
	return n
}

// all gives the hashes, without the bits in common, and their items.
func (l *lane) all() func(yield func(hash, item uint32) bool) {
	return func(yield func(hash, item uint32) bool) {
		item := uint32(0)
		for k := 0; k <= len(l.full); k++ {
			words := l.last
			if k < len(l.full) {
				words = l.full[k]
			}
			for at := 0; at < len(words); at++ {
				word := words[at]
				if step := word & farStep; step < farStep {
					item += step
				} else {
					at++
					item = words[at]
				}
				if !yield(word&^farStep, item) {
					return
				}
			}
		}
	}
}

// count counts the hashes by their first bits.
func (l *lane) count(counts []uint32, bits uint) {
	shift := (32 - bits) & 31
	for hash := range l.all() {
		counts[hash>>shift]++
	}
}

// note sets the bits of a filter that the first bits of the hashes say.
func (l *lane) note(filter []uint64, bits uint) {
	shift := (32 - bits) & 31
	for hash := range l.all() {
		bit := hash >> shift
		filter[bit/64] |= 1 << (bit % 64)
	}
}

// fill puts an entry for each hash where places say by its first bits, and moves those on.
func (l *lane) fill(places []uint32, bits uint, entries []uint32, itemMask uint32) {
	shift, bits := (32-bits)&31, bits&31
	for hash, item := range l.all() {
		at := &places[hash>>shift]
		entries[*at] = hash<<bits&^itemMask | item
		*at++
	}
}
