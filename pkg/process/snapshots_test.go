package process_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/process"
	"rensa/pkg/removal"
)

// A snapshot that is lent while others are open is there, also where the clock was
// put back meanwhile.
func TestLentWhileTheClockGoesBack(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	path := filepath.Join(t.TempDir(), "stock.tsv")
	if err := os.WriteFile(path, []byte("sku\tdisposition\tquantity\nMUG\tsellable\t3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, m := range []string{merchantID, "two", "three", "four"} {
		if m != merchantID {
			if err := w.ledger.AddMerchant(t.Context(), removal.Merchant{ID: m, Profile: profile()}); err != nil {
				t.Fatal(err)
			}
		}
		w.now = w.now.Add(-time.Hour)
		if _, err := w.Process(t.Context(), process.Request{Merchant: m, Path: path, Name: "stock.tsv", AsOf: w.now}); err != nil {
			t.Fatal(err)
		}
		s, err := w.Snapshot(t.Context(), m)
		if err != nil || s == nil || s.Len() != 1 {
			t.Errorf("%s: snapshot %v, %v", m, s, err)
		}
	}
}

// A snapshot that several ask for at once is read once, and one that could not be
// opened can be opened later.
func TestSnapshotIsOpenedOnce(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	w.drop("stock.tsv", []byte("sku\tdisposition\tquantity\nMUG\tsellable\t3\n"), process.ExitAccepted)
	row, err := w.ledger.Snapshot(t.Context(), merchantID)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.Root, filepath.FromSlash(row.Path))
	fresh, err := process.New(w.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := fresh.Close(); err != nil {
			t.Error(err)
		}
	}()
	ask := func() (found map[*inventory.Snapshot]bool, failed int) {
		var mu sync.Mutex
		var all sync.WaitGroup
		found = map[*inventory.Snapshot]bool{}
		for range 16 {
			all.Go(func() {
				s, err := fresh.Snapshot(t.Context(), merchantID)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed++
				} else {
					found[s] = true
				}
			})
		}
		all.Wait()
		return found, failed
	}
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	if found, failed := ask(); failed != 16 {
		t.Errorf("a snapshot that is away was opened: %v", found)
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	if found, failed := ask(); len(found) != 1 || failed > 0 {
		t.Errorf("opened %d times, %d failures", len(found), failed)
	}
}
