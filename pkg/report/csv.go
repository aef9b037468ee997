package report

import "strconv"

// bom makes spreadsheets read a CSV file as UTF-8; written where the profile asks.
const bom = "\ufeff"

// appendCell adds a value to a CSV record by RFC 4180. A value that a spreadsheet
// would run as a formula gets an apostrophe before it.
func appendCell[T string | []byte](dst []byte, v T) []byte {
	if len(v) == 0 {
		return dst
	}
	switch v[0] {
	case '=', '+', '-', '@', '\t', '\r':
		return appendQuoted(dst, "'", v)
	}
	for i := range len(v) {
		if quotedIn[v[i]] {
			return appendQuoted(dst, "", v)
		}
	}
	return append(dst, v...)
}

// quotedIn are the bytes for which a value is put in quotes.
var quotedIn = [256]bool{',': true, '"': true, '\n': true, '\r': true}

func appendQuoted[T string | []byte](dst []byte, prefix string, v T) []byte {
	start := len(dst)
	dst = append(append(dst, '"'), prefix...)
	needed := false
	for i := range len(v) {
		c := v[i]
		needed = needed || quotedIn[c]
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	if needed {
		return append(dst, '"')
	}
	return append(dst[:start], dst[start+1:]...)
}

// appendNumber adds a number that we made: no spreadsheet mistakes it.
func appendNumber[T int | int64](dst []byte, n T) []byte {
	return strconv.AppendInt(dst, int64(n), 10)
}

// counter gives numbers that mostly follow one another: adding one to the digits of
// the last is a fifth of making them anew.
type counter struct {
	n      int
	digits []byte
}

func (c *counter) append(dst []byte, n int) []byte {
	last := len(c.digits) - 1
	if c.n++; n == c.n && last >= 0 && c.digits[last] < '9' {
		c.digits[last]++
	} else {
		c.n, c.digits = n, strconv.AppendInt(c.digits[:0], int64(n), 10)
	}
	return append(dst, c.digits...)
}

// appendPositive leaves the cell blank for zero.
func appendPositive(dst []byte, n int) []byte {
	if n <= 0 {
		return dst
	}
	return appendNumber(dst, n)
}

func columnName(col int) string {
	var letters [8]byte
	i := len(letters)
	for ; col > 0 && i > 0; col = (col - 1) / 26 {
		i--
		letters[i] = byte('A' + (col-1)%26)
	}
	return string(letters[i:])
}
