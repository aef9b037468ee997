package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

// summarySheet is the sheet Summary: what became of the file, on one page.
type summarySheet struct {
	in    *Input
	sum   *Summary
	book  *book
	sheet string
	row   int
	err   error // the first; everything after it does nothing
}

// The sheet's grid: a margin, eight columns, a gap, then the chart.
const (
	firstColumn = 2
	lastColumn  = 9
	chartColumn = 11
	shownCodes  = 40
)

type codeCount struct {
	code  removal.Code
	count int
}

func writeSummarySheet(in *Input, sum *Summary, b *book, left int) error {
	s := &summarySheet{in: in, sum: sum, book: b, sheet: b.freeName("Summary")}
	if _, err := b.NewSheet(s.sheet); err != nil {
		return err
	}
	s.layout()
	s.title()
	s.cards()
	s.facts()
	s.codes(left)
	if s.err == nil && in.Original == nil {
		s.err = b.describe(in.Texts.T("report.summary.title")+" – "+in.Run.FileName, sum.finished)
	}
	return s.err
}

func (s *summarySheet) do(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *summarySheet) style(st excelize.Style) int {
	id, err := s.book.style(st)
	s.do(err)
	return id
}

func (s *summarySheet) t(key string, args ...any) string {
	return s.in.Texts.T("report.summary."+key, args...)
}

// put writes one value over columns from–to of a row.
func (s *summarySheet) put(row, from, to int, value any, st excelize.Style) {
	first, last := removal.CellName(from, row), removal.CellName(to, row)
	if s.err != nil {
		return
	}
	if value != nil {
		s.do(s.book.SetCellValue(s.sheet, first, value))
	}
	if from != to {
		s.do(s.book.MergeCell(s.sheet, first, last))
	}
	s.do(s.book.SetCellStyle(s.sheet, first, last, s.style(st)))
}

func (s *summarySheet) height(row int, points float64) {
	s.do(s.book.SetRowHeight(s.sheet, row, points))
}

func (s *summarySheet) layout() {
	s.do(s.book.dress(s.sheet, summaryMark, brand, false, true))
	s.do(s.book.SetColWidth(s.sheet, "A", "A", 2.5))
	s.do(s.book.SetColWidth(s.sheet, columnName(firstColumn), columnName(lastColumn), 13))
	s.do(s.book.SetColWidth(s.sheet, columnName(lastColumn+1), columnName(lastColumn+1), 3))
}

func (s *summarySheet) title() {
	s.height(1, 10)
	s.height(2, 30)
	s.put(2, firstColumn, lastColumn, s.t("title"), excelize.Style{
		Font: font(20, brand, true), Alignment: aligned("left", "center", false),
	})
	subtitle := s.in.Run.FileName + "  ·  " + s.in.Run.Merchant
	if name := s.in.Merchant.Profile.Name; name != "" {
		subtitle += " (" + name + ")"
	}
	s.height(3, 18)
	s.put(3, firstColumn, lastColumn, subtitle, excelize.Style{
		Font: font(11, muted, false), Alignment: aligned("left", "center", false),
	})
	s.height(4, 10)
	s.row = 5
}

// cards are the four counts of rows, which add up.
func (s *summarySheet) cards() {
	for i, c := range []struct {
		key   string
		count int64
		color string
	}{
		{"read", s.sum.Rows.Read, ink},
		{"accepted", s.sum.Rows.Accepted, greenInk},
		{"rejected", s.sum.Rows.Rejected, redInk},
		{"seen", s.sum.Rows.Seen, muted},
	} {
		from := firstColumn + 2*i
		edge := []excelize.Border{{Type: "left", Color: white, Style: 5}}
		s.put(s.row, from, from+1, c.count, excelize.Style{
			Font: font(24, c.color, true), Fill: fill(paper), NumFmt: 3, Border: edge,
			Alignment: &excelize.Alignment{Horizontal: "left", Vertical: "bottom", Indent: 1},
		})
		s.put(s.row+1, from, from+1, s.t(c.key), excelize.Style{
			Font: font(10, muted, false), Fill: fill(paper), Border: edge,
			Alignment: &excelize.Alignment{Horizontal: "left", Vertical: "top", Indent: 1},
		})
	}
	s.height(s.row, 38)
	s.height(s.row+1, 22)
	s.height(s.row+2, 12)
	s.row += 3
}

