package decode

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Eight bytes are looked at in one word: a byte of ones in front of each.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

var replacement = []byte("\uFFFD")

func isHigh(b []byte) bool { return asciiPrefix(b) < len(b) }

// asciiPrefix counts the bytes before the first that is not ASCII.
func asciiPrefix(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if m := binary.LittleEndian.Uint64(b[i:]) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for i < len(b) && b[i] < 0x80 {
		i++
	}
	return i
}

// finder finds the bytes that can end a field: the delimiter, control characters,
// and quotes where they matter.
type finder struct{ delim, quote uint64 }

func newFinder(delim byte, quotes bool) finder {
	f := finder{uint64(delim) * ones, uint64(delim) * ones}
	if quotes {
		f.quote = uint64('"') * ones
	}
	return f
}

// in marks, in the top bit of each byte, those of the eight bytes from data[i] on.
// A few other bytes, also behind the end of data, may be marked too, as the word
// tricks carry over: who asks looks at the byte again.
func (f finder) in(data []byte, i int) uint64 {
	var w uint64
	if i+8 <= len(data) {
		w = binary.LittleEndian.Uint64(data[i:])
	} else {
		last := [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		copy(last[:], data[i:])
		w = binary.LittleEndian.Uint64(last[:])
	}
	x, y := w^f.delim, w^f.quote
	return ((w-ones*' ')&^w | (x-ones)&^x | (y-ones)&^y) & highs
}

// trim moves the ends of data[a:z] inwards over blanks: spaces, tabs, line ends
// of a quoted value and no-break spaces.
func trim(data []byte, a, z int) (int, int) {
	for a < z {
		if c := data[a]; c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			a++
		} else if c == 0xc2 && a+1 < z && data[a+1] == 0xa0 {
			a += 2
		} else {
			break
		}
	}
	for a < z {
		if c := data[z-1]; c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			z--
		} else if c == 0xa0 && z-2 >= a && data[z-2] == 0xc2 {
			z -= 2
		} else {
			break
		}
	}
	return a, z
}

// suspicious tells whether data may hold a damaged value besides control
// characters below the space.
func suspicious(data []byte) bool {
	return bytes.IndexByte(data, 0x7f) >= 0 || bytes.Contains(data, replacement) || hasC1(data)
}

// hasC1 finds the control characters U+0080 to U+009F.
func hasC1(data []byte) bool {
	for {
		i := bytes.IndexByte(data, 0xc2)
		if i < 0 || i+1 >= len(data) {
			return false
		}
		if c := data[i+1]; c >= 0x80 && c < 0xa0 {
			return true
		}
		data = data[i+1:]
	}
}

// damaged tells whether a value holds U+FFFD or a control character. Tabs and
// line ends can stand in a quoted value and are none.
func damaged(v []byte) bool {
	for i, c := range v {
		switch {
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c == 0x7f:
			return true
		case c == 0xc2 && i+1 < len(v) && v[i+1] >= 0x80 && v[i+1] < 0xa0:
			return true
		case c == 0xef && bytes.HasPrefix(v[i:], replacement):
			return true
		}
	}
	return false
}
