package nightly_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/nightly"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// shop is a workspace with one merchant and a clock that a test moves.
type shop struct {
	*testing.T
	root      string
	at        time.Time
	ledger    *ledger.Ledger
	processor *process.Processor
	jobs      *nightly.Jobs
}

var opening = time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)

func newShop(t *testing.T, keep nightly.Retention, change ...func(*removal.Profile)) *shop {
	t.Helper()
	s := &shop{T: t, root: t.TempDir(), at: opening}
	now := func() time.Time { return s.at }
	set, err := policy.Load(nil)
	must(t, err)
	s.ledger, err = ledger.Open(t.Context(), filepath.Join(s.root, "rensa.db"), ledger.Options{Now: now})
	must(t, err)
	profile := ledger.DefaultProfile()
	for _, c := range change {
		c(&profile)
	}
	must(t, s.ledger.AddMerchant(t.Context(), removal.Merchant{ID: "acme", Profile: profile, Created: s.at}))
	s.processor, err = process.New(process.Options{
		Ledger: s.ledger, Policy: set, Root: s.root, Now: now, Limits: decode.DefaultLimits(), Log: zerolog.Nop(),
	})
	must(t, err)
	dir, err := storage.Open(s.root)
	must(t, err)
	s.jobs = nightly.New(nightly.Options{
		Ledger: s.ledger, Policy: set, Desk: s.processor.Desk(), Storage: dir, Current: s.processor.Current,
		Retention: keep, Deleting: s.processor.Deleting,
	})
	t.Cleanup(func() { must(t, errors.Join(s.processor.Close(), dir.Close(), s.ledger.Close())) })
	return s
}

// take has a file of lines taken in; the marks | stand for tabs.
func (s *shop) take(name string, lines ...string) *process.Result {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	must(s, os.WriteFile(path, []byte(strings.ReplaceAll(strings.Join(lines, "\n"), "|", "\t")+"\n"), 0o600))
	r, err := s.processor.Process(s.Context(), process.Request{Merchant: "acme", Path: path, Name: name, AsOf: s.at})
	must(s, err)
	return r
}

func (s *shop) stock(units string) *process.Result {
	return s.take("stock.tsv", "sku|fnsku|disposition|quantity", "A|X1|sellable|"+units, "B|X2|unsellable|7")
}

func (s *shop) order(id, units string) *process.Result {
	return s.take(id+".tsv", "MerchantRemovalOrderID|RemovalDisposition|MerchantSKU|SellableQuantity", id+"|Disposal|A|"+units)
}

// files below a folder, by name, with the time in the names of folders left out.
func (s *shop) files(folder string) (all []string) {
	s.Helper()
	must(s, filepath.WalkDir(filepath.Join(s.root, folder), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, filepath.Base(path))
		}
		return err
	}))
	return all
}

// What is past its retention goes, but not the original of the current snapshot.
func TestHousekeeping(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, tt := range []struct {
		name                       string
		keep                       nightly.Retention
		rehearse                   bool
		originals, reports         int64
		originalsLeft, reportsLeft int
	}{
		{"for ever", nightly.Retention{}, false, 0, 0, 2, 3},
		{"younger", nightly.Retention{Archive: 101 * day, Reports: 101 * day}, false, 0, 0, 2, 3},
		{"rehearsed", nightly.Retention{Archive: 99 * day, Reports: 99 * day}, true, 1, 2, 2, 3},
		{"originals", nightly.Retention{Archive: 99 * day}, false, 1, 0, 1, 3},
		{"both", nightly.Retention{Archive: 99 * day, Reports: 99 * day}, false, 1, 2, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, tt.keep)
			s.stock("30")
			s.order("ONE", "2")
			s.at = opening.Add(100 * day)
			s.jobsReports()
			out, err := s.jobs.Housekeeping(t.Context(), "acme", s.at, tt.rehearse)
			must(t, err)
			if out.Counts["originals"] != tt.originals || out.Counts["reports"] != tt.reports || (out.Counts["bytes"] > 0) != (tt.originals+tt.reports > 0) {
				t.Errorf("counts are %v", out.Counts)
			}
			if n := len(s.files("archive")); n != tt.originalsLeft {
				t.Errorf("%d originals are left", n)
			}
			folders, err := filepath.Glob(filepath.Join(s.root, "reports", "acme", "*", "*"))
			must(t, err)
			if len(folders) != tt.reportsLeft {
				t.Errorf("report folders left are %v", folders)
			}
			if tt.rehearse {
				return
			}
			out, err = s.jobs.Housekeeping(t.Context(), "acme", s.at, false)
			must(t, err)
			if out.Counts["originals"]+out.Counts["reports"]+out.Counts["bytes"] != 0 {
				t.Errorf("there is more to do: %v", out.Counts)
			}
		})
	}
}

