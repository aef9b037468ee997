package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/templates"
)

var update = flag.Bool("update", false, "write the expected files anew; review the difference")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

// The files whose every byte is the same in all languages.
func TestGolden(t *testing.T) {
	t.Parallel()
	m, files, sum := newUpload(t, "sv").write(t)
	for _, name := range []string{"result.csv", "rejected.tsv", "orders.tsv"} {
		golden(t, name, m[name])
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		if int(f.Bytes) != len(m[f.Name]) || len(f.SHA256) != 64 {
			t.Errorf("%s: %d bytes written, said to be %d, hash %q", f.Name, len(m[f.Name]), f.Bytes, f.SHA256)
		}
	}
	want := []string{
		"result.csv", "errors.csv", "annotated.xlsx", "rejected.tsv", "orders.tsv", "processing-report.txt", "summary.json",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	var read report.Summary
	if err := json.Unmarshal(m["summary.json"], &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sum.Files, read.Files); diff != "" || len(read.Files) != 6 {
		t.Errorf("%d files in the summary: %s", len(read.Files), diff)
	}
	// Hashes of files with texts in them are left out of what is compared.
	at := strings.Index(string(m["summary.json"]), `  "files": [`)
	golden(t, "summary.json", m["summary.json"][:at])
	if diff := cmp.Diff([]report.OutboundSummary{{File: outbound[0].Name, SHA256: "beef", Orders: []string{"RET-1", "=cmd"}}}, read.Outbound); diff != "" {
		t.Error(diff)
	}
}

// Everything but message and hint, which are texts.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "sv", "de"} {
		u := newUpload(t, lang)
		m, _, _ := u.write(t, report.Errors)
		rows, err := csv.NewReader(strings.NewReader(string(m["errors.csv"]))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var short strings.Builder
		for i, r := range rows {
			if r[7] == "" || (i > 0 && r[7] == r[5]) {
				t.Errorf("%s: %s has no message", lang, r[5])
			}
			short.WriteString(strings.Join(slices.Concat(r[:7], r[9:]), "|") + "\n")
		}
		golden(t, "errors.txt", []byte(short.String()))
		if n := strings.Count(string(m["errors.csv"]), "\r\n"); n != len(rows) {
			t.Errorf("%s: %d line ends for %d rows", lang, n, len(rows))
		}
		if !strings.Contains(string(m["errors.csv"]), "01067") {
			t.Errorf("%s: no hint is made of the postal code", lang)
		}
	}
}

