package inventory

import "slices"

// fuzzy finds MSKUs that are nearly equal to a key. Each stands in it under the
// hashes of its soft form, of its bare form where that is another, and of the thirds
// of its soft form, because two edits leave one third of a key as it is. A bit filter
// tells of most forms that nobody has them, and is small enough for a cache. All of
// it takes 18 MB for a million MSKUs, and 18 more while it is made.
//
// An entry has the item's number in its lower bits and as much of the hash as finds
// room above it. The entries of one hash are in order, and in long buckets all are.
type fuzzy struct {
	itemBits   uint
	bucketBits uint
	heads      []uint32 // entries[heads[b]:heads[b+1]] are those of bucket b
	entries    []uint32
	filter     []uint64 // of whole and bare forms
	filterBits uint
	alphabet   []rune
}

const (
	// bucketEntries is about how many entries a bucket has: with fewer the heads take
	// more memory, with more the search takes longer (BenchmarkSuggest).
	bucketEntries = 16
	// longBucket is from how many entries on a bucket is in order.
	longBucket  = 4 * bucketEntries
	formBits    = 8 // of the filter, a form
	maxAlphabet = 96
	minPieces   = 4 // characters: shorter keys are not searched by thirds
)

// mayHave tells of most forms that no MSKU has them.
func (f *fuzzy) mayHave(whole uint32) bool {
	bit := whole >> (32 - f.filterBits)
	return f.filter[bit/64]&(1<<(bit%64)) != 0
}

func (f *fuzzy) bucket(h uint32) uint32 { return h >> ((32 - f.bucketBits) & 31) }

func (f *fuzzy) itemMask() uint32 { return 1<<f.itemBits - 1 }

// touch fetches the buckets of some hashes side by side; what it gives is of no use.
func (f *fuzzy) touch(thirds []third) (touched uint32) {
	var places [maxThirds]uint32
	for k := range thirds {
		places[k] = f.heads[f.bucket(thirds[k].hash)]
	}
	for _, at := range places[:len(thirds)] {
		if at < uint32(len(f.entries)) {
			touched += f.entries[at]
		}
	}
	return touched
}

// find appends the items that have a hash, in order, to list; seldom others too. Of
// more than limit it may leave out those after; n is how many they are.
func (f *fuzzy) find(list []int32, h uint32, limit int) (_ []int32, n int) {
	b, mask := f.bucket(h), f.itemMask()
	tag := h << f.bucketBits &^ mask
	l := f.entries[f.heads[b]:f.heads[b+1]]
	if len(l) > longBucket {
		from, _ := slices.BinarySearch(l, tag)
		to, last := slices.BinarySearch(l, tag|mask)
		if last {
			to++
		}
		for _, e := range l[from:min(to, from+limit)] {
			list = append(list, int32(e&mask))
		}
		return list, to - from
	}
	for _, e := range l {
		if (e^tag)&^mask == 0 {
			list = append(list, int32(e&mask))
			n++
		}
	}
	return list, n
}
