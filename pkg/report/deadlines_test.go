package report_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
	"rensa/pkg/report"
)

func deadlineList(language string) *report.Deadlines {
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }
	d := &report.Deadlines{Language: language, Date: day(11, 23), Currency: "USD", Rows: []report.Deadline{
		{NoticeRow: removal.NoticeRow{
			Hold: 7, FNSKU: "X2", SKU: "LAMP-2", Title: "Lamp, \"big\"", Condition: "sellable", Units: 4, Reason: removal.HoldRecalled,
			Since: day(11, 1), Deadline: day(12, 1), DaysLeft: 8, Fee: 61200, HasFee: true, Covered: 2, CoveredBy: []string{"A", "B"},
		}, Pool: "X2", Steps: []removal.HoldStep{
			{Step: removal.StepOpening, Day: day(11, 2), AcceptedAt: time.Date(2026, 11, 2, 4, 0, 5, 0, time.UTC)}, {Step: "14", Day: day(11, 17)},
		}},
		{NoticeRow: removal.NoticeRow{
			Hold: 3, SKU: "=1+1", Condition: "unsellable", Units: 1, Reason: removal.HoldExpiry, Since: day(11, 10), Deadline: day(11, 17),
			DaysLeft: -6, NoFeeReason: "weight_unknown",
		}, Pool: "\x00=1+1"},
	}}
	d.Sort()
	return d
}

func TestDeadlinesCSV(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := deadlineList("en").CSV(&b); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"hold,fnsku,sku,product_name,condition,units,reason,since,deadline,days_left,notices,noticed_at,covered_units,covered_by,fee,currency,no_fee_reason",
		"3,,'=1+1,,unsellable,1,expiry,2026-11-10,2026-11-17,-6,,,0,,,,weight_unknown",
		`7,X2,LAMP-2,"Lamp, ""big""",sellable,4,recalled,2026-11-01,2026-12-01,8,opening 2026-11-02; 14 2026-11-17,2026-11-02T04:00:05Z,2,A B,6.12,USD,`,
		"",
	}
	if diff := cmp.Diff(want, strings.Split(b.String(), "\r\n")); diff != "" {
		t.Error(diff)
	}
}

func TestDeadlinesWorkbook(t *testing.T) {
	t.Parallel()
	for language, words := range map[string][]string{
		"en": {"Disposal deadlines", "recalled", "opening 2026-11-02, 14 days before 2026-11-17", "the unit's weight is not known"},
		"sv": {"Tidsfrister för bortskaffning", "återkallad", "första 2026-11-02, 14 dagar före 2026-11-17", "enhetens vikt är inte känd"},
		"de": {"Entsorgungsfristen", "zurückgerufen", "erster 2026-11-02, 14 Tage vorher 2026-11-17", "das Gewicht der Einheit ist nicht bekannt"},
	} {
		var first, again bytes.Buffer
		if err := deadlineList(language).XLSX(&first); err != nil {
			t.Fatal(err)
		}
		if err := deadlineList(language).XLSX(&again); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Errorf("%s: the same list gives other bytes", language)
		}
		f, err := excelize.OpenReader(&first)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := f.GetRows(f.GetSheetName(0), excelize.Options{RawCellValue: true})
		if err != nil || len(rows) != 7 {
			t.Fatalf("%s: %d rows, %v", language, len(rows), err)
		}
		if got := []string{rows[0][0], rows[5][7], rows[5][9], rows[4][13]}; !cmp.Equal(got, words) {
			t.Errorf("%s: %q, want %q", language, got, words)
		}
		if got := []string{rows[4][2], rows[4][1], rows[5][12], rows[6][6], rows[6][10], rows[6][12]}; !cmp.Equal(got, []string{"=1+1", "-6", "6.12", "5", "2", "6.12"}) {
			t.Errorf("%s: figures %q", language, got)
		}
	}
	empty := &report.Deadlines{Language: "en", Date: deadlineList("en").Date}
	var b bytes.Buffer
	if err := empty.XLSX(&b); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.GetCellValue(f.GetSheetName(0), "A5"); err != nil || v != "Nothing is held." {
		t.Errorf("an empty list says %q, %v", v, err)
	}
}
