package nightly_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/nightly"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// BenchmarkRecommended is the calculation and the whole report for a stock of
// 100,000 SKUs, RENSA_BENCH_SKUS for more, each with a dated lot; one in twenty
// should be removed. heap-MB is what lives after it.
func BenchmarkRecommended(b *testing.B) {
	skus := 100_000
	if text := os.Getenv("RENSA_BENCH_SKUS"); text != "" {
		var err error
		skus, err = strconv.Atoi(text)
		must(b, err)
	}
	root, clock := b.TempDir(), time.Date(2026, 11, 22, 4, 10, 0, 0, time.UTC)
	now := func() time.Time { return clock }
	set, err := policy.Load(nil)
	must(b, err)
	l, err := ledger.Open(b.Context(), filepath.Join(root, "rensa.db"), ledger.Options{Now: now})
	must(b, err)
	p, err := process.New(process.Options{Ledger: l, Policy: set, Root: root, Now: now, Limits: decode.DefaultLimits(), Log: zerolog.Nop()})
	must(b, err)
	dir, err := storage.Open(root)
	must(b, err)
	defer func() {
		must(b, p.Close())
		must(b, dir.Close())
		must(b, l.Close())
	}()
	must(b, l.AddMerchant(b.Context(), removal.Merchant{ID: "m", Profile: removal.Profile{
		HomeStore: "GB", Language: "en", TimeZone: "Europe/London", DefaultMethod: removal.Disposal, Acceptance: removal.AcceptRow,
		Split: true, Resubmit: removal.ResubmitContinue, Reports: []string{"summary"},
	}}))
	name := filepath.Join(root, "lots.tsv")
	text := []byte("sku\tfnsku\tproduct-name\tdisposition\tquantity\treceived-date\tunit-weight-g\tlongest-side-cm\tmedian-side-cm\tshortest-side-cm\n")
	for i := range skus {
		age := 1 + i%330
		if i%20 == 0 {
			age = 360 + i%140
		}
		text = fmt.Appendf(text, "SKU-%07d\tX%07d\tProduct %d\tsellable\t%d\t%s\t500\t20\t15\t5\n", i, i, i, 1+i%40, clock.AddDate(0, 0, -age).Format(time.DateOnly))
	}
	must(b, os.WriteFile(name, text, 0o600))
	_, err = p.Process(context.Background(), process.Request{Merchant: "m", Path: name, Name: "lots.tsv", AsOf: clock, Actor: "bench"})
	must(b, err)
	defer p.Using("m")()
	jobs := nightly.New(nightly.Options{Ledger: l, Policy: set, Desk: p.Desk(), Storage: dir, Current: p.Current})
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	b.Run("calculation", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := jobs.Recommend(context.Background(), "m", clock)
			must(b, err)
			if len(r.Rows) == 0 {
				b.Fatal("nothing is recommended")
			}
			b.ReportMetric(float64(len(r.Rows)), "rows")
		}
		b.ReportMetric(heap(), "heap-MB")
	})
	b.Run("report", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := jobs.Recommended(context.Background(), "m", clock, false)
			must(b, err)
		}
		b.ReportMetric(heap(), "heap-MB")
	})
}
