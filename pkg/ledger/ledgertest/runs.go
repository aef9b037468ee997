package ledgertest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func testMovements(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	a := ledger.Movement{At: day, PoolKey: "X001", Order: "A", Run: "run-1", Row: 2, Sellable: 3}
	b := ledger.Movement{At: day, PoolKey: "\x00SKU", Order: "B", Run: "run-1", Row: 3, Unsellable: 1}
	back := ledger.Movement{At: day.Add(time.Hour), PoolKey: "X001", Order: "A", Run: "run-2", Sellable: -3}
	left := ledger.Movement{Kind: ledger.MovementLeft, At: day, PoolKey: "X000", Order: "B", Run: "run-2", Unsellable: 1}
	first, second, none := upload(t, l, "run-1"), upload(t, l, "run-2"), upload(t, l, "run-3")
	first.Movements, second.Movements = []ledger.Movement{a, b}, []ledger.Movement{back, left}
	for i, c := range []*ledger.Commit{first, none, second} {
		c.Revision = int64(i)
		commit(t, l, c)
	}
	var got []ledger.Movement
	err := l.Taken(ctx, m, func(mv ledger.Movement) error {
		got = append(got, mv)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "movements", []ledger.Movement{b, a, left, back}, got)
	enough := errors.New("enough")
	checkErr(t, enough, l.Taken(ctx, m, func(ledger.Movement) error { return enough }))
}

func testOutcomes(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	var all []removal.Outcome
	for i := range 10 {
		all = append(all, removal.Outcome{Row: 5 + 2*i, Line: 9 + 2*i, Order: int32(i / 3), Status: removal.Accepted,
			Item: int32(100 - i), Sellable: 4, TakenSellable: 4, Fee: 125, HasFee: true})
	}
	all[4].Status, all[4].TakenSellable, all[4].HasFee, all[4].Fee, all[4].Item = removal.Rejected, 0, false, 0, -1
	all[4].Problems = []removal.Problem{{Place: removal.Place{Row: 13, Line: 17}, Code: removal.SKUUnknown, Field: removal.FieldSKU,
		Args: removal.Args{}.Arg("candidates", "A\nB")}}
	orders := []removal.OrderOutcome{
		{Given: "A", ID: "A", Family: "A", Method: removal.Return, Row: 5, Rows: 3, Accepted: 3, HeaderHash: 9},
		{ID: "R1", Family: "R1", Method: removal.Disposal, Row: 11, Refused: true, Rows: 7, Problems: []removal.Problem{
			{Place: removal.Place{Row: 11}, Code: removal.AddressIgnored, Field: removal.FieldName}}},
	}
	c := upload(t, l, "run-1")
	c.Run.Read, c.Run.Accepted, c.Run.Rejected = 10, 9, 1
	c.Outcomes = func(yield func([]byte) error) error {
		for from := 0; from < len(all); from += 4 {
			if err := yield(ledger.EncodeOutcomes(nil, all[from:min(from+4, len(all))])); err != nil {
				return err
			}
		}
		return nil
	}
	c.OrderOutcomes = each([][]byte{ledger.EncodeOrderOutcomes(nil, orders[:1]), ledger.EncodeOrderOutcomes(nil, orders[1:])})
	commit(t, l, c)

	var got []removal.Outcome
	blocks := 0
	for rows, err := range l.Outcomes(ctx, m, "run-1") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rows...)
		blocks++
	}
	check(t, "outcomes", all, got)
	if blocks != 3 {
		t.Errorf("%d blocks, want 3", blocks)
	}
	for _, err := range l.Outcomes(ctx, m, "run-1") {
		if err != nil {
			t.Fatal(err)
		}
		break // an iteration that is left must leave nothing open
	}
	one, err := l.OutcomeOf(ctx, m, "run-1", 13)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "outcome", all[4], one)
	for _, row := range []int{1, 12, 24} {
		_, err = l.OutcomeOf(ctx, m, "run-1", row)
		checkErr(t, ledger.ErrNotFound, err)
	}
	var byBlock []removal.OrderOutcome
	for some, err := range l.OrderOutcomeBlocks(ctx, m, "run-1") {
		if err != nil || len(some) != 1 {
			t.Fatalf("a block of %d orders, %v", len(some), err)
		}
		byBlock = append(byBlock, some...)
	}
	check(t, "orders by block", orders, byBlock)
	gotOrders, err := l.OrderOutcomes(ctx, m, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "orders", orders, gotOrders)
}

