package templates

import (
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// number groups from five digits on, as Swedish and German usage has it. German
// gets the no-break space of DIN 5008 too: 1.000 is what we tell users not to write.
func (t *Texts) number(v string) string {
	if len(v) < 5 {
		return v
	}
	digits := strings.TrimPrefix(v, "-")
	if len(digits) < 5 || strings.Trim(digits, "0123456789") != "" {
		return v
	}
	mark := "\u00a0"
	if t.lang == "en" {
		mark = ","
	}
	b := append(make([]byte, 0, len(v)+10), v[:len(v)-len(digits)]...)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b = append(b, mark...)
		}
		b = append(b, digits[i])
	}
	return string(b)
}

func (t *Texts) size(v string) string {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return v
	}
	unit, whole := "byte", float64(n)
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if whole < 1024 {
			break
		}
		unit, whole = u, whole/1024
	}
	if unit == "byte" {
		return t.number(v) + " B"
	}
	text := strconv.FormatFloat(whole, 'f', 1, 64)
	text = strings.TrimSuffix(text, ".0")
	if t.lang != "en" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text + " " + unit
}

func (t *Texts) isOne(v string) bool {
	i, err := strconv.Atoi(strings.TrimPrefix(v, "-"))
	return err == nil && plural.Cardinal.MatchPlural(t.tag, i%1_000_000, 0, 0, 0, 0) == plural.One
}

func units(s *scope, a []expr) string {
	v, group := a[0](s), a[1](s)
	if group == "" {
		group = "any"
	}
	form := "many"
	if s.t.isOne(v) {
		form = "one"
	}
	name := s.word("units", group+"_"+form)
	if v == "" {
		return name
	}
	return s.t.number(v) + " " + name
}

func arithmetic(a, b string, f func(x, y int64) int64) string {
	x, err := strconv.ParseInt(a, 10, 64)
	if err != nil {
		return ""
	}
	y, err := strconv.ParseInt(b, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(f(x, y), 10)
}

// when leaves dates as they are and cuts a time of RFC 3339 to its minute.
func when(v string) string {
	if len(v) > 16 && v[10] == 'T' && v[13] == ':' {
		return v[:10] + " " + v[11:16]
	}
	return v
}

// withArticle are the countries whose name needs an article in an English sentence.
const withArticle = "AE BS DO GB GM MV NL PH US"

func (t *Texts) country(code string) string {
	if name, ok := t.countries.Load(code); ok {
		return name.(string)
	}
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() {
		return code
	}
	dictionary := display.English
	switch t.lang {
	case "sv":
		dictionary = display.Swedish
	case "de":
		dictionary = display.German
	}
	name := code
	if n := dictionary.Regions().Name(region); n != "" {
		name = n + " (" + code + ")"
	}
	if t.lang == "en" && strings.Contains(withArticle, code) {
		name = "the " + name
	}
	t.countries.Store(code, name)
	return name
}

// className drops the word that some inventory files write before the number.
func className(v string) string {
	number := strings.TrimLeft(v, "CLASEKclasek ")
	if number == "" || number[0] < '0' || number[0] > '9' {
		return v
	}
	return number
}
