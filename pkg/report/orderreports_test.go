package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/status"
	"rensa/templates"
)

var stockholm = func() *time.Location {
	l, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		panic(err) // the zone stands in the standard library
	}
	return l
}()

func at(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }

func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// broken gives one value and then an error.
func broken[T any](v T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if yield(v, nil) {
			var none T
			yield(none, err)
		}
	}
}

// orderRecords are orders in all states that a report tells of.
func orderRecords() []report.OrderRecord {
	left := func(day int, units int64, dated bool) removal.Left {
		return removal.Left{At: at(day, 8), Units: units, Dated: dated}
	}
	return []report.OrderRecord{
		{
			Order: &removal.Order{ID: "RET-1", State: removal.StateCompleted, Method: removal.Return, Source: removal.SourceUpload,
				Created: at(1, 12), Currency: "SEK", Lines: []removal.Line{{SKU: "00012345", FNSKU: "X1", HasFee: true, Fee: 320100,
					Sellable:   removal.Units{Requested: 9, Shipped: 8, Cancelled: 1},
					Unsellable: removal.Units{Requested: 2, Shipped: 2}}}},
			Progress: &removal.Progress{Requested: at(2, 9), Updated: at(12, 9), Lines: []removal.LineProgress{
				{SKU: "00012345", Condition: removal.Sellable, Updated: at(11, 9), Left: []removal.Left{left(9, 5, true), left(10, 3, false)}}}},
			Parcels: []removal.ShipmentLine{
				{SKU: "00012345", Condition: removal.Sellable, Shipped: 5},
				{SKU: "00012345", Condition: removal.Unsellable, Shipped: 2},
				{SKU: "other", Condition: removal.Sellable, Shipped: 7}},
		},
		{
			Order: &removal.Order{ID: "=DSP", State: removal.StateProcessing, Method: removal.Disposal, Source: removal.SourceRequired,
				Created: at(3, 23), Lines: []removal.Line{{SKU: "\"MUG\", blue", FNSKU: "",
					Unsellable: removal.Units{Requested: 7, Disposed: 4}}}},
			Progress: &removal.Progress{},
		},
		{
			Order: &removal.Order{ID: "LATE", State: removal.StateProcessing, Method: removal.Return, Source: removal.SourceExternal,
				Created: at(4, 12), Lines: []removal.Line{{SKU: "CUP", FNSKU: "X2", Sellable: removal.Units{Requested: 4, Shipped: 4}}}},
			Progress: &removal.Progress{Requested: at(4, 9), Updated: at(21, 9)},
		},
		{
			Order: &removal.Order{ID: "REFUSED", State: removal.StateRefused, Method: removal.Return, Lines: []removal.Line{
				{SKU: "CUP", Sellable: removal.Units{Requested: 4, Cancelled: 4}}}},
			Progress: &removal.Progress{},
		},
	}
}

func TestOrderDetail(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.OrderDetail(&b, each(orderRecords()), stockholm); err != nil {
		t.Fatal(err)
	}
	want := "request-date|order-id|order-source|order-type|service-speed|order-status|last-updated-date|sku|fnsku|disposition|" +
		"requested-quantity|cancelled-quantity|disposed-quantity|shipped-quantity|in-process-quantity|removal-fee|currency\r\n" +
		"2026-11-02T10:00:00+01:00|RET-1|upload|Return|Standard|Completed|2026-11-11T10:00:00+01:00|00012345|X1|Sellable|9|1|0|8|0|26.19|SEK\r\n" +
		"2026-11-02T10:00:00+01:00|RET-1|upload|Return|Standard|Completed|2026-11-12T10:00:00+01:00|00012345|X1|Unsellable|2|0|0|2|0|5.82|SEK\r\n" +
		"2026-11-04T00:00:00+01:00|=DSP|required|Disposal|Standard|Processing|2026-11-04T00:00:00+01:00|\"\"\"MUG\"\", blue\"||Unsellable|7|0|4|0|3||\r\n" +
		"2026-11-04T10:00:00+01:00|LATE|external|Return|Standard|Processing|2026-11-21T10:00:00+01:00|CUP|X2|Sellable|4|0|0|4|0||\r\n"
	if d := cmp.Diff(want, strings.ReplaceAll(b.String(), "\t", "|")); d != "" {
		t.Error(d)
	}
	fault := errors.New("the ledger is gone")
	if err := report.OrderDetail(&b, broken(orderRecords()[0], fault), stockholm); !errors.Is(err, fault) {
		t.Error(err)
	}
}

