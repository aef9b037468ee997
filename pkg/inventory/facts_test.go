package inventory

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

// tryFacts reads text as whatever kind of facts it is, into a snapshot.
func tryFacts(tb testing.TB, s *Snapshot, date time.Time, text string) (*Result, error) {
	tb.Helper()
	sheet, heading, headings := sheetOf(tb, []byte(text))
	res, err := ReadFacts(sheet, heading, headings, kindOf(headings), s, ReadOptions{Date: date, DateKnown: true,
		Latest: date.AddDate(1, 0, 0), File: "f" + date.Format("0102"), TempDir: tb.TempDir()})
	if res != nil && res.Snapshot != nil {
		tb.Cleanup(func() {
			if err := res.Snapshot.Close(); err != nil {
				tb.Error(err)
			}
		})
	}
	return res, err
}

// facts is tryFacts of a file that is taken without problems.
func facts(tb testing.TB, s *Snapshot, date time.Time, lines ...string) *Snapshot {
	tb.Helper()
	res, err := tryFacts(tb, s, date, bars(lines...))
	if err != nil {
		tb.Fatal(err)
	}
	if len(res.Problems) > 0 {
		tb.Fatal(problems(res.Problems))
	}
	return res.Snapshot
}

func pool(tb testing.TB, s *Snapshot, sku string) int32 {
	tb.Helper()
	i := s.Lookup([]byte(sku))
	if i < 0 {
		tb.Fatalf("no SKU %q", sku)
	}
	return s.PoolOf(i)
}

