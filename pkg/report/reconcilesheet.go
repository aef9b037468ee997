package report

import (
	"fmt"
	"io"
	"iter"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

// soon is how many days before the end of a claim its line is drawn in red.
const soon = 14

// reconciliationColumns are the columns of the sheet, with the width that their
// values need.
var reconciliationColumns = []struct {
	key   string
	width float64
	right bool
}{
	{"order", 24, false}, {"state", 13, false}, {"method", 11, false}, {"requested_on", 13, true}, {"updated_on", 13, true},
	{"sku", 22, false}, {"fnsku", 15, false}, {"condition", 14, false},
	{"requested", 11, true}, {"cancelled", 11, true}, {"disposed", 11, true}, {"shipped", 11, true}, {"in_process", 11, true},
	{"in_parcels", 11, true}, {"missing", 11, true}, {"claim_until", 14, true}, {"claim_days", 11, true},
}

// reconciliationRow is where the headings stand, under a title and a line of facts.
const reconciliationRow = 4

// reconciliationSheet is the report as a workbook.
type reconciliationSheet struct {
	r      *Reconciliation
	book   *book
	sheet  string
	w      *excelize.StreamWriter
	row    int
	left   int // lines that found no room
	sum    sum
	styles [3]reconciliationStyles // plain, missing, missing and soon too late
	cells  []any
}

type reconciliationStyles struct{ text, key, number, date, strong int }

// XLSX writes the report as a workbook for people: lines with missing units are
// coloured, those whose claim ends within 14 days in red, and the sums stand at
// the end. The same orders give the same bytes.
func (r *Reconciliation) XLSX(w io.Writer, orders iter.Seq2[OrderRecord, error]) error {
	s := &reconciliationSheet{r: r, book: newBook(), row: reconciliationRow}
	err := s.write(orders)
	if err == nil {
		err = s.book.save(w)
	}
	if e := s.book.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("reconciliation: %w", err)
	}
	return nil
}

func (s *reconciliationSheet) write(orders iter.Seq2[OrderRecord, error]) (err error) {
	s.sheet = sheetTitle(s.t("title"), "Reconciliation")
	if err := s.book.SetSheetName("Sheet1", s.sheet); err != nil {
		return err
	}
	if err := s.book.dress(s.sheet, "", brand, false, false); err != nil {
		return err
	}
	if err := s.book.describe(s.t("title"), s.r.Now); err != nil {
		return err
	}
	if err := s.makeStyles(); err != nil {
		return err
	}
	if s.w, err = s.book.NewStreamWriter(s.sheet); err != nil {
		return err
	}
	if err := s.head(); err != nil {
		return err
	}
	for c, err := range s.r.lines(orders) {
		if err != nil {
			return err
		}
		if err := s.line(c); err != nil {
			return err
		}
	}
	return s.end()
}

func (s *reconciliationSheet) t(key string, args ...any) string {
	return s.r.Texts.T("report.reconciliation."+key, args...)
}

func (s *reconciliationSheet) makeStyles() (err error) {
	add := func(style excelize.Style) int {
		id, e := s.book.style(style)
		if e != nil {
			err = e
		}
		return id
	}
	day := "yyyy-mm-dd"
	for i, color := range [...]string{"", amberFill, redFill} {
		base := excelize.Style{Font: font(10, ink, false), Border: underline(line)}
		if color != "" {
			base.Fill = fill(color)
		}
		style := func(horizontal string, bold bool, format int, custom *string) int {
			c := base
			c.Font, c.Alignment, c.NumFmt, c.CustomNumFmt = font(10, ink, bold), padded(horizontal, "center", false), format, custom
			return add(c)
		}
		s.styles[i] = reconciliationStyles{
			text: style("left", false, textFormat, nil), key: style("left", true, textFormat, nil),
			number: style("right", false, 1, nil), date: style("right", false, 0, &day), strong: style("right", true, 1, nil),
		}
	}
	return err
}

