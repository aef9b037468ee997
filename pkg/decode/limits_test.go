package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"rensa/pkg/removal"
)

func tooLargeBy(limit string, most int) []string {
	return []string{"limit", limit, "max", fmt.Sprint(most)}
}

// TestLimits: each limit refuses the first byte, row or column beyond it, in
// small chunks and large ones.
func TestLimits(t *testing.T) {
	t.Parallel()
	lim := Limits{Bytes: 40000, Unpacked: 60000, Ratio: 20, RatioFrom: 10000, Cell: 100, Rows: 50, Columns: 10}
	long := strings.Repeat("x", 101)
	wide := strings.Repeat("1\t", 10) + "11"
	book := func(rows string, entries ...string) []byte {
		return xlsx(t, map[string]string{"xl/worksheets/sheet1.xml": sheetXML(rows), "xl/sharedStrings.xml": sst(entries...)})
	}
	noise := func(n int) string { // hard to pack
		var b strings.Builder
		for x := uint64(1); b.Len() < n; x = x*6364136223846793005 + 1442695040888963407 {
			fmt.Fprintf(&b, "%x\n", x)
		}
		return b.String()
	}
	shared := func(n int) string { return strings.Repeat(`<c t="s"><v>0</v></c>`, n) }
	for _, tc := range []struct {
		name  string
		data  []byte
		limit string
		most  int
		line  int
	}{
		{"bytes", []byte(noise(40001)), "bytes", 40000, 0},
		{"unpacked", gzipped(t, []byte(noise(60001))), "unpacked", 60000, 0},
		{"unpacked from zip", zipped(t, "a", noise(60001)), "unpacked", 60000, 0},
		{"ratio", gzipped(t, bytes.Repeat([]byte("a\n"), 6000)), "ratio", 20, 0},
		{"ratio in zip", zipped(t, "a", strings.Repeat("a\n", 6000)), "ratio", 20, 0},
		{"cell", []byte("a\tb\n1\t" + long + "\n"), "cell", 100, 2},
		{"cell to the end", []byte("a\tb\n\n1\t" + long), "cell", 100, 3},
		{"cell in quotes", []byte("a,b\n1,\"" + long + "\"\n"), "cell", 100, 2},
		{"cell of a line", []byte("a\tb\n" + strings.Repeat("x", 30000)), "cell", 100, 2},
		{"cell of lines", []byte("a,b\n1,\"" + strings.Repeat("x\n", 15000) + "\"\n"), "cell", 100, 2},
		{"columns", []byte("a\tb\n" + wide + "\n"), "columns", 10, 2},
		{"columns of a line", []byte("a\tb\n" + strings.Repeat("1\t", 15000)), "columns", 10, 2},
		{"rows", []byte(strings.Repeat("1\t2\n", 51)), "rows", 50, 0},
		{"sheet cell", book(inlineRow(1, long)), "cell", 100, 0},
		{"sheet shared cell", book(`<row r="1">`+shared(1)+`</row>`, `<si><t>`+strings.Repeat("x", 101)+`</t></si>`), "cell", 100, 0},
		{"sheet columns", book(`<row r="1">` + strings.Repeat(`<c><v>1</v></c>`, 11) + `</row>`), "columns", 10, 0},
		{"sheet column far away", book(`<row r="1"><c r="XFD1"><v>1</v></c></row>`), "columns", 10, 0},
		{"sheet column beyond all", book(`<row r="1"><c r="ZZZZZZZZZZZZZZ1"><v>1</v></c></row>`), "columns", 10, 0},
		{"sheet rows", book(strings.Repeat(`<row><c><v>1</v></c></row>`, 51)), "rows", 50, 0},
		{"sheet ratio", book(strings.Repeat(`<row r="1"></row>`, 2000)), "ratio", 20, 0},
		{"strings ratio", book("", strings.Repeat(`<si><t>same</t></si>`, 1000)), "ratio", 20, 0},
		{"styles unpacked", xlsx(t, map[string]string{"xl/styles.xml": styles + noise(60001)}), "unpacked", 60000, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, chunk := range []int{0, 1, 50} {
				e := wantFault(t, fault(tc.data, chunk, Options{Limits: lim}), removal.FileTooLarge, tooLargeBy(tc.limit, tc.most)...)
				if e.Line != tc.line {
					t.Errorf("chunk %d: line %d, want %d", chunk, e.Line, tc.line)
				}
			}
		})
	}
}

