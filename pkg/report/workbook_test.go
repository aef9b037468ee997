package report_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"rensa/pkg/decode"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	layouts "rensa/pkg/upload"
	"rensa/templates"
)

func mustWorkbook(t *testing.T, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func fillOf(t *testing.T, f *excelize.File, sheet, cell string) string {
	t.Helper()
	id, err := f.GetCellStyle(sheet, cell)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.GetStyle(id)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Fill.Color) == 0 {
		return ""
	}
	return map[string]string{"FFC8C2": "red", "FFE0A3": "amber"}[s.Fill.Color[0]]
}

func value(t *testing.T, f *excelize.File, sheet, cell string) string {
	t.Helper()
	v, err := f.GetCellValue(sheet, cell)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func commentsOf(t *testing.T, f *excelize.File, sheet string) map[string]string {
	t.Helper()
	list, err := f.GetComments(sheet)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, c := range list {
		text := c.Text
		for _, p := range c.Paragraph {
			text += p.Text
		}
		m[c.Cell] = c.Author + ": " + text
	}
	return m
}

func TestAnnotatedText(t *testing.T) {
	t.Parallel()
	m, _, _ := newUpload(t, "en").write(t, report.Annotated)
	f := mustWorkbook(t, m["annotated.xlsx"])
	if diff := cmp.Diff([]string{"returns november", "Problems", "Summary"}, f.GetSheetList()); diff != "" {
		t.Fatal(diff)
	}
	sheet := "returns november"
	for cell, want := range map[string]string{
		"M3": "red", "N4": "red", "G4": "red", "J7": "red", "C7": "red", "M9": "red",
		"E2": "amber", "H2": "amber", "A10": "amber", "P1": "amber", "A2": "", "M5": "",
	} {
		if got := fillOf(t, f, sheet, cell); got != want {
			t.Errorf("%s is %q, want %q", cell, got, want)
		}
	}
	// A text that looks like a number stays text; a quantity is a number.
	if kind, err := f.GetCellType(sheet, "M2"); err != nil || kind != excelize.CellTypeInlineString || value(t, f, sheet, "M2") != "00012345" {
		t.Errorf("M2: %v %v %q", kind, err, value(t, f, sheet, "M2"))
	}
	if kind, err := f.GetCellType(sheet, "N2"); err != nil || (kind != excelize.CellTypeNumber && kind != excelize.CellTypeUnset) {
		t.Errorf("N2: %v %v", kind, err)
	}
	if got := value(t, f, sheet, "P2"); got != "+kalle" {
		t.Errorf("the unknown column: %q", got)
	}
	comments := commentsOf(t, f, sheet)
	if got := comments["M3"]; !strings.HasPrefix(got, "Rensa: ") || !strings.Contains(got, "ABC-1 or ABC-2") {
		t.Errorf("comment on M3: %q", got)
	}
	if got := comments["M9"]; strings.Count(got, "\n\n") != 1 {
		t.Errorf("two problems in one comment on M9: %q", got)
	}
	if len(comments) != 12 {
		t.Errorf("%d comments: %v", len(comments), comments)
	}
}

func TestProblemsSheet(t *testing.T) {
	t.Parallel()
	m, _, _ := newUpload(t, "de").write(t, report.Annotated, report.Errors)
	f := mustWorkbook(t, m["annotated.xlsx"])
	rows, err := f.GetRows("Problems")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(m["errors.csv"]), "\r\n"); len(rows) != got {
		t.Errorf("%d rows, errors.csv has %d", len(rows), got)
	}
	if diff := cmp.Diff([]string{"4", "N4", "Fehler", "quantity_over_stock", "14"}, rows[6][:5]); diff != "" {
		t.Error(diff)
	}
	formula, err := f.GetCellFormula("Problems", "B7")
	if err != nil || formula != `HYPERLINK("#'returns november'!N4","N4")` {
		t.Errorf("link %q %v", formula, err)
	}
	panes, err := f.GetPanes("Problems")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("panes %+v %v", panes, err)
	}
	if got := value(t, f, "Summary", "B6"); got != "gelesene Zeilen" || value(t, f, "Summary", "B5") != "10" {
		t.Errorf("summary: %q %q", got, value(t, f, "Summary", "B5"))
	}
	if !hasPart(t, m["annotated.xlsx"], "xl/charts/chart1.xml") {
		t.Error("no chart")
	}
}

func hasPart(t *testing.T, b []byte, name string) bool {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range zr.File {
		if f.Name == name {
			return true
		}
	}
	return false
}