func testRuns(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	for i := range 5 {
		c := upload(t, l, fmt.Sprint("run-", i))
		if i == 2 {
			c.Run.Kind = removal.KindAFN
		}
		commit(t, l, c)
	}
	runs := func(f ledger.RunFilter) (all []string) {
		f.Merchant = m
		for {
			page, next, err := l.Runs(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page {
				all = append(all, r.ID)
			}
			if f.Cursor = next; next == "" {
				return all
			}
		}
	}
	newest := []string{"run-4", "run-3", "run-2", "run-1", "run-0"}
	check(t, "all", newest, runs(ledger.RunFilter{}))
	check(t, "pages", newest, runs(ledger.RunFilter{Limit: 2}))
	check(t, "kind", []string{"run-2"}, runs(ledger.RunFilter{Kind: removal.KindAFN}))
	check(t, "sha256", []string{"run-3"}, runs(ledger.RunFilter{SHA256: "sha of run-3"}))
	check(t, "status", []string(nil), runs(ledger.RunFilter{Status: ledger.RunArchived}))
	check(t, "since", []string(nil), runs(ledger.RunFilter{Since: time.Now().AddDate(100, 0, 0)}))
	_, _, err := l.Runs(ctx, ledger.RunFilter{Merchant: m, Cursor: "-"})
	checkErr(t, ledger.ErrCursor, err)
}

func testPublish(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	addMerchant(t, l, "aaa")
	commit(t, l, upload(t, l, "run-2", order("A")))
	commit(t, l, upload(t, l, "run-1"))
	theirs := upload(t, l, "run-1")
	theirs.Merchant, theirs.Revision = "aaa", 0
	commit(t, l, theirs)

	open := func() (all []string) {
		runs, err := l.Unpublished(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			all = append(all, r.Merchant+" "+r.ID+" "+r.Status)
		}
		return all
	}
	state := func() string {
		f, err := l.FileOf(ctx, m, "run-2")
		if err != nil {
			t.Fatal(err)
		}
		return f.State + " " + f.Place
	}
	check(t, "open", []string{"aaa run-1 committed", m + " run-2 committed", m + " run-1 committed"}, open())
	outputs := []ledger.Output{{Name: "z.csv", SHA256: "1", Bytes: 5}, {Name: "a.csv", SHA256: "2"}}
	for range 2 {
		if err := l.MarkPublished(ctx, m, "run-2", outputs); err != nil {
			t.Fatal(err)
		}
	}
	check(t, "file", "published ", state())
	if err := l.MarkPublished(ctx, m, "run-2", nil); err != nil {
		t.Fatal(err)
	}
	check(t, "open", []string{"aaa run-1 committed", m + " run-2 published", m + " run-1 committed"}, open())
	for range 2 {
		if err := l.MarkArchived(ctx, m, "run-2", "archive/acme/x.tsv"); err != nil {
			t.Fatal(err)
		}
	}
	check(t, "file", "archived archive/acme/x.tsv", state())
	// A repair that comes late does not take a run back.
	if err := l.MarkPublished(ctx, m, "run-2", outputs); err != nil {
		t.Fatal(err)
	}
	check(t, "open", []string{"aaa run-1 committed", m + " run-1 committed"}, open())
	run, err := l.Run(ctx, m, "run-2")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "outputs", outputs, run.Outputs)
	for sha, want := range map[string]string{outputs[0].SHA256: run.ID, "another": ""} {
		made, err := l.MadeBy(ctx, m, sha)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "who made "+sha, want, made)
	}
	check(t, "archive", ledger.RunArchived+" archive/acme/x.tsv", run.Status+" "+run.Archive)
	checkErr(t, ledger.ErrNotFound, l.MarkPublished(ctx, m, "run-9", nil))
	checkErr(t, ledger.ErrNotFound, l.MarkArchived(ctx, m, "run-9", ""))
}