func (s *summarySheet) facts() {
	none := s.t("none")
	or := func(v string) string {
		if v == "" {
			return none
		}
		return v
	}
	units := func(u UnitSum) string { return s.t("of", "accepted", u.Accepted, "requested", u.Requested) }
	snapshot, fees := "", ""
	if snap := s.in.snapshot(); snap != nil {
		snapshot = s.in.snapshotDate(snap, "2006-01-02 15:04")
	}
	if f := s.sum.Fees; f.Amount != 0 {
		fees = f.Amount.String() + " " + f.Currency
	}
	if n := s.sum.Fees.LinesWithoutFigure; n > 0 {
		fees = or(fees) + " " + s.t("without_figure", "number", n, "why", s.sum.Fees.WhyNoFigure(s.in.Texts))
	}
	finished := ""
	if at := s.sum.finished; !at.IsZero() {
		finished = at.In(s.in.zone()).Format("2006-01-02 15:04 ") + zoneName(at.In(s.in.zone()))
	}
	facts := [][4]string{
		{s.t("orders_accepted"), strconv.FormatInt(s.sum.Orders.Accepted, 10), s.t("finished"), or(finished)},
		{s.t("orders_refused"), strconv.FormatInt(s.sum.Orders.Refused, 10), s.t("snapshot"), or(snapshot)},
		{s.t("sellable"), units(s.sum.Units.Sellable), s.t("acceptance"), or(s.acceptance())},
		{s.t("unsellable"), units(s.sum.Units.Unsellable), s.t("run"), or(s.in.Run.ID)},
		{s.t("fees"), or(fees), s.t("outbound"), or(s.outbound())},
	}
	label := excelize.Style{Font: font(10, muted, false), Border: underline(line), Alignment: padded("left", "center", false)}
	value := excelize.Style{Font: font(10, ink, true), Border: underline(line), Alignment: padded("left", "center", true)}
	for _, f := range facts {
		s.put(s.row, 2, 3, f[0], label)
		s.put(s.row, 4, 5, f[1], value)
		s.put(s.row, 6, 7, f[2], label)
		s.put(s.row, 8, 9, f[3], value)
		s.height(s.row, 20+13*float64(max(lines(f[1], 24), lines(f[3], 24))-1))
		s.row++
	}
	s.height(s.row, 16)
	s.row++
}

func zoneName(at time.Time) string { return at.Format("MST") }

func (s *summarySheet) acceptance() string {
	if s.sum.Acceptance == "" {
		return ""
	}
	return s.t("acceptance_" + s.sum.Acceptance)
}

func (s *summarySheet) outbound() string {
	names := ""
	for i, o := range s.sum.Outbound {
		if i == 3 {
			return names + ", +" + strconv.Itoa(len(s.sum.Outbound)-i)
		}
		if i > 0 {
			names += ", "
		}
		names += o.File
	}
	return names
}

