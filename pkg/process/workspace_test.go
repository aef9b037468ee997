package process_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// workspace is a workspace of one merchant for a test.
type workspace struct {
	t      testing.TB
	root   string
	ledger *ledger.Ledger
	now    time.Time
	watch  storage.Watch // of the acts on the disk; nil: they go well
	*process.Processor
}

const merchantID = "m"

// noon is when tests happen.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func profile() removal.Profile {
	return removal.Profile{
		HomeStore: "SE", Language: "en", TimeZone: "Europe/Stockholm", DefaultMethod: removal.Return,
		Acceptance: removal.AcceptRow, Split: true, Resubmit: removal.ResubmitContinue,
	}
}

func newWorkspace(t testing.TB, p removal.Profile) *workspace {
	t.Helper()
	w := &workspace{t: t, root: t.TempDir(), now: noon}
	clock := func() time.Time { return w.now }
	var err error
	w.ledger, err = ledger.Open(t.Context(), filepath.Join(w.root, "rensa.db"), ledger.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.ledger.AddMerchant(t.Context(), removal.Merchant{ID: merchantID, Profile: p}); err != nil {
		t.Fatal(err)
	}
	w.Processor, err = process.New(process.Options{
		Ledger: w.ledger, Policy: set, Root: w.root, Now: clock, Limits: decode.DefaultLimits(), Log: zerolog.Nop(),
		Watch: func(op storage.Op, name string) error {
			if w.watch == nil {
				return nil
			}
			return w.watch(op, name)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Processor.Close(); err != nil {
			t.Error(err)
		}
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// drop takes a file of these bytes and wants this exit code.
func (w *workspace) drop(name string, content []byte, exit int) *process.Result {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "dropped")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	r, err := w.Process(context.Background(), process.Request{
		Merchant: merchantID, Path: path, Name: name, AsOf: w.now, Actor: "tester",
	})
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	if r.ExitCode != exit {
		w.t.Fatalf("%s: exit code %d, want %d: %+v", name, r.ExitCode, exit, r.Problems)
	}
	return r
}

// table reads a CSV report of a run without its heading.
func (w *workspace) table(r *process.Result, name string) [][]string {
	w.t.Helper()
	f, err := os.Open(filepath.Join(r.ReportDir, name))
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		w.t.Fatal(err)
	}
	return rows[1:]
}

// orders gives all orders of the merchant with their lines.
func (w *workspace) orders() []removal.Order {
	w.t.Helper()
	list, _, err := w.ledger.ListOrders(w.t.Context(), ledger.OrderFilter{Merchant: merchantID, Limit: 1 << 20})
	if err != nil {
		w.t.Fatal(err)
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	orders, err := w.ledger.Orders(w.t.Context(), merchantID, ids)
	if err != nil {
		w.t.Fatal(err)
	}
	return orders
}
