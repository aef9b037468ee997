package inventory

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// maxRunes is the longest MSKU for which near misses are looked for.
const maxRunes = 64

// lookalikes are letters of other scripts that look like Latin ones, each
// followed by the Latin one.
var lookalikes = pairs("АAВBЕEЁEЗ3КKМMНHОOРPСCТTУYХXІIЈJЅSаaвbеeёeкkмmнhоoрpсcтtуyхxіiјjѕs" +
	"ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXαaιiκkνvοoρpτtυuχx")

func pairs(s string) map[rune]rune {
	m := map[rune]rune{}
	all := []rune(s)
	for k := 0; k+1 < len(all); k += 2 {
		m[all[k]] = softASCII(byte(all[k+1]))
	}
	return m
}

// softASCII is a character as the eye takes it: no case, O as 0, I and l as 1.
func softASCII(c byte) rune {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	switch c {
	case 'o':
		return '0'
	case 'i', 'l', '|':
		return '1'
	case '\t':
		return ' '
	}
	return rune(c)
}

var softTable = func() (t [utf8.RuneSelf]rune) {
	for c := range t {
		t[c] = softASCII(byte(c))
	}
	return t
}()

// soft appends the characters of b, one for one, as the eye takes them.
func soft(dst []rune, b []byte) []rune {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			dst = append(dst, softTable[b[0]])
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		dst = append(dst, softRune(r))
		b = b[n:]
	}
	return dst
}

func softRune(r rune) rune {
	if to, ok := lookalikes[r]; ok {
		return to
	}
	switch {
	case r >= 0xFF01 && r <= 0xFF5E: // the wide forms of East Asian text
		return softASCII(byte(r - 0xFEE0))
	case r >= 0x2010 && r <= 0x2015 || r == 0x2212:
		return '-'
	case unicode.IsSpace(r):
		return ' '
	}
	return unicode.ToLower(r)
}

// bare takes blanks and leading zeros out of a soft form, in place.
func bare(s []rune) []rune {
	out := s[:0]
	for _, r := range s {
		if r == ' ' || r == '0' && len(out) == 0 {
			continue
		}
		out = append(out, r)
	}
	return out
}

// isBare tells whether bare would change nothing.
func isBare(s []rune) bool {
	for k, r := range s {
		if r == ' ' || r == '0' && k == 0 {
			return false
		}
	}
	return true
}

// Ranks of how two keys of the same bare form differ, from the least.
const (
	differCase = iota
	differBlanks
	differZeros
	differLook
)

func difference(a, b []byte) int {
	if bytes.EqualFold(a, b) {
		return differCase
	}
	a, b = noBlanks(a), noBlanks(b)
	if bytes.EqualFold(a, b) {
		return differBlanks
	}
	if bytes.EqualFold(bytes.TrimLeft(a, "0"), bytes.TrimLeft(b, "0")) {
		return differZeros
	}
	return differLook
}

func noBlanks(b []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, b)
}

// distance counts the edits (a character more, less, other, or two neighbours
// swapped) between a and b; more than limit is limit + 1.
func distance(a, b []rune, limit int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit || len(b) > maxRunes {
		return limit + 1
	}
	if len(a) == 0 {
		return len(b)
	}
	// Only cells within limit of the diagonal can be at most limit; those beside
	// them count as more.
	var rows [3][maxRunes + 2]uint8
	before, above, row := &rows[0], &rows[1], &rows[2]
	far := uint8(limit + 1)
	for j := range min(len(b), limit+1) + 1 {
		above[j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		from, to := max(1, i-limit), min(len(b), i+limit)
		row[from-1], row[to+1] = far, far
		if from == 1 {
			row[0] = uint8(i)
		}
		least := row[from-1]
		for j := from; j <= to; j++ {
			v := above[j-1]
			if a[i-1] != b[j-1] {
				v = min(v, above[j], row[j-1]) + 1
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					v = min(v, before[j-2]+1)
				}
			}
			row[j] = v
			least = min(least, v)
		}
		if int(least) > limit {
			return limit + 1
		}
		before, above, row = above, row, before
	}
	return min(int(above[len(b)]), limit+1)
}
