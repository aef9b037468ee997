package decode

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// dateKind says how a cell's style shows its number.
type dateKind uint8

const (
	notDate dateKind = iota
	dateDay
	dateTime // a time of day, with a date or without
)

// builtinKind is about the formats that a workbook need not spell out; 27 to 36
// and 50 to 58 are dates in the Chinese and Japanese versions.
func builtinKind(id int) dateKind {
	switch {
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id >= 57 && id <= 58:
		return dateDay
	case id >= 18 && id <= 22, id >= 32 && id <= 35, id >= 45 && id <= 47, id >= 55 && id <= 56:
		return dateTime
	}
	return notDate
}

// formatKind reads a format code: letters of date and time that stand neither in
// quotes, nor behind a backslash, nor in brackets ([Red], [$-41D]; but [h] counts).
func formatKind(code string) dateKind {
	kind := notDate
	code, _, _ = strings.Cut(strings.ToLower(code), ";")
	if strings.TrimSpace(code) == "general" {
		return notDate
	}
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				return kind
			}
			i += end + 1
		case '\\', '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				return kind
			}
			if strings.Trim(code[i+1:i+end], "hms") == "" {
				return dateTime
			}
			i += end
		case 'h', 's':
			return dateTime
		case 'y', 'd', 'm':
			kind = dateDay
		}
	}
	return kind
}

// lastDay is 9999-12-31, the last that Excel shows as a date.
const lastDay = 2958465

// appendDate writes the day and time that a serial number stands for; ok is
// false where it stands for none. A value below one day with a style that shows
// times is a time of day.
func appendDate(dst []byte, serial float64, kind dateKind, from1904 bool) (_ []byte, ok bool) {
	if math.IsNaN(serial) || serial < 0 || serial >= lastDay+1 {
		return dst, false
	}
	day := math.Floor(serial)
	seconds := int(math.Round((serial - day) * 86400))
	if serial < 1 && kind == dateTime {
		t := time.Date(2000, 1, 1, 0, 0, min(seconds, 86399), 0, time.UTC)
		return t.AppendFormat(dst, "15:04:05"), true
	}
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case from1904:
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case day < 61:
		// The 1900 system counts a 29 February 1900 that never was.
		epoch = epoch.AddDate(0, 0, 1)
	}
	t := epoch.AddDate(0, 0, int(day)).Add(time.Duration(seconds) * time.Second)
	if seconds == 0 {
		return t.AppendFormat(dst, time.DateOnly), true
	}
	return t.AppendFormat(dst, "2006-01-02T15:04:05"), true
}

// sureDigits is how many digits of a number survive a spreadsheet.
const sureDigits = 15

// appendNumber writes a stored number as a plain decimal without exponent. Of a
// fraction of more than 15 digits, as binary ones have them (19.989999999999998
// for 19.99), the shortest that means the same number is taken. long tells that
// digits may be lost.
func appendNumber(dst, v []byte) (_ []byte, long bool) {
	digits := 0
	for digits < len(v) && v[digits]-'0' < 10 {
		digits++
	}
	if digits == len(v) {
		return append(dst, v...), digits > sureDigits
	}
	if isPlainDecimal(v) {
		return append(dst, v...), false
	}
	n, ok := parseDecimal(string(v))
	if !ok {
		return append(dst, v...), false
	}
	if len(n.digits) > sureDigits && n.point < len(n.digits) {
		f, err := strconv.ParseFloat(string(v), 64)
		if err == nil {
			n, _ = parseDecimal(strconv.FormatFloat(f, 'e', -1, 64))
		}
	}
	from := len(dst)
	dst = n.append(dst)
	written := len(strings.Trim(strings.Replace(string(dst[from:]), ".", "", 1), "-"))
	if n.point <= 0 {
		written = len(n.digits)
	}
	return dst, written > sureDigits
}

// isPlainDecimal knows the usual form, 12.5 or 0.25, which is written as it
// stands.
func isPlainDecimal(v []byte) bool {
	points := 0
	for i, c := range v {
		switch {
		case c == '.' && i > 0:
			points++
		case c-'0' > 9:
			return false
		}
	}
	last := v[len(v)-1]
	return points == 1 && len(v) <= sureDigits && last != '0' && last != '.' && (v[0] != '0' || v[1] == '.')
}

// decimal is 0.digits times ten to the power of point.
type decimal struct {
	negative bool
	digits   string // no zeros at either end
	point    int
}

// maxExponent bounds how long a number gets when it is written out.
const maxExponent = 40

func parseDecimal(s string) (n decimal, ok bool) {
	if n.negative = strings.HasPrefix(s, "-"); n.negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	exp := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		if exp, err = strconv.Atoi(s[i+1:]); err != nil || exp > maxExponent || exp < -maxExponent {
			return n, false
		}
		s = s[:i]
	}
	whole, frac, _ := strings.Cut(s, ".")
	n.digits = whole + frac
	if n.digits == "" || strings.Trim(n.digits, "0123456789") != "" {
		return n, false
	}
	n.point = len(whole) + exp
	trimmed := strings.TrimLeft(n.digits, "0")
	n.point -= len(n.digits) - len(trimmed)
	if n.digits = strings.TrimRight(trimmed, "0"); n.digits == "" {
		n.point, n.negative = 0, false
	}
	return n, true
}

func (n decimal) append(dst []byte) []byte {
	if n.negative {
		dst = append(dst, '-')
	}
	switch {
	case n.digits == "":
		return append(dst, '0')
	case n.point <= 0:
		dst = append(append(dst, '0', '.'), strings.Repeat("0", -n.point)...)
		return append(dst, n.digits...)
	case n.point >= len(n.digits):
		return append(append(dst, n.digits...), strings.Repeat("0", n.point-len(n.digits))...)
	}
	return append(append(append(dst, n.digits[:n.point]...), '.'), n.digits[n.point:]...)
}
