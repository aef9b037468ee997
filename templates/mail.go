package templates

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed messages/mail.html
var mailHTML string

// Mail is a message to people: every text of it is ready, and HTML and Text lay it
// out. Both say the same.
type Mail struct {
	Lang         string
	Subject      string
	Preview      string // what mail programs show beside the subject
	Brand, About string // above the title: from whom, and about whom
	Title        string
	Intro        []string
	Facts        []MailFact // at most three
	StepsTitle   string
	Steps        []string
	TableTitle   string
	Head         []MailColumn
	Rows         [][]MailCell
	More         string // what the table leaves out
	FilesTitle   string
	Files        []MailFact
	Footer       []string
}

// MailFact is something with a name.
type MailFact struct {
	Label, Value, Note string
	Urgent             bool
}

// MailColumn is a column of the table.
type MailColumn struct {
	Text  string
	Right bool // numbers stand right
	Whole bool // its cells are not broken at blanks and hyphens
}

// MailCell is a cell of the table.
type MailCell struct {
	Text   string
	Notes  []string // smaller, below it
	Urgent bool
}

var mailTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("mail").Funcs(template.FuncMap{
		"number": func(i int) string { return strconv.Itoa(i+1) + "." },
		"align": func(right bool) string {
			if right {
				return "right"
			}
			return "left"
		},
	}).Parse(mailHTML))
})

// HTML lays the message out for mail programs: tables, styles in place, no picture
// and nothing that is fetched.
func (m *Mail) HTML() (string, error) {
	var b bytes.Buffer
	if err := mailTemplate().Execute(&b, m); err != nil {
		return "", fmt.Errorf("message as HTML: %w", err)
	}
	return b.String(), nil
}

// textWidth is where lines of the plain text are broken.
const textWidth = 72

// Text lays the message out as plain text, lines of at most 72 characters where
// words allow it.
func (m *Mail) Text() string {
	w := &textWriter{}
	w.line(m.Brand + " · " + m.About)
	w.heading(m.Title, "=")
	for _, p := range m.Intro {
		w.blank()
		w.wrap("", "", p)
	}
	if len(m.Facts) > 0 {
		w.blank()
	}
	for _, f := range m.Facts {
		w.wrap("", "  ", joined(f.Label+": "+f.Value, f.Note))
	}
	if len(m.Steps) > 0 {
		w.heading(m.StepsTitle, "-")
	}
	for i, s := range m.Steps {
		w.wrap(strconv.Itoa(i+1)+". ", "   ", s)
	}
	if len(m.Rows) > 0 {
		w.heading(m.TableTitle, "-")
	}
	for _, row := range m.Rows {
		w.row(m.Head, row)
	}
	if m.More != "" {
		w.blank()
		w.wrap("", "", m.More)
	}
	if len(m.Files) > 0 {
		w.heading(m.FilesTitle, "-")
	}
	for _, f := range m.Files {
		w.wrap("* ", "  ", f.Label+": "+f.Value)
	}
	w.blank()
	w.line("--")
	for _, f := range m.Footer {
		w.wrap("", "", f)
	}
	return w.b.String()
}

func joined(text string, note string) string {
	if note == "" {
		return text
	}
	return text + " (" + note + ")"
}

type textWriter struct{ b strings.Builder }

func (w *textWriter) line(s string) { w.b.WriteString(strings.TrimRight(s, " ") + "\n") }
func (w *textWriter) blank()        { w.b.WriteString("\n") }

func (w *textWriter) heading(s, mark string) {
	w.blank()
	w.line(s)
	w.line(strings.Repeat(mark, min(utf8.RuneCountInString(s), textWidth)))
}

// row writes a row of the table as a block: the first cell, and the others with
// their headings below it.
func (w *textWriter) row(head []MailColumn, row []MailCell) {
	for i, c := range row {
		text := joined(c.Text, strings.Join(c.Notes, ", "))
		if i == 0 {
			w.wrap("* ", "  ", text)
			continue
		}
		w.wrap("  ", "    ", head[i].Text+": "+text)
	}
}

// wrap breaks a text at blanks; first begins its first line, rest the others.
func (w *textWriter) wrap(first, rest, text string) {
	line, width := first, utf8.RuneCountInString(first)
	begun := false
	for word := range strings.SplitSeq(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case begun && width+1+n > textWidth:
			w.line(line)
			line, width = rest+word, utf8.RuneCountInString(rest)+n
		case begun:
			line, width = line+" "+word, width+1+n
		default:
			line, width = line+word, width+n
		}
		begun = true
	}
	w.line(line)
}

// Number writes a whole number as the language groups it.
func (t *Texts) Number(n int64) string { return t.number(strconv.FormatInt(n, 10)) }

// Money writes a decimal amount ("1234.50") with its currency as the language does.
func (t *Texts) Money(amount, currency string) string {
	whole, frac, ok := strings.Cut(amount, ".")
	text := t.number(whole)
	if ok {
		mark := "."
		if t.lang != "en" {
			mark = ","
		}
		text += mark + frac
	}
	return text + "\u00a0" + currency
}
