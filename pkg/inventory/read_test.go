package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

func TestVariants(t *testing.T) {
	base := "sku|fnsku|asin|product-name|condition|your-price|mfn-listing-exists|mfn-fulfillable-quantity|afn-listing-exists|afn-warehouse-quantity|afn-fulfillable-quantity|afn-unsellable-quantity|afn-reserved-quantity|afn-total-quantity|per-unit-volume|afn-inbound-working-quantity|afn-inbound-shipped-quantity|afn-inbound-receiving-quantity"
	title := "Merchant SKU|%s Network SKU|ASIN|Title|Condition|Price|MFN Listing Exists|MFN Fulfillable Qty|AFN Listing Exists|AFN Warehouse Qty|AFN Fulfillable Qty|AFN Unsellable Qty|AFN Encumbered Qty|AFN Total Qty|Volume|AFN Inbound Working Qty|AFN Inbound Shipped Qty|AFN Inbound Receiving Qty"
	r21 := base + "|afn-researching-quantity|afn-reserved-future-supply|afn-future-supply-buyable"
	manage := "SKU=0 FNSKU=1 ASIN=2 Title=3 Sellable=10 Unsellable=11"
	for _, c := range []struct {
		name, headings string
		kind           removal.Kind
		want           string
	}{
		{"manage 18", base, removal.KindManageFBA, manage},
		{"manage 19", base + "|afn-researching-quantity", removal.KindManageFBA, manage},
		{"manage 21", r21, removal.KindManageFBA, manage},
		{"manage 26", r21 + "|afn-fc-transfer-quantity|afn-onhand-buyable-quantity|store|afn-fulfillable-quantity-local|afn-fulfillable-quantity-remote", removal.KindManageFBA, manage},
		{"title case", fmt.Sprintf(title, "Fulfillment"), removal.KindManageFBA, manage},
		{"one l", fmt.Sprintf(title, "Fulfilment"), removal.KindManageFBA, manage},
		{"no fnsku, other order", "afn-unsellable-quantity|SKU|AFN-Fulfillable-Quantity", removal.KindManageFBA, "SKU=1 Sellable=2 Unsellable=0"},
		{"afn", afnHead, removal.KindAFN, "SKU=0 FNSKU=1 ASIN=2 Disposition=4 Quantity=5"},
		{"own, whole", "snapshot-date|sku|fnsku|asin|product-name|condition|fulfillment-center-id|disposition|quantity|received-date|unsellable-since|recalled|expiry-date|unit-weight-g|longest-side-cm|median-side-cm|shortest-side-cm|unit-volume-cm3|hazmat-class|open-removals-excluded",
			removal.KindInventory, "SKU=1 FNSKU=2 ASIN=3 Title=4 Disposition=7 Quantity=8 Date=0 Received=9 Since=10 Recalled=11 Expiry=12 Weight=13 Longest=14 Median=15 Shortest=16 Volume=17 Hazmat=18 OpenExcluded=19"},
		{"own, least", "quantity|disposition|sku", removal.KindInventory, "SKU=2 Disposition=1 Quantity=0"},
		{"centres", "fulfillment-center-id|name|line1|city|country-code|postal-code", removal.KindCentres, "Centre=0 Name=1 Line1=2 City=3 Country=4 PostalCode=5"},
		{"centres with a foreign heading", "fulfillment-center-id|name|line1|city|country-code|postal-code|phone", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			headings := strings.Split(c.headings, "|")
			kind := kindOf(headings)
			if kind != c.kind {
				t.Fatalf("kind %q, want %q", kind, c.kind)
			}
			if kind == "" {
				return
			}
			v := variantOf(kind)
			if kind == removal.KindCentres {
				v = &centreVariant
			}
			m, err := v.mapColumns("", 1, headings)
			if err != nil {
				t.Fatal(err)
			}
			if got := mapped(m); got != c.want || len(m.ignored) != 0 {
				t.Errorf("fields %s, ignored %v\nwant   %s", got, m.ignored, c.want)
			}
		})
	}
}

