package status

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// opened is a file with the kind that its first matching row was recognised as.
type opened struct {
	sheet *decode.Sheet
	head  []decode.Row
	kind  removal.Kind // "" where no row has the headings of a kind
	row   decode.Row   // the heading row
}

func open(tb testing.TB, content []byte) *opened {
	tb.Helper()
	known := map[string]bool{}
	for _, s := range Signatures() {
		for _, h := range s.Known {
			known[h] = true
		}
	}
	f, err := decode.Open(bytes.NewReader(content), int64(len(content)), decode.Options{Known: func(h string) bool { return known[h] }})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.Close(); err != nil {
			tb.Error(err)
		}
	})
	o := &opened{sheet: f.Sheets()[0]}
	if o.head, err = o.sheet.Head(); err != nil {
		tb.Fatal(err)
	}
	for _, row := range o.head {
		if k := kindOf(row); k != "" {
			o.kind, o.row = k, row
			break
		}
	}
	return o
}

// kindOf holds a row against the signatures, as package process does.
func kindOf(row decode.Row) removal.Kind {
	best, most := removal.Kind(""), 0
	for _, s := range Signatures() {
		has, known := map[string]bool{}, 0
		for _, c := range row.Cells {
			has[decode.Heading(c)] = true
			if slices.Contains(s.Known, decode.Heading(c)) {
				known++
			}
		}
		fits := !s.Only || known == len(row.Cells)
		for _, alternatives := range s.Required {
			fits = fits && slices.ContainsFunc(alternatives, func(h string) bool { return has[h] })
		}
		if fits && known > most {
			best, most = s.Kind, known
		}
	}
	return best
}

var stockholm = func() *time.Location {
	l, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		panic(err) // the zone stands in the standard library
	}
	return l
}()

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02T15:04Z07")
}

// show reads a file of any kind and writes what was read as text, a line each.
func show(tb testing.TB, content []byte) (removal.Kind, string) {
	tb.Helper()
	o := open(tb, content)
	var b strings.Builder
	var problems []removal.Problem
	rows, bad := 0, 0
	switch o.kind {
	case removal.KindOrderDetail:
		read, err := OrderDetail(o.sheet, o.row.Number, o.row.Cells, Dates{Zone: stockholm})
		if err != nil {
			tb.Fatal(err)
		}
		for _, l := range read.Lines {
			fmt.Fprintf(&b, "%d/%d %s %s [%s] %s %s %s %s/%s %s %d=%d+%d+%d+%d", l.Row, l.Line, day(l.RequestDate), l.OrderID, l.Source,
				l.Type, l.Status, day(l.LastUpdated), l.SKU, l.FNSKU, l.Condition, l.Requested, l.Cancelled, l.Disposed, l.Shipped, l.InProcess)
			if l.HasFee {
				fmt.Fprintf(&b, " %s %s", l.Fee, l.Currency)
			}
			b.WriteByte('\n')
		}
		problems, rows, bad = read.Problems, read.Rows, read.Bad
	case removal.KindShipmentDetail:
		read, err := ShipmentDetail(o.sheet, o.row.Number, o.row.Cells, Dates{Zone: stockholm})
		if err != nil {
			tb.Fatal(err)
		}
		for _, l := range read.Lines {
			fmt.Fprintf(&b, "%d/%d %s %s %s %s/%s %s %d [%s] [%s] %s\n", l.Row, l.Line, day(l.RequestDate), l.OrderID, day(l.ShipmentDate),
				l.SKU, l.FNSKU, l.Condition, l.Shipped, l.Carrier, l.Tracking, l.Type)
		}
		problems, rows, bad = read.Problems, read.Rows, read.Bad
	case removal.KindCancelList:
		read, err := CancelList(o.sheet, o.row.Number, o.row.Cells)
		if err != nil {
			tb.Fatal(err)
		}
		for _, l := range read.Lines {
			fmt.Fprintf(&b, "%d/%d %s %s\n", l.Row, l.Line, l.OrderID, l.SKU)
		}
		problems, rows, bad = read.Problems, read.Rows, read.Bad
	default:
		if o.kind == "" && !HasSummaryOnly(o.head) {
			tb.Fatalf("no kind: %+v", o.head)
		}
		if o.kind != "" && o.kind != removal.KindProcessingReport {
			return o.kind, ""
		}
		o.kind = removal.KindProcessingReport
		read, err := ProcessingReport(o.sheet, o.head, o.row.Number, o.row.Cells)
		if err != nil {
			tb.Fatal(err)
		}
		fmt.Fprintf(&b, "%d of %d\n", read.Successful, read.Processed)
		for _, l := range read.Lines {
			fmt.Fprintf(&b, "%d %s %s %s: %s\n", l.RecordNumber, l.SKU, l.Type, l.Code, l.Message)
		}
		if read.Table != nil {
			problems, rows, bad = read.Table.Problems, read.Table.Rows, read.Table.Bad
		}
	}
	for _, p := range problems {
		fmt.Fprintf(&b, "! %d/%d %s %s %q %s %s\n", p.Row, p.Line, p.Cell, p.Code, p.Value, p.Args.Get("heading"), p.Args.Get("reason"))
	}
	fmt.Fprintf(&b, "%d rows, %d bad\n", rows, bad)
	return o.kind, b.String()
}

