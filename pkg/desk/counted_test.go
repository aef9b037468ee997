package desk_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
)

// plainTaking is what an order took of a pool, by the pool's key.
type plainTaking struct {
	Pool, Order          string
	Sellable, Unsellable int64
}

// countedPlainly is what each order took that a snapshot does not show, also of pools
// that are not in it, without any thought for time and memory: what an order did to a
// pool counts where it began.
func countedPlainly(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store) ([]plainTaking, error) {
	hidden := map[string]bool{}
	if desk.OpenExcluded(s, store) {
		confirmed, err := l.Confirmed(ctx, merchant)
		if err != nil {
			return nil, err
		}
		for _, o := range confirmed {
			hidden[o.Order] = o.Requested.Before(s.Date())
		}
	}
	var all []ledger.Movement
	moved := map[string]bool{}
	err := l.Taken(ctx, merchant, func(m ledger.Movement) error {
		all = append(all, m)
		moved[m.Order] = moved[m.Order] || m.Kind != ledger.MovementOpened || m.Sellable < 0 || m.Unsellable < 0
		return nil
	})
	var counted []plainTaking
	at := map[[2]string]int{}
	for _, m := range all {
		t := plainTaking{Pool: m.PoolKey, Order: m.Order}
		i, known := at[[2]string{m.PoolKey, m.Order}]
		if !known || !moved[m.Order] { // of an order that was only placed each line stands by itself
			i = len(counted)
			at[[2]string{m.PoolKey, m.Order}] = i
			counted = append(counted, t)
		}
		sign := map[bool]int64{true: 0, false: 1}[hidden[m.Order]]
		if m.Kind == ledger.MovementLeft {
			if sign = -sign; m.At.After(s.Date()) {
				sign++
			}
		}
		counted[i].Sellable += sign * m.Sellable
		counted[i].Unsellable += sign * m.Unsellable
	}
	var some []plainTaking
	for _, t := range counted {
		if t.Sellable != 0 || t.Unsellable != 0 {
			some = append(some, t)
		}
	}
	return some, err
}

// TestCounted holds what is counted against the plain reference, in a ledger whose
// blocks are longer than what is unpacked at a time, before and after orders have moved
// and were folded.
func TestCounted(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	const pools = 700
	var lines []string
	for i := range pools - 20 { // the others are not in the snapshot
		lines = append(lines, fmt.Sprintf("S%d|X%d|1000000|1000000", i, i))
	}
	o.inventory(false, lines...)
	row, err := o.ledger.Snapshot(t.Context(), merchantID)
	must(t, err)
	s, err := inventory.Open(o.root + "/" + row.Path)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	store, err := o.policy.Store("SE", o.now(), nil)
	must(t, err)
	r := rand.New(rand.NewPCG(7, 7))
	move := func(kind ledger.MovementKind, order string, least int64) ledger.Movement {
		return ledger.Movement{
			Kind: kind, At: noon.Add(time.Duration(r.IntN(3)-1) * time.Hour), PoolKey: fmt.Sprintf("X%d", r.IntN(pools)), Order: order, Run: "r",
			Sellable: least + r.Int64N(4), Unsellable: least + r.Int64N(3),
		}
	}
	commit := func(ms []ledger.Movement) {
		t.Helper()
		m, err := o.ledger.Merchant(t.Context(), merchantID)
		must(t, err)
		must(t, o.ledger.Change(t.Context(), &ledger.Change{Merchant: merchantID, Revision: m.Revision, Movements: ms}))
	}
	compare := func(when string) {
		t.Helper()
		plain, err := countedPlainly(t.Context(), o.ledger, merchantID, s, store)
		must(t, err)
		var want, got []plainTaking
		sums := map[int32][2]int64{}
		for _, p := range plain {
			if at := s.FindPool(p.Pool); at >= 0 {
				want = append(want, p)
				sums[at] = [2]int64{sums[at][0] + p.Sellable, sums[at][1] + p.Unsellable}
			}
		}
		must(t, desk.CountedPools(t.Context(), o.ledger, merchantID, s, store, func(pool int32, order string, sellable, unsellable int64) {
			if sellable != 0 || unsellable != 0 {
				got = append(got, plainTaking{s.PoolKey(pool), order, sellable, unsellable})
			}
		}))
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Fatalf("%s: %d takings (-want +got):\n%s", when, len(want), diff)
		}
		stock, err := desk.Stock(t.Context(), o.ledger, merchantID, s, store)
		must(t, err)
		for p := range int32(s.Pools()) {
			if sellable, unsellable := stock.Taken(p); sums[p] != [2]int64{sellable, unsellable} {
				t.Errorf("%s: pool %d: %d and %d taken of the stock, want %v", when, p, sellable, unsellable, sums[p])
			}
		}
	}
	for block := range 3 {
		var ms []ledger.Movement
		for i := range 9000 {
			ms = append(ms, move(ledger.MovementOpened, fmt.Sprintf("O-%d-%d", block, i/10), 0))
		}
		commit(ms)
	}
	compare("placed")
	var ms []ledger.Movement
	for i := range 400 {
		ms = append(ms, move(ledger.MovementLeft, fmt.Sprintf("O-1-%d", i), 0), move(ledger.MovementOpened, fmt.Sprintf("O-2-%d", i), -3))
	}
	commit(ms)
	compare("moved")
	_, err = o.ledger.Fold(t.Context(), merchantID, s.Date(), true)
	must(t, err)
	compare("folded")
}