// mustOriginal is a workbook as a user makes it: a sheet of notes before the
// data, widths, a style of its own on the bad cell, and a comment.
func mustOriginal(t testing.TB, u *upload, commented bool) []byte {
	t.Helper()
	f := excelize.NewFile()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(f.SetSheetName("Sheet1", "Notes"))
	_, err := f.NewSheet("It's data")
	must(err)
	style, err := f.NewStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true, Italic: true}, NumFmt: 49, Border: []excelize.Border{{Type: "top", Style: 2, Color: "00FF00"}},
	})
	must(err)
	must(f.SetColWidth("It's data", "M", "M", 33))
	must(f.SetSheetRow("It's data", "A1", &u.in.Headings))
	for _, r := range u.rows {
		for f2, span := range r.Cells {
			v := string(r.Row.Data[span.Off : span.Off+span.Len])
			if v == "" {
				continue
			}
			must(f.SetCellStr("It's data", fmt.Sprintf("%c%d", 'A'+f2, r.Row.Number), v))
		}
	}
	must(f.SetCellStyle("It's data", "M3", "M3", style))
	if commented {
		must(f.AddComment("It's data", excelize.Comment{Cell: "N4", Author: "Eva", Paragraph: []excelize.RichTextRun{{Text: "check this"}}}))
	}
	var b bytes.Buffer
	must(f.Write(&b))
	must(f.Close())
	return b.Bytes()
}

func (u *upload) of(workbook []byte) {
	u.in.Run.FileName, u.in.Run.Sheet = "returns.xlsx", "It's data"
	u.in.Original = func() (io.ReaderAt, int64, error) { return bytes.NewReader(workbook), int64(len(workbook)), nil }
}

// A sheet with comments of the user's is read and written again, one without is
// changed in place; what comes out is the same.
func TestAnnotatedOriginal(t *testing.T) {
	t.Parallel()
	for name, commented := range map[string]bool{"rewritten": true, "in place": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testOriginal(t, commented)
		})
	}
}

func testOriginal(t *testing.T, commented bool) {
	u := newUpload(t, "en")
	u.of(mustOriginal(t, u, commented))
	m, _, _ := u.write(t, report.Annotated)
	f := mustWorkbook(t, m["annotated.xlsx"])
	if diff := cmp.Diff([]string{"Notes", "It's data", "Problems", "Summary"}, f.GetSheetList()); diff != "" {
		t.Fatal(diff)
	}
	for cell, want := range map[string]string{
		"M3": "red", "N4": "red", "G4": "red", "J7": "red", "C7": "red", "M9": "red",
		"E2": "amber", "H2": "amber", "A10": "amber", "P1": "amber", "A2": "", "M5": "",
	} {
		if got := fillOf(t, f, "It's data", cell); got != want {
			t.Errorf("%s is %q, want %q", cell, got, want)
		}
	}
	for _, r := range u.rows {
		for i, span := range r.Cells {
			cell := fmt.Sprintf("%c%d", 'A'+i, r.Row.Number)
			if got, want := value(t, f, "It's data", cell), string(r.Row.Data[span.Off:span.Off+span.Len]); got != want {
				t.Errorf("%s holds %q, want %q", cell, got, want)
			}
		}
	}
	id, err := f.GetCellStyle("It's data", "M3")
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.GetStyle(id)
	if err != nil || !s.Font.Bold || !s.Font.Italic || s.NumFmt != 49 || len(s.Border) != 1 {
		t.Errorf("the cell's own style is gone: %+v %v", s, err)
	}
	if w, err := f.GetColWidth("It's data", "M"); err != nil || w != 33 {
		t.Errorf("width %v %v", w, err)
	}
	comments := commentsOf(t, f, "It's data")
	if (comments["N4"] == "Eva: check this") != commented || !strings.HasPrefix(comments["M3"], "Rensa: ") || len(comments) != 12 {
		t.Errorf("%d comments: %v", len(comments), comments)
	}
	formula, err := f.GetCellFormula("Problems", "B5")
	if err != nil || formula != `HYPERLINK("#'It''s data'!M3","M3")` {
		t.Errorf("link %q %v", formula, err)
	}
	if f.GetSheetName(f.GetActiveSheetIndex()) != "It's data" {
		t.Errorf("the sheet shown is %q", f.GetSheetName(f.GetActiveSheetIndex()))
	}
	again, _, _ := u.write(t, report.Annotated)
	if !bytes.Equal(m["annotated.xlsx"], again["annotated.xlsx"]) {
		t.Error("the same input gave other bytes")
	}
}

