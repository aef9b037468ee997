package inventory

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// What only a workbook can have: formulas, errors, and numbers that lost digits.
func TestWorkbook(t *testing.T) {
	x := excelize.NewFile()
	for cell, v := range map[string]any{
		"A1": "sku", "B1": "disposition", "C1": "quantity", "D1": "snapshot-date", "E1": "product-name",
		"A2": "A-1", "B2": "sellable", "C2": 12, "D2": time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), "E2": "Mugg",
		"A3": 12345, "B3": "unsellable", "C3": 3.0,
		"A4": "A-2", "B4": "sellable",
		"A5": "A-3", "B5": "sellable", "C5": 1.5,
		"A6": "A-4", "B6": "sellable",
		"B7": "sellable", "C7": 1,
	} {
		if err := x.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(x.SetCellFormula("Sheet1", "C4", "2+3"), x.SetCellDefault("Sheet1", "A7", "12345678901234567890"),
		x.SetCellFormula("Sheet1", "C6", "NA()")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := errors.Join(x.Write(&b), x.Close()); err != nil {
		t.Fatal(err)
	}
	file := cached(t, b.Bytes())
	sheet, heading, headings := sheetOf(t, file)
	res, err := Read(sheet, heading, headings, kindOf(headings), ReadOptions{Date: day0})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff("A-1 ~12345 A-2", strings.Join([]string{string(res.Snapshot.SKU(0)), "~" + string(res.Snapshot.SKU(1)), string(res.Snapshot.SKU(2))}, " ")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff("~A-1 12/0\n~12345 0/3\n~A-2 5/0\n", show(res.Snapshot)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff("C4 cell_formula\nC5 snapshot_row_bad heading=quantity reason=not_whole\nC6 cell_error\n"+
		"A7 snapshot_row_bad heading=sku reason=damaged\n", problems(res.Problems)); d != "" {
		t.Error(d)
	}
	if got := res.Snapshot.Date().Format(time.RFC3339); got != "2026-11-20T00:00:00Z" {
		t.Error("date:", got)
	}
	if err := res.Snapshot.Close(); err != nil {
		t.Error(err)
	}
}

// cached puts the values of the two formulas into a workbook, as a spreadsheet
// that calculates would have stored them.
func cached(t *testing.T, file []byte) []byte {
	in, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		text := string(data)
		if strings.HasSuffix(f.Name, "sheet1.xml") {
			text = strings.Replace(text, "<f>2+3</f>", "<f>2+3</f><v>5</v>", 1)
			at := strings.Index(text, `r="C6"`)
			end := at + strings.Index(text[at:], "</c>")
			text = text[:at] + `r="C6" t="e"><f>NA()</f><v>#N/A</v>` + text[end:]
		}
		w, err := out.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
