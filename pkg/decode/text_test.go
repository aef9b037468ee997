package decode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

func cellsOf(rows []Row) [][]string {
	var all [][]string
	for _, r := range rows {
		all = append(all, r.Cells)
	}
	return all
}

// marks takes the marks out of an input and says where they stood: ¶ before each
// record, blank or not; § before each value that is read; ∑ at the fault.
func marks(marked string) (input string, records []int, fields []int, faultAt int) {
	faultAt = -1
	var b strings.Builder
	for _, r := range marked {
		switch r {
		case '¶':
			records = append(records, b.Len())
		case '§':
			fields = append(fields, b.Len())
		case '∑':
			faultAt = b.Len()
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), records, fields, faultAt
}

func lineOf(s string, at int) int {
	s = strings.ReplaceAll(s[:at], "\r\n", "\n")
	return 1 + strings.Count(s, "\n") + strings.Count(s, "\r")
}

var textCases = []struct {
	name  string
	delim string
	input string
	want  [][]string
	code  removal.Code
	notes string // row number:column of damage
}{
	{name: "simple", delim: "comma", input: "¶§a,§b,§c\n¶§1,§2,§3\n", want: [][]string{{"a", "b", "c"}, {"1", "2", "3"}}},
	{name: "no end", delim: "tab", input: "¶§a\t§b\n¶§1\t§2", want: [][]string{{"a", "b"}, {"1", "2"}}},
	{name: "one column", delim: "tab", input: "¶§asin\n¶§A,1\n", want: [][]string{{"asin"}, {"A,1"}}},
	{name: "heading only", delim: "semicolon", input: "¶§a;§b", want: [][]string{{"a", "b"}}},
	{name: "CR", delim: "tab", input: "¶§a\t§b\r¶§1\t§2\r¶\r¶§3\t§4\r", want: [][]string{{"a", "b"}, {"1", "2"}, {"3", "4"}}},
	{name: "mixed ends", delim: "tab", input: "¶§a\t§b\r\n¶§1\t§2\r¶§3\t§4\n¶\r\n¶\n¶\r¶§5\t§6\n",
		want: [][]string{{"a", "b"}, {"1", "2"}, {"3", "4"}, {"5", "6"}}},
	{name: "blank and delimiter lines", delim: "comma", input: "¶\n¶§a,§b\n¶,,,\n¶  \n¶ , ,\n¶§1,§2,,,\n¶\n",
		want: [][]string{{"a", "b"}, {"1", "2"}}},
	{name: "trimmed", delim: "tab", input: "¶§a\t§b\n¶  §x y \t\u00a0 §z\u00a0\t  \n", want: [][]string{{"a", "b"}, {"x y", "z"}}},
	{name: "blank cells between", delim: "comma", input: "¶§a,§b,§c\n¶§,§,§1\n", want: [][]string{{"a", "b", "c"}, {"", "", "1"}}},
	{name: "à is not a blank", delim: "tab", input: "¶§a\t§b\n¶§Voilà\t§à\n", want: [][]string{{"a", "b"}, {"Voilà", "à"}}},

	{name: "RFC 4180", delim: "comma", input: "¶§a,§b\n¶\"§x, \"\"y\"\"\",\"§p\r\nq\"\n¶§2,§3\n",
		want: [][]string{{"a", "b"}, {`x, "y"`, "p\r\nq"}, {"2", "3"}}},
	{name: "quoted to the end", delim: "comma", input: "¶§a,§b\n¶\"§1\",\"§2\"", want: [][]string{{"a", "b"}, {"1", "2"}}},
	{name: "empty quotes", delim: "comma", input: "¶§a,§b\n¶\"§\",\"§2\"\n¶\"\",\"\"\n¶§3\n", want: [][]string{{"a", "b"}, {"", "2"}, {"3"}}},
	{name: "blank behind quote", delim: "comma", input: "¶§a,§b\n¶\"§x\" ,\"§y\" \n", want: [][]string{{"a", "b"}, {"x", "y"}}},
	{name: "bare quote", delim: "comma", input: "¶§a,§b\n¶§FUT 60\" BLK,§1\n¶§\"\n",
		code: removal.FileQuoteOpen},
	{name: "bare quote in field", delim: "comma", input: "¶§a,§b\n¶§FUT 60\" BLK,§1\n¶§2,§3\n",
		want: [][]string{{"a", "b"}, {`FUT 60" BLK`, "1"}, {"2", "3"}}},
	{name: "bare quote in quotes", delim: "comma", input: "¶§a,§b\n¶\"§12\" monitor\",§5\n", want: [][]string{{"a", "b"}, {`12" monitor`, "5"}}},
	{name: "blank lines in quotes", delim: "semicolon", input: "¶§a;§b\n¶\"§x\n\n\ny\";§1\n¶§z;§2\n",
		want: [][]string{{"a", "b"}, {"x\n\n\ny", "1"}, {"z", "2"}}},
	{name: "CR in quotes", delim: "comma", input: "¶§a,§b\n¶\"§x\ry\r\nz\",§1\n¶§z,§2\n",
		want: [][]string{{"a", "b"}, {"x\ry\r\nz", "1"}, {"z", "2"}}},
	{name: "quote never closes", delim: "comma", input: "¶a,b\n1,2\n\n3,∑\"x\n4,5\n", code: removal.FileQuoteOpen},
	{name: "quote at the end", delim: "comma", input: "¶a,b\n1,2\n3,∑\"", code: removal.FileQuoteOpen},
	{name: "stray quote met by a later one", delim: "comma", input: "a,b\n∑\"24 inch,1\n\"x, y\",2\n", code: removal.FileQuoteOpen},
	{name: "stray quote after a long value", delim: "pipe", input: "a|b\n\"x\ny\"|1\n2|∑\"z\n", code: removal.FileQuoteOpen},

	{name: "tab bare quotes", delim: "tab", input: "¶§a\t§b\n¶§FUT 60\" BLK\t§5\"\n¶§\"24 inch\t§1\n¶§\"\t§\"\"x\n",
		want: [][]string{{"a", "b"}, {`FUT 60" BLK`, `5"`}, {`"24 inch`, "1"}, {`"`, `""x`}}},
	{name: "tab stray quote over lines", delim: "tab", input: "¶§a\t§b\n¶§\"24 inch\t§1\n¶§x\t§30\"\n¶§y\t§2\n",
		want: [][]string{{"a", "b"}, {`"24 inch`, "1"}, {"x", `30"`}, {"y", "2"}}},
	{name: "tab quoted", delim: "tab", input: "¶§a\t§b\n¶\"§say \"\"hi\"\"\"\t\"§x\ty\"\n¶\"§two\nlines\"\t§1\n¶§z\t\"§2\"",
		want: [][]string{{"a", "b"}, {`say "hi"`, "x\ty"}, {"two\nlines", "1"}, {"z", "2"}}},
	{name: "tab not closed properly", delim: "tab", input: "¶§a\t§b\n¶§\"Best\" mouse\t§\"x\" \n",
		want: [][]string{{"a", "b"}, {`"Best" mouse`, `"x"`}}},
	{name: "tab open to the end", delim: "tab", input: "¶§a\t§b\n¶§1\t§\"x\n¶§2\t§3\n", want: [][]string{{"a", "b"}, {"1", `"x`}, {"2", "3"}}},

	{name: "damage", delim: "tab", input: "¶§a\t§b\n¶§x\x01y\t§\uFFFD\n¶§\u0085\t§d\x7f\n¶§\u00a9\t§é\n",
		want:  [][]string{{"a", "b"}, {"x\x01y", "\uFFFD"}, {"\u0085", "d\x7f"}, {"\u00a9", "é"}},
		notes: "2:1 2:2 3:1 3:2"},
	{name: "damage in quotes", delim: "comma", input: "¶§a,§b\n¶\"§x\n\ty\",\"§\x02\"\n", want: [][]string{{"a", "b"}, {"x\n\ty", "\x02"}}, notes: "2:2"},
	{name: "sep line", delim: "pipe", input: "¶sep=|\r\n¶§a|§b\r\n¶§1,2|§3\r\n", want: [][]string{{"a", "b"}, {"1,2", "3"}}},
	{name: "pipe", delim: "pipe", input: "¶§sku|§title\n¶§a|§x, y, z; ö\n", want: [][]string{{"sku", "title"}, {"a", "x, y, z; ö"}}},
	{name: "known headings choose", delim: "semicolon", input: "¶§Merchant SKU;§a,b,c,d,e\n¶§S;§1,5\n",
		want: [][]string{{"Merchant SKU", "a,b,c,d,e"}, {"S", "1,5"}}},
}

// TestText reads each case in chunks of every size, so that each byte comes to
// stand at a border once.
func TestText(t *testing.T) {
	t.Parallel()
	for _, tc := range textCases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			input, records, fields, faultAt := marks(tc.input)
			for chunk := range len(input) + 2 {
				f := mustOpen(t, []byte(input), chunk, Options{Known: known})
				if got := f.Format().Delimiter; got != tc.delim {
					t.Fatalf("delimiter %s, want %s", got, tc.delim)
				}
				rows, err := readAll(f.Sheets()[0], 0)
				if tc.code != removal.CodeNone {
					e := wantFault(t, err, tc.code)
					if faultAt >= 0 && (e.Line != lineOf(input, faultAt) || e.Args.Get("line") != fmt.Sprint(e.Line)) {
						t.Errorf("chunk %d: fault at line %d, want %d", chunk, e.Line, lineOf(input, faultAt))
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.want, cellsOf(rows)); d != "" {
					t.Fatalf("chunk %d: %s", chunk, d)
				}
				checkPlaces(t, input, rows, records, fields)
				if got := damageOf(rows); got != tc.notes {
					t.Errorf("chunk %d: damaged %q, want %q", chunk, got, tc.notes)
				}
			}
		})
	}
}

