package process_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"rensa/pkg/process"
	"rensa/pkg/process/processtest"
	"rensa/pkg/storage"
)

// A disk that is full while a large file is decided, or while its answer is made,
// ends the attempt with nothing kept, and the next one does all.
func TestFullSpool(t *testing.T) {
	t.Parallel()
	const skus, rows = 3000, 60_000
	var inventory, upload bytes.Buffer
	u := processtest.Upload{SKUs: skus, Rows: rows, Scattered: 0.03, RandomIDs: true}
	if err := errors.Join(processtest.Inventory(&inventory, skus, 1), u.Write(&upload)); err != nil {
		t.Fatal(err)
	}
	p := profile()
	p.HomeStore, p.TimeZone, p.Policy = "US", "America/Los_Angeles", map[string]string{"cross_border": "any"}
	p.Reports = []string{"result", "orders", "summary"}
	w := newWorkspace(t, p)
	w.drop("inventory.tsv", inventory.Bytes(), process.ExitAccepted)
	name := filepath.Join(t.TempDir(), "upload.csv")
	if err := os.WriteFile(name, upload.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left")
	request := process.Request{Merchant: merchantID, Path: name, Name: "upload.csv", AsOf: w.now, Actor: "tester"}
	for failing := 1; ; failing += 3 {
		writes := 0
		w.watch = func(op storage.Op, name string) error {
			if name == "spool" && op == storage.OpWrite {
				if writes++; writes == failing {
					return full
				}
			}
			return nil
		}
		result, err := w.Process(context.Background(), request)
		if err == nil {
			if failing == 1 || result.ExitCode != process.ExitRejected || len(w.orders()) == 0 {
				t.Fatalf("write %d failed and the answer is %+v with %d orders", failing, result, len(w.orders()))
			}
			break
		}
		if !errors.Is(err, full) {
			t.Fatalf("write %d: %v", failing, err)
		}
		if orders := w.orders(); len(orders) > 0 {
			t.Fatalf("write %d failed and there are %d orders", failing, len(orders))
		}
		left, err := filepath.Glob(filepath.Join(w.root, "*", merchantID, "*", "upload*"))
		if err != nil || len(left) > 0 {
			t.Fatalf("write %d failed and left %v, %v", failing, left, err)
		}
	}
}
