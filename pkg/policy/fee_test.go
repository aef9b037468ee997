package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

func amount(t testing.TB, v string) removal.Amount {
	t.Helper()
	a, err := removal.ParseAmount(v)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// small fits every standard tier, big none.
func small(grams int64) Product {
	return Product{WeightG: grams, HasWeight: true, LongestMM: 200, MedianMM: 150, ShortestMM: 10, HasSize: true}
}

func big(grams int64) Product {
	return Product{WeightG: grams, HasWeight: true, LongestMM: 1000, MedianMM: 300, ShortestMM: 300, HasSize: true}
}

// Every figure is worked out by hand from data/removal_fees.csv.
func TestRemovalFee(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	const ret, disp = removal.Return, removal.Disposal
	for _, c := range []struct {
		store  string
		method removal.Method
		on     string
		p      Product
		want   string
	}{
		{"SE", ret, "2026-11-23", small(1), "2.91"}, {"SE", ret, "2026-11-23", small(200), "2.91"}, {"SE", ret, "2026-11-23", small(201), "3.92"},
		{"SE", ret, "2026-11-23", small(500), "3.92"}, {"SE", ret, "2026-11-23", small(501), "7.84"}, {"SE", ret, "2026-11-23", small(1000), "7.84"},
		{"SE", ret, "2026-11-23", small(1001), "15.48"}, // 9.75 + 1 started kg × 5.73
		{"SE", ret, "2026-11-23", small(2000), "15.48"}, {"SE", ret, "2026-11-23", small(2001), "21.21"},
		{"SE", ret, "2026-11-23", big(500), "9.75"}, {"SE", ret, "2026-11-23", big(501), "19.50"}, {"SE", ret, "2026-11-23", big(1001), "23.72"},
		{"SE", ret, "2026-11-23", big(5000), "34.95"}, {"SE", ret, "2026-11-23", big(5001), "46.68"}, {"SE", ret, "2026-11-23", big(6001), "52.41"},
		{"DE", ret, "2026-11-23", small(200), "0.46"}, {"DE", ret, "2026-11-23", small(1001), "2.83"}, {"DE", ret, "2026-11-23", big(5001), "10.83"},
		{"DE", ret, "2022-06-01", small(200), "0.29"}, {"DE", ret, "2022-12-31", small(200), "0.29"}, {"DE", ret, "2023-01-01", small(200), "0.46"},
		{"BE", ret, "2026-11-23", big(2000), "5.86"},
		{"GB", ret, "2026-11-23", small(500), "0.61"}, {"GB", ret, "2026-11-23", small(1500), "2.42"}, {"GB", ret, "2022-06-01", big(6000), "4.47"},
		// 0.5 lb is 226.8 g, 1 lb 453.6 g, 2 lb 907.2 g, 3 lb 1360.8 g.
		{"US", ret, "2026-11-23", small(227), "0.84"}, {"US", ret, "2026-11-23", small(228), "1.53"}, {"US", ret, "2026-11-23", small(454), "1.53"},
		{"US", ret, "2026-11-23", small(455), "2.27"}, {"US", ret, "2026-11-23", small(907), "2.27"},
		{"US", ret, "2026-11-23", small(908), "3.95"},  // 2.89 + 1 started lb × 1.06
		{"US", ret, "2026-11-23", small(1361), "3.95"}, // 3 lb
		{"US", ret, "2026-11-23", small(1362), "5.01"},
		{"US", disp, "2026-11-23", small(227), "0.84"},
		{"US", disp, "2026-11-23", big(453), "3.12"}, {"US", disp, "2026-11-23", big(4536), "10.04"}, // 10 lb
		{"US", disp, "2026-11-23", big(4537), "15.38"}, {"US", disp, "2026-11-23", big(4990), "15.38"}, {"US", disp, "2026-11-23", big(4991), "16.44"}, // 11 lb is 4989.5 g
		{"US", ret, "2026-01-14", small(100), "1.04"}, {"US", ret, "2026-01-15", small(100), "0.84"},
		{"US", ret, "2024-02-05", small(100), "1.04"}, {"US", ret, "2024-02-04", small(100), "0.52"},
		{"US", ret, "2022-01-18", big(5000), "8.51"}, // 11.02 lb: 7.25 + 2 × 0.63
		{"US", ret, "2022-01-17", small(100), "0.32"}, {"US", ret, "2021-05-31", small(908), "0.60"},
	} {
		st := mustStore(t, s, c.store, date(c.on), nil)
		got, ok, reason := s.RemovalFee(st, c.method, c.store, c.p, date(c.on))
		if !ok || got != amount(t, c.want) {
			t.Errorf("%s %s on %s, %d g: %s (%s), want %s", c.store, c.method, c.on, c.p.WeightG, got, reason, c.want)
		}
	}
}

func TestRemovalFeeReasons(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	noSize := func(g int64) Product { return Product{WeightG: g, HasWeight: true} }
	for _, c := range []struct {
		store   string
		method  removal.Method
		country string
		on      string
		p       Product
		want    string // a reason, or the figure
	}{
		{"SE", removal.Disposal, "", "2026-11-23", small(100), ReasonDisposal},
		{"GB", removal.Disposal, "", "2026-11-23", small(100), ReasonDisposal},
		{"IE", removal.Return, "IE", "2026-11-23", small(100), ReasonRate},
		{"IE", removal.Disposal, "", "2026-11-23", small(100), ReasonRate},
		{"JP", removal.Return, "JP", "2026-11-23", small(100), ReasonRate},
		{"PL", removal.Return, "PL", "2026-11-23", small(100), ReasonRate}, // the card is in EUR, the store in PLN
		{"SE", removal.Return, "DE", "2026-11-23", small(100), ReasonCrossBorder},
		{"SE", removal.Return, "DE", "2026-11-23", Product{}, ReasonCrossBorder},
		{"SE", removal.Return, "SE", "2026-11-23", Product{}, ReasonWeight},
		{"SE", removal.Return, "SE", "2026-11-23", Product{HasWeight: true, LongestMM: 1, MedianMM: 1, ShortestMM: 1, HasSize: true}, ReasonWeight},
		{"SE", removal.Return, "SE", "2026-11-23", noSize(100), ReasonSize},
		{"SE", removal.Return, "SE", "2026-11-23", noSize(11901), "81.06"}, // no standard tier takes it: 40.95 + 7 × 5.73
		{"SE", removal.Return, "", "2026-11-23", small(100), "2.91"},
		{"SE", removal.Return, "SE", "2022-03-30", small(100), ReasonRate},
		{"US", removal.Disposal, "", "2020-12-31", small(100), ReasonRate},
		{"US", removal.MethodNone, "", "2026-11-23", small(100), ReasonRate},
		{"US", removal.Return, "US", "2026-11-23", noSize(9072), ReasonSize}, // 20 lb may still be standard
		{"US", removal.Return, "US", "2026-11-23", noSize(9073), "25.98"},    // 20.002 lb: 14.32 + 11 started lb × 1.06
	} {
		st := mustStore(t, s, c.store, date(c.on), nil)
		got, ok, reason := s.RemovalFee(st, c.method, c.country, c.p, date(c.on))
		if reason == "" {
			reason = got.String()
		}
		if reason != c.want || ok != (got != 0) {
			t.Errorf("%s %s to %q on %s %+v: %s, want %s", c.store, c.method, c.country, c.on, c.p, reason, c.want)
		}
	}
	pl := mustStore(t, s, "PL", today, map[string]string{"currency": "EUR"})
	if got, ok, _ := s.RemovalFee(pl, removal.Return, "PL", small(100), today); !ok || got != amount(t, "0.46") {
		t.Errorf("PL charged in EUR: %s %v", got, ok)
	}
}

// No two cards may answer the same question on the same day.
func TestCardsDoNotOverlap(t *testing.T) {
	t.Parallel()
	n := 0
	for store, all := range mustLoad(t).schedules {
		for i, x := range all {
			n++
			if x.period.from == firstDay || x.card.Period == "" || x.card.Source == "" || x.card.Certainty == "" {
				t.Errorf("%s: the card of line %d has no start, certainty or source", store, x.line)
			}
			for _, y := range all[:i] {
				if x.rivals(y) && x.overlaps(y.period) {
					t.Errorf("%s: lines %d and %d overlap", store, x.line, y.line)
				}
			}
		}
	}
	// US: 5 cards × 2 methods × 2 classes; SE 2, GB 4, DE FR IT ES NL PL 4 each, BE 2.
	if want := 20 + 2 + 4 + 6*4 + 2; n != want {
		t.Errorf("%d schedules, want %d", n, want)
	}
}

func TestOwnCards(t *testing.T) {
	t.Parallel()
	s, err := Load(folder("removal_fees.csv", `card,stores,methods,destination,size_class,weight_over,weight_up_to,weight_unit,fee,extra_fee,extra_per,extra_over,currency,effective_from,effective_to
mine,SE,return,home,standard,0,1,kg,5.00,,,,SEK,2026-01-01,2026-12-31
mine,SE,return,home,standard,1,,kg,6.00,2.50,0.5,1,SEK,2026-01-01,2026-12-31
abroad,SE,return,abroad,,0,,kg,40,10,1,2,SEK,2026-01-01,
norway,SE,return,NO|FI,any,0,20,kg,55,,,,SEK,2026-01-01,
bin,SE,disposal,,any,0,,kg,1.2345,,,,SEK,2026-01-01,
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		on, country string
		m           removal.Method
		p           Product
		want        string
	}{
		{"2025-12-31", "SE", removal.Return, small(500), "3.92"}, {"2026-01-01", "SE", removal.Return, small(500), "5.00"},
		{"2026-12-31", "SE", removal.Return, small(500), "5.00"}, {"2027-01-01", "SE", removal.Return, small(500), "3.92"},
		{"2026-06-01", "SE", removal.Return, small(1501), "11.00"}, // 6.00 + 2 started half kilos × 2.50
		{"2026-06-01", "SE", removal.Return, big(500), "9.75"},     // the embedded card of the other class stays
		{"2026-06-01", "DE", removal.Return, Product{WeightG: 2001, HasWeight: true}, "50.00"},
		{"2026-06-01", "NO", removal.Return, Product{WeightG: 2001, HasWeight: true}, "55.00"},
		{"2026-06-01", "FI", removal.Return, Product{WeightG: 20001, HasWeight: true}, ReasonRate},
		{"2026-06-01", "", removal.Disposal, Product{WeightG: 1, HasWeight: true}, "1.2345"},
		{"2025-06-01", "DE", removal.Return, small(500), ReasonCrossBorder},
	} {
		st := mustStore(t, s, "SE", date(c.on), nil)
		got, _, reason := s.RemovalFee(st, c.m, c.country, c.p, date(c.on))
		if reason == "" {
			reason = got.String()
		}
		if reason != c.want {
			t.Errorf("%s to %q on %s, %d g: %s, want %s", c.m, c.country, c.on, c.p.WeightG, reason, c.want)
		}
	}
	st := mustStore(t, s, "SE", today, nil)
	card, ok := s.FeeCard(st, today).Card(removal.Return, "SE", small(500))
	want := Card{Name: "mine", From: "2026-01-01", To: "2026-12-31", Own: true, Class: "standard"}
	if diff := cmp.Diff(want, card); !ok || diff != "" {
		t.Error(diff)
	}
}

func TestSizeTier(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	p := func(g, a, b, c int64) Product {
		return Product{WeightG: g, HasWeight: true, LongestMM: a, MedianMM: b, ShortestMM: c, HasSize: a > 0}
	}
	for _, c := range []struct {
		store, on   string
		p           Product
		tier, class string
	}{
		{"SE", "2026-11-23", p(80, 200, 150, 10), "small envelope", "standard"},
		{"SE", "2026-11-23", p(81, 200, 150, 10), "standard envelope", "standard"},
		{"SE", "2026-11-23", p(80, 10, 150, 200), "small envelope", "standard"}, // in any order
		{"SE", "2026-11-23", p(460, 330, 230, 25), "standard envelope", "standard"},
		{"SE", "2026-11-23", p(460, 330, 230, 26), "large envelope", "standard"},
		{"SE", "2026-11-23", p(900, 330, 230, 60), "extra large envelope", "standard"},
		{"GB", "2026-11-23", p(3900, 350, 250, 120), "small parcel", "standard"},
		{"GB", "2026-11-23", p(11900, 450, 340, 260), "standard parcel", "standard"},
		{"GB", "2026-11-23", p(11901, 450, 340, 260), "standard oversize", "oversize"},
		{"GB", "2026-11-23", p(1760, 610, 460, 460), "small oversize", "oversize"},
		{"GB", "2026-11-23", p(1000, 451, 340, 260), "small oversize", "oversize"},
		{"DE", "2026-11-23", p(1000, 1201, 600, 600), "special oversize", "oversize"}, // length and girth 3601 mm
		{"DE", "2026-11-23", p(1000, 1750, 400, 400), "large oversize", "oversize"},
		{"DE", "2026-11-23", p(31501, 100, 100, 100), "special oversize", "oversize"},
		{"GB", "2021-12-31", p(12000, 450, 340, 260), "standard", "standard"},
		{"GB", "2022-02-01", p(12000, 450, 340, 260), "", ""},
		{"US", "2026-11-23", p(454, 381, 305, 19), "small standard-size", "standard"}, // 16 oz, 15 × 12 × 0.75 in
		{"US", "2026-11-23", p(455, 381, 305, 19), "large standard-size", "standard"},
		{"US", "2026-11-23", p(9072, 457, 356, 203), "large standard-size", "standard"}, // 20 lb, 18 × 14 × 8 in
		{"US", "2026-11-23", p(9072, 458, 356, 203), "large bulky", "oversize"},
		{"US", "2024-02-04", p(9072, 458, 356, 203), "small oversize", "oversize"},
		{"US", "2026-11-23", p(22680, 1499, 838, 838), "extra-large 0 to 50 lb", "oversize"}, // over 130 in
		{"US", "2026-11-23", p(22681, 1000, 100, 100), "extra-large 50+ to 70 lb", "oversize"},
		{"US", "2026-11-23", p(70000, 1000, 100, 100), "extra-large 150+ lb", "oversize"},
		{"JP", "2026-11-23", p(250, 250, 180, 20), "small", "small"}, {"JP", "2026-11-23", p(251, 250, 180, 20), "standard", "standard"},
		{"JP", "2026-11-23", p(9000, 450, 350, 200), "standard", "standard"}, {"JP", "2026-11-23", p(9001, 450, 350, 200), "oversize", "oversize"},
		{"JP", "2026-11-23", p(50001, 450, 350, 200), "", ""},
		{"SE", "2026-11-23", p(12000, 0, 0, 0), "", "oversize"}, {"SE", "2026-11-23", p(1000, 0, 0, 0), "", ""},
		{"IN", "2026-11-23", p(100, 10, 10, 10), "", ""},
	} {
		tier, class, ok := s.SizeTier(mustStore(t, s, c.store, date(c.on), nil), c.p, date(c.on))
		if tier != c.tier || class != c.class || ok != (c.class != "") {
			t.Errorf("%s on %s %+v: %q %q %v, want %q %q", c.store, c.on, c.p, tier, class, ok, c.tier, c.class)
		}
	}
}

func TestOwnTiers(t *testing.T) {
	t.Parallel()
	s, err := Load(folder("size_tiers.csv", "region,tier,class,longest,dim_unit,effective_from\nUS,tiny,small,1,in,2027-01-01\nUS,rest,oversize,,,2027-01-01\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := Product{WeightG: 10, HasWeight: true, LongestMM: 25, MedianMM: 25, ShortestMM: 25, HasSize: true}
	for on, want := range map[string]string{"2026-12-31": "large standard-size", "2027-01-01": "tiny"} {
		if tier, _, _ := s.SizeTier(mustStore(t, s, "US", date(on), nil), p, date(on)); tier != want {
			t.Errorf("on %s: %q, want %q", on, tier, want)
		}
	}
}

func TestStorageFee(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	const (
		k448 = 6660122 // 0.2352 ft³
		toy  = 280 * 202 * 50
		book = 210 * 150 * 15
	)
	for _, c := range []struct {
		store      string
		age        int
		units, mm3 int64
		on, want   string
	}{
		{"US", 365, 7, k448, "2016-08-15", "37.04"}, // 7 × 0.2352 × 22.50
		{"GB", 365, 1, toy, "2020-08-15", "0.43"}, {"GB", 365, 2, toy, "2020-08-15", "0.86"},
		{"GB", 365, 1, book, "2020-08-15", "0.10"}, {"GB", 365, 2, book, "2020-08-15", "0.20"},
		{"GB", 364, 2, book, "2026-11-23", "0.00"}, {"GB", 400, 2, book, "2026-11-23", "0.20"}, {"GB", 400, 2, 0, "2026-11-23", ReasonSize},
		{"GB", 400, 2, book, "2019-08-14", ReasonRate},
		{"US", 200, 10, k448, "2020-02-15", "0.00"}, {"US", 200, 10, k448, "2020-02-14", "8.11"}, // 10 × 0.2352 × 3.45
		{"US", 365, 1, book, "2020-02-14", "0.50"}, {"US", 365, 1, book, "2020-02-15", "0.15"},
		{"US", 365, 1, k448, "2023-04-15", "0.99"},     // 4.20, the range to 365
		{"US", 366, 1, k448, "2023-04-15", "1.62"},     // 6.90
		{"US", 300, 1, k448, "2024-06-15", ReasonRate}, // raised, to what is not known
		{"US", 455, 1, book, "2026-01-15", "0.30"}, {"US", 456, 1, book, "2026-01-15", "0.35"}, {"US", 456, 1, k448, "2026-01-15", "1.86"},
		{"SE", 400, 1, toy, "2026-11-23", ReasonRate}, {"SE", 300, 1, toy, "2026-11-23", "0.00"}, {"DE", 400, 1, toy, "2026-11-23", ReasonRate},
		{"IN", 150, 1, toy, "2026-11-23", ReasonRate}, {"IN", 149, 1, toy, "2026-11-23", "0.00"}, {"JP", 500, 1, toy, "2026-11-23", ReasonRate},
	} {
		got, ok, reason := s.StorageFee(mustStore(t, s, c.store, today, nil), c.age, c.units, c.mm3, date(c.on))
		if reason == "" {
			reason = got.String()
		}
		if reason != c.want || ok == (reason == ReasonRate || reason == ReasonSize) {
			t.Errorf("%s, %d days, %d units on %s: %s, want %s", c.store, c.age, c.units, c.on, reason, c.want)
		}
	}
	own, err := Load(folder("aged_surcharge.csv", "stores,age_from_days,rate,volume_unit,min_per_unit,currency,effective_from\nSE,365,1600,m3,1,SEK,2026-01-01\nJP,365,100,ft3,,JPY,\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok, _ := own.StorageFee(mustStore(t, own, "SE", today, nil), 365, 3, toy, today); !ok || got != amount(t, "13.57") { // 3 × 0.002828 × 1600
		t.Errorf("own rate: %s %v", got, ok)
	}
	if got, ok, _ := own.StorageFee(mustStore(t, own, "JP", today, nil), 365, 3, toy, today); !ok || got != amount(t, "30") { // 29.96 in whole yen
		t.Errorf("yen: %s %v", got, ok)
	}
}

func TestFeeAllocatesNothing(t *testing.T) {
	s := mustLoad(t)
	card := s.FeeCard(mustStore(t, s, "SE", today, nil), today)
	se, _ := s.Country("SE")
	us, _ := s.Country("US")
	line, code, postal := []byte("Storgatan 12 B, plan 3, c/o Andersson"), []byte("SE"), []byte("211 43")
	for name, f := range map[string]func(){
		"fee":     func() { card.Fee(removal.Return, "SE", small(1500)) },
		"abroad":  func() { card.Fee(removal.Return, "DE", small(1500)) },
		"country": func() { s.Country(string(code)) },
		"postal":  func() { se.PostalValidBytes(postal) },
		"state":   func() { us.State("CA") },
		"box":     func() { PostBoxLine(line) },
		"phone":   func() { PhoneValid("SE", "+46 70 123 45 67") },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkFee(b *testing.B) {
	s := mustLoad(b)
	card := s.FeeCard(mustStore(b, s, "US", today, nil), today)
	p := big(4000)
	for b.Loop() {
		card.Fee(removal.Disposal, "", p)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := load(nil); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	if got := dayOf(time.Date(2026, 1, 15, 0, 30, 0, 0, stockholm)).String(); got != "2026-01-15" {
		t.Errorf("half past midnight in Stockholm is on %s", got)
	}
	p := period{10, 20}
	for _, c := range []struct {
		q    period
		want []period
	}{
		{period{0, 9}, []period{{10, 20}}}, {period{0, 10}, []period{{11, 20}}}, {period{12, 15}, []period{{10, 11}, {16, 20}}},
		{period{20, lastDay}, []period{{10, 19}}}, {period{firstDay, lastDay}, nil},
	} {
		if got := p.without(c.q); !slices.Equal(got, c.want) {
			t.Errorf("without %v: %v, want %v", c.q, got, c.want)
		}
	}
}
