package process_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"rensa/pkg/process"
	"rensa/pkg/storage"
)

// files reads all files below a folder of the workspace.
func (w *workspace) files(folder string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	root := filepath.Join(w.root, folder)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, root)] = string(content)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
	return all
}

// A run that was committed but could not put its files in place is published by
// the next start, with the bytes that it would have had.
func TestRecover(t *testing.T) {
	t.Parallel()
	inventory, rows := grid(60)
	for _, c := range []struct{ blocked, lost string }{
		{blocked: "reports"}, {blocked: "outbound"}, {blocked: "archive"},
		{blocked: "reports", lost: "reports"}, {blocked: "outbound", lost: "outbound"}, {blocked: "outbound", lost: "reports"},
	} {
		blocked := c.blocked
		t.Run(blocked+" lost "+c.lost, func(t *testing.T) {
			t.Parallel()
			undisturbed := newWorkspace(t, profile())
			undisturbed.drop("inventory.txt", []byte(inventory), process.ExitAccepted)
			undisturbed.drop("upload.tsv", tabs(rows), process.ExitRejected)

			w := newWorkspace(t, profile())
			w.drop("inventory.txt", []byte(inventory), process.ExitAccepted)
			// A file where a folder must be made stops the publishing.
			place := filepath.Join(w.root, blocked)
			aside := filepath.Join(w.root, "aside")
			if err := os.Rename(place, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := os.WriteFile(place, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "upload.tsv")
			if err := os.WriteFile(path, tabs(rows), 0o600); err != nil {
				t.Fatal(err)
			}
			req := process.Request{Merchant: merchantID, Path: path, Name: "upload.tsv", AsOf: w.now, Actor: "tester"}
			if _, err := w.Process(t.Context(), req); !errors.Is(err, process.ErrUnpublished) {
				t.Fatalf("the folder of the files is a file, and yet: %v", err)
			}
			if c.lost != "" {
				w.lose(c.lost)
			}
			if err := os.Remove(place); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(aside, place); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := w.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left := w.files("work/" + merchantID); len(left) > 0 {
				t.Errorf("left in the work folder: %v", left)
			}
			for _, folder := range []string{"reports", "outbound", "archive"} {
				if diff := cmp.Diff(undisturbed.files(folder), w.files(folder)); diff != "" {
					t.Errorf("%s (-undisturbed +recovered):\n%s", folder, diff)
				}
			}
			if r, err := w.Process(t.Context(), req); err != nil || r.ExitCode != process.ExitSeen {
				t.Errorf("dropped again after the recovery: %+v, %v", r, err)
			}
			if runs, err := w.ledger.Unpublished(t.Context()); err != nil || len(runs) > 0 {
				t.Errorf("still unpublished: %v, %v", runs, err)
			}
		})
	}
}

// lose deletes what is staged in the folder of an interrupted run.
func (w *workspace) lose(staged string) {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.root, "work", merchantID, ".run-*", staged))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("staged: %v, %v", found, err)
	}
	if err := os.RemoveAll(found[0]); err != nil {
		w.t.Fatal(err)
	}
}

// A follow-up's own id, dropped again, brings in the whole family.
func TestFollowUpOfFollowUp(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	w.drop("inventory.txt", []byte("sku\tfnsku\tafn-fulfillable-quantity\tafn-unsellable-quantity\nA\tX1\t5\t0\nB\tX2\t5\t0\nC\tX3\t5\t0\n"), process.ExitAccepted)
	head := "MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n"
	w.drop("1.tsv", []byte(head+"O\tDisposal\tA\t1\n"), process.ExitAccepted)
	w.drop("2.tsv", []byte(head+"O\tDisposal\tA\t1\nO\t\tB\t1\n"), process.ExitAccepted)
	w.drop("3.tsv", []byte(head+"O-r1\tDisposal\tA\t1\nO-r1\t\tC\t1\n"), process.ExitAccepted)
	r := w.drop("4.tsv", []byte(head+"O\tDisposal\tA\t1\nO\t\tB\t1\nO\t\tC\t1\n"), process.ExitAccepted)
	for _, row := range w.table(r, "result.csv") {
		if row[10] != "seen" {
			t.Errorf("row %s is %s", row[0], row[10])
		}
	}
	if orders := w.orders(); len(orders) != 3 {
		t.Errorf("%d orders: %+v", len(orders), orders)
	}
}

// Stock that has no FNSKU in one file and has one in the next is the same stock.
func TestPoolChangesItsKey(t *testing.T) {
	t.Parallel()
	own := []byte("sku\tdisposition\tquantity\nA\tsellable\t10\n")
	report := []byte("sku\tfnsku\tafn-fulfillable-quantity\tafn-unsellable-quantity\nA\tX1\t10\t0\n")
	order := func(id string) []byte {
		return []byte("MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n" + id + "\tDisposal\tA\t6\n")
	}
	for name, files := range map[string][2][]byte{"given one": {own, report}, "without one": {report, own}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorkspace(t, profile())
			w.drop("before.tsv", files[0], process.ExitAccepted)
			w.drop("1.tsv", order("O1"), process.ExitAccepted)
			w.drop("after.tsv", files[1], process.ExitAccepted)
			w.drop("2.tsv", order("O2"), process.ExitRejected)
		})
	}
}