// checkPlaces holds numbers and lines against the marks.
func checkPlaces(t *testing.T, input string, rows []Row, records, fields []int) {
	t.Helper()
	field := 0
	for _, row := range rows {
		if row.Number < 1 || row.Number > len(records) {
			t.Fatalf("row %q has number %d of %d records", row.Cells, row.Number, len(records))
		}
		if want := lineOf(input, records[row.Number-1]); row.Line != want {
			t.Errorf("row %q begins on line %d, want %d", row.Cells, row.Line, want)
		}
		end := len(input)
		if row.Number < len(records) {
			end = records[row.Number]
		}
		for col, v := range row.Cells {
			if field == len(fields) {
				t.Fatalf("row %q: more values than marks", row.Cells)
			}
			at := fields[field]
			if at < records[row.Number-1] || at > end {
				t.Errorf("value %d of row %d is not in its record", col+1, row.Number)
			}
			if got := strings.ReplaceAll(input[at:], `""`, `"`); !strings.HasPrefix(got, v) && !strings.HasPrefix(input[at:], v) {
				t.Errorf("row %d value %d is %q, the mark is before %.20q", row.Number, col+1, v, input[at:])
			}
			field++
		}
	}
	if field != len(fields) {
		t.Errorf("%d values, %d marks", field, len(fields))
	}
}