// TestWithinLimits: what just fits is read; blanks beyond the columns, a long
// string that no cell uses, and many blank rows are no offence.
func TestWithinLimits(t *testing.T) {
	t.Parallel()
	lim := Limits{Cell: 100, Rows: 50, Columns: 10, RatioFrom: 1 << 20}
	longest := strings.Repeat("ö", 50)
	for name, data := range map[string][]byte{
		"text":    []byte("a\tb\n" + longest + "\t" + strings.Repeat("\t", 500) + "\n" + strings.Repeat("\n", 1000) + strings.Repeat("1\t2\n", 48)),
		"columns": []byte(strings.Repeat("1,", 9) + "10,,,  ,\n"),
		"quoted":  []byte("a,b\n\"" + strings.Repeat(`""`, 100) + "\",1\n"),
		"workbook": xlsx(t, map[string]string{
			"xl/worksheets/sheet1.xml": sheetXML(inlineRow(1, longest) + strings.Repeat(`<row/>`, 1000) + `<row><c r="ZZ1" s="1"/><c r="J1"><v>1</v></c></row>`),
			"xl/sharedStrings.xml":     sst(`<si><t>` + longest + longest + `</t></si>`),
		}),
	} {
		for _, chunk := range []int{0, 1, 50} {
			if err := fault(data, chunk, Options{Limits: lim}); err != nil {
				t.Errorf("%s in chunks of %d: %v", name, chunk, err)
			}
		}
	}
	data := []byte("heading\n" + strings.Repeat("1\n", 50))
	if _, err := readAll(mustOpen(t, data, 0, Options{Limits: lim}).Sheets()[0], 1); err != nil {
		t.Errorf("rows up to the limit behind the heading: %v", err)
	}
}

// TestDefaultLimits: the sizes of the specification, at their borders.
func TestDefaultLimits(t *testing.T) {
	t.Parallel()
	cell := strings.Repeat("x", 32<<10)
	columns := strings.Repeat("1,", 255) + "256"
	if err := fault([]byte("a,b\n"+cell+",1\n"+columns+"\n"), 0, Options{}); err != nil {
		t.Error(err)
	}
	wantFault(t, fault([]byte("a,b\n"+cell+"x,1\n"), 0, Options{}), removal.FileTooLarge, tooLargeBy("cell", 32<<10)...)
	wantFault(t, fault([]byte("a,b\n"+columns+",257\n"), 0, Options{}), removal.FileTooLarge, tooLargeBy("columns", 256)...)
	_, err := Open(strings.NewReader("x"), 512<<20+1, Options{})
	wantFault(t, err, removal.FileTooLarge, tooLargeBy("bytes", 512<<20)...)
}

// TestValuesCount: a few bytes of XML that refer to one long string again and
// again are stopped by the limit of unpacked bytes.
func TestValuesCount(t *testing.T) {
	t.Parallel()
	row := `<row>` + strings.Repeat(`<c t="s"><v>0</v></c>`, 50) + `</row>`
	data := xlsx(t, map[string]string{
		"xl/worksheets/sheet1.xml": sheetXML(strings.Repeat(row, 200)),
		"xl/sharedStrings.xml":     sst(`<si><t>` + strings.Repeat("x", 30000) + `</t></si>`),
	})
	wantFault(t, fault(data, 4000, Options{Limits: Limits{Unpacked: 5 << 20, RatioFrom: 1 << 30}}), removal.FileTooLarge, tooLargeBy("unpacked", 5<<20)...)
	wantFault(t, fault(data, 0, Options{}), removal.FileTooLarge, tooLargeBy("unpacked", maxBlock)...)
}

