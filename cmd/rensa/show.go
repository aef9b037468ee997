package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rivo/uniseg"
	"golang.org/x/term"
)

// style colours text where standard output is a terminal that wants it.
type style struct{ on bool }

func newStyle(stdout io.Writer, args, environ []string) style {
	if v, _ := lookup(environ, "NO_COLOR"); v != "" || slices.Contains(args, "--no-color") {
		return style{}
	}
	kind, _ := lookup(environ, "TERM")
	return style{on: kind != "" && kind != "dumb" && isTerminal(stdout)}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (s style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string   { return s.paint("1", text) }
func (s style) dim(text string) string    { return s.paint("2", text) }
func (s style) red(text string) string    { return s.paint("31", text) }
func (s style) green(text string) string  { return s.paint("32", text) }
func (s style) yellow(text string) string { return s.paint("33", text) }

// table shows rows in columns wide enough for their longest cell, as a terminal
// counts width. The first row is the heading; columns whose heading begins with
// ">" stand right.
type table struct{ rows [][]string }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) lines(indent string, s style) []string {
	if len(t.rows) == 0 {
		return nil
	}
	right, width := make([]bool, len(t.rows[0])), make([]int, len(t.rows[0]))
	for c, h := range t.rows[0] {
		if h, ok := strings.CutPrefix(h, ">"); ok {
			right[c], t.rows[0][c] = true, h
		}
	}
	for _, row := range t.rows {
		for c, cell := range row {
			width[c] = max(width[c], displayWidth(cell))
		}
	}
	lines := make([]string, 0, len(t.rows))
	for i, row := range t.rows {
		var b strings.Builder
		b.WriteString(indent)
		for c, cell := range row {
			if c > 0 {
				b.WriteString("  ")
			}
			b.WriteString(pad(cell, width[c], right[c]))
		}
		line := strings.TrimRight(b.String(), " ")
		if i == 0 {
			line = s.dim(line)
		}
		lines = append(lines, line)
	}
	return lines
}

func pad(text string, width int, right bool) string {
	gap := strings.Repeat(" ", max(0, width-displayWidth(text)))
	if right {
		return gap + text
	}
	return text + gap
}

// show writes a table to standard output.
func (a *app) show(t *table, indent string) {
	for _, line := range t.lines(indent, a.style) {
		a.say(line)
	}
}

// answer writes the one JSON document of a command.
func (a *app) answer(document any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// printable makes text from a file safe to show on a terminal: control characters,
// and those that turn the direction of all that follows, become a replacement
// character.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, text)
}

// displayWidth is how many columns of a terminal a text takes.
func displayWidth(text string) int { return uniseg.StringWidth(text) }
