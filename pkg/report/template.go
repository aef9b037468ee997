package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/upload"
	"rensa/templates"
)

// ErrFormat is the answer to a form that Template does not write.
var ErrFormat = errors.New("the template comes as .xlsx, .tsv or .csv")

// templateRows is how far down the template's drop-down lists and checks reach.
const templateRows = 20_000

// Template writes an empty upload template as "xlsx", "tsv" or "csv". The text
// forms are the headings alone; the workbook has instructions, definitions, the
// sheet to fill in and an example, in the language of texts. It is read like any
// other upload once it is filled in.
func Template(w io.Writer, format string, store policy.Store, texts *templates.Texts) error {
	var err error
	switch strings.TrimPrefix(strings.ToLower(format), ".") {
	case "xlsx":
		err = writeTemplate(w, store, texts)
	case "tsv":
		err = writeHeadings(w, "\t")
	case "csv":
		err = writeHeadings(w, ",")
	default:
		return fmt.Errorf("report: %q: %w", format, ErrFormat)
	}
	if err != nil {
		return fmt.Errorf("report: template: %w", err)
	}
	return nil
}

func writeHeadings(w io.Writer, delimiter string) error {
	_, err := io.WriteString(w, strings.Join(canonicalHeadings(), delimiter)+"\r\n")
	return err
}

func canonicalHeadings() []string {
	names := make([]string, removal.NumFields)
	for f := range names {
		names[f] = removal.Field(f).String()
	}
	return names
}

// need is how much an order needs a field.
type need uint8

const (
	needAlways need = iota
	needReturn
	needSome
	needNot
)

var needs = [removal.NumFields]need{
	removal.FieldOrderID: needNot, removal.FieldMethod: needAlways,
	removal.FieldName: needReturn, removal.FieldLine1: needReturn,
	removal.FieldLine2: needNot, removal.FieldLine3: needNot,
	removal.FieldCity: needReturn, removal.FieldCountry: needReturn,
	removal.FieldState: needNot, removal.FieldPostalCode: needReturn,
	removal.FieldPhone: needNot, removal.FieldNotes: needNot,
	removal.FieldSKU:      needAlways,
	removal.FieldSellable: needSome, removal.FieldUnsellable: needSome,
}

func (n need) key() string { return [...]string{"always", "returns", "some", "optional"}[n] }

// color is that of a field's heading, and of the writing on it.
func (n need) color() (paint, pen string) {
	switch n {
	case needAlways, needSome:
		return brand, white
	case needReturn:
		return "4A8A9C", white
	case needNot:
	}
	return "D5E1E5", ink
}

// maxLength is the number of characters that a field may have; 0: no limit is known.
func maxLength(f removal.Field) int {
	switch f {
	case removal.FieldOrderID, removal.FieldSKU:
		return 40
	case removal.FieldLine1, removal.FieldLine2, removal.FieldLine3:
		return 60
	case removal.FieldName, removal.FieldCity, removal.FieldState, removal.FieldPostalCode, removal.FieldPhone:
		return 50
	}
	return 0
}

// maxQuantity is the largest quantity of a row.
const maxQuantity = 1_000_000

// example is two orders as they are filled in.
var example = [][removal.NumFields]string{
	{
		"RET-1001", "Return", "Ekeby Lager AB", "Industrigatan 12", "Port 3", "", "Malmö", "SE", "",
		"211 43", "+46 40 123 45 67", "", "00012345", "10", "2",
	},
	{removal.FieldOrderID: "RET-1001", removal.FieldSKU: "BLUE-MUG-2", removal.FieldSellable: "5"},
	{
		removal.FieldOrderID: "DSP-1002", removal.FieldMethod: "Disposal",
		removal.FieldSKU: "AB-8675309", removal.FieldUnsellable: "7",
	},
}

// templateBook is the template's workbook in the making.
type templateBook struct {
	*book
	store policy.Store
	texts *templates.Texts
	sheet string // at hand
	err   error
}

