package decode

import (
	"math/bits"
	"sync"
)

// codeTables find the codes of a block by the bits that come next: those of
// literals and lengths, and those of distances. Codes longer than an index stand in
// tables of their own behind it.
type codeTables struct {
	symbols   [1 << 13]uint32
	distances [1 << 12]uint32
}

const (
	symbolBits   = 11
	distanceBits = 8
	maxCode      = 15
)

// An entry has how many bits to take away in its low six bits: those of the code
// and of the extra bits behind it, which begin behind as many bits as the next four
// say; from codeValue on its value: the byte, or to what the extra bits are added.
// Of an entry that refers to another table the low bits are those of its index, and
// the value is where it begins.
const (
	codeOther   = 1 << 10 // neither a literal of the first table nor a length or distance
	codeSub     = 1 << 11 // refers to another table
	codeEnd     = 1 << 12 // ends the block
	codeLiteral = 1 << 31
	codeValue   = 16

	codeWrong = codeOther // no code has these bits
)

// symbolValues are the entries of literals and lengths but for their codes' length:
// the low six bits are the extra bits alone.
var symbolValues = func() (v [288]uint32) {
	for i := range 256 {
		v[i] = codeLiteral | uint32(i)<<codeValue
	}
	v[256] = codeOther | codeEnd
	base := uint32(3)
	for i := range uint32(28) {
		extra := max(4, i)/4 - 1
		v[257+i] = base<<codeValue | extra
		base += 1 << extra
	}
	v[285] = 258 << codeValue
	v[286], v[287] = codeWrong, codeWrong
	return v
}()

var distanceValues = func() (v [32]uint32) {
	base := uint32(1)
	for i := range uint32(30) {
		extra := max(2, i)/2 - 1
		v[i] = base<<codeValue | extra
		base += 1 << extra
	}
	v[30], v[31] = codeWrong, codeWrong
	return v
}()

var fixedTables = sync.OnceValue(func() *codeTables {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144, i >= 280:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		default:
			lengths[i] = 7
		}
	}
	var distances [32]uint8
	for i := range distances {
		distances[i] = 5
	}
	t := new(codeTables)
	// Both codes are whole.
	_ = makeTable(t.symbols[:], symbolBits, lengths[:], symbolValues[:])
	_ = makeTable(t.distances[:], distanceBits, distances[:], distanceValues[:])
	return t
})

// makeTable makes the table of a code from the lengths of its words. It tells
// whether there can be such a code: one that uses all words, or has a single word
// of one bit, or none at all.
func makeTable(table []uint32, index uint, lengths []uint8, values []uint32) bool {
	var counts, next [maxCode + 2]uint32
	longest := uint(0)
	for _, n := range lengths {
		if n > 0 {
			counts[n]++
			longest = max(longest, uint(n))
		}
	}
	for i := range 1 << index {
		table[i] = codeWrong
	}
	if longest == 0 {
		return true
	}
	code := uint32(0)
	for n := 1; n <= maxCode; n++ {
		code <<= 1
		next[n] = code
		code += counts[n]
		if code > 1<<n {
			return false
		}
	}
	if code != 1<<maxCode && (longest != 1 || counts[1] != 1) {
		return false
	}
	free := uint32(1) << index // where the next further table begins
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		word := bits.Reverse32(next[n]) >> (32 - n)
		next[n]++
		v := values[symbol]
		if uint(n) <= index {
			entry := coded(v, uint32(n))
			for i := word; i < 1<<index; i += 1 << n {
				table[i] = entry
			}
			continue
		}
		// All words that begin alike share a table, made when the first comes, large
		// enough for the longest.
		first := word & (1<<index - 1)
		width := uint32(longest - index)
		if table[first]&codeSub == 0 {
			if int(free)+1<<width > len(table) {
				return false
			}
			table[first] = codeOther | codeSub | free<<codeValue | width
			for i := free; i < free+1<<width; i++ {
				table[i] = codeWrong
			}
			free += 1 << width
		}
		at := table[first] >> codeValue
		entry := coded(v, uint32(n)-uint32(index))
		for i := word >> index; i < 1<<width; i += 1 << (uint(n) - index) {
			table[at+i] = entry
		}
	}
	return true
}

// coded completes an entry of a code of n bits.
func coded(v, n uint32) uint32 {
	if v&codeOther != 0 && v&codeEnd == 0 {
		return codeWrong
	}
	return v + n | n<<6
}

// The order in which the lengths of the code of code lengths are written.
var lengthOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readTables reads the codes of a block.
func (f *inflater) readTables() error {
	sizes, err := f.bits(14)
	if err != nil {
		return err
	}
	symbols, distances, orders := int(sizes&31)+257, int(sizes>>5&31)+1, int(sizes>>10)+4
	if symbols > 286 || distances > 30 {
		return errDeflate
	}
	var short [19]uint8
	for _, at := range lengthOrder[:orders] {
		n, err := f.bits(3)
		if err != nil {
			return err
		}
		short[at] = uint8(n)
	}
	var table [1 << 7]uint32
	var plain [19]uint32
	for i := range plain {
		plain[i] = uint32(i) << codeValue
	}
	if !makeTable(table[:], 7, short[:], plain[:]) {
		return errDeflate
	}
	var lengths [286 + 30]uint8
	if err := f.readLengths(lengths[:symbols+distances], &table); err != nil {
		return err
	}
	if lengths[256] == 0 || // a block without an end
		!makeTable(f.dynamic.symbols[:], symbolBits, lengths[:symbols], symbolValues[:]) ||
		!makeTable(f.dynamic.distances[:], distanceBits, lengths[symbols:symbols+distances], distanceValues[:]) {
		return errDeflate
	}
	return nil
}

// readLengths reads the lengths of codes, repetitions written short.
func (f *inflater) readLengths(lengths []uint8, table *[1 << 7]uint32) error {
	for i := 0; i < len(lengths); {
		e, err := f.symbol(table)
		if err != nil {
			return err
		}
		value, again := uint8(0), uint(0)
		switch v := e >> codeValue; v {
		case 16:
			if i == 0 {
				return errDeflate
			}
			value = lengths[i-1]
			again, err = f.bits(2)
			again += 3
		case 17:
			again, err = f.bits(3)
			again += 3
		case 18:
			again, err = f.bits(7)
			again += 11
		default:
			value, again = uint8(v), 1
		}
		if err != nil {
			return err
		}
		if i+int(again) > len(lengths) {
			return errDeflate
		}
		for range again {
			lengths[i] = value
			i++
		}
	}
	return nil
}

// symbol reads one code of a small table, bit by bit: there are few.
func (f *inflater) symbol(table *[1 << 7]uint32) (uint32, error) {
	word := uint32(0)
	for n := uint32(1); n <= 7; n++ {
		b, err := f.bits(1)
		if err != nil {
			return 0, err
		}
		word |= uint32(b) << (n - 1)
		if e := table[word]; e&codeOther == 0 && e>>6&15 == n {
			return e, nil
		}
	}
	return 0, errDeflate
}
