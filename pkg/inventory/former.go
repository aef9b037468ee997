package inventory

import "unicode/utf8"

// polyBase makes the hash of a form out of its characters: the sum of each times the
// power of its place. So the sum of a stretch is the difference of two, and no
// multiplication waits for another.
const polyBase = 0x9e3779b97f4a7c15

var polyPowers = func() (p [maxKeyBytes + 1]uint64) {
	p[0] = 1
	for i := range maxKeyBytes {
		p[i+1] = p[i] * polyBase
	}
	return p
}()

// polyBack times polyBase is 1: it moves a sum by one place towards the start.
var polyBack = func() uint64 {
	inverse := uint64(polyBase)
	for range 5 { // each doubles the bits that are right, of which an odd number has three
		inverse *= 2 - polyBase*inverse
	}
	return inverse
}()

// poly is the sum of a form that begins at a place.
func poly(s []rune, place int) (sum uint64) {
	for i, r := range s {
		sum += uint64(r) * polyPowers[place+i]
	}
	return sum
}

// shiftSum is the sum of the same characters some places on, or back.
func shiftSum(sum uint64, places int) uint64 {
	for ; places > 0; places-- {
		sum *= polyBase
	}
	for ; places < 0; places++ {
		sum *= polyBack
	}
	return sum
}

// wholeHash is that of a whole form whose poly is sum. No hash is 0, and the lowest bits
// of all are.
func wholeHash(sum uint64) uint32 { return entryHash(fold(sum^hashMul2, hashMul1)) }

// pieceHash is that of a third of a form of n characters, sum being its poly at the
// place where it stands there.
func pieceHash(piece, n int, sum uint64) uint32 {
	return entryHash(fold(sum^uint64(piece*64+n)*hashMul3, hashMul2))
}

// hashBits are those that a hash has, the upper ones of 32.
const hashBits = 30

func entryHash(h uint64) uint32 {
	const lowest = 1 << (32 - hashBits)
	return max(lowest, uint32(h>>32)&^(lowest-1))
}

// pieceBounds are the borders of the thirds of a form of n characters.
func pieceBounds(n int) [4]int { return [4]int{0, n / 3, n * 2 / 3, n} }

// former makes the sums of the forms of MSKUs, and notes the characters that occur in
// them. Its memory is used again.
type former struct {
	bytes [256]bool // that occur in MSKUs
	used  map[rune]bool
	soft  []rune // unless the form was plain
	n     int    // characters of the form
	// sums are the poly of the beginnings of the form, by their length.
	sums [maxKeyBytes + 1]uint64
}

// read makes the sums of an MSKU. plain says that its soft form is its bare form too;
// if not, the soft form is written down.
func (f *former) read(sku []byte) (plain bool) {
	if f.plain(sku) {
		return true
	}
	f.other(sku)
	return false
}

// notPlain marks the bytes that plain does not know.
const notPlain = 1 << 63

var plainTable = func() (t [256]uint64) {
	for c := range t {
		t[c] = notPlain
		if c < utf8.RuneSelf && softTable[c] != ' ' {
			t[c] = uint64(softTable[c])
		}
	}
	return t
}()

// plain does it for an MSKU of ASCII whose soft form is bare, as nearly all are; of
// any other it says that it is not plain. No form is written down.
func (f *former) plain(sku []byte) bool {
	if len(sku) == 0 || plainTable[sku[0]] == '0' {
		return false
	}
	var sum, seen uint64
	for i, c := range sku {
		v := plainTable[c]
		seen |= v
		sum += v * polyPowers[byte(i)]
		f.sums[byte(i+1)] = sum
		f.bytes[c] = true
	}
	f.n = len(sku)
	return seen&notPlain == 0
}

func (f *former) other(sku []byte) {
	f.soft = soft(f.soft[:0], sku)
	f.n = len(f.soft)
	sum := uint64(0)
	for i, r := range f.soft {
		sum += uint64(r) * polyPowers[i]
		f.sums[i+1] = sum
		f.note(r)
	}
}

// note notes a character that may be none of the bytes.
func (f *former) note(r rune) {
	switch {
	case r < utf8.RuneSelf:
		f.bytes[r] = true
	case len(f.used) < 4096:
		if f.used == nil {
			f.used = map[rune]bool{}
		}
		f.used[r] = true
	}
}

// alphabet gives the characters that occur in the forms, some of them twice.
func (f *former) alphabet() []rune {
	var all []rune
	for c, used := range f.bytes[:utf8.RuneSelf] {
		if used {
			all = append(all, softTable[c])
		}
	}
	for r := range f.used {
		all = append(all, r)
	}
	return all
}