func writeTemplate(w io.Writer, store policy.Store, texts *templates.Texts) (err error) {
	t := &templateBook{book: newBook(), store: store, texts: texts}
	defer func() { err = errors.Join(err, t.Close()) }()
	t.instructions()
	t.definitions()
	t.fillIn()
	t.example()
	if i, e := t.GetSheetIndex(t.t("sheet_template")); e == nil {
		t.SetActiveSheet(i)
	}
	t.do(t.describe(t.t("title"), time.Time{}))
	if t.err != nil {
		return t.err
	}
	return t.save(w)
}

func (t *templateBook) do(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *templateBook) t(key string, args ...any) string {
	return t.texts.T("report.template."+key, args...)
}

func (t *templateBook) begin(key, tab string, grid bool) {
	t.sheet = t.t(key)
	if len(t.GetSheetList()) == 1 && t.GetSheetName(0) == "Sheet1" {
		t.do(t.SetSheetName("Sheet1", t.sheet))
	} else {
		_, err := t.NewSheet(t.sheet)
		t.do(err)
	}
	t.do(t.dress(t.sheet, "", tab, grid, false))
}

func (t *templateBook) width(from, to int, w float64) {
	t.do(t.SetColWidth(t.sheet, columnName(from), columnName(to), w))
}

func (t *templateBook) put(cell string, value any, s excelize.Style) {
	id, err := t.style(s)
	t.do(err)
	t.do(t.SetCellValue(t.sheet, cell, value))
	t.do(t.SetCellStyle(t.sheet, cell, cell, id))
}

func (t *templateBook) heightOf(row int, points float64) { t.do(t.SetRowHeight(t.sheet, row, points)) }

func (t *templateBook) heading(cell, text string) {
	t.put(cell, text, excelize.Style{Font: font(20, brand, true), Alignment: aligned("left", "center", false)})
}

func (t *templateBook) instructions() {
	t.begin("sheet_instructions", brand, false)
	t.width(1, 1, 3)
	t.width(2, 2, 5)
	t.width(3, 3, 112)
	body := excelize.Style{Font: font(11, ink, false), Alignment: aligned("left", "top", true)}
	sub := excelize.Style{Font: font(13, brand, true), Alignment: aligned("left", "bottom", false)}
	t.heightOf(1, 12)
	t.heightOf(2, 34)
	t.heading("B2", t.t("title"))
	t.put("B3", t.t("intro"), excelize.Style{Font: font(11, muted, false), Alignment: aligned("left", "center", false)})
	t.heightOf(3, 20)
	t.put("B5", t.t("steps"), sub)
	t.heightOf(5, 26)
	row := 6
	steps := 6
	for n := 1; n <= steps; n++ {
		text := t.t(fmt.Sprintf("step%d", n), "sheet", t.t("sheet_template"))
		t.put(removal.CellName(2, row), n, excelize.Style{
			Font: font(11, white, true), Fill: fill(brand), Alignment: aligned("center", "center", false),
			Border: []excelize.Border{{Type: "bottom", Color: white, Style: 5}},
		})
		t.put(removal.CellName(3, row), text, excelize.Style{
			Font: body.Font, Alignment: padded("left", "center", true),
		})
		t.heightOf(row, 13+15*float64(lines(text, 106)))
		row++
	}
	row++
	t.put(removal.CellName(2, row), t.t("colours"), sub)
	t.heightOf(row, 26)
	row++
	for _, n := range []need{needAlways, needReturn, needNot} {
		paint, _ := n.color()
		t.put(removal.CellName(2, row), "", excelize.Style{
			Fill: fill(paint), Border: []excelize.Border{{Type: "bottom", Color: white, Style: 5}},
		})
		text := t.t(n.key())
		if n == needAlways {
			text += " · " + t.t(needSome.key())
		}
		t.put(removal.CellName(3, row), text, excelize.Style{
			Font: body.Font, Alignment: padded("left", "center", false),
		})
		t.heightOf(row, 22)
		row++
	}
	row++
	notes := []string{"text_note"}
	if t.store.CrossBorder == "upload" {
		notes = append(notes, "cross_border")
	}
	for _, key := range notes {
		t.put(removal.CellName(2, row), "i", excelize.Style{
			Font: font(11, brand, true), Fill: fill(brandSoft), Alignment: aligned("center", "center", false),
		})
		t.put(removal.CellName(3, row), t.t(key), excelize.Style{
			Font: body.Font, Fill: fill(brandSoft),
			Alignment: padded("left", "center", true),
		})
		t.heightOf(row, 13+15*float64(lines(t.t(key), 106)))
		row++
	}
}