// want reads a file and holds it against what it must say. The blanks in it that
// stand for tabs are drawn as "|".
func want(t *testing.T, content string, kind removal.Kind, says string) {
	t.Helper()
	got, text := show(t, []byte(strings.ReplaceAll(content, "|", "\t")))
	if got != kind {
		t.Errorf("kind %s, want %s", got, kind)
	}
	if d := cmp.Diff(strings.TrimLeft(says, "\n"), text); d != "" {
		t.Error(d)
	}
}

// sample reads one of the laid-out files beside the project.
func sample(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "samples", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is not there", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file string
		kind removal.Kind
		says string
	}{
		{"removal_order_detail_17col.txt", removal.KindOrderDetail, `
2/2 2026-02-03T10:15Z RET-2026-001 [] Return completed 2026-02-21T08:00Z 00012345/X0000AAAA1 sellable 10=1+0+9+0 26.19 SEK
3/3 2026-02-03T10:15Z RET-2026-001 [] Return completed 2026-02-21T08:00Z 00012345/X0000AAAA1 unsellable 2=0+0+2+0 5.82 SEK
4/4 2026-02-03T10:15Z DSP-2026-002 [] Disposal pending 2026-02-03T10:20Z AB-8675309/X00000E5TX unsellable 7=0+4+0+3
3 rows, 0 bad
`},
		{"removal_shipment_detail_10col.txt", removal.KindShipmentDetail, `
2/2 2026-02-03T10:15Z RET-2026-001 2026-02-19T06:00Z 00012345/X0000AAAA1 sellable 6 [DHL] [00340434161094000001] Return
3/3 2026-02-03T10:15Z RET-2026-001 2026-02-21T06:00Z 00012345/X0000AAAA1 sellable 3 [UPS] [1Z861E7F0340512285] Return
4/4 2026-02-03T10:15Z RET-2026-001 2026-02-21T06:00Z 00012345/X0000AAAA1 unsellable 2 [UPS] [1Z861E7F0340512285] Return
3 rows, 0 bad
`},
		{"processing_report_ok.txt", removal.KindProcessingReport, `
2 of 2
0 rows, 0 bad
`},
		{"processing_report_rejected.txt", removal.KindProcessingReport, `
0 of 0
100001 - Info 3: (feed not processed, no removal order created)
100002 - Error 1: (RemovalDisposition liquidate not eligible in this marketplace)
2 rows, 0 bad
`},
		{"recommended_removal_16col.txt", removal.KindRecommended, ""},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			got, text := show(t, []byte(sample(t, tc.file)))
			if d := cmp.Diff(strings.TrimPrefix(tc.says, "\n"), text); got != tc.kind || d != "" {
				t.Error(got, d)
			}
		})
	}
}

