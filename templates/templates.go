// Package templates holds every text that people read, in English, Swedish and
// German, and makes sentences of them: message and hint of each problem code,
// and any other text by its key.
//
// Texts stand in texts/NAME.LANG.toml, each file beginning with tables of its
// own, in the form of go-i18n, which chooses among plural forms; a text that a
// language lacks is taken from English, a key that no language has is shown as it
// is. What may stand in a text is listed at functions. A language is read when it
// is first asked for and each text compiled when it is first used: a broken one is
// a fault of the program and panics there, so a test compiles them all.
//
// It imports nothing of ours and knows codes by name only. Everything here may
// be used by several goroutines at once.
package templates

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	i18ntemplate "github.com/nicksnyder/go-i18n/v2/i18n/template"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"
)

//go:embed texts/*.toml
var files embed.FS

// languages in the order in which they are offered; the first is the one that
// every text falls back to.
var languages = []string{"en", "sv", "de"}

// Languages returns the codes of the languages that texts exist in.
func Languages() []string { return append([]string(nil), languages...) }

// Facts are what a text is made from, by name; "" stands for a fact that is not
// there. removal.Args are Facts.
type Facts interface{ Get(name string) string }

// Texts are all texts in one language.
type Texts struct {
	lang      string
	tag       language.Tag
	plain     map[string]*text // by key; of a text with plural forms the general one
	codes     map[string]codeTexts
	localizer *i18n.Localizer
	countries sync.Map // ISO code → name
}

type codeTexts struct{ message, hint *text }

var loaded = func() map[string]func() *Texts {
	m := make(map[string]func() *Texts, len(languages))
	for _, lang := range languages {
		m[lang] = sync.OnceValue(func() *Texts {
			t, err := load(files, lang)
			if err != nil {
				panic(fmt.Sprintf("embedded texts: %v", err))
			}
			return t
		})
	}
	return m
}()

var matcher = func() language.Matcher {
	tags := make([]language.Tag, len(languages))
	for i, lang := range languages {
		tags[i] = language.MustParse(lang)
	}
	return language.NewMatcher(tags)
}()

// Load returns the texts of a language given as a tag ("sv", "de-AT") or in the
// way of the environment ("sv_SE.UTF-8"). A language without texts gets English.
func Load(lang string) *Texts {
	lang, _, _ = strings.Cut(lang, ".")
	lang, _, _ = strings.Cut(lang, "@")
	if tag, err := language.Parse(lang); err == nil {
		if _, i, confidence := matcher.Match(tag); confidence >= language.High {
			return loaded[languages[i]]()
		}
	}
	return loaded[languages[0]]()
}

