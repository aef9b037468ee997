package decode

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

const (
	nsMain = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"`
	nsRel  = `xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	relate = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
)

// xlsx makes a workbook of the parts given and of plain ones for the rest: one
// sheet "Data" in xl/worksheets/sheet1.xml.
func xlsx(tb testing.TB, parts map[string]string) []byte {
	tb.Helper()
	all := map[string]string{
		"[Content_Types].xml": `<Types/>`,
		"_rels/.rels":         `<Relationships><Relationship Id="rId1" Type="` + relate + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":     `<workbook ` + nsMain + " " + nsRel + `><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="` + relate + `worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="` + relate + `sharedStrings" Target="/xl/sharedStrings.xml"/>` +
			`<Relationship Id="rId3" Type="` + relate + `styles" Target="styles.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml": sheetXML(""),
	}
	maps.Copy(all, parts)
	var entries []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		entries = append(entries, name, all[name])
	}
	return zipped(tb, entries...)
}

func sheetXML(rows string) string {
	return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n" + `<worksheet ` + nsMain +
		`><dimension ref="A1:B2"/><sheetData>` + rows + `</sheetData><mergeCells count="1"><mergeCell ref="A1:B1"/></mergeCells></worksheet>`
}

func inlineRow(n int, values ...string) string {
	row := fmt.Sprintf(`<row r="%d">`, n)
	for i, v := range values {
		row += fmt.Sprintf(`<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+i, n, v)
	}
	return row + `</row>`
}

func sst(entries ...string) string {
	return `<sst ` + nsMain + ` count="1" uniqueCount="1">` + strings.Join(entries, "") + `</sst>`
}

const styles = `<styleSheet ` + nsMain + `><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm"/>` +
	`<numFmt numFmtId="165" formatCode="&quot;day&quot; 0.00 [Red]"/></numFmts>` +
	`<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>` +
	`<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="21"/></cellXfs></styleSheet>`