// Every variant of the headings, in the spellings that were seen.
func TestOrderDetailVariants(t *testing.T) {
	t.Parallel()
	const oldest = "request-date|order-id|order-type|order-status|last-updated-date|sku|fnsku|disposition|requested-quantity|" +
		"cancelled-quantity|disposed-quantity|shipped-quantity|in-process-quantity|removal-fee|currency\n" +
		"2021-11-10T08:00:00+00:00|A-1|Return|Completed|2021-11-20T08:00:00+00:00|MUG 1|X001|Sellable|5|0|0|5|0|1.50|EUR\n"
	const read = `
2/2 2021-11-10T08:00Z A-1 [%s] Return completed 2021-11-20T08:00Z MUG 1/X001 sellable 5=0+0+5+0 1.50 EUR
1 rows, 0 bad
`
	type change struct{ old, new string }
	for name, tc := range map[string]struct {
		source  string
		changes []change
	}{
		"15 columns": {},
		"16 columns with a trailing blank": {"", []change{
			{"order-type|order-status", "order-type|service-speed |order-status"}, {"Return|", "Return|Standard|"}}},
		"17 columns": {"Seller-initiated Manual Removal", []change{
			{"order-id|order-type", "order-id|order-source|order-type|service-speed"},
			{"A-1|Return", "A-1|Seller-initiated Manual Removal|Return|Standard"}}},
		"upper case, blanks, American spelling": {"", []change{
			{"order-id", "Order ID"}, {"cancelled-quantity", "CANCELED QUANTITY"}, {"Completed", "COMPLETE"},
			{"Sellable", "SELLABLE"}}},
		"semicolons and CRLF": {"", []change{{"|", ";"}, {"\n", "\r\n"}}},
		"columns moved, one of them new": {"", []change{
			{"removal-fee|currency", "removal-fee|currency|new-column"}, {"1.50|EUR", "1,50|eur|whatever"}}},
		"no request date":   {"", []change{{"2021-11-10T08:00:00+00:00|A-1", "|A-1"}}},
		"blank for nothing": {"", []change{{"5|0|0|5|0|", "5|||5||"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := oldest
			for _, c := range tc.changes {
				text = strings.ReplaceAll(text, c.old, c.new)
			}
			says := fmt.Sprintf(read, tc.source)
			if strings.Contains(text, "\n|A-1") {
				says = strings.Replace(says, "2021-11-10T08:00Z", "-", 1)
			}
			want(t, text, removal.KindOrderDetail, says)
		})
	}
}

// Statuses and dispositions as found in the wild, in any case and spelling.
func TestSpellings(t *testing.T) {
	t.Parallel()
	const heading = "request-date,order-id,order-status,last-updated-date,sku,disposition,requested-quantity,cancelled-quantity,disposed-quantity,shipped-quantity\n"
	for words, want := range map[string]string{
		"Pending|planning|SUBMITTED|Väntande|Planering":                                      "pending",
		"Processing|In Process|in-progress|Bearbetning|In Bearbeitung":                       "processing",
		"Completed|COMPLETE|completed ":                                                      "completed",
		"Cancelled|Canceled|CANCELLED":                                                       "cancelled",
		"Sellable|SELLABLE|Fulfillable|levererbar":                                           "sellable",
		"Unsellable|CUSTOMER_DAMAGED|Warehouse Damaged|expired|Olevererbar|nicht verkaufbar": "unsellable",
	} {
		for word := range strings.SplitSeq(words, "|") {
			state, disposition := word, "Sellable"
			if strings.HasSuffix(want, "sellable") {
				state, disposition = "Pending", word
			}
			o := open(t, []byte(heading+"2026-11-01,A-1,"+state+",2026-11-02,MUG,"+disposition+",1,0,0,0\n"))
			read, err := OrderDetail(o.sheet, o.row.Number, o.row.Cells, Dates{Zone: stockholm})
			if err != nil || len(read.Lines) != 1 {
				t.Errorf("%q: %+v, %v", word, read, err)
				continue
			}
			if l := read.Lines[0]; string(l.Status) != want && l.Condition.String() != want {
				t.Errorf("%q is read as %s, %s", word, l.Status, l.Condition)
			}
		}
	}
}

func TestShipmentDetailVariants(t *testing.T) {
	t.Parallel()
	want(t, "removal-date|order-id|shipment-date|sku|fnsku|disposition|quantity shipped|carrier|tracking-number\n"+
		"2026-02-03|A-1|2026-02-05 10:30|MUG|X1|CUSTOMER_DAMAGED|2|DHL|123\n"+
		"|A-2|2026-07-05|MUG||Defective|1||\n", removal.KindShipmentDetail, `
2/2 2026-02-02T23:00Z A-1 2026-02-05T09:30Z MUG/X1 unsellable 2 [DHL] [123] 
3/3 - A-2 2026-07-04T22:00Z MUG/ unsellable 1 [] [] 
2 rows, 0 bad
`)
	want(t, "request-date,order-id,shipment-date,sku,fnsku,disposition,shipped-quantity,carrier,tracking-number,removal-order-type\n"+
		"2026-02-03T10:15:00Z,A-1,2026-02-05T10:15:00-08:00,\"MUG, blue\",X1,sellable,2.0,\"Bring\tAS\",,Liquidations\n",
		removal.KindShipmentDetail, `
2/2 2026-02-03T10:15Z A-1 2026-02-05T18:15Z MUG, blue/X1 sellable 2 [Bring	AS] [] Liquidations
1 rows, 0 bad
`)
}

// A bad row is answered with each of its cells; the others are read.
func TestBadRows(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("A", 41)
	want(t, "order-id|request-date|order-type|order-status|last-updated-date|sku|disposition|requested-quantity|"+
		"cancelled-quantity|disposed-quantity|shipped-quantity|in-process-quantity|removal-fee|currency\n"+
		"|03/04/2026|Retrun|Lost|yesterday||Broken|ten|-1|1.5|9999999999|0|free|EURO\n"+
		"\n"+
		"A-1|2026-02-03|return|processing|2026-02-04|MUG|sellable|1|0|0|0|1||\n"+
		long+"|2026-02-03|return|processing|2026-02-04|MUG|sellable|1|0|0|0|1||\n"+
		"A-2|2026-02-03|return|processing|2026-02-04|M\uFFFDG|sellable|1|0|0|0|1||\n"+
		"A-3|2026-02-03|return|processing|2026-02-04|MUG|sellable|1|0|0|0|1|||x\n"+
		"A-4|2026-02-03||In Process|2026-02-04|MUG|sellable|3|0|0|1|||\n", removal.KindOrderDetail, `
4/4 2026-02-02T23:00Z A-1 [] return processing 2026-02-03T23:00Z MUG/ sellable 1=0+0+0+1
8/8 2026-02-02T23:00Z A-4 []  processing 2026-02-03T23:00Z MUG/ sellable 3=0+0+1+2
! 2/2 B2 input_row_bad "03/04/2026" request-date date
! 2/2 A2 input_row_bad "" order-id missing
! 2/2 D2 input_row_bad "Lost" order-status status
! 2/2 E2 input_row_bad "yesterday" last-updated-date date
! 2/2 F2 input_row_bad "" sku missing
! 2/2 G2 input_row_bad "Broken" disposition disposition
! 2/2 H2 input_row_bad "ten" requested-quantity not_whole
! 2/2 I2 input_row_bad "-1" cancelled-quantity negative
! 2/2 J2 input_row_bad "1.5" disposed-quantity not_whole
! 2/2 K2 input_row_bad "9999999999" shipped-quantity too_large
! 2/2 N2 input_row_bad "EURO" currency not_valid
! 2/2 M2 input_row_bad "free" removal-fee not_valid
! 5/5 A5 input_row_bad "`+long+`" order-id too_long
! 6/6 F6 text_damaged "M`+"\uFFFD"+`G"  
! 7/7 O7 column_count ""  
6 rows, 4 bad
`)
}

// A file that is wrong in every row costs no more than a bounded memory.
func TestManyProblems(t *testing.T) {
	t.Parallel()
	const rows = maxProblems + 50
	o := open(t, []byte("order-id\tsku\n"+strings.Repeat("\tx\n", rows)+"A-1\t\n"))
	read, err := CancelList(o.sheet, o.row.Number, o.row.Cells)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Problems) != maxProblems || read.Omitted != 50 || read.Bad != rows || read.Rows != rows+1 || len(read.Lines) != 1 {
		t.Errorf("%d problems, %d omitted, %d of %d rows bad, %d lines", len(read.Problems), read.Omitted, read.Bad, read.Rows, len(read.Lines))
	}
}