var fieldWords = [numFields]string{"", "SKU", "FNSKU", "ASIN", "Title", "Sellable", "Unsellable", "Disposition", "Quantity",
	"Date", "Received", "Since", "Recalled", "Expiry", "Weight", "Longest", "Median", "Shortest", "Volume", "Hazmat", "OpenExcluded",
	"Centre", "Name", "Line1", "City", "Country", "PostalCode"}

func mapped(m *mapping) string {
	var words []string
	for f, c := range m.col {
		if c >= 0 {
			words = append(words, fmt.Sprintf("%s=%d", fieldWords[f], c))
		}
	}
	return strings.Join(words, " ")
}

func TestPools(t *testing.T) {
	for _, c := range []struct {
		name           string
		file           string
		pools, problem string
	}{
		{"one pool, repeated and not added", bars(manageHead,
			"A|F1|||||5|2", "B|F1|||||5|2", "C||||||7|", "D|F2|||||12.0|0"),
			"F1 5/2\n~C 7/0\nF2 12/0\n", ""},
		{"figures differ: the smallest counts", bars(manageHead,
			"A|F1|||||5|2", "B|F1|||||4|3", "C|F1|||||6|2"),
			"F1 4/2\n", "G3 pool_disagrees fnsku=F1 kept=4 other=5 row=2 condition=sellable\n" +
				"H3 pool_disagrees fnsku=F1 kept=2 other=3 row=2 condition=unsellable\n" +
				"G4 pool_disagrees fnsku=F1 kept=4 other=6 row=3 condition=sellable\n"},
		{"no price, no listing, condition unknown", bars(manageHead, "A|F1|||Unknown||3|0", "B|F2|||Unknown|||"),
			"F1 3/0\nF2 0/0\n", ""},
		{"the same MSKU twice", bars(manageHead, "A|F1|||||3|0", "A|F1|||||3|0"), "F1 3/0\n", ""},
		{"the same MSKU with another FNSKU", bars(manageHead, "A|F1|||||3|0", "B|F2|||||4|0", "A|F2|||||4|0"), "F1 3/0\nF2 4/0\n",
			"B4 snapshot_row_bad heading=fnsku reason=conflict fnsku=F1 row=2\n"},
		{"an FNSKU that comes later", bars(manageHead, "A||||||3|0", "B|F1|||||3|1", "A|F1|||||3|1", "C||||||9|9"), "F1 3/0\n~C 9/9\n",
			"H4 pool_disagrees fnsku=F1 kept=0 other=1 row=2 condition=unsellable\n"},
		{"an FNSKU that nobody had", bars(manageHead, "A||||||3|0", "A|F1|||||3|0", "B|F1|||||3|0"), "F1 3/0\n", ""},
		{"placeholders are no FNSKU", bars(manageHead, "A|N/A|||||3|0", "B|-|||||4|0"), "~A 3/0\n~B 4/0\n", ""},
		{"afn, one row a condition", bars(afnHead,
			"A|F1|A1|NewItem|SELLABLE|5", "A|F1|A1|NewItem|UNSELLABLE|2", "B|F1|A1|NewItem|sellable|5", "C|F2|A2||DEFECTIVE|2",
			"C|F2|A2||CUSTOMER_DAMAGED|3", "D|F2|A2||Customer Damaged|4", "D|F2|A2||SELLABLE|"),
			"F1 5/2\nF2 0/5\n", "F7 pool_disagrees fnsku=F2 kept=3 other=4 row=6 condition=unsellable\n"},
		{"afn, unknown condition", bars(afnHead, "A|F1|||SELLABLE|5", "A|F1|||LOST|5", "A|F1||||5"), "F1 5/0\n",
			"E3 snapshot_row_bad heading=Warehouse-Condition-code reason=disposition\nE4 snapshot_row_bad heading=Warehouse-Condition-code reason=missing\n"},
		{"own, lots are added whichever MSKU they name", bars("sku|fnsku|disposition|quantity",
			"A|F1|sellable|5", "B|F1|sellable|6", "A||sellable|7", "A|F1|Unsellable|1", "C||unsellable|2", "C||unsellable|2"),
			"F1 18/1\n~C 0/4\n", ""},
		{"own, lots before the FNSKU is known", bars("sku|fnsku|disposition|quantity",
			"A||sellable|5", "B|F1|sellable|6", "A|F1|sellable|7", "C||sellable|1"),
			"F1 18/0\n~C 1/0\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := read(t, c.file)
			if d := cmp.Diff(c.pools, show(res.Snapshot)); d != "" {
				t.Error("pools", d)
			}
			if d := cmp.Diff(c.problem, problems(res.Problems)); d != "" {
				t.Error("problems", d)
			}
			again, err := openBytes(t, bytesOf(t, res.Snapshot))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.pools, show(again)); d != "" {
				t.Error("pools of the file", d)
			}
			for p := range int32(again.Pools()) {
				if got := again.FindPool(again.PoolKey(p)); got != p {
					t.Errorf("FindPool(%q) = %d, want %d", again.PoolKey(p), got, p)
				}
			}
		})
	}
}