// Each case: the cells of one row of XML, and what is read.
var cellCases = []struct {
	name, xml string
	want      []string
	notes     string
}{
	{"numbers", `<c r="A1"><v>12345</v></c><c><v>-3</v></c><c><v>0.5</v></c><c><v>12.0</v></c><c><v>00</v></c>`, []string{"12345", "-3", "0.5", "12", "00"}, ""},
	{"exponents", `<c><v>1.23456789012E11</v></c><c><v>1E5</v></c><c><v>1.5e-3</v></c><c><v>-2.5E+1</v></c><c><v>0E0</v></c>`,
		[]string{"123456789012", "100000", "0.0015", "-25", "0"}, ""},
	{"binary fractions", `<c><v>19.989999999999998</v></c><c><v>0.30000000000000004</v></c><c><v>4.9000000000000004</v></c>`,
		[]string{"19.99", "0.30000000000000004", "4.9"}, "2:long"},
	{"long numbers", `<c><v>123456789012345</v></c><c><v>1234567890123456</v></c><c><v>1.2345678901234568E+19</v></c><c><v>12345678901234567890</v></c>`,
		[]string{"123456789012345", "1234567890123456", "12345678901234568000", "12345678901234567890"}, "2:long 3:long 4:long"},
	{"no numbers", `<c><v>1E400</v></c><c><v>x</v></c><c><v></v></c><c><v/></c><c><v> 7 </v></c>`, []string{"1E400", "x", "", "", "7"}, ""},
	{"booleans", `<c t="b"><v>1</v></c><c t="b"><v>0</v></c>`, []string{"TRUE", "FALSE"}, ""},
	{"error", `<c t="e"><v>#REF!</v></c><c><v>1</v></c>`, []string{"#REF!", "1"}, "1:error"},
	{"formulas", `<c><f>A1+1</f><v>7</v></c><c t="str"><f t="shared" si="0"/><v>a &amp; b</v></c><c t="e"><f>1/0</f><v>#DIV/0!</v></c><c><f>X</f></c><c><v>1</v></c>`,
		[]string{"7", "a & b", "#DIV/0!", "", "1"}, "1:formula 2:formula 3:formula 3:error 4:formula"},
	{"shared", `<c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>3</v></c><c t="s"><v>4</v></c><c t="s"><v>5</v></c>`,
		[]string{"plain", "rich text", "two\nlines", "漢字", "", "1E5"}, ""},
	{"damaged", `<c t="s"><v>6</v></c><c t="inlineStr"><is><t>a_x0001_</t></is></c><c t="str"><v>` + "\uFFFD" + `</v></c>`,
		[]string{"a\uFFFDb", "a\x01", "\uFFFD"}, "1:damaged 2:damaged 3:damaged"},
	{"inline", `<c t="inlineStr"><is><t xml:space="preserve"> a  b </t></is></c><c t="inlineStr"><is><r><rPr><b/></rPr><t>x</t></r><rPh sb="0" eb="1"><t>no</t></rPh><r><t>y</t></r></is></c>` +
		`<c t="inlineStr"><is/></c><c t="inlineStr"><is><t><![CDATA[<&>]]><!-- </row> -->z</t></is></c>`, []string{"a  b", "xy", "", "<&>z"}, ""},
	{"escapes", `<c t="str"><v>&lt;&#65;&#x42;&apos;&quot;_x0043__x005F_x0041_&amp;amp;_x_</v></c><c t="str"><v>_xD83D__xDE00_&#128512;_x000D_</v></c>`,
		[]string{`<AB'"C_x0041_&amp;_x_`, "😀😀"}, ""},
	{"missing and shuffled references", `<c r="C1"><v>3</v></c><c><v>4</v></c><c r="A1"><v>1</v></c><c r="aa1"><v>27</v></c>`,
		append(append([]string{"1", "", "3", "4"}, make([]string, 22)...), "27"), ""},
	{"dates", `<c s="1"><v>46000</v></c><c s="2"><v>46000.5</v></c><c s="2"><v>46000</v></c><c s="3"><v>46000</v></c><c s="4"><v>0.75</v></c><c s="1"><v>-1</v></c><c s="1"><v>59</v></c><c s="1"><v>61</v></c><c s="99"><v>1</v></c><c t="d"><v>2026-01-02</v></c>`,
		[]string{"2025-12-09", "2025-12-09T12:00:00", "2025-12-09", "46000", "18:00:00", "-1", "1900-02-28", "1900-03-01", "1", "2026-01-02"}, ""},
	{"odd writing", "\n<c  r = \"A1\"\n s='0' t=\"n\" cm=\"1\" ><v>1</v></c >\n<!-- <c> --><c r='C1' t='str' ><f>x</f><v >2</v><extLst><ext><v>9</v></ext></extLst></c><c r='D1'/><c r=\"E1\" t=\"inlineStr\" x='>'><is><t>e</t></is></c>\n",
		[]string{"1", "", "2", "", "e"}, "3:formula"},
}

func notesOf(notes []Note) string {
	names := map[removal.NoteKind]string{
		removal.NoteFormula: "formula", removal.NoteError: "error", removal.NoteLongNumber: "long", removal.NoteDamaged: "damaged",
	}
	var all []string
	for _, n := range notes {
		all = append(all, fmt.Sprintf("%d:%s", n.Col, names[n.What]))
	}
	return strings.Join(all, " ")
}

var someStrings = sst(`<si><t>plain</t></si>`, `<si><r><t>rich </t></r><r><rPr><b/></rPr><t xml:space="preserve">text </t></r></si>`,
	`<si><t>two_x000D_`+"\r\n"+`lines</t></si>`, `<si><t>漢字</t><rPh sb="0" eb="2"><t>かんじ</t></rPh><phoneticPr fontId="1"/></si>`,
	`<si/>`, `<si><t>1E5</t></si>`, "<si><t>a\uFFFDb</t></si>")

