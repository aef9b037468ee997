package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// day0 is the date that test snapshots get where nothing else is said.
var day0 = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

// sheetOf opens text as a file and gives its sheet with the heading row.
func sheetOf(tb testing.TB, text []byte) (*decode.Sheet, int, []string) {
	tb.Helper()
	f, err := decode.Open(bytes.NewReader(text), int64(len(text)), decode.Options{Known: isKnown})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.Close(); err != nil {
			tb.Error(err)
		}
	})
	s := f.Sheets()[0]
	head, err := s.Head()
	if err != nil || len(head) == 0 {
		tb.Fatalf("no heading row: %v", err)
	}
	return s, head[0].Number, head[0].Cells
}

func isKnown(heading string) bool {
	for _, s := range Signatures() {
		for _, k := range s.Known {
			if k == heading {
				return true
			}
		}
	}
	return false
}

// kindOf finds the kind with most headings present, as the caller of Read does.
func kindOf(headings []string) removal.Kind {
	var best removal.Kind
	most := 0
	for _, s := range Signatures() {
		has := map[string]bool{}
		for _, h := range headings {
			has[decode.Heading(h)] = true
		}
		n, ok := 0, true
		for _, alternatives := range s.Required {
			found := false
			for _, a := range alternatives {
				found = found || has[a]
			}
			ok = ok && found
		}
		for _, k := range s.Known {
			if has[k] {
				n++
			}
		}
		if ok && n > most && (!s.Only || n == len(has)) {
			best, most = s.Kind, n
		}
	}
	return best
}

// tryRead reads text as whatever kind it is.
func tryRead(tb testing.TB, text string, opt ReadOptions) (*Result, error) {
	tb.Helper()
	sheet, heading, headings := sheetOf(tb, []byte(text))
	if opt.Date.IsZero() {
		opt.Date = day0
	}
	res, err := Read(sheet, heading, headings, kindOf(headings), opt)
	if res != nil && res.Snapshot != nil {
		tb.Cleanup(func() {
			if err := res.Snapshot.Close(); err != nil {
				tb.Error(err)
			}
		})
	}
	return res, err
}

// read is tryRead of a file that is taken.
func read(tb testing.TB, text string) *Result {
	tb.Helper()
	res, err := tryRead(tb, text, ReadOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

// bars makes a tab-separated file of lines with bars between the cells.
func bars(lines ...string) string {
	return strings.ReplaceAll(strings.Join(lines, "\n")+"\n", "|", "\t")
}

const (
	manageHead = "sku|fnsku|asin|product-name|condition|your-price|afn-fulfillable-quantity|afn-unsellable-quantity"
	afnHead    = "seller-sku|fulfillment-channel-sku|asin|condition-type|Warehouse-Condition-code|Quantity Available"
	ownHead    = "sku|fnsku|disposition|quantity|recalled|expiry-date|unit-weight-g|longest-side-cm|median-side-cm|shortest-side-cm|unit-volume-cm3|hazmat-class|open-removals-excluded|received-date|unsellable-since"
)

// show writes pools as "KEY sellable/unsellable", one a line, for comparison.
func show(s *Snapshot) string {
	var b strings.Builder
	for p := range int32(s.Pools()) {
		v := s.Pool(p)
		fmt.Fprintf(&b, "%s %d/%d\n", strings.ReplaceAll(v.Key, "\x00", "~"), v.Sellable, v.Unsellable)
	}
	return b.String()
}

// problems writes problems as "CELL code args".
func problems(list []removal.Problem) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s %s", p.Cell, p.Code)
		for _, a := range p.Args {
			fmt.Fprintf(&b, " %s=%s", a.Name, a.Value)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// bytesOf is the snapshot as a file.
func bytesOf(tb testing.TB, s *Snapshot) []byte {
	tb.Helper()
	var b bytes.Buffer
	n, err := s.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		tb.Fatalf("WriteTo: %d of %d bytes, %v", n, b.Len(), err)
	}
	return b.Bytes()
}

// openBytes opens a snapshot file of these bytes.
func openBytes(tb testing.TB, b []byte) (*Snapshot, error) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "snapshot")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
	s, err := Open(path)
	if err == nil {
		tb.Cleanup(func() {
			if err := s.Close(); err != nil {
				tb.Error(err)
			}
		})
	}
	return s, err
}

// codeOf is the code of a refused file, with its facts.
func codeOf(err error) string {
	var fe *removal.FileError
	if errors.As(err, &fe) {
		return fe.Error()
	}
	return fmt.Sprint(err)
}
