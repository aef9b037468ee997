package report

import (
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
	"rensa/templates"
)

// recommendedBook is the report as a workbook: a page with the sums and the chart
// of ages, and the list with its reasons.
type recommendedBook struct {
	r     *Recommended
	texts *templates.Texts
	book  *book
	sheet string
	row   int
	err   error // the first; everything after it does nothing
}

// XLSX writes the report as a workbook for people. The same report gives the same
// bytes.
func (r *Recommended) XLSX(w io.Writer) error {
	b := &recommendedBook{r: r, texts: r.texts(), book: newBook()}
	b.overview()
	if b.err == nil {
		b.err = b.list()
	}
	if b.err == nil {
		b.err = b.book.describe(b.t("title"), r.Made)
	}
	if b.err == nil {
		b.err = b.book.save(w)
	}
	if err := b.book.Close(); b.err == nil {
		b.err = err
	}
	if b.err != nil {
		return fmt.Errorf("recommended removal: %w", b.err)
	}
	return nil
}

func (b *recommendedBook) t(key string, args ...any) string {
	return b.texts.T("report.recommended."+key, args...)
}

func (b *recommendedBook) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *recommendedBook) style(st excelize.Style) int {
	id, err := b.book.style(st)
	b.do(err)
	return id
}

// put writes one value over columns from–to of a row.
func (b *recommendedBook) put(row, from, to int, value any, st excelize.Style) {
	if b.err != nil {
		return
	}
	first, last := removal.CellName(from, row), removal.CellName(to, row)
	if value != nil {
		b.do(b.book.SetCellValue(b.sheet, first, value))
	}
	if from != to {
		b.do(b.book.MergeCell(b.sheet, first, last))
	}
	b.do(b.book.SetCellStyle(b.sheet, first, last, b.style(st)))
}

func (b *recommendedBook) height(row int, points float64) {
	b.do(b.book.SetRowHeight(b.sheet, row, points))
}

// The page's grid: a margin, then the columns of the cards.
const pageColumns = 8

func (b *recommendedBook) overview() {
	b.sheet = sheetTitle(b.t("overview"), "Overview")
	b.do(b.book.SetSheetName("Sheet1", b.sheet))
	b.do(b.book.dress(b.sheet, "", brand, false, true))
	b.do(b.book.SetColWidth(b.sheet, "A", "A", 2.5))
	b.do(b.book.SetColWidth(b.sheet, "B", columnName(1+pageColumns), 14))
	left := func(size float64, color string, bold, wrap bool) excelize.Style {
		return excelize.Style{Font: font(size, color, bold), Alignment: aligned("left", "center", wrap)}
	}
	b.height(1, 10)
	b.height(2, 30)
	b.put(2, 2, 1+pageColumns, b.t("title"), left(20, brand, true, false))
	merchant := b.r.Merchant.ID
	if name := b.r.Merchant.Profile.Name; name != "" {
		merchant += " (" + name + ")"
	}
	b.height(3, 18)
	b.put(3, 2, 1+pageColumns, b.t("facts", "merchant", merchant, "made", b.r.Made.In(b.r.Zone).Format("2006-01-02"),
		"stock", Moment(b.r.Snapshot, false, b.r.Zone)), left(11, muted, false, false))
	b.height(4, 10)
	t := b.r.Totals()
	b.cards(&t)
	for _, line := range b.notes(&t) {
		b.put(b.row, 2, 1+pageColumns, line, left(10, ink, false, true))
		b.height(b.row, 17+13*float64(lines(line, 120)-1))
		b.row++
	}
	b.height(b.row, 12)
	b.ageing(b.row + 1)
}

// cards are the four figures that matter most.
func (b *recommendedBook) cards(t *RecommendedTotals) {
	edge := []excelize.Border{{Type: "left", Color: white, Style: 5}}
	method, fee, without := "fee_return", t.Return, t.NoReturn
	if b.r.Merchant.Profile.DefaultMethod == removal.Disposal {
		method, fee, without = "fee_disposal", t.Disposal, t.NoDisposal
	}
	money := func(sum removal.Amount, without int64) any {
		if without == t.SKUs && t.SKUs > 0 {
			return b.t("unknown")
		}
		return float64(sum) / 10000
	}
	for i, c := range []struct {
		value any
		label string
		color string
		money bool
	}{
		{t.Units, b.t("card_units", "skus", t.SKUs), redInk, false},
		{b.r.CleanUp.Format("2006-01-02"), b.t("card_cleanup", "days", b.r.FromDays), ink, false},
		{money(t.Surcharge, t.NoSurcharge), b.t("card_surcharge", "currency", b.r.Currency), greenInk, true},
		{money(fee, without), b.t("card_"+method, "currency", b.r.Currency), ink, true},
	} {
		from := 2 + 2*i
		value := excelize.Style{
			Font: font(22, c.color, true), Fill: fill(paper), NumFmt: 3, Border: edge,
			Alignment: &excelize.Alignment{Horizontal: "left", Vertical: "bottom", Indent: 1},
		}
		if c.money {
			value.NumFmt = 4
		}
		if _, text := c.value.(string); text {
			value.Font.Size = 18
		}
		b.put(5, from, from+1, c.value, value)
		b.put(6, from, from+1, c.label, excelize.Style{
			Font: font(10, muted, false), Fill: fill(paper), Border: edge,
			Alignment: &excelize.Alignment{Horizontal: "left", Vertical: "top", Indent: 1, WrapText: true},
		})
	}
	b.height(5, 38)
	b.height(6, 32)
	b.height(7, 10)
	b.row = 8
}