func TestProcessingReport(t *testing.T) {
	t.Parallel()
	m, _, _ := newUpload(t, "en").write(t, report.Processing)
	lines := strings.Split(string(m["processing-report.txt"]), "\r\n")
	head := []string{
		"Feed Processing Summary:", "\tNumber of records processed\t\t10", "\tNumber of records successful\t\t6", "",
		"original-record-number\tsku\terror-code\terror-type\terror-message",
	}
	if diff := cmp.Diff(head, lines[:5]); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, l := range lines[5 : len(lines)-1] {
		cells := strings.Split(l, "\t")
		if len(cells) != 5 {
			t.Fatalf("%d cells in %q", len(cells), l)
		}
		code, _, _ := strings.Cut(cells[4], ":")
		got = append(got, strings.Join([]string{cells[0], cells[1], cells[3], code}, " "))
	}
	want := []string{
		"100001 - Warning column_ignored", "1 - Warning address_country_alias", "1 00012345 Warning placeholder_ignored",
		"2 -abc-1 Error sku_unknown", "3 B Error order_conflict", "3 B Error quantity_over_stock", "4 C Info row_seen",
		"5 - Warning address_ignored", "6 - Error address_postal_invalid", "6 - Error address_field_missing",
		"6 E Error quantity_not_whole", "8 - Error sku_missing", "8 - Error quantity_missing", "9 - Warning order_split",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// With nothing to say there is no table of errors and no file of rejected rows.
func TestAllGood(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	u.in.FileProblems = nil
	u.decided = u.decided[3:4]
	u.decided[0].Rows = 1
	u.rows = u.rows[6:7]
	u.rows[0].Outcome.Order = 0
	u.in.Run.Read, u.in.Run.Accepted, u.in.Run.Seen, u.in.Run.Rejected = 1, 1, 0, 0
	m, _, _ := u.write(t)
	if _, ok := m["rejected.tsv"]; ok {
		t.Error("rejected.tsv was made")
	}
	want := "Feed Processing Summary:\r\n\tNumber of records processed\t\t1\r\n\tNumber of records successful\t\t1\r\n\r\n\r\n"
	if diff := cmp.Diff(want, string(m["processing-report.txt"])); diff != "" {
		t.Error(diff)
	}
	if got := string(m["errors.csv"]); strings.Count(got, "\r\n") != 1 {
		t.Errorf("errors.csv: %q", got)
	}
}

func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	first, _, _ := newUpload(t, "de").write(t)
	for range 3 {
		again, _, _ := newUpload(t, "de").write(t)
		for name := range first {
			if string(first[name]) != string(again[name]) {
				t.Errorf("%s differs", name)
			}
		}
	}
}

func TestBOM(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	u.in.Merchant.Profile.CSVBOM = true
	m, _, _ := u.write(t, report.Result, report.Errors, report.Orders)
	for name, want := range map[string]bool{"result.csv": true, "errors.csv": true, "orders.tsv": false} {
		if got := strings.HasPrefix(string(m[name]), "\ufeff"); got != want {
			t.Errorf("%s: begins with a BOM: %v", name, got)
		}
	}
}

// The files meant to be dropped again carry every value as it was; those meant
// for people nothing that a spreadsheet would run.
func TestFormulasAreNotRun(t *testing.T) {
	t.Parallel()
	for _, sku := range []string{"=1+1", "+1", "-1", "@a", `=HYPERLINK("x","y")`, "-a,b"} {
		u := newUpload(t, "en")
		u.rows = u.rows[:2]
		r := row(3, *u.rows[1].Outcome, sku, "RET-1", "", "", "", "", "", "", "", "", "", "", "", sku, "5", "0")
		u.rows[1] = r
		m, _, _ := u.write(t, report.Result, report.Errors, report.Rejected)
		for _, name := range []string{"result.csv", "errors.csv"} {
			rows, err := csv.NewReader(strings.NewReader(string(m[name]))).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			last := rows[len(rows)-1]
			if !slices.Contains(last, "'"+sku) || slices.Contains(last, sku) {
				t.Errorf("%s: %q", name, last)
			}
			for _, cell := range last {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("%s: cell %q", name, cell)
				}
			}
		}
		if !strings.Contains(string(m["rejected.tsv"]), "\t"+sku+"\t") {
			t.Errorf("rejected.tsv: %q", m["rejected.tsv"])
		}
	}
}

