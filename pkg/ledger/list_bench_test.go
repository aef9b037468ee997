package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"rensa/pkg/removal"
)

// BenchmarkListOrders measures what a list or a find takes among RENSA_ORDERS
// orders (default 20,000) of ten lines each, made by a hundred files.
func BenchmarkListOrders(b *testing.B) {
	n := 20000
	if v, err := strconv.Atoi(os.Getenv("RENSA_ORDERS")); err == nil {
		n = v
	}
	ctx := context.Background()
	l, err := Open(ctx, filepath.Join(b.TempDir(), "ledger.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	if err := l.AddMerchant(ctx, removal.Merchant{ID: "m", Profile: DefaultProfile()}); err != nil {
		b.Fatal(err)
	}
	const files = 100
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	states := []removal.State{removal.StatePending, removal.StateProcessing, removal.StateCompleted, removal.StateCancelled}
	begun := time.Now()
	for f := range files {
		m, err := l.Merchant(ctx, "m")
		if err != nil {
			b.Fatal(err)
		}
		c := &Commit{Merchant: "m", Revision: m.Revision, Run: Run{
			ID: fmt.Sprintf("run-%d", f), Kind: removal.KindUpload, FileName: fmt.Sprintf("file-%d.tsv", f), SHA256: strconv.Itoa(f),
			Acceptance: removal.AcceptRow, Read: 1, Accepted: 1,
		}}
		c.Packed = packAll(b, c.Run.ID, func(yield func(removal.Order) bool) {
			for i := f * n / files; i < (f+1)*n/files; i++ {
				o := removal.Order{
					ID: fmt.Sprintf("ORDER-%08d", i), State: states[f*4/files], Method: removal.Return, Source: removal.SourceUpload,
					Created: day.Add(time.Duration(f) * 6 * time.Hour), Currency: "SEK",
				}
				if i%1000 == 7 {
					o.Method = removal.Disposal
				}
				for k := range 10 {
					o.Lines = append(o.Lines, removal.Line{
						SKU: fmt.Sprintf("SKU-%06d", (i*10+k)*7919%200000), FNSKU: fmt.Sprintf("X%09d", (i*10+k)*7919%200000),
						AskedSellable: 2, Sellable: removal.Units{Requested: 2},
					})
				}
				if !yield(o) {
					return
				}
			}
		})
		if err := l.Commit(ctx, c); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d orders made in %v", n, time.Since(begun).Round(time.Millisecond))
	begun = time.Now()
	if err := l.IndexOrders(ctx, "m"); err != nil {
		b.Fatal(err)
	}
	b.Logf("entered by SKU in %v", time.Since(begun).Round(time.Millisecond))
	for _, c := range []struct {
		name string
		f    OrderFilter
	}{
		{"newest", OrderFilter{}},
		{"state", OrderFilter{State: removal.StatePending}},
		{"state that none has", OrderFilter{State: removal.StatePlanning}},
		{"method", OrderFilter{Method: removal.Disposal}},
		{"whole id", OrderFilter{Prefix: fmt.Sprintf("ORDER-%08d", n/2)}},
		{"beginning of ids", OrderFilter{Prefix: "ORDER-000001"}},
		{"SKU", OrderFilter{SKU: "SKU-007919"}},
		{"SKU and state", OrderFilter{SKU: "SKU-007919", State: removal.StateCompleted}},
		{"SKU that none has", OrderFilter{SKU: "NONE"}},
		{"since", OrderFilter{Since: day.Add(500 * time.Hour)}},
		{"since tomorrow", OrderFilter{Since: day.AddDate(5, 0, 0)}},
		{"file", OrderFilter{File: "file-50.tsv"}},
		{"deep page", OrderFilter{Cursor: cursorAt(int64(n / 3))}},
	} {
		c.f.Merchant = "m"
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := l.ListOrders(ctx, c.f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
