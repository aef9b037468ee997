package status

import (
	"regexp"
	"strings"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// Limits of a row's values.
const (
	maxOrderID  = 40  // characters
	maxKeyBytes = 255 // of a SKU or FNSKU
	maxText     = 500 // characters of what is only kept
	maxUnits    = 1_000_000_000
)

// The reasons of input_row_bad, as texts know them.
const (
	reasonMissing     = "missing"
	reasonNotWhole    = "not_whole"
	reasonNegative    = "negative"
	reasonTooLarge    = "too_large"
	reasonTooLong     = "too_long"
	reasonDisposition = "disposition"
	reasonDate        = "date"
	reasonFuture      = "future"
	reasonStatus      = "status"
	reasonDigits      = "digits"
	reasonNotValid    = "not_valid"
)

// row is one row while it is read. Each of its readers answers a value, and
// where there is none enters the problem.
type row struct {
	*mapping
	block    *decode.Block
	at       int
	problems []removal.Problem
	bad      bool
	told     [numFields]bool // fields that have a problem: the first is enough
}

// begin looks at what is noted about the row's cells.
func (r *row) begin() {
	r.problems, r.bad, r.told = nil, false, [numFields]bool{}
	for _, n := range r.block.Notes(r.at) {
		f := r.fieldAt(n.Col - 1)
		if f == fieldNone {
			continue // nobody reads the cell
		}
		switch n.What {
		case removal.NoteDamaged:
			if identifies(f) {
				r.problem(f, removal.TextDamaged, "")
			}
		case removal.NoteError:
			r.problem(f, removal.CellError, "")
		case removal.NoteLongNumber:
			if identifies(f) {
				r.problem(f, removal.InputRowBad, reasonDigits)
			}
		}
	}
	for _, n := range r.block.Notes(r.at) {
		if f := r.fieldAt(n.Col - 1); n.What == removal.NoteFormula && f != fieldNone && !r.told[f] {
			r.problem(f, removal.CellFormula, "")
			r.told[f] = false // the value is used, and looked at
		}
	}
	cells := r.block.Cells(r.at)
	for k := len(cells) - 1; k >= len(r.headings); k-- {
		if cells[k].Len > 0 {
			r.tooMany(k + 1)
			return
		}
	}
}

// identifies tells whether a field's value names an order or a SKU.
func identifies(f field) bool { return f == fieldOrderID || f == fieldSKU || f == fieldFNSKU }

func (r *row) fieldAt(col int) field {
	if col < 0 || col >= len(r.fields) {
		return fieldNone
	}
	return r.fields[col]
}

func (r *row) number() int { return r.block.Number(r.at) }
func (r *row) line() int   { return r.block.Line(r.at) }

// value is the trimmed value of a field, "" where it is blank or has no column.
func (r *row) value(f field) string {
	col := r.col[f]
	cells := r.block.Cells(r.at)
	if col < 0 || col >= len(cells) {
		return ""
	}
	s := cells[col]
	return string(r.block.Data()[s.Off : s.Off+s.Len])
}

func (r *row) tooMany(cells int) {
	r.bad = true
	r.problems = append(r.problems, removal.Problem{
		Place: r.place(r.number(), r.line(), cells-1), Code: removal.ColumnCount, Field: removal.FieldNone,
		Args: removal.Args{}.Arg("cells", cells).Arg("headings", len(r.headings)),
	})
}

func (r *row) problem(f field, code removal.Code, reason string) {
	if r.told[f] {
		return
	}
	r.told[f] = true
	r.bad = r.bad || code.IsError()
	p := removal.Problem{
		Place: r.place(r.number(), r.line(), r.col[f]), Code: code, Field: removal.FieldNone, Value: r.value(f),
		OrderID: r.value(fieldOrderID), SKU: r.value(fieldSKU),
	}
	if reason != "" {
		p.Args = removal.Args{}.Arg("heading", p.Column).Arg("reason", reason)
	}
	r.problems = append(r.problems, p)
}

func (r *row) wrong(f field, reason string) { r.problem(f, removal.InputRowBad, reason) }

// orderID reads the id of an order.
func (r *row) orderID() string {
	v := r.value(fieldOrderID)
	switch {
	case v == "":
		r.wrong(fieldOrderID, reasonMissing)
	case len([]rune(v)) > maxOrderID:
		r.wrong(fieldOrderID, reasonTooLong)
	}
	return v
}

// sku reads an MSKU.
func (r *row) sku(required bool) string {
	v := r.value(fieldSKU)
	switch {
	case v == "" && required:
		r.wrong(fieldSKU, reasonMissing)
	case len(v) > maxKeyBytes:
		r.wrong(fieldSKU, reasonTooLong)
	}
	return v
}

// fnsku reads an FNSKU, of which a file need have none.
func (r *row) fnsku() string {
	v := r.value(fieldFNSKU)
	if placeholder(v) {
		return ""
	}
	if len(v) > maxKeyBytes {
		r.wrong(fieldFNSKU, reasonTooLong)
	}
	return v
}

// text reads what is only kept and shown, cut where it is very long.
func (r *row) text(f field) string {
	v := r.value(f)
	if placeholder(v) {
		return ""
	}
	if runes := []rune(v); len(runes) > maxText {
		return string(runes[:maxText])
	}
	return v
}

// moment reads a date, with or without a time.
func (r *row) moment(f field, required bool) time.Time {
	v := r.value(f)
	if placeholder(v) {
		if required {
			r.wrong(f, reasonMissing)
		}
		return time.Time{}
	}
	t, ok := moment(v, r.dates.zone())
	switch {
	case !ok:
		r.wrong(f, reasonDate)
	case !r.dates.Latest.IsZero() && t.After(r.dates.Latest):
		r.wrong(f, reasonFuture)
	}
	return t
}

// units reads a number of units; blank is 0 unless it is required.
func (r *row) units(f field, required bool) int64 {
	v := r.value(f)
	if v == "" {
		if required {
			r.wrong(f, reasonMissing)
		}
		return 0
	}
	n, reason := units(v)
	if reason != "" {
		r.wrong(f, reason)
	}
	return n
}

// record reads the number of a feed's record; 0 where the row names none.
func (r *row) record() int {
	if placeholder(r.value(fieldRecord)) {
		return 0
	}
	return int(r.units(fieldRecord, true))
}

// condition reads a disposition, which says in what condition units are.
func (r *row) condition() removal.Condition {
	v := r.value(fieldDisposition)
	if v == "" {
		r.wrong(fieldDisposition, reasonMissing)
		return removal.Sellable
	}
	c, ok := removal.ParseDisposition(v)
	if !ok {
		r.wrong(fieldDisposition, reasonDisposition)
	}
	return c
}

// state reads the status of an order.
func (r *row) state() removal.State {
	v := r.value(fieldStatus)
	if v == "" {
		r.wrong(fieldStatus, reasonMissing)
		return removal.StateNone
	}
	s, ok := removal.ParseOrderStatus(v)
	if !ok {
		r.wrong(fieldStatus, reasonStatus)
	}
	return s
}

// fee reads an amount of money, of which a row need have none.
func (r *row) fee() (removal.Amount, bool) {
	v := r.value(fieldFee)
	if placeholder(v) {
		return 0, false
	}
	a, ok := amount(v)
	if !ok {
		r.wrong(fieldFee, reasonNotValid)
	}
	return a, ok
}

// currency reads a three-letter code.
func (r *row) currency() string {
	v := strings.ToUpper(r.value(fieldCurrency))
	if placeholder(v) {
		return ""
	}
	if len(v) != 3 || strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		r.wrong(fieldCurrency, reasonNotValid)
	}
	return v
}

// thousands is a number in groups of three digits, as summaries write it.
var thousands = regexp.MustCompile(`^[0-9]{1,3}([,.'\x{a0}\x{202f} ][0-9]{3})+$`)

// count reads a whole number that no file is refused for.
func count(v string) (int, bool) {
	if thousands.MatchString(v) {
		v = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, v)
	}
	n, reason := units(v)
	return int(n), reason == ""
}
