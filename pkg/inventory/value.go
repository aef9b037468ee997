package inventory

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// Limits of a row's values.
const (
	maxKeyBytes = 255
	maxQuantity = 1_000_000_000
)

// The reasons of snapshot_row_bad and input_row_bad, as texts know them.
const (
	reasonMissing     = "missing"
	reasonNotWhole    = "not_whole"
	reasonNegative    = "negative"
	reasonTooLarge    = "too_large"
	reasonDamaged     = "damaged"
	reasonTooLong     = "too_long"
	reasonDisposition = "disposition"
	reasonDate        = "date"
	reasonFuture      = "future"
	reasonNotValid    = "not_valid"
	reasonConflict    = "conflict"
)

// quantity reads a count of units: digits, with ".0" after them at most. The
// reason says why it is none.
func quantity(b []byte) (n uint32, reason string) {
	digits, negative := b, false
	if len(b) > 0 && b[0] == '-' {
		digits, negative = b[1:], true
	} else if rest, ok := bytes.CutPrefix(b, []byte("\u2212")); ok {
		digits, negative = rest, true
	}
	digits = bytes.TrimSuffix(digits, []byte(".0"))
	if len(digits) == 0 {
		return 0, reasonNotWhole
	}
	var v uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			if _, err := strconv.ParseFloat(strings.ReplaceAll(string(digits), ",", "."), 64); err == nil && negative {
				return 0, reasonNegative
			}
			return 0, reasonNotWhole
		}
		v = min(v*10+uint64(c-'0'), math.MaxUint32)
	}
	switch {
	case negative && v > 0:
		return 0, reasonNegative
	case v > maxQuantity:
		return 0, reasonTooLarge
	}
	return uint32(v), ""
}

// measure reads a decimal with a point or one comma, times scale, rounded up: a
// product that is a little heavier than a limit is over it.
func measure(b []byte, scale float64) (n uint32, reason string) {
	s := string(b)
	if strings.Count(s, ",") == 1 && !strings.Contains(s, ".") {
		s = strings.Replace(s, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(v) || strings.ContainsAny(s, "xX_pPiI"):
		return 0, reasonNotValid
	case v < 0:
		return 0, reasonNegative
	}
	// The small amount taken off keeps 20.2 cm, which no float holds, at 202 mm.
	v = math.Ceil(v*scale - 1e-6)
	if v > maxQuantity {
		return 0, reasonTooLarge
	}
	return uint32(v), ""
}

// word tells which condition a disposition means: 0 sellable, 1 unsellable, more
// for the particular reasons of being unsellable, each a figure of its own.
func word(b []byte) (w uint8, ok bool) {
	var buf [24]byte
	n := 0
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c == '_' || c == '-' || c == ' ' {
			continue
		}
		if c < 'a' || c > 'z' || n == len(buf) {
			return 0, false
		}
		buf[n] = c
		n++
	}
	switch string(buf[:n]) {
	case "sellable", "fulfillable", "fulfilable":
		return 0, true
	case "unsellable", "unfulfillable", "unfulfilable":
		return 1, true
	case "defective":
		return 2, true
	case "customerdamaged":
		return 3, true
	case "warehousedamaged":
		return 4, true
	case "carrierdamaged":
		return 5, true
	case "distributordamaged":
		return 6, true
	case "expired":
		return 7, true
	case "damaged":
		return 8, true
	}
	return 0, false
}

// yes reads a yes or no.
func yes(b []byte) (v, ok bool) {
	switch strings.ToLower(string(b)) {
	case "yes", "y", "true", "1", "ja":
		return true, true
	case "no", "n", "false", "0", "nej", "nein":
		return false, true
	}
	return false, false
}

// placeholder tells whether a cell that may be blank holds one of the words that
// exports write for nothing. As an FNSKU it would make one pool of all of them.
func placeholder(b []byte) bool {
	switch len(b) {
	case 0:
		return true
	case 1, 3, 4:
		switch strings.ToLower(string(b)) {
		case "-", "n/a", "none", "null":
			return true
		}
	}
	return false
}

var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05-07:00", "2006-01-02 15:04:05 -0700",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
	"02.01.2006 15:04:05", "02.01.2006 15:04",
}

var dayLayouts = []string{"2006-01-02", "2006/01/02", "02.01.2006", "20060102"}

// moment reads a date, with or without a time; a day is its start in zone.
func moment(s string, zone *time.Location) (t time.Time, hasTime, ok bool) {
	for _, l := range dayLayouts {
		if len(l) != len(s) {
			continue
		}
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return t, false, plausible(t)
		}
	}
	for _, l := range timeLayouts {
		if t, err := time.ParseInLocation(l, s, zone); err == nil {
			return t, true, plausible(t)
		}
	}
	if utc, found := strings.CutSuffix(s, " UTC"); found {
		if t, err := time.ParseInLocation("2006-01-02 15:04:05", utc, time.UTC); err == nil {
			return t, true, plausible(t)
		}
	}
	return time.Time{}, false, false
}

func plausible(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 10000 }

// day reads a date as days since 1970; a time of day in it is dropped.
func day(s string, zone *time.Location) (int32, bool) {
	t, _, ok := moment(s, zone)
	if !ok {
		return 0, false
	}
	y, m, d := t.Date()
	return int32(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400), true
}
