package report

import (
	"fmt"
	"io"
	"iter"
	"time"
)

const stockHeading = "sku,fnsku,asin,product_name,sellable,unsellable,open_sellable,open_unsellable," +
	"available_sellable,available_unsellable,snapshot_date\r\n"

// StockRow is one MSKU of the current snapshot. Quantities are those of its pool:
// MSKUs that share an FNSKU repeat them.
type StockRow struct {
	SKU, FNSKU, ASIN, Title      string
	Sellable, Unsellable         int64 // in the snapshot
	OpenSellable, OpenUnsellable int64 // what removals take that the snapshot does not show
}

// Stock writes the Inventory report as CSV: the snapshot, what open removals take
// of it, and what is available. date is the snapshot's, as it is to be shown.
func Stock(w io.Writer, rows iter.Seq2[StockRow, error], date string, withBOM bool) error {
	var buf []byte
	if withBOM {
		buf = append(buf, bom...)
	}
	buf = append(buf, stockHeading...)
	flush := func() error {
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("inventory report: %w", err)
		}
		buf = buf[:0]
		return nil
	}
	for r, err := range rows {
		if err != nil {
			return err
		}
		for i, v := range [...]string{r.SKU, r.FNSKU, r.ASIN, r.Title} {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = appendCell(buf, v)
		}
		for _, n := range [...]int64{
			r.Sellable, r.Unsellable, r.OpenSellable, r.OpenUnsellable,
			r.Sellable - r.OpenSellable, r.Unsellable - r.OpenUnsellable,
		} {
			buf = appendNumber(append(buf, ','), n)
		}
		buf = append(append(append(buf, ','), date...), '\r', '\n')
		if len(buf) >= 1<<15 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// Moment writes a date for a report: to the second where it has a time, else the
// day alone.
func Moment(t time.Time, hasTime bool, zone *time.Location) string {
	switch {
	case t.IsZero():
		return ""
	case hasTime:
		return t.In(zone).Format(time.RFC3339)
	}
	return t.In(zone).Format(time.DateOnly)
}
