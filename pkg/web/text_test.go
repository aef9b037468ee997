package web

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"rensa/templates"
)

// builtKeys are put together by pages and code from what they know: every key
// that begins so counts as used.
var builtKeys = []string{"web.nav.", "web.role.", "web.language.", "web.theme.", "web.err.", "web.step.", "web.acceptance.", "web.report.", "web.resubmit.", "web.method.",
	"web.order.cancel.", "web.order.cancel_it.", "web.order.cancel_about.", "web.order.cancel_yes.", "web.order.source.", "web.order.file.", "web.draft.method.", "web.address.",
	"web.schedule.job.", "web.schedule.about.", "web.schedule.count.", "web.reports.name.", "web.reports.about.", "web.deadlines.in."}

var (
	keyInPage = regexp.MustCompile(`"(web\.[a-z0-9_.]*[a-z0-9_])"`)
	factsIn   = regexp.MustCompile(`\{\{.*?\}\}`)
	factName  = regexp.MustCompile(`\.[a-z_]+`)
)

// TestTexts: no page says a key instead of a text, no text is said nowhere, and
// the same facts stand in every language.
func TestTexts(t *testing.T) {
	t.Parallel()
	used := map[string]string{} // by key: where
	note := func(name, body string) {
		for _, m := range keyInPage.FindAllStringSubmatch(body, -1) {
			used[m[1]] = name
		}
	}
	err := fs.WalkDir(templates.Web(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".html") {
			body, e := fs.ReadFile(templates.Web(), name)
			note(name, string(body))
			err = e
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range code {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			body, err := os.ReadFile(e.Name())
			if err != nil {
				t.Fatal(err)
			}
			note(e.Name(), string(body))
		}
	}
	english := textsIn(t, "en")
	for _, lang := range templates.Languages() {
		texts := textsIn(t, lang)
		for key, where := range used {
			if _, ok := texts[key]; !ok {
				t.Errorf("%s: %s of %s has no text", lang, key, where)
			}
		}
		for key, text := range texts {
			if _, ok := used[key]; !ok && !slices.ContainsFunc(builtKeys, func(p string) bool { return strings.HasPrefix(key, p) }) {
				t.Errorf("%s: %s is said nowhere", lang, key)
			}
			if want, got := factsOf(english[key]), factsOf(text); !slices.Equal(want, got) {
				t.Errorf("%s: %s is made from %v, in English from %v", lang, key, got, want)
			}
		}
	}
}

// textsIn are all texts of the page in a language: web.LANG.toml and web_….
func textsIn(t *testing.T, lang string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"web.", "web_*."} {
		names, err := fs.Glob(os.DirFS("../../templates/texts"), pattern+lang+".toml")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			body, err := os.ReadFile("../../templates/texts/" + name)
			if err != nil {
				t.Fatal(err)
			}
			own := map[string]string{}
			if err := toml.Unmarshal(body, &own); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for key, text := range own {
				if _, twice := all[key]; twice {
					t.Errorf("%s: %s stands in another file too", name, key)
				}
				all[key] = text
			}
		}
	}
	return all
}

func factsOf(text string) []string {
	found := factName.FindAllString(strings.Join(factsIn.FindAllString(text, -1), " "), -1)
	slices.Sort(found)
	return slices.Compact(found)
}

var iconInPage = regexp.MustCompile(`(?:icon|"Icon") "([a-z-]+)"`)

// TestIcons: every icon that a page names is there.
func TestIcons(t *testing.T) {
	t.Parallel()
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fs.Glob(templates.Web(), "*/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(pages, "layout.html") {
		body, err := fs.ReadFile(templates.Web(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range iconInPage.FindAllStringSubmatch(string(body), -1) {
			if _, err := a.icon(m[1]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
