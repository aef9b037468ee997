package ledgertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// record gives one order with its progress.
func record(t *testing.T, l *ledger.Ledger, id string) ledger.Record {
	t.Helper()
	found, err := l.Records(t.Context(), m, []string{id})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d orders %s: %v", len(found), id, err)
	}
	return found[0]
}

// change makes a change at the merchant's present revision.
func change(t *testing.T, l *ledger.Ledger, c ledger.Change) error {
	t.Helper()
	c.Merchant, c.Revision = m, revision(t, l, m)
	return l.Change(t.Context(), &c)
}

func testChange(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	commit(t, l, upload(t, l, "run-1", order("A"), order("B")))
	r := record(t, l, "A")
	r.State, r.CancelRequested = removal.StateProcessing, true
	r.Lines[0].Sellable.Shipped, r.Lines[1].Sellable.Cancelled = 1, 4
	r.Progress = removal.Progress{
		Requested: day, Updated: day.Add(time.Hour), CancelAll: true,
		Lines: []removal.LineProgress{{
			SKU: r.Lines[0].SKU, Condition: removal.Unsellable, Updated: day, Before: 2, CancelAsked: true,
			Left: []removal.Left{{At: day, Units: 1, Dated: true}, {At: day, Units: 3, Disposed: true}},
		}},
	}
	elsewhere := ledger.Record{Order: order("E"), Progress: removal.Progress{Requested: day.Add(-time.Hour)}}
	elsewhere.Source, elsewhere.Family = removal.SourceExternal, "E"
	err := change(t, l, ledger.Change{
		Changed: []ledger.Record{r}, New: []ledger.Record{elsewhere}, Run: "run-2",
		Movements: []ledger.Movement{{Kind: ledger.MovementLeft, At: day, PoolKey: "X001", Order: "A", Sellable: 1}},
		Events:    []ledger.Event{{Actor: "ann", Subject: ledger.SubjectOrder, ID: "A", What: "status"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "changed order", r, record(t, l, "A"))
	got := record(t, l, "E")
	check(t, "new order", elsewhere.Progress, got.Progress)
	check(t, "its run", "run-2", got.Run)
	confirmed, err := l.Confirmed(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "confirmed", []ledger.Confirmation{{Order: "E", Requested: day.Add(-time.Hour)}, {Order: "A", Requested: day}}, confirmed)
	in, err := l.RecordsIn(t.Context(), m, removal.StateProcessing)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "in processing", []ledger.Record{r}, in)
	for state, want := range map[removal.State]bool{removal.StateProcessing: true, removal.StatePlanning: false} {
		any, err := l.HasState(t.Context(), m, state)
		if err != nil || any != want {
			t.Errorf("any in %s: %t, %v", state, any, err)
		}
	}
	stale := ledger.Change{Merchant: m, Revision: revision(t, l, m) - 1, Changed: []ledger.Record{r}}
	checkErr(t, ledger.ErrConflict, l.Change(t.Context(), &stale))
	checkErr(t, ledger.ErrExists, change(t, l, ledger.Change{New: []ledger.Record{elsewhere}}))
	missing := r
	missing.Seq = 99
	checkErr(t, ledger.ErrNotFound, change(t, l, ledger.Change{Changed: []ledger.Record{missing}}))
}

// testMoves: the database lets an order move as the state machine says, whatever
// the program does, and keeps what is finished.
func testMoves(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	states := []removal.State{
		removal.StatePlanning, removal.StatePending, removal.StateProcessing, removal.StateCompleted, removal.StateCancelled, removal.StateRefused,
	}
	n := 0
	for _, from := range states {
		for _, to := range states {
			n++
			o := order(fmt.Sprintf("O-%d", n))
			o.State = from
			for i := range o.Lines {
				o.Lines[i].Sellable.Cancelled, o.Lines[i].Unsellable.Cancelled = o.Lines[i].Sellable.Requested, o.Lines[i].Unsellable.Requested
			}
			commit(t, l, upload(t, l, fmt.Sprintf("run-%d", n), o))
			r := record(t, l, o.ID)
			r.State = to
			err := change(t, l, ledger.Change{Changed: []ledger.Record{r}})
			if from == to || removal.Allowed(from, to) {
				if err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				continue
			}
			checkErr(t, ledger.ErrRefused, err)
		}
	}
	commit(t, l, upload(t, l, "open", order("OPEN")))
	r := record(t, l, "OPEN")
	r.State = removal.StateCompleted
	checkErr(t, ledger.ErrRefused, change(t, l, ledger.Change{Changed: []ledger.Record{r}}))
	r.Lines[0].Sellable.Shipped, r.Lines[0].Unsellable.Shipped, r.Lines[1].Sellable.Shipped = 2, 1, 4
	if err := change(t, l, ledger.Change{Changed: []ledger.Record{r}}); err != nil {
		t.Fatal(err)
	}
	r.Lines[0].Sellable.Shipped, r.Lines[0].Sellable.Cancelled = 1, 1
	checkErr(t, ledger.ErrRefused, change(t, l, ledger.Change{Changed: []ledger.Record{r}}))
	r = record(t, l, "OPEN")
	r.Lines[0].Sellable.Shipped = 3
	checkErr(t, ledger.ErrRefused, change(t, l, ledger.Change{Changed: []ledger.Record{r}}))
}

func testDrafts(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	d := ledger.Draft{Merchant: m, ID: "D", Actor: "ann", Created: day, Body: json.RawMessage(`{"a":1}`)}
	checkErr(t, ledger.ErrNotFound, l.AddDraft(ctx, d))
	addMerchant(t, l, m)
	before := revision(t, l, m)
	created := ledger.Event{Actor: "ann", Subject: ledger.SubjectOrder, ID: "D", What: "created"}
	for i, want := range []error{nil, ledger.ErrExists} {
		if err := l.AddDraft(ctx, d, created); (err == nil) != (want == nil) {
			t.Fatalf("time %d: %v", i+1, err)
		} else if want != nil {
			checkErr(t, want, err)
		}
	}
	check(t, "revision", before, revision(t, l, m))
	first, err := l.Draft(ctx, m, "D")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "body", string(d.Body), string(first.Body))
	renamed := first
	renamed.ID, renamed.Body = "D2", json.RawMessage(`{}`)
	if err := l.SetDraft(ctx, first, renamed); err != nil {
		t.Fatal(err)
	}
	checkErr(t, ledger.ErrConflict, l.SetDraft(ctx, first, renamed))
	checkErr(t, ledger.ErrConflict, l.DropDraft(ctx, first))
	_, err = l.Draft(ctx, m, "D")
	checkErr(t, ledger.ErrNotFound, err)
	history, err := l.History(ctx, m, "D2")
	if err != nil || len(history) != 1 {
		t.Errorf("history of the renamed draft: %v, %v", history, err)
	}
	second, err := l.Draft(ctx, m, "D2")
	if err != nil {
		t.Fatal(err)
	}
	// Placed by a change on an old version: nothing happens.
	checkErr(t, ledger.ErrConflict, change(t, l, ledger.Change{Dropped: []ledger.Draft{first}, New: []ledger.Record{{Order: order("D2")}}}))
	if err := change(t, l, ledger.Change{Dropped: []ledger.Draft{second}, New: []ledger.Record{{Order: order("D2")}}}); err != nil {
		t.Fatal(err)
	}
	// An upload with a draft's id takes the draft away, a part of it too.
	for _, id := range []string{"U", "SPLIT", "STAYS"} {
		if err := l.AddDraft(ctx, ledger.Draft{Merchant: m, ID: id, Body: json.RawMessage(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	part := order("SPLIT-1")
	part.Family = "SPLIT"
	commit(t, l, upload(t, l, "run-1", order("U"), part))
	all, err := l.Drafts(ctx, m)
	if err != nil || len(all) != 1 || all[0].ID != "STAYS" {
		t.Errorf("drafts after the upload: %v, %v", all, err)
	}
}

func testShipments(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	ctx := t.Context()
	a := ledger.Shipment{Order: "A", SKU: "S", FNSKU: "X", At: day, Units: 2, Carrier: "DHL", Tracking: "1", Type: "Return", Requested: day, Run: "r1"}
	b := a
	b.Condition, b.At, b.Requested = removal.Unsellable, day.Add(-time.Hour), time.Time{}
	if err := change(t, l, ledger.Change{Shipments: []ledger.Shipment{a, b}}); err != nil {
		t.Fatal(err)
	}
	a.Units = 3
	if err := change(t, l, ledger.Change{Shipments: []ledger.Shipment{a}}); err != nil {
		t.Fatal(err)
	}
	got, err := l.ShipmentsOf(ctx, m, []string{"A", "B", "A"})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "of the order", map[string][]ledger.Shipment{"A": {b, a}}, got)
	var all []ledger.Shipment
	if err := l.Shipments(ctx, m, day, func(s ledger.Shipment) error { all = append(all, s); return nil }); err != nil {
		t.Fatal(err)
	}
	check(t, "since", []ledger.Shipment{a}, all)
}

func testOutgoing(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	ctx := t.Context()
	f := ledger.Outgoing{Outbound: ledger.Outbound{Merchant: m, Name: "a.tsv", SHA256: "1", Bytes: 2, Orders: []string{"A"}, Created: day}, Body: []byte("hi")}
	c := f
	c.Name, c.Kind = "c.tsv", ledger.OutboundCancel
	if err := change(t, l, ledger.Change{Outgoing: []ledger.Outgoing{f, c}}); err != nil {
		t.Fatal(err)
	}
	f.Kind = ledger.OutboundOrders
	check(t, "unwritten", []ledger.Outgoing{f, c}, unwritten(t, l))
	checkErr(t, ledger.ErrExists, change(t, l, ledger.Change{Outgoing: []ledger.Outgoing{f}}))
	for range 2 {
		if err := l.MarkWritten(ctx, m, "c.tsv"); err != nil {
			t.Fatal(err)
		}
	}
	check(t, "unwritten", []ledger.Outgoing{f}, unwritten(t, l))
	open, err := l.OrderFiles(ctx, m, true)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "without an answer", []ledger.Outbound{f.Outbound}, open)
	if err := change(t, l, ledger.Change{Answered: []string{"a.tsv"}, Run: "run-9"}); err != nil {
		t.Fatal(err)
	}
	open, err = l.OrderFiles(ctx, m, true)
	if err != nil || len(open) != 0 {
		t.Errorf("without an answer: %v, %v", open, err)
	}
	checkErr(t, ledger.ErrNotFound, change(t, l, ledger.Change{Answered: []string{"none.tsv"}}))
}

func unwritten(t *testing.T, l *ledger.Ledger) []ledger.Outgoing {
	t.Helper()
	all, err := l.Unwritten(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// testOrderSKU: orders are found by SKU before and after they are entered into the
// table, and by the file that made them.
func testOrderSKU(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	ctx := t.Context()
	var orders []removal.Order
	for i := range 1200 {
		o := order(fmt.Sprintf("O-%04d", i))
		o.Lines = []removal.Line{{SKU: fmt.Sprintf("S-%d", i%100), Sellable: units(1)}, {SKU: fmt.Sprintf("T-%d", i), Sellable: units(1)}}
		orders = append(orders, o)
	}
	commit(t, l, upload(t, l, "run-1", orders...))
	look := func(when string) {
		t.Helper()
		got := list(t, l, ledger.OrderFilter{SKU: "S-7", Limit: 1000})
		if len(got) != 12 || got[0] != "O-1107" || got[11] != "O-0007" {
			t.Errorf("%s: %v", when, got)
		}
		check(t, when, []string{"O-0500"}, list(t, l, ledger.OrderFilter{SKU: "T-500"}))
		check(t, when, []string(nil), list(t, l, ledger.OrderFilter{SKU: "T-50000"}))
	}
	look("before")
	if err := l.IndexOrders(ctx, m); err != nil {
		t.Fatal(err)
	}
	look("after")
	more := order("NEW")
	more.Lines = []removal.Line{{SKU: "T-500", Sellable: units(1)}}
	commit(t, l, upload(t, l, "run-2", more))
	check(t, "behind the mark", []string{"NEW", "O-0500"}, list(t, l, ledger.OrderFilter{SKU: "T-500"}))
	r := record(t, l, "O-0003")
	r.Lines, r.Grown = append(r.Lines, removal.Line{SKU: "T-500", Sellable: units(1)}), true
	r.Fee, r.NoFee, r.NoFeeReason = r.Fee+100, r.NoFee+1, "rate_unknown"
	fee, noFee := r.Fee, r.NoFee
	if err := change(t, l, ledger.Change{Changed: []ledger.Record{r}}); err != nil {
		t.Fatal(err)
	}
	r = record(t, l, "O-0003")
	check(t, "fees with it", []any{fee, noFee, "rate_unknown"}, []any{r.Fee, r.NoFee, r.NoFeeReason})
	check(t, "a line that came later", []string{"NEW", "O-0500", "O-0003"}, list(t, l, ledger.OrderFilter{SKU: "T-500"}))
	check(t, "by file", []string{"NEW"}, list(t, l, ledger.OrderFilter{File: "run-2.tsv"}))
	check(t, "by run", 1200, len(list(t, l, ledger.OrderFilter{File: "run-1", Limit: 2000})))
	check(t, "by no file", []string(nil), list(t, l, ledger.OrderFilter{File: "run-3.tsv"}))
}

// testManyChanges: blocks of movements are merged, and nothing of them is lost.
func testManyChanges(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	var want []ledger.Movement
	for i := range 150 {
		mv := ledger.Movement{At: day.Add(time.Duration(i)), PoolKey: fmt.Sprintf("X%03d", i%7), Order: fmt.Sprintf("O-%d", i), Sellable: int64(i + 1)}
		mv.At = mv.At.Truncate(time.Microsecond)
		want = append(want, mv)
		if err := change(t, l, ledger.Change{Movements: []ledger.Movement{mv}}); err != nil {
			t.Fatal(err)
		}
	}
	var got []ledger.Movement
	if err := l.Taken(t.Context(), m, func(mv ledger.Movement) error { got = append(got, mv); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b ledger.Movement) int { return int(a.Sellable - b.Sellable) })
	check(t, "movements", want, got)
}
