package api_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/ledger/ledgertest"
	"rensa/pkg/removal"
	"rensa/pkg/web/api"
)

// loads are the requests that are loaded: paths with a number in them that is
// different each time, up to a limit.
var loads = []struct {
	name, path string
	most       func(orders int) int
}{
	{"runs", "/runs?limit=50&merchant=big#%d", func(int) int { return 1 }},
	{"orders", "/orders?limit=50&merchant=big#%d", func(int) int { return 1 }},
	{"orders by SKU", "/orders?limit=50&merchant=big&sku=SKU-%06d", func(int) int { return 200000 }},
	{"orders by id", "/orders?limit=50&merchant=big&id=ORDER-%08d", func(n int) int { return n }},
	{"one order", "/orders/ORDER-%08d?merchant=big", func(n int) int { return n }},
}

// BenchmarkLoad loads lists and searches of a ledger with RENSA_ORDERS orders
// (default 2,000) of ten lines each, made by files of a thousand. With RENSA_WRK, the
// path of wrk, that does it, and what it says of requests and waiting is logged;
// without, the requests are made one after the other. .ci/load.sh runs it.
func BenchmarkLoad(b *testing.B) {
	n := 2000
	if v, err := strconv.Atoi(os.Getenv("RENSA_ORDERS")); err == nil {
		n = v
	}
	s := newServer(b, func(o *api.Options) { o.Rate, o.Burst = 1e9, 1<<30 })
	begun := time.Now()
	s.fill("big", n)
	b.Logf("%d orders made in %v", n, time.Since(begun).Round(time.Millisecond))
	begun = time.Now()
	s.must(s.ledger.IndexOrders(b.Context(), "big"))
	b.Logf("entered by SKU in %v", time.Since(begun).Round(time.Millisecond))
	debug.FreeOSMemory()
	b.Logf("before the load: %s", memory(b))
	for _, l := range loads {
		b.Run(l.name, func(b *testing.B) {
			if wrk := os.Getenv("RENSA_WRK"); wrk != "" {
				b.Logf("%s\n%s%s", l.path, s.wrk(b, wrk, l.path, l.most(n)), memory(b))
				return
			}
			for b.Loop() {
				path, _, _ := strings.Cut(fmt.Sprintf(l.path, rand.IntN(l.most(n))), "#")
				if a := s.do(everyone, http.MethodGet, path, nil); a.status != http.StatusOK {
					b.Fatalf("%s: %d %s", path, a.status, a.body)
				}
			}
		})
	}
}

// fill makes orders as uploads of a thousand each would.
func (s *server) fill(merchant string, n int) {
	s.t.Helper()
	ctx := s.t.Context()
	profile := ledger.DefaultProfile()
	profile.Language, profile.TimeZone = "en", "Europe/Stockholm"
	s.must(s.ledger.AddMerchant(ctx, removal.Merchant{ID: merchant, Profile: profile}))
	states := []removal.State{removal.StatePending, removal.StateProcessing, removal.StateCompleted, removal.StateCancelled}
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	const each = 1000
	for f := 0; f*each < n; f++ {
		m, err := s.ledger.Merchant(ctx, merchant)
		s.must(err)
		c := &ledger.Commit{Merchant: merchant, Revision: m.Revision, Run: ledger.Run{
			ID: fmt.Sprintf("run-%d", f), Kind: removal.KindUpload, FileName: fmt.Sprintf("file-%d.tsv", f), SHA256: strconv.Itoa(f),
			Started: day, Finished: day, Acceptance: removal.AcceptRow, Read: 1, Accepted: 1, Language: "en",
			Outputs: []ledger.Output{{Name: "result.csv", SHA256: "0", Bytes: 1}, {Name: "errors.csv", SHA256: "0", Bytes: 1}, {Name: "summary.json", SHA256: "0", Bytes: 1}},
		}}
		var orders []removal.Order
		for i := f * each; i < min(n, (f+1)*each); i++ {
			o := removal.Order{
				ID: fmt.Sprintf("ORDER-%08d", i), State: states[f%4], Method: removal.Return, Source: removal.SourceUpload,
				Created: day.Add(time.Duration(f) * time.Hour), Currency: "SEK",
			}
			for k := range 10 {
				number := (i*10 + k) * 7919 % 200000
				o.Lines = append(o.Lines, removal.Line{
					SKU: fmt.Sprintf("SKU-%06d", number), FNSKU: fmt.Sprintf("X%09d", number),
					AskedSellable: 2, Sellable: removal.Units{Requested: 2},
				})
			}
			orders = append(orders, o)
		}
		c.Packed = ledgertest.Pack(s.t, c.Run.ID, orders...)
		s.must(s.ledger.Commit(ctx, c))
	}
}

// wrk loads a path for some seconds and gives what it says.
func (s *server) wrk(b *testing.B, program, path string, most int) string {
	b.Helper()
	script := filepath.Join(b.TempDir(), "load.lua")
	s.must(os.WriteFile(script, fmt.Appendf(nil, `wrk.headers["Authorization"] = "Bearer %s"
request = function()
  local path = string.gsub(string.format("%s", math.random(0, %d)), "#.*", "")
  return wrk.format("GET", path)
end
`, everyone, api.Prefix+path, most-1), 0o600))
	out, err := exec.CommandContext(context.Background(), program, "-t2", "-c16", "-d10s", "--latency", "-s", script, s.http.URL).CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	if strings.Contains(string(out), "Non-2xx") {
		b.Errorf("%s", out)
	}
	return string(out)
}

// memory is what the process holds, as the system counts it.
func memory(b *testing.B) string {
	b.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return "memory: not known here"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "VmRSS") {
			return strings.Join(strings.Fields(lines.Text()), " ")
		}
	}
	return ""
}
