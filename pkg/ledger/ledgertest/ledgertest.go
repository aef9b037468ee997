// Package ledgertest is the one suite that every database of a ledger has to
// pass. It sees a ledger only through its methods. What a database has of its
// own (its file, its lock) is tested beside it.
package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Run runs the suite. open gives an empty ledger, which it closes itself when
// the test ends.
func Run(t *testing.T, open func(t *testing.T) *ledger.Ledger) {
	for name, test := range map[string]func(*testing.T, *ledger.Ledger){
		"Merchant":       testMerchant,
		"Commit":         testCommit,
		"Conflict":       testConflict,
		"Seen":           testSeen,
		"TwoAtOnce":      testTwoAtOnce,
		"Unbalanced":     testUnbalanced,
		"Refused":        testRefusedValues,
		"RefusedOrder":   testRefusedOrder,
		"Orders":         testOrders,
		"ManyOrders":     testManyOrders,
		"OrderBlocks":    testOrderBlocks,
		"BlocksAsked":    testOrderBlocksAsked,
		"MovementPacker": testMovementPacker,
		"ListOrders":     testListOrders,
		"UsedIDs":        testUsedIDs,
		"IDs":            testIDs,
		"MatchOrders":    testMatchOrders,
		"Movements":      testMovements,
		"Outcomes":       testOutcomes,
		"Runs":           testRuns,
		"Publish":        testPublish,
		"Snapshots":      testSnapshots,
		"Centres":        testCentres,
		"History":        testHistory,
		"OtherMerchants": testOtherMerchants,
		"Cancelled":      testCancelled,
		"Sent":           testSent,
		"SentOrder":      testSentOrder,
		"WorkList":       testWorkList,
		"Lease":          testLease,
		"Change":         testChange,
		"Moves":          testMoves,
		"Drafts":         testDrafts,
		"Shipments":      testShipments,
		"Outgoing":       testOutgoing,
		"OrderSKU":       testOrderSKU,
		"ManyChanges":    testManyChanges,
		"RequestKey":     testRequestKey,
		"ListWork":       testListWork,
		"ListSent":       testListSent,
		"Users":          testUsers,
		"Links":          testLinks,
		"Sessions":       testSessions,
		"Tokens":         testTokens,
		"Notes":          testNotes,
		"Arrivals":       testArrivals,
		"Jobs":           testJobs,
		"JobTakeover":    testJobTakeover,
		"JobsAtOnce":     testJobsAtOnce,
		"Fold":           testFold,
		"FoldAll":        testFoldAll,
		"OutboxDue":      testOutboxDue,
		"Holds":          testHolds,
		"HoldsRefused":   testHoldsRefused,
		"Outbox":         testOutbox,
		"OutboxLease":    testOutboxLease,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// m is the merchant of most tests.
const m = "acme"

var day = time.Date(2026, 11, 20, 9, 30, 0, 123456000, time.UTC)

// addMerchant adds a merchant with the default profile.
func addMerchant(t *testing.T, l *ledger.Ledger, id string) {
	t.Helper()
	if err := l.AddMerchant(t.Context(), removal.Merchant{ID: id, Profile: ledger.DefaultProfile()}); err != nil {
		t.Fatal(err)
	}
}

// revision is where a merchant stands.
func revision(t *testing.T, l *ledger.Ledger, merchant string) int64 {
	t.Helper()
	got, err := l.Merchant(t.Context(), merchant)
	if err != nil {
		t.Fatal(err)
	}
	return got.Revision
}

// upload is a commit of orders at the merchant's present revision: one row a
// line, all accepted. Orders that no file could make are made beside it.
func upload(t *testing.T, l *ledger.Ledger, run string, orders ...removal.Order) *ledger.Commit {
	t.Helper()
	c := made(t, l, run, orders...)
	if canBePacked(orders) {
		c.Packed, c.Change = Pack(t, run, orders...), nil
	}
	return c
}

// made is upload with orders in any state, right or wrong: they are not the file's.
func made(t *testing.T, l *ledger.Ledger, run string, orders ...removal.Order) *ledger.Commit {
	t.Helper()
	c := &ledger.Commit{
		Merchant: m, Revision: revision(t, l, m), Change: &ledger.Change{},
		Run: ledger.Run{ID: run, Kind: removal.KindUpload, FileName: run + ".tsv", SHA256: "sha of " + run, Acceptance: removal.AcceptRow},
	}
	for _, o := range orders {
		n := int64(len(o.Lines))
		c.Run.Read, c.Run.Accepted, c.Run.OrdersAccepted = c.Run.Read+n, c.Run.Accepted+n, c.Run.OrdersAccepted+1
		c.Change.New = append(c.Change.New, ledger.Record{Order: o})
	}
	return c
}

// commit commits and fails the test where that is refused.
func commit(t *testing.T, l *ledger.Ledger, c *ledger.Commit) {
	t.Helper()
	if err := l.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

var sweden = removal.Address{Name: "Åsa Öberg", Line1: "Storgatan 1", City: "Växjö", PostalCode: "352 30", Country: "SE", Phone: "0470-12345"}

// order is a return of two lines to sweden.
func order(id string) removal.Order {
	return removal.Order{
		Merchant: m, ID: id, Family: id, State: removal.StatePending, Method: removal.Return, Source: removal.SourceUpload,
		Row: 2, Created: day, Address: sweden, Notes: `say "hej"`, Currency: "SEK", Fee: 123400, NoFee: 1, NoFeeReason: "weight_unknown",
		HeaderHash: 1<<63 + 5,
		Lines: []removal.Line{
			{SKU: `A "1" \ å`, FNSKU: "X001", AskedSellable: 3, AskedUnsellable: 1, Sellable: units(2), Unsellable: units(1), Fee: 123400, HasFee: true},
			{SKU: "B-2", AskedSellable: 4, Sellable: units(4)},
		},
	}
}

func units(requested int64) removal.Units { return removal.Units{Requested: requested} }

func check(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func checkErr(t *testing.T, want, got error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error is %v, want %v", got, want)
	}
}

// ids of the orders that a list gives.
func ids(rows []ledger.OrderRow) (all []string) {
	for _, r := range rows {
		all = append(all, r.ID)
	}
	return all
}

func list(t *testing.T, l *ledger.Ledger, f ledger.OrderFilter) []string {
	t.Helper()
	f.Merchant = m
	rows, next, err := l.ListOrders(t.Context(), f)
	if err != nil || next != "" {
		t.Fatalf("list %+v: next %q, %v", f, next, err)
	}
	return ids(rows)
}

func testMerchant(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	profile := ledger.DefaultProfile()
	profile.Name, profile.Notify = "Acme AB", []string{"a@example.com", "b@example.com"}
	profile.ReturnAddress = sweden
	profile.Policy = map[string]string{"hold_days": "45"}
	want := removal.Merchant{ID: m, Profile: profile, Created: day}
	if err := l.AddMerchant(ctx, want); err != nil {
		t.Fatal(err)
	}
	got, err := l.Merchant(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "merchant", want, got)
	checkErr(t, ledger.ErrExists, l.AddMerchant(ctx, want))
	_, err = l.Merchant(ctx, "nobody")
	checkErr(t, ledger.ErrNotFound, err)
	checkErr(t, ledger.ErrRefused, l.AddMerchant(ctx, removal.Merchant{}))

	want.Profile.Policy = nil
	want.Profile.Acceptance = removal.AcceptFile
	event := ledger.Event{At: day, Actor: "ada", Subject: ledger.SubjectMerchant, ID: m, What: "set", From: "row", To: "file", Why: "acceptance"}
	if err := l.SetMerchant(ctx, m, 0, want.Profile, event); err != nil {
		t.Fatal(err)
	}
	want.Revision = 1
	checkErr(t, ledger.ErrConflict, l.SetMerchant(ctx, m, 0, ledger.DefaultProfile()))
	checkErr(t, ledger.ErrNotFound, l.SetMerchant(ctx, "nobody", 0, profile))
	addMerchant(t, l, "aaa")
	all, err := l.Merchants(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].ID != "aaa" {
		t.Fatalf("merchants are %+v", all)
	}
	check(t, "merchant", want, all[1])
	events, err := l.Events(ctx, m, ledger.SubjectMerchant, m)
	if err != nil || len(events) != 2 || events[0].What != "added" {
		t.Fatalf("events are %+v, %v", events, err)
	}
	check(t, "event", event, events[1])
}

func testCommit(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	a, b := order("A-1"), order("A-2")
	b.Method, b.Address, b.Lines = removal.Disposal, removal.Address{}, b.Lines[1:]
	c := upload(t, l, "run-1", a, b)
	c.Run.Bytes, c.Run.Layout, c.Run.Encoding, c.Run.Delimiter, c.Run.Container = 4711, "A", "utf-8", "tab", "gzip"
	c.Run.Sheet, c.Run.Heading, c.Run.SnapshotID, c.Run.SnapshotDate = "Sheet 1", 4, "snap", day
	c.Run.PolicyVersion, c.Run.Started, c.Run.Finished = "p1", day, day.Add(time.Second)
	c.Run.ReportVersion, c.Run.Language, c.Run.Detail = 3, "sv", []byte(`["x"]`)
	c.Run.Read, c.Run.Rejected, c.Run.Seen, c.Run.OrdersRefused = c.Run.Read+3, 2, 1, 1
	c.Run.Outputs = []ledger.Output{{Name: "result.csv", SHA256: "r", Bytes: 1}, {Name: "errors.csv", SHA256: "e", Bytes: 2}}
	c.File = ledger.File{ID: "claim-1", Name: "min fil.tsv", Place: "work/acme/claim-1", Attempts: 1, Claimed: day}
	c.Outbound = []ledger.Outbound{
		{Name: "b.tsv", SHA256: "o1", Bytes: 10, Orders: []string{"A-1", `"q"`}, Created: day},
		{Name: "a.tsv", SHA256: "o2", Bytes: 20, Orders: []string{"A-2"}, Created: day},
	}
	commit(t, l, c)

	got, err := l.Run(ctx, m, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	want := c.Run
	want.Merchant, want.Status, want.Committed = m, ledger.RunCommitted, got.Committed
	check(t, "run", want, got)
	if got.Committed.IsZero() {
		t.Error("the run has no time of its commit")
	}
	_, err = l.Run(ctx, m, "run-2")
	checkErr(t, ledger.ErrNotFound, err)

	orders, err := l.Orders(ctx, m, []string{"A-2", "nobody", "A-1", "A-2"})
	if err != nil {
		t.Fatal(err)
	}
	a.Run, b.Run = "run-1", "run-1"
	check(t, "orders", []removal.Order{b, a}, orders)

	file, err := l.FileOf(ctx, m, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "file", ledger.File{ID: "claim-1", Seq: 1, Name: "min fil.tsv", Place: "work/acme/claim-1", Run: "run-1",
		State: ledger.FileCommitted, Attempts: 1, Claimed: day}, file)

	out, err := l.Outbound(ctx, m, "run-1")
	if names, err := l.OutboundNames(ctx, m, "run-1"); err != nil || len(names) != len(out) || len(out) == 0 || names[0] != out[0].Name {
		t.Errorf("names are %v, files %v, %v", names, out, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Outbound {
		c.Outbound[i].Merchant, c.Outbound[i].Run = m, "run-1"
	}
	check(t, "outbound", c.Outbound, out)
	if r := revision(t, l, m); r != 1 {
		t.Errorf("revision is %d, want 1", r)
	}
	checkErr(t, ledger.ErrNotFound, l.Commit(ctx, &ledger.Commit{Merchant: "nobody", Run: ledger.Run{ID: "x"}}))
}

func testConflict(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	first, second := upload(t, l, "run-1", order("A")), upload(t, l, "run-2", order("B"))
	commit(t, l, first)
	checkErr(t, ledger.ErrConflict, l.Commit(t.Context(), second))
	check(t, "orders", []string{"A"}, list(t, l, ledger.OrderFilter{}))
	if _, err := l.Run(t.Context(), m, "run-2"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the refused run is there: %v", err)
	}
	second.Revision = revision(t, l, m)
	commit(t, l, second)
	check(t, "orders", []string{"B", "A"}, list(t, l, ledger.OrderFilter{}))

	// A caller that fails half-way leaves nothing either.
	broken := errors.New("broken")
	var orders []removal.Order
	for i := range 200 {
		orders = append(orders, order(fmt.Sprint("C", i)))
	}
	third := upload(t, l, "run-3", orders...)
	third.Outcomes = func(func([]byte) error) error { return broken }
	checkErr(t, broken, l.Commit(t.Context(), third))
	check(t, "orders", []string{"B", "A"}, list(t, l, ledger.OrderFilter{}))
	if r := revision(t, l, m); r != 2 {
		t.Errorf("revision is %d, want 2", r)
	}
}

func testSeen(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	// Of this file nothing was accepted: it may come again.
	none := upload(t, l, "run-1")
	none.Run.SHA256, none.Run.Read, none.Run.Rejected = "same", 2, 2
	commit(t, l, none)
	if seen, err := l.SeenFile(ctx, m, "same"); seen != nil || err != nil {
		t.Fatalf("a file without orders is seen: %+v, %v", seen, err)
	}
	again := upload(t, l, "run-2", order("A"))
	again.Run.SHA256 = "same"
	commit(t, l, again)
	seen, err := l.SeenFile(ctx, m, "same")
	if err != nil || seen == nil || seen.ID != "run-2" {
		t.Fatalf("seen is %+v, %v", seen, err)
	}
	copied := upload(t, l, "run-3", order("B"))
	copied.Run.SHA256 = "same"
	checkErr(t, ledger.ErrSeen, l.Commit(ctx, copied))
	copied.Revision = 0
	checkErr(t, ledger.ErrSeen, l.Commit(ctx, copied))

	// An inventory file is news each time.
	for _, run := range []string{"run-4", "run-5"} {
		c := upload(t, l, run)
		c.Run.Kind, c.Run.SHA256, c.Run.Read, c.Run.Accepted = removal.KindAFN, "same", 5, 5
		commit(t, l, c)
	}
}

func testTwoAtOnce(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	const copies = 4
	var commits [copies]*ledger.Commit
	for i := range commits {
		commits[i] = upload(t, l, fmt.Sprint("run-", i), order(fmt.Sprint("A", i)))
		commits[i].Run.SHA256 = "same"
	}
	errs := make(chan error, copies)
	for _, c := range commits {
		go func() {
			err := l.Commit(context.Background(), c)
			for errors.Is(err, ledger.ErrConflict) {
				var merchant removal.Merchant
				if merchant, err = l.Merchant(context.Background(), m); err == nil {
					c.Revision = merchant.Revision
					err = l.Commit(context.Background(), c)
				}
			}
			errs <- err
		}()
	}
	won := 0
	for range copies {
		switch err := <-errs; {
		case err == nil:
			won++
		case !errors.Is(err, ledger.ErrSeen):
			t.Errorf("a copy failed with %v", err)
		}
	}
	if rows := list(t, l, ledger.OrderFilter{}); won != 1 || len(rows) != 1 {
		t.Errorf("%d copies committed, orders %q", won, rows)
	}
}
