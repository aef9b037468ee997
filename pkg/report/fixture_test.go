package report_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/templates"
)

// memory collects the files of a set.
type memory map[string][]byte

func (m memory) create(name string) (io.WriteCloser, error) {
	return &memoryFile{m: m, name: name}, nil
}

type memoryFile struct {
	bytes.Buffer
	m    memory
	name string
}

func (f *memoryFile) Close() error {
	f.m[f.name] = f.Bytes()
	return nil
}

var (
	finished = time.Date(2026, 11, 23, 8, 0, 1, 500, time.UTC)
	outbound = []ledger.Outbound{{Name: "nordic-20261123-0001-1.tsv", SHA256: "beef", Orders: []string{"RET-1", "=cmd"}}}
)

// upload is a small upload with what was decided about it.
type upload struct {
	in      report.Input
	decided []removal.OrderOutcome // of all orders, each with its problems
	rows    []report.Row
}

func mustPolicy(tb testing.TB) *policy.Set {
	tb.Helper()
	set, err := policy.Load(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// row makes a row of layout A with one unknown column, Comment, at the end.
func row(number int, outcome removal.Outcome, fnsku string, values ...string) report.Row {
	r := &removal.Row{Number: number, Line: number}
	var cells []removal.Span
	for i, v := range values {
		span := removal.Span{Off: uint32(len(r.Data)), Len: uint32(len(v))}
		r.Data = append(r.Data, v...)
		cells = append(cells, span)
		if i < removal.NumFields {
			r.Spans[i] = span
		}
	}
	outcome.Row, outcome.Line = number, number
	return report.Row{Row: r, Outcome: &outcome, FNSKU: []byte(fnsku), Cells: cells}
}

func problem(code removal.Code, f removal.Field, args ...string) removal.Problem {
	p := removal.Problem{Code: code, Field: f}
	for i := 0; i+1 < len(args); i += 2 {
		p.Args = append(p.Args, removal.Arg{Name: args[i], Value: args[i+1]})
	}
	return p
}

func headings() []string {
	names := make([]string, removal.NumFields)
	for f := range names {
		names[f] = removal.Field(f).String()
	}
	names[removal.FieldSKU] = "Merchant SKU" // as the user wrote it
	return append(names, "Comment")
}

func newUpload(tb testing.TB, lang string) *upload {
	tb.Helper()
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		tb.Fatal(err)
	}
	u := &upload{}
	u.in = report.Input{
		Run: ledger.Run{
			ID: "20261123-0001", Merchant: "nordic", Kind: removal.KindUpload,
			FileName: "returns november.csv", SHA256: "5ca1ab1e", Bytes: 1234,
			Layout: "A", Encoding: "utf-8", Delimiter: "comma", Heading: 1,
			SnapshotID: "s1", PolicyVersion: "p1", Acceptance: removal.AcceptRow, Status: "done",
			Started: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
			Read:    10, Accepted: 5, Rejected: 4, Seen: 1, OrdersAccepted: 4, OrdersRefused: 1,
		},
		Merchant: removal.Merchant{ID: "nordic", Profile: removal.Profile{Name: "Nordic Outdoor AB", Language: lang}},
		Zone:     stockholm, Headings: headings(), Currency: "SEK",
		Policy: mustPolicy(tb), Texts: templates.Load(lang),
		Snapshot: &report.Snapshot{ID: "s1", Date: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), DateHasTime: true},
		FileProblems: []removal.Problem{{
			Place: removal.Place{Line: 1, Col: 16, Column: "Comment", Cell: "P1"},
			Code:  removal.ColumnIgnored, Field: removal.FieldNone, Value: "Comment",
			Args: removal.Args{{Name: "heading", Value: "Comment"}},
		}},
	}
	for f := range removal.NumFields {
		u.in.FieldColumns[f] = f + 1
	}
	u.orders()
	u.items()
	return u
}

func (u *upload) orders() {
	u.decided = []removal.OrderOutcome{
		{Given: "RET-1", ID: "RET-1", Family: "RET-1", Method: removal.Return, Row: 2, Rows: 4, Accepted: 1, Problems: []removal.Problem{
			problem(removal.AddressCountryAlias, removal.FieldCountry, "code", "GB"),
		}},
		{Given: "=cmd", ID: "=cmd", Family: "=cmd", Method: removal.Disposal, Row: 6, Rows: 1, Accepted: 1, Problems: []removal.Problem{
			problem(removal.AddressIgnored, removal.FieldName),
		}},
		{ID: "R261123-AAAAAAAA", Family: "R261123-AAAAAAAA", Method: removal.Return, Row: 7, Rows: 1, Refused: true, Problems: []removal.Problem{
			problem(removal.AddressPostalInvalid, removal.FieldPostalCode, "country", "DE", "example", "10115"),
			problem(removal.AddressFieldMissing, removal.FieldName, "field", "name", "country", "DE"),
		}},
		{ID: "R261123-BBBBBBBB", Family: "R261123-BBBBBBBB", Method: removal.Disposal, Row: 8, Rows: 2, Accepted: 1},
		{Given: "BIG", ID: "BIG", Family: "BIG", Method: removal.Disposal, Row: 10, Rows: 2, Accepted: 2, Parts: []string{"BIG-1", "BIG-3"}, Problems: []removal.Problem{
			problem(removal.OrderSplit, removal.FieldOrderID, "parts", "2", "max", "1", "ids", "BIG-1\nBIG-3"),
		}},
	}
}