func TestBadRows(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, c := range []struct{ name, file, want string }{
		{"quantities", bars(manageHead, "A|F|||||1.5|0", "B|G|||||ten|-3", "C|H|||||1.000|0", "D|I|||||1,000|0", "E|J|||||2000000000|-1.5", "OK|K|||||1|1"),
			"G2 snapshot_row_bad heading=afn-fulfillable-quantity reason=not_whole\n" +
				"G3 snapshot_row_bad heading=afn-fulfillable-quantity reason=not_whole\n" +
				"H3 snapshot_row_bad heading=afn-unsellable-quantity reason=negative\n" +
				"G4 snapshot_row_bad heading=afn-fulfillable-quantity reason=not_whole\n" +
				"G5 snapshot_row_bad heading=afn-fulfillable-quantity reason=not_whole\n" +
				"G6 snapshot_row_bad heading=afn-fulfillable-quantity reason=too_large\n" +
				"H6 snapshot_row_bad heading=afn-unsellable-quantity reason=negative\n"},
		{"identifiers", bars(manageHead, "|F|||||1|0", long+"|G|||||1|0", "A\uFFFD|H|||||1|0", "B|\uFFFD|||||1|0", "C|I||Gr\uFFFDn|||1|0"),
			"A2 snapshot_row_bad heading=sku reason=missing\nA3 snapshot_row_bad heading=sku reason=too_long\n" +
				"A4 text_damaged\nB5 text_damaged\n"},
		{"more cells than headings", bars(manageHead, "A|F|||||1|0|||9", "B|F|||||1|0||"),
			"K2 column_count cells=11 headings=8\n"},
		{"own", bars("sku|disposition|quantity|snapshot-date|recalled|unit-weight-g|expiry-date",
			"A|sellable||||", "B|reserved|1|||", "C|sellable|1|20.13.2026||", "D|sellable|1||perhaps|", "E|sellable|1|||-4|soon", "F|sellable|1|2026-11-20|no|4|2027-01-01"),
			"C2 snapshot_row_bad heading=quantity reason=missing\nB3 snapshot_row_bad heading=disposition reason=disposition\n" +
				"D4 snapshot_row_bad heading=snapshot-date reason=date\nE5 snapshot_row_bad heading=recalled reason=not_valid\n" +
				"F6 snapshot_row_bad heading=unit-weight-g reason=negative\nG6 snapshot_row_bad heading=expiry-date reason=date\n"},
		{"own, a slip in a heading", bars("sku|disposition|quantity|recaled|colour", "A|sellable|1|yes|red"),
			"D1 column_ignored heading=recaled near=recalled\nE1 column_ignored heading=colour\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := read(t, c.file)
			if d := cmp.Diff(c.want, problems(res.Problems)); d != "" {
				t.Error(d)
			}
			if res.Snapshot.Len() != 1 && res.Snapshot.Len() != res.RowsRead-res.RowsBad {
				t.Errorf("%d MSKUs of %d rows, %d bad", res.Snapshot.Len(), res.RowsRead, res.RowsBad)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	good := func(n int) []string {
		lines := []string{manageHead}
		for i := range n {
			lines = append(lines, fmt.Sprintf("S%d|F%d|||||%d|0", i, i, i))
		}
		return lines
	}
	bad := func(lines []string, n int) []string {
		for i := range n {
			lines = append(lines, fmt.Sprintf("BAD%d|B%d|||||x|0", i, i))
		}
		return lines
	}
	big := read(t, bars(good(101)...)).Snapshot
	for _, c := range []struct {
		name string
		file string
		opt  ReadOptions
		want string
	}{
		{"11 of 1,000 are more than one in a hundred", bars(bad(good(989), 11)...), ReadOptions{}, `snapshot_bad bad="11" rows="1000"`},
		{"11 of 1,100 are not", bars(bad(good(1089), 11)...), ReadOptions{}, "<nil>"},
		{"10 are too few", bars(bad(good(1), 10)...), ReadOptions{}, "<nil>"},
		{"nothing is left", bars(bad(good(0), 3)...), ReadOptions{}, `snapshot_bad bad="3" rows="3"`},
		{"no row", bars(manageHead), ReadOptions{}, "file_empty"},
		{"fewer than half", bars(good(50)...), ReadOptions{Previous: big}, `snapshot_shrunk new="50" current="101"`},
		{"half", bars(good(51)...), ReadOptions{Previous: big}, "<nil>"},
		{"forced", bars(good(50)...), ReadOptions{Previous: big, Force: true}, "<nil>"},
		{"a heading twice", bars("sku|Merchant SKU|afn-fulfillable-quantity|afn-unsellable-quantity", "A|B|1|1"), ReadOptions{},
			`file_header_twice heading="Merchant SKU" first="A1" again="B1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, err := tryRead(t, c.file, c.opt)
			if got := codeOf(err); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if (err == nil) != (res.Snapshot != nil) || len(res.Problems) != res.RowsBad {
				t.Errorf("snapshot %v, %d problems of %d bad rows", res.Snapshot, len(res.Problems), res.RowsBad)
			}
		})
	}
}

func TestReadWrongKind(t *testing.T) {
	sheet, heading, headings := sheetOf(t, []byte(bars("sku|fnsku", "A|F")))
	if _, err := Read(sheet, heading, headings, removal.KindUpload, ReadOptions{}); err == nil {
		t.Error("an upload was read as inventory")
	}
	_, err := Read(sheet, heading, headings, removal.KindManageFBA, ReadOptions{})
	want := `file_header_missing kind="manage_fba_inventory" missing="afn-fulfillable-quantity\nafn-unsellable-quantity" found="sku\nfnsku"`
	if got := codeOf(err); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDate(t *testing.T) {
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cells   []string
		opt     ReadOptions
		want    string
		hasTime bool
		dated   DateSource
	}{
		{[]string{"2026-11-20"}, ReadOptions{}, "2026-11-19T23:00:00Z", false, DateFromColumn},
		{[]string{"2026-07-20"}, ReadOptions{}, "2026-07-19T22:00:00Z", false, DateFromColumn},
		{[]string{"20.11.2026 08:30"}, ReadOptions{}, "2026-11-20T07:30:00Z", true, DateFromColumn},
		{[]string{"2026-11-20T08:30:00+00:00"}, ReadOptions{}, "2026-11-20T08:30:00Z", true, DateFromColumn},
		{[]string{"2026-11-20 08:30:00 UTC"}, ReadOptions{}, "2026-11-20T08:30:00Z", true, DateFromColumn},
		{[]string{"", "2026-11-21", "2026-11-20"}, ReadOptions{}, "2026-11-19T23:00:00Z", false, DateFromColumn},
		{[]string{""}, ReadOptions{DateKnown: true, DateOnly: true}, "2026-11-20T04:00:00Z", false, DateFromOption},
		{[]string{"-"}, ReadOptions{}, "2026-11-20T04:00:00Z", true, DateFromArrival},
	} {
		lines := []string{"sku|disposition|quantity|snapshot-date"}
		for i, d := range c.cells {
			lines = append(lines, fmt.Sprintf("A%d|sellable|1|%s", i, d))
		}
		c.opt.Zone = stockholm
		res, err := tryRead(t, bars(lines...), c.opt)
		if err != nil {
			t.Fatal(err)
		}
		s := res.Snapshot
		if got := s.Date().Format(time.RFC3339); got != c.want || s.DateHasTime() != c.hasTime || res.Dated != c.dated {
			t.Errorf("%q: %s, time %v, from %s", c.cells, got, s.DateHasTime(), res.Dated)
		}
	}
}

func TestFacts(t *testing.T) {
	res := read(t, bars(ownHead,
		"A|F1|sellable|5|no||250.2|28.0|20,2|5|2828|9|yes|2026-01-05|",
		"B|F1|sellable|2|yes|2027-03-01|300||||||yes|2025-12-31|2026-01-01",
		"A|F1|unsellable|3|ja|2027-02-01|||||||yes|2026-02-01|2026-11-01",
		"A|F1|unsellable|1||||||||||2026-02-01|2026-10-30",
		"C|F2|sellable|1|||||||||||"))
	date := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	want := Pool{Key: "F1", Sellable: 7, Unsellable: 4, RecalledSellable: 2, RecalledUnsellable: 3,
		Product: Product{WeightG: 251, HasWeight: true, LongestMM: 280, MedianMM: 202, ShortestMM: 50, HasSize: true, VolumeCM3: 2828,
			HazmatClass: "9", Expiry: date("2027-02-01"), Received: date("2025-12-31"), UnsellableSince: date("2026-10-30")}}
	again, err := openBytes(t, bytesOf(t, res.Snapshot))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Snapshot{res.Snapshot, again} {
		if d := cmp.Diff(want, s.Pool(0)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(Pool{Key: "F2", Sellable: 1}, s.Pool(1)); d != "" {
			t.Error(d)
		}
		if excluded, known := s.OpenRemovalsExcluded(); !excluded || !known {
			t.Error("open removals:", excluded, known)
		}
		if a, b := s.Totals(); a != 8 || b != 4 {
			t.Error("totals:", a, b)
		}
		if s.RecalledOf(0, removal.Unsellable) != 3 || s.UnitsOf(0, removal.Unsellable) != 4 {
			t.Error("units by condition are wrong")
		}
	}
	mixed := read(t, bars("sku|disposition|quantity|open-removals-excluded", "A|sellable|1|yes", "B|sellable|1|no"))
	if excluded, _ := mixed.Snapshot.OpenRemovalsExcluded(); excluded {
		t.Error("one row says no, and open removals are excluded")
	}
	report := read(t, bars(manageHead, "A|F1|||||1|0"))
	if _, known := report.Snapshot.OpenRemovalsExcluded(); known {
		t.Error("a report cannot know whether open removals are excluded")
	}
}

// Chunks come back in the file's order whatever the workers do. The titles are
// more than are kept in memory.
func TestManyRows(t *testing.T) {
	const n = 60_000
	words := strings.Repeat("wide and warm ", 6)
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(manageHead, "|", "\t") + "\n")
	for i := range n {
		fmt.Fprintf(&b, "S-%d\tF%d\tB%d\t%sTitle %d\tNew\t1.00\t%d\t%d\n", i, i/2, i, words, i, i/2, i%7)
		if i%3 == 0 {
			b.WriteString("\n")
		}
	}
	res := read(t, b.String())
	s := res.Snapshot
	if s.Len() != n || s.Pools() != n/2 || res.RowsRead != n {
		t.Fatalf("%d MSKUs, %d pools, %d rows", s.Len(), s.Pools(), res.RowsRead)
	}
	if s.side.spool == nil {
		t.Error("the titles were not spooled")
	}
	again := read(t, b.String())
	if string(bytesOf(t, s)) != string(bytesOf(t, again.Snapshot)) {
		t.Error("the same file gave other bytes")
	}
	opened, err := openBytes(t, bytesOf(t, s))
	if err != nil {
		t.Fatal(err)
	}
	for i := range int32(n) {
		it := opened.Item(i)
		if string(it.SKU) != fmt.Sprintf("S-%d", i) || it.ASIN != fmt.Sprintf("B%d", i) || it.Title != fmt.Sprintf("%sTitle %d", words, i) || it.Pool != i/2 {
			t.Fatalf("item %d: %s %s %q pool %d", i, it.SKU, it.ASIN, it.Title, it.Pool)
		}
	}
	if err := opened.Err(); err != nil {
		t.Error(err)
	}
	if len(res.Problems) != n/2 {
		t.Fatal(len(res.Problems), "problems")
	}
	for k, p := range res.Problems {
		i := 2*k + 1
		blanks := (i + 2) / 3
		if p.Code != removal.PoolDisagrees || p.Row != 2+i+blanks || p.Line != p.Row {
			t.Fatalf("problem %d: %s at row %d, line %d, want row %d", k, p.Code, p.Row, p.Line, 2+i+blanks)
		}
	}
}

func TestRealFiles(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "data", "real")
	for _, c := range []struct {
		file string
		skus int
	}{
		{"myi_ca_2018_title18_latin1.txt", 772},
		{"myi_us_2020_kebab21_utf8_fffd.txt", 520},
	} {
		t.Run(c.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, c.file))
			if os.IsNotExist(err) {
				t.Skip("skipped: the real exports are not here:", folder)
			}
			if err != nil {
				t.Fatal(err)
			}
			sheet, heading, headings := sheetOf(t, text)
			if k := kindOf(headings); k != removal.KindManageFBA {
				t.Fatal("kind", k)
			}
			res, err := Read(sheet, heading, headings, removal.KindManageFBA, ReadOptions{Date: day0})
			if err != nil {
				t.Fatal(err)
			}
			if res.RowsBad != 0 || res.RowsRead != c.skus || len(res.Ignored) != 0 {
				t.Errorf("%d rows, %d bad, ignored %v\n%s", res.RowsRead, res.RowsBad, res.Ignored, problems(res.Problems))
			}
			checkShared(t, sheet, heading, headings, res.Snapshot)
			if err := res.Snapshot.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// checkShared reads a file again row by row: no pool may hold more than any row
// of its FNSKU says, and some FNSKU must have several rows with units.
func checkShared(t *testing.T, sheet *decode.Sheet, heading int, headings []string, s *Snapshot) {
	m, err := variantOf(removal.KindManageFBA).mapColumns("", heading, headings)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sheet.Rows(heading)
	if err != nil {
		t.Fatal(err)
	}
	rows, sharing := map[string]int{}, 0
	for c, err := r.Next(); err == nil; c, err = r.Next() {
		var b decode.Block
		if err := c.Split(&b); err != nil {
			t.Fatal(err)
		}
		for i := range b.Len() {
			cells := b.Cells(i)
			fnsku := string(span(b.Data(), cells[m.col[fieldFNSKU]]))
			p := s.FindPool(fnsku)
			if p < 0 {
				t.Fatalf("no pool %s", fnsku)
			}
			units, _ := s.Units(p)
			figure, reason := quantity(span(b.Data(), cells[m.col[fieldSellable]]))
			if reason != "" || units > int64(figure) {
				t.Errorf("row %d: pool %s has %d, the row %d %s", b.Number(i), fnsku, units, figure, reason)
			}
			if rows[fnsku]++; rows[fnsku] == 2 {
				sharing++
			}
		}
		r.Recycle(c)
	}
	if s.Pools() != len(rows) || sharing < 40 {
		t.Errorf("%d pools of %d FNSKUs, %d of them shared", s.Pools(), len(rows), sharing)
	}
}