func TestCancelList(t *testing.T) {
	t.Parallel()
	want(t, "order-id\nA-1\n\nA-2\n", removal.KindCancelList, "2/2 A-1 \n4/4 A-2 \n2 rows, 0 bad\n")
	want(t, "Order ID;SKU\nA-1;MUG 1\nA-2;\n;MUG\n", removal.KindCancelList, `
2/2 A-1 MUG 1
3/3 A-2 
! 4/4 A4 input_row_bad "" Order ID missing
3 rows, 1 bad
`)
	// With any other heading it could be anything: nobody meant to cancel.
	if o := open(t, []byte("order-id,sku,quantity\nA-1,MUG,1\n")); o.kind != "" {
		t.Errorf("an export was taken for a %s", o.kind)
	}
	o := open(t, []byte("order-id\n\n"))
	_, err := CancelList(o.sheet, o.row.Number, o.row.Cells)
	wantFault(t, err, removal.FileEmpty)
	_, err = CancelList(o.sheet, 1, []string{"order-id", "Order ID"})
	wantFault(t, err, removal.FileHeaderTwice)
	_, err = CancelList(o.sheet, 1, []string{"sku"})
	wantFault(t, err, removal.FileHeaderMissing)
}

// What is found with a line later gets its place from the reader.
func TestLocate(t *testing.T) {
	t.Parallel()
	o := open(t, []byte("SKU;Order ID\nMUG;A-1\n"))
	read, err := CancelList(o.sheet, o.row.Number, o.row.Cells)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		heading, cell, says string
	}{{"", "B2", ""}, {"order-id", "B2", "Order ID"}, {"sku", "A2", "SKU"}} {
		p := removal.Problem{Place: removal.Place{Row: 2, Line: 2}, Code: removal.CancelForbidden}
		if tc.heading != "" {
			p.Args = removal.Args{}.Arg("heading", tc.heading)
		}
		before := slices.Clone(p.Args)
		args := p.Args
		read.Locate(&p)
		if p.Cell != tc.cell || p.Row != 2 || p.Line != 2 || p.Args.Get("heading") != tc.says || !slices.Equal(args, before) {
			t.Errorf("%q: %+v", tc.heading, p)
		}
	}
}

