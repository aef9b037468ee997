package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rensa/pkg/removal"
)

// Deadlines is the list of what is held: until when, what was told of it, which
// orders take it, and what its disposal costs if nothing is done. Days are
// midnight UTC of the day in the store's zone.
type Deadlines struct {
	Language string
	Date     time.Time // the day for which it is made
	Currency string
	CSVBOM   bool
	Rows     []Deadline
}

// Deadline is one hold.
type Deadline struct {
	removal.NoticeRow
	Pool  string
	Steps []removal.HoldStep
}

const deadlinesHeading = "hold,fnsku,sku,product_name,condition,units,reason,since,deadline,days_left,notices,noticed_at," +
	"covered_units,covered_by,fee,currency,no_fee_reason\r\n"

// Sort puts the earliest deadline first.
func (d *Deadlines) Sort() {
	slices.SortStableFunc(d.Rows, func(a, b Deadline) int {
		return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Hold, b.Hold))
	})
}

// notices are the steps that were told of, each with its day.
func (d *Deadline) notices() string {
	var all []string
	for i := range d.Steps {
		all = append(all, d.Steps[i].Step+" "+d.Steps[i].Day.Format(time.DateOnly))
	}
	return strings.Join(all, "; ")
}

// noticedAt is when the mail server took the notice that the units are held.
func (d *Deadline) noticedAt() string {
	for i := range d.Steps {
		if s := &d.Steps[i]; s.Step == removal.StepOpening && !s.AcceptedAt.IsZero() {
			return s.AcceptedAt.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// CSV writes the list for programs and spreadsheets.
func (d *Deadlines) CSV(w io.Writer) error {
	var buf []byte
	if d.CSVBOM {
		buf = append(buf, bom...)
	}
	buf = append(buf, deadlinesHeading...)
	for i := range d.Rows {
		if buf = d.appendRow(buf, &d.Rows[i]); len(buf) < 1<<15 {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("disposal deadlines: %w", err)
		}
		buf = buf[:0]
	}
	if _, err := w.Write(buf); err != nil {
		return fmt.Errorf("disposal deadlines: %w", err)
	}
	return nil
}

func (d *Deadlines) appendRow(dst []byte, r *Deadline) []byte {
	dst = append(appendNumber(dst, r.Hold), ',')
	for _, v := range [...]string{r.FNSKU, r.SKU, r.Title, r.Condition} {
		dst = append(appendCell(dst, v), ',')
	}
	dst = append(appendNumber(dst, r.Units), ',')
	for _, v := range [...]string{string(r.Reason), r.Since.Format(time.DateOnly), r.Deadline.Format(time.DateOnly)} {
		dst = append(appendCell(dst, v), ',')
	}
	// A figure of ours may begin with a minus: it is no formula.
	dst = append(appendNumber(dst, int64(r.DaysLeft)), ',')
	for _, v := range [...]string{r.notices(), r.noticedAt()} {
		dst = append(appendCell(dst, v), ',')
	}
	dst = append(appendNumber(dst, r.Covered), ',')
	fee, currency := "", ""
	if r.HasFee {
		fee, currency = r.Fee.String(), d.Currency
	}
	for _, v := range [...]string{strings.Join(r.CoveredBy, " "), fee, currency} {
		dst = append(appendCell(dst, v), ',')
	}
	return append(appendCell(dst, r.NoFeeReason), '\r', '\n')
}
