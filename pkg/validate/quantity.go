package validate

import (
	"bytes"
	"strconv"
	"strings"

	"rensa/pkg/removal"
)

// quantity reads a cell of units: blank is 0, "12" and "12.0" are 12. Otherwise
// it answers the code of what is wrong with its facts.
func quantity(v []byte) (int64, removal.Code, removal.Args) {
	digits := v
	if n := len(v); n > 2 && v[n-1] == '0' && v[n-2] == '.' {
		digits = v[:n-2] // spreadsheets write a whole number so when they export text
	}
	n, ok := whole(digits)
	switch {
	case !ok && isNegative(v):
		return 0, removal.QuantityNegative, nil
	case !ok:
		return 0, removal.QuantityNotWhole, readingsOf(v)
	case n > MaxQuantity:
		return 0, removal.QuantityTooLarge, removal.Args{}.Arg("max", MaxQuantity)
	}
	return n, removal.CodeNone, nil
}

// whole reads digits only; what is over MaxQuantity comes out as MaxQuantity+1.
func whole(v []byte) (int64, bool) {
	var n int64
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = min(n*10+int64(c-'0'), MaxQuantity+1)
	}
	return n, true
}

func isNegative(v []byte) bool {
	rest, ok := bytes.CutPrefix(v, []byte("-"))
	if !ok {
		rest, ok = bytes.CutPrefix(v, []byte("−"))
	}
	if !ok || len(rest) == 0 {
		return false
	}
	_, err := strconv.ParseFloat(strings.ReplaceAll(string(rest), ",", "."), 64)
	return err == nil
}

// readingsOf lists the whole numbers that an unusable quantity may have meant:
// "1.000" is 1 or 1000, "7 pcs" is 7.
func readingsOf(v []byte) removal.Args {
	s := string(v)
	var readings []string
	add := func(t string) {
		t = strings.TrimLeft(t, "0")
		if t != "" && len(t) <= 7 {
			readings = append(readings, t)
		}
	}
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end <= 0 {
		return nil
	}
	lead, rest := s[:end], s[end:]
	switch sep, tail := rest[0], rest[1:]; {
	case sep == '.' || sep == ',':
		if isDigits(tail) && strings.Trim(tail, "0") == "" {
			add(lead)
		}
		if isDigits(tail) && len(tail) == 3 && len(lead) <= 3 {
			add(lead + tail)
		}
	case isThousands(rest):
		add(lead + strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "'", "").Replace(rest))
	case strings.HasPrefix(strings.TrimLeft(rest, " \u00a0"), "x"), sep == ' ', rest[0] > 127, isLetter(sep):
		if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) && f <= MaxQuantity {
			add(strconv.FormatInt(int64(f), 10)) // 1e3
		} else {
			add(lead)
		}
	}
	if readings == nil {
		return nil
	}
	return removal.Args{}.Arg("readings", strings.Join(readings, "\n"))
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isThousands tells whether s goes on as groups of three digits behind blanks or apostrophes.
func isThousands(s string) bool {
	s = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "'", " ").Replace(s)
	groups := strings.Split(s, " ")
	for _, g := range groups[1:] {
		if len(g) != 3 || !isDigits(g) {
			return false
		}
	}
	return len(groups) > 1 && groups[0] == ""
}