// TestCells reads each case as it stands, with prefixed elements, in UTF-16, and
// in chunks of several sizes.
func TestCells(t *testing.T) {
	t.Parallel()
	for _, tc := range cellCases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := tc.want
			if tc.name == "shared" {
				want = slices.Clone(want)
				want[2] = "two\r\nlines"
			}
			plain := sheetXML(`<row r="1">` + tc.xml + `</row><row r="2"/>` + inlineRow(3, "end"))
			for form, xml := range map[string]string{"plain": plain, "prefixed": prefixed(plain), "utf-16": string(utf16Bytes(strings.Replace(plain, "UTF-8", "UTF-16", 1), false))} {
				data := xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": xml, "xl/sharedStrings.xml": someStrings, "xl/styles.xml": styles})
				for _, chunk := range []int{0, 1, 300} {
					rows := mustRead(t, data, chunk, Options{})
					if len(rows) != 2 || rows[0].Number != 1 || rows[1].Number != 3 || rows[0].Line != 0 {
						t.Fatalf("%s: got %+v", form, rows)
					}
					if d := cmp.Diff(want, rows[0].Cells); d != "" {
						t.Errorf("%s: %s", form, d)
					}
					if got := notesOf(rows[0].Notes); got != tc.notes {
						t.Errorf("%s: notes %q, want %q", form, got, tc.notes)
					}
				}
			}
		})
	}
}

// prefixed writes a sheet as some programs do, every element with a prefix.
func prefixed(xml string) string {
	xml = strings.ReplaceAll(strings.Replace(xml, "xmlns=", "xmlns:x=", 1), "<", "<x:")
	for _, p := range []string{"/", "?xml", "!--", "![CDATA["} {
		xml = strings.ReplaceAll(xml, "<x:"+p, "<"+strings.ReplaceAll(p, "/", "/x:"))
	}
	return strings.Replace(xml, "[CDATA[<x:&>", "[CDATA[<&>", 1)
}

func TestPrefixedStrings(t *testing.T) {
	t.Parallel()
	data := xlsx(t, map[string]string{
		"xl/worksheets/sheet1.xml": sheetXML(`<row r="1"><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>`),
		"xl/sharedStrings.xml":     prefixed(sst(`<si><t>a &lt; b</t></si>`, `<si><r><t>c</t></r><rPh><t>no</t></rPh></si>`)),
	})
	if d := cmp.Diff([][]string{{"a < b", "c"}}, cellsOf(mustRead(t, data, 0, Options{}))); d != "" {
		t.Error(d)
	}
}

