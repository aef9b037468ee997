package report

import (
	"errors"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

const (
	// maxComments is how many marked cells get a comment: writing them takes
	// more than linear time, and nobody reads more.
	maxComments = 2_000
	// wholeRows is up to how many rows the annotated copy shows every row.
	wholeRows = 100_000
	// author signs the comments, so that those of an earlier report are known.
	author = "Rensa"
)

// annotated writes annotated.xlsx: the input as a workbook with its bad cells
// marked, a sheet with all problems and one with the counts.
type annotated struct {
	in       *Input
	sum      *Summary
	texts    *renderer
	open     func() (io.Writer, error)
	book     *book
	copy     sheetCopy
	problems *problemSheet
	marks    []mark // of the row at hand
	// guard runs what works on the book.
	guard func(work func() error) error
}

// sheetCopy is the sheet with the input's rows: the original one, or one that is
// made of the rows of a text file.
type sheetCopy interface {
	name() string
	// place names the cell of the copy where a cell of the input stands, on a
	// row above the items or on the one to come; "": nowhere.
	place(row, col int) string
	// row takes the next row with the marks on it.
	row(e *entry, marks []mark) error
	// above takes marks that stand outside the item rows, such as on a heading.
	above(marks []mark)
	finish() error
}

// mark is one cell to be coloured, with what is wrong there.
type mark struct {
	row, col int // in the input
	severity removal.Severity
	said     []said
}

func newAnnotated(in *Input, sum *Summary, texts *renderer, open func() (io.Writer, error)) (*annotated, error) {
	a := &annotated{in: in, sum: sum, texts: texts, open: open, guard: func(work func() error) error { return work() }}
	if err := a.begin(); err != nil {
		return nil, errors.Join(err, a.release())
	}
	return a, nil
}

// ErrOriginal says that a workbook can be read but not be given back with marks
// in it. The reports can be made all the same, with Input.Original left out.
var ErrOriginal = errors.New("the workbook cannot be annotated")

// annotate runs what works on the workbook as it was dropped. Whatever is odd in
// it must not stop the answer to its rows.
func annotate(work func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrOriginal, r)
		}
	}()
	if err := work(); err != nil {
		return fmt.Errorf("%w: %w", ErrOriginal, err)
	}
	return nil
}

func (a *annotated) begin() error {
	if a.in.Original == nil || a.in.Run.Read > wholeRows {
		book, rows, err := newRowsSheet(a.in)
		if err != nil {
			return err
		}
		a.book, a.copy = book, rows
		return a.prepare()
	}
	a.guard = annotate
	return a.guard(func() (err error) {
		if a.book, a.copy, err = openOriginal(a.in); err != nil {
			return err
		}
		return a.prepare()
	})
}

func (a *annotated) prepare() (err error) {
	if a.problems, err = newProblemSheet(a.in, a.book, a.copy.name()); err != nil {
		return err
	}
	for i := range a.in.FileProblems {
		p := ofFile(&a.in.FileProblems[i])
		if err := a.addProblem(&p, a.texts.say(&p)); err != nil {
			return err
		}
	}
	a.copy.above(a.marks)
	a.marks = a.marks[:0]
	return nil
}

func (a *annotated) add(p *Part) error {
	for i := range p.Rows {
		if err := a.row(p.at(i)); err != nil {
			return err
		}
	}
	return nil
}

func (a *annotated) row(e *entry) error {
	a.marks = a.marks[:0]
	above := 0
	for i := range e.problems {
		p := &e.problems[i]
		if p.Code.Severity() == removal.SeverityInfo {
			continue
		}
		if err := a.addProblem(p, e.say(i)); err != nil {
			return err
		}
	}
	// Layout B's order values stand on lines of their own, above the items.
	for i, m := range a.marks {
		if m.row != e.Row.Row.Number {
			a.marks[above], a.marks[i] = a.marks[i], a.marks[above]
			above++
		}
	}
	a.copy.above(a.marks[:above])
	return a.copy.row(e, a.marks[above:])
}

// addProblem marks the problem's cell and lists it on the sheet of problems.
func (a *annotated) addProblem(p *removal.Problem, s said) error {
	if p.Code.Severity() == removal.SeverityInfo {
		return nil
	}
	row, col := a.cellOf(p)
	name := p.Cell
	if row > 0 {
		a.addMark(row, col, p.Code.Severity(), s)
		if name == "" {
			name = removal.CellName(col, row)
		}
	}
	link := ""
	if row > 0 {
		link = a.copy.place(row, col)
	}
	return a.problems.add(p, s, name, link)
}

// cellOf is the cell to be marked. A problem of no single column marks the cell
// by which people know the row: its SKU, or of an order its id.
func (a *annotated) cellOf(p *removal.Problem) (row, col int) {
	if p.Cell != "" {
		col, row, err := excelize.CellNameToCoordinates(p.Cell)
		if err != nil {
			return 0, 0
		}
		return row, col
	}
	if p.Row == 0 {
		return 0, 0
	}
	field := removal.FieldSKU
	if p.Code.Scope() == removal.ScopeOrder && a.in.Run.Layout != "B" {
		field = removal.FieldOrderID
	}
	return p.Row, max(a.in.FieldColumns[field], 1)
}

func (a *annotated) addMark(row, col int, severity removal.Severity, s said) {
	for i := range a.marks {
		if m := &a.marks[i]; m.row == row && m.col == col {
			m.severity = min(m.severity, severity)
			m.said = append(m.said, s)
			return
		}
	}
	a.marks = append(a.marks, mark{row: row, col: col, severity: severity, said: []said{s}})
}

func (a *annotated) close() error { return errors.Join(a.finish(), a.release()) }

func (a *annotated) finish() error {
	err := a.guard(func() error {
		if err := a.copy.finish(); err != nil {
			return err
		}
		if err := a.problems.finish(); err != nil {
			return err
		}
		return writeSummarySheet(a.in, a.sum, a.book, a.problems.left)
	})
	if err != nil {
		return err
	}
	w, err := a.open()
	if err != nil {
		return err
	}
	return a.book.save(w)
}

// release lets go of the files that a large workbook lies in.
func (a *annotated) release() error {
	if a.book == nil {
		return nil
	}
	err := a.book.Close()
	a.book = nil
	return err
}

// comment is a note on a cell: each message in bold, its hint below.
func comment(cell string, m mark) excelize.Comment {
	c := excelize.Comment{Author: author, Cell: cell, Width: 300}
	lines := 1
	for i, s := range m.said {
		gap := "\n"
		if i > 0 {
			gap = "\n\n"
			lines++
		}
		if i == 0 {
			gap = ""
		}
		c.Paragraph = append(c.Paragraph, excelize.RichTextRun{
			Text: gap + s.message, Font: &excelize.Font{Family: fontName, Size: 9, Bold: true, Color: ink},
		})
		lines += 1 + len(s.message)/46
		if s.hint == "" {
			continue
		}
		c.Paragraph = append(c.Paragraph, excelize.RichTextRun{
			Text: "\n" + s.hint, Font: &excelize.Font{Family: fontName, Size: 9, Color: ink},
		})
		lines += 1 + len(s.hint)/50
	}
	c.Height = uint(min(14+15*lines, 400))
	return c
}
