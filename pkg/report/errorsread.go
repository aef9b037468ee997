package report

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
)

// ErrorLine is one line of an errors.csv.
type ErrorLine struct {
	Row, Line                                                        int
	Column, Cell, Severity, Code, Value, Message, Hint, OrderID, SKU string
	// End is where the next line begins, to go on from there.
	End int64
}

// ErrErrorsFile says that something is not an errors.csv, or a place in one is not
// the beginning of a line.
var ErrErrorsFile = errors.New("not a line of an errors.csv")

// ReadErrors reads the lines of an errors.csv from a place that an ErrorLine's End
// named; from 0 it is the first line. Memory does not grow with the file. An error
// ends it.
func ReadErrors(f io.ReadSeeker, from int64) iter.Seq2[ErrorLine, error] {
	return func(yield func(ErrorLine, error) bool) {
		if _, err := f.Seek(from, io.SeekStart); err != nil {
			yield(ErrorLine{}, err)
			return
		}
		r := csv.NewReader(f)
		r.ReuseRecord, r.FieldsPerRecord = true, strings.Count(errorsHeading, ",")+1
		for first := from == 0; ; first = false {
			cells, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && first && strings.TrimPrefix(cells[0], bom) == "row" {
				continue
			}
			line := ErrorLine{}
			if err == nil {
				line, err = errorLine(cells)
			}
			if err != nil {
				yield(ErrorLine{}, fmt.Errorf("%w: %w", ErrErrorsFile, err))
				return
			}
			if line.End = from + r.InputOffset(); !yield(line, nil) {
				return
			}
		}
	}
}

func errorLine(cells []string) (l ErrorLine, err error) {
	for i, to := range []*int{&l.Row, &l.Line} {
		if cells[i] == "" {
			continue
		}
		if *to, err = strconv.Atoi(cells[i]); err != nil {
			return l, err
		}
	}
	for i, to := range []*string{&l.Column, &l.Cell, &l.Severity, &l.Code, &l.Value, &l.Message, &l.Hint, &l.OrderID, &l.SKU} {
		*to = strings.Clone(asTyped(cells[i+2]))
	}
	return l, nil
}

// asTyped takes away the mark that keeps a spreadsheet from running a cell.
func asTyped(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.IndexByte("=+-@\t\r", cell[1]) >= 0 {
		return cell[1:]
	}
	return cell
}