// People mend the annotated copy itself and drop it again: what we put there the
// first time must neither stay nor pile up.
func TestAnnotatedDroppedAgain(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	first, _, _ := u.write(t, report.Annotated)
	u.of(first["annotated.xlsx"])
	u.in.Run.Sheet = "returns november"
	u.rows, u.in.FileProblems = u.rows[4:5], nil // one warning is left, on C6
	m, _, _ := u.write(t, report.Annotated)
	f := mustWorkbook(t, m["annotated.xlsx"])
	if diff := cmp.Diff([]string{"returns november", "Problems", "Summary"}, f.GetSheetList()); diff != "" {
		t.Error(diff)
	}
	for cell, want := range map[string]string{"M3": "", "P1": "", "A10": "", "C6": "amber"} {
		if got := fillOf(t, f, "returns november", cell); got != want {
			t.Errorf("%s is %q, want %q", cell, got, want)
		}
	}
	if comments := commentsOf(t, f, "returns november"); len(comments) != 1 || comments["C6"] == "" {
		t.Errorf("comments: %v", comments)
	}
	if rows, err := f.GetRows("Problems"); err != nil || len(rows) != 2 {
		t.Errorf("%d rows of problems, %v", len(rows), err)
	}
}

// Of a very long file only rows with problems are shown, with their numbers.
func TestAnnotatedLongFile(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	u.in.Run.Read = 100_001
	m, _, _ := u.write(t, report.Annotated)
	f := mustWorkbook(t, m["annotated.xlsx"])
	rows, err := f.GetRows("returns november")
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for _, r := range rows[1:] {
		numbers = append(numbers, r[0])
	}
	if diff := cmp.Diff([]string{"2", "3", "4", "6", "7", "9", "10"}, numbers); diff != "" {
		t.Error(diff)
	}
	if got := fillOf(t, f, "returns november", "N3"); got != "red" { // row 3's SKU, one column further
		t.Errorf("N3 is %q", got)
	}
	formula, err := f.GetCellFormula("Problems", "B5")
	if err != nil || formula != `HYPERLINK("#'returns november'!N3","M3")` {
		t.Errorf("link %q %v", formula, err)
	}
	formula, err = f.GetCellFormula("Problems", "B2")
	if err != nil || formula != `HYPERLINK("#'returns november'!Q1","P1")` {
		t.Errorf("link to the heading %q %v", formula, err)
	}
}

// Layout B's order values stand on lines of their own above the items.
func TestAnnotatedKeyValue(t *testing.T) {
	t.Parallel()
	u := newUpload(t, "en")
	u.in.Run.Layout, u.in.Run.Heading = "B", 4
	u.in.FileProblems = nil
	u.in.Lead = []report.Lead{
		{Number: 1, Cells: []string{"RemovalDisposition", "Return"}},
		{Number: 2, Cells: []string{"AddressPostalCode", "1067"}},
		{Number: 4, Cells: []string{"MerchantSKU", "SellableQuantity", "UnsellableQuantity"}},
	}
	u.in.Headings = u.in.Lead[2].Cells
	u.in.FieldColumns = [removal.NumFields]int{
		removal.FieldMethod: 2, removal.FieldPostalCode: 2,
		removal.FieldSKU: 1, removal.FieldSellable: 2, removal.FieldUnsellable: 3,
	}
	u.in.Locate = func(p *removal.Problem, r *removal.Row) {
		if p.Field == removal.FieldPostalCode {
			p.Row, p.Line, p.Col, p.Cell, p.Value = 2, 2, 2, "B2", "1067"
		}
	}
	u.decided = []removal.OrderOutcome{{ID: "R-1", Row: 5, Rows: 1, Refused: true, Problems: []removal.Problem{
		problem(removal.AddressPostalInvalid, removal.FieldPostalCode, "country", "DE"),
	}}}
	item := row(5, removal.Outcome{}, "", "SKU-1", "3", "")
	item.Row.Spans = [removal.NumFields]removal.Span{removal.FieldSKU: item.Cells[0], removal.FieldSellable: item.Cells[1]}
	u.rows = []report.Row{item}
	m, _, _ := u.write(t, report.Annotated)
	f := mustWorkbook(t, m["annotated.xlsx"])
	if got := fillOf(t, f, "returns november", "B2"); got != "red" || value(t, f, "returns november", "A5") != "SKU-1" {
		t.Errorf("B2 is %q, A5 %q", got, value(t, f, "returns november", "A5"))
	}
	if c := commentsOf(t, f, "returns november"); len(c) != 1 || !strings.Contains(c["B2"], "01067") {
		t.Errorf("comments: %v", c)
	}
}

