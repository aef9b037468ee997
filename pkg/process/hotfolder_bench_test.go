package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/process"
	"rensa/pkg/removal"
)

// benchMachine is a machine whose merchants have an inventory that lasts.
func benchMachine(b *testing.B, merchants ...string) (*machine, string) {
	b.Helper()
	root := b.TempDir()
	m, err := startMachine(b.Context(), root, time.Now, func(string) error { return nil }, inbox.Options{Rest: time.Nanosecond})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.close(); err != nil {
			b.Error(err)
		}
	})
	inventory := "sku\tfnsku\tafn-fulfillable-quantity\tafn-unsellable-quantity\n"
	for i := range 5000 {
		inventory += fmt.Sprintf("SKU-%04d\tX%04d\t1000000\t0\n", i, i)
	}
	for _, id := range merchants {
		if err := m.ledger.AddMerchant(b.Context(), removal.Merchant{ID: id, Profile: profile()}); err != nil {
			b.Fatal(err)
		}
		benchDrop(b, root, id, "inventory.txt", inventory)
	}
	if done, err := m.settle(b.Context()); err != nil || !done {
		b.Fatalf("%t, %v", done, err)
	}
	return m, root
}

func benchDrop(b *testing.B, root, merchant, name, content string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Join(root, "inbox", merchant), 0o750); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "inbox", merchant, name), []byte(content), 0o600); err != nil {
		b.Fatal(err)
	}
}

// thousand is an upload of a thousand rows in a hundred orders, each file its own.
func thousand(n int) string {
	text := "MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n"
	for i := range 1000 {
		text += fmt.Sprintf("F%d-%d\tDisposal\tSKU-%04d\t1\n", n, i/10, (n*7+i)%5000)
	}
	return text
}

// BenchmarkHotFolder is the time from the end of a file's rest to its finished
// reports, outgoing file and archive: a thousand rows, all reports, durable.
func BenchmarkHotFolder(b *testing.B) {
	m, root := benchMachine(b, "m")
	var took []time.Duration
	n := 0
	for b.Loop() {
		n++
		b.StopTimer()
		benchDrop(b, root, "m", fmt.Sprintf("%d.tsv", n), thousand(n))
		if _, err := m.inbox.Look(b.Context()); err != nil { // its rest begins
			b.Fatal(err)
		}
		b.StartTimer()
		begun := time.Now()
		l, err := m.inbox.Look(b.Context())
		if err != nil || l.Taken != 1 {
			b.Fatalf("%+v, %v", l, err)
		}
		if err := m.processor.Drain(b.Context(), process.WorkOptions{}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
	list, _, err := m.ledger.Runs(b.Context(), ledger.RunFilter{Merchant: "m", Status: ledger.RunArchived, Limit: 1 << 20})
	if err != nil || len(list) != n+1 {
		b.Fatalf("%d runs are done of %d: %v", len(list), n+1, err)
	}
}

// BenchmarkHotFolderBusy is how many files of a thousand rows are answered in an
// hour: those of four merchants, all there at once.
func BenchmarkHotFolderBusy(b *testing.B) {
	merchants := []string{"m1", "m2", "m3", "m4"}
	m, root := benchMachine(b, merchants...)
	n := 0
	for b.Loop() {
		b.StopTimer()
		for _, id := range merchants {
			for range 5 {
				n++
				benchDrop(b, root, id, fmt.Sprintf("%d.tsv", n), thousand(n))
			}
		}
		b.StartTimer()
		if done, err := m.settle(b.Context()); err != nil || !done {
			b.Fatalf("%t, %v", done, err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Hours(), "files/h")
}
