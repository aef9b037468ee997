package policy

import (
	"errors"
	"fmt"

	"rensa/pkg/removal"
)

// states is a country's closed list.
type states struct {
	exact  map[string]string // as the table writes codes and names
	folded map[string]string
	words  []string // codes and names, for the nearest
}

type stateRow struct {
	Country    string `csv:"country"`
	Code       string `csv:"code"`
	Name       string `csv:"name"`
	OtherNames string `csv:"other_names"`
	Certainty  string `csv:"certainty"`
	Source     string `csv:"source"`
}

// HasStates tells whether the country has a closed list of states.
func (c Country) HasStates() bool { return c.countryRules != nil && c.states != nil }

// State finds a state by code or name (case, accents and blanks do not count)
// and gives its code: the usual short one, in Japan the prefecture's name. Where
// the country has no list every value is right and comes back as it is.
func (c Country) State(v string) (code string, ok bool) {
	if !c.HasStates() {
		return v, true
	}
	if code, ok = c.states.exact[v]; ok {
		return code, true
	}
	code, ok = c.states.folded[foldName(v)]
	return code, ok
}

// NearestState is the code of the state that v was probably meant to be; "" for none.
func (c Country) NearestState(v string) string {
	if !c.HasStates() {
		return ""
	}
	if code, ok := c.State(v); ok {
		return code
	}
	// Two letters are near to half the list: only a name tells what was meant.
	if len([]rune(v)) < 4 {
		return ""
	}
	near := removal.Nearest(v, c.states.words)
	return c.states.exact[near]
}

func (s *Set) loadStates(l *loader) error {
	base, own, missing, err := readTable[stateRow](l, fileStates)
	if err != nil {
		return err
	}
	rows, err := merge(base, own, missing, "code", func(r stateRow) string { return r.Country + "-" + r.Code })
	if err != nil {
		return err
	}
	for _, e := range rows {
		c, ok := s.Country(e.row.Country)
		if !ok {
			return e.bad("country", e.row.Country, errors.New("is not a country's code"))
		}
		if e.row.Code == "" || e.row.Name == "" {
			return e.bad("code", e.row.Code, errors.New("has no code or no name"))
		}
		if c.states == nil {
			c.states = &states{exact: map[string]string{}, folded: map[string]string{}}
		}
		if err := c.states.add(e); err != nil {
			return err
		}
	}
	for _, c := range s.countries {
		if c.StateRequired && c.states == nil {
			return &TableError{File: fileCountries, Column: "state_required", Value: c.Code, Reason: "has no states in " + fileStates}
		}
	}
	enforce(l, fileStates, rows)
	return nil
}

func (s *states) add(e entry[stateRow]) error {
	s.exact[e.row.Code] = e.row.Code
	for _, n := range append(list(e.row.OtherNames), e.row.Code, e.row.Name) {
		f := foldName(n)
		if was, ok := s.folded[f]; ok && was != e.row.Code {
			return e.bad("other_names", n, fmt.Errorf("is a name of %s already", was))
		}
		s.folded[f] = e.row.Code
		if _, ok := s.exact[n]; !ok {
			s.exact[n] = e.row.Code
		}
		if len([]rune(n)) > 3 {
			s.words = append(s.words, n)
		}
	}
	return nil
}