// 10,000 rows with 200 problems, as text and as a workbook.
func BenchmarkAnnotated(b *testing.B) {
	u := newUpload(b, "en")
	u.in.Run.Read, u.in.FileProblems = 10_000, nil
	u.decided = []removal.OrderOutcome{{Given: "A", ID: "A", Method: removal.Return, Row: 2, Rows: 10_000, Accepted: 9_800}}
	u.rows = u.rows[:0]
	for i := range 10_000 {
		o := removal.Outcome{Status: removal.Accepted, TakenSellable: 1}
		if i%50 == 49 {
			o = removal.Outcome{Problems: []removal.Problem{problem(removal.SKUUnknown, removal.FieldSKU, "candidates", "A\nB")}}
		}
		u.rows = append(u.rows, row(i+2, o, "X", "A", "Return", "Anna", "Gatan 1", "", "", "Malmö", "SE", "", "21143", "", "",
			fmt.Sprintf("SKU-%06d", i), "1", ""))
	}
	for _, name := range []string{"text", "workbook"} {
		if name == "workbook" {
			u.of(mustOriginal(b, u, false))
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				u.write(b, report.Annotated)
			}
		})
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	store := policy.Store{Country: "SE", CrossBorder: "upload", CrossBorderCountries: []string{"DE", "DK", "SE"}}
	for _, lang := range templates.Languages() {
		texts := templates.Load(lang)
		var b, again bytes.Buffer
		if err := errors.Join(report.Template(&b, "xlsx", store, texts), report.Template(&again, ".XLSX", store, texts)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Errorf("%s: the same template gave other bytes", lang)
		}
		f := mustWorkbook(t, b.Bytes())
		sheets := f.GetSheetList()
		if len(sheets) != 4 {
			t.Fatalf("%s: sheets %v", lang, sheets)
		}
		checks, err := f.GetDataValidations(sheets[2])
		if err != nil || len(checks) != removal.NumFields {
			t.Fatalf("%s: %d checks, %v", lang, len(checks), err)
		}
		if got := checks[removal.FieldMethod].Formula1; got != `"Return,Disposal"` {
			t.Errorf("%s: methods %q", lang, got)
		}
		if got := checks[removal.FieldCountry].Formula1; got != `"SE,DE,DK"` {
			t.Errorf("%s: countries %q", lang, got)
		}
		if style, err := f.GetColStyle(sheets[2], "M"); err != nil {
			t.Error(err)
		} else if s, err := f.GetStyle(style); err != nil || s.NumFmt != 49 {
			t.Errorf("%s: SKUs are not text: %+v %v", lang, s, err)
		}
		fillTemplate(t, lang, f, sheets[2])
	}
	if err := report.Template(io.Discard, "ods", store, templates.Load("en")); !errors.Is(err, report.ErrFormat) {
		t.Errorf("ods: %v", err)
	}
}

// fillTemplate fills the template in and reads it as an upload is read: exactly
// one of its sheets is one.
func fillTemplate(t *testing.T, lang string, f *excelize.File, sheet string) {
	t.Helper()
	values := []any{"R-1", "Return", "Anna", "Gatan 1", "", "", "Malmö", "SE", "", "01143", "", "", "00012345", 3, nil}
	if err := f.SetSheetRow(sheet, "A2", &values); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	in, err := decode.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), decode.Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}()
	var found []string
	for _, s := range in.Sheets() {
		head, err := s.Head()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range head {
			known := map[removal.Field]bool{}
			for _, c := range r.Cells {
				if field, ok := layouts.FieldOf(c); ok {
					known[field] = true
				}
			}
			if known[removal.FieldMethod] && known[removal.FieldSKU] && (known[removal.FieldSellable] || known[removal.FieldUnsellable]) {
				found = append(found, fmt.Sprintf("%s row %d, %d fields", s.Name(), r.Number, len(known)))
			}
			if r.Number == 2 && s.Name() == sheet && (r.Cells[12] != "00012345" || r.Cells[9] != "01143" || r.Cells[13] != "3") {
				t.Errorf("%s: read back %q", lang, r.Cells)
			}
		}
	}
	if diff := cmp.Diff([]string{sheet + " row 1, 15 fields"}, found); diff != "" {
		t.Errorf("%s: %s", lang, diff)
	}
}

func TestTemplateAsText(t *testing.T) {
	t.Parallel()
	for format, delimiter := range map[string]string{"tsv": "\t", "csv": ","} {
		var b strings.Builder
		if err := report.Template(&b, format, policy.Store{}, templates.Load("en")); err != nil {
			t.Fatal(err)
		}
		cells := strings.Split(strings.TrimSuffix(b.String(), "\r\n"), delimiter)
		if len(cells) != removal.NumFields || cells[0] != "MerchantRemovalOrderID" || cells[14] != "UnsellableQuantity" {
			t.Errorf("%s: %q", format, cells)
		}
	}
}