// Order values come back where the order's first row was accepted, and an order
// whose rows are not adjacent keeps its own.
func TestRejectedRowsOfScatteredOrders(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	u.decided = []removal.OrderOutcome{
		{Given: "A", ID: "A", Method: removal.Return, Row: 2, Rows: 3, Accepted: 2},
		{Given: "B", ID: "B", Method: removal.Return, Row: 3, Rows: 2, Accepted: 1},
		{ID: "R-new", Family: "R-old", Matched: true, Method: removal.Disposal, Row: 6, Rows: 2},
	}
	bad := removal.Outcome{Problems: []removal.Problem{problem(removal.SKUUnknown, removal.FieldSKU)}}
	good := removal.Outcome{Status: removal.Accepted, TakenSellable: 1}
	in := func(o removal.Outcome, order int32) removal.Outcome { o.Order = order; return o }
	seen := removal.Outcome{Status: removal.Seen, Order: 2}
	u.rows = []report.Row{
		row(2, in(good, 0), "", "A", "Return", "Anna", "Gatan 1", "", "", "Malmö", "SE", "", "21143", "", "", "a1", "1", ""),
		row(3, in(good, 1), "", "B", "Return", "Bo", "Gatan 2", "", "", "Lund", "SE", "", "22222", "", "", "b1", "1", ""),
		row(4, in(bad, 0), "", "A", "", "", "", "", "", "", "", "", "", "", "", "a2", "1", ""),
		row(5, in(bad, 1), "", "B", "", "", "", "", "", "", "", "", "", "", "", "b2", "1", ""),
		row(6, seen, "", "", "Disposal", "", "", "", "", "", "", "", "", "", "", "c1", "1", ""),
		row(7, in(bad, 2), "", "", "", "", "", "", "", "", "", "", "", "", "", "c2", "1", ""),
		row(8, in(good, 0), "", "A", "", "", "", "", "", "", "", "", "", "", "", "a3", "1", ""),
	}
	m, _, _ := u.write(t, report.Rejected, report.Orders)
	lines := strings.Split(strings.TrimSpace(string(m["rejected.tsv"])), "\r\n")[1:]
	want := []string{
		"A\tReturn\tAnna\tGatan 1\t\t\tMalmö\tSE\t\t21143\t\t\ta2\t1\t",
		"B\tReturn\tBo\tGatan 2\t\t\tLund\tSE\t\t22222\t\t\tb2\t1\t",
		"R-old\tDisposal\t\t\t\t\t\t\t\t\t\t\tc2\t1",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	lines = strings.Split(strings.TrimSpace(string(m["orders.tsv"])), "\r\n")[1:]
	if len(lines) != 3 || !strings.HasPrefix(lines[2], "A\t\t") {
		t.Errorf("orders.tsv: %q", lines)
	}
}

// A row that contradicts its order keeps its word, and the next one is complete too.
func TestConflictIsNotSettledSilently(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	u.decided = []removal.OrderOutcome{{Given: "A", ID: "A", Method: removal.Return, Row: 2, Rows: 3, Accepted: 1}}
	conflict := removal.Outcome{Problems: []removal.Problem{problem(removal.OrderConflict, removal.FieldCity, "first_row", "2")}}
	bad := removal.Outcome{Problems: []removal.Problem{problem(removal.SKUUnknown, removal.FieldSKU)}}
	u.rows = []report.Row{
		row(2, removal.Outcome{Status: removal.Accepted}, "", "A", "Return", "Anna", "Gatan 1", "", "", "Malmö", "SE", "", "", "", "", "a", "1", ""),
		row(3, conflict, "", "A", "", "", "", "", "", "Lund", "", "", "", "", "", "b", "1", ""),
		row(4, bad, "", "A", "", "", "", "", "", "", "", "", "", "", "", "c", "1", ""),
	}
	m, _, _ := u.write(t, report.Rejected)
	lines := strings.Split(strings.TrimSpace(string(m["rejected.tsv"])), "\r\n")[1:]
	want := []string{
		"A\tReturn\tAnna\tGatan 1\t\t\tLund\tSE\t\t\t\t\tb\t1\t",
		"A\tReturn\tAnna\tGatan 1\t\t\tMalmö\tSE\t\t\t\t\tc\t1",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}

func TestWhich(t *testing.T) {
	t.Parallel()
	m, files, sum := newUpload(t, "en").write(t, report.Result, report.Summaries)
	if len(m) != 2 || len(files) != 2 || m["result.csv"] == nil || m["summary.json"] == nil {
		t.Errorf("wrote %v", files)
	}
	if sum.Problems["sku_unknown"] != 1 {
		t.Errorf("problems by code: %v", sum.Problems)
	}
	u := newUpload(t, "en")
	if _, err := report.NewSet(&u.in, m.create, []string{"results"}); !errors.Is(err, report.ErrName) {
		t.Errorf("an unknown name: %v", err)
	}
}

// torn fails at every write.
type torn struct{ closed *int }

var errTorn = errors.New("no space left")

func (torn) Write([]byte) (int, error) { return 0, errTorn }
func (w torn) Close() error            { *w.closed++; return nil }

func TestFaultsOfTheDisk(t *testing.T) {
	t.Parallel()
	for _, name := range report.Names() {
		u := newUpload(t, "en")
		opened, closed := 0, 0
		create := func(string) (io.WriteCloser, error) { opened++; return torn{&closed}, nil }
		set, err := report.NewSet(&u.in, create, []string{name})
		for i := 0; err == nil && i < len(u.rows); i++ {
			err = set.Row(u.row(i))
		}
		if err == nil {
			_, err = set.Finish(finished, nil)
		}
		if !errors.Is(err, errTorn) || opened != closed {
			t.Errorf("%s: %v; %d opened, %d closed", name, err, opened, closed)
		}
		u = newUpload(t, "en")
		refuse := func(string) (io.WriteCloser, error) { return nil, fs.ErrPermission }
		set, err = report.NewSet(&u.in, refuse, []string{name})
		for i := 0; err == nil && i < len(u.rows); i++ {
			err = set.Row(u.row(i))
		}
		if err == nil {
			_, err = set.Finish(finished, nil)
		}
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAbort(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	m := memory{}
	set, err := report.NewSet(&u.in, m.create, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(set.Row(u.row(0)), set.Abort()); err != nil {
		t.Error(err)
	}
}

func TestOther(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	u.in.Run = ledger.Run{
		ID: "r", Merchant: "nordic", Kind: removal.KindManageFBA, FileName: "stock.txt", Read: 12, Accepted: 11, Rejected: 1,
		Finished: finished,
	}
	u.in.FileProblems = nil
	m := memory{}
	sum, files, err := report.Other(&u.in, []removal.Problem{
		{
			Place: removal.Place{Row: 7, Line: 7, Col: 3, Column: "afn-fulfillable-quantity", Cell: "C7"},
			Code:  removal.SnapshotRowBad, Field: removal.FieldNone, Value: "-4", SKU: "A",
			Args: removal.Args{{Name: "heading", Value: "afn-fulfillable-quantity"}, {Name: "reason", Value: "negative"}},
		},
		{Code: removal.ColumnIgnored, Field: removal.FieldNone, Value: "x", Args: removal.Args{{Name: "heading", Value: "x"}}},
		{Code: removal.SnapshotOlder, Field: removal.FieldNone},
	}, m.create, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 || files[0].Name != "errors.csv" || files[1].Name != "summary.json" || len(m) != 2 {
		t.Errorf("files %v", files)
	}
	rows, err := csv.NewReader(strings.NewReader(string(m["errors.csv"]))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 || rows[1][5] != "column_ignored" || rows[1][0] != "0" || rows[2][3] != "C7" || rows[2][6] != "'-4" {
		t.Errorf("errors.csv: %q", rows)
	}
	if sum.Rows.Rejected != 1 || sum.Problems["snapshot_older"] != 1 || sum.Finished != "2026-11-23T09:00:01+01:00" {
		t.Errorf("summary: %+v", sum)
	}
}

// Every code has a few words on the sheet Summary, every field a meaning in the template.
func TestTextsAreThere(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		texts := templates.Load(lang)
		for _, c := range removal.Codes() {
			if !texts.Has("report.code." + c.String()) {
				t.Errorf("%s: no words for %s", lang, c)
			}
		}
		for f := range removal.Field(removal.NumFields) {
			if !texts.Has("report.field." + f.String()) {
				t.Errorf("%s: no meaning of %s", lang, f)
			}
		}
	}
}

// No text is missing: a key without one would be shown as it is.
func TestNoKeyIsShown(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		var b bytes.Buffer
		if err := report.Template(&b, "xlsx", policy.Store{Country: "SE", CrossBorder: "upload"}, templates.Load(lang)); err != nil {
			t.Fatal(err)
		}
		m, _, _ := newUpload(t, lang).write(t)
		for name, workbook := range map[string][]byte{"template": b.Bytes(), "annotated": m["annotated.xlsx"]} {
			f := mustWorkbook(t, workbook)
			for _, sheet := range f.GetSheetList() {
				rows, err := f.GetRows(sheet)
				if err != nil {
					t.Fatal(err)
				}
				if text := fmt.Sprint(rows); strings.Contains(text, "report.") || strings.Contains(text, "{{") {
					t.Errorf("%s %s, sheet %s: %s", lang, name, sheet, text)
				}
			}
		}
	}
}

func TestProblemsAsText(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "sv")
	var b strings.Builder
	e := removal.NewFileError(removal.FileQuoteOpen, "line", 14)
	e.Line = 14
	if err := report.Problems(&b, &u.in, []removal.Problem{e.Problem()}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "(file_quote_open)") || !strings.HasPrefix(got, "rad 14") {
		t.Errorf("%q", got)
	}
}
