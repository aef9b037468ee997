package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"rensa/pkg/removal"
)

// list splits a cell of values joined by "|"; an empty cell is no value.
func list(v string) []string {
	if v == "" {
		return nil
	}
	parts := strings.Split(v, "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// oneOf checks a word against those that are known.
func oneOf(v string, known []string) error {
	if slices.Contains(known, v) {
		return nil
	}
	near := removal.Nearest(v, known)
	if len(known) > 8 {
		return &badValue{reason: "is not known", near: near, what: "unknown"}
	}
	words := strings.Join(known, ", ")
	return &badValue{reason: "is not one of " + words, near: near, what: "one_of", facts: []any{"words", words}}
}

// listOf checks every word of a list and that none stands twice.
func listOf(v string, known []string) ([]string, error) {
	words := list(v)
	for i, w := range words {
		if err := oneOf(w, known); err != nil {
			if len(words) > 1 {
				err = fmt.Errorf("holds %q, which %w", w, err)
			}
			return nil, err
		}
		if slices.Contains(words[:i], w) {
			return nil, twice(w)
		}
	}
	return words, nil
}

func twice(word string) error {
	return &badValue{reason: fmt.Sprintf("holds %q twice", word), what: "twice", facts: []any{"word", word}}
}

var yesNo = []string{"yes", "no"}

func parseBool(v string) (bool, error) {
	return v == "yes", oneOf(v, yesNo)
}

func parseInt(v string, low, high int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, &badValue{reason: "is not a whole number", what: "whole"}
	}
	if n < low || n > high {
		return 0, &badValue{
			reason: fmt.Sprintf("is not between %d and %d", low, high), what: "between", facts: []any{"low", low, "high", high},
		}
	}
	return n, nil
}

// parseDecimal reads a figure that is not below zero, in plain digits.
func parseDecimal(v string) (decimal.Decimal, error) {
	d, err := decimal.NewFromString(v)
	if err != nil || strings.ContainsAny(v, "eE") {
		return d, errors.New("is not a decimal number")
	}
	if d.IsNegative() || d.GreaterThan(decimal.New(1, 9)) {
		return d, errors.New("is not between 0 and 1000000000")
	}
	return d, nil
}

// amountOf makes an Amount of a rate; more than its four places is an error.
func amountOf(d decimal.Decimal) (removal.Amount, error) {
	shifted := d.Shift(4)
	if !shifted.IsInteger() {
		return 0, errors.New("has more than four decimals")
	}
	return removal.Amount(shifted.IntPart()), nil
}

// day is a calendar day, counted from 1970-01-01.
type day int32

const (
	firstDay day = -1 << 31
	lastDay  day = 1<<31 - 1
)

// dayOf is the calendar day of t in t's own zone.
func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func (d day) String() string {
	if d == firstDay || d == lastDay {
		return ""
	}
	return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
}

// period is a stretch of days, both ends included.
type period struct{ from, to day }

func (p period) has(d day) bool         { return p.from <= d && d <= p.to }
func (p period) overlaps(q period) bool { return p.from <= q.to && q.from <= p.to }

// without is what is left of p where q takes precedence.
func (p period) without(q period) []period {
	if !p.overlaps(q) {
		return []period{p}
	}
	var left []period
	if p.from < q.from {
		left = append(left, period{p.from, q.from - 1})
	}
	if p.to > q.to {
		left = append(left, period{q.to + 1, p.to})
	}
	return left
}

// The columns of a period: how much of it the source states.
var periodWords = []string{"stated", "assumed", "start assumed", "end assumed"}

// parsePeriod reads the three columns of a row's period. Blank ends are open;
// a user's row need not say how sure its period is.
func parsePeriod(at place, from, to, how string) (period, error) {
	p := period{firstDay, lastDay}
	for _, c := range []struct {
		column, value string
		into          *day
	}{{"effective_from", from, &p.from}, {"effective_to", to, &p.to}} {
		if c.value == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, c.value)
		if err != nil {
			return p, at.bad(c.column, c.value, errors.New("is not a date like 2026-01-31"))
		}
		*c.into = dayOf(t)
	}
	if p.to < p.from {
		return p, at.bad("effective_to", to, errors.New("is before effective_from"))
	}
	if how != "" || !at.own {
		if err := oneOf(how, periodWords); err != nil {
			return p, at.bad("period", how, err)
		}
	}
	return p, nil
}
