package process_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"rensa/pkg/process"
	"rensa/pkg/removal"
)

// grid makes an inventory of a hundred SKUs and an upload of n rows against it,
// about one row in ten being wrong in one of many ways.
func grid(n int) (inventory string, rows [][]string) {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("sku\tfnsku\tasin\tafn-fulfillable-quantity\tafn-unsellable-quantity\n")
	for i := range 100 {
		fmt.Fprintf(&b, "SKU-%03d å\tX%04d\tB%04d\t%d\t%d\n", i, i/2, i, 40+i/2, 9)
	}
	head := make([]string, removal.NumFields)
	for f := range head {
		head[f] = removal.Field(f).String()
	}
	rows = append(rows, head)
	for order := 1; len(rows) <= n; order++ {
		for k := range 1 + r.IntN(12) {
			if len(rows) > n {
				break
			}
			row := make([]string, removal.NumFields)
			row[removal.FieldOrderID] = fmt.Sprintf("RET-%04d", order)
			if k == 0 {
				row[removal.FieldMethod] = []string{"Return", "Disposal", "returnera", "Retrun"}[min(3, r.IntN(20)/5)]
				if row[removal.FieldMethod] != "Disposal" {
					row[removal.FieldName], row[removal.FieldLine1] = "Åkes Lager; AB", `Gatan "12", 3 tr`
					row[removal.FieldCity], row[removal.FieldCountry] = "Malmö", "SE"
					row[removal.FieldPostalCode] = []string{"211 43", "211 43", "211 43", "2114"}[r.IntN(4)]
				}
			}
			row[removal.FieldSKU] = fmt.Sprintf("SKU-%03d å", r.IntN(100))
			row[removal.FieldSellable] = strconv.Itoa(r.IntN(3))
			row[removal.FieldUnsellable] = "1"
			switch r.IntN(60) {
			case 0:
				row[removal.FieldSKU] = "SKU-0 Ö"
			case 1:
				row[removal.FieldSellable] = "två"
			case 2:
				row[removal.FieldSellable] = "-3"
			case 3:
				row[removal.FieldUnsellable] = "99"
			case 4:
				row[removal.FieldSKU] = ""
			}
			rows = append(rows, row)
		}
	}
	return b.String(), rows
}

func tabs(rows [][]string) []byte {
	var b bytes.Buffer
	for _, row := range rows {
		b.WriteString(strings.Join(row, "\t") + "\r\n")
	}
	return b.Bytes()
}

func commas(t *testing.T, rows [][]string, comma rune) []byte {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = comma
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encoded(t *testing.T, e encoding.Encoding, text []byte) []byte {
	t.Helper()
	out, err := e.NewEncoder().Bytes(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func workbook(t *testing.T, rows [][]string) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		cells := make([]any, len(row))
		for k, v := range row {
			cells[k] = v
			if n, err := strconv.Atoi(v); err == nil && k >= int(removal.FieldSellable) {
				cells[k] = n
			}
			if v == "" {
				cells[k] = nil
			}
		}
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A thousand rows give the same orders and the same problems at the same cells,
// however they are written down.
func TestFormsOfOneUpload(t *testing.T) {
	t.Parallel()
	inventory, rows := grid(1000)
	text := tabs(rows)
	type answer struct {
		orders   []removal.Order
		problems [][]string
	}
	take := func(name string, content []byte) answer {
		w := newWorkspace(t, profile())
		w.drop("inventory.txt", []byte(inventory), process.ExitAccepted)
		r := w.drop(name, content, process.ExitRejected)
		a := answer{orders: w.orders(), problems: w.table(r, "errors.csv")}
		for _, p := range a.problems {
			p[1] = "" // a workbook has no lines
		}
		return a
	}
	want := take("upload.tsv", text)
	if len(want.orders) < 50 || len(want.problems) < 50 {
		t.Fatalf("%d orders and %d problems: too few to compare", len(want.orders), len(want.problems))
	}
	for name, content := range map[string][]byte{
		"utf16.txt": encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), text),
		"ansi.txt":  encoded(t, charmap.Windows1252, text),
		"excel.csv": commas(t, rows, ';'),
		"plain.csv": commas(t, rows, ','),
		"book.xlsx": workbook(t, rows),
	} {
		t.Run(name, func(t *testing.T) {
			got := take(name, content)
			if diff := cmp.Diff(want.problems, got.problems); diff != "" {
				t.Errorf("problems (-tsv +%s):\n%s", name, diff)
			}
			// The run is another one.
			if diff := cmp.Diff(want.orders, got.orders, cmpopts.IgnoreFields(removal.Order{}, "Run")); diff != "" {
				t.Errorf("orders (-tsv +%s):\n%s", name, diff)
			}
		})
	}
}
