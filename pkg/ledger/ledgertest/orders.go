package ledgertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func testUnbalanced(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	c := upload(t, l, "run-1", order("A"))
	c.Run.Read++
	checkErr(t, ledger.ErrUnbalanced, l.Commit(t.Context(), c))
	c.Run.Rejected++
	rows := []removal.Outcome{{Row: 2, Status: removal.Accepted}, {Row: 3, Status: removal.Accepted}}
	blocks := func(yield func([]byte) error) error { return yield(ledger.EncodeOutcomes(nil, rows)) }
	c.Outcomes = blocks
	checkErr(t, ledger.ErrUnbalanced, l.Commit(t.Context(), c))
	rows = append(rows, removal.Outcome{Row: 4, Status: removal.Seen})
	checkErr(t, ledger.ErrUnbalanced, l.Commit(t.Context(), c))
	rows[2].Status = removal.Rejected
	commit(t, l, c)
}

// testRefusedValues: the database itself keeps out what can never be right.
func testRefusedValues(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	for name, spoil := range map[string]func(*removal.Order){
		"negative":       func(o *removal.Order) { o.Lines[1].Sellable.Requested = -10 },
		"negative done":  func(o *removal.Order) { o.Lines[0].Unsellable.Shipped = -1 },
		"too much done":  func(o *removal.Order) { o.Lines[0].Sellable.Cancelled, o.Lines[0].Sellable.Disposed = 6, 1 },
		"state":          func(o *removal.Order) { o.State = "lost" },
		"no method":      func(o *removal.Order) { o.Method = removal.MethodNone },
		"source":         func(o *removal.Order) { o.Source = "" },
		"no id":          func(o *removal.Order) { o.ID = "" },
		"fewer than no":  func(o *removal.Order) { o.NoFee = -1 },
		"unknown method": func(o *removal.Order) { o.Method = 3 },
	} {
		o := order("A")
		spoil(&o)
		if err := l.Commit(t.Context(), made(t, l, "run-1", o)); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			checkErr(t, ledger.ErrRefused, err)
		}
	}
	for name, spoil := range map[string]func(*ledger.Commit){
		"long key":   func(c *ledger.Commit) { c.Movements = []ledger.Movement{{PoolKey: strings.Repeat("x", 257)}} },
		"acceptance": func(c *ledger.Commit) { c.Run.Acceptance = "some" },
		"no run":     func(c *ledger.Commit) { c.Run.ID = "" },
		"rows": func(c *ledger.Commit) {
			c.Run.Read, c.Run.Accepted, c.Run.Rejected = 0, 1, -1
		},
	} {
		c := upload(t, l, "run-1", order("A"))
		spoil(c)
		err := l.Commit(t.Context(), c)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			checkErr(t, ledger.ErrRefused, err)
		}
	}
	damaged := upload(t, l, "run-1", order("A"))
	damaged.Outcomes = func(yield func([]byte) error) error { return yield([]byte("rubbish")) }
	checkErr(t, ledger.ErrDamaged, l.Commit(t.Context(), damaged))
	other := order("A")
	other.Merchant = "somebody"
	if err := l.Commit(t.Context(), made(t, l, "run-1", other)); err == nil {
		t.Error("another merchant's order was accepted")
	}
	commit(t, l, upload(t, l, "run-1", order("A")))
	checkErr(t, ledger.ErrExists, l.Commit(t.Context(), upload(t, l, "run-2", order("A"))))
	sameRun := upload(t, l, "run-1", order("B"))
	sameRun.Run.SHA256 = "other bytes"
	checkErr(t, ledger.ErrExists, l.Commit(t.Context(), sameRun))
}