// TestStrayQuoteFarAway: in a file much longer than any record may be, the quote
// that never closes is told from a value that is too long.
func TestStrayQuoteFarAway(t *testing.T) {
	t.Parallel()
	lim := Limits{Cell: 100, Columns: 4}
	filler := strings.Repeat("1,2\n", 60000)
	for _, chunk := range []int{0, 64} {
		e := wantFault(t, fault([]byte("a,b\n"+filler+"\"24 inch,3\n"+filler), chunk, Options{Limits: lim}), removal.FileQuoteOpen, "line", "60002")
		if e.Line != 60002 {
			t.Errorf("line %d", e.Line)
		}
		wantFault(t, fault([]byte("a,b\n\"24 inch,3\n"+filler+"\"x\",1\n"), chunk, Options{Limits: lim}), removal.FileQuoteOpen, "line", "2")
		e = wantFault(t, fault([]byte("a,b\n\n\"24 inch,3\n"+filler+"\",1\n"), chunk, Options{Limits: lim}), removal.FileTooLarge, "limit", "cell")
		if e.Line != 3 {
			t.Errorf("line %d", e.Line)
		}
		rows := mustRead(t, []byte("a\tb\n1\t\"24 inch\n"+strings.Repeat("1\t2\n", 100)+"3\t5\"\n"), chunk, Options{Limits: lim})
		if len(rows) != 103 || rows[1].Cells[1] != `"24 inch` {
			t.Errorf("%d rows, the second %q", len(rows), rows[1].Cells)
		}
	}
}

// repeated is an endless file of one piece, that was never in memory.
type repeated struct {
	head, piece string
	size        int64
}

func (r repeated) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && off+int64(n) < r.size {
		at := off + int64(n)
		if at < int64(len(r.head)) {
			n += copy(p[n:], r.head[at:])
			continue
		}
		n += copy(p[n:min(int64(len(p)), int64(n)+r.size-at)], r.piece[(at-int64(len(r.head)))%int64(len(r.piece)):])
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

// TestBoundedMemory: hostile files of 16 MiB take no more memory than a few times
// the longest record that the limits allow.
func TestBoundedMemory(t *testing.T) {
	for name, file := range map[string]repeated{
		"one line":     {"a,b\n", "x", 16 << 20},
		"delimiters":   {"a,b\n", ",", 16 << 20},
		"open quote":   {"a,b\n\"", "x,y\n", 16 << 20},
		"doubled":      {"a,b\n\"", `""`, 16 << 20},
		"tab doubled":  {"a\tb\n\"", `""`, 16 << 20},
		"tab quotes":   {"a\tb\n", "\"\t", 16 << 20},
		"blank lines":  {"a,b\n", "\n", 16 << 20},
		"carriage":     {"a,b\n", "\r", 16 << 20},
		"quoted lines": {"a,b\n", "\"x\ny\",1\n", 16 << 20},
	} {
		file.piece = strings.Repeat(file.piece, 10000)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		peak, err := readThrough(t, file)
		var refused *removal.FileError
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		if peak > before.HeapAlloc+10<<20 {
			t.Errorf("%s: the heap grew by %d MiB", name, (peak-before.HeapAlloc)>>20)
		}
	}
}

func readThrough(t *testing.T, file io.ReaderAt) (peak uint64, err error) {
	t.Helper()
	f, err := Open(file, 16<<20, Options{Limits: Limits{Rows: 1 << 40, Cell: 1000, Columns: 10}})
	if err != nil {
		return 0, err
	}
	r, err := f.Sheets()[0].Rows(0)
	if err != nil {
		return 0, err
	}
	var b Block
	var m runtime.MemStats
	for n := 0; ; n++ {
		c, err := r.Next()
		if n%50 == 0 || err != nil {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		if errors.Is(err, io.EOF) {
			return peak, f.Close()
		}
		if err != nil {
			return peak, err
		}
		if err := c.Split(&b); err != nil {
			return peak, err
		}
		r.Recycle(c)
	}
}
