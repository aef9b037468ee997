package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// manyOrders are n orders of a file, some of them with all that a packed order can
// have.
func manyOrders(n int) []removal.Order {
	orders := make([]removal.Order, n)
	for i := range orders {
		o := removal.Order{
			Merchant: m, ID: fmt.Sprintf("O-%04d", i), State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload,
			Run: "run-1", Row: 2 + 3*i, Created: day, Currency: "SEK", HeaderHash: uint64(i) << 60, Fee: removal.Amount(i),
		}
		o.Family = o.ID
		for k := range 1 + i%3 {
			l := removal.Line{SKU: fmt.Sprintf("SKU %d-å", i*10+k), AskedSellable: int64(k), AskedUnsellable: int64(i)}
			l.Sellable.Requested, l.Unsellable.Requested = l.AskedSellable, l.AskedUnsellable
			o.Lines = append(o.Lines, l)
		}
		switch i % 4 {
		case 1:
			o.Method, o.Address, o.Notes = removal.Return, sweden, "Lastkaj 4"
		case 2:
			o.Family, o.Generated, o.NoFee, o.NoFeeReason = "BASE-"+o.ID, true, len(o.Lines), "weight"
		case 3:
			l := &o.Lines[0]
			l.FNSKU, l.Fee, l.HasFee, l.Unsellable.Requested = "X001", 12345, true, 1
		}
		orders[i] = o
	}
	return orders
}

// packed is a commit of a merchant's orders in packed form, that came in another
// order than that of the file.
func packed(t *testing.T, l *ledger.Ledger, merchant string, orders []removal.Order) *ledger.Commit {
	t.Helper()
	c := &ledger.Commit{Merchant: merchant, Revision: revision(t, l, merchant), Run: ledger.Run{
		ID: "run-1", Kind: removal.KindUpload, FileName: "run-1.tsv", SHA256: "sha", Acceptance: removal.AcceptRow,
		Read: 1, Accepted: 1,
	}}
	places := make([]int, len(orders))
	for i := range places {
		places[i] = len(orders) - 1 - i
	}
	c.Packed = packAs(t, orders[0], orders, places)
	return c
}

// testOrderBlocks: orders of small and of large files, asked for in every way right
// after the commit.
func testOrderBlocks(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	orders := manyOrders(2300)
	var ids []string
	for _, o := range orders {
		ids = append(ids, o.ID)
	}
	commit(t, l, packed(t, l, m, orders))

	maybe, err := l.IDs(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !maybe.Maybe([]byte(id)) {
			t.Fatalf("the filter takes %s for new", id)
		}
	}
	got, err := l.Orders(t.Context(), m, ids)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(orders, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	list, _, err := l.ListOrders(t.Context(), ledger.OrderFilter{Merchant: m, Limit: len(ids)})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ids)
	for i, o := range list {
		if o.ID != ids[i] {
			t.Fatalf("place %d of the list is %s, not %s", i, o.ID, ids[i])
		}
	}
}

