package inventory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

func TestReadCentres(t *testing.T) {
	sheet, heading, headings := sheetOf(t, []byte(bars("fulfillment-center-id|name|line1|city|country-code|postal-code",
		"LEJ1|Leipzig|Amazonstr. 1|Leipzig|de|04347",
		"LTN4||Boscombe Rd|Dunstable|UK|LU5 4FE",
		"|x|Street 1||SE|111 22",
		"X2|x||Town|SE|111 22",
		"X3|x|Street 1|Town|Sweden|111 22",
		"LEJ1|Leipzig|Amazonstr. 1|Leipzig|DE|04347",
		"LEJ1|Leipzig|Otherstr. 1|Leipzig|DE|04347",
		"X4|x|"+strings.Repeat("ö", 61)+"|Town|SE|111 22",
		"X5|x|Stra\uFFFDe 1|Town|DE|04347",
		"X6|x|Street 1|Town|SE|111 22|more",
		"X7|x|Street 1|Town|SE|")))
	centres, found, rows, err := ReadCentres(sheet, heading, headings)
	if err != nil {
		t.Fatal(err)
	}
	want := []removal.Centre{
		{ID: "LEJ1", Name: "Leipzig", Line1: "Amazonstr. 1", City: "Leipzig", Country: "DE", PostalCode: "04347"},
		{ID: "LTN4", Line1: "Boscombe Rd", City: "Dunstable", Country: "GB", PostalCode: "LU5 4FE"},
	}
	if d := cmp.Diff(want, centres); d != "" || rows != 11 {
		t.Error(rows, d)
	}
	if d := cmp.Diff("A4 input_row_bad heading=fulfillment-center-id reason=missing\n"+
		"C5 input_row_bad heading=line1 reason=missing\n"+
		"E6 input_row_bad heading=country-code reason=not_valid\n"+
		"A8 input_row_bad heading=fulfillment-center-id reason=not_valid\n"+
		"C9 input_row_bad heading=line1 reason=too_long\n"+
		"C10 text_damaged\nG11 column_count cells=7 headings=6\n"+
		"F12 input_row_bad heading=postal-code reason=missing\n", problems(found)); d != "" {
		t.Error(d)
	}
	sheet, heading, headings = sheetOf(t, []byte(bars("fulfillment-center-id|line1|country-code|postal-code")))
	if _, _, _, err := ReadCentres(sheet, heading, headings); codeOf(err) != "file_empty" {
		t.Error(fmt.Sprint(err))
	}
}
