package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"rensa/pkg/process"
	"rensa/pkg/process/processtest"
)

// sizes are the rows of the benchmarks' uploads; RENSA_BENCH_ROWS=1000000 adds
// what takes too long to run each time.
func sizes(b *testing.B) []int {
	all := []int{10_000, 100_000}
	if v := os.Getenv("RENSA_BENCH_ROWS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		return append(all, n)
	}
	return all
}

// generated writes a generated file and gives its path.
func generated(b *testing.B, name string, write func(f *os.File) error) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := write(f); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkUpload is the whole way of an upload, from its bytes to the committed
// answer with all text reports.
func BenchmarkUpload(b *testing.B) {
	for _, rows := range sizes(b) {
		for name, u := range map[string]processtest.Upload{
			"plain": {SKUs: rows, Rows: rows},
			"hard":  {SKUs: rows, Rows: rows, Scattered: 0.03, Contended: true, RandomIDs: true},
		} {
			b.Run(fmt.Sprintf("%s/rows=%d", name, rows), func(b *testing.B) {
				inventory := generated(b, "inventory.tsv", func(f *os.File) error { return processtest.Inventory(f, rows, 2) })
				upload := generated(b, "upload.csv", func(f *os.File) error { return u.Write(f) })
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					p := profile()
					p.HomeStore, p.TimeZone = "US", "America/Los_Angeles"
					p.Policy = map[string]string{"cross_border": "any"}
					p.Reports = []string{"result", "errors", "rejected", "orders", "summary"}
					w := newWorkspace(b, p)
					if _, err := w.Process(b.Context(), process.Request{Merchant: merchantID, Path: inventory, Name: "inventory.tsv", AsOf: w.now}); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					r, err := w.Process(b.Context(), process.Request{Merchant: merchantID, Path: upload, Name: "upload.csv"})
					if err != nil {
						b.Fatal(err)
					}
					if r.ExitCode != process.ExitRejected {
						b.Fatalf("exit code %d: %+v", r.ExitCode, r.Problems)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
