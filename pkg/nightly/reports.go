package nightly

import (
	"context"
	"io"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// The files of the job reports, beside those of the deadlines.
const (
	OrderDetailFile    = "removal-order-detail.tsv"
	ShipmentDetailFile = "removal-shipment-detail.tsv"
	ReconciliationCSV  = "reconciliation.csv"
	ReconciliationBook = "reconciliation.xlsx"
	InventoryFile      = "inventory.csv"
)

// reportedFor is how far back the nightly reports of orders go. Older orders are in
// those that are made by hand.
const reportedFor = 365 * 24 * time.Hour

// bookLines is up to how many lines of orders the reconciliation is written as a
// workbook too: beyond, nobody reads one.
const bookLines = 50_000

// Reports writes the merchant's reports as of a moment into one folder: Removal
// Order Detail and Removal Shipment Detail as the marketplace lays them out and the
// reconciliation, each of the last year; the disposal deadlines; and where there is
// a snapshot, the inventory with what is available. Recommended Removal is a job of
// its own. It changes nothing, so that a rehearsal is the same. Counts: files.
func (j *Jobs) Reports(ctx context.Context, merchant string, at time.Time, _ bool) (Outcome, error) {
	sc, err := j.scene(ctx, merchant, at)
	if err != nil {
		return Outcome{}, err
	}
	since := at.Add(-reportedFor)
	orders := report.OrderRecords(ctx, j.Ledger, merchant, since)
	files := []output{
		{OrderDetailFile, func(w io.Writer) error { return report.OrderDetail(w, orders, sc.zone) }},
		{ShipmentDetailFile, func(w io.Writer) error {
			return report.ShipmentDetail(w, report.Shipments(ctx, j.Ledger, merchant, since), sc.zone)
		}},
	}
	r, err := j.reconciliation(ctx, sc)
	if err != nil {
		return Outcome{}, err
	}
	files = append(files, output{ReconciliationCSV, func(w io.Writer) error { return r.CSV(w, orders) }})
	lines := 0
	for o, err := range orders {
		if err != nil {
			return Outcome{}, err
		}
		if lines += len(o.Order.Lines); lines > bookLines {
			break
		}
	}
	if lines <= bookLines {
		files = append(files, output{ReconciliationBook, func(w io.Writer) error { return r.XLSX(w, orders) }})
	}
	deadlines, err := j.Deadlines(ctx, merchant, at)
	if err != nil {
		return Outcome{}, err
	}
	files = append(files, output{DeadlinesFile, deadlines.XLSX}, output{DeadlinesCSV, deadlines.CSV})
	row, snapshot, err := j.Current(ctx, merchant)
	if err != nil {
		return Outcome{}, err
	}
	if row != nil {
		files = append(files, output{InventoryFile, func(w io.Writer) error { return j.inventory(ctx, w, sc, row, snapshot) }})
	}
	dir, err := j.folder(sc, "reports", files)
	return Outcome{ReportDir: dir, Counts: map[string]int64{"files": int64(len(files))}}, err
}

func (j *Jobs) reconciliation(ctx context.Context, sc *scene) (*report.Reconciliation, error) {
	p := &sc.merchant.Profile
	r := &report.Reconciliation{Texts: report.Texts(p.Language), Zone: sc.zone, Now: sc.at, ClaimDays: sc.store.ClaimDays, CSVBOM: p.CSVBOM}
	last, _, err := j.Ledger.Runs(ctx, ledger.RunFilter{Merchant: sc.merchant.ID, Kind: removal.KindShipmentDetail, Limit: 1})
	if len(last) > 0 {
		r.Told = last[0].Started
	}
	return r, err
}

// inventory writes the current snapshot with what removals take of it.
func (j *Jobs) inventory(ctx context.Context, w io.Writer, sc *scene, row *ledger.Snapshot, s *inventory.Snapshot) error {
	stock, err := desk.Stock(ctx, j.Ledger, sc.merchant.ID, s, sc.store)
	if err != nil {
		return err
	}
	rows := func(yield func(report.StockRow, error) bool) {
		for i := range int32(s.Len()) {
			item := s.Item(i)
			r := report.StockRow{SKU: string(item.SKU), FNSKU: string(item.FNSKU), ASIN: item.ASIN, Title: item.Title}
			r.Sellable, r.Unsellable = s.Units(item.Pool)
			r.OpenSellable, r.OpenUnsellable = stock.Taken(item.Pool)
			if !yield(r, nil) {
				return
			}
		}
	}
	if err := report.Stock(w, rows, report.Moment(row.Date, row.DateHasTime, sc.zone), sc.merchant.Profile.CSVBOM); err != nil {
		return err
	}
	return s.Err()
}
