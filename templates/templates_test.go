package templates_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"rensa/pkg/removal"
	"rensa/templates"
)

var update = flag.Bool("update", false, "rewrite the golden file")

func TestEveryCodeHasTexts(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		texts := templates.Load(lang)
		for _, c := range removal.Codes() {
			for _, key := range []string{c.String() + ".message", c.String() + ".hint"} {
				if !texts.Has(key) {
					t.Errorf("%s: no text %s", lang, key)
				}
			}
			if _, ok := documented[c.String()]; !ok {
				t.Errorf("%s: facts are not documented", c)
			}
		}
	}
	if len(documented) != len(removal.Codes()) {
		t.Errorf("facts of %d codes are documented, the catalogue has %d", len(documented), len(removal.Codes()))
	}
}

// Nothing may ever be printed that is no sentence, whatever facts are missing.
func TestTextsWithoutFacts(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		texts := templates.Load(lang)
		everyText(func(fact) bool { return true }, func(code, value string, args map[string]string) {
			for _, value := range []string{"", value} {
				for _, text := range []string{texts.Message(code, value, args), texts.Hint(code, value, args)} {
					if text == "" || strings.Contains(text, "<no value>") || strings.Contains(text, "{{") {
						t.Fatalf("%s %s %v: %q", lang, code, args, text)
					}
				}
			}
		})
	}
}

var flaws = []struct {
	what string
	re   *regexp.Regexp
}{
	{"two blanks", regexp.MustCompile(`  `)},
	{"blank before a mark", regexp.MustCompile(` [,;:?)](\s|$)`)},
	{"mark without a blank after it", regexp.MustCompile(`[;,][^\s"]|[:?][^\s"/]`)},
	{"two marks", regexp.MustCompile(`[,;:?.]\s*[,;:]`)},
	{"nothing in brackets or quotes", regexp.MustCompile(`\(\s*\)|\(,|(^|\s)""(\s|$)`)},
	{"a mark at the end", regexp.MustCompile(`[,;:.]$`)},
	{"space or line break around", regexp.MustCompile(`^\s|\s$|\n|\t`)},
}

// Marks inside numbers, times and quoted values are no flaws.
var harmless = regexp.MustCompile(`\d[,:]\d|"[^"]*"|\(""\)`)

// With the facts that a code always has, message and hint must read well in
// every form.
func TestTextsReadWell(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		texts := templates.Load(lang)
		everyText(func(f fact) bool { return f.optional }, func(code, value string, args map[string]string) {
			for _, text := range []string{texts.Message(code, value, args), texts.Hint(code, value, args)} {
				plain := harmless.ReplaceAllString(text, "x")
				for _, f := range flaws {
					if f.re.MatchString(plain) {
						t.Errorf("%s %s: %s in %q", lang, code, f.what, text)
					}
				}
				first, size := utf8.DecodeRuneInString(text)
				second, _ := utf8.DecodeRuneInString(text[size:])
				// German nouns and names of letters only (SKU) begin with a capital.
				if lang != "de" && unicode.IsUpper(first) && unicode.IsLower(second) {
					t.Errorf("%s %s: begins with a capital: %q", lang, code, text)
				}
			}
		})
	}
}

func TestQuotedValueIsCut(t *testing.T) {
	t.Parallel()
	texts := templates.Load("en")
	got := texts.Message("method_unknown", strings.Repeat("å", 41), nil)
	if want := `"` + strings.Repeat("å", 40) + `…" is not a removal method`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := texts.Message("method_unknown", "a\x1b[31m\r\nb", nil); got != "\"a\uFFFD[31m  b\" is not a removal method" {
		t.Errorf("control characters reach the reader: %q", got)
	}
}

