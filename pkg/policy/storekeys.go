package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the zones of the stores must be known on machines without zone files

	"rensa/pkg/removal"
)

type storeRow struct {
	Store                   string `csv:"store"`
	From                    string `csv:"effective_from"`
	To                      string `csv:"effective_to"`
	Period                  string `csv:"period"`
	Country                 string `csv:"country"`
	Currency                string `csv:"currency"`
	Languages               string `csv:"languages"`
	TimeZone                string `csv:"time_zone"`
	CrossBorder             string `csv:"cross_border"`
	PostBoxForbidden        string `csv:"post_box_forbidden"`
	Methods                 string `csv:"methods"`
	CancelIn                string `csv:"cancel_in"`
	HoldDays                string `csv:"hold_days"`
	HoldDaysExpiry          string `csv:"hold_days_expiry"`
	HoldDaysRecalled        string `csv:"hold_days_recalled"`
	HoldDaysStranded        string `csv:"hold_days_stranded"`
	NoticeDays              string `csv:"notice_days"`
	LTSFFromDays            string `csv:"ltsf_from_days"`
	CleanupDay              string `csv:"cleanup_day"`
	SnapshotMaxAgeDays      string `csv:"snapshot_max_age_days"`
	CustomerRecipients      string `csv:"customer_recipients"`
	CustomerUnits           string `csv:"customer_units"`
	RecalledReturnable      string `csv:"recalled_returnable"`
	OpenRemovalsExcluded    string `csv:"open_removals_excluded"`
	CrossBorderCountries    string `csv:"cross_border_countries"`
	ClaimDays               string `csv:"claim_days"`
	NoticeSteps             string `csv:"notice_steps"`
	MaxSKUsPerFile          string `csv:"max_skus_per_file"`
	ReturnableHazmatClasses string `csv:"returnable_hazmat_classes"`
	ExpectedDaysMin         string `csv:"expected_days_min"`
	ExpectedDaysMax         string `csv:"expected_days_max"`
	ExpectedDaysPeakMax     string `csv:"expected_days_peak_max"`
	SizeRegion              string `csv:"size_region"`
	Certainty               string `csv:"certainty"`
	Source                  string `csv:"source"`
}

// storeKey is one value of a store's policy: its column, and how it is read.
type storeKey struct {
	name  string
	fixed bool // says what the store is; no merchant may change it
	set   func(*Set, *Store, string) error
}

// days up to ten years.
const maxDays = 3660