// head writes title, facts and headings.
func (s *reconciliationSheet) head() error {
	for i, c := range reconciliationColumns {
		if err := s.w.SetColWidth(i+1, i+1, c.width); err != nil {
			return err
		}
	}
	err := s.w.SetPanes(&excelize.Panes{
		Freeze: true, XSplit: 1, YSplit: reconciliationRow, TopLeftCell: removal.CellName(2, reconciliationRow+1), ActivePane: "bottomRight",
	})
	if err != nil {
		return err
	}
	style := func(size float64, color string, bold bool) int {
		id, e := s.book.style(excelize.Style{Font: font(size, color, bold), Alignment: aligned("left", "center", false)})
		if e != nil {
			err = e
		}
		return id
	}
	big, small := style(16, brand, true), style(10, muted, false)
	left, e1 := s.book.style(headingStyle("left"))
	right, e2 := s.book.style(headingStyle("right"))
	for _, e := range []error{err, e1, e2} {
		if e != nil {
			return e
		}
	}
	for _, c := range reconciliationColumns {
		heading := excelize.Cell{StyleID: left, Value: s.t(c.key)}
		if c.right {
			heading.StyleID = right
		}
		s.cells = append(s.cells, heading)
	}
	told := ""
	if !s.r.Told.IsZero() {
		told = s.r.Told.In(s.r.Zone).Format("2006-01-02 15:04")
	}
	facts := s.t("facts", "made", s.r.Now.In(s.r.Zone).Format("2006-01-02 15:04"), "days", s.r.ClaimDays, "told", told)
	for _, row := range []struct {
		at     string
		cells  []any
		height float64
	}{
		{"A1", []any{excelize.Cell{StyleID: big, Value: s.t("title")}}, 30},
		{"A2", []any{excelize.Cell{StyleID: small, Value: facts}}, 18},
		{removal.CellName(1, reconciliationRow), s.cells, 32},
	} {
		if err := s.w.SetRow(row.at, row.cells, excelize.RowOpts{Height: row.height}); err != nil {
			return err
		}
	}
	return nil
}

// line writes one line; past the end of the sheet they are only counted.
func (s *reconciliationSheet) line(c *reconciled) error {
	s.sum.add(c)
	if s.row+3 > sheetRows {
		s.left++
		return nil
	}
	s.row++
	st := &s.styles[0]
	switch {
	case !c.until.IsZero() && c.days <= soon:
		st = &s.styles[2]
	case !c.until.IsZero():
		st = &s.styles[1]
	}
	text := func(v string) any { return excelize.Cell{StyleID: st.text, Value: v} }
	s.cells = append(s.cells[:0], excelize.Cell{StyleID: st.key, Value: c.Order.ID},
		text(s.r.stateText(c.Order.State)), text(s.r.Texts.T("word.method."+c.Order.Method.String())),
		excelize.Cell{StyleID: st.date, Value: s.r.day(c.requested())}, excelize.Cell{StyleID: st.date, Value: s.r.day(c.updated)},
		text(c.line.SKU), text(c.line.FNSKU), text(s.r.conditionText(c.condition)))
	for _, n := range c.figures() {
		s.cells = append(s.cells, excelize.Cell{StyleID: st.number, Value: n})
	}
	missing, until, days := excelize.Cell{StyleID: st.strong}, excelize.Cell{StyleID: st.date}, excelize.Cell{StyleID: st.number}
	if c.told {
		missing.Value = c.missing
	}
	if !c.until.IsZero() {
		until.Value, days.Value = c.until, c.days
	}
	s.cells = append(s.cells, missing, until, days)
	return s.w.SetRow(removal.CellName(1, s.row), s.cells)
}

// end writes the sums, under a filter that leaves them out.
func (s *reconciliationSheet) end() error {
	columns := len(reconciliationColumns)
	if s.row == reconciliationRow {
		style, err := s.book.style(excelize.Style{Font: font(10, greenInk, true), Alignment: aligned("left", "center", false)})
		if err != nil {
			return err
		}
		none := []any{excelize.Cell{StyleID: style, Value: s.t("none")}}
		if err := s.w.SetRow(removal.CellName(1, s.row+1), none); err != nil {
			return err
		}
		return s.w.Flush()
	}
	total := excelize.Style{Font: font(10, brand, true), Fill: fill(brandSoft), Alignment: padded("right", "center", false), NumFmt: 1}
	style, err := s.book.style(total)
	if err != nil {
		return err
	}
	total.Alignment, total.NumFmt = padded("left", "center", false), textFormat
	name, err := s.book.style(total)
	if err != nil {
		return err
	}
	left := ""
	if s.left > 0 {
		left = number(int64(s.left))
	}
	s.cells = s.cells[:0]
	for range columns {
		s.cells = append(s.cells, excelize.Cell{StyleID: style})
	}
	s.cells[0] = excelize.Cell{StyleID: name, Value: s.t("sum", "left", left)}
	for i, n := range append(s.sum.figures[:], s.sum.missing) {
		s.cells[8+i] = excelize.Cell{StyleID: style, Value: n}
	}
	if err := s.w.SetRow(removal.CellName(1, s.row+1), s.cells, excelize.RowOpts{Height: 22}); err != nil {
		return err
	}
	last := removal.CellName(columns, s.row)
	if err := s.book.AutoFilter(s.sheet, removal.CellName(1, reconciliationRow)+":"+last, nil); err != nil {
		return err
	}
	return s.w.Flush()
}
