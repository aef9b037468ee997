package decode

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// TestSampleWorkbooks reads every workbook among the samples, the expected ones
// too, and holds each cell of each sheet against what excelize reads.
func TestSampleWorkbooks(t *testing.T) {
	t.Parallel()
	books := 0
	for _, root := range []string{"../../samples", "../../../shared/data"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) && name == root {
				return nil
			}
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "broken-files": // what excelize makes of those is no measure
				return fs.SkipDir
			case d.IsDir() || filepath.Ext(name) != ".xlsx":
				return nil
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{RawCellValue: true})
			if err != nil {
				return err
			}
			books++
			f := mustOpen(t, data, 0, Options{})
			for _, s := range f.Sheets() {
				sameAsExcelize(t, name, book, s)
			}
			return book.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if books < 3 {
		t.Errorf("only %d workbooks among the samples", books)
	}
}

func sameAsExcelize(t *testing.T, name string, book *excelize.File, s *Sheet) {
	t.Helper()
	rows, err := readAll(s, 0)
	if err != nil {
		t.Errorf("%s, %s: %v", name, s.Name(), err)
		return
	}
	want := map[string]string{}
	all, err := book.GetRows(s.Name(), excelize.Options{RawCellValue: true})
	if err != nil {
		t.Errorf("%s, %s: %v", name, s.Name(), err)
	}
	for r, cells := range all {
		for c, v := range cells {
			if v = strings.Trim(v, " \t\r\n\u00a0"); v != "" {
				want[cellAt(t, c, r+1)] = v
			}
		}
	}
	for _, row := range rows {
		for c, got := range row.Cells {
			at := cellAt(t, c, row.Number)
			if !sameValue(got, want[at]) {
				t.Errorf("%s, %s %s: %q, excelize reads %q", name, s.Name(), at, got, want[at])
			}
			delete(want, at)
		}
	}
	for at, v := range want {
		t.Errorf("%s, %s %s: nothing, excelize reads %q", name, s.Name(), at, v)
	}
}

func cellAt(t *testing.T, col, row int) string {
	t.Helper()
	at, err := excelize.CoordinatesToCellName(col+1, row)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// sameValue takes for the same what is read in another form on purpose: whole
// numbers without an exponent, dates as dates, truth values as words.
func sameValue(got, want string) bool {
	if got == want || want == "1" && got == "TRUE" || want == "0" && got == "FALSE" {
		return true
	}
	number, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return false
	}
	if v, err := strconv.ParseFloat(got, 64); err == nil {
		return v == number
	}
	for _, kind := range []dateKind{dateDay, dateTime} {
		if date, ok := appendDate(nil, number, kind, false); ok && string(date) == got {
			return true
		}
	}
	return false
}
