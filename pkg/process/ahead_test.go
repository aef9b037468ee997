package process_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"rensa/pkg/process"
	"rensa/pkg/removal"
)

const (
	twoMugs   = "sku\tdisposition\tquantity\nMUG\tsellable\t2\n"
	orderMugs = "MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n"
)

// TestStockAhead: what was found ahead of what orders took serves one upload, and none
// where anything of the merchant changed meanwhile.
func TestStockAhead(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(orderMugs + "B\tDisposal\tMUG\t1\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(*workspace) {}
	for _, c := range []struct {
		name    string
		file    string
		happens func(*workspace)
		there   bool
	}{
		{"an upload", orderMugs + "B\tDisposal\tMUG\t1\n", nothing, true},
		{"another upload meanwhile", orderMugs + "B\tDisposal\tMUG\t1\n", func(w *workspace) {
			w.drop("c.tsv", []byte(orderMugs+"C\tDisposal\tMUG\t1\n"), process.ExitAccepted)
		}, false},
		{"other stock meanwhile", orderMugs + "B\tDisposal\tMUG\t1\n", func(w *workspace) {
			w.drop("stock.tsv", []byte(twoMugs+"CUP\tsellable\t1\n"), process.ExitAccepted)
		}, false},
		{"stock", twoMugs, nothing, false},
		{"an upload that is packed", packed.String(), nothing, false},
		{"nonsense", "\x00\x01\x02", nothing, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, profile())
			w.drop("stock.tsv", []byte(twoMugs), process.ExitAccepted)
			w.drop("a.tsv", []byte(orderMugs+"A\tDisposal\tMUG\t1\n"), process.ExitAccepted)
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			first, second, err := w.StockAhead(t.Context(), process.Request{Merchant: merchantID, Path: path, AsOf: w.now}, func() { c.happens(w) })
			if err != nil || (first != nil) != c.there || second != nil {
				t.Fatalf("stock %v, again %v, %v", first != nil, second != nil, err)
			}
			if c.there {
				if sellable, _ := first.Taken(0); sellable != 1 {
					t.Errorf("%d taken", sellable)
				}
			}
		})
	}
}

// TestStockTakenMeanwhile: what another program orders while a file is copied is not
// ordered again.
func TestStockTakenMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	w.drop("stock.tsv", []byte(twoMugs), process.ExitAccepted)
	opt := w.Options
	opt.Step = func(name string) {
		if name == "before decoding" {
			w.drop("a.tsv", []byte(orderMugs+"A\tDisposal\tMUG\t2\n"), process.ExitAccepted)
		}
	}
	other, err := process.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(t.TempDir(), "b.tsv")
	if err := os.WriteFile(path, []byte(orderMugs+"B\tDisposal\tMUG\t1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := other.Process(t.Context(), process.Request{Merchant: merchantID, Path: path, Name: "b.tsv", AsOf: w.now})
	if err != nil || r.ExitCode != process.ExitRejected || len(r.Problems) != 1 || r.Problems[0].Code != removal.QuantityOverStock {
		t.Errorf("%+v, %v", r, err)
	}
}
