package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Country is what an address in one country needs.
type Country struct {
	Code string // ISO 3166-1 alpha-2
	Name string // in English
	// PostalRequired and StateRequired say what an address may not lack; a
	// state is never demanded where there is no list of them.
	PostalRequired, StateRequired bool
	PostalExample                 string // "" where no pattern is known
	*countryRules
}

type countryRules struct {
	nameSV, nameDE string
	prefixes       []string       // what people write before a postal code: "SE", "S"
	postal         *postalPattern // nil: every code is taken
	states         *states        // nil: the country has no list
}

type countryRow struct {
	Code           string `csv:"code"`
	Alpha3         string `csv:"alpha3"`
	NameEN         string `csv:"name_en"`
	NameSV         string `csv:"name_sv"`
	NameDE         string `csv:"name_de"`
	OtherNames     string `csv:"other_names"`
	PostalRequired string `csv:"postal_required"`
	PostalPattern  string `csv:"postal_pattern"`
	PostalExample  string `csv:"postal_example"`
	PostalPrefixes string `csv:"postal_prefixes"`
	StateRequired  string `csv:"state_required"`
	Certainty      string `csv:"certainty"`
	Source         string `csv:"source"`
}

type aliasRow struct {
	Alias     string `csv:"alias"`
	Code      string `csv:"code"`
	Certainty string `csv:"certainty"`
	Source    string `csv:"source"`
}

// Country finds a country by its code; case does not count, Code is the
// canonical form. It allocates nothing.
func (s *Set) Country(code string) (Country, bool) {
	i := codeIndex(code)
	if i < 0 || s.countryIndex[i] == 0 {
		return Country{}, false
	}
	return s.countries[s.countryIndex[i]-1], true
}

// codeIndex counts two letters; -1 for anything else.
func codeIndex(code string) int {
	if len(code) != 2 {
		return -1
	}
	a, b := (code[0]|0x20)-'a', (code[1]|0x20)-'a'
	if a > 25 || b > 25 {
		return -1
	}
	return int(a)*26 + int(b)
}

// CountryAlias gives the right code for a usual wrong one: "UK" is "GB".
func (s *Set) CountryAlias(code string) (string, bool) {
	c, ok := s.aliases[strings.ToUpper(code)]
	return c, ok
}

// CountryByName finds the code of a country's name in English, Swedish, German
// and many of the countries' own languages, of its three-letter code, and of
// its code in any case.
func (s *Set) CountryByName(name string) (string, bool) {
	c, ok := s.names[foldName(name)]
	return c, ok
}

// NameIn is the country's name in "sv" or "de", and in English for any other language.
func (c Country) NameIn(lang string) string {
	switch {
	case c.countryRules == nil:
		return c.Name
	case lang == "sv":
		return c.nameSV
	case lang == "de":
		return c.nameDE
	}
	return c.Name
}

// joinWords are left out of names, so that "&" and every language's "and" are alike.
var joinWords = map[string]bool{"and": true, "och": true, "und": true, "y": true, "et": true, "the": true}

// foldName is the form in which names are compared: lower case, no accents, no
// blanks, letters and digits only.
func foldName(name string) string {
	b, word := make([]byte, 0, len(name)), 0 // where in b the word begins
	flush := func() {
		// The first word of all stays whatever it is.
		if word > 0 && joinWords[string(b[word:])] {
			b = b[:word]
		}
		word = len(b)
	}
	for _, r := range norm.NFKD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b = utf8.AppendRune(b, unicode.ToLower(r))
		case r == '.' || r == '\'' || r == '’': // "U.S.A.", "d'Ivoire"
		default:
			flush()
		}
	}
	flush()
	return string(b)
}