func damageOf(rows []Row) string {
	var all []string
	for _, r := range rows {
		for _, n := range r.Notes {
			if n.What == removal.NoteDamaged {
				all = append(all, fmt.Sprintf("%d:%d", r.Number, n.Col))
			}
		}
	}
	return strings.Join(all, " ")
}

// TestAfter: a pass that begins behind a row gives the rest as it is.
func TestAfter(t *testing.T) {
	t.Parallel()
	for _, tc := range textCases {
		input, _, _, _ := marks(tc.input)
		if tc.code != removal.CodeNone {
			continue
		}
		for _, chunk := range []int{1, 3, 7, 1000} {
			f := mustOpen(t, []byte(input), chunk, Options{Known: known})
			all, err := readAll(f.Sheets()[0], 0)
			if err != nil {
				t.Fatal(err)
			}
			for after := range 12 {
				var want []Row
				for _, r := range all {
					if r.Number > after {
						want = append(want, r)
					}
				}
				got, err := readAll(f.Sheets()[0], after)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s, chunk %d, after %d: %s", tc.name, chunk, after, d)
				}
			}
		}
	}
}

func TestHead(t *testing.T) {
	t.Parallel()
	rows, err := mustOpen(t, []byte("sku\tasin\n"+strings.Repeat("\n1\t2\n", 100)), 11, Options{}).Sheets()[0].Head()
	if err != nil {
		t.Fatal(err)
	}
	if last := rows[len(rows)-1]; len(rows) != 60 || last.Number != 119 || last.Line != 119 {
		t.Errorf("got %d rows, the last %+v", len(rows), last)
	}
}

func TestHeading(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Merchant SKU": "merchantsku", "merchant-sku": "merchantsku", "\ufeffMerchantSKU ": "merchantsku",
		"sellable-365+-days": "sellable365days", "O\u0308N": "ön", "ÖN": "ön", "ＳＫＵ": "sku", "": "",
	} {
		if got := Heading(in); got != want {
			t.Errorf("Heading(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTightMemory: a warm pass allocates nothing for each row.
func TestTightMemory(t *testing.T) {
	data := []byte("sku,title\n" + strings.Repeat("S-1,\"a \"\"b\"\" c\"\nS-2,plain\n", 20000))
	f := mustOpen(t, data, 4096, Options{})
	var b Block
	pass := func() {
		r, err := f.Sheets()[0].Rows(1)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for c, err := r.Next(); err == nil; c, err = r.Next() {
			if err := c.Split(&b); err != nil {
				t.Fatal(err)
			}
			r.Recycle(c)
			rows += b.Len()
		}
		if rows != 40000 {
			t.Fatalf("%d rows", rows)
		}
	}
	pass()
	if n := testing.AllocsPerRun(3, pass); n > 100 {
		t.Errorf("%v allocations for 40,000 rows", n)
	}
}
