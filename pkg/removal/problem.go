package removal

import (
	"fmt"
	"slices"
	"strconv"
)

// Place says where in an input file something stands.
type Place struct {
	Sheet string // name of the sheet; "" for a text file
	Row   int    // number that a spreadsheet shows; 0 for the file itself
	Line  int    // physical line of a text file; 0 in a workbook
	Col   int    // column counted from 1; 0 for the whole row
	// Column is the heading as the user wrote it, Cell the spreadsheet's name
	// of the cell, "C14"; both "" where Col is 0.
	Column string
	Cell   string
}

// CellName is the spreadsheet's name of a cell, "C14"; both are counted from 1.
func CellName(col, row int) string {
	var letters []byte
	for ; col > 0; col = (col - 1) / 26 {
		letters = append(letters, byte('A'+(col-1)%26))
	}
	slices.Reverse(letters)
	return string(letters) + strconv.Itoa(row)
}

// Problem is something wrong with a row, an order or a file. It is a value and
// not an error: the file goes on. Package validate sets Row, Field, Code and
// Args; the rest of the place and the value are filled in from the input when a
// report is written, so that no address value is kept with the decision.
type Problem struct {
	Place
	Code    Code
	Field   Field // FieldNone where it concerns no single column
	Value   string
	Args    Args
	OrderID string
	SKU     string
}

// Arg is one named fact of a problem, from which message and hint are made in
// the reader's language.
type Arg struct{ Name, Value string }

// Args are the facts of a problem, in a fixed order.
type Args []Arg

// Arg returns args with one more fact, its value in Go's default format.
func (a Args) Arg(name string, value any) Args {
	return append(a, Arg{name, fmt.Sprint(value)})
}

// Get returns the value of the fact called name, "" where there is none.
func (a Args) Get(name string) string {
	for _, x := range a {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// FileError says that a file cannot be used at all: nothing of it was
// committed. It is the uploader's to mend, not ours.
type FileError struct {
	Place
	Code Code
	Args Args
}

func (e *FileError) Error() string {
	s := e.Code.String()
	if e.Line > 0 {
		s = fmt.Sprintf("line %d: %s", e.Line, s)
	}
	for _, a := range e.Args {
		s += fmt.Sprintf(" %s=%q", a.Name, a.Value)
	}
	return s
}

// Problem gives the error as a problem of the file, for its reports.
func (e *FileError) Problem() Problem {
	return Problem{Place: e.Place, Code: e.Code, Field: FieldNone, Args: e.Args}
}

// NewFileError makes a FileError of a code and facts, given as name and value in turn.
func NewFileError(code Code, facts ...any) *FileError {
	e := &FileError{Code: code}
	for i := 0; i+1 < len(facts); i += 2 {
		e.Args = e.Args.Arg(fmt.Sprint(facts[i]), facts[i+1])
	}
	return e
}