func (s *Set) loadCountries(l *loader) error {
	base, own, missing, err := readTable[countryRow](l, fileCountries)
	if err != nil {
		return err
	}
	rows, err := merge(base, own, missing, "code", func(r countryRow) string { return r.Code })
	if err != nil {
		return err
	}
	s.names = map[string]string{}
	for _, e := range rows {
		c, err := parseCountry(e)
		if err != nil {
			return err
		}
		s.countries = append(s.countries, c)
		s.countryIndex[codeIndex(c.Code)] = int16(len(s.countries))
		r := e.row
		names := append(list(r.OtherNames), r.Code, r.Alpha3, r.NameEN, r.NameSV, r.NameDE)
		for _, n := range names {
			if err := s.addName(e.place, n, c.Code); err != nil {
				return err
			}
		}
	}
	enforce(l, fileCountries, rows)
	return nil
}

func (s *Set) addName(at place, name, code string) error {
	f := foldName(name)
	if was, ok := s.names[f]; ok && was != code && f != "" {
		return at.bad("other_names", name, fmt.Errorf("is a name of %s already", was))
	}
	if f != "" {
		s.names[f] = code
	}
	return nil
}

func parseCountry(e entry[countryRow]) (Country, error) {
	r := e.row
	c := Country{Code: r.Code, Name: r.NameEN, PostalExample: r.PostalExample, countryRules: &countryRules{
		nameSV: r.NameSV, nameDE: r.NameDE, prefixes: append(list(r.PostalPrefixes), r.Code)}}
	if codeIndex(r.Code) < 0 || strings.ToUpper(r.Code) != r.Code {
		return c, e.bad("code", r.Code, errors.New("is not a code of two capital letters"))
	}
	for _, n := range []struct{ column, value string }{{"name_en", r.NameEN}, {"name_sv", r.NameSV}, {"name_de", r.NameDE}} {
		if n.value == "" {
			return c, e.bad(n.column, "", errors.New("is missing"))
		}
	}
	var err error
	if c.PostalRequired, err = parseBool(r.PostalRequired); err != nil {
		return c, e.bad("postal_required", r.PostalRequired, err)
	}
	if c.StateRequired, err = parseBool(r.StateRequired); err != nil {
		return c, e.bad("state_required", r.StateRequired, err)
	}
	if r.PostalPattern == "" {
		return c, nil
	}
	c.postal = &postalPattern{text: r.PostalPattern, example: r.PostalExample}
	if !e.own {
		return c, nil // a test has tried all that are embedded
	}
	return c, c.checkPostal(e.place)
}

// checkPostal tells what is wrong with the country's pattern.
func (c Country) checkPostal(at place) error {
	if _, err := compilePostal(c.postal.text, c.postal.example); err != nil {
		return at.bad("postal_pattern", c.postal.text, err)
	}
	if !c.PostalValid(c.postal.example) {
		return at.bad("postal_example", c.postal.example, errors.New("does not fit postal_pattern"))
	}
	return nil
}

func (s *Set) loadAliases(l *loader) error {
	base, own, missing, err := readTable[aliasRow](l, fileAliases)
	if err != nil {
		return err
	}
	rows, err := merge(base, own, missing, "alias", func(r aliasRow) string { return r.Alias })
	if err != nil {
		return err
	}
	s.aliases = map[string]string{}
	for _, e := range rows {
		if codeIndex(e.row.Alias) < 0 || strings.ToUpper(e.row.Alias) != e.row.Alias {
			return e.bad("alias", e.row.Alias, errors.New("is not two capital letters"))
		}
		if _, taken := s.Country(e.row.Alias); taken {
			return e.bad("alias", e.row.Alias, errors.New("is a country's own code"))
		}
		if _, ok := s.Country(e.row.Code); !ok {
			return e.bad("code", e.row.Code, errors.New("is not a country's code"))
		}
		s.aliases[e.row.Alias] = e.row.Code
	}
	enforce(l, fileAliases, rows)
	return nil
}

// loadNames adds the wrong codes to the names, so that a hint finds them in any case.
func (s *Set) loadNames(*loader) error {
	for alias, code := range s.aliases {
		if f := foldName(alias); s.names[f] == "" {
			s.names[f] = code
		}
	}
	return nil
}
