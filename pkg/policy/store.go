package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rensa/pkg/removal"
)

// Store is the policy of one store on one day. It is a value: changing one
// changes nothing else, but its slices are shared and must not be written to.
type Store struct {
	Code, Country, Currency string
	Languages               []string
	TimeZone                string

	// CrossBorder is upload (by file only, to CrossBorderCountries), never or any.
	CrossBorder          string
	CrossBorderCountries []string
	PostBoxForbidden     bool
	Methods              []removal.Method
	CancelIn             []removal.State

	HoldDays, HoldDaysExpiry, HoldDaysRecalled, HoldDaysStranded int
	NoticeDays                                                   int
	NoticeSteps                                                  []int // days before the deadline, falling
	LTSFFromDays                                                 int   // age that is charged
	CleanupDay                                                   int   // of the month
	SnapshotMaxAgeDays                                           int
	CustomerRecipients, CustomerUnits                            int
	RecalledReturnable                                           bool
	OpenRemovalsExcluded                                         bool
	ClaimDays                                                    int
	MaxSKUsPerFile                                               int
	ReturnableHazmatClasses                                      []string
	ExpectedDaysMin, ExpectedDaysMax, ExpectedDaysPeakMax        int // working days
	SizeRegion                                                   string

	// Assumed are the keys whose values are marked as assumed.
	Assumed           []string
	Certainty, Source string

	reach [(26*26 + 63) / 64]uint64 // CrossBorderCountries by codeIndex
}

// The values of Store.CrossBorder.
const (
	CrossBorderUpload = "upload"
	CrossBorderNever  = "never"
	CrossBorderAny    = "any"
)

// CrossBorderTo tells whether a return may go to the country at all; to the
// store's own it always may.
func (s Store) CrossBorderTo(country string) bool {
	i := codeIndex(country)
	switch {
	case country == s.Country:
		return true
	case i < 0:
		return false
	case s.CrossBorder == CrossBorderUpload:
		return s.reach[i/64]>>(i%64)&1 == 1
	}
	return s.CrossBorder == CrossBorderAny
}

// Allows tells whether orders of the method may be made.
func (s Store) Allows(m removal.Method) bool { return slices.Contains(s.Methods, m) }

// HazmatReturnable tells whether goods of a dangerous goods class may be
// returned: "9", "class 9"; no class is no dangerous goods. A division, "4.1",
// is a class of its own.
func (s Store) HazmatReturnable(class string) bool {
	class = strings.TrimSpace(class)
	if rest, ok := strings.CutPrefix(strings.ToLower(class), "class"); ok {
		class = strings.TrimSpace(rest)
	}
	return class == "" || slices.Contains(s.ReturnableHazmatClasses, class)
}

// PolicyError says which of a merchant's policy values cannot be used.
type PolicyError struct {
	Key, Value, Reason, Near string
	// What names the reason for those who say it in another language, and Facts, name
	// and value in turn, are what it speaks of: whole, between (low, high), one_of
	// (words), unknown, twice, country, language, hazmat_class (word), falling, currency,
	// time_zone. "": it has no name.
	What  string
	Facts []any
}

func (e *PolicyError) Error() string {
	t := &TableError{File: "policy." + e.Key, Value: e.Value, Reason: e.Reason, Near: e.Near}
	return t.Error()
}

// Stores are the codes of all stores, in order.
func (s *Set) Stores() []string { return slices.Clone(s.storeCodes) }

