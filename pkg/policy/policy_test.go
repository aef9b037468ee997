package policy

import (
	"encoding/csv"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"rensa/pkg/removal"
)

func mustLoad(t testing.TB) *Set {
	t.Helper()
	s, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustStore(t testing.TB, s *Set, code string, on time.Time, overrides map[string]string) Store {
	t.Helper()
	st, err := s.Store(code, on, overrides)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func date(v string) time.Time {
	t, err := time.Parse(time.DateOnly, v)
	if err != nil {
		panic(err)
	}
	return t
}

func folder(files ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return m
}

var today = date("2026-11-23")

func TestEveryStoreLoads(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	want := strings.Fields("SE DE FR IT ES NL PL BE IE GB TR US CA MX BR SA EG AE JP AU IN")
	if got := s.Stores(); !slices.Equal(got, want) {
		t.Fatalf("stores %v, want %v", got, want)
	}
	for _, code := range want {
		st := mustStore(t, s, code, today, nil)
		if st.Code != code || st.Country != code || len(st.Languages) == 0 || st.HoldDays != 30 ||
			len(st.NoticeSteps) != 4 || st.MaxSKUsPerFile != 10000 || st.CleanupDay != 15 || len(st.Methods) != 2 {
			t.Errorf("%s: %+v", code, st)
		}
		if !st.OpenRemovalsExcluded || !slices.Equal(st.Assumed, []string{"open_removals_excluded"}) {
			t.Errorf("%s: open removals excluded %v, assumed %v", code, st.OpenRemovalsExcluded, st.Assumed)
		}
	}
	se := mustStore(t, s, "SE", today, nil)
	if se.Currency != "SEK" || se.TimeZone != "Europe/Stockholm" || se.CrossBorder != CrossBorderUpload || se.PostBoxForbidden ||
		!slices.Equal(se.CancelIn, []removal.State{"planning", "pending", "processing"}) ||
		!slices.Equal(se.NoticeSteps, []int{14, 7, 3, 1}) || !slices.Equal(se.ReturnableHazmatClasses, []string{"8", "9"}) ||
		se.HoldDaysExpiry != 7 || se.CustomerRecipients != 5 || se.CustomerUnits != 2 || se.SnapshotMaxAgeDays != 3 ||
		se.ExpectedDaysMin != 10 || se.ExpectedDaysMax != 14 || se.ExpectedDaysPeakMax != 30 || se.LTSFFromDays != 365 {
		t.Errorf("SE: %+v", se)
	}
	if in := mustStore(t, s, "IN", today, nil); in.LTSFFromDays != 150 {
		t.Errorf("IN is charged from %d days", in.LTSFFromDays)
	}
	if br := mustStore(t, s, "BR", today, nil); slices.Contains(br.CancelIn, removal.StateProcessing) {
		t.Error("BR cancels in processing")
	}
	if gb := mustStore(t, s, "GB", today, nil); gb.ClaimDays != 74 {
		t.Errorf("GB claims for %d days", gb.ClaimDays)
	}
	for _, c := range []string{"SA", "EG"} {
		if mustStore(t, s, c, today, nil).RecalledReturnable {
			t.Errorf("%s returns recalled units", c)
		}
	}
	for _, c := range []string{"US", "CA", "MX"} {
		if !mustStore(t, s, c, today, nil).PostBoxForbidden {
			t.Errorf("%s allows post boxes", c)
		}
	}
}

// The embedded table is the facts' table, column for column.
func TestStoresAgreeWithTheFacts(t *testing.T) {
	t.Parallel()
	facts, err := os.ReadFile("../../../shared/data/stores.csv")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the table of facts is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	want, err := csv.NewReader(strings.NewReader(string(facts))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	data, err := embedded.ReadFile("tables/stores.csv")
	if err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for c, name := range want[0] {
		at := slices.Index(got[0], name)
		if at < 0 {
			t.Errorf("no column %s", name)
			continue
		}
		for r := 1; r < len(want); r++ {
			if got[r][at] != want[r][c] {
				t.Errorf("%s %s: %q, want %q", want[r][0], name, got[r][at], want[r][c])
			}
		}
	}
}

func TestCrossBorder(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	for _, c := range []struct {
		store, country string
		overrides      map[string]string
		want           bool
	}{
		{"SE", "SE", nil, true}, {"SE", "DE", nil, true}, {"SE", "NO", nil, true}, {"SE", "CH", nil, true},
		{"SE", "US", nil, false}, {"SE", "TR", nil, false}, {"SE", "", nil, false}, {"SE", "XX", nil, false},
		{"US", "US", nil, true}, {"US", "CA", nil, false}, {"SA", "AE", nil, false},
		{"US", "CA", map[string]string{"policy.cross_border": "any"}, true},
		{"SE", "DE", map[string]string{"cross_border_countries": "NO|FI"}, false},
		{"SE", "FI", map[string]string{"cross_border_countries": "NO|FI"}, true},
		{"DE", "FR", map[string]string{"cross_border": "never"}, false},
	} {
		if got := mustStore(t, s, c.store, today, c.overrides).CrossBorderTo(c.country); got != c.want {
			t.Errorf("%s to %s with %v: %v", c.store, c.country, c.overrides, got)
		}
	}
	// An override is the merchant's alone.
	if mustStore(t, s, "SE", today, nil).CrossBorderTo("DE") != true {
		t.Error("an override changed the store")
	}
}

func TestStoreOverrides(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	st := mustStore(t, s, "SE", today, map[string]string{
		"policy.hold_days": "45", "notice_steps": "10|2", "methods": "disposal", "open_removals_excluded": "no",
		"returnable_hazmat_classes": "", "currency": "EUR",
	})
	if st.HoldDays != 45 || !slices.Equal(st.NoticeSteps, []int{10, 2}) || st.Allows(removal.Return) || !st.Allows(removal.Disposal) ||
		st.OpenRemovalsExcluded || len(st.Assumed) != 0 || st.HazmatReturnable("9") || st.Currency != "EUR" {
		t.Errorf("%+v", st)
	}
	for _, c := range []struct{ store, key, value, badKey, near string }{
		{"UK", "", "", "store", "GB"}, {"se", "", "", "store", "SE"}, {"Sverige", "", "", "store", "SE"}, {"QQ", "", "", "store", ""},
		{"SE", "policy.hold_dayz", "3", "hold_dayz", "hold_days"},
		{"SE", "country", "DE", "country", ""}, {"SE", "effective_from", "2020-01-01", "effective_from", ""},
		{"SE", "hold_days", "0", "hold_days", ""}, {"SE", "hold_days", "ten", "hold_days", ""}, {"SE", "hold_days", "", "hold_days", ""},
		{"SE", "cross_border", "uplod", "cross_border", "upload"}, {"SE", "post_box_forbidden", "yess", "post_box_forbidden", "yes"},
		{"SE", "methods", "return|dispsal", "methods", "disposal"}, {"SE", "methods", "", "methods", ""},
		{"SE", "methods", "return|return", "methods", ""}, {"SE", "cancel_in", "plannin", "cancel_in", "planning"},
		{"SE", "cross_border_countries", "DE|UK", "cross_border_countries", "GB"}, {"SE", "cross_border_countries", "de", "cross_border_countries", "DE"},
		{"SE", "time_zone", "Europe/Malmo", "time_zone", ""}, {"SE", "notice_steps", "7|14", "notice_steps", ""},
		{"SE", "cleanup_day", "31", "cleanup_day", ""}, {"SE", "expected_days_max", "3", "expected_days_max", ""},
		{"SE", "returnable_hazmat_classes", "9|x", "returnable_hazmat_classes", ""}, {"SE", "currency", "kr", "currency", ""},
	} {
		overrides := map[string]string{}
		if c.key != "" {
			overrides[c.key] = c.value
		}
		_, err := s.Store(c.store, today, overrides)
		var e *PolicyError
		if !errors.As(err, &e) {
			t.Errorf("%v: no error (%v)", c, err)
			continue
		}
		if e.Key != c.badKey || e.Near != c.near {
			t.Errorf("%v: key %q, near %q: %v", c, e.Key, e.Near, e)
		}
	}
	if _, err := s.Store("SE", date("1999-12-31"), nil); err == nil {
		t.Error("a policy before there was one")
	}
}

func TestHazmatReturnable(t *testing.T) {
	t.Parallel()
	se := mustStore(t, mustLoad(t), "SE", today, nil)
	for class, want := range map[string]bool{"": true, "8": true, "9": true, "Class 9": true, "3": false, "4.1": false, "lithium": false} {
		if se.HazmatReturnable(class) != want {
			t.Errorf("class %q: %v", class, !want)
		}
	}
}

func TestOverrideFolder(t *testing.T) {
	t.Parallel()
	base := mustLoad(t)
	_, err := Load(folder("stores.csv", "store,effective_from,effective_to,hold_days\nSE,2027-01-01,2027-12-31,60\nNO,,,1\n"))
	if err == nil || !strings.Contains(err.Error(), "stores.csv line 3") {
		t.Fatalf("a new store without its columns: %v", err)
	}
	s, err := Load(folder(
		"README.txt", "not a table",
		"stores.csv", "\xef\xbb\xbfstore,effective_from,effective_to,hold_days\r\nSE,2027-01-01,2027-12-31,60\r\n",
		"countries.csv", "code,postal_pattern,postal_example\nPL,\\d{2}-?\\d{3},00-950\n",
		"country_aliases.csv", "alias,code\nEN,GB\n",
		"states.csv", "country,code,name\nAU,JBT,Jervis Bay Territory\n",
	))
	if err != nil {
		t.Fatal(err)
	}
	for on, want := range map[string]int{"2026-12-31": 30, "2027-01-01": 60, "2027-12-31": 60, "2028-01-01": 30} {
		st := mustStore(t, s, "SE", date(on), nil)
		if st.HoldDays != want || st.Currency != "SEK" {
			t.Errorf("on %s: %d days, %s", on, st.HoldDays, st.Currency)
		}
	}
	if pl, _ := s.Country("PL"); !pl.PostalValid("00950") || pl.Name != "Poland" || !pl.PostalRequired {
		t.Errorf("%+v", pl)
	}
	if c, _ := s.CountryAlias("EN"); c != "GB" {
		t.Errorf("EN is %q", c)
	}
	if au, _ := s.Country("AU"); au.NearestState("Jervis Bay Teritory") != "JBT" {
		t.Error("a state of the user's own is not known")
	}
	if pl, _ := base.Country("PL"); pl.PostalValid("00950") {
		t.Error("the embedded set changed")
	}
	if s.Version() == base.Version() || len(s.Version()) != 12 {
		t.Errorf("versions %s and %s", s.Version(), base.Version())
	}
	again, err := Load(fstest.MapFS{})
	if err != nil || again.Version() != base.Version() {
		t.Errorf("an empty folder: %v", err)
	}
	if none, err := Load(os.DirFS("no-such-folder")); err != nil || none.Version() != base.Version() {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// A new store may be added whole, and a store's rules given for two periods.
func TestOwnStores(t *testing.T) {
	t.Parallel()
	data, err := embedded.ReadFile("tables/stores.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitN(string(data), "\n", 3)
	norway := strings.NewReplacer("SE,2020-01-01,,assumed,SE,SEK", "NO,2026-01-01,,stated,NO,NOK", "Europe/Stockholm", "Europe/Oslo").Replace(lines[1])
	s, err := Load(folder("stores.csv", lines[0]+"\n"+norway+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if no := mustStore(t, s, "NO", today, nil); no.Currency != "NOK" || no.TimeZone != "Europe/Oslo" || !no.CrossBorderTo("SE") {
		t.Errorf("%+v", no)
	}
	s, err = Load(folder("stores.csv", "store,effective_to,effective_from,hold_days\nSE,2026-12-31,,20\nSE,,2027-01-01,25\n"))
	if err != nil {
		t.Fatal(err)
	}
	for on, want := range map[string]int{"2000-01-01": 20, "2026-12-31": 20, "2027-01-01": 25} {
		if got := mustStore(t, s, "SE", date(on), nil).HoldDays; got != want {
			t.Errorf("on %s: %d, want %d", on, got, want)
		}
	}
}

func TestOverrideErrors(t *testing.T) {
	t.Parallel()
	const fees = "card,stores,methods,size_class,weight_over,weight_up_to,weight_unit,fee,currency,effective_from\n"
	for _, c := range []struct {
		name, file, data string
		line             int
		column, near     string
	}{
		{"table name", "removal_fee.csv", "a\n", 0, "", "removal_fees.csv"},
		{"column", "stores.csv", "store,hold_dayz\nSE,3\n", 1, "hold_dayz", "hold_days"},
		{"column twice", "stores.csv", "store,hold_days,hold_days\nSE,3,3\n", 1, "hold_days", ""},
		{"value", "stores.csv", "store,cross_border\n\nSE,uplod\n", 3, "cross_border", "upload"},
		{"value after a cell of two lines", "stores.csv", "store,source,cross_border\nSE,\"a\nb\",upload\nDE,c,nevr\n", 4, "cross_border", "never"},
		{"number", "stores.csv", "store,hold_days\nSE,soon\n", 2, "hold_days", ""},
		{"row length", "stores.csv", "store,hold_days\nSE\n", 2, "", ""},
		{"empty", "stores.csv", "", 0, "", ""},
		{"overlap", "stores.csv", "store,effective_from,hold_days\nSE,2027-01-01,3\nSE,2027-06-01,4\n", 3, "effective_from", ""},
		{"date", "stores.csv", "store,effective_from\nSE,1/2/2027\n", 2, "effective_from", ""},
		{"ends", "stores.csv", "store,effective_from,effective_to\nSE,2027-02-01,2027-01-01\n", 2, "effective_to", ""},
		{"pattern", "countries.csv", "code,postal_pattern,postal_example\nSE,\\d+,1\n", 2, "postal_pattern", ""},
		{"broken pattern", "countries.csv", "code,postal_pattern,postal_example\nSE,(,1\n", 2, "postal_pattern", ""},
		{"pattern of too many forms", "countries.csv", "code,postal_pattern,postal_example\nSE,\\d?[A-Z]?\\d?[A-Z]?\\d?[A-Z]?\\d?[A-Z]?\\d?,1\n", 2, "postal_pattern", ""},
		{"example", "countries.csv", "code,postal_pattern,postal_example\nSE,\\d{5},1\n", 2, "postal_example", ""},
		{"state demanded", "countries.csv", "code,state_required\nSE,yes\n", 0, "state_required", ""},
		{"alias", "country_aliases.csv", "alias,code\nSE,DE\n", 2, "alias", ""},
		{"alias of nothing", "country_aliases.csv", "alias,code\nXY,QQ\n", 2, "code", ""},
		{"state of nothing", "states.csv", "country,code,name\nQQ,A,B\n", 2, "country", ""},
		{"state's name", "states.csv", "country,code,name\nUS,XX,Ohio\n", 2, "other_names", ""},
		{"key twice", "states.csv", "country,code,name\nUS,OH,Ohio\nUS,OH,Ohio\n", 3, "code", ""},
		{"store", "removal_fees.csv", fees + "c,UK,return,any,0,,g,1,GBP,\n", 2, "stores", ""},
		{"near store", "removal_fees.csv", fees + "c,SEE,return,any,0,,g,1,SEK,\n", 2, "stores", "SE"},
		{"method", "removal_fees.csv", fees + "c,SE,retrn,any,0,,g,1,SEK,\n", 2, "methods", "return"},
		{"class", "removal_fees.csv", fees + "c,SE,return,standrd,0,,g,1,SEK,\n", 2, "size_class", "standard"},
		{"unit", "removal_fees.csv", fees + "c,SE,return,any,0,,stone,1,SEK,\n", 2, "weight_unit", ""},
		{"money", "removal_fees.csv", fees + "c,SE,return,any,0,,g,1.23456,SEK,\n", 2, "fee", ""},
		{"comma", "removal_fees.csv", fees + "c,SE,return,any,0,,g,\"1,50\",SEK,\n", 2, "fee", ""},
		{"below zero", "removal_fees.csv", fees + "c,SE,return,any,0,,g,-1,SEK,\n", 2, "fee", ""},
		{"gap", "removal_fees.csv", fees + "c,SE,return,any,0,100,g,1,SEK,\nc,SE,return,any,200,,g,2,SEK,\n", 3, "weight_over", ""},
		{"overlapping cards", "removal_fees.csv", fees + "c,SE,return,any,0,,g,1,SEK,2026-01-01\nd,SE,return,standard,0,,g,1,SEK,2026-05-01\n", 3, "effective_from", ""},
		{"no column", "removal_fees.csv", "card,stores\nc,SE\n", 2, "methods", ""},
		{"tier's region", "size_tiers.csv", "region,tier,class\nUX,x,standard\n", 2, "region", ""},
		{"tier's class", "size_tiers.csv", "region,tier,class\nUS,x,oversized\n", 2, "class", "oversize"},
		{"tier's unit", "size_tiers.csv", "region,tier,class,max_weight,weight_unit\nUS,x,oversize,3,ton\n", 2, "weight_unit", ""},
		{"ages", "aged_surcharge.csv", "stores,age_from_days,rate,volume_unit,currency\nSE,300,1,m3,SEK\nSE,365,1,m3,SEK\n", 3, "age_from_days", ""},
		{"volume", "aged_surcharge.csv", "stores,age_from_days,rate,volume_unit,currency\nSE,300,1,litre,SEK\n", 2, "volume_unit", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(folder(c.file, c.data))
			var e *TableError
			if !errors.As(err, &e) {
				t.Fatalf("no table error: %v", err)
			}
			if e.File != c.file && c.name != "state demanded" || e.Line != c.line || e.Column != c.column || e.Near != c.near {
				t.Errorf("file %q line %d column %q near %q: %v", e.File, e.Line, e.Column, e.Near, e)
			}
			if c.near != "" && !strings.Contains(err.Error(), c.near) {
				t.Errorf("%v does not name %s", err, c.near)
			}
		})
	}
}