// testOrderBlocksAsked: each way to look at orders sees those that wait in blocks.
func testOrderBlocksAsked(t *testing.T, l *ledger.Ledger) {
	orders := manyOrders(300)
	family := orders[2]
	for name, ask := range map[string]func(merchant string) (int, error){
		"used": func(merchant string) (int, error) {
			used, err := l.UsedIDs(t.Context(), merchant, []string{family.ID, family.Family, "new"})
			return len(used), err
		},
		"list": func(merchant string) (int, error) {
			list, _, err := l.ListOrders(t.Context(), ledger.OrderFilter{Merchant: merchant, SKU: "SKU 20-å"})
			return len(list) * 2, err
		},
		"match": func(merchant string) (int, error) {
			found, err := l.MatchOrders(t.Context(), merchant, family.HeaderHash)
			return min(2, len(found)), err
		},
		"records": func(merchant string) (int, error) {
			found, err := l.Records(t.Context(), merchant, []string{family.ID, orders[3].ID})
			return len(found), err
		},
		"state": func(merchant string) (int, error) {
			found, err := l.RecordsIn(t.Context(), merchant, removal.StatePending)
			return len(found) - 298, err
		},
		"has": func(merchant string) (int, error) {
			other, err := l.HasState(t.Context(), merchant, removal.StatePlanning)
			if err != nil || other {
				return 0, err
			}
			ok, err := l.HasState(t.Context(), merchant, removal.StatePending)
			if ok {
				return 2, err
			}
			return 0, err
		},
		"history": func(merchant string) (int, error) {
			events, err := l.History(t.Context(), merchant, family.ID)
			return 2 * len(events), err
		},
		"change": func(merchant string) (int, error) {
			r := removal.Order{Merchant: merchant, ID: "after", Family: "after", State: removal.StatePlanning, Method: removal.Disposal, Source: removal.SourceDraft}
			err := l.Change(t.Context(), &ledger.Change{Merchant: merchant, Revision: revision(t, l, merchant), New: []ledger.Record{{Order: r}}})
			if err != nil {
				return 0, err
			}
			list, _, err := l.ListOrders(t.Context(), ledger.OrderFilter{Merchant: merchant, Limit: 2})
			if len(list) == 2 && list[0].ID == "after" && list[1].ID == orders[299].ID {
				return 2, err
			}
			return 0, err
		},
		"balance": func(merchant string) (int, error) {
			wrong, err := l.Imbalances(t.Context(), merchant) // the commit brought no movements
			return len(wrong) - 297, err                      // one order is of no units
		},
	} {
		addMerchant(t, l, name)
		theirs := slices.Clone(orders)
		for i := range theirs {
			theirs[i].Merchant = name
		}
		c := packed(t, l, name, theirs)
		c.Events = []ledger.Event{{Subject: ledger.SubjectRun, ID: "run-1", What: "accepted", EachOrder: true}}
		commit(t, l, c)
		if n, err := ask(name); err != nil || n != 2 {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// testMovementPacker: what is packed pool by pool reads as what Movements wrote.
func testMovementPacker(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	c := upload(t, l, "run-1", removal.Order{ID: "A", Method: removal.Disposal, State: removal.StatePending, Source: removal.SourceUpload},
		removal.Order{ID: "B", Method: removal.Disposal, State: removal.StatePending, Source: removal.SourceUpload})
	want := []ledger.Movement{
		{At: day, PoolKey: "X001", Order: "A", Run: "run-1", Row: 2, Sellable: 3},
		{At: day, PoolKey: "X001", Order: "B", Run: "run-1", Row: 7, Unsellable: 2},
		{At: day, PoolKey: "\x00SKU", Order: "A", Run: "run-1", Row: 3, Sellable: 1, Unsellable: 4},
	}
	// Two of them in a block of their own.
	p := ledger.NewMovementPacker("run-1", day)
	var blocks []ledger.MovementBlock
	for _, some := range [][]ledger.Movement{want[:1], want[1:]} {
		if err := p.Begin([]string{"A", "B"}, len(some)); err != nil {
			t.Fatal(err)
		}
		for _, mv := range some {
			if err := p.Pool([]byte(mv.PoolKey)); err != nil {
				t.Fatal(err)
			}
			p.Add(int(mv.Order[0]-'A'), mv.Row, mv.Sellable, mv.Unsellable)
		}
		b, err := p.Block()
		if err != nil {
			t.Fatal(err)
		}
		b.Bytes = slices.Clone(b.Bytes)
		blocks = append(blocks, b)
	}
	c.PackedMovements = each(blocks)
	commit(t, l, c)
	var got []ledger.Movement
	if err := l.Taken(t.Context(), m, func(mv ledger.Movement) error {
		got = append(got, mv)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
	if err := p.Begin([]string{string(make([]byte, 300))}, 1); !errors.Is(err, ledger.ErrRefused) {
		t.Errorf("a key of 300 bytes was taken: %v", err)
	}
	if err := p.Begin(nil, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Block(); !errors.Is(err, ledger.ErrUnbalanced) {
		t.Errorf("a missing movement was not missed: %v", err)
	}
}