// Keys are the policy values that a merchant may override, in the table's order.
func Keys() []string {
	var keys []string
	for _, k := range storeKeys {
		if !k.fixed {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// Store gives the policy in force in a store on a day, with single values
// overridden: keys as Keys has them, with or without "policy." before, values
// as the table writes them. An unknown store, key or value is a *PolicyError.
func (s *Set) Store(code string, on time.Time, overrides map[string]string) (Store, error) {
	rows, ok := s.storeRows[code]
	if !ok {
		return Store{}, &PolicyError{Key: "store", Value: code, Reason: "is not a store", Near: s.nearStore(code)}
	}
	i := slices.IndexFunc(rows, func(r storePeriod) bool { return r.has(dayOf(on)) })
	if i < 0 {
		return Store{}, &PolicyError{Key: "store", Value: code, Reason: "has no policy on " + dayOf(on).String()}
	}
	st := rows[i].store
	keys := make([]string, 0, len(overrides))
	for k := range overrides {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, full := range keys {
		name := strings.TrimPrefix(full, "policy.")
		k, ok := findKey(name)
		if !ok {
			return Store{}, &PolicyError{Key: name, Reason: "is not a key of the policy", Near: removal.Nearest(name, Keys())}
		}
		if err := s.set(&st, k, overrides[full]); err != nil {
			reason, b := reasonOf(err)
			return Store{}, &PolicyError{Key: name, Value: overrides[full], Reason: reason, Near: b.near, What: b.what, Facts: b.facts}
		}
	}
	if key, err := st.check(); err != nil {
		return Store{}, &PolicyError{Key: key, Reason: err.Error()}
	}
	return st, nil
}

func (s *Set) nearStore(code string) string {
	upper := strings.ToUpper(code)
	if alias, ok := s.aliases[upper]; ok {
		upper = alias
	}
	if _, ok := s.storeRows[upper]; ok {
		return upper
	}
	if c, ok := s.CountryByName(code); ok {
		if _, ok := s.storeRows[c]; ok {
			return c
		}
	}
	return removal.Nearest(code, s.storeCodes)
}

func findKey(name string) (storeKey, bool) {
	i := slices.IndexFunc(storeKeys, func(k storeKey) bool { return k.name == name && !k.fixed })
	if i < 0 {
		return storeKey{}, false
	}
	return storeKeys[i], true
}

const assumedMark = " (assumed)"

// set gives one value to a store, and remembers whether it is assumed.
func (s *Set) set(st *Store, k storeKey, value string) error {
	v, assumed := strings.CutSuffix(strings.TrimSpace(value), assumedMark)
	st.Assumed = slices.DeleteFunc(slices.Clone(st.Assumed), func(a string) bool { return a == k.name })
	if assumed {
		st.Assumed = append(st.Assumed, k.name)
	}
	return k.set(s, st, v)
}

// check is what must hold between values.
func (s Store) check() (key string, err error) {
	switch {
	case s.ExpectedDaysMax < s.ExpectedDaysMin:
		return "expected_days_max", errors.New("is below expected_days_min")
	case s.ExpectedDaysPeakMax < s.ExpectedDaysMax:
		return "expected_days_peak_max", errors.New("is below expected_days_max")
	case len(s.Methods) == 0:
		return "methods", errors.New("is missing")
	case len(s.Languages) == 0:
		return "languages", errors.New("is missing")
	}
	return "", nil
}

type storePeriod struct {
	period
	store Store
}

// datedRow is a row of the stores' table with its period read.
type datedRow struct {
	entry[storeRow]
	period
}

func (s *Set) loadStores(l *loader) error {
	base, own, missing, err := readTable[storeRow](l, fileStores)
	if err != nil {
		return err
	}
	byStore := map[string][]datedRow{}
	for _, e := range append(base, own...) {
		code := e.row.Store
		if codeIndex(code) < 0 || strings.ToUpper(code) != code {
			return e.bad("store", code, errors.New("is not a code of two capital letters"))
		}
		if byStore[code] == nil {
			s.storeCodes = append(s.storeCodes, code)
		}
		if byStore[code], err = layOver(byStore[code], e, missing); err != nil {
			return err
		}
	}
	s.storeRows = map[string][]storePeriod{}
	for _, code := range s.storeCodes {
		var inForce []entry[storeRow]
		for _, r := range byStore[code] {
			st, err := s.parseStore(r.entry)
			if err != nil {
				return err
			}
			s.storeRows[code] = append(s.storeRows[code], storePeriod{r.period, st})
			r.row.From, r.row.To = r.from.String(), r.to.String()
			inForce = append(inForce, r.entry)
		}
		enforce(l, fileStores, inForce)
	}
	return nil
}

// layOver adds a row to those of its store. A user's row takes the columns that
// it lacks from the embedded row of its first day, or the last one, and
// precedence over all of them on its period.
func layOver(rows []datedRow, e entry[storeRow], missing []string) ([]datedRow, error) {
	p, err := parsePeriod(e.place, e.row.From, e.row.To, e.row.Period)
	if err != nil {
		return nil, err
	}
	var model *datedRow
	var kept []datedRow
	for i, r := range rows {
		if r.own == e.own {
			if r.overlaps(p) {
				return nil, e.bad("effective_from", e.row.From, fmt.Errorf("the period overlaps that of line %d", r.line))
			}
			kept = append(kept, r)
			continue
		}
		if model == nil || !model.has(p.from) {
			model = &rows[i]
		}
		for _, left := range r.without(p) {
			kept = append(kept, datedRow{r.entry, left})
		}
	}
	if model == nil && len(rows) > 0 {
		model = &rows[len(rows)-1]
	}
	if e.own {
		lack := without(missing, "effective_from", "effective_to", "period", "certainty", "source")
		if model != nil {
			inherit(&e.row, &model.row, lack)
		} else if lack = without(lack, "size_region"); len(lack) > 0 {
			return nil, e.bad(lack[0], "", fmt.Errorf("is missing, and %q is no embedded store to take it from", e.row.Store))
		}
	}
	return append(kept, datedRow{e, p}), nil
}

// without is names less some of them.
func without(names []string, less ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(less, n) })
}

func (s *Set) parseStore(e entry[storeRow]) (Store, error) {
	st := Store{Code: e.row.Store, Certainty: e.row.Certainty, Source: e.row.Source}
	values, names := cells(&e.row), columnNames[storeRow]()
	for _, k := range storeKeys {
		v := *values[slices.Index(names, k.name)]
		if err := s.set(&st, k, v); err != nil {
			return st, e.bad(k.name, v, err)
		}
	}
	if key, err := st.check(); err != nil {
		return st, e.bad(key, "", err)
	}
	return st, nil
}
