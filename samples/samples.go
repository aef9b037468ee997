// Package samples holds the golden cases: each a folder with a story that a user
// would recognise, the files that were dropped, and what must be said about them.
// They are documentation, tests and the demo workspace at once.
//
// A case's input NAME has NAME.expect beside it: every problem of that file, one a
// line as "ROW CODE [CELL] [> WORDS; WORDS]", in the order of the rows; row 0 is the
// file, and the words must occur in the message or its hint. It is written by hand
// from the rules, never recorded. Where no cell is given, any is right. Reports
// that were recorded lie in out/NAME/ and are not embedded.
//
// The package only reads what is embedded in it: it processes nothing.
package samples

import (
	"bufio"
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Recorded outputs lie in folders, whose names have no dot, and stay out.
//
//go:embed */*.*
var embedded embed.FS

// Files holds the inputs of all cases, a folder each. What belongs to the cases
// themselves, case.toml and the expectations, is not listed.
var Files fs.ReadDirFS = inputs{embedded}

type inputs struct{ embed.FS }

func (i inputs) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := i.FS.ReadDir(name)
	return slices.DeleteFunc(all, func(e fs.DirEntry) bool { return !e.IsDir() && !isInput(e.Name()) }), err
}

const (
	caseFile = "case.toml"
	expect   = ".expect"
)

func isInput(name string) bool { return name != caseFile && path.Ext(name) != expect }

// Case is one story: a merchant and the files that come, one after another.
type Case struct {
	Name  string    `toml:"-"` // of its folder
	Title string    `toml:"title"`
	About string    `toml:"about"` // two or three sentences
	Demo  bool      `toml:"demo"`  // a demo workspace is made of it
	Now   time.Time `toml:"now"`   // of the first step
	// Profile is the merchant's settings as "merchants set" takes them; those
	// that are not named have their defaults.
	Profile map[string]string `toml:"-"`
	Limits  Limits            `toml:"limits"`
	Steps   []Step            `toml:"step"`
	FS      fs.FS             `toml:"-"` // the case's folder
}

// Limits are limits of size that a case sets; 0 stands for the default.
type Limits struct {
	Bytes     int64 `toml:"bytes"`
	Unpacked  int64 `toml:"unpacked"`
	Ratio     int64 `toml:"ratio"`
	RatioFrom int64 `toml:"ratio_from"`
	Cell      int   `toml:"cell"`
	Rows      int   `toml:"rows"`
	Columns   int   `toml:"columns"`
}

// Step is one file that comes.
type Step struct {
	File string `toml:"file"`
	// As is the name under which it comes, where that is not File: the same
	// bytes once more. What is expected stands under this name.
	As    string    `toml:"as"`
	AsOf  time.Time `toml:"as_of"` // zero: not given
	Force bool      `toml:"force"`
	Now   time.Time `toml:"now"` // of this step and those after it
	// Exit is the exit code, Counts what became of the rows; nil where the
	// file is not processed.
	Exit   int     `toml:"exit"`
	Counts *Counts `toml:"counts"`
}

// Counts says what became of the rows of a file.
type Counts struct {
	Read     int64 `toml:"read"`
	Accepted int64 `toml:"accepted"`
	Rejected int64 `toml:"rejected"`
	Seen     int64 `toml:"seen"`
}

// Name is the name under which the file comes.
func (s *Step) Name() string { return cmp.Or(s.As, s.File) }

// Expected is one problem that must be found. Cell is "" where any is right; what
// is in Says must occur in its message or its hint.
type Expected struct {
	Row  int
	Code string
	Cell string
	Says []string
}

// Cases reads all cases, by name. An error names the file at fault.
func Cases() ([]Case, error) {
	folders, err := embedded.ReadDir(".")
	if err != nil {
		return nil, err
	}
	all := make([]Case, 0, len(folders))
	for _, f := range folders {
		c, err := read(f.Name())
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", f.Name(), err)
		}
		all = append(all, *c)
	}
	return all, nil
}

// read reads one case; a key that is not known is an error with its place.
func read(name string) (*Case, error) {
	folder, err := fs.Sub(embedded, name)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(folder, caseFile)
	if err != nil {
		return nil, err
	}
	file := struct {
		Case
		Profile map[string]any `toml:"profile"`
	}{}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&file); err != nil {
		return nil, fmt.Errorf("%s: %w", caseFile, err)
	}
	c := &file.Case
	c.Name, c.FS, c.About = name, folder, strings.TrimSpace(c.About)
	c.Profile = map[string]string{}
	flatten("", file.Profile, c.Profile)
	return c, nil
}

// flatten writes nested tables as dotted keys: policy.max_skus_per_file.
func flatten(prefix string, in map[string]any, out map[string]string) {
	for k, v := range in {
		if table, ok := v.(map[string]any); ok {
			flatten(prefix+k+".", table, out)
			continue
		}
		out[prefix+k] = fmt.Sprint(v)
	}
}

// Inputs lists the files that may be dropped, by name.
func (c *Case) Inputs() ([]string, error) {
	entries, err := Files.ReadDir(c.Name)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Expect reads what must be said about a step's file.
func (c *Case) Expect(s *Step) ([]Expected, error) {
	name := s.Name() + expect
	text, err := fs.ReadFile(c.FS, name)
	if err != nil {
		return nil, fmt.Errorf("sample %s: %w", c.Name, err)
	}
	var all []Expected
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		problem, says, told := strings.Cut(lines.Text(), " > ")
		words := strings.Fields(problem)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		row, err := strconv.Atoi(words[0])
		if err != nil || row < 0 || len(words) < 2 || len(words) > 3 {
			return nil, fmt.Errorf("sample %s: %s line %d: want ROW CODE [CELL] [> WORDS], not %q", c.Name, name, n, lines.Text())
		}
		e := Expected{Row: row, Code: words[1]}
		if len(words) == 3 {
			e.Cell = words[2]
		}
		if told {
			e.Says = strings.Split(says, "; ")
		}
		all = append(all, e)
	}
	return all, lines.Err()
}
