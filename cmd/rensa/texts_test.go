package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"rensa/templates"
)

// built are the keys that the code puts together; every key that begins so counts
// as used.
var built = []string{"cli.exit.", "cli.config.", "cli.label.", "cli.delimiter.", "cli.reason.", "cli.schedule."}

// TestTexts holds the texts and the code against each other: no key without a
// text in any language, no text without a use, and the same facts in all languages.
func TestTexts(t *testing.T) {
	t.Parallel()
	used := keysInCode(t)
	texts := map[string]map[string]string{}
	for _, lang := range templates.Languages() {
		texts[lang] = readTexts(t, lang)
	}
	for _, lang := range templates.Languages() {
		for _, key := range used {
			if _, ok := texts[lang][key]; !ok && strings.HasPrefix(key, "cli.") {
				t.Errorf("%s: %s has no text", lang, key)
			}
		}
		for key, text := range texts[lang] {
			if !slices.Contains(used, key) && !slices.ContainsFunc(built, func(p string) bool { return strings.HasPrefix(key, p) }) {
				t.Errorf("%s: %s is used nowhere", lang, key)
			}
			if want, got := facts(texts["en"][key]), facts(text); !slices.Equal(want, got) {
				t.Errorf("%s: %s is made from %v, in English from %v", lang, key, got, want)
			}
		}
	}
	for _, code := range gravity {
		key := "cli.exit." + strconv.Itoa(code)
		if _, ok := texts["en"][key]; !ok {
			t.Errorf("%s has no text", key)
		}
	}
}

func keysInCode(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`^(cli|word)\.[a-z0-9_.]*[a-z0-9_]$`)
	var keys []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && key.MatchString(s) {
					keys = append(keys, s)
				}
			}
			return true
		})
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// readTexts reads the texts of the command line, in whichever file they stand.
func readTexts(t *testing.T, lang string) map[string]string {
	t.Helper()
	names, err := filepath.Glob("../../templates/texts/*." + lang + ".toml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	texts := map[string]string{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]any{}
		if err := toml.Unmarshal(b, &all); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key, v := range all {
			if text, ok := v.(string); ok && strings.HasPrefix(key, "cli.") {
				texts[key] = text
			}
		}
	}
	return texts
}

// facts lists the facts that a text is made from.
func facts(text string) []string {
	found := regexp.MustCompile(`\.[a-z_]+`).FindAllString(strings.Join(regexp.MustCompile(`\{\{.*?\}\}`).FindAllString(text, -1), " "), -1)
	slices.Sort(found)
	return slices.Compact(found)
}
