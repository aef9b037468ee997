package templates

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"github.com/pelletier/go-toml/v2"
)

func textsOf(t *testing.T, lang string, files map[string]string) (*Texts, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys["texts/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	texts, err := load(fsys, lang)
	if err != nil {
		return nil, err
	}
	return texts, texts.compileAll()
}

var smallFiles = map[string]string{
	"a.en.toml": `
plain = 'from {{.place}}'
english = 'English only: {{n .count}}'
[rows]
one = '{{n .count}} row'
other = '{{n .count}} rows'
[lines]
one = '{{n .count}} line'
other = '{{n .count}} lines'
`,
	"b.sv.toml": `
[rows]
one = '{{n .count}} rad'
other = '{{n .count}} rader'
`,
	"a.sv.toml": `plain = 'från {{.place}}'`,
}

func TestPluralsAndFallback(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string][]string{
		"en": {"0 rows", "1 row", "2 rows", "1000 rows", "12,345 rows", "many rows", " rows", "1 line", "English only: 7", "from X", "from ", "gone", "gone"},
		"sv": {"0 rader", "1 rad", "2 rader", "1000 rader", "12\u00a0345 rader", "many rader", " rader", "1 line", "English only: 7", "från X", "från ", "gone", "gone"},
	} {
		texts, err := textsOf(t, lang, smallFiles)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{
			texts.T("rows", "count", 0), texts.T("rows", "count", 1), texts.T("rows", "count", int64(2)),
			texts.T("rows", "count", uint16(1000)), texts.T("rows", "count", "12345"),
			texts.T("rows", "count", "many"), texts.T("rows"), // a wrong count must not lose the text
			texts.T("lines", "count", 1), texts.T("english", "count", 7),
			texts.T("plain", "place", "X"), texts.T("plain", "place"),
			texts.T("gone"), texts.T("gone", "count", 1),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", lang, diff)
		}
	}
}

// compileAll compiles every text and every plural form now.
func (t *Texts) compileAll() error {
	for _, x := range t.plain {
		for _, form := range append(x.forms, x.source) {
			if _, err := compile(x.key, form); err != nil {
				return fmt.Errorf("%s: %w", x.file, err)
			}
		}
	}
	return nil
}

// The tables are read as go-i18n reads them.
func TestTablesAreGoI18ns(t *testing.T) {
	t.Parallel()
	for _, lang := range languages {
		texts, keys := Load(lang), map[string]bool{}
		names, err := fs.Glob(files, "texts/*."+lang+".toml")
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			buf, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			file, err := i18n.ParseMessageFileBytes(buf, name, map[string]i18n.UnmarshalFunc{"toml": toml.Unmarshal})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range file.Messages {
				keys[m.ID] = true
				if x := texts.plain[m.ID]; x == nil || x.source != m.Other || x.file != name || (m.One != "") != (x.forms != nil) {
					t.Errorf("%s: %s is read as %+v", name, m.ID, x)
				}
			}
		}
		for key, x := range texts.plain {
			if !keys[key] && strings.HasSuffix(x.file, "."+lang+".toml") {
				t.Errorf("%s: %s is no text", x.file, key)
			}
		}
	}
}

func TestAllTextsCompile(t *testing.T) {
	t.Parallel()
	for _, lang := range Languages() {
		if err := Load(lang).compileAll(); err != nil {
			t.Errorf("%s: %v", lang, err)
		}
	}
}

// What cannot stand in a text is found when the texts are compiled, with its file.
func TestBrokenTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`k = '{{if .a}}'`:                        "unexpected EOF",
		`k = '{{nosuch .a}}'`:                    `function "nosuch" not defined`,
		`k = '{{.a | n}}'`:                       "neither | nor",
		`k = '{{range .a}}x{{end}}'`:             "cannot stand in a text",
		`k = '{{n}}'`:                            "takes 1 to 1 arguments",
		`k = '{{.a.b}}'`:                         "a name of one word",
		`k = '{{.a .b}}'`:                        "only a function takes arguments",
		`k = '{{print .a}}'`:                     `function "print" not defined`,
		"[k]\none = '{{if}}'\nother = 'right'\n": "missing value for if",
		`k = `:                                   "toml",
	} {
		_, err := textsOf(t, "en", map[string]string{"x.en.toml": text})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.en.toml") {
			t.Errorf("%s: got %v, want %q and the file's name", text, err, want)
		}
	}
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ lang, text, want string }{
		{"en", `{{bytes "536870912"}} {{bytes "1536"}} {{bytes "12"}} {{bytes "x"}}`, "512 MiB 1.5 KiB 12 B x"},
		{"sv", `{{bytes "1536"}}`, "1,5 KiB"},
		{"en", `{{n "-1234567"}} {{n "9999"}} {{n "12a45"}}`, "-1,234,567 9999 12a45"},
		{"de", `{{n "1234567"}}`, "1\u00a0234\u00a0567"},
		{"en", `{{minus "14" "3"}} {{minus "x" "3"}} {{ceil "23000" "10000"}} {{ceil "7" "0"}}`, "11  3 7"},
		{"en", `{{when "2026-11-20T06:00:00+01:00"}} {{when "2026-11-20"}}`, "2026-11-20 06:00 2026-11-20"},
		{"en", `{{country "US"}} {{country "SE"}} {{country "XX9"}} {{country ""}}`, "the United States (US) Sweden (SE) XX9 "},
		{"sv", `{{country "DE"}}`, "Tyskland (DE)"},
		{"de", `{{country "SE"}}`, "Schweden (SE)"},
		{"en", `{{unsigned "-3"}} {{unsigned "−3"}} {{unsigned "-x"}}`, "3 3 "},
		{"en", `{{anyOf "a\nb c\nd"}}; {{allOf "a\nb"}}; {{commas "a\nb"}}; {{first "a\nb"}}; {{count "a\nb"}}`, `a, "b c" or d; a and b; a, b; a; 2`},
		{"en", `{{commas "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14"}}`, "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 2 more"},
		{"en", `{{if and .x (not .y)}}yes{{else}}no{{end}}{{if eq .x "0" "1"}} one{{end}}{{if or .y .z}} never{{end}}{{/* a remark */}}`, "yes one"},
		{"en", `{{if more "a\nb" "a"}}more{{end}}{{if single "a"}} single{{end}}{{if zero "01"}} zero{{end}}`, "more single zero"},
		{"en", `{{class "Class 3"}} {{class "4.1"}} {{class "lithium"}}`, "3 4.1 lithium"},
		{"en", `{{damage "ab\uFFFD"}} {{damage "ok"}}`, "character 3 is U+FFFD "},
		{"en", `{{units "1" "sellable"}}, {{units "" "sellable"}}, {{units "20000" ""}}`, "1 sellable unit, sellable units, 20,000 units"},
	} {
		p, err := compile("t", tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		if got := p.render(&scope{t: Load(tc.lang), facts: factList{"x", "1"}}); got != tc.want {
			t.Errorf("%s %s\n got %q\nwant %q", tc.lang, tc.text, got, tc.want)
		}
	}
}
