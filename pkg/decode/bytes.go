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

// index appends the places of all bytes in data that can end a field: the
// delimiter, control characters, and quotes where they matter. A few places of
// other bytes may be among them, as the word tricks carry over; who reads the
// index looks at the byte again.
func index(dst []uint32, data []byte, delim byte, quotes bool) []uint32 {
	d, q := uint64(delim)*ones, uint64('"')*ones
	if !quotes {
		q = d
	}
	i := 0
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		x, y := w^d, w^q
		m := ((w-ones*' ')&^w | (x-ones)&^x | (y-ones)&^y) & highs
		if m == 0 {
			continue
		}
		if cap(dst)-len(dst) < 8 {
			dst = append(make([]uint32, 0, 2*cap(dst)+1024), dst...)
		}
		for ; m != 0; m &= m - 1 {
			dst = append(dst, uint32(i+bits.TrailingZeros64(m)>>3))
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c < ' ' || c == delim || quotes && c == '"' {
			dst = append(dst, uint32(i))
		}
	}
	return dst
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