func TestArithmeticOfOverStock(t *testing.T) {
	t.Parallel()
	args := map[string]string{
		"condition": "sellable", "asked": "14", "snapshot": "12", "date": "2026-11-20", "taken": "9", "left": "3",
		"takers": "order\tA-1\t4\nrow\t7\t5",
	}
	for lang, want := range map[string]string{
		"en": "14 asked, 12 in snapshot of 2026-11-20, 9 taken: order A-1 (4), row 7 (5); 3 left",
		"sv": "14 begärda, 12 i lagersaldot från 2026-11-20, 9 upptagna: order A-1 (4), rad 7 (5); 3 kvar",
		"de": "14 angefordert, 12 im Bestand vom 2026-11-20, 9 vergeben: Auftrag A-1 (4), Zeile 7 (5); 3 übrig",
	} {
		if diff := cmp.Diff(want, templates.Load(lang).Hint("quantity_over_stock", "14", args)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLookAlikes(t *testing.T) {
	t.Parallel()
	texts := templates.Load("en")
	for typed, want := range map[string]string{
		"sku-0012":      "did you mean SKU-0012 (upper and lower case count)?",
		"SKU-OO12":      "did you mean SKU-0012 (character 5 is 0, not O)?",
		"SKU-12":        "did you mean SKU-0012 (leading zeros count)?",
		"SKU -0012":     "did you mean SKU-0012 (blanks count)?",
		"\u0405KU-0012": "did you mean SKU-0012 (character 1 is S, not \u0405 U+0405)?",
		"SKU-0013":      "did you mean SKU-0012?",
	} {
		if got := texts.Hint("sku_unknown", typed, map[string]string{"candidates": "SKU-0012"}); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
}

func TestUnknownKeyAndCode(t *testing.T) {
	t.Parallel()
	texts := templates.Load("sv")
	for name, got := range map[string]string{
		"key":              texts.T("no.such.key"),
		"key with a count": texts.T("no.such.key", "count", 2),
	} {
		if got != "no.such.key" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if m, h := texts.Render("code_200", "x", nil); m != "code_200" || h != "" {
		t.Errorf("code without texts: %q, %q", m, h)
	}
}

func TestLoadFindsTheLanguage(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string]string{
		"sv": "sv", "sv_SE.UTF-8": "sv", "sv-FI": "sv", "de_AT@euro": "de", "en_GB.UTF-8": "en",
		"": "en", "C": "en", "POSIX": "en", "fr": "en", "nb_NO": "en", "no such language": "en",
	} {
		if got := templates.Load(asked).Lang(); got != want {
			t.Errorf("%q: got %s, want %s", asked, got, want)
		}
	}
}

// Facts may come as the domain has them.
func TestRenderTakesArgs(t *testing.T) {
	t.Parallel()
	args := removal.Args{}.Arg("cells", 17).Arg("headings", 15)
	message, hint := templates.Load("en").Render(removal.ColumnCount.String(), "", args)
	if want := "the row has 17 cells, the heading row only 15"; message != want || hint == "" {
		t.Errorf("got %q, %q", message, hint)
	}
}

// Every language has the same keys with the same plural forms, each once.
func TestLanguagesHaveTheSameKeys(t *testing.T) {
	t.Parallel()
	all := map[string][]string{}
	for _, lang := range templates.Languages() {
		names, err := filepath.Glob("texts/*." + lang + ".toml")
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files of texts: %v", lang, err)
		}
		for _, name := range names {
			buf, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var tree map[string]any
			if err := toml.Unmarshal(buf, &tree); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all[lang] = append(all[lang], keys("", tree)...)
		}
		sort.Strings(all[lang])
		if d := len(all[lang]) - len(slices.Compact(slices.Clone(all[lang]))); d != 0 {
			t.Errorf("%s: %d keys stand in two files", lang, d)
		}
		if diff := cmp.Diff(all["en"], all[lang]); diff != "" {
			t.Errorf("keys of en (-) and %s (+): %s", lang, diff)
		}
	}
}

func keys(prefix string, tree map[string]any) (out []string) {
	for k, v := range tree {
		if sub, ok := v.(map[string]any); ok {
			out = append(out, keys(prefix+k+".", sub)...)
			continue
		}
		out = append(out, prefix+k)
	}
	return out
}

// TestRenderedTexts keeps every text of every code in a file that can be read
// through: each code with the values of one fact after the other, and without
// what may be absent.
func TestRenderedTexts(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range removal.Codes() {
		code := c.String()
		fmt.Fprintf(&b, "%s (%s, %s)\n", code, c.Scope(), c.Severity())
		for _, lang := range templates.Languages() {
			texts, seen := templates.Load(lang), map[string]bool{}
			examples(code, func(value string, args map[string]string) {
				message, hint := texts.Message(code, value, args), texts.Hint(code, value, args)
				if !seen[message+hint] {
					seen[message+hint] = true
					fmt.Fprintf(&b, "  %s  %s\n      > %s\n", lang, message, hint)
				}
			})
		}
		b.WriteByte('\n')
	}
	golden := filepath.Join("testdata", "rendered.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("texts changed; look at the difference, then run with -update:\n%s", diff)
	}
}

// everyText calls visit for every code, value and combination of facts.
func everyText(leaveOut func(fact) bool, visit func(code, value string, args map[string]string)) {
	for code := range documented {
		for _, facts := range variants(code) {
			for _, value := range valuesOf(code) {
				combinations(facts, leaveOut, func(args map[string]string) { visit(code, value, args) })
			}
		}
	}
}

// examples are few: the first value of each fact, then each fact's other values
// and its absence, the rest as in the first.
func examples(code string, visit func(value string, args map[string]string)) {
	vals := valuesOf(code)
	for _, facts := range variants(code) {
		full, least := map[string]string{}, map[string]string{}
		for _, f := range facts {
			full[f.name] = f.values[0]
			if !f.optional {
				least[f.name] = f.values[0]
			}
		}
		for _, v := range vals {
			visit(v, full)
		}
		for _, f := range facts {
			for _, v := range f.values[1:] {
				visit(vals[0], with(full, f.name, v))
			}
			if f.optional {
				visit(vals[0], with(full, f.name, ""))
			}
		}
		visit(vals[0], least)
	}
}

func with(args map[string]string, name, value string) map[string]string {
	out := make(map[string]string, len(args))
	for k, v := range args {
		out[k] = v
	}
	out[name] = value
	return out
}

// An upload may have very many problems: texts must not be what it waits for.
func BenchmarkRender(b *testing.B) {
	texts := templates.Load("en")
	over := removal.Args{
		{Name: "condition", Value: "sellable"}, {Name: "asked", Value: "14"}, {Name: "snapshot", Value: "12"},
		{Name: "date", Value: "2026-11-20"}, {Name: "taken", Value: "9"}, {Name: "left", Value: "3"},
		{Name: "takers", Value: "order\tA-1\t4\nrow\t7\t5"},
	}
	unknown := removal.Args{{Name: "candidates", Value: "SKU-0012\nSKU-0013"}}
	for name, args := range map[string]removal.Args{"quantity_over_stock": over, "sku_unknown": unknown} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				texts.Render(name, "SKU-0O12", args)
			}
		})
	}
}