func wantFault(t *testing.T, err error, code removal.Code) {
	t.Helper()
	if fault, ok := errors.AsType[*removal.FileError](err); !ok || fault.Code != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func TestProcessingReport(t *testing.T) {
	t.Parallel()
	const table = "\noriginal-record-number|sku|error-code|error-type|error-message\n"
	want(t, "Feed Processing Summary:\n|Number of records processed||12\n|Number of records successful||10\n"+table+
		"3|MUG-1|90118|Error|\"quoted\" only here\n"+
		"7|MUG-2|99041|Warning|value not given\n"+
		"x|MUG-3|1|Error|no number\n"+
		"-|-|3|Info|nothing was done\n", removal.KindProcessingReport, `
10 of 12
3 MUG-1 Error 90118: "quoted" only here
7 MUG-2 Warning 99041: value not given
0 - Info 3: nothing was done
! 8/8 A8 input_row_bad "x" original-record-number not_whole
4 rows, 1 bad
`)
	for name, text := range map[string]string{
		"Swedish":          "Sammanfattning av flöde:\r\n|Antal bearbetade poster||2\r\n|Antal lyckade poster||1\r\n\r\n\r\n",
		"German":           "Zusammenfassung der Feedverarbeitung:\n|Anzahl der verarbeiteten Datensätze||2\n|Anzahl der erfolgreichen Datensätze||1\n",
		"French":           "Résumé du traitement :\n|Nombre d'enregistrements traités, au total||2\n|Nombre d'enregistrements réussis||1\n",
		"Japanese":         "フィード処理の概要：\n|処理されたレコードの数||2\n|成功したレコードの数||1\n",
		"table, no rows":   "Feed:\n|Processed||2\n|Successful||1\n" + table,
		"summary unpadded": "Feed:\nProcessed||2\nSuccessful||1\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want(t, text, removal.KindProcessingReport, "1 of 2\n0 rows, 0 bad\n")
		})
	}
	want(t, "Résumé :\n|Enregistrements traités||1\u202f200\n|Enregistrements réussis||1.199\n", removal.KindProcessingReport,
		"1199 of 1200\n0 rows, 0 bad\n")
	for name, text := range map[string]string{
		"stock":          "stock\nMUG-1|10\nMUG-2|5\n",
		"more success":   "Feed:\n|processed||2\n|successful||3\n",
		"a third figure": "Feed:\n|a||2\n|b||1\n|c||1\n",
	} {
		if o := open(t, []byte(strings.ReplaceAll(text, "|", "\t"))); o.kind != "" || HasSummaryOnly(o.head) {
			t.Errorf("%s was taken for a processing report", name)
		}
	}
}

