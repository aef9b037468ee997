package report

import (
	"strings"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

// By these names of the sheets' code an annotated workbook is known again.
const (
	problemsMark = "RensaProblems"
	summaryMark  = "RensaSummary"
)

// problemRows is how many problems a sheet can hold; shownValue how much of a
// value is shown: errors.csv has all of both.
const (
	problemRows = 1_000_000
	shownValue  = 250
)

// problemSheet is the sheet Problems: a line for each error and warning.
type problemSheet struct {
	in     *Input
	book   *book
	sheet  string
	target string // the sheet that links lead to
	w      *excelize.StreamWriter
	rows   int
	left   int // problems that found no room
	styles struct {
		text, number, link, wrap, severity [2]int
	}
	cells []any
}

var problemColumns = []struct {
	key   string
	width float64
}{
	{"row", 8}, {"cell", 9}, {"severity", 11}, {"code", 27}, {"value", 24},
	{"message", 52}, {"hint", 62}, {"order", 24}, {"sku", 24},
}

func newProblemSheet(in *Input, b *book, target string) (*problemSheet, error) {
	p := &problemSheet{in: in, book: b, sheet: b.freeName("Problems"), target: target}
	if _, err := b.NewSheet(p.sheet); err != nil {
		return nil, err
	}
	if err := b.dress(p.sheet, problemsMark, redInk, false, false); err != nil {
		return nil, err
	}
	var err error
	if p.w, err = b.NewStreamWriter(p.sheet); err != nil {
		return nil, err
	}
	if err := p.makeStyles(); err != nil {
		return nil, err
	}
	return p, p.begin()
}

func (p *problemSheet) makeStyles() (err error) {
	style := func(color string, bold bool, horizontal string, wrap bool, fillColor string) int {
		s := excelize.Style{
			Font: font(10, color, bold), Border: underline(line),
			Alignment: padded(horizontal, "center", wrap), NumFmt: textFormat,
		}
		if fillColor != "" {
			s.Fill = fill(fillColor)
		}
		if horizontal == "right" {
			s.NumFmt = 1
		}
		id, e := p.book.style(s)
		if e != nil {
			err = e
		}
		return id
	}
	for i := range 2 {
		p.styles.text[i] = style(ink, false, "left", false, "")
		p.styles.number[i] = style(muted, false, "right", false, "")
		p.styles.link[i] = style("0B5CAD", false, "left", false, "")
		p.styles.wrap[i] = style(ink, false, "left", true, "")
	}
	p.styles.severity = [2]int{
		style(redInk, true, "left", false, redFill), style(amberInk, true, "left", false, amberFill),
	}
	return err
}

func (p *problemSheet) begin() error {
	for i, c := range problemColumns {
		if err := p.w.SetColWidth(i+1, i+1, c.width); err != nil {
			return err
		}
	}
	err := p.w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
	if err != nil {
		return err
	}
	left, err := p.book.style(headingStyle("left"))
	if err != nil {
		return err
	}
	right, err := p.book.style(headingStyle("right"))
	if err != nil {
		return err
	}
	for i, c := range problemColumns {
		style := left
		if i == 0 {
			style = right
		}
		p.cells = append(p.cells, excelize.Cell{StyleID: style, Value: p.in.Texts.T("report.problems." + c.key)})
	}
	p.rows = 1
	return p.w.SetRow("A1", p.cells, excelize.RowOpts{Height: 24})
}

// add lists a problem. name is its cell as the user knows it, link the cell of
// this workbook that it leads to, "" for none.
func (p *problemSheet) add(problem *removal.Problem, s said, name, link string) error {
	if p.rows > problemRows {
		p.left++
		return nil
	}
	p.rows++
	i := int(problem.Code.Severity())
	row, place := excelize.Cell{StyleID: p.styles.number[i]}, excelize.Cell{StyleID: p.styles.text[i], Value: name}
	if problem.Row > 0 {
		row.Value = problem.Row
	}
	if link != "" {
		place.StyleID = p.styles.link[i]
		place.Formula = `HYPERLINK("#` + formulaText(quotedSheet(p.target)) + "!" + link + `","` + formulaText(name) + `")`
	}
	text := func(v string) any { return excelize.Cell{StyleID: p.styles.text[i], Value: v} }
	wrap := func(v string) any { return excelize.Cell{StyleID: p.styles.wrap[i], Value: cut(v, cellRunes)} }
	p.cells = append(p.cells[:0], row, place,
		excelize.Cell{StyleID: p.styles.severity[i], Value: p.in.Texts.T("report.severity." + problem.Code.Severity().String())},
		text(problem.Code.String()), wrap(cut(problem.Value, shownValue)), wrap(s.message), wrap(s.hint),
		text(problem.OrderID), text(problem.SKU))
	height := lineHeight * float64(max(1,
		lines(s.message, problemColumns[5].width), lines(s.hint, problemColumns[6].width),
		lines(cut(problem.Value, shownValue), problemColumns[4].width)))
	return p.w.SetRow(removal.CellName(1, p.rows), p.cells, excelize.RowOpts{Height: min(height+4, 400)})
}

// lineHeight is that of a line of 10 points.
const lineHeight = 13

// lines estimates how many lines a text takes in a column of this width. Rows
// get a height of their own since not every program finds one by itself.
func lines(s string, width float64) int {
	n := 0
	for part := range strings.SplitSeq(s, "\n") {
		column, limit := 0, int(width*1.3)
		n++
		for word := range strings.SplitSeq(part, " ") {
			size := len([]rune(word))
			if column > 0 && column+1+size > limit {
				n++
				column = 0
			}
			for size > limit {
				n++
				size -= limit
			}
			column += size + 1
		}
	}
	return n
}

func formulaText(s string) string { return strings.ReplaceAll(s, `"`, `""`) }

func (p *problemSheet) finish() error {
	if p.rows == 1 {
		style, err := p.book.style(excelize.Style{Font: font(10, greenInk, true), Alignment: aligned("left", "center", false)})
		if err != nil {
			return err
		}
		none := []any{excelize.Cell{StyleID: style, Value: p.in.Texts.T("report.problems.none")}}
		if err := p.w.SetRow("A2", none, excelize.RowOpts{Height: 22}); err != nil {
			return err
		}
		return p.w.Flush()
	}
	last := removal.CellName(len(problemColumns), p.rows)
	if err := p.book.AutoFilter(p.sheet, "A1:"+last, nil); err != nil {
		return err
	}
	return p.w.Flush()
}