// notes say what the figures leave open, and what can be done at once.
func (b *recommendedBook) notes(t *RecommendedTotals) []string {
	var all []string
	if t.SKUs == 0 {
		all = append(all, b.t("nothing", "date", b.r.CleanUp.Format("2006-01-02"), "days", b.r.FromDays))
	}
	if t.AtLeast {
		all = append(all, b.t("at_least"))
	}
	if t.NoSurcharge > 0 {
		all = append(all, b.t("without_surcharge", "number", t.NoSurcharge))
	}
	switch {
	case b.r.NoUpload == "address":
		all = append(all, b.t("no_address"))
	case b.r.NoUpload == "":
		all = append(all, b.t("upload"))
	}
	return all
}

// ageing is the whole sellable stock by age, as a chart over its table.
func (b *recommendedBook) ageing(row int) {
	const chartRows = 20
	first := row + chartRows + 2
	heading := headingStyle("left")
	b.put(first, 2, 3, b.t("age"), heading)
	heading = headingStyle("right")
	b.put(first, 4, 5, b.t("stays"), heading)
	b.put(first, 6, 7, b.t("charged", "date", b.r.CleanUp.Format("2006-01-02")), heading)
	b.put(first, 8, 9, b.t("all"), heading)
	b.height(first, 22)
	text := excelize.Style{Font: font(10, ink, false), Border: underline(line), Alignment: padded("left", "center", false)}
	zeroless := "#,##0;-#,##0;0"
	number := excelize.Style{Font: font(10, ink, false), Border: underline(line), Alignment: padded("right", "center", false), CustomNumFmt: &zeroless}
	strong := number
	strong.Font = font(10, redInk, true)
	a := &b.r.Ageing
	for i := range AgeBands + 1 {
		at := first + 1 + i
		name, stays, charged := b.t("band_unknown"), a.Unknown, int64(0)
		if i < AgeBands {
			name, stays, charged = b.t(fmt.Sprintf("band_%d", i)), a.Units[i]-a.Charged[i], a.Charged[i]
		}
		b.put(at, 2, 3, name, text)
		b.put(at, 4, 5, stays, number)
		if charged == 0 {
			b.put(at, 6, 7, charged, number)
		} else {
			b.put(at, 6, 7, charged, strong)
		}
		b.put(at, 8, 9, stays+charged, number)
		b.height(at, 19)
	}
	b.chart(row, first, chartRows)
}

func (b *recommendedBook) chart(row, first, rows int) {
	if b.err != nil {
		return
	}
	quoted := quotedSheet(b.sheet)
	ref := func(col string) string {
		return fmt.Sprintf("%s!$%s$%d:$%s$%d", quoted, col, first+1, col, first+AgeBands+1)
	}
	series := func(col, color string) excelize.ChartSeries {
		return excelize.ChartSeries{
			Name: fmt.Sprintf("%s!$%s$%d", quoted, col, first), Categories: ref("B"), Values: ref(col), Fill: fill(color),
			DataLabel: excelize.ChartDataLabel{Font: excelize.Font{Family: fontName, Size: 10, Bold: true, Color: white}},
		}
	}
	gap, overlap := uint(55), 100
	small := excelize.Font{Family: fontName, Size: 10, Color: ink}
	b.do(b.book.AddChart(b.sheet, removal.CellName(2, row), &excelize.Chart{
		Type:      excelize.ColStacked,
		Series:    []excelize.ChartSeries{series("D", "5B9AA0"), series("F", "D1584D")},
		Dimension: excelize.ChartDimension{Width: 905, Height: uint(20*rows - 10)},
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{
			{Text: b.t("chart"), Font: &excelize.Font{Family: fontName, Size: 13, Bold: true, Color: brand}},
		}},
		Legend: excelize.ChartLegend{Position: "bottom", Font: &small},
		XAxis:  excelize.ChartAxis{Font: small},
		YAxis: excelize.ChartAxis{
			MajorGridLines: true, Font: excelize.Font{Family: fontName, Size: 9, Color: muted},
			NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"},
		},
		Border: excelize.LineOptions{Type: excelize.LineNone},
		PlotArea: excelize.ChartPlotArea{
			ShowVal: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0;;", SourceLinked: false},
		},
		GapWidth: &gap, Overlap: &overlap,
	}))
}