// While a backup is being made nothing is deleted.
func TestHousekeepingWaits(t *testing.T) {
	t.Parallel()
	s := newShop(t, nightly.Retention{Reports: time.Hour})
	s.stock("30")
	s.at = opening.AddDate(0, 0, 9)
	release, err := s.processor.Keep(t.Context())
	must(t, err)
	hurry, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.jobs.Housekeeping(hurry, "acme", s.at, false); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error is %v", err)
	}
	if len(s.files("reports")) == 0 {
		t.Error("reports are gone")
	}
	must(t, release())
	out, err := s.jobs.Housekeeping(t.Context(), "acme", s.at, false)
	if err != nil || out.Counts["reports"] != 1 {
		t.Errorf("%v, %v", out.Counts, err)
	}
}

// Folding changes nothing of what is available, to the snapshot there is and to the
// next one.
func TestHousekeepingFolds(t *testing.T) {
	t.Parallel()
	s := newShop(t, nightly.Retention{})
	s.stock("100000")
	lines := []string{"MerchantRemovalOrderID|RemovalDisposition|MerchantSKU|SellableQuantity"}
	for range 1200 {
		lines = append(lines, "|Disposal|A|3")
	}
	s.take("many.tsv", lines...)
	all, _, err := s.ledger.ListOrders(t.Context(), ledger.OrderFilter{Merchant: "acme", Limit: 1000})
	must(t, err)
	status := []string{"request-date|order-id|order-type|order-status|last-updated-date|sku|fnsku|disposition|requested-quantity|cancelled-quantity|disposed-quantity|shipped-quantity|in-process-quantity"}
	for i, o := range all {
		row := []string{"2026-03-02", o.ID, "Disposal", "Completed", "2026-03-04T10:00:00Z", "A", "X1", "Sellable", "3", "0", "3", "0", "0"}
		if i%3 == 0 { // left after the snapshot that is to come
			row[4] = "2026-03-09T10:00:00Z"
		}
		if i%10 == 0 {
			row[3], row[10], row[12] = "Pending", "0", "3"
		}
		status = append(status, strings.Join(row, "|"))
	}
	s.at = opening.AddDate(0, 0, 8)
	if r := s.take("status.tsv", status...); r.ExitCode != 0 {
		t.Fatalf("%+v", r)
	}
	s.at = opening.AddDate(0, 0, 4)
	s.stock("90000") // the newer snapshot
	s.at = opening.AddDate(0, 0, 8)
	before := s.available()
	out, err := s.jobs.Housekeeping(t.Context(), "acme", s.at, false)
	must(t, err)
	if out.Counts["movements"] < 1000 {
		t.Fatalf("counts are %v", out.Counts)
	}
	if diff := cmp.Diff(before, s.available()); diff != "" {
		t.Errorf("available (-before +after):\n%s", diff)
	}
	wrong, err := s.ledger.Imbalances(t.Context(), "acme")
	if err != nil || len(wrong) > 0 {
		t.Errorf("orders out of balance: %+v, %v", wrong, err)
	}
	if out, err = s.jobs.Housekeeping(t.Context(), "acme", s.at, false); err != nil || out.Counts["movements"] != 0 {
		t.Errorf("folded again: %v, %v", out.Counts, err)
	}
}