func factsOf(tb testing.TB, s *Snapshot, sku string) Facts {
	tb.Helper()
	f, err := s.Facts(pool(tb, s, sku))
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// reopened is the snapshot as its file gives it.
func reopened(tb testing.TB, s *Snapshot) *Snapshot {
	tb.Helper()
	r, err := openBytes(tb, bytesOf(tb, s))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

const (
	planningHead = "snapshot-date|sku|fnsku|available|inv-age-0-to-90-days|inv-age-91-to-180-days|inv-age-181-to-270-days|inv-age-271-to-365-days|inv-age-365-plus-days"
	feeHead      = "fnsku|asin|longest-side|median-side|shortest-side|measurement-units|weight|weight-units|item-volume|volume-units|month-of-charge"
)

func stockOf(tb testing.TB) *Snapshot {
	tb.Helper()
	return read(tb, bars(manageHead,
		"A|XA|B0A|Mug|New|1|10|2", "A2|XA|B0A|Mug|New|1|10|2", "C|XC|B0C|Lamp|New|1|5|0", "D||B0D|Rug|New|1|7|1")).Snapshot
}

// TestFactHeadings: every known layout is recognised by its own headings, and none
// of them is strange.
func TestFactHeadings(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/fact_headings.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := stockOf(t)
	for line := range strings.Lines(string(text)) {
		kind, headings, _ := strings.Cut(strings.TrimSpace(line), " ")
		sheet, n, cells := sheetOf(t, []byte(bars(headings)))
		if got := kindOf(cells); string(got) != kind {
			t.Errorf("%s is recognised as %q", kind, got)
			continue
		}
		m, err := variantOf(removal.Kind(kind)).mapColumns(sheet.Name(), n, cells)
		if err != nil || len(m.ignored) > 0 {
			t.Errorf("%s: %v, ignored %v", kind, err, m.ignored)
		}
		if _, err := ReadFacts(sheet, n, cells, removal.Kind(kind), s, ReadOptions{}); codeOf(err) != "file_empty" {
			t.Errorf("%s without rows: %v", kind, err)
		}
	}
	if kind := kindOf([]string{"sku", "recalled-since", "note"}); kind != "" {
		t.Errorf("a recall list with another column is taken as %q", kind)
	}
}

// TestFactsAddUp: what one file says stays when another one comes, quantities stay
// as they are, and each fact knows its source.
func TestFactsAddUp(t *testing.T) {
	t.Parallel()
	s := stockOf(t)
	s = facts(t, s, day0, planningHead+"|Units Shipped T30|units-shipped-t90|item-volume|Volume Unit Measurement",
		"2026-11-19|A|XA|10|1|2|3|4|0|6|20|0.2352|cubic feet")
	s = facts(t, s, day0.AddDate(0, 0, 1), feeHead, "XA|B0A|10.8661|6.22|1.9685|inches|0.9921|pounds|0.077|cubic feet|2026-10",
		"XA|B0A|10.8661|6.22|1.9685|inches|0.9921|pounds|0.077|cubic feet|2026-10", "XC|B0C|15.4|10.21|1.8|centimeter|0.08|kilograms|0.0003|cubic meter|2026-10")
	s = facts(t, s, day0.AddDate(0, 0, 2), "sku|asin|date-stranded|fulfillable-qty|stranded-reason", "D|B0D|2026-11-01|7|no offer")
	s = facts(t, s, day0.AddDate(0, 0, 2), "sku|reserved_qty", "A2|3")
	s = facts(t, s, day0.AddDate(0, 0, 3), "asin|recalled-since", "B0C|2026-11-10")
	s = reopened(t, s)
	if got, want := show(s), "XA 10/2\nXC 5/0\n~D 7/1\n"; got != want {
		t.Errorf("quantities: %s", got)
	}
	f := factsOf(t, s, "A2")
	if len(f.Aged) != 1 || f.Aged[0].Units != 10 || f.Aged[0].Bands.Sum() != 10 || f.Sales.T30 != 6 || f.Sales.T90 != 20 || f.Reserved.Units != 3 {
		t.Errorf("A: %+v", f)
	}
	if src := s.Sources()[f.Aged[0].From]; src.Kind != removal.KindPlanning || src.Day != DayOf(time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)) || src.File != "f1120" {
		t.Errorf("source: %+v", src)
	}
	p := s.Product(pool(t, s, "A"))
	if want := (Product{WeightG: 451, HasWeight: true, LongestMM: 276, MedianMM: 158, ShortestMM: 50, HasSize: true, VolumeCM3: 6661}); p != want {
		t.Errorf("product of A: %+v", p)
	}
	if f.Measured.VolumeMM3 != 6660123 { // 0.2352 ft³, the newer of the two
		t.Errorf("volume of A: %d mm³", f.Measured.VolumeMM3)
	}
	if p := s.Product(pool(t, s, "C")); p.WeightG != 80 || p.LongestMM != 154 || p.VolumeCM3 != 300 ||
		p.RecalledSince != time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC) || s.RecalledOf(pool(t, s, "C"), removal.Sellable) != 5 {
		t.Errorf("product of C: %+v", p)
	}
	if p := s.Product(pool(t, s, "D")); p.StrandedSince != time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) {
		t.Errorf("D: %+v", p)
	}
	// A full file that says none of it.
	next := read(t, bars(manageHead, "N|XN|B0N|New|New|1|1|0", "C|XC|B0C|Lamp|New|1|4|1", "D|XD|B0D|Rug|New|1|6|0", "A|XA|B0A|Mug|New|1|8|2")).Snapshot
	if err := next.Inherit(s, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	next = reopened(t, next)
	for _, sku := range []string{"A", "D"} {
		was, is := factsOf(t, s, sku), factsOf(t, next, sku)
		for i := range was.Aged {
			if was.Aged[i].Bands != is.Aged[i].Bands || s.Sources()[was.Aged[i].From] != next.Sources()[is.Aged[i].From] {
				t.Errorf("%s: %+v became %+v", sku, was, is)
			}
		}
		if was.Sales.T30 != is.Sales.T30 || was.Reserved.Units != is.Reserved.Units || was.Stranded.Since != is.Stranded.Since || was.Measured.VolumeMM3 != is.Measured.VolumeMM3 {
			t.Errorf("%s: %+v became %+v", sku, was, is)
		}
		if s.Product(pool(t, s, sku)) != next.Product(pool(t, next, sku)) {
			t.Errorf("%s: %+v", sku, next.Product(pool(t, next, sku)))
		}
	}
	if p := pool(t, next, "C"); next.RecalledOf(p, removal.Sellable) != 4 || next.RecalledOf(p, removal.Unsellable) != 1 {
		t.Errorf("recalled units of C follow the quantities: %+v", next.Pool(p))
	}
	if f := factsOf(t, next, "N"); !cmp.Equal(f, noFacts()) {
		t.Errorf("N: %+v", f)
	}
}

// TestFactsInTurn: an older file does not take the place of a newer one, and its
// ages are kept as history.
func TestFactsInTurn(t *testing.T) {
	t.Parallel()
	s := stockOf(t)
	for _, day := range []string{"2026-11-19", "2026-08-01", "2026-11-18", "2026-08-20", "2026-09-05", "2025-01-01"} {
		s = facts(t, s, day0, planningHead+"|units-shipped-t30", day+"|A|XA|10|10|0|0|0|0|"+day[8:])
	}
	f := factsOf(t, reopened(t, s), "A")
	var days []string
	for _, a := range f.Aged {
		days = append(days, s.Sources()[a.From].Day.Time().Format(time.DateOnly))
	}
	if want := []string{"2026-11-19", "2026-11-18", "2026-09-05", "2026-08-01"}; !cmp.Equal(days, want) {
		t.Errorf("kept: %v", days)
	}
	if f.Sales.T30 != 19 {
		t.Errorf("sales: %+v", f.Sales)
	}
	// Sizes of a newer own file stay before those of an older report.
	own := read(t, bars(ownHead, "A|XA|sellable|3|||200||||||||")).Snapshot
	own = facts(t, own, day0.AddDate(0, 0, -9), feeHead, "XA|B0A|20|10|5|cm|5|kg|||")
	if p := own.Product(pool(t, own, "A")); p.WeightG != 200 || p.LongestMM != 200 {
		t.Errorf("product: %+v", p)
	}
	own = facts(t, own, day0.AddDate(0, 0, 9), feeHead, "XA|B0A|20|10|5|cm|5|kg|||")
	if p := own.Product(pool(t, own, "A")); p.WeightG != 5000 {
		t.Errorf("product: %+v", p)
	}
}

