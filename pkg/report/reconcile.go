package report

import (
	"fmt"
	"io"
	"iter"
	"time"

	"rensa/pkg/removal"
	"rensa/templates"
)

// Reconciliation says what became of every line of every order, which units left
// without a parcel that anyone knows of, and until when they can be claimed.
type Reconciliation struct {
	Texts *templates.Texts
	Zone  *time.Location
	// Now is when it is made; the days that are left count from its day.
	Now time.Time
	// ClaimDays is how long missing units can be claimed after they left.
	ClaimDays int
	// Told is when the last Removal Shipment Detail was taken in. Of units that
	// left later nobody can say yet that they are missing. Zero: never.
	Told   time.Time
	CSVBOM bool
}

// reconciled is one line of the report.
type reconciled struct {
	*detailLine
	parcels int64 // units in the parcels that are known
	// missing units left and are in no parcel that is known; told is false
	// where that cannot be said yet.
	missing int64
	told    bool
	until   time.Time // last day of the claim; zero where nothing is missing
	days    int       // left until then
}

const reconciliationHeading = "order_id,status,method,source,request_date,last_updated,sku,fnsku,condition,requested,cancelled," +
	"disposed,shipped,in_process,in_parcels,missing,claim_until,claim_days_left\r\n"

// lines reconciles the lines of the orders.
func (r *Reconciliation) lines(orders iter.Seq2[OrderRecord, error]) iter.Seq2[*reconciled, error] {
	return func(yield func(*reconciled, error) bool) {
		for record, err := range orders {
			if err != nil {
				yield(nil, err)
				return
			}
			for l := range detailLines(record) {
				if !yield(r.reconcile(l), nil) {
					return
				}
			}
		}
	}
}

func (r *Reconciliation) reconcile(l *detailLine) *reconciled {
	c := &reconciled{detailLine: l}
	for i := range l.Parcels {
		if p := &l.Parcels[i]; p.SKU == l.line.SKU && p.Condition == l.condition {
			c.parcels += p.Shipped
		}
	}
	left := c.left()
	c.told = l.units.Shipped <= c.parcels || !r.Told.Before(left)
	if c.missing = max(0, l.units.Shipped-c.parcels); c.missing == 0 || !c.told {
		return c
	}
	c.until = r.day(left).AddDate(0, 0, r.ClaimDays)
	c.days = int(c.until.Sub(r.day(r.Now)).Hours() / 24)
	return c
}

// day is the day of a moment, as midnight UTC, so that days can be counted.
func (r *Reconciliation) day(t time.Time) time.Time {
	y, m, d := t.In(r.Zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// left is when the units that are in no parcel left, as far as it is known: the
// newest date of a status row that told of shipped units.
func (c *reconciled) left() (at time.Time) {
	if p := c.progress(); p != nil {
		for _, l := range p.Left {
			if !l.Disposed && !l.Dated && l.At.After(at) {
				at = l.At
			}
		}
	}
	if at.IsZero() {
		return c.updated
	}
	return at
}

// CSV writes the report for programs and spreadsheets: missing is blank where it
// cannot be said yet.
func (r *Reconciliation) CSV(w io.Writer, orders iter.Seq2[OrderRecord, error]) error {
	var buf []byte
	if r.CSVBOM {
		buf = append(buf, bom...)
	}
	buf = append(buf, reconciliationHeading...)
	for c, err := range r.lines(orders) {
		if err != nil {
			return err
		}
		if buf = r.appendLine(buf, c); len(buf) < 1<<15 {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("reconciliation: %w", err)
		}
		buf = buf[:0]
	}
	if _, err := w.Write(buf); err != nil {
		return fmt.Errorf("reconciliation: %w", err)
	}
	return nil
}

func (r *Reconciliation) appendLine(dst []byte, c *reconciled) []byte {
	for _, v := range [...]string{
		c.Order.ID, string(c.Order.State), c.Order.Method.String(), string(c.Order.Source),
		c.requested().In(r.Zone).Format(time.RFC3339), c.updated.In(r.Zone).Format(time.RFC3339),
		c.line.SKU, c.line.FNSKU, c.condition.String(),
	} {
		dst = append(appendCell(dst, v), ',')
	}
	for _, n := range c.figures() {
		dst = append(appendNumber(dst, n), ',')
	}
	if c.told {
		dst = appendNumber(dst, c.missing)
	}
	dst = append(dst, ',')
	if c.until.IsZero() {
		return append(dst, ',', '\r', '\n')
	}
	dst = append(append(dst, c.until.Format(time.DateOnly)...), ',')
	return append(appendNumber(dst, c.days), '\r', '\n')
}

func (c *reconciled) figures() [6]int64 {
	u := &c.units
	return [6]int64{u.Requested, u.Cancelled, u.Disposed, u.Shipped, u.InProcess(), c.parcels}
}

// sum adds the figures of lines.
type sum struct {
	figures [6]int64
	missing int64
}

func (s *sum) add(c *reconciled) {
	for i, n := range c.figures() {
		s.figures[i] += n
	}
	if c.told {
		s.missing += c.missing
	}
}

// stateText and conditionText are in the reader's language.
func (r *Reconciliation) stateText(s removal.State) string {
	return r.Texts.T("word.state." + string(s))
}

func (r *Reconciliation) conditionText(c removal.Condition) string {
	return r.Texts.T("word.condition." + c.String())
}
