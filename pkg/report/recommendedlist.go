package report

import (
	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

var recommendedColumns = []struct {
	key   string
	width float64
	right bool
}{
	{"number", 7, true}, {"sku", 22, false}, {"product", 38, false}, {"fnsku", 14, false}, {"asin", 13, false},
	{"remove", 11, true}, {"why", 58, false}, {"cleanup", 12, true},
	{"surcharge", 17, true}, {"return", 17, true}, {"disposal", 17, true}, {"cheaper", 15, false},
	{"expected", 12, true}, {"cover", 11, true},
	{"sellable", 11, true}, {"b0", 10, true}, {"b1", 10, true}, {"b2", 10, true}, {"b3", 10, true}, {"b4", 10, true},
	{"open", 11, true}, {"unsellable", 11, true},
}

// recommendedRow is where the headings of the list stand.
const recommendedRow = 3

// list writes the rows, each with its reasons; its numbers are those by which rows
// are chosen.
func (b *recommendedBook) list() error {
	sheet := sheetTitle(b.t("list"), "Recommended", b.sheet)
	if _, err := b.book.NewSheet(sheet); err != nil {
		return err
	}
	if err := b.book.dress(sheet, "", "D1584D", false, false); err != nil {
		return err
	}
	w, err := b.book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	for i, c := range recommendedColumns {
		if err := w.SetColWidth(i+1, i+1, c.width); err != nil {
			return err
		}
	}
	err = w.SetPanes(&excelize.Panes{
		Freeze: true, XSplit: 2, YSplit: recommendedRow, TopLeftCell: removal.CellName(3, recommendedRow+1), ActivePane: "bottomRight",
	})
	if err != nil {
		return err
	}
	title := b.style(excelize.Style{Font: font(16, brand, true), Alignment: aligned("left", "center", false)})
	if err := w.SetRow("A1", []any{excelize.Cell{StyleID: title, Value: b.t("list_title", "date", b.r.CleanUp.Format("2006-01-02"))}}, excelize.RowOpts{Height: 28}); err != nil {
		return err
	}
	left, right := b.style(headingStyle("left")), b.style(headingStyle("right"))
	var cells []any
	for _, c := range recommendedColumns {
		h := excelize.Cell{StyleID: left, Value: b.t("col_"+c.key, "currency", b.r.Currency)}
		if c.right {
			h.StyleID = right
		}
		cells = append(cells, h)
	}
	if err := w.SetRow(removal.CellName(1, recommendedRow), cells, excelize.RowOpts{Height: 34}); err != nil {
		return err
	}
	st := b.listStyles()
	if b.err != nil {
		return b.err
	}
	row := recommendedRow
	for i := range b.r.Rows {
		if row+2 > sheetRows {
			break
		}
		row++
		cells = b.cells(cells[:0], i, &st)
		if err := w.SetRow(removal.CellName(1, row), cells); err != nil {
			return err
		}
	}
	return b.endList(w, sheet, row)
}

func (b *recommendedBook) endList(w *excelize.StreamWriter, sheet string, row int) error {
	if row == recommendedRow {
		none := b.style(excelize.Style{Font: font(10, greenInk, true), Alignment: aligned("left", "center", false)})
		text := b.t("nothing", "date", b.r.CleanUp.Format("2006-01-02"), "days", b.r.FromDays)
		if err := w.SetRow(removal.CellName(1, row+1), []any{excelize.Cell{StyleID: none, Value: text}}); err != nil {
			return err
		}
		return w.Flush()
	}
	if left := len(b.r.Rows) - (row - recommendedRow); left > 0 {
		note := b.style(excelize.Style{Font: font(10, muted, false)})
		if err := w.SetRow(removal.CellName(1, row+1), []any{excelize.Cell{StyleID: note, Value: b.t("left", "number", left)}}); err != nil {
			return err
		}
	}
	last := removal.CellName(len(recommendedColumns), row)
	if err := b.book.AutoFilter(sheet, removal.CellName(1, recommendedRow)+":"+last, nil); err != nil {
		return err
	}
	return w.Flush()
}

type listStyles struct{ text, key, number, strong, money, save, date, cheap int }

func (b *recommendedBook) listStyles() listStyles {
	day := "yyyy-mm-dd"
	style := func(horizontal, color string, bold bool, format int, custom *string) int {
		return b.style(excelize.Style{
			Font: font(10, color, bold), Border: underline(line), Alignment: padded(horizontal, "center", false),
			NumFmt: format, CustomNumFmt: custom,
		})
	}
	return listStyles{
		text: style("left", ink, false, textFormat, nil), key: style("left", ink, true, textFormat, nil),
		number: style("right", ink, false, 3, nil), strong: style("right", redInk, true, 3, nil),
		money: style("right", ink, false, 4, nil), save: style("right", greenInk, true, 4, nil),
		date: style("right", ink, false, 0, &day), cheap: style("left", brand, true, 0, nil),
	}
}

func (b *recommendedBook) cells(cells []any, i int, st *listStyles) []any {
	r := &b.r.Rows[i]
	cell := func(style int, v any) { cells = append(cells, excelize.Cell{StyleID: style, Value: v}) }
	known := func(style int, n int64) {
		if n < 0 {
			cell(st.number, nil)
			return
		}
		cell(style, n)
	}
	money := func(style int, f Figure) {
		if !f.Known {
			cell(st.text, b.t("short_"+f.Why))
			return
		}
		cell(style, float64(f.Amount)/10000)
	}
	cell(st.number, i+1)
	cell(st.key, r.SKU)
	cell(st.text, cut(r.Title, 200))
	cell(st.text, r.FNSKU)
	cell(st.text, r.ASIN)
	cell(st.strong, r.Remove)
	cell(st.text, b.why(r))
	cell(st.date, b.r.CleanUp)
	money(st.save, r.Surcharge)
	money(st.money, r.ReturnFee)
	money(st.money, r.DisposalFee)
	cell(st.cheap, b.t("choice_"+string(r.Cheaper)))
	known(st.number, r.Expected)
	known(st.number, r.CoverDays)
	cell(st.number, r.Sellable)
	for _, n := range r.Ages {
		known(st.number, n)
	}
	cell(st.number, r.Open)
	cell(st.number, r.Unsellable)
	return cells
}

// why puts the reason of a row into words.
func (b *recommendedBook) why(r *RecommendedRow) string {
	least, open := "", ""
	if r.AtLeast {
		least = "1"
	}
	if r.Open > 0 {
		open = number(r.Open)
	}
	return b.t("why", "units", r.Aged, "days", b.r.FromDays, "date", b.r.CleanUp.Format("2006-01-02"),
		"least", least, "open", open, "basis", b.t("basis_"+r.Basis))
}
