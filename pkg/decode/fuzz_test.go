package decode

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rensa/pkg/removal"
)

// tidy brings records into the form in which they are read: values trimmed, no
// blank values at the end, no blank rows.
func tidy(records [][]string) [][]string {
	var all [][]string
	for _, r := range records {
		var row []string
		for _, v := range r {
			b := []byte(v)
			a, z := trim(b, 0, len(b))
			row = append(row, v[a:z])
		}
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		if len(row) > 0 {
			all = append(all, row)
		}
	}
	return all
}

// slowTabs is the rule of tab files written down plainly, for the whole text.
func slowTabs(text string, most int) [][]string {
	var all [][]string
	var row []string
	for text != "" {
		field, rest, quoted := "", "", false
		if text[0] == '"' {
			field, rest, quoted = slowQuoted(text[1:], most)
		}
		if !quoted {
			i := strings.IndexAny(text, "\t\r\n")
			if i < 0 {
				i = len(text)
			}
			field, rest = text[:i], text[i:]
		}
		row = append(row, field)
		switch {
		case strings.HasPrefix(rest, "\t"):
			text = rest[1:]
			if text == "" {
				row = append(row, "")
			}
			continue
		case strings.HasPrefix(rest, "\r\n"):
			rest = rest[2:]
		case rest != "":
			rest = rest[1:]
		}
		all, row, text = append(all, row), nil, rest
	}
	return append(all, row)
}

func slowQuoted(s string, most int) (field, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		raw, rest := s[:i], s[i+1:]
		if strings.Contains(raw, "\t") && strings.ContainsAny(raw, "\r\n") || len(raw) > 2*most {
			return "", "", false
		}
		return b.String(), rest, rest == "" || strings.IndexByte("\t\r\n", rest[0]) >= 0
	}
	return "", "", false
}

// splitLaw reads text in chunks of several sizes and holds the rows against
// encoding/csv, where that accepts the text, or against slowTabs.
func splitLaw(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, delim byte) {
	t.Helper()
	lim := DefaultLimits()
	var first []Row
	var firstErr error
	for i, chunk := range []int{1 << 20, 1, 2, 3, 5, 8, 13, 21, 64} {
		f := &File{opt: Options{Limits: lim}, chunk: chunk, format: Format{Encoding: encUTF8},
			src: &source{r: strings.NewReader(text), size: int64(len(text))}, text: onlyDelim(delim)}
		rows, err := readAll(&Sheet{file: f}, 0)
		if i == 0 {
			first, firstErr = rows, err
			continue
		}
		if (err == nil) != (firstErr == nil) || err != nil && err.Error() != firstErr.Error() {
			t.Fatalf("chunk %d: error %v, in one piece %v: %q", chunk, err, firstErr, text)
		}
		if d := cmp.Diff(first, rows); d != "" && err == nil {
			t.Fatalf("chunk %d: %q: %s", chunk, text, d)
		}
	}
	if delim == '\t' {
		if firstErr != nil {
			t.Fatalf("tab file refused: %v: %q", firstErr, text)
		}
		if d := cmp.Diff(tidy(slowTabs(text, lim.Cell)), cellsOf(first)); d != "" {
			t.Fatalf("%q: %s", text, d)
		}
		return
	}
	if strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), "\r") {
		return // encoding/csv takes a CR alone for a part of the value
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = rune(delim), -1
	want, err := r.ReadAll()
	if err != nil {
		return
	}
	if firstErr != nil {
		t.Fatalf("refused: %v: %q", firstErr, text)
	}
	got := cellsOf(first)
	for _, row := range got {
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "\r\n", "\n")
		}
	}
	if d := cmp.Diff(tidy(want), tidy(got)); d != "" {
		t.Fatalf("%q: %s", text, d)
	}
}

// onlyDelim stands apart because the parameter called text hides the type.
func onlyDelim(delim byte) text { return text{delim: delim} }

func FuzzSplit(f *testing.F) {
	for _, tc := range textCases {
		input, _, _, _ := marks(tc.input)
		for d := range byte(4) {
			f.Add(input, d)
		}
	}
	f.Fuzz(func(t *testing.T, text string, d byte) {
		if len(text) > 2000 {
			return
		}
		splitLaw(t, text, delimiters[d%4].char)
	})
}

