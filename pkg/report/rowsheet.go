package report

import (
	"strings"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

// rowsSheet is the copy of a text file: its rows under the same numbers, so that
// C14 is C14; or, of a very long file, only the rows with problems under one
// another, with their numbers beside them.
type rowsSheet struct {
	in      *Input
	book    *book
	sheet   string
	w       *excelize.StreamWriter
	begun   bool
	only    bool // only rows with problems
	next    int  // the row to be written next, where only
	marked  []mark
	notes   []excelize.Comment
	columns []removal.Field
	styles  rowStyles
	cells   []any
}

// rowStyles are those of a cell by what is in it and what is wrong with it.
type rowStyles struct {
	heading, key, number       int
	badHeading                 [2]int // by severity
	badText, badNumber, badKey [2]int
}

func newRowsSheet(in *Input) (*book, *rowsSheet, error) {
	b := newBook()
	r := &rowsSheet{in: in, book: b, only: in.Run.Read > wholeRows}
	r.sheet = sheetTitle(in.Run.FileName, "Upload", "Problems", "Summary")
	if err := b.SetSheetName("Sheet1", r.sheet); err != nil {
		return b, nil, err
	}
	err := b.dress(r.sheet, "", brand, true, false)
	if err != nil {
		return b, nil, err
	}
	if r.w, err = b.NewStreamWriter(r.sheet); err != nil {
		return b, nil, err
	}
	if err := r.makeStyles(); err != nil {
		return b, nil, err
	}
	return b, r, r.layout()
}

func (r *rowsSheet) makeStyles() error {
	base := font(10, ink, false)
	bad := [2]string{redFill, amberFill}
	var err error
	style := func(s excelize.Style) int {
		id, e := r.book.style(s)
		if e != nil {
			err = e
		}
		return id
	}
	text := excelize.Style{Font: base, NumFmt: textFormat}
	number := excelize.Style{Font: base, NumFmt: 1}
	key := excelize.Style{Font: font(10, ink, true), NumFmt: textFormat}
	heading := headingStyle("left")
	heading.Alignment = aligned("left", "center", false)
	r.styles.heading = style(heading)
	r.styles.key, r.styles.number = style(key), style(number)
	for i, color := range bad {
		h := heading
		h.Fill, h.Font = fill(color), font(10, ink, true)
		r.styles.badHeading[i] = style(h)
		text.Fill, number.Fill, key.Fill = fill(color), fill(color), fill(color)
		r.styles.badText[i], r.styles.badNumber[i], r.styles.badKey[i] = style(text), style(number), style(key)
	}
	return err
}

// width is what a field's values usually need.
func width(f removal.Field) float64 {
	switch f {
	case removal.FieldOrderID, removal.FieldSKU, removal.FieldName, removal.FieldLine1:
		return 24
	case removal.FieldLine2, removal.FieldLine3, removal.FieldNotes, removal.FieldCity, removal.FieldPhone:
		return 18
	}
	return 13
}

// layout says what each column is, before the first row as the format wants it.
func (r *rowsSheet) layout() error {
	columns := max(len(r.in.Headings), 1)
	for _, c := range r.in.FieldColumns {
		columns = max(columns, c)
	}
	for _, l := range r.in.Lead {
		columns = max(columns, min(len(l.Cells), 40))
	}
	r.columns = make([]removal.Field, columns)
	for i := range r.columns {
		r.columns[i] = removal.FieldNone
	}
	for f, c := range r.in.FieldColumns {
		if c > 0 && r.itemColumn(removal.Field(f)) {
			r.columns[c-1] = removal.Field(f)
		}
	}
	text, err := r.book.style(excelize.Style{Font: font(10, ink, false), NumFmt: textFormat})
	if err != nil {
		return err
	}
	if r.only {
		if err := r.w.SetColWidth(1, 1, 10); err != nil {
			return err
		}
	}
	for i, f := range r.columns {
		w := width(f)
		if i < len(r.in.Headings) {
			w = max(w, min(float64(len(r.in.Headings[i]))*1.15+3, 34))
		}
		col := i + 1 + r.shift()
		if err := r.w.SetColWidth(col, col, w); err != nil {
			return err
		}
		if err := r.w.SetColStyle(col, col, text); err != nil {
			return err
		}
	}
	heading := r.heading()
	if r.only {
		heading = 1
	}
	r.next = heading + 1
	err = r.w.SetPanes(&excelize.Panes{
		Freeze: true, YSplit: heading, TopLeftCell: removal.CellName(1, heading+1), ActivePane: "bottomLeft",
	})
	if err != nil {
		return err
	}
	last := removal.CellName(columns+r.shift(), heading)
	return r.book.AutoFilter(r.sheet, removal.CellName(1, heading)+":"+last, nil)
}

// itemColumn tells whether the field's column is one of the item table: in
// layout B the order's values stand above it.
func (r *rowsSheet) itemColumn(f removal.Field) bool {
	return r.in.Run.Layout != "B" || !f.OfOrder()
}

func (r *rowsSheet) heading() int { return max(r.in.Run.Heading, 1) }

func (r *rowsSheet) shift() int {
	if r.only {
		return 1
	}
	return 0
}

func (r *rowsSheet) name() string { return r.sheet }

func (r *rowsSheet) place(row, col int) string {
	if r.only {
		if row <= r.heading() {
			row = 1
		} else {
			row = r.next
		}
	}
	if row >= sheetRows {
		return ""
	}
	return removal.CellName(col+r.shift(), row)
}

func (r *rowsSheet) above(marks []mark) { r.marked = append(r.marked, marks...) }

// begin writes what stands above the items.
func (r *rowsSheet) begin() error {
	r.begun = true
	lead := r.in.Lead
	if len(lead) == 0 {
		lead = []Lead{{Number: r.heading(), Cells: r.in.Headings}}
	}
	if r.only {
		cells := append([]string{r.in.Texts.T("report.problems.row")}, r.in.Headings...)
		lead = []Lead{{Number: 1, Cells: cells}}
	}
	for _, l := range lead {
		isHeading := l.Number == r.heading() || r.only
		r.cells = r.cells[:0]
		for i, v := range l.Cells {
			style := 0
			switch {
			case isHeading:
				style = r.styles.heading
			case i == 0:
				style = r.styles.key
			}
			cell := excelize.Cell{StyleID: style, Value: cut(v, cellRunes)}
			for _, m := range r.marked {
				if m.col+r.shift() == i+1 && (m.row == l.Number || r.only && m.row == r.heading()) {
					cell.StyleID = r.badLead(isHeading, i, m)
					r.note(removal.CellName(i+1, l.Number), m)
				}
			}
			r.cells = append(r.cells, cell)
		}
		opts := []excelize.RowOpts{}
		if isHeading {
			opts = append(opts, excelize.RowOpts{Height: 24})
		}
		if err := r.w.SetRow(removal.CellName(1, l.Number), r.cells, opts...); err != nil {
			return err
		}
	}
	return nil
}

func (r *rowsSheet) badLead(isHeading bool, col int, m mark) int {
	switch {
	case isHeading:
		return r.styles.badHeading[m.severity]
	case col == 0:
		return r.styles.badKey[m.severity]
	}
	return r.styles.badText[m.severity]
}

func (r *rowsSheet) row(e *entry, marks []mark) error {
	if !r.begun {
		if err := r.begin(); err != nil {
			return err
		}
	}
	if r.only && len(marks) == 0 {
		return nil
	}
	number := e.Row.Row.Number
	r.cells = r.cells[:0]
	if r.only {
		number = r.next
		r.cells = append(r.cells, excelize.Cell{StyleID: r.styles.number, Value: e.Row.Row.Number})
	}
	if number >= sheetRows {
		return nil
	}
	count := len(r.columns)
	if e.Cells != nil {
		count = len(e.Cells)
	}
	for _, m := range marks {
		count = max(count, m.col)
	}
	for i := range count {
		r.cells = append(r.cells, r.cell(r.value(e, i), i, marks))
	}
	for _, m := range marks {
		r.note(removal.CellName(m.col+r.shift(), number), m)
	}
	if err := r.w.SetRow(removal.CellName(1, number), r.cells); err != nil {
		return err
	}
	r.next = number + 1
	return nil
}

// value is that of a column of the input, from 0.
func (r *rowsSheet) value(e *entry, col int) []byte {
	if e.Cells == nil {
		if col < len(r.columns) && r.columns[col] != removal.FieldNone {
			return e.Row.Row.Value(r.columns[col])
		}
		return nil
	}
	if col >= len(e.Cells) {
		return nil
	}
	data := e.Data
	if data == nil {
		data = e.Row.Row.Data
	}
	return data[e.Cells[col].Off : e.Cells[col].Off+e.Cells[col].Len]
}

// cell is typed: a quantity in digits is a number, all else is text.
func (r *rowsSheet) cell(v []byte, col int, marks []mark) any {
	bad := -1
	for _, m := range marks {
		if m.col == col+1 {
			bad = int(m.severity)
		}
	}
	f := removal.FieldNone
	if col < len(r.columns) {
		f = r.columns[col]
	}
	if n, ok := digits(v); ok && (f == removal.FieldSellable || f == removal.FieldUnsellable) {
		style := r.styles.number
		if bad >= 0 {
			style = r.styles.badNumber[bad]
		}
		return excelize.Cell{StyleID: style, Value: n}
	}
	switch {
	case bad >= 0:
		return excelize.Cell{StyleID: r.styles.badText[bad], Value: cut(string(v), cellRunes)}
	case len(v) == 0:
		return nil
	}
	return cut(string(v), cellRunes)
}

// digits reads a number that a spreadsheet shows as it is written.
func digits(v []byte) (n int, ok bool) {
	if len(v) == 0 || len(v) > 9 || (v[0] == '0' && len(v) > 1) {
		return 0, false
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func (r *rowsSheet) note(cell string, m mark) {
	if len(r.notes) < maxComments {
		r.notes = append(r.notes, comment(cell, m))
	}
}

func (r *rowsSheet) finish() error {
	if !r.begun {
		if err := r.begin(); err != nil {
			return err
		}
	}
	for _, c := range r.notes {
		if err := r.book.AddComment(r.sheet, c); err != nil {
			return err
		}
	}
	return r.w.Flush()
}

// quotedSheet is a sheet's name as formulas have it.
func quotedSheet(name string) string { return "'" + strings.ReplaceAll(name, "'", "''") + "'" }