// What is written reads back as it was, whatever the values are.
func TestOrderDetailReadsBack(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	words := []string{"A-1", "Mugg blå", `"quoted"`, `6" plate`, "00012", "=1+1", "å,b;c|d", "-"}
	word := func() string { return words[r.IntN(len(words)-1)] }
	for range 300 {
		var records []report.OrderRecord
		for n := range 1 + r.IntN(4) {
			o := &removal.Order{ID: fmt.Sprint(word(), n), Method: removal.Method(1 + r.IntN(2)), Source: removal.SourceUpload, Currency: "SEK",
				State: []removal.State{removal.StatePending, removal.StateProcessing, removal.StateCompleted, removal.StateCancelled}[r.IntN(4)], Created: at(1+n, n)}
			for range 1 + r.IntN(3) {
				u := removal.Units{Cancelled: r.Int64N(5), Disposed: r.Int64N(5), Shipped: r.Int64N(5)}
				u.Requested = u.Cancelled + u.Disposed + u.Shipped + r.Int64N(5)
				o.Lines = append(o.Lines, removal.Line{SKU: word(), FNSKU: word(), Sellable: u, Fee: removal.Amount(r.Int64N(99999)), HasFee: r.IntN(2) == 0})
			}
			records = append(records, report.OrderRecord{Order: o, Progress: &removal.Progress{Updated: at(9, n)}})
		}
		var b bytes.Buffer
		if err := report.OrderDetail(&b, each(records), stockholm); err != nil {
			t.Fatal(err)
		}
		sheet, heading := firstSheet(t, b.Bytes())
		read, err := status.OrderDetail(sheet, heading.Number, heading.Cells, status.Dates{})
		if err != nil && !isEmpty(err) {
			t.Fatal(err)
		}
		var got, want []string
		if read != nil {
			for _, l := range read.Lines {
				got = append(got, fmt.Sprint(l.OrderID, l.Type, l.Status, l.RequestDate, l.LastUpdated, l.SKU, l.FNSKU, l.Condition,
					l.Requested, l.Cancelled, l.Disposed, l.Shipped, l.InProcess, l.HasFee, l.Fee))
			}
			if len(read.Problems) > 0 {
				t.Fatalf("%v in\n%s", read.Problems, b.String())
			}
		}
		for _, rec := range records {
			for _, l := range rec.Order.Lines {
				u := l.Sellable
				fee := l.Fee
				if !l.HasFee {
					fee = 0
				}
				if u.Requested > 0 {
					want = append(want, fmt.Sprint(rec.Order.ID, rec.Order.Method, rec.Order.State, rec.Order.Created, rec.Progress.Updated, l.SKU, l.FNSKU,
						removal.Sellable, u.Requested, u.Cancelled, u.Disposed, u.Shipped, u.InProcess(), l.HasFee, fee))
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%s\n%s", d, b.String())
		}
	}
}

func isEmpty(err error) bool {
	fault, ok := errors.AsType[*removal.FileError](err)
	return ok && fault.Code == removal.FileEmpty
}

func firstSheet(t *testing.T, content []byte) (*decode.Sheet, decode.Row) {
	t.Helper()
	f, err := decode.Open(bytes.NewReader(content), int64(len(content)), decode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	head, err := f.Sheets()[0].Head()
	if err != nil {
		t.Fatal(err)
	}
	return f.Sheets()[0], head[0]
}

func TestShipmentDetail(t *testing.T) {
	t.Parallel()
	lines := []removal.ShipmentLine{
		{RequestDate: at(2, 9), OrderID: "RET-1", ShipmentDate: at(9, 8), SKU: "00012345", FNSKU: "X1", Condition: removal.Sellable,
			Shipped: 5, Carrier: "DHL", Tracking: "00340434161094000001", Type: "Return"},
		{OrderID: "RET-1", ShipmentDate: at(10, 8), SKU: "00012345", Condition: removal.Unsellable, Shipped: 2},
	}
	var b bytes.Buffer
	if err := report.ShipmentDetail(&b, each(lines), stockholm); err != nil {
		t.Fatal(err)
	}
	want := "request-date|order-id|shipment-date|sku|fnsku|disposition|shipped-quantity|carrier|tracking-number|removal-order-type\r\n" +
		"2026-11-02T10:00:00+01:00|RET-1|2026-11-09T09:00:00+01:00|00012345|X1|Sellable|5|DHL|00340434161094000001|Return\r\n" +
		"|RET-1|2026-11-10T09:00:00+01:00|00012345||Unsellable|2|||\r\n"
	if d := cmp.Diff(want, strings.ReplaceAll(b.String(), "\t", "|")); d != "" {
		t.Error(d)
	}
	sheet, heading := firstSheet(t, b.Bytes())
	read, err := status.ShipmentDetail(sheet, heading.Number, heading.Cells, status.Dates{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range read.Lines {
		read.Lines[i].Row, read.Lines[i].Line = 0, 0
	}
	if d := cmp.Diff(lines, read.Lines); d != "" {
		t.Error(d)
	}
	fault := errors.New("the ledger is gone")
	if err := report.ShipmentDetail(&b, broken(lines[0], fault), stockholm); !errors.Is(err, fault) {
		t.Error(err)
	}
}

// The last shipment report is of the 20th: of LATE nobody can say yet that
// anything is missing. Of RET-1 three units left on the 10th; they can be claimed
// for 20 days.
func reconciliation(lang string) *report.Reconciliation {
	return &report.Reconciliation{Texts: templates.Load(lang), Zone: stockholm, Now: at(23, 23), ClaimDays: 20, Told: at(20, 7)}
}

func TestReconciliationCSV(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := reconciliation("sv").CSV(&b, each(orderRecords())); err != nil {
		t.Fatal(err)
	}
	want := "order_id,status,method,source,request_date,last_updated,sku,fnsku,condition,requested,cancelled,disposed,shipped," +
		"in_process,in_parcels,missing,claim_until,claim_days_left\r\n" +
		"RET-1,completed,Return,upload,2026-11-02T10:00:00+01:00,2026-11-11T10:00:00+01:00,00012345,X1,sellable,9,1,0,8,0,5,3,2026-11-30,6\r\n" +
		"RET-1,completed,Return,upload,2026-11-02T10:00:00+01:00,2026-11-12T10:00:00+01:00,00012345,X1,unsellable,2,0,0,2,0,2,0,,\r\n" +
		"'=DSP,processing,Disposal,required,2026-11-04T00:00:00+01:00,2026-11-04T00:00:00+01:00,\"\"\"MUG\"\", blue\",,unsellable,7,0,4,0,3,0,0,,\r\n" +
		"LATE,processing,Return,external,2026-11-04T10:00:00+01:00,2026-11-21T10:00:00+01:00,CUP,X2,sellable,4,0,0,4,0,0,,,\r\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	fault := errors.New("the ledger is gone")
	if err := reconciliation("sv").CSV(&b, broken(orderRecords()[0], fault)); !errors.Is(err, fault) {
		t.Error(err)
	}
}

func TestReconciliationXLSX(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		var b, again bytes.Buffer
		if err := reconciliation(lang).XLSX(&b, each(orderRecords())); err != nil {
			t.Fatal(err)
		}
		if err := reconciliation(lang).XLSX(&again, each(orderRecords())); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Errorf("%s: other bytes the second time, %v", lang, err)
		}
		x, err := excelize.OpenReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		sheet := x.GetSheetName(0)
		for cell, want := range map[string]string{
			"A5": "RET-1", "D5": "2026-11-02", "F5": "00012345", "I5": "9", "O5": "3", "P5": "2026-11-30", "Q5": "6",
			"A7": "=DSP", "O8": "", "P8": "", "I9": "22", "O9": "3",
		} {
			if got, err := x.GetCellValue(sheet, cell); err != nil || got != want {
				t.Errorf("%s %s: %q, want %q, %v", lang, cell, got, want, err)
			}
		}
		// What is an identifier is text, what is a figure a number.
		for cell, want := range map[string]excelize.CellType{"F5": excelize.CellTypeInlineString, "I5": excelize.CellTypeUnset} {
			if got, err := x.GetCellType(sheet, cell); err != nil || got != want {
				t.Errorf("%s %s: type %v, want %v, %v", lang, cell, got, want, err)
			}
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	// Without an order it is a page that says so.
	var b bytes.Buffer
	r := reconciliation("en")
	r.Told = time.Time{}
	if err := r.XLSX(&b, each([]report.OrderRecord{})); err != nil {
		t.Fatal(err)
	}
	x, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if got, err := x.GetCellValue(x.GetSheetName(0), "A5"); err != nil || got != "No orders yet." {
		t.Errorf("%q, %v", got, err)
	}
	fault := errors.New("the ledger is gone")
	if err := r.XLSX(&b, broken(orderRecords()[0], fault)); !errors.Is(err, fault) {
		t.Error(err)
	}
}

func TestStock(t *testing.T) {
	t.Parallel()
	rows := []report.StockRow{
		{SKU: "MUG-1", FNSKU: "X1", ASIN: "B1", Title: "Mugg, blå", Sellable: 12, Unsellable: 3, OpenSellable: 9, OpenUnsellable: 1},
		{SKU: "-1", Sellable: 1, OpenSellable: 2},
	}
	var b bytes.Buffer
	date := report.Moment(at(20, 5), true, stockholm)
	if err := report.Stock(&b, each(rows), date, true); err != nil {
		t.Fatal(err)
	}
	want := "\ufeffsku,fnsku,asin,product_name,sellable,unsellable,open_sellable,open_unsellable,available_sellable,available_unsellable,snapshot_date\r\n" +
		"MUG-1,X1,B1,\"Mugg, blå\",12,3,9,1,3,2,2026-11-20T06:00:00+01:00\r\n" +
		"'-1,,,,1,0,2,0,-1,0,2026-11-20T06:00:00+01:00\r\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	if got := report.Moment(at(20, 23), false, stockholm); got != "2026-11-21" {
		t.Error(got)
	}
	fault := errors.New("the snapshot is gone")
	if err := report.Stock(&b, broken(rows[0], fault), date, false); !errors.Is(err, fault) {
		t.Error(err)
	}
}