// TestSplitGenerated is the law of FuzzSplit over texts made of what matters.
func TestSplitGenerated(t *testing.T) {
	t.Parallel()
	atoms := rapid.SampledFrom([]string{"\"", "\"", "\"\"", "\t", ",", ";", "\n", "\r", "\r\n", " ", "a", "b\"", "\u00a0", "å", "\x01", "longer value 8"})
	rapid.Check(t, func(rt *rapid.T) {
		text := strings.Join(rapid.SliceOfN(atoms, 0, 60).Draw(rt, "text"), "")
		for _, d := range delimiters {
			splitLaw(rt, text, d.char)
		}
	})
}

// TestCSVRoundTrip: what encoding/csv writes is read as it was.
func TestCSVRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		records := rapid.SliceOf(rapid.SliceOfN(rapid.StringMatching(`[a-zå" ,;|\n\t]{0,12}`), 1, 6)).Draw(rt, "records")
		d := rapid.SampledFrom([]byte{',', ';', '|'}).Draw(rt, "delimiter")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = rune(d)
		w.UseCRLF = rapid.Bool().Draw(rt, "crlf")
		if err := w.WriteAll(records); err != nil {
			rt.Fatal(err)
		}
		splitLaw(rt, b.String(), d)
	})
}

var fuzzLimits = Limits{Bytes: 1 << 20, Unpacked: 1 << 20, Ratio: 100, RatioFrom: 1 << 16, Cell: 200, Rows: 1000, Columns: 20}

// FuzzOpen: whatever the bytes, reading ends, without a panic, and a fault of the
// file is a FileError; the same in small chunks as in large ones.
func FuzzOpen(f *testing.F) {
	for _, dir := range []string{"samples", "real"} {
		files, err := filepath.Glob(filepath.Join("../../../shared/data", dir, "*"))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data[:min(len(data), 5000)])
		}
	}
	f.Add(gzipped(f, []byte(small)))
	f.Add(zipped(f, "a", small))
	for _, tc := range cellCases {
		xml := sheetXML(`<row r="1">` + tc.xml + `</row>`)
		f.Add(xlsx(f, map[string]string{"xl/worksheets/sheet1.xml": xml, "xl/sharedStrings.xml": someStrings, "xl/styles.xml": styles}))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		openLaw(t, data, Options{Limits: fuzzLimits, TempDir: dir, Known: known})
		openLaw(t, data, Options{Limits: fuzzLimits, TempDir: dir, ShiftJIS: true})
	})
}

func openLaw(t *testing.T, data []byte, opt Options) {
	t.Helper()
	f, err := open(data, 0, opt)
	var refused *removal.FileError
	if err != nil {
		if !errors.As(err, &refused) {
			t.Fatalf("not the file's fault: %v", err)
		}
		return
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range f.Sheets() {
		large, err := readAll(s, 0)
		f.chunk = 23
		little, err2 := readAll(s, 0)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("in large chunks %v, in small ones %v", err, err2)
		}
		if err != nil {
			if !errors.As(err, &refused) {
				t.Fatalf("not the file's fault: %v", err)
			}
			continue
		}
		if d := cmp.Diff(large, little); d != "" {
			t.Fatal(d)
		}
		for _, r := range large {
			for _, v := range r.Cells {
				if f.book == nil && !utf8.ValidString(v) {
					t.Fatalf("%q is no UTF-8", v)
				}
			}
		}
	}
}

// FuzzSheet puts any bytes into the rows of a sheet.
func FuzzSheet(f *testing.F) {
	for _, tc := range cellCases {
		f.Add(`<row r="1">` + tc.xml + `</row>`)
	}
	f.Fuzz(func(t *testing.T, rows string) {
		data := xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(rows), "xl/sharedStrings.xml": sst(rows), "xl/styles.xml": styles})
		openLaw(t, data, Options{Limits: fuzzLimits})
		data = xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(rows), "xl/sharedStrings.xml": someStrings, "xl/styles.xml": styles})
		openLaw(t, data, Options{Limits: fuzzLimits})
	})
}
