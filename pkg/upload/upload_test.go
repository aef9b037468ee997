package upload_test

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
	"rensa/pkg/upload"
)

func known(h string) bool {
	_, ok := upload.FieldOf(h)
	return ok
}

func open(t rapid.TB, text string) *decode.File {
	f, err := decode.Open(strings.NewReader(text), int64(len(text)),
		decode.Options{Limits: decode.DefaultLimits(), Known: known})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return f
}

func head(t rapid.TB, f *decode.File) []decode.Row {
	rows, err := f.Sheets()[0].Head()
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	return rows
}

// items gives all item rows, each with values of its own.
func items(t rapid.TB, f *decode.File, s *upload.Sheet) []removal.Row {
	reader, err := f.Sheets()[0].Rows(s.Heading)
	if err != nil {
		t.Fatalf("rows: %v", err)
	}
	var all []removal.Row
	number, line := reader.First()
	for {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		var b decode.Block
		if err := chunk.Split(&b); err != nil {
			t.Fatalf("split: %v", err)
		}
		number, line = b.Start(number, line)
		all = append(all, s.Rows(&b, nil, len(all) == 0)...)
	}
}

func TestHeadings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headings string
		columns  map[removal.Field]int
		ignored  string // "CELL near" of each column that is not known
		twice    string // "first again"
	}{
		"Canonical": {
			headings: "MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity",
			columns:  map[removal.Field]int{removal.FieldOrderID: 1, removal.FieldMethod: 2, removal.FieldSKU: 3, removal.FieldSellable: 4},
		},
		"AnyOrderAndSpelling": {
			headings: "unsellable quantity\tMERCHANT SKU\tremoval-disposition",
			columns:  map[removal.Field]int{removal.FieldUnsellable: 1, removal.FieldSKU: 2, removal.FieldMethod: 3},
		},
		"Swedish": {
			headings: "Säljar-SKU\tBorttagningsmetod\tLevererbart antal\tOlevererbart antal\tOrt",
			columns: map[removal.Field]int{removal.FieldSKU: 1, removal.FieldMethod: 2, removal.FieldSellable: 3,
				removal.FieldUnsellable: 4, removal.FieldCity: 5},
		},
		"German": {
			headings: "Händler-SKU\tRemissionsart\tVerkaufbare Menge\tLändercode",
			columns: map[removal.Field]int{removal.FieldSKU: 1, removal.FieldMethod: 2, removal.FieldSellable: 3,
				removal.FieldCountry: 4},
		},
		"Unknown": {
			headings: "MerchantSKU\tRemovalDisposition\tSellableQuantiy\tColour\tSellableQuantity",
			columns:  map[removal.Field]int{removal.FieldSKU: 1, removal.FieldMethod: 2, removal.FieldSellable: 5},
			ignored:  "C1 SellableQuantity,D1 ",
		},
		"Twice": {headings: "MerchantSKU\tRemovalDisposition\tSäljar-SKU\tSellableQuantity", twice: "A1 C1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := upload.ReadA("", head(t, open(t, c.headings+"\nx\tReturn\t1\n"))[0])
			var bad *removal.FileError
			if errors.As(err, &bad) {
				if got := bad.Args.Get("first") + " " + bad.Args.Get("again"); got != c.twice || bad.Code != removal.FileHeaderTwice {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || c.twice != "" {
				t.Fatalf("error %v, want %q", err, c.twice)
			}
			got := map[removal.Field]int{}
			for f := range removal.Field(removal.NumFields) {
				if col := s.Column(f); col > 0 {
					got[f] = col
				}
			}
			if diff := cmp.Diff(c.columns, got); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			var ignored []string
			for _, p := range s.Problems {
				ignored = append(ignored, p.Cell+" "+p.Args.Get("near"))
			}
			if got := strings.Join(ignored, ","); got != c.ignored {
				t.Errorf("ignored %q, want %q", got, c.ignored)
			}
		})
	}
}