// TestRowNumbers: rows without numbers follow the one before, in any chunk; those
// with numbers have them, whatever order they come in.
func TestRowNumbers(t *testing.T) {
	t.Parallel()
	cell := func(s string) string { return `<c t="inlineStr"><is><t>` + s + `</t></is></c>` }
	xml := sheetXML(`<row>` + cell("1") + `</row><row/><row ht="20"></row><row>` + cell("4") + `</row><!-- </row> -->` +
		`<row r="9">` + cell("9") + `</row><row>` + cell("10") + `</row><row r="12"/><row>` + cell("13") + `</row><row r="7">` + cell("7") + `</row>`)
	data := xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": xml})
	for _, chunk := range []int{0, 1, 120, 200} {
		f := mustOpen(t, data, chunk, Options{})
		for after := range 14 {
			rows, err := readAll(f.Sheets()[0], after)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, r := range rows {
				got = append(got, fmt.Sprint(r.Number), r.Cells[0])
			}
			for _, n := range []int{1, 4, 9, 10, 13, 7} {
				if n > after {
					want = append(want, fmt.Sprint(n), fmt.Sprint(n))
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("chunk %d after %d: %s", chunk, after, d)
			}
		}
	}
}

func TestDate1904(t *testing.T) {
	t.Parallel()
	data := xlsx(t, map[string]string{
		"xl/workbook.xml":          `<workbook ` + nsMain + " " + nsRel + `><workbookPr date1904="1"/><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/worksheets/sheet1.xml": sheetXML(`<row r="1"><c s="1"><v>44538</v></c></row>`), "xl/styles.xml": styles,
	})
	if got := mustRead(t, data, 0, Options{})[0].Cells[0]; got != "2025-12-09" {
		t.Errorf("got %s", got)
	}
}

func TestFormatKind(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]dateKind{
		"General": notDate, "0.00": notDate, "#,##0 [$kr-41D];[Red]-#,##0": notDate, "0.00E+00": notDate, "@": notDate,
		`"dms" 0`: notDate, `0\d`: notDate, "yyyy-mm-dd": dateDay, "[$-41D]d mmmm yyyy;@": dateDay,
		"d/m/yy h:mm": dateTime, "[h]:mm:ss": dateTime, "mm:ss.0": dateTime, "": notDate, `"x`: notDate, "[x": notDate,
	} {
		if got := formatKind(code); got != want {
			t.Errorf("formatKind(%q) = %d, want %d", code, got, want)
		}
	}
}

func TestSheets(t *testing.T) {
	t.Parallel()
	book := excelize.NewFile()
	for i, name := range []string{"Hidden", "Instruktioner", "Mall"} {
		if _, err := book.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		if err := book.SetCellValue(name, "B3", i); err != nil {
			t.Fatal(err)
		}
	}
	book.SetActiveSheet(2)
	if err := errors.Join(book.DeleteSheet("Sheet1"), book.SetSheetVisible("Hidden", false)); err != nil {
		t.Fatal(err)
	}
	f := mustOpen(t, bookBytes(t, book), 0, Options{})
	if !f.Format().Workbook || f.Format().Delimiter != "" {
		t.Errorf("format %+v", f.Format())
	}
	var got []string
	for _, s := range f.Sheets() {
		rows, err := s.Head()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %t %d %q", s.Name(), s.Hidden(), rows[0].Number, rows[0].Cells))
	}
	want := []string{`Instruktioner false 3 ["" "1"]`, `Mall false 3 ["" "2"]`, `Hidden true 3 ["" "0"]`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func bookBytes(tb testing.TB, book *excelize.File) []byte {
	tb.Helper()
	b, err := book.WriteToBuffer()
	if err != nil {
		tb.Fatal(err)
	}
	if err := book.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// TestAgainstExcelize reads workbooks that excelize wrote, with shared and with
// inline strings, and holds each value against what excelize reads itself.
func TestAgainstExcelize(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	values := []any{"text", " blank ", "a & <b>", "två\nrader", 12, -3.25, 1e21, 123456789012, true, false, day, "", nil, "007", "x_x000D_y", 0.1}
	for _, inline := range []bool{false, true} {
		book := excelize.NewFile()
		var stream *excelize.StreamWriter
		var err error
		if inline {
			if stream, err = book.NewStreamWriter("Sheet1"); err != nil {
				t.Fatal(err)
			}
		}
		for r := 1; r <= 300; r++ {
			row := make([]any, 12)
			for c := range row {
				row[c] = values[(r*7+c*r)%len(values)]
				if row[c] == any(day) && inline {
					row[c] = "2026-03-01"
				}
			}
			at := fmt.Sprintf("A%d", r+r/50)
			if inline {
				err = stream.SetRow(at, row)
			} else {
				err = book.SetSheetRow("Sheet1", at, &row)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if inline {
			if err := stream.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		data := bookBytes(t, book)
		compareWithExcelize(t, data)
	}
}

func compareWithExcelize(t *testing.T, data []byte) {
	t.Helper()
	book, err := excelize.OpenReader(strings.NewReader(string(data)), excelize.Options{RawCellValue: true, UnzipSizeLimit: 1 << 28, UnzipXMLSizeLimit: 1 << 28})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := book.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, chunk := range []int{0, 100} {
		for i, row := range mustRead(t, data, chunk, Options{}) {
			for col, got := range row.Cells {
				name, err := excelize.CoordinatesToCellName(col+1, row.Number)
				if err != nil {
					t.Fatal(err)
				}
				want, err := book.GetCellValue("Sheet1", name, excelize.Options{RawCellValue: true})
				if err != nil {
					t.Fatal(err)
				}
				switch want = strings.Trim(want, " \r\n"); {
				case want == "46082":
					want = "2026-03-01"
				case want == "1E+21":
					want = "1000000000000000000000"
				case want == "1" && got == "TRUE", want == "0" && got == "FALSE":
					want = got
				}
				if got != want {
					t.Errorf("row %d %s: got %q, want %q", i, name, got, want)
				}
			}
		}
	}
}

func TestTruncatedWorkbooks(t *testing.T) {
	t.Parallel()
	rows := inlineRow(1, "sku") + inlineRow(2, "S-1")
	whole := sheetXML(rows)
	cases := map[string]map[string]string{
		"in the prolog":   {"xl/worksheets/sheet1.xml": whole[:90]},
		"no sheet data":   {"xl/worksheets/sheet1.xml": `<worksheet></worksheet>`},
		"empty part":      {"xl/worksheets/sheet1.xml": ""},
		"between rows":    {"xl/worksheets/sheet1.xml": strings.Split(whole, `<row r="2"`)[0]},
		"in a row":        {"xl/worksheets/sheet1.xml": strings.Split(whole, `S-1`)[0]},
		"behind the rows": {"xl/worksheets/sheet1.xml": strings.Split(whole, `<mergeCells`)[0]},
		"prefixed":        {"xl/worksheets/sheet1.xml": prefixed(strings.Split(whole, `S-1`)[0])},
		"bad row":         {"xl/worksheets/sheet1.xml": sheetXML(`<row r="1"><c><v>1</c></row></v>`)},
		"row in row":      {"xl/worksheets/sheet1.xml": sheetXML(`<row r="1"><c><v>1</v></c><row r="2"></row></row>`)},
		"torn attribute":  {"xl/worksheets/sheet1.xml": sheetXML(`<row r="1"><c r="A1><v>1</v></c></row>`)},
		"string missing":  {"xl/worksheets/sheet1.xml": sheetXML(`<row r="1"><c t="s"><v>7</v></c></row>`), "xl/sharedStrings.xml": someStrings},
		"no strings":      {"xl/worksheets/sheet1.xml": sheetXML(`<row r="1"><c t="s"><v>0</v></c></row>`)},
		"strings torn":    {"xl/sharedStrings.xml": someStrings[:len(someStrings)-30]},
		"styles torn":     {"xl/styles.xml": styles[:200]},
		"workbook torn":   {"xl/workbook.xml": `<workbook><sheets>`},
		"sheet missing":   {"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Type="` + relate + `worksheet" Target="gone.xml"/></Relationships>`},
	}
	for name, parts := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := xlsx(t, parts)
			for _, chunk := range []int{0, 1} {
				wantFault(t, fault(data, chunk, Options{}), removal.FileSheetTruncated)
			}
		})
	}
	t.Run("bytes damaged", func(t *testing.T) {
		t.Parallel()
		data := xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(strings.Repeat(rows, 500))})
		at := strings.Index(string(data), "xl/worksheets/sheet1.xml")
		data[at+60] ^= 0xff
		wantFault(t, fault(data, 0, Options{}), removal.FileSheetTruncated, "sheet", "Data")
	})
}

// TestEmptySheet: a sheet without rows is read, and is empty.
func TestEmptySheet(t *testing.T) {
	t.Parallel()
	for _, xml := range []string{sheetXML(""), `<worksheet><sheetData/></worksheet>`, sheetXML(`<row r="1"/><row r="2"><c r="A2" s="1"/></row>`), sheetXML("\n <!-- none -->\n")} {
		if rows := mustRead(t, xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": xml}), 0, Options{}); len(rows) != 0 {
			t.Errorf("got %v", rows)
		}
	}
}
