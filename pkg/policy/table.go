package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/gocarina/gocsv"

	"rensa/pkg/removal"
)

// TableError says what is wrong in a policy table, and where.
type TableError struct {
	File   string
	Line   int    // 0: the file itself
	Column string // "" : the whole row
	Value  string
	Reason string
	Near   string // the known name that was probably meant
}

func (e *TableError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, " line %d", e.Line)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %s", e.Column)
	}
	b.WriteString(": ")
	if e.Value != "" {
		fmt.Fprintf(&b, "%q ", e.Value)
	}
	b.WriteString(e.Reason)
	if e.Near != "" {
		fmt.Fprintf(&b, "; did you mean %q?", e.Near)
	}
	return b.String()
}

// badValue is why one value cannot be used; the caller knows its place.
type badValue struct {
	reason, near string
	// what and facts are Reason's of a PolicyError.
	what  string
	facts []any
}

func (b *badValue) Error() string {
	if b.near == "" {
		return b.reason
	}
	return fmt.Sprintf("%s; did you mean %q?", b.reason, b.near)
}

// reasonOf says what an error has against a value, without the name that was probably
// meant: that and the rest stand in the badValue, which is empty for any other error.
func reasonOf(err error) (string, badValue) {
	var b *badValue
	if !errors.As(err, &b) {
		return err.Error(), badValue{}
	}
	return strings.TrimSuffix(err.Error(), b.Error()) + b.reason, *b
}

// place is where a row stands.
type place struct {
	file string
	line int
	own  bool // of the user's, not embedded
}

// bad makes the error of one value in this row.
func (p place) bad(column, value string, err error) error {
	reason, b := reasonOf(err)
	return &TableError{File: p.file, Line: p.line, Column: column, Value: value, Reason: reason, Near: b.near}
}

// entry is one row of a table with its place. T is a struct of strings with csv tags.
type entry[T any] struct {
	place
	row T
}

// loader reads the tables one after another and hashes what comes into force.
type loader struct {
	own map[string][]byte
	sum hash.Hash
	buf []byte // of enforce, used again
}

// readTable reads the embedded table and the user's, whose missing columns are returned.
func readTable[T any](l *loader, file string) (base, own []entry[T], missing []string, err error) {
	data, err := embedded.ReadFile("tables/" + file)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("policy table %s: %w", file, err)
	}
	if base, missing, err = readRows[T](place{file: file}, data); err != nil {
		return nil, nil, nil, err
	}
	if len(missing) > 0 {
		return nil, nil, nil, fmt.Errorf("the embedded %s has no column %s", file, missing[0])
	}
	if data, ok := l.own[file]; ok {
		if own, missing, err = readRows[T](place{file: file, own: true}, data); err != nil {
			return nil, nil, nil, err
		}
	}
	return base, own, missing, nil
}

func readRows[T any](at place, data []byte) (rows []entry[T], missing []string, err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	r.TrimLeadingSpace = true
	var zero T
	u, err := gocsv.NewUnmarshaller(r, zero)
	if errors.Is(err, io.EOF) {
		return nil, nil, &TableError{File: at.file, Reason: "is empty"}
	}
	if err != nil {
		return nil, nil, csvError(at, err)
	}
	known := columnNames[T]()
	rows = make([]entry[T], 0, bytes.Count(data, []byte{'\n'}))
	for i, h := range u.Headers {
		at.line = 1
		if !slices.Contains(known, h) {
			return nil, nil, at.bad(h, "", &badValue{reason: "is not a column of this table", near: removal.Nearest(h, known)})
		}
		if slices.Contains(u.Headers[:i], h) {
			return nil, nil, at.bad(h, "", errors.New("stands twice"))
		}
	}
	for _, k := range known {
		if !slices.Contains(u.Headers, k) {
			missing = append(missing, k)
		}
	}
	for {
		v, err := u.Read()
		if errors.Is(err, io.EOF) {
			return rows, missing, nil
		}
		if err != nil {
			return nil, nil, csvError(at, err)
		}
		e := entry[T]{place: at}
		e.line, _ = r.FieldPos(0)
		e.row = v.(T)
		blank := true
		for _, c := range cells(&e.row) {
			*c = strings.TrimSpace(*c)
			blank = blank && *c == ""
		}
		if !blank {
			rows = append(rows, e)
		}
	}
}

func csvError(at place, err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return &TableError{File: at.file, Line: p.Line, Reason: p.Err.Error()}
	}
	return fmt.Errorf("policy table %s: %w", at.file, err)
}

// columnNames are the csv tags of T in their order.
func columnNames[T any]() []string {
	t := reflect.TypeFor[T]()
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("csv")
	}
	return names
}

// cells are the values of a row, in the order of columnNames.
func cells[T any](row *T) []*string {
	v := reflect.ValueOf(row).Elem()
	all := make([]*string, v.NumField())
	for i := range all {
		all[i] = v.Field(i).Addr().Interface().(*string)
	}
	return all
}

// inherit fills the columns that a user's file leaves out.
func inherit[T any](row, from *T, missing []string) {
	to, src := cells(row), cells(from)
	for i, name := range columnNames[T]() {
		if slices.Contains(missing, name) {
			*to[i] = *src[i]
		}
	}
}

// merge replaces rows of the same key, keeping the embedded order; new keys
// follow. A key that stands twice in one file is an error.
func merge[T any](base, own []entry[T], missing []string, column string, key func(T) string) ([]entry[T], error) {
	all, at := make([]entry[T], 0, len(base)+len(own)), map[string]int{}
	for _, rows := range [][]entry[T]{base, own} {
		for _, e := range rows {
			k := key(e.row)
			i, found := at[k]
			switch {
			case found && all[i].own == e.own:
				return nil, e.bad(column, k, fmt.Errorf("stands in line %d already", all[i].line))
			case found:
				inherit(&e.row, &all[i].row, missing)
				all[i] = e
			default:
				at[k] = len(all)
				all = append(all, e)
			}
		}
	}
	return all, nil
}

// enforce adds the rows that came into force to the version.
func enforce[T any](l *loader, file string, rows []entry[T]) {
	buf := append(l.buf[:0], file...)
	for i := range rows {
		for _, c := range cells(&rows[i].row) {
			buf = append(append(buf, 0x1f), *c...)
		}
		buf = append(buf, 0x1e)
	}
	l.sum.Write(buf)
	l.buf = buf
}