// available is what is left of each SKU.
func (s *shop) available() map[string][2]int64 {
	s.Helper()
	_, snapshot, err := s.jobs.Current(s.Context(), "acme")
	must(s, err)
	m, err := s.ledger.Merchant(s.Context(), "acme")
	must(s, err)
	store, err := s.jobs.Policy.Store(m.Profile.HomeStore, s.at, nil)
	must(s, err)
	stock, err := desk.Stock(s.Context(), s.ledger, "acme", snapshot, store)
	must(s, err)
	left := map[string][2]int64{}
	for i := range int32(snapshot.Len()) {
		item := snapshot.Item(i)
		good, bad := snapshot.Units(item.Pool)
		takenGood, takenBad := stock.Taken(item.Pool)
		left[string(item.SKU)] = [2]int64{good - takenGood, bad - takenBad}
	}
	return left
}

// jobsReports writes the nightly reports.
func (s *shop) jobsReports() nightly.Outcome {
	s.Helper()
	out, err := s.jobs.Reports(s.Context(), "acme", s.at, false)
	must(s, err)
	return out
}

// The nightly reports lie in a folder of their own, which appears whole.
func TestReports(t *testing.T) {
	t.Parallel()
	s := newShop(t, nightly.Retention{}, func(p *removal.Profile) { p.Language = "de" })
	bare := s.jobsReports()
	if bare.Counts["files"] != 6 {
		t.Errorf("without stock: %v", bare.Counts)
	}
	s.stock("30")
	s.order("ONE", "2")
	out := s.jobsReports()
	if out.ReportDir != "reports/acme/2026-03-02/20260302-110000-reports-2" {
		t.Errorf("the second folder is %s", out.ReportDir)
	}
	begins := map[string]string{
		nightly.OrderDetailFile: "request-date\torder-id\t", nightly.ShipmentDetailFile: "request-date\torder-id\t", nightly.ReconciliationCSV: "order_id,status,",
		nightly.InventoryFile: "sku,fnsku,", nightly.DeadlinesCSV: "hold,fnsku,", nightly.DeadlinesFile: "PK", nightly.ReconciliationBook: "PK",
	}
	var names []string
	for _, name := range s.files(out.ReportDir) {
		names = append(names, name)
		b, err := os.ReadFile(filepath.Join(s.root, out.ReportDir, name))
		must(t, err)
		if !strings.HasPrefix(string(b), begins[name]) {
			t.Errorf("%s begins with %.60q", name, b)
		}
		if (name == nightly.OrderDetailFile || name == nightly.ReconciliationCSV) && !strings.Contains(string(b), "ONE") {
			t.Errorf("%s does not tell of the order", name)
		}
		if name == nightly.InventoryFile && !strings.Contains(string(b), "A,X1,,,30,") {
			t.Errorf("%s is %s", name, b)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(begins)), slices.Sorted(slices.Values(names))); diff != "" {
		t.Error(diff)
	}
	hidden, err := filepath.Glob(filepath.Join(s.root, "reports", "acme", "*", ".*"))
	if err != nil || len(hidden) > 0 {
		t.Errorf("left behind: %v, %v", hidden, err)
	}
}

// Orders are handed on when their delay is over; a rehearsal only counts them.
func TestRelease(t *testing.T) {
	t.Parallel()
	s := newShop(t, nightly.Retention{}, func(p *removal.Profile) { p.ReleaseDelay = time.Hour })
	s.stock("30")
	s.order("ONE", "2")
	for _, tt := range []struct {
		after         time.Duration
		rehearse      bool
		orders, files int64
	}{
		{59 * time.Minute, false, 0, 0},
		{time.Hour, true, 1, 0},
		{time.Hour, false, 1, 1},
		{2 * time.Hour, false, 0, 0},
	} {
		out, err := s.jobs.Release(t.Context(), "acme", opening.Add(tt.after), tt.rehearse)
		must(t, err)
		if out.Counts["orders"] != tt.orders || out.Counts["files"] != tt.files {
			t.Errorf("after %s, rehearsed %t: %v", tt.after, tt.rehearse, out.Counts)
		}
	}
	if n := len(s.files("outbound")); n != 2 { // the file and its manifest
		t.Errorf("%d files went out", n)
	}
}