// The containers and encodings are package decode's; here only what a workbook
// adds: dates, formulas, errors, lost digits.
func TestWorkbook(t *testing.T) {
	t.Parallel()
	x := excelize.NewFile()
	put := func(cell string, v any) {
		if err := x.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	put("A1", "Removal shipments of February")
	for i, h := range []string{"request-date", "order-id", "shipment-date", "sku", "fnsku", "disposition", "shipped-quantity", "carrier", "tracking-number"} {
		put(fmt.Sprintf("%c3", 'A'+i), h)
	}
	for row := 4; row <= 7; row++ {
		put(fmt.Sprintf("A%d", row), time.Date(2026, 2, 3, 10, 15, 0, 0, time.UTC))
		put(fmt.Sprintf("B%d", row), "A-1")
		put(fmt.Sprintf("C%d", row), time.Date(2026, 2, 5, 0, 0, 0, 0, time.UTC))
		put(fmt.Sprintf("D%d", row), 12345)
		put(fmt.Sprintf("F%d", row), "Sellable")
		put(fmt.Sprintf("G%d", row), 2)
		put(fmt.Sprintf("I%d", row), "00340434161094000001")
	}
	err := errors.Join(
		x.SetCellDefault("Sheet1", "D5", "12345678901234567890"),
		x.SetCellDefault("Sheet1", "I5", "340434161094000001"), // only kept: the row is used
		x.SetCellFormula("Sheet1", "G6", "1+1"),
		x.SetCellValue("Sheet1", "G7", 1.5),
	)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := errors.Join(x.Write(&b), x.Close()); err != nil {
		t.Fatal(err)
	}
	kind, got := show(t, b.Bytes())
	if d := cmp.Diff(`4/0 2026-02-03T09:15Z A-1 2026-02-04T23:00Z 12345/ sellable 2 [] [00340434161094000001] 
6/0 2026-02-03T09:15Z A-1 2026-02-04T23:00Z 12345/ sellable 2 [] [00340434161094000001] 
! 5/0 D5 input_row_bad "12345678901234567890" sku digits
! 6/0 G6 cell_formula "2"  
! 7/0 G7 input_row_bad "1.5" shipped-quantity not_whole
4 rows, 2 bad
`, got); kind != removal.KindShipmentDetail || d != "" {
		t.Error(kind, d)
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const text = "order-id\tsku\r\nÅÄÖ-1\tMugg blå\r\n"
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	for name, content := range map[string][]byte{
		"utf-16": wide, "utf-8 bom": []byte("\ufeff" + text),
		"windows-1252": []byte("order-id\tsku\r\n\xc5\xc4\xd6-1\tMugg bl\xe5\r\n"),
	} {
		if kind, got := show(t, content); kind != removal.KindCancelList || got != "2/2 ÅÄÖ-1 Mugg blå\n1 rows, 0 bad\n" {
			t.Errorf("%s: %s %q", name, kind, got)
		}
	}
}

// FuzzRead holds that no file stops a reader, and that every row is read or told.
func FuzzRead(f *testing.F) {
	f.Add([]byte("order-id\tsku\nA\tB\n"))
	f.Add([]byte("Feed:\n\ta\t\t2\n\tb\t\t1\n\noriginal-record-number\tsku\terror-code\terror-type\terror-message\n1\ta\tb\tc\td\n"))
	f.Add([]byte("request-date,order-id,shipment-date,sku,disposition,shipped-quantity\n2026-01-01,A,2026-01-02,B,sellable,1\n"))
	f.Add([]byte("request-date|order-id|order-status|last-updated-date|sku|disposition|requested-quantity|cancelled-quantity|" +
		"disposed-quantity|shipped-quantity\n2026-01-01|A|Completed|2026-01-02|B|sellable|3|1|1|1\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := decode.Open(bytes.NewReader(content), int64(len(content)), decode.Options{})
		if err != nil {
			return
		}
		defer file.Close()
		sheet := file.Sheets()[0]
		head, err := sheet.Head()
		if err != nil {
			return
		}
		for _, row := range head {
			switch kindOf(row) {
			case removal.KindOrderDetail:
				check(t)(balanced(OrderDetail(sheet, row.Number, row.Cells, Dates{Zone: stockholm})))
			case removal.KindShipmentDetail:
				check(t)(balanced(ShipmentDetail(sheet, row.Number, row.Cells, Dates{Zone: stockholm})))
			case removal.KindCancelList:
				check(t)(balanced(CancelList(sheet, row.Number, row.Cells)))
			case removal.KindProcessingReport:
				_, err := ProcessingReport(sheet, head, row.Number, row.Cells)
				check(t)(true, err)
			}
		}
	})
}

func balanced[L any](read *Read[L], err error) (bool, error) {
	return err != nil || read.Rows == len(read.Lines)+read.Bad && (read.Bad == 0) == !slices.ContainsFunc(read.Problems,
		func(p removal.Problem) bool { return p.Code.IsError() }), err
}

func check(t *testing.T) func(ok bool, err error) {
	return func(ok bool, err error) {
		t.Helper()
		if !ok {
			t.Error("rows are not accounted for")
		}
		if _, ofFile := errors.AsType[*removal.FileError](err); err != nil && !ofFile {
			t.Error(err)
		}
	}
}