// testRefusedOrder: an order that the marketplace refused gives its id back.
func testRefusedOrder(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	refused := order("A")
	refused.State = removal.StateRefused
	for i := range refused.Lines {
		refused.Lines[i].Sellable.Cancelled = refused.Lines[i].Sellable.Requested
		refused.Lines[i].Unsellable.Cancelled = refused.Lines[i].Unsellable.Requested
	}
	commit(t, l, upload(t, l, "run-1", refused))
	refused.Notes = "second"
	commit(t, l, upload(t, l, "run-2", refused))
	used, err := l.UsedIDs(ctx, m, []string{"A"})
	if err != nil || len(used) != 0 {
		t.Fatalf("a refused id is used: %v, %v", used, err)
	}
	got, err := l.Orders(ctx, m, []string{"A"})
	if err != nil || len(got) != 1 || got[0].Notes != "second" {
		t.Fatalf("orders are %+v, %v", got, err)
	}
	check(t, "lines", refused.Lines, got[0].Lines)
	commit(t, l, upload(t, l, "run-3", order("A")))
	got, err = l.Orders(ctx, m, []string{"A"})
	if err != nil || len(got) != 1 || got[0].State != removal.StatePending {
		t.Fatalf("orders are %+v, %v", got, err)
	}
	check(t, "list", []string{"A", "A", "A"}, list(t, l, ledger.OrderFilter{Prefix: "A"}))
	checkErr(t, ledger.ErrExists, l.Commit(ctx, upload(t, l, "run-4", order("A"))))
}

func testOrders(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	done := order("done")
	done.State, done.CancelRequested = removal.StateProcessing, true
	done.Lines[0].Sellable = removal.Units{Requested: 9, Cancelled: 1, Disposed: 2, Shipped: 3}
	done.Lines[0].Unsellable = removal.Units{Requested: 5, Cancelled: 5}
	plain, bare := order("plain"), removal.Order{Merchant: m, ID: "bare", Family: "bare", State: removal.StateDraft,
		Method: removal.Disposal, Source: removal.SourceDraft, Created: day}
	follow := order("done-r1")
	follow.Family, follow.Source, follow.Generated = "done", removal.SourceRequired, true
	all := []removal.Order{plain, done, bare, follow}
	commit(t, l, upload(t, l, "run-1", all...))
	got, err := l.Orders(t.Context(), m, []string{"plain", "done", "bare", "done-r1"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Run = "run-1"
	}
	check(t, "orders", all, got)
	rows, _, err := l.ListOrders(t.Context(), ledger.OrderFilter{Merchant: m, State: removal.StateProcessing})
	if err != nil || len(rows) != 1 {
		t.Fatalf("list is %+v, %v", rows, err)
	}
	check(t, "row", ledger.OrderRow{ID: "done", Merchant: m, State: removal.StateProcessing, Method: removal.Return,
		Source: removal.SourceUpload, Run: "run-1", Created: day, Lines: 2,
		Sellable:   removal.Units{Requested: 13, Cancelled: 1, Disposed: 2, Shipped: 3},
		Unsellable: removal.Units{Requested: 5, Cancelled: 5},
		Fee:        done.Fee, Currency: "SEK", NoFee: 1, NoFeeReason: "weight_unknown", CancelRequested: true}, rows[0])
}

// testManyOrders: more orders than one statement takes, many of one address and
// many addresses, asked for in more than one batch.
func testManyOrders(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	var all []removal.Order
	var names []string
	for i := range 1234 {
		o := order(fmt.Sprintf("O-%05d", i))
		o.Row = i
		if i%3 == 0 {
			o.Address.Line1 = fmt.Sprint("Gatan ", i%7)
		}
		if i%100 == 99 {
			o.State = removal.StatePlanning
		}
		if i%250 == 7 {
			o.Lines[0].Sellable.Shipped = 1
		}
		all, names = append(all, o), append(names, o.ID)
	}
	commit(t, l, upload(t, l, "run-1", all...))
	got, err := l.Orders(t.Context(), m, names)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Run = "run-1"
	}
	check(t, "orders", all, got)
	if planning := list(t, l, ledger.OrderFilter{State: removal.StatePlanning}); len(planning) != 12 || planning[0] != "O-01199" {
		t.Errorf("planning are %q", planning)
	}
}