func load(texts fs.FS, lang string) (*Texts, error) {
	t := &Texts{
		lang:  lang,
		tag:   language.MustParse(lang),
		plain: map[string]*text{},
		codes: map[string]codeTexts{},
	}
	bundle := i18n.NewBundle(language.MustParse(languages[0]))
	// English first: what the language itself has then takes its place.
	order := []string{languages[0]}
	if lang != languages[0] {
		order = append(order, lang)
	}
	for _, l := range order {
		names, err := fs.Glob(texts, "texts/*."+l+".toml")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := t.read(texts, name, l, bundle); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for key, p := range t.plain {
		if code, ok := strings.CutSuffix(key, ".message"); ok {
			t.codes[code] = codeTexts{message: p, hint: t.plain[code+".hint"]}
		}
	}
	t.localizer = i18n.NewLocalizer(bundle, lang)
	return t, nil
}

func (t *Texts) read(texts fs.FS, name, lang string, bundle *i18n.Bundle) error {
	buf, err := fs.ReadFile(texts, name)
	if err != nil {
		return err
	}
	var tables map[string]any
	if err := toml.Unmarshal(buf, &tables); err != nil {
		return err
	}
	tag, err := language.Parse(lang)
	if err != nil {
		return err
	}
	return t.add(&source{file: name, tag: tag, bundle: bundle}, "", tables)
}

// source is where texts come from, and who chooses among their plural forms.
type source struct {
	file   string
	tag    language.Tag
	bundle *i18n.Bundle
}

// add takes in the texts of a table and of those in it. A table with a text called
// other is one text with its plural forms.
func (t *Texts) add(from *source, prefix string, table map[string]any) error {
	for name, v := range table {
		key := prefix + name
		switch v := v.(type) {
		case string:
			t.plain[key] = &text{key: key, file: from.file, source: v, compileFunc: compile}
		case map[string]any:
			if _, plural := v["other"].(string); !plural {
				if err := t.add(from, key+".", v); err != nil {
					return err
				}
				continue
			}
			m, err := i18n.NewMessage(v)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			m.ID = key
			if err := from.bundle.AddMessages(from.tag, m); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			t.plain[key] = &text{key: key, file: from.file, source: m.Other, compileFunc: compile,
				forms: []string{m.Zero, m.One, m.Two, m.Few, m.Many}}
		default:
			return fmt.Errorf("%s: a %T is no text", key, v)
		}
	}
	return nil
}

// Lang is the code of the language: "en", "sv" or "de".
func (t *Texts) Lang() string { return t.lang }

// Message says what is wrong for a problem's code, from the cell's value as
// typed and the problem's facts. A code without texts is its own message.
func (t *Texts) Message(code, value string, args map[string]string) string {
	m, _ := t.Render(code, value, mapFacts(args))
	return m
}

// Hint says what to do about it; "" for a code without texts.
func (t *Texts) Hint(code, value string, args map[string]string) string {
	c, ok := t.codes[code]
	if !ok {
		return ""
	}
	return c.hint.render(&scope{t: t, value: value, facts: mapFacts(args)})
}

// Render gives message and hint at once, from facts in any form; nil is none.
func (t *Texts) Render(code, value string, facts Facts) (message, hint string) {
	c, ok := t.codes[code]
	if !ok {
		return code, ""
	}
	s := &scope{t: t, value: value, facts: facts}
	return c.message.render(s), c.hint.render(s)
}

// T returns the text of a key, made from facts given as name and value in turn.
// A fact called count also chooses the plural form. A key that no language has
// is returned as it is.
func (t *Texts) T(key string, args ...any) string {
	facts := make(factList, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		facts = append(facts, plainText(args[i]), plainText(args[i+1]))
	}
	s := &scope{t: t, facts: facts}
	if count := facts.Get("count"); count != "" {
		text, err := t.localizer.Localize(&i18n.LocalizeConfig{
			MessageID: key, TemplateData: s, PluralCount: count, TemplateParser: parser{},
		})
		// With an error there may be a text all the same: the fallback's.
		if err == nil || text != "" {
			return text
		}
	}
	p, ok := t.plain[key]
	if !ok {
		return key
	}
	return p.render(s)
}

// Word is what something of a group is called, "state" "pending"; what has no name is
// given as it is.
func (t *Texts) Word(group, what string) string { return (&scope{t: t}).word(group, what) }

// Has tells whether a key has a text, in this language or in English.
func (t *Texts) Has(key string) bool {
	_, ok := t.plain[key]
	return ok
}

func plainText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case []string:
		return strings.Join(v, "\n")
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}

type mapFacts map[string]string

func (m mapFacts) Get(name string) string { return m[name] }

// factList holds names and values in turn.
type factList []string

func (l factList) Get(name string) string {
	for i := 0; i+1 < len(l); i += 2 {
		if l[i] == name {
			return l[i+1]
		}
	}
	return ""
}

// parser is how go-i18n compiles the plural forms.
type parser struct{}

func (parser) Cacheable() bool { return true }

func (parser) Parse(src, _, _ string) (i18ntemplate.ParsedTemplate, error) {
	return compile("", src)
}