func testSnapshots(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	if s, err := l.Snapshot(ctx, m); s != nil || err != nil {
		t.Fatalf("a new merchant has a snapshot: %+v, %v", s, err)
	}
	add := func(id string, date time.Time, current bool) ledger.Snapshot {
		s := ledger.Snapshot{ID: id, Merchant: m, Date: date, DateHasTime: current, Kind: removal.KindAFN, Run: "run " + id, SHA256: "x",
			Path: "snapshots/" + id, SKUs: 4, Pools: 3, Sellable: 20, Unsellable: 1, Current: current}
		c := upload(t, l, s.Run)
		c.Run.Kind, c.Snapshot = removal.KindAFN, &s
		commit(t, l, c)
		got, err := l.SnapshotByID(ctx, m, id)
		if err != nil {
			t.Fatal(err)
		}
		s.Created = got.Created
		check(t, "snapshot", &s, got)
		return s
	}
	first := add("s1", day, true)
	second := add("s2", day.AddDate(0, 0, 1), true)
	old := add("s0", day.AddDate(0, 0, -1), false)
	current, err := l.Snapshot(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "current", &second, current)
	first.Current = false
	all, err := l.Snapshots(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "all", []ledger.Snapshot{second, first, old}, all)
	_, err = l.SnapshotByID(ctx, m, "s9")
	checkErr(t, ledger.ErrNotFound, err)
}

func testCentres(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	put := func(run string, centres []removal.Centre) {
		c := upload(t, l, run)
		c.Run.Kind, c.Centres = removal.KindCentres, centres
		commit(t, l, c)
	}
	want := []removal.Centre{
		{ID: "LEJ1", Name: "Leipzig", Line1: "Amazonstr. 1", City: "Leipzig", Country: "DE", PostalCode: "04347"},
		{ID: "GOT1", Country: "SE"},
	}
	put("run-1", want)
	put("run-2", nil)
	got, err := l.Centres(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "centres", want, got)
	put("run-3", want[1:])
	got, err = l.Centres(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "centres", want[1:], got)
	put("run-4", []removal.Centre{})
	if got, err = l.Centres(t.Context(), m); err != nil || len(got) != 0 {
		t.Errorf("centres are %+v, %v", got, err)
	}
}

// testHistory: one event of a run stands in the history of each of its orders.
func testHistory(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	c := upload(t, l, "run-1", order("A"), order("B"))
	placed := ledger.Event{At: day, Actor: "process", Subject: ledger.SubjectRun, ID: "run-1", What: "placed", To: "planning", EachOrder: true}
	read := ledger.Event{At: day, Actor: "process", Subject: ledger.SubjectRun, ID: "run-1", What: "read"}
	own := ledger.Event{At: day.Add(time.Minute), Actor: "ada", Subject: ledger.SubjectOrder, ID: "A", What: "noted", From: "x", To: "y", Why: "because"}
	c.Events = []ledger.Event{placed, read, own}
	commit(t, l, c)
	other := upload(t, l, "run-2", order("C"))
	other.Events = []ledger.Event{{Subject: ledger.SubjectRun, ID: "run-2", What: "placed", EachOrder: true}}
	commit(t, l, other)
	placed.Run, read.Run, own.Run = "run-1", "run-1", "run-1"
	for id, want := range map[string][]ledger.Event{"A": {placed, own}, "B": {placed}, "nobody": nil} {
		got, err := l.History(ctx, m, id)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "history of "+id, want, got)
	}
	got, err := l.Events(ctx, m, ledger.SubjectRun, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "events of the run", []ledger.Event{placed, read}, got)
	if got, err := l.History(ctx, m, "C"); err != nil || len(got) != 1 || got[0].At.IsZero() {
		t.Errorf("history is %+v, %v", got, err)
	}
}
