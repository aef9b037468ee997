package policy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func country(t testing.TB, code string) Country {
	t.Helper()
	c, ok := mustLoad(t).Country(code)
	if !ok {
		t.Fatalf("no country %s", code)
	}
	return c
}

func TestCountries(t *testing.T) {
	t.Parallel()
	s := mustLoad(t)
	if len(s.countries) != 249 {
		t.Errorf("%d countries, ISO 3166-1 has 249", len(s.countries))
	}
	for _, c := range s.countries {
		if c.PostalRequired && c.PostalExample == "" {
			t.Errorf("%s needs a postal code of no known form", c.Code)
		}
		if c.StateRequired != c.HasStates() {
			t.Errorf("%s: state required %v, list %v", c.Code, c.StateRequired, c.HasStates())
		}
		for _, lang := range []string{"en", "sv", "de"} {
			if code, _ := s.CountryByName(c.NameIn(lang)); code != c.Code {
				t.Errorf("%s is %q in %s, which is found as %q", c.Code, c.NameIn(lang), lang, code)
			}
		}
	}
	needed := strings.Fields("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO GB CH US CA MX AU JP BR IN SA EG TR")
	for _, code := range needed {
		if c := country(t, code); c.PostalExample == "" {
			t.Errorf("%s has no postal pattern", code)
		}
	}
	for _, code := range strings.Fields("SE DE DK GB FR IT ES NL AE SA EG TR") {
		if country(t, code).StateRequired {
			t.Errorf("%s demands a state", code)
		}
	}
	for _, bad := range []string{"", "S", "XX", "UK", "SWE", "S1", "åä", "ZZ"} {
		if _, ok := s.Country(bad); ok {
			t.Errorf("%q is a country", bad)
		}
	}
	if c, ok := s.Country("se"); !ok || c.Code != "SE" {
		t.Errorf("se is %q", c.Code)
	}
	for alias, want := range map[string]string{"UK": "GB", "uk": "GB", "EL": "GR", "SE": "", "": ""} {
		if got, _ := s.CountryAlias(alias); got != want {
			t.Errorf("alias %q is %q", alias, got)
		}
	}
	for name, want := range map[string]string{
		"Sverige": "SE", "SWEDEN": "SE", " schweden ": "SE", "SWE": "SE", "Tyskland": "DE", "Deutschland": "DE", "deu": "DE",
		"österreich": "AT", "Osterreich": "AT", "U.S.A.": "US", "United States of America": "US", "Great Britain": "GB", "uk": "GB",
		"Côte d'Ivoire": "CI", "Trinidad and Tobago": "TT", "Czech Republic": "CZ", "Türkiye": "TR", "日本": "JP", "Holland": "NL", "D": "DE", "Atlantis": "", "": "",
	} {
		if got, ok := s.CountryByName(name); got != want || ok != (want != "") {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}

func TestPostalExamples(t *testing.T) {
	t.Parallel()
	n := 0
	for _, c := range mustLoad(t).countries {
		if c.postal != nil {
			if err := c.checkPostal(place{file: fileCountries}); err != nil { // Load leaves it to this test
				t.Errorf("%s: %v", c.Code, err)
			}
		}
		if c.PostalExample == "" {
			continue
		}
		n++
		if !c.PostalValid(c.PostalExample) || !c.PostalValid(strings.ToLower(c.PostalExample)) || !c.PostalValidBytes([]byte(c.PostalExample)) {
			t.Errorf("%s: the example %s is not valid", c.Code, c.PostalExample)
		}
		for _, bad := range []string{"", "X", c.PostalExample + "9999", " " + c.PostalExample, "?????"} {
			if c.PostalValid(bad) {
				t.Errorf("%s: %q is valid", c.Code, bad)
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d countries have a pattern", n)
	}
}

// The shapes answer what the pattern they were made of answers.
func TestShapesAgreeWithPatterns(t *testing.T) {
	t.Parallel()
	base, _, _, err := readTable[countryRow](&loader{}, fileCountries)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	const alphabet = "0123456789ABDEIKLOSXYZabz -"
	for _, e := range base {
		if e.row.PostalPattern == "" {
			continue
		}
		c := country(t, e.row.Code)
		re := regexp.MustCompile("(?i)^(?:" + e.row.PostalPattern + ")$")
		for range 300 {
			v := []byte(e.row.PostalExample)
			for range r.IntN(3) {
				switch at := r.IntN(len(v)); r.IntN(4) {
				case 0:
					v = append(v[:at], v[at+1:]...)
				default:
					v[at] = alphabet[r.IntN(len(alphabet))]
				}
				if len(v) == 0 {
					v = []byte("1")
				}
			}
			if got, want := c.PostalValidBytes(v), re.Match(v); got != want {
				t.Errorf("%s: %q is %v, the pattern says %v", c.Code, v, got, want)
			}
		}
	}
}

func TestPostal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country, v string
		valid      bool
		suggest    string
	}{
		{"SE", "21143", true, ""}, {"SE", "211 43", true, ""}, {"SE", "SE-211 43", false, "211 43"}, {"SE", "S-21143", false, "211 43"},
		{"SE", "211-43", false, "211 43"}, {"SE", "211  43", false, "211 43"}, {"SE", "2114", false, ""}, {"SE", "021 43", false, ""},
		{"SE", "21143.0", false, "211 43"}, {"SE", "211 4E", false, ""}, {"SE", "2ll 43", false, "211 43"}, {"SE", "２１１４３", false, "211 43"},
		{"DE", "01067", true, ""}, {"DE", "1067", false, "01067"}, {"DE", "D-1067", false, "01067"}, {"DE", "DE 10115", false, "10115"},
		{"DE", "1067.0", false, "01067"}, {"DE", "10 115", false, "10115"}, {"DE", "O1067", false, "01067"}, {"DE", "106", false, ""}, {"DE", "101155", false, ""},
		{"US", "2134", false, "02134"}, {"US", "02134", true, ""}, {"US", "02134-1234", true, ""}, {"US", "2134-1234", false, "02134-1234"},
		{"US", "021341234", false, "02134-1234"}, {"US", "501", false, "00501"}, {"PR", "601", false, "00601"}, {"US", "K1A 0B1", false, ""},
		{"CA", "K1A 0B1", true, ""}, {"CA", "k1a0b1", true, ""}, {"CA", "K1A-0B1", false, "K1A 0B1"}, {"CA", "K1A OB1", false, "K1A 0B1"}, {"CA", "D1A 0B1", false, ""},
		{"GB", "SW1A 1AA", true, ""}, {"GB", "sw1a1aa", true, ""}, {"GB", "M1 1AE", true, ""}, {"GB", "SW1A-1AA", false, "SW1A 1AA"}, {"GB", "SW1A", false, ""},
		{"GB", "BFPO 57", true, ""}, {"GB", "GIR 0AA", true, ""}, {"GB", "12345", false, ""}, {"GB", "SW1A 1CI", false, ""},
		{"NL", "1012AB", true, ""}, {"NL", "1012 AB", true, ""}, {"NL", "NL-1012 AB", false, "1012 AB"}, {"NL", "1012", false, ""},
		{"PL", "00-950", true, ""}, {"PL", "00950", false, "00-950"}, {"PL", "950", false, "00-950"}, {"PT", "1100148", false, "1100-148"},
		{"JP", "1000001", true, ""}, {"JP", "600001", false, "060-0001"}, {"BR", "1310100", false, "01310-100"}, {"BR", "01310100", true, ""},
		{"IN", "110 001", true, ""}, {"IN", "110001", true, ""}, {"IN", "11001", false, ""}, {"AU", "800", false, "0800"}, {"MX", "6600", false, "06600"},
		{"LV", "LV-1010", true, ""}, {"LV", "1010", true, ""}, {"LV", "LV1010", false, "LV-1010"}, {"LI", "FL-9490", false, "9490"}, {"LI", "8001", false, ""},
		{"CH", "CH-8001", false, "8001"}, {"AT", "A-1010", false, "1010"}, {"DK", "DK-1050", false, "1050"}, {"NO", "150", false, "0150"},
		{"FI", "100", false, "00100"}, {"IT", "118", false, "00118"}, {"ES", "8001", false, "08001"}, {"FR", "F-1000", false, "01000"}, {"ES", "53001", false, ""},
		{"IE", "D02AF30", true, ""}, {"IE", "D02-AF30", false, "D02 AF30"}, {"IE", "D6W AF30", true, ""},
		{"CZ", "11000", true, ""}, {"GR", "105-57", false, "105 57"}, {"SK", "811 01", true, ""}, {"AE", "anything", true, ""}, {"AE", "", true, ""},
		{"DE", strings.Repeat("1", 61), false, ""},
	} {
		x := country(t, c.country)
		if got := x.PostalValid(c.v); got != c.valid {
			t.Errorf("%s %q: valid %v", c.country, c.v, got)
		}
		got := x.SuggestPostal(c.v)
		if got != c.suggest {
			t.Errorf("%s %q: suggested %q, want %q", c.country, c.v, got, c.suggest)
		}
		if got != "" && !x.PostalValid(got) {
			t.Errorf("%s: the suggestion %q is not valid", c.country, got)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{"US": 62, "CA": 13, "MX": 32, "AU": 8, "BR": 27, "IN": 36, "JP": 47} {
		codes := map[string]bool{}
		for _, v := range country(t, code).states.folded {
			codes[v] = true
		}
		if len(codes) != want {
			t.Errorf("%s has %d states, want %d", code, len(codes), want)
		}
	}
	for _, c := range []struct{ country, v, want string }{
		{"US", "CA", "CA"}, {"US", "ca", "CA"}, {"US", "California", "CA"}, {"US", "new york", "NY"}, {"US", "N.Y.", "NY"}, {"US", "DC", "DC"},
		{"US", "PR", "PR"}, {"US", "AE", "AE"}, {"US", "AA", "AA"}, {"US", "AP", "AP"}, {"US", "GU", "GU"}, {"US", "XX", ""}, {"US", "", ""}, {"US", "ON", ""},
		{"CA", "QC", "QC"}, {"CA", "Québec", "QC"}, {"CA", "quebec", "QC"}, {"CA", "Newfoundland & Labrador", "NL"},
		{"MX", "CDMX", "CMX"}, {"MX", "Ciudad de Mexico", "CMX"}, {"MX", "Jalisco", "JAL"}, {"MX", "NUEVO LEÓN", "NLE"},
		{"AU", "NSW", "NSW"}, {"AU", "Victoria", "VIC"}, {"BR", "São Paulo", "SP"}, {"BR", "sao paulo", "SP"}, {"BR", "Pará", "PA"}, {"BR", "Paraná", "PR"},
		{"IN", "Maharashtra", "MH"}, {"IN", "Orissa", "OD"}, {"IN", "TG", "TS"}, {"JP", "Tokyo", "Tokyo"}, {"JP", "東京都", "Tokyo"}, {"JP", "tokyo-to", "Tokyo"},
		{"JP", "Tōkyō", "Tokyo"}, {"JP", "Hokkaido", "Hokkaido"}, {"JP", "大阪", "Osaka"},
	} {
		got, ok := country(t, c.country).State(c.v)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s %q: %q %v, want %q", c.country, c.v, got, ok, c.want)
		}
	}
	if got, ok := country(t, "SE").State("Skåne"); got != "Skåne" || !ok {
		t.Errorf("a state where there are none: %q %v", got, ok)
	}
	for _, c := range []struct{ country, v, want string }{
		{"US", "Calfornia", "CA"}, {"US", "Massachusets", "MA"}, {"US", "XX", ""}, {"US", "Skåne", ""}, {"CA", "Ontaro", "ON"},
		{"JP", "Toykyo", "Tokyo"}, {"MX", "Jalisko", "JAL"}, {"SE", "Skane", ""}, {"US", "texas", "TX"},
	} {
		if got := country(t, c.country).NearestState(c.v); got != c.want {
			t.Errorf("%s nearest to %q: %q, want %q", c.country, c.v, got, c.want)
		}
	}
}

func TestPostBox(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"PO Box 123": true, "P.O. Box 123": true, "p.o.box 7": true, "P O Box 7": true, "PO-Box 7": true, "POBox 12": true, "POBOX12": true, "Po box": true,
		"Post Office Box 12": true, "POST OFFICE BOX": true, "P.O.B. 12": true, "POB 12": true, "Postal Box 4": true, "Attn: Ann, PO Box 4": true, "PO Drawer 9": true,
		"APO": true, "apo": true, "APO AE 09012": true, "FPO AP 96601": true, "DPO, AE": true, "APO 09012": true, "A.P.O.": true, "Mail APO, AP": true,
		"PSC 1234 Box 5678": true, "CMR 12 Box 3": true, "Unit 2050 Box 4190": true, "Box 123": true, "BOX #123": true, "Box nr 12": true,
		"Postfach 12 34": true, "Apartado Postal 5": true, "Case postale 9": true, "Boîte postale 9": true,

		"Boxholmsvägen 3": false, "Boxholm": false, "Dpofield": false, "Dpofield Road 3": false, "Apostle Street 4": false, "Apo Street 4": false,
		"12 Box Street": false, "Box Hill Road 5": false, "Box 12 Farm Road": false, "Boxer Lane 3": false, "Expo Box Hall 3": false, "Depot Box 5": false,
		"Pobox Lane": true, "Po River Road 12": false, "Mount Apo 12": false, "Unit 5 Box 7": false, "RR 2 Box 152": false, "Post Road 12": false,
		"Postvägen 3": false, "Storgatan 12": false, "": false, "   ": false, "P.O. 12": false, "PMB 123": false, "Lockbox 12": false, "c/o Box AB": false, "Fpo": true,
		"South Pobox": true, "Kapo AE 1": false, "Post Office Lane 4": false,
	} {
		if got := PostBox("Storgatan 1", line); got != want {
			t.Errorf("%q: %v", line, got)
		}
		if got := PostBoxLine([]byte(line)); got != want {
			t.Errorf("%q as bytes: %v", line, got)
		}
	}
	if PostBox() {
		t.Error("no line is a post box")
	}
}

func TestPhoneValid(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		country, phone string
		want           bool
	}{
		{"SE", "+46 8 123 456 78", true}, {"SE", "040-12 34 56", true}, {"SE", "0701234567", true}, {"SE", "+46 (0)70 123 45 67", true}, {"SE", "0046701234567", true},
		{"SE", "+49 30 123456", true}, {"DE", "030 123456", true}, {"DE", "+49 (30) 123456", true}, {"GB", "020 7946 0018", true}, {"DK", "32 12 34 56", true},
		{"US", "(206) 555-0100", true}, {"US", "+1 206 555 0100", true}, {"US", "1-206-555-0100", true}, {"US", "206.555.0100", true}, {"US", "206-555-0100 ext. 12", true},
		{"IT", "+39 06 1234567", true}, {"IT", "06 1234567", true}, {"JP", "03-1234-5678", true}, {"CA", "416-555-0100", true}, {"NO", "22 12 34 56", true},
		{"SE", "", false}, {"SE", "12", false}, {"SE", "abc", false}, {"SE", "ring mig", false}, {"SE", "0000000000", false}, {"SE", "+46 1", false},
		{"US", "555-0100", false}, {"US", "123456789", false}, {"SE", "+999 123456", false}, {"SE", "anna@example.com", false}, {"XX", "0701234567", false},
		{"SE", strings.Repeat("1", 60), false},
	} {
		if got := PhoneValid(c.country, c.phone); got != c.want {
			t.Errorf("%s %q: %v", c.country, c.phone, got)
		}
	}
}

// What the quick look accepts, the library accepts too.
func TestPhoneQuickLookAgrees(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	quick := 0
	countries := mustLoad(t).countries
	for _, c := range countries {
		rule := phoneRuleOf(c.Code)
		for range 200 {
			v := ""
			for range 4 + r.IntN(10) {
				v += fmt.Sprint(r.IntN(10))
			}
			switch r.IntN(4) {
			case 0:
				v = "+" + rule.code + v
			case 2:
				v = "+" + phoneRuleOf(countries[r.IntN(len(countries))].Code).code + v
			case 1:
				v = "0" + v
			}
			digits, plus, plain := phoneDigits(make([]byte, 0, 20), v)
			if !plain || !phoneCertain(c.Code, digits, plus) {
				continue
			}
			quick++
			n, err := phonenumbers.Parse(v, c.Code)
			if err != nil || phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
				t.Errorf("%s %s: the library says no (%v)", c.Code, v, err)
			}
		}
	}
	if quick < 1000 {
		t.Errorf("only %d numbers took the quick way", quick)
	}
}

func BenchmarkPostal(b *testing.B) {
	c, v := country(b, "GB"), []byte("SW1A 1AA")
	for b.Loop() {
		c.PostalValidBytes(v)
	}
}

func BenchmarkPostBoxLine(b *testing.B) {
	v := []byte("Suite 400, 1200 Westlake Avenue North")
	for b.Loop() {
		PostBoxLine(v)
	}
}

func BenchmarkPhone(b *testing.B) {
	for b.Loop() {
		PhoneValid("SE", "+46 70 123 45 67")
	}
}