func (u *upload) items() {
	u.rows = []report.Row{
		row(2, removal.Outcome{
			Status: removal.Accepted, Sellable: 10, Unsellable: 2, TakenSellable: 10, TakenUnsellable: 2, Fee: 123400, HasFee: true,
			Problems: []removal.Problem{problem(removal.PlaceholderIgnored, removal.FieldLine2)},
		}, "X00A", "RET-1", "returnera", "Ekeby Lager AB", "Storgatan 1", "N/A", "", "London", "uk", "", "SW1A 1AA", "+44 20 7946 0000", "Ring, \"före\"", "00012345", "10", "2", "+kalle"),
		row(3, removal.Outcome{
			Item: -1, Sellable: 5,
			Problems: []removal.Problem{problem(removal.SKUUnknown, removal.FieldSKU, "candidates", "ABC-1\nABC-2")},
		}, "", "RET-1", "", "", "", "", "", "", "", "", "", "", "", "-abc-1", "5", "0"),
		row(4, removal.Outcome{
			Sellable: 1,
			Problems: []removal.Problem{
				problem(removal.OrderConflict, removal.FieldCity, "first_row", "2"),
				problem(removal.QuantityOverStock, removal.FieldSellable, "condition", "sellable", "asked", "14", "snapshot", "12",
					"date", "2026-11-22", "taken", "9", "left", "3", "takers", "order\tA-1\t4\nrow\t2\t5"),
			},
		}, "X00B", "RET-1", "", "", "", "", "", "Paris", "", "", "", "", "", "B", "14", ""),
		row(5, removal.Outcome{
			Status: removal.Seen, Sellable: 1,
			Problems: []removal.Problem{problem(removal.RowSeen, removal.FieldNone, "order", "RET-1-r1", "file", "old.csv", "date", "2026-11-20")},
		}, "X00C", "RET-1", "", "", "", "", "", "", "", "", "", "", "", "C", "1", ""),
		row(6, removal.Outcome{Order: 1, Status: removal.Accepted, Unsellable: 7, TakenUnsellable: 7}, "X00D",
			"=cmd", "Disposal", "Someone", "", "", "", "", "", "", "", "", "", "D", "", "7"),
		row(7, removal.Outcome{
			Order: 2, Sellable: 1,
			Problems: []removal.Problem{problem(removal.QuantityNotWhole, removal.FieldSellable, "readings", "1\n1000")},
		}, "X00E", "", "Return", "", "Weg 1", "", "", "Dresden", "DE", "", "1067", "", "", "E", "1.000", ""),
		row(8, removal.Outcome{Order: 3, Status: removal.Accepted, Unsellable: 1, TakenUnsellable: 1, Fee: 45000, HasFee: true}, "X00F",
			"", "Disposal", "", "", "", "", "", "", "", "", "", "", "F", "", "1"),
		row(9, removal.Outcome{
			Order:    3,
			Problems: []removal.Problem{problem(removal.SKUMissing, removal.FieldSKU), problem(removal.QuantityMissing, removal.FieldNone)},
		}, "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""),
		row(10, removal.Outcome{Order: 4, Status: removal.Accepted, Part: 0, Sellable: 1, TakenSellable: 1, Fee: 10000, HasFee: true}, "X00G",
			"BIG", "Disposal", "", "", "", "", "", "", "", "", "", "", "G", "1", ""),
		row(11, removal.Outcome{Order: 4, Status: removal.Accepted, Part: 1, Sellable: 2, TakenSellable: 2, Fee: 10000, HasFee: true}, "X00H",
			"BIG", "", "", "", "", "", "", "", "", "", "", "", "H", "2", ""),
	}
}

// row is the i-th row with its order.
func (u *upload) row(i int) *report.Row {
	r := &u.rows[i]
	r.Order = &u.decided[r.Outcome.Order]
	return r
}

func (u *upload) write(tb testing.TB, which ...string) (memory, []report.File, *report.Summary) {
	tb.Helper()
	m := memory{}
	set, err := report.NewSet(&u.in, m.create, which)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range u.rows {
		if err := set.Row(u.row(i)); err != nil {
			tb.Fatal(err)
		}
	}
	files, err := set.Finish(finished, outbound)
	if err != nil {
		tb.Fatal(err)
	}
	return m, files, set.Summary()
}