func (t *templateBook) definitions() {
	t.begin("sheet_definitions", brand, false)
	columns := []struct {
		key   string
		width float64
	}{{"column", 27}, {"name", 24}, {"needed", 24}, {"values", 32}, {"meaning", 62}, {"example", 22}}
	for i, c := range columns {
		t.width(i+1, i+1, c.width)
		t.put(removal.CellName(i+1, 1), t.t(c.key), headingStyle("left"))
	}
	t.heightOf(1, 24)
	t.do(t.SetPanes(t.sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	cell := excelize.Style{
		Font: font(10, ink, false), Border: underline(line), Alignment: padded("left", "center", true), NumFmt: textFormat,
	}
	name := cell
	name.Font = font(10, brand, true)
	for f := range removal.Field(removal.NumFields) {
		row := int(f) + 2
		meaning := t.texts.T("report.field." + f.String())
		local := ""
		if heading := upload.HeadingIn(f, t.texts.Lang()); heading != f.String() {
			local = heading
		}
		t.put(removal.CellName(1, row), f.String(), name)
		t.put(removal.CellName(2, row), local, cell)
		t.put(removal.CellName(3, row), t.t(needs[f].key()), cell)
		t.put(removal.CellName(4, row), t.allowed(f), cell)
		t.put(removal.CellName(5, row), meaning, cell)
		t.put(removal.CellName(6, row), exampleOf(f), cell)
		t.heightOf(row, 12+13*float64(max(lines(meaning, 64), lines(t.allowed(f), 31), lines(t.t(needs[f].key()), 23))))
	}
}

// exampleOf is the first value that the example has for a field.
func exampleOf(f removal.Field) string {
	for i := range example {
		if example[i][f] != "" {
			return example[i][f]
		}
	}
	return ""
}

func (t *templateBook) allowed(f removal.Field) string {
	switch f {
	case removal.FieldMethod:
		return removal.Return.String() + " | " + removal.Disposal.String()
	case removal.FieldCountry:
		return t.t("country")
	case removal.FieldSellable, removal.FieldUnsellable:
		return t.t("whole", "max", maxQuantity)
	}
	if n := maxLength(f); n > 0 {
		return t.t("text", "max", n)
	}
	return t.t("free_text")
}

// fillIn is the sheet that people fill in: headings, and empty cells that are
// typed and checked.
func (t *templateBook) fillIn() {
	t.begin("sheet_template", redInk, true)
	for f := range removal.Field(removal.NumFields) {
		col := int(f) + 1
		t.width(col, col, max(width(f), float64(len(f.String()))*1.2+3))
		format := textFormat
		if f == removal.FieldSellable || f == removal.FieldUnsellable {
			format = 1
		}
		id, err := t.style(excelize.Style{Font: font(10, ink, false), NumFmt: format})
		t.do(err)
		t.do(t.SetColStyle(t.sheet, columnName(col), id))
		t.put(removal.CellName(col, 1), f.String(), t.headingOf(f))
		t.validation(f, col)
	}
	t.heightOf(1, 28)
	t.do(t.SetPanes(t.sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
}

func (t *templateBook) headingOf(f removal.Field) excelize.Style {
	paint, pen := needs[f].color()
	return excelize.Style{Font: font(10, pen, true), Fill: fill(paint), Alignment: padded("left", "center", false)}
}

// validation shows what a cell is for when it is chosen, offers what may be
// chosen, and asks where something else is typed; it forbids nothing that our
// rules might allow.
func (t *templateBook) validation(f removal.Field, col int) {
	v := excelize.NewDataValidation(true)
	v.Sqref = fmt.Sprintf("%s:%s", removal.CellName(col, 2), removal.CellName(col, templateRows))
	v.SetInput(cut(t.promptTitle(f), 31), cut(t.texts.T("report.field."+f.String()), 250))
	switch f {
	case removal.FieldMethod:
		t.do(v.SetDropList([]string{removal.Return.String(), removal.Disposal.String()}))
	case removal.FieldCountry:
		if countries := t.countries(); countries != nil {
			t.do(v.SetDropList(countries))
		}
	case removal.FieldSellable, removal.FieldUnsellable:
		t.do(v.SetRange(0, maxQuantity, excelize.DataValidationTypeWhole, excelize.DataValidationOperatorBetween))
	default:
		if n := maxLength(f); n > 0 {
			t.do(v.SetRange(0, n, excelize.DataValidationTypeTextLength, excelize.DataValidationOperatorBetween))
		}
	}
	v.SetError(excelize.DataValidationErrorStyleWarning, t.t("invalid"), f.String()+": "+t.allowed(f))
	t.do(t.AddDataValidation(t.sheet, v))
}

func (t *templateBook) promptTitle(f removal.Field) string {
	return upload.HeadingIn(f, t.texts.Lang())
}

// countries are those that the store's policy lets returns go to, the home
// country first; nil where it is any, or more than a drop-down list holds.
func (t *templateBook) countries() []string {
	home := t.store.Country
	if home == "" {
		return nil
	}
	list := []string{home}
	switch t.store.CrossBorder {
	case "any":
		return nil
	case "upload":
		for _, c := range t.store.CrossBorderCountries {
			if c != home && !slices.Contains(list, c) {
				list = append(list, c)
			}
		}
	}
	if len(strings.Join(list, ",")) > 250 {
		return nil
	}
	return list
}

// example shows filled-in rows. Each heading has a few words below it in the same
// cell, so that the sheet is not taken for an upload itself.
func (t *templateBook) example() {
	t.begin("sheet_example", muted, false)
	t.heading("A1", t.t("example_title"))
	t.heightOf(1, 34)
	t.put("A2", t.t("example_note"), excelize.Style{Font: font(11, muted, false), Alignment: aligned("left", "center", false)})
	t.heightOf(2, 20)
	t.heightOf(3, 8)
	for f := range removal.Field(removal.NumFields) {
		col := int(f) + 1
		t.width(col, col, max(width(f), float64(len(f.String()))*1.2+3))
		paint, pen := needs[f].color()
		cell := removal.CellName(col, 4)
		t.put(cell, "", excelize.Style{Fill: fill(paint), Alignment: padded("left", "center", true)})
		t.do(t.SetCellRichText(t.sheet, cell, []excelize.RichTextRun{
			{Text: f.String() + "\n", Font: font(10, pen, true)},
			{Text: t.t(needs[f].key()), Font: font(8, pen, false)},
		}))
	}
	t.heightOf(4, 36)
	for i, row := range example {
		for f, v := range row {
			s := excelize.Style{Font: font(10, ink, false), Border: underline(line), NumFmt: textFormat, Alignment: padded("left", "center", false)}
			if i == len(example)-1 {
				s.Fill = fill(paper)
			}
			var value any = v
			if n, ok := digits([]byte(v)); ok && (f == int(removal.FieldSellable) || f == int(removal.FieldUnsellable)) {
				s.NumFmt, s.Alignment = 1, padded("right", "center", false)
				value = n
			}
			t.put(removal.CellName(f+1, 5+i), value, s)
		}
		t.heightOf(5+i, 20)
	}
}
