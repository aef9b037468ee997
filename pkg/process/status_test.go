package process_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/ledger"
	"rensa/pkg/process"
	"rensa/pkg/removal"
)

// twoOrders is a workspace with two orders that were handed on.
func twoOrders(t *testing.T) *workspace {
	t.Helper()
	w := newWorkspace(t, profile())
	w.drop("stock.tsv", []byte("sku\tfnsku\tafn-fulfillable-quantity\tafn-unsellable-quantity\nMUG\tX1\t20\t5\nCUP\tX2\t8\t0\n"), process.ExitAccepted)
	w.drop("upload.csv", []byte("MerchantRemovalOrderID,RemovalDisposition,MerchantSKU,SellableQuantity,UnsellableQuantity\n"+
		"A-1,Disposal,MUG,9,2\nA-1,,CUP,3,\nB-2,Disposal,CUP,4,\n"), process.ExitAccepted)
	return w
}

// standing writes what is known of each order, in the order of their ids.
func (w *workspace) standing() string {
	w.t.Helper()
	var lines []string
	for _, o := range w.orders() {
		text := fmt.Sprintf("%s %s %s", o.ID, o.State, o.Source)
		if o.CancelRequested {
			text += " cancel requested"
		}
		for _, l := range o.Lines {
			text += fmt.Sprintf("; %s %s/%s", l.SKU, units(l.Sellable), units(l.Unsellable))
		}
		lines = append(lines, text+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func units(u removal.Units) string {
	return fmt.Sprintf("%d=%d+%d+%d+%d", u.Requested, u.Cancelled, u.Disposed, u.Shipped, u.InProcess())
}

func (w *workspace) wantStanding(want string) {
	w.t.Helper()
	if d := cmp.Diff(strings.TrimLeft(want, "\n"), w.standing()); d != "" {
		w.t.Error(d)
	}
}

const detailHeading = "request-date,order-id,order-type,order-status,last-updated-date,sku,fnsku,disposition,requested-quantity," +
	"cancelled-quantity,disposed-quantity,shipped-quantity,in-process-quantity\n"

// A status file is applied whatever its order and age, and its rows again change
// nothing.
func TestStatusFiles(t *testing.T) {
	t.Parallel()
	w := twoOrders(t)
	row := func(order, state, updated, sku, disposition, rest string) string {
		return fmt.Sprintf("2026-11-20T12:00:00Z,%s,Disposal,%s,%s,%s,,%s,%s\n", order, state, updated, sku, disposition, rest)
	}
	newer := detailHeading + row("A-1", "Completed", "2026-11-21T10:00:00Z", "MUG", "Sellable", "9,1,8,0,0") +
		row("A-1", "Completed", "2026-11-21T10:00:00Z", "MUG", "Unsellable", "2,0,2,0,0") +
		row("A-1", "Completed", "2026-11-21T10:00:00Z", "CUP", "Sellable", "3,0,3,0,0") +
		row("elsewhere", "Pending", "2026-11-21T09:00:00Z", "CUP", "Sellable", "1,0,0,0,1")
	older := detailHeading + row("A-1", "Processing", "2026-11-21T08:00:00Z", "MUG", "Sellable", "9,0,2,0,7") +
		row("B-2", "Processing", "2026-11-21T08:00:00Z", "CUP", "Sellable", "4,0,0,0,4")
	w.drop("newer.csv", []byte(newer), process.ExitAccepted)
	w.drop("older.csv", []byte(older), process.ExitAccepted)
	const want = `
A-1 completed upload; MUG 9=1+8+0+0/2=0+2+0+0; CUP 3=0+3+0+0/0=0+0+0+0
B-2 processing upload; CUP 4=0+0+0+4/0=0+0+0+0
elsewhere pending external; CUP 1=0+0+0+1/0=0+0+0+0
`
	w.wantStanding(want)
	w.drop("newer again.csv", []byte(newer), process.ExitSeen)
	w.drop("the same rows.csv", []byte(newer+"\n"), process.ExitAccepted)
	w.drop("older too.csv", []byte(older+"\n"), process.ExitAccepted)
	w.wantStanding(want)
}

// What is checked only leaves no trace.
func TestStatusCheck(t *testing.T) {
	t.Parallel()
	w := twoOrders(t)
	before, out := w.standing(), w.files("outbound")
	path := filepath.Join(t.TempDir(), "stop.txt")
	if err := os.WriteFile(path, []byte("order-id\nA-1\nC-3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	req := process.Request{Merchant: merchantID, Path: path, Name: "stop.txt", Check: true, OutDir: filepath.Join(t.TempDir(), "out")}
	for range 2 {
		req.OutDir += "1"
		if err := os.Mkdir(req.OutDir, 0o750); err != nil {
			t.Fatal(err)
		}
		r, err := w.Process(t.Context(), req)
		if err != nil || r.ExitCode != process.ExitRejected || len(r.Problems) != 1 || r.Problems[0].Cell != "A3" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	w.wantStanding(before)
	if d := cmp.Diff(out, w.files("outbound")); d != "" {
		t.Error(d)
	}
}

// A cancel file that a run decided to send is sent, also where the run was
// interrupted, and only once.
func TestCancelListInterrupted(t *testing.T) {
	t.Parallel()
	undisturbed := twoOrders(t)
	list := []byte("order-id\nA-1\n")
	r := undisturbed.drop("stop.txt", list, process.ExitAccepted)
	want := undisturbed.files("outbound")
	summary := r.Summary
	if len(summary.Outbound) != 1 || len(want) != 4 ||
		want["/"+merchantID+"/"+summary.Outbound[0].File] != "order-id\r\nA-1\r\n" || !slices.Equal(summary.Outbound[0].Orders, []string{"A-1"}) {
		t.Fatalf("%+v, %q", summary, want)
	}
	for _, lost := range []string{"", "reports"} {
		t.Run("lost "+lost, func(t *testing.T) {
			t.Parallel()
			w := twoOrders(t)
			place, aside := filepath.Join(w.root, "outbound"), filepath.Join(w.root, "aside")
			if err := errors.Join(os.Rename(place, aside), os.WriteFile(place, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "stop.txt")
			if err := os.WriteFile(path, list, 0o600); err != nil {
				t.Fatal(err)
			}
			req := process.Request{Merchant: merchantID, Path: path, Name: "stop.txt", AsOf: w.now, Actor: "tester"}
			if _, err := w.Process(t.Context(), req); !errors.Is(err, process.ErrUnpublished) {
				t.Fatalf("the folder of the files is a file, and yet: %v", err)
			}
			if lost != "" {
				w.lose(lost)
			}
			if err := errors.Join(os.Remove(place), os.Rename(aside, place)); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := w.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, folder := range []string{"reports", "outbound", "archive"} {
				if d := cmp.Diff(undisturbed.files(folder), w.files(folder)); d != "" {
					t.Errorf("%s (-undisturbed +recovered):\n%s", folder, d)
				}
			}
			if d := cmp.Diff(undisturbed.standing(), w.standing()); d != "" {
				t.Error(d)
			}
			if r, err := w.Process(t.Context(), req); err != nil || r.ExitCode != process.ExitSeen {
				t.Errorf("dropped again after the recovery: %+v, %v", r, err)
			}
		})
	}
}

// Two outgoing files may get the same answer, byte for byte: the name tells which
// one is meant, and a copy of an answer does nothing.
func TestProcessingReportOfSameBytes(t *testing.T) {
	t.Parallel()
	w := twoOrders(t)
	w.now = w.now.Add(time.Hour)
	w.drop("more.csv", []byte("MerchantRemovalOrderID,RemovalDisposition,MerchantSKU,SellableQuantity\nC-3,Disposal,MUG,1\n"), process.ExitAccepted)
	files, err := w.ledger.OrderFiles(t.Context(), merchantID, true)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	answer := []byte("Feed Processing Summary:\r\n\tNumber of records processed\t\t0\r\n\tNumber of records successful\t\t0\r\n\r\n" +
		"original-record-number\tsku\terror-code\terror-type\terror-message\r\n100001\t-\t1\tError\tnot eligible\r\n")
	name := func(f ledger.Outbound, end string) string { return strings.TrimSuffix(f.Name, ".tsv") + end }
	first, second := name(files[0], "-report.txt"), name(files[1], ".txt")

	r := w.drop("report.txt", answer, process.ExitAccepted)
	if len(r.Problems) != 1 || r.Problems[0].Code != removal.ReportUnmatched {
		t.Errorf("two files wait, and yet: %+v", r.Problems)
	}
	w.drop(second, answer, process.ExitAccepted)
	const cup = "; CUP 3=0+0+0+3/0=0+0+0+0\nB-2 pending upload; CUP 4=0+0+0+4/0=0+0+0+0\n"
	w.wantStanding("A-1 pending upload; MUG 9=0+0+0+9/2=0+0+0+2" + cup + "C-3 refused upload; MUG 1=1+0+0+0/0=0+0+0+0\n")
	// Only the first waits now, but nothing says that the copy is meant for it.
	for _, copied := range []string{second, "report.txt", "report (1).txt"} {
		w.drop(copied, answer, process.ExitSeen)
	}
	w.wantStanding("A-1 pending upload; MUG 9=0+0+0+9/2=0+0+0+2" + cup + "C-3 refused upload; MUG 1=1+0+0+0/0=0+0+0+0\n")
	w.drop(first, answer, process.ExitAccepted)
	w.wantStanding(`
A-1 refused upload; MUG 9=9+0+0+0/2=2+0+0+0; CUP 3=3+0+0+0/0=0+0+0+0
B-2 refused upload; CUP 4=4+0+0+0/0=0+0+0+0
C-3 refused upload; MUG 1=1+0+0+0/0=0+0+0+0
`)
	w.drop(first, answer, process.ExitSeen)
}

// Files come as what they are, or not at all.
func TestKindsOfOrders(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	for name, c := range map[string]struct {
		text string
		kind removal.Kind
	}{
		"cancel":   {"order-id\nA\n", removal.KindCancelList},
		"detail":   {detailHeading, removal.KindOrderDetail},
		"shipment": {"removal-date|order-id|shipment-date|sku|fnsku|disposition|quantity shipped|carrier|tracking-number\n", removal.KindShipmentDetail},
		"report":   {"Feed:\n\ta\t\t2\n\tb\t\t1\n", removal.KindProcessingReport},
		"table":    {"Feed:\n\ta\t\t2\n\tb\t\t1\n\noriginal-record-number\tsku\terror-code\terror-type\terror-message\n", removal.KindProcessingReport},
		"titled":   {"Our list\n\norder-id;sku\n", removal.KindCancelList},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Kind(t.Context(), merchantID, path); err != nil || got != c.kind {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	// Nobody meant to cancel what another list names.
	path := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(path, []byte("order-id,sku,price\nA,B,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Kind(t.Context(), merchantID, path); err == nil {
		t.Errorf("a list of prices is a %s", got)
	}
	// A report that lacks one column is told which.
	r := w.drop("detail.csv", []byte(strings.ReplaceAll(detailHeading, "order-status", "state")+"\n"), process.ExitRefused)
	if p := r.FileProblem; p == nil || p.Code != removal.FileHeaderMissing || p.Args.Get("missing") != "order-status" {
		t.Errorf("%+v", p)
	}
}

// Whoever drops the answer that stands among the reports of an upload has not been
// refused by the marketplace: the orders stand, and their ids stay used.
func TestOwnAnswerRefusesNothing(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, profile())
	w.drop("inventory.txt", []byte(twoSKUs), process.ExitAccepted)
	upload := "MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\nO1\tDisposal\tA\t1\nO1\t\tNONE\t1\n"
	r := w.drop("upload.tsv", []byte(upload), process.ExitRejected)
	answer, err := os.ReadFile(filepath.Join(r.ReportDir, "processing-report.txt"))
	if err != nil {
		t.Fatal(err)
	}
	again := w.drop("processing-report.txt", answer, process.ExitRefused)
	if p := again.FileProblem; p == nil || p.Code != removal.FileKindUnknown || p.Args.Get("own") != r.RunID {
		t.Errorf("answer %+v", p)
	}
	if orders := w.orders(); len(orders) != 1 || orders[0].State != removal.StatePending {
		t.Errorf("orders %+v", orders)
	}
	// What says something else is the marketplace's.
	w.drop("other.txt", bytes.Replace(answer, []byte("2\tNONE"), []byte("1\tA"), 1), process.ExitAccepted)
	if orders := w.orders(); len(orders) != 1 || orders[0].State != removal.StateRefused {
		t.Errorf("orders %+v", orders)
	}
}
