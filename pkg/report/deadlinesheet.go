package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
	"rensa/templates"
)

// deadlineColumns are the columns of the sheet, with the width that their values
// need.
var deadlineColumns = []struct {
	key   string
	width float64
	right bool
}{
	{"deadline", 13, true}, {"days_left", 10, true}, {"sku", 22, false}, {"fnsku", 14, false}, {"product", 38, false},
	{"condition", 14, false}, {"units", 10, true}, {"reason", 16, false}, {"since", 13, true},
	{"notices", 30, false}, {"covered", 10, true}, {"covered_by", 24, false}, {"fee", 13, true}, {"currency", 11, false},
}

// The columns with sums, counted from 0.
const (
	deadlineUnits   = 6
	deadlineCovered = 10
	deadlineFee     = 12
)

// deadlineRow is where the headings stand, under a title and a line of facts.
const deadlineRow = 4

// soonDays is how many days before its deadline a row is marked.
const soonDays = 7

// deadlineSheet is the list as a workbook.
type deadlineSheet struct {
	d      *Deadlines
	texts  *templates.Texts
	book   *book
	sheet  string
	w      *excelize.StreamWriter
	row    int
	left   int // rows that found no room
	styles [3]deadlineStyles
	cells  []any
	units  int64
	cover  int64
	fee    removal.Amount
}

type deadlineStyles struct{ text, key, number, date, money int }

// XLSX writes the list as a workbook for people: what is due within a week in
// amber, what is past its deadline in red, the sums at the end. The same holds
// give the same bytes.
func (d *Deadlines) XLSX(w io.Writer) error {
	s := &deadlineSheet{d: d, texts: templates.Load(d.Language), book: newBook(), row: deadlineRow}
	err := s.write()
	if err == nil {
		err = s.book.save(w)
	}
	if e := s.book.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("disposal deadlines: %w", err)
	}
	return nil
}

func (s *deadlineSheet) t(key string, args ...any) string {
	return s.texts.T("report.deadlines."+key, args...)
}