func TestLocateInLayoutA(t *testing.T) {
	t.Parallel()
	f := open(t, "Note\tMerchantSKU\tRemovalDisposition\tSellableQuantity\n\n\tA\tReturn\tx\t\t7\n")
	s, err := upload.ReadA("", head(t, f)[0])
	if err != nil {
		t.Fatal(err)
	}
	row := items(t, f, s)[0]
	p := removal.Problem{Code: removal.QuantityNotWhole, Field: removal.FieldSellable}
	s.Locate(&p, &row)
	if p.Cell != "D3" || p.Column != "SellableQuantity" || p.Row != 3 || p.Line != 3 || p.Value != "x" {
		t.Errorf("located at %+v, value %q", p.Place, p.Value)
	}
	extra := removal.Problem{Code: removal.ColumnCount, Field: removal.FieldNone}
	s.Locate(&extra, &row)
	if extra.Cell != "F3" {
		t.Errorf("the cell too many is at %q", extra.Cell)
	}
}

func TestLayoutB(t *testing.T) {
	t.Parallel()
	f := open(t, "AddressCity\tLund \t\t\t\nRemovalDisposition\tReturn\nFoo\tbar\n\t\t\nMerchantSKU\tSellableQuantity\tUnsellableQuantity\nA\t1\t\nB\t2\t3\n")
	rows := head(t, f)
	s, err := upload.ReadB("", rows, rows[3])
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Problems) != 1 || s.Problems[0].Cell != "A3" || s.Problems[0].Value != "Foo" {
		t.Errorf("the unknown key gave %+v", s.Problems)
	}
	got := items(t, f, s)
	var text []string
	for i := range got {
		r := &got[i]
		text = append(text, strings.Join([]string{
			string(r.Value(removal.FieldMethod)), string(r.Value(removal.FieldCity)),
			string(r.Value(removal.FieldSKU)), string(r.Value(removal.FieldSellable)), string(r.Value(removal.FieldUnsellable)),
		}, "|"))
	}
	if diff := cmp.Diff([]string{"Return|Lund|A|1|", "||B|2|3"}, text); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	p := removal.Problem{Code: removal.AddressTooLong, Field: removal.FieldCity}
	s.Locate(&p, &got[0])
	if p.Cell != "B1" || p.Row != 1 || p.Column != "AddressCity" || p.Value != "Lund" {
		t.Errorf("the city is located at %+v, value %q", p.Place, p.Value)
	}
}

// What is written is read again as it was, but for the blanks that stand for tabs
// and line breaks and those at the ends.
func TestWriterRoundTrip(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[A-Za-z0-9åÄ"' ,;|.\t\n-]{0,12}`), rapid.StringMatching(`"[a-z" ]{0,6}`))
	rapid.Check(t, func(t *rapid.T) {
		var buf bytes.Buffer
		w := upload.NewWriter(&buf)
		var want [][removal.NumFields]string
		for range rapid.IntRange(1, 5).Draw(t, "rows") {
			var values [removal.NumFields]string
			for f := range values {
				values[f] = value.Draw(t, removal.Field(f).String())
			}
			values[removal.FieldSKU] = "S" // a row of blanks is no row
			if err := w.Write(&values); err != nil {
				t.Fatal(err)
			}
			for f := range values {
				values[f] = strings.TrimSpace(strings.Join(strings.FieldsFunc(values[f], func(r rune) bool {
					return r == '\t' || r == '\n'
				}), " "))
			}
			want = append(want, values)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		f := open(t, buf.String())
		s, err := upload.ReadA("", head(t, f)[0])
		if err != nil {
			t.Fatal(err)
		}
		var got [][removal.NumFields]string
		rows := items(t, f, s)
		for i := range rows {
			var values [removal.NumFields]string
			for f := range values {
				values[f] = string(rows[i].Value(removal.Field(f)))
			}
			got = append(got, values)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got):\n%s\n%q", diff, buf.String())
		}
	})
}

// A row of an item alone is written as any other.
func TestAppendItem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`["A-Za-z0-9åÄ' ,;\t\n-]{0,12}`)
		id, sku := text.Draw(t, "id"), text.Draw(t, "sku")
		sellable, unsellable := rapid.Int64().Draw(t, "sellable"), rapid.Int64().Draw(t, "unsellable")
		var values [removal.NumFields]string
		values[removal.FieldOrderID], values[removal.FieldSKU] = id, sku
		values[removal.FieldSellable], values[removal.FieldUnsellable] = strconv.FormatInt(sellable, 10), strconv.FormatInt(unsellable, 10)
		want, got := upload.AppendRow(nil, &values), upload.AppendItem(nil, id, sku, sellable, unsellable)
		if string(got) != string(want) {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}