func testListOrders(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	var first, second []removal.Order
	for i := range 7 {
		o := order(fmt.Sprint("A", i))
		o.Created = day.Add(time.Duration(min(i, 5)) * time.Hour)
		if i == 3 {
			o.Method = removal.Disposal
			o.Lines[0].SKU = "odd,[one"
		}
		first = append(first, o)
	}
	second = append(second, order("B1"), order("b2"), order("A9"))
	second[0].Lines = []removal.Line{{SKU: `A "1"`, Sellable: units(1)}, {SKU: "x[", FNSKU: ",y"}}
	commit(t, l, made(t, l, "run-0", first[:5]...))
	commit(t, l, upload(t, l, "run-1", first[5:]...))
	commit(t, l, upload(t, l, "run-2", second...))

	newest := []string{"A9", "b2", "B1", "A6", "A5", "A4", "A3", "A2", "A1", "A0"}
	check(t, "all", newest, list(t, l, ledger.OrderFilter{}))
	check(t, "run", newest[:3], list(t, l, ledger.OrderFilter{Run: "run-2"}))
	check(t, "no run", []string(nil), list(t, l, ledger.OrderFilter{Run: "run-3"}))
	check(t, "prefix", []string{"A9", "A6", "A5", "A4", "A3", "A2", "A1", "A0"}, list(t, l, ledger.OrderFilter{Prefix: "A"}))
	check(t, "method", []string{"A3"}, list(t, l, ledger.OrderFilter{Method: removal.Disposal}))
	check(t, "since", []string{"A6", "A5"}, list(t, l, ledger.OrderFilter{Since: day.Add(5 * time.Hour)}))
	check(t, "sku", []string{"A3"}, list(t, l, ledger.OrderFilter{SKU: "odd,[one"}))
	check(t, "quoted sku", []string{"B1"}, list(t, l, ledger.OrderFilter{SKU: `A "1"`}))
	check(t, "sku like none", []string(nil), list(t, l, ledger.OrderFilter{SKU: ","}))
	check(t, "state", []string(nil), list(t, l, ledger.OrderFilter{State: removal.StateDraft}))
	check(t, "together", []string{"A6", "A5"}, list(t, l, ledger.OrderFilter{
		Prefix: "A", Run: "run-1", SKU: "B-2", Since: day.Add(5 * time.Hour), State: removal.StatePending, Method: removal.Return}))

	for _, f := range []ledger.OrderFilter{{Merchant: m}, {Merchant: m, SKU: "B-2"}} {
		want, _, err := l.ListOrders(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		var got []ledger.OrderRow
		for f.Limit = 3; ; {
			page, next, err := l.ListOrders(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page...)
			if f.Cursor = next; next == "" {
				break
			}
			if len(page) != f.Limit {
				t.Fatalf("a page of %d with another after it", len(page))
			}
		}
		check(t, "pages", want, got)
	}
	_, _, err := l.ListOrders(ctx, ledger.OrderFilter{Merchant: m, Cursor: "what?"})
	checkErr(t, ledger.ErrCursor, err)
}

func testUsedIDs(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	made := func(id, family string) removal.Order {
		o := order(id)
		o.Family = family
		return o
	}
	commit(t, l, upload(t, l, "run-1", made("single", "single"), made("split-2", "split"), made("split-1", "split"), made("base", "")))
	commit(t, l, upload(t, l, "run-2", made("base-r1", "base"), made("base-r2", "base")))
	asked := []string{"new", "single", "split", "base", "base-r2", "split-1", "split-3", "single", "base-r1x"}
	for i := range 1100 {
		asked = append(asked, fmt.Sprint("other-", i))
	}
	got, err := l.UsedIDs(t.Context(), m, asked)
	if err != nil {
		t.Fatal(err)
	}
	base, split := []string{"base", "base-r1", "base-r2"}, []string{"split-2", "split-1"}
	check(t, "used", map[string][]string{"single": {"single"}, "split": split, "split-1": split, "base": base, "base-r2": base}, got)
	if got, err := l.UsedIDs(t.Context(), m, nil); err != nil || len(got) != 0 {
		t.Errorf("used of nothing is %v, %v", got, err)
	}
}

// testIDs: an id that is used is never taken for new, however the filter
// grew; most new ones are.
func testIDs(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	random := rand.New(rand.NewPCG(1, 2))
	var used []string
	for i, n := range []int{1, 10, 2500, 3, 6000, 100} {
		before, err := l.IDs(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		var orders []removal.Order
		for range n {
			o := order(fmt.Sprintf("R%016X", random.Uint64()))
			o.Family = o.ID
			if random.IntN(10) == 0 {
				o.Family = "F" + o.ID
				used = append(used, o.Family)
			}
			used = append(used, o.ID)
			orders = append(orders, o)
		}
		commit(t, l, upload(t, l, fmt.Sprint("run-", i), orders...))
		maybe, err := l.IDs(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range used {
			if !maybe.Maybe([]byte(id)) {
				t.Fatalf("after %d orders %s is taken for new", len(used), id)
			}
		}
		wrong, hits := 0, 0
		for range 5000 {
			if maybe.Maybe(fmt.Appendf(nil, "N%016X", random.Uint64())) {
				wrong++
			}
		}
		for _, o := range orders {
			if before.Maybe([]byte(o.ID)) {
				hits++
			}
		}
		if wrong > 250 || hits > 5+n/20 {
			t.Errorf("after %d orders %d of 5000 new ids are not taken for new; of %d before their commit %d", len(used), wrong, n, hits)
		}
	}
	_, err := l.IDs(ctx, "nobody")
	checkErr(t, ledger.ErrNotFound, err)
}

func testMatchOrders(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	var all []removal.Order
	for i, state := range []removal.State{removal.StatePlanning, removal.StatePending, removal.StateProcessing,
		removal.StateCompleted, removal.StateCancelled, removal.StateRefused, removal.StateDraft} {
		o := order(fmt.Sprint("R", i))
		o.State, o.Generated = state, true
		all = append(all, o)
	}
	given, elsewhere := order("given"), order("elsewhere")
	elsewhere.Generated, elsewhere.HeaderHash = true, 7
	commit(t, l, upload(t, l, "run-1", append(all, given, elsewhere)...))
	got, err := l.MatchOrders(t.Context(), m, given.HeaderHash)
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Run = "run-1"
	}
	check(t, "orders", []removal.Order{all[2], all[1], all[0]}, got)
	if got, err := l.MatchOrders(t.Context(), m, 8); err != nil || len(got) != 0 {
		t.Errorf("orders of another address are %v, %v", got, err)
	}
}

func testOtherMerchants(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	addMerchant(t, l, "other")
	commit(t, l, upload(t, l, "run-1", order("A")))
	theirs := upload(t, l, "run-1")
	theirs.Merchant, theirs.Revision = "other", 0
	theirs.Run.SHA256 = "sha of run-1"
	theirs.Run.Read, theirs.Run.Accepted = 2, 2
	theirs.Movements = []ledger.Movement{{PoolKey: "P", Order: "A", Sellable: 1}}
	o := order("A")
	o.Merchant, o.Notes = "", "theirs"
	theirs.Packed = Pack(t, "run-1", o)
	commit(t, l, theirs)
	orders, err := l.Orders(ctx, "other", []string{"A"})
	if err != nil || len(orders) != 1 || orders[0].Notes != "theirs" || orders[0].Merchant != "other" {
		t.Errorf("their orders are %+v, %v", orders, err)
	}
	check(t, "orders", []string{"A"}, list(t, l, ledger.OrderFilter{}))
	err = l.Taken(ctx, m, func(ledger.Movement) error { return fmt.Errorf("their movement") })
	if err != nil {
		t.Error(err)
	}
}

// testCancelled: a commit that is called off leaves nothing.
func testCancelled(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	ctx, cancel := context.WithCancel(t.Context())
	c := upload(t, l, "run-1", order("A"))
	rows := []removal.Outcome{{Row: 2, Status: removal.Accepted}, {Row: 3, Status: removal.Accepted}}
	c.Outcomes = func(yield func([]byte) error) error {
		cancel()
		return yield(ledger.EncodeOutcomes(nil, rows))
	}
	checkErr(t, context.Canceled, l.Commit(ctx, c))
	check(t, "orders", []string(nil), list(t, l, ledger.OrderFilter{}))
}