func (s *deadlineSheet) write() (err error) {
	s.sheet = sheetTitle(s.t("title"), "Deadlines")
	if err := s.book.SetSheetName("Sheet1", s.sheet); err != nil {
		return err
	}
	if err := s.book.dress(s.sheet, "", brand, false, false); err != nil {
		return err
	}
	if err := s.book.describe(s.t("title"), s.d.Date); err != nil {
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
	for i := range s.d.Rows {
		if err := s.line(&s.d.Rows[i]); err != nil {
			return err
		}
	}
	return s.end()
}

func (s *deadlineSheet) makeStyles() (err error) {
	day, money := "yyyy-mm-dd", "#,##0.00"
	for i, color := range [...]string{"", amberFill, redFill} {
		base := excelize.Style{Font: font(10, ink, false), Border: underline(line)}
		if color != "" {
			base.Fill = fill(color)
		}
		style := func(horizontal string, bold bool, format int, custom *string) int {
			c := base
			c.Font, c.Alignment, c.NumFmt, c.CustomNumFmt = font(10, ink, bold), padded(horizontal, "center", false), format, custom
			id, e := s.book.style(c)
			if e != nil {
				err = e
			}
			return id
		}
		s.styles[i] = deadlineStyles{
			text: style("left", false, textFormat, nil), key: style("left", true, textFormat, nil),
			number: style("right", false, 1, nil), date: style("right", true, 0, &day), money: style("right", false, 0, &money),
		}
	}
	return err
}

// head writes title, facts and headings.
func (s *deadlineSheet) head() error {
	for i, c := range deadlineColumns {
		if err := s.w.SetColWidth(i+1, i+1, c.width); err != nil {
			return err
		}
	}
	err := s.w.SetPanes(&excelize.Panes{
		Freeze: true, XSplit: 3, YSplit: deadlineRow, TopLeftCell: removal.CellName(4, deadlineRow+1), ActivePane: "bottomRight",
	})
	if err != nil {
		return err
	}
	style := func(of excelize.Style) int {
		id, e := s.book.style(of)
		if e != nil {
			err = e
		}
		return id
	}
	title := style(excelize.Style{Font: font(16, brand, true), Alignment: aligned("left", "center", false)})
	small := style(excelize.Style{Font: font(10, muted, false), Alignment: aligned("left", "center", false)})
	left, right := style(headingStyle("left")), style(headingStyle("right"))
	if err != nil {
		return err
	}
	for _, c := range deadlineColumns {
		heading := excelize.Cell{StyleID: left, Value: s.t(c.key)}
		if c.right {
			heading.StyleID = right
		}
		s.cells = append(s.cells, heading)
	}
	for _, row := range []struct {
		at     string
		cells  []any
		height float64
	}{
		{"A1", []any{excelize.Cell{StyleID: title, Value: s.t("title")}}, 30},
		{"A2", []any{excelize.Cell{StyleID: small, Value: s.t("facts", "date", s.d.Date.Format(time.DateOnly))}}, 18},
		{removal.CellName(1, deadlineRow), s.cells, 32},
	} {
		if err := s.w.SetRow(row.at, row.cells, excelize.RowOpts{Height: row.height}); err != nil {
			return err
		}
	}
	return nil
}

// line writes one hold; past the end of the sheet they are only counted.
func (s *deadlineSheet) line(r *Deadline) error {
	s.units, s.cover, s.fee = s.units+r.Units, s.cover+r.Covered, s.fee+r.Fee
	if s.row+3 > sheetRows {
		s.left++
		return nil
	}
	s.row++
	st := &s.styles[0]
	switch {
	case r.Units > 0 && r.DaysLeft < 0:
		st = &s.styles[2]
	case r.Units > 0 && r.DaysLeft <= soonDays:
		st = &s.styles[1]
	}
	text := func(v string) any { return excelize.Cell{StyleID: st.text, Value: cut(v, cellRunes)} }
	count := func(n int64) any { return excelize.Cell{StyleID: st.number, Value: n} }
	fee, currency := excelize.Cell{StyleID: st.money}, s.d.Currency
	if r.HasFee {
		fee.Value = float64(r.Fee) / 10000
	} else if currency = ""; r.NoFeeReason != "" {
		currency = s.texts.T("word.nofee." + r.NoFeeReason)
	}
	s.cells = append(s.cells[:0], excelize.Cell{StyleID: st.date, Value: r.Deadline}, count(int64(r.DaysLeft)),
		excelize.Cell{StyleID: st.key, Value: r.SKU}, text(r.FNSKU), text(r.Title), text(s.texts.T("word.condition."+r.Condition)),
		count(r.Units), text(s.texts.T("word.hold."+string(r.Reason))), excelize.Cell{StyleID: st.date, Value: r.Since},
		text(s.notices(r)), count(r.Covered), text(strings.Join(r.CoveredBy, " ")), fee, text(currency))
	return s.w.SetRow(removal.CellName(1, s.row), s.cells)
}

// notices says which notices went, and when.
func (s *deadlineSheet) notices(r *Deadline) string {
	var all []string
	for i := range r.Steps {
		step := &r.Steps[i]
		name := s.t("step_days", "days", step.Step)
		if step.Step == removal.StepOpening {
			name = s.t("step_opening")
		}
		all = append(all, name+" "+step.Day.Format(time.DateOnly))
	}
	return strings.Join(all, ", ")
}

// end writes the sums, under a filter that leaves them out.
func (s *deadlineSheet) end() error {
	if s.row == deadlineRow {
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
	money := "#,##0.00"
	total.NumFmt, total.CustomNumFmt = 0, &money
	moneyStyle, err := s.book.style(total)
	if err != nil {
		return err
	}
	total.Alignment, total.NumFmt, total.CustomNumFmt = padded("left", "center", false), textFormat, nil
	name, err := s.book.style(total)
	if err != nil {
		return err
	}
	left := ""
	if s.left > 0 {
		left = number(int64(s.left))
	}
	s.cells = s.cells[:0]
	for range deadlineColumns {
		s.cells = append(s.cells, excelize.Cell{StyleID: style})
	}
	s.cells[0] = excelize.Cell{StyleID: name, Value: s.t("sum", "left", left)}
	s.cells[deadlineUnits] = excelize.Cell{StyleID: style, Value: s.units}
	s.cells[deadlineCovered] = excelize.Cell{StyleID: style, Value: s.cover}
	s.cells[deadlineFee] = excelize.Cell{StyleID: moneyStyle, Value: float64(s.fee) / 10000}
	s.cells[deadlineFee+1] = excelize.Cell{StyleID: name, Value: s.d.Currency}
	if err := s.w.SetRow(removal.CellName(1, s.row+1), s.cells, excelize.RowOpts{Height: 22}); err != nil {
		return err
	}
	last := removal.CellName(len(deadlineColumns), s.row)
	if err := s.book.AutoFilter(s.sheet, removal.CellName(1, deadlineRow)+":"+last, nil); err != nil {
		return err
	}
	return s.w.Flush()
}