// Every report comes out again as it was, from the original and the ledger.
func TestRebuild(t *testing.T) {
	t.Parallel()
	inventory, rows := grid(200)
	w := newWorkspace(t, profile())
	runs := []*process.Result{
		w.drop("inventory.txt", []byte(inventory), process.ExitAccepted),
		w.drop("upload.xlsx", workbook(t, rows), process.ExitRejected),
	}
	// The profile of today does not matter for what was said yesterday.
	m, err := w.ledger.Merchant(t.Context(), merchantID)
	if err != nil {
		t.Fatal(err)
	}
	m.Profile.Language, m.Profile.CSVBOM, m.Profile.TimeZone = "de", true, "America/Toronto"
	m.Profile.HomeStore, m.Profile.ShiftJIS = "CA", true
	if err := w.ledger.SetMerchant(t.Context(), m.ID, m.Revision, m.Profile); err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		entries, err := os.ReadDir(r.ReportDir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			want, err := os.ReadFile(filepath.Join(r.ReportDir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := w.Rebuild(t.Context(), merchantID, r.RunID, e.Name(), &got); err != nil {
				t.Errorf("%s: %v", e.Name(), err)
			} else if !bytes.Equal(want, got.Bytes()) {
				t.Errorf("%s comes out different: %d bytes, then %d", e.Name(), len(want), got.Len())
			}
		}
	}
	if err := w.Rebuild(t.Context(), merchantID, runs[0].RunID, "result.csv", &bytes.Buffer{}); !errors.Is(err, process.ErrNoReport) {
		t.Errorf("a report that the run has not: %v", err)
	}
}

// Copies of one file that arrive together make its orders once.
func TestSameFileAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	inventory, rows := grid(100)
	w.drop("inventory.txt", []byte(inventory), process.ExitAccepted)
	path := filepath.Join(t.TempDir(), "upload.tsv")
	if err := os.WriteFile(path, tabs(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	var exits [6]int
	var all sync.WaitGroup
	for i := range exits {
		all.Go(func() {
			r, err := w.Process(context.Background(), process.Request{Merchant: merchantID, Path: path, Name: "upload.tsv"})
			if err != nil {
				t.Error(err)
				return
			}
			exits[i] = r.ExitCode
		})
	}
	all.Wait()
	decided := 0
	for _, code := range exits {
		switch code {
		case process.ExitRejected:
			decided++
		case process.ExitSeen:
		default:
			t.Errorf("exit code %d", code)
		}
	}
	if decided != 1 {
		t.Errorf("decided %d times: %v", decided, exits)
	}
	w.stockNeverBelowZero()
}

// Different files that want the same units get them once: each decides on what
// the others left.
func TestLastUnitsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	w.drop("inventory.txt", []byte("sku\tfnsku\tafn-fulfillable-quantity\tafn-unsellable-quantity\nA\tX1\t5\t0\n"), process.ExitAccepted)
	var all sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for _, id := range strings.Fields("O1 O2 O3 O4 O5 O6 O7 O8") {
		path := filepath.Join(t.TempDir(), id)
		text := "MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n" + id + "\tDisposal\tA\t2\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			r, err := w.Process(context.Background(), process.Request{Merchant: merchantID, Path: path, Name: id})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if r.ExitCode == process.ExitAccepted {
				accepted++
			}
		})
	}
	all.Wait()
	if accepted != 2 {
		t.Errorf("%d orders of 2 units were accepted out of 5 units", accepted)
	}
}

// stockNeverBelowZero adds up what the orders took of the grid's pools: the n-th
// has 40 + n sellable and 9 unsellable units.
func (w *workspace) stockNeverBelowZero() {
	w.t.Helper()
	type units struct{ sellable, unsellable int64 }
	taken := map[string]units{}
	for _, o := range w.orders() {
		for _, l := range o.Lines {
			u := taken[l.FNSKU]
			taken[l.FNSKU] = units{u.sellable + l.Sellable.Requested, u.unsellable + l.Unsellable.Requested}
		}
	}
	for fnsku, u := range taken {
		n, err := strconv.ParseInt(strings.TrimPrefix(fnsku, "X"), 10, 64)
		if err != nil {
			w.t.Fatal(err)
		}
		if u.sellable > 40+n || u.unsellable > 9 {
			w.t.Errorf("%s: %d and %d units were taken", fnsku, u.sellable, u.unsellable)
		}
	}
	if len(taken) == 0 {
		w.t.Error("nothing was taken")
	}
}

// TestRecoverClears: what a program left that lives no more is cleared away by the
// next one, and nothing of one that lives.
func TestRecoverClears(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	put := func(name string) {
		path := filepath.Join(w.root, "work", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(".owner-dead")
	put(merchantID + "/.run-dead-1/original")
	put(merchantID + "/.run-lives-2/original")
	living := flock.New(filepath.Join(w.root, "work", ".owner-lives"))
	if ok, err := living.TryLock(); err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer func() {
		if err := living.Close(); err != nil {
			t.Error(err)
		}
	}()
	// What cannot be cleared away keeps nobody from working, and is gone the next time.
	refused := 0
	w.watch = func(op storage.Op, _ string) error {
		if op != storage.OpDelete {
			return nil
		}
		refused++
		return errors.New("read-only")
	}
	if err := w.Recover(t.Context()); err != nil || refused == 0 {
		t.Fatalf("%d deletions were refused, and the answer is %v", refused, err)
	}
	w.watch = nil
	if err := w.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		".owner-dead": false, merchantID + "/.run-dead-1": false, ".owner-lives": true, merchantID + "/.run-lives-2/original": true,
	} {
		if _, err := os.Stat(filepath.Join(w.root, "work", name)); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", name, !want, want)
		}
	}
}