// TestFactRows: what is wrong in a row is said with its place, and the row is left
// out; goods that the stock does not have are left aside.
func TestFactRows(t *testing.T) {
	t.Parallel()
	s := stockOf(t)
	for _, c := range []struct{ name, text, want string }{
		{"good and unknown", bars(planningHead, "2026-11-19|A|XA|10|10|0|0|0|0", "2026-11-19|Z|XZ|1|1|0|0|0|0"), ""},
		{"a word", bars(planningHead, "2026-11-19|A|XA|ten|10|0|0|0|0", "2026-11-19|C|XC|5|5|0|0|0|0"), "D2 snapshot_row_bad heading=available reason=not_whole\n"},
		{"no sku", bars(planningHead, "2026-11-19||XA|1|1|0|0|0|0", "2026-11-19|C|XC|5|5|0|0|0|0"), "B2 snapshot_row_bad heading=sku reason=missing\n"},
		{"a date", bars(planningHead, "soon|A|XA|1|1|0|0|0|0", "2026-11-19|C|XC|5|5|0|0|0|0"), "A2 snapshot_row_bad heading=snapshot-date reason=date\n"},
		{"a day to come", bars(planningHead, "2099-01-01|A|XA|1|1|0|0|0|0", "2026-11-19|C|XC|5|5|0|0|0|0"), "A2 snapshot_row_bad heading=snapshot-date reason=future\n"},
		{"two figures", bars(planningHead, "2026-11-19|A|XA|9|9|0|0|0|0", "2026-11-19|A2|XA|10|10|0|0|0|0"), "D3 pool_disagrees fnsku=XA kept=9 other=10 row=2 condition=sellable\n"},
		{"a unit", bars(feeHead, "XA|B0A|1|1|1|ell|1|kg|||", "XC|B0C|1|1|1|cm|1|kg|||"), "F2 snapshot_row_bad heading=measurement-units reason=not_valid\n"},
		{"recall of unknown goods", bars("sku|recalled-since", "Z|2026-11-01", "A|2026-11-01"), "A2 input_row_bad heading=sku reason=not_in_stock\n"},
		{"recall without a day", bars("sku|recalled-since", "C|", "A|2026-11-01"), "B2 input_row_bad heading=recalled-since reason=missing\n"},
	} {
		res, err := tryFacts(t, s, day0, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := problems(res.Problems); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	if _, err := tryFacts(t, s, day0, bars("sku|recalled-since", "Z|2026-11-01")); !strings.HasPrefix(codeOf(err), "snapshot_bad") {
		t.Errorf("nothing but unknown goods: %v", err)
	}
}

// TestHealth: the old report has "Infinite" weeks, and says of goods only that
// they are dangerous.
func TestHealth(t *testing.T) {
	t.Parallel()
	head := "snapshot-date|sku|fnsku|sellable-quantity|unsellable-quantity|inv-age-0-to-90-days|inv-age-91-to-180-days|inv-age-181-to-270-days|" +
		"inv-age-271-to-365-days|inv-age-365-plus-days|units-shipped-last-30-days|units-shipped-last-90-days|weeks-of-cover-t7|qty-to-be-charged-ltsf-12-mo|is-hazmat"
	s := facts(t, stockOf(t), day0, head, "2026-11-17T08:00:00+00:00|A|XA|27|0|3|10|3|11|0|27|40|Infinite|7|Y", "2026-11-17T08:00:00+00:00|C|XC|5|0|5|0|0|0|0|0|0|Infinite|0|N")
	f := factsOf(t, s, "A")
	if f.Aged[0].Charge != 7 || f.Aged[0].Charge456 != -1 || f.Sales.T90 != 40 || s.Product(pool(t, s, "A")).HazmatClass != hazmatUnnamed {
		t.Errorf("%+v, %+v", f, s.Product(pool(t, s, "A")))
	}
	if c := s.Product(pool(t, s, "C")).HazmatClass; c != "" {
		t.Errorf("class of C: %q", c)
	}
}

// TestLotsOfOwnFormat: lots with dates are kept with their days, of a pool that
// its MSKUs share too, and of one that got its FNSKU on a later row.
func TestLotsOfOwnFormat(t *testing.T) {
	t.Parallel()
	s := reopened(t, read(t, bars(ownHead,
		"A||sellable|4||||||||||2025-12-01|", "B|XA|sellable|6||||||||||2025-10-01|", "A|XA|sellable|1||||||||||2025-12-01|",
		"B|XA|unsellable|2|yes|2027-01-01||||||||2025-10-01|2026-11-02", "E|XE|sellable|9|||||||||||")).Snapshot)
	f := factsOf(t, s, "A")
	d := func(text string) Day {
		v, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return DayOf(v)
	}
	want := Lots{From: 0, Sellable: 11, Unsellable: 2, All: []Lot{
		{Units: 6, Received: d("2025-10-01")}, {Units: 5, Received: d("2025-12-01")},
		{Condition: removal.Unsellable, Recalled: true, Units: 2, Received: d("2025-10-01"), Since: d("2026-11-02"), Expiry: d("2027-01-01")},
	}}
	if diff := cmp.Diff(want, f.Lots); diff != "" {
		t.Errorf("lots (-want +got):\n%s", diff)
	}
	if f := factsOf(t, s, "E"); f.Lots.From != -1 {
		t.Errorf("E has no dates: %+v", f.Lots)
	}
}

// TestSnapshotVersions: a snapshot without facts is written in the version before,
// which older programs read; what is damaged in facts is found.
func TestSnapshotVersions(t *testing.T) {
	t.Parallel()
	s := stockOf(t)
	if b := bytesOf(t, s); b[8] != fileVersionPlain {
		t.Errorf("without facts: version %d", b[8])
	}
	s = facts(t, s, day0, planningHead, "2026-11-19|A|XA|10|10|0|0|0|0")
	whole := bytesOf(t, s)
	if whole[8] != fileVersion || !bytes.Equal(whole, bytesOf(t, reopened(t, s))) {
		t.Errorf("version %d, or other bytes when written again", whole[8])
	}
	found := 0
	for i := 0; i < len(whole); i += 5 {
		b := bytes.Clone(whole)
		b[i] ^= 0x40
		r, err := openBytes(t, b)
		if err != nil {
			continue
		}
		err = r.EachFacts(func(int32, *Facts) error { return nil })
		if errors.Is(err, ErrFormat) {
			found++
		} else if err != nil {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
	if found == 0 {
		t.Error("no damage of facts was found")
	}
}

// TestFactCodec: what is written is read, and no bytes make it fail but with
// ErrFormat.
func TestFactCodec(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	n := func() int64 { return r.Int64N(1 << (1 + r.IntN(40))) }
	var f Facts
	for range 2000 {
		want := noFacts()
		from := func(to *int) { *to = r.IntN(9) - 1 }
		if from(&want.Lots.From); want.Lots.From >= 0 {
			want.Lots.Sellable, want.Lots.Unsellable = n(), n()
			for range 1 + r.IntN(4) {
				want.Lots.All = append(want.Lots.All, Lot{removal.Condition(r.IntN(2)), r.IntN(2) == 0, n(), Day(r.IntN(30000)), Day(r.IntN(30000)), Day(r.IntN(30000))})
			}
		}
		for range r.IntN(4) {
			a := Aged{From: r.IntN(8), Units: n(), Charge: n() - 1, Charge456: n() - 1}
			for k := range numBands {
				if r.IntN(2) == 0 {
					a.Bands.set(k, n())
				}
			}
			want.Aged = append(want.Aged, a)
		}
		if from(&want.Sales.From); want.Sales.From >= 0 {
			want.Sales.T30, want.Sales.T90 = n()-1, n()-1
		}
		if from(&want.Stranded.From); want.Stranded.From >= 0 {
			want.Stranded.Since, want.Stranded.Units = Day(r.IntN(30000)), n()
		}
		if from(&want.Measured.From); want.Measured.From >= 0 {
			want.Measured.VolumeMM3 = n()
		}
		b := appendFacts(nil, &want)
		if err := readFacts(b, 8, &f); err != nil {
			t.Fatal(err)
		}
		if len(f.Aged) == 0 {
			f.Aged = nil
		}
		if diff := cmp.Diff(want, f); diff != "" {
			t.Fatalf("(-written +read):\n%s", diff)
		}
		if len(b) > 0 {
			b[r.IntN(len(b))] ^= byte(1 << r.IntN(8))
			if err := readFacts(b[:r.IntN(len(b)+1)], 8, &f); err != nil && !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
		}
	}
}