// codes is the table of problems by code with its chart; the most frequent first.
func (s *summarySheet) codes(left int) {
	var counts []codeCount
	for c, n := range s.sum.counts {
		if n > 0 && removal.Code(c).Severity() != removal.SeverityInfo {
			counts = append(counts, codeCount{removal.Code(c), n})
		}
	}
	slices.SortFunc(counts, func(a, b codeCount) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.code.String(), b.code.String()))
	})
	s.put(s.row, firstColumn, lastColumn, s.t("problems"), excelize.Style{
		Font: font(13, brand, true), Alignment: aligned("left", "center", false),
	})
	s.height(s.row, 22)
	s.row++
	if len(counts) == 0 {
		s.put(s.row, firstColumn, lastColumn, s.in.Texts.T("report.problems.none"), excelize.Style{Font: font(10, greenInk, true)})
		return
	}
	for _, h := range []struct {
		from, to int
		key      string
		align    string
	}{{2, 4, "code", "left"}, {5, 7, "meaning", "left"}, {8, 8, "errors", "right"}, {9, 9, "warnings", "right"}} {
		s.put(s.row, h.from, h.to, s.t(h.key), headingStyle(h.align))
	}
	s.height(s.row, 22)
	s.row++
	first := s.row
	for _, c := range counts {
		s.count(c)
	}
	last := min(s.row-1, first+shownCodes-1)
	if left > 0 {
		s.put(s.row+1, firstColumn, lastColumn, s.t("left", "number", left), excelize.Style{
			Font: font(9, muted, false), Alignment: aligned("left", "top", true),
		})
	}
	s.chart(first, last)
}

func (s *summarySheet) count(c codeCount) {
	cell := excelize.Style{Font: font(10, ink, false), Border: underline(line), Alignment: padded("left", "center", true)}
	number := excelize.Style{Border: underline(line), Alignment: padded("right", "center", false), NumFmt: 3}
	column, color := 8, redInk
	if !c.code.IsError() {
		column, color = 9, amberInk
	}
	meaning := s.in.Texts.T("report.code." + c.code.String())
	s.put(s.row, 2, 4, c.code.String(), cell)
	s.put(s.row, 5, 7, meaning, cell)
	number.Font = font(10, muted, false)
	s.put(s.row, 8, 9, nil, number)
	s.do(s.book.UnmergeCell(s.sheet, removal.CellName(8, s.row), removal.CellName(9, s.row)))
	number.Font = font(10, color, true)
	s.put(s.row, column, column, c.count, number)
	s.height(s.row, 19+13*float64(lines(meaning, 38)-1))
	s.row++
}

func (s *summarySheet) chart(first, last int) {
	if s.err != nil {
		return
	}
	quoted := quotedSheet(s.sheet)
	ref := func(col int) string {
		c := columnName(col)
		return fmt.Sprintf("%s!$%s$%d:$%s$%d", quoted, c, first, c, last)
	}
	series := func(col int, color string) excelize.ChartSeries {
		return excelize.ChartSeries{
			Name:       fmt.Sprintf("%s!$%s$%d", quoted, columnName(col), first-1),
			Categories: ref(2), Values: ref(col), Fill: fill(color),
			DataLabelPosition: excelize.ChartDataLabelsPositionInsideEnd,
		}
	}
	gap, overlap := uint(45), 100
	small := excelize.Font{Family: fontName, Size: 9, Color: ink}
	s.do(s.book.AddChart(s.sheet, removal.CellName(chartColumn, 5), &excelize.Chart{
		Type:      excelize.BarStacked,
		Series:    []excelize.ChartSeries{series(8, "D1584D"), series(9, "E9AD45")},
		Dimension: excelize.ChartDimension{Width: 620, Height: uint(min(150+28*(last-first+1), 1100))},
		Title: excelize.ChartTitle{Paragraph: []excelize.RichTextRun{
			{Text: s.t("problems"), Font: &excelize.Font{Family: fontName, Size: 13, Bold: true, Color: brand}},
		}},
		Legend:   excelize.ChartLegend{Position: "bottom", Font: &small},
		XAxis:    excelize.ChartAxis{ReverseOrder: true, Font: small},
		YAxis:    excelize.ChartAxis{None: true},
		Border:   excelize.LineOptions{Type: excelize.LineNone},
		PlotArea: excelize.ChartPlotArea{ShowVal: true},
		GapWidth: &gap, Overlap: &overlap,
	}))
}
