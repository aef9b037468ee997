package process_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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