var storeKeys = []storeKey{
	{"country", true, func(s *Set, st *Store, v string) error {
		st.Country = v
		_, err := s.knownCountries(v)
		if v == "" {
			return errors.New("is missing")
		}
		return err
	}},
	{"currency", false, func(_ *Set, st *Store, v string) error { st.Currency = v; return checkCurrency(v) }},
	{"languages", false, func(_ *Set, st *Store, v string) error {
		st.Languages = list(v)
		for i, l := range st.Languages {
			if codeIndex(l) < 0 || slices.Contains(st.Languages[:i], l) {
				return &badValue{
					reason: fmt.Sprintf("holds %q, which is not a language's two letters or stands twice", l), what: "language", facts: []any{"word", l},
				}
			}
		}
		return nil
	}},
	{"time_zone", false, func(_ *Set, st *Store, v string) error {
		st.TimeZone = v
		if _, err := time.LoadLocation(v); err != nil || v == "" || v == "Local" {
			return &badValue{reason: "is not a time zone like Europe/Stockholm", what: "time_zone"}
		}
		return nil
	}},
	{"cross_border", false, func(_ *Set, st *Store, v string) error {
		st.CrossBorder = v
		return oneOf(v, []string{CrossBorderUpload, CrossBorderNever, CrossBorderAny})
	}},
	{"post_box_forbidden", false, flag(func(st *Store) *bool { return &st.PostBoxForbidden })},
	{"methods", false, func(_ *Set, st *Store, v string) error {
		words, err := listOf(v, []string{"return", "disposal"})
		st.Methods = nil
		for _, w := range words {
			st.Methods = append(st.Methods, methodOf(w))
		}
		return err
	}},
	{"cancel_in", false, func(_ *Set, st *Store, v string) error {
		words, err := listOf(v, []string{string(removal.StatePlanning), string(removal.StatePending), string(removal.StateProcessing)})
		st.CancelIn = nil
		for _, w := range words {
			st.CancelIn = append(st.CancelIn, removal.State(w))
		}
		return err
	}},
	{"hold_days", false, number(1, maxDays, func(st *Store) *int { return &st.HoldDays })},
	{"hold_days_expiry", false, number(1, maxDays, func(st *Store) *int { return &st.HoldDaysExpiry })},
	{"hold_days_recalled", false, number(1, maxDays, func(st *Store) *int { return &st.HoldDaysRecalled })},
	{"hold_days_stranded", false, number(1, maxDays, func(st *Store) *int { return &st.HoldDaysStranded })},
	{"notice_days", false, number(0, maxDays, func(st *Store) *int { return &st.NoticeDays })},
	{"ltsf_from_days", false, number(1, maxDays, func(st *Store) *int { return &st.LTSFFromDays })},
	{"cleanup_day", false, number(1, 28, func(st *Store) *int { return &st.CleanupDay })},
	{"snapshot_max_age_days", false, number(0, maxDays, func(st *Store) *int { return &st.SnapshotMaxAgeDays })},
	{"customer_recipients", false, number(1, 1_000_000, func(st *Store) *int { return &st.CustomerRecipients })},
	{"customer_units", false, number(0, 1_000_000, func(st *Store) *int { return &st.CustomerUnits })},
	{"recalled_returnable", false, flag(func(st *Store) *bool { return &st.RecalledReturnable })},
	{"open_removals_excluded", false, flag(func(st *Store) *bool { return &st.OpenRemovalsExcluded })},
	{"cross_border_countries", false, func(s *Set, st *Store, v string) error {
		var err error
		st.CrossBorderCountries, err = s.knownCountries(v)
		st.reach = [len(st.reach)]uint64{}
		for _, c := range st.CrossBorderCountries {
			st.reach[codeIndex(c)/64] |= 1 << (codeIndex(c) % 64)
		}
		return err
	}},
	{"claim_days", false, number(0, maxDays, func(st *Store) *int { return &st.ClaimDays })},
	{"notice_steps", false, func(_ *Set, st *Store, v string) error {
		st.NoticeSteps = nil
		for _, w := range list(v) {
			n, err := parseInt(w, 0, maxDays)
			if err != nil {
				return fmt.Errorf("holds %q, which %w", w, err)
			}
			if k := len(st.NoticeSteps); k > 0 && n >= st.NoticeSteps[k-1] {
				return &badValue{reason: "is not falling", what: "falling"}
			}
			st.NoticeSteps = append(st.NoticeSteps, n)
		}
		return nil
	}},
	{"max_skus_per_file", false, number(1, 10_000_000, func(st *Store) *int { return &st.MaxSKUsPerFile })},
	{"returnable_hazmat_classes", false, func(_ *Set, st *Store, v string) error {
		st.ReturnableHazmatClasses = list(v)
		for _, c := range st.ReturnableHazmatClasses {
			if len(c) == 0 || len(c) > 3 || c[0] < '1' || c[0] > '9' || len(c) == 2 || len(c) == 3 && c[1] != '.' {
				return &badValue{
					reason: fmt.Sprintf("holds %q, which is not a class like 9 or 4.1", c), what: "hazmat_class", facts: []any{"word", c},
				}
			}
		}
		return nil
	}},
	{"expected_days_min", false, number(0, maxDays, func(st *Store) *int { return &st.ExpectedDaysMin })},
	{"expected_days_max", false, number(0, maxDays, func(st *Store) *int { return &st.ExpectedDaysMax })},
	{"expected_days_peak_max", false, number(0, maxDays, func(st *Store) *int { return &st.ExpectedDaysPeakMax })},
	{"size_region", true, func(_ *Set, st *Store, v string) error {
		st.SizeRegion = v
		if v == "" {
			return nil
		}
		return oneOf(v, sizeRegions)
	}},
}

func flag(into func(*Store) *bool) func(*Set, *Store, string) error {
	return func(_ *Set, st *Store, v string) (err error) {
		*into(st), err = parseBool(v)
		return err
	}
}

func number(low, high int, into func(*Store) *int) func(*Set, *Store, string) error {
	return func(_ *Set, st *Store, v string) (err error) {
		*into(st), err = parseInt(v, low, high)
		return err
	}
}

func methodOf(word string) removal.Method {
	if word == "return" {
		return removal.Return
	}
	return removal.Disposal
}

func checkCurrency(v string) error {
	if len(v) != 3 || strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return &badValue{reason: "is not a currency's three capital letters", what: "currency"}
	}
	return nil
}

// knownCountries reads a list of countries' codes.
func (s *Set) knownCountries(v string) ([]string, error) {
	codes := list(v)
	for i, c := range codes {
		if known, ok := s.Country(c); !ok || known.Code != c {
			near, _ := s.CountryAlias(c)
			if ok {
				near = known.Code
			}
			return nil, &badValue{
				reason: fmt.Sprintf("holds %q, which is not a country's code", c), near: near, what: "country", facts: []any{"word", c},
			}
		}
		if slices.Contains(codes[:i], c) {
			return nil, twice(c)
		}
	}
	return codes, nil
}
