package status

import (
	"strconv"
	"strings"
	"time"

	"rensa/pkg/removal"
)

// placeholder tells whether a cell holds one of the words that exports write for
// nothing.
func placeholder(s string) bool {
	switch strings.ToLower(s) {
	case "", "-", "--", "n/a", "none", "null":
		return true
	}
	return false
}

// units reads a count of units: digits, with ".0" after them at most. The reason
// says why it is none.
func units(s string) (n int64, reason string) {
	digits := strings.TrimSuffix(s, ".0")
	negative := false
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		digits, negative = rest, true
	} else if rest, ok := strings.CutPrefix(digits, "\u2212"); ok {
		digits, negative = rest, true
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		if _, err := strconv.ParseFloat(strings.ReplaceAll(digits, ",", "."), 64); err == nil && negative {
			return 0, reasonNegative
		}
		return 0, reasonNotWhole
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil || n > maxUnits:
		return 0, reasonTooLarge
	case negative && n > 0:
		return 0, reasonNegative
	}
	return n, ""
}

// amount reads money with a point or one comma before its decimals.
func amount(s string) (removal.Amount, bool) {
	if strings.Count(s, ",") == 1 && !strings.Contains(s, ".") {
		s = strings.Replace(s, ",", ".", 1)
	}
	if whole, decimals, ok := strings.Cut(s, "."); ok {
		decimals = strings.TrimRight(decimals, "0")
		s = whole + "." + decimals
	}
	a, err := removal.ParseAmount(s)
	return a, err == nil && a >= 0
}

var dayLayouts = []string{"2006-01-02", "2006/01/02", "02.01.2006", "20060102", "02-Jan-2006", "2 Jan 2006"}

var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05 -0700",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
	"2006/01/02 15:04:05", "02.01.2006 15:04:05", "02.01.2006 15:04",
}

// moment reads a date, with or without a time; without an offset it is in zone,
// and a day is its start there. What may be read in two ways, 03/04/2026, is none.
func moment(s string, zone *time.Location) (time.Time, bool) {
	in := zone
	if rest, ok := strings.CutSuffix(s, " UTC"); ok {
		s, in = rest, time.UTC
	}
	for _, layouts := range [][]string{timeLayouts, dayLayouts} {
		for _, l := range layouts {
			if t, err := time.ParseInLocation(l, s, in); err == nil {
				return t.UTC(), t.Year() >= 1970 && t.Year() < 10000
			}
		}
	}
	return time.Time{}, false
}
