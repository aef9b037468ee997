package ledgertest

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// counted is what movements say to a snapshot of a date: by order and pool the
// units that are open and those that left after it.
func counted(t *testing.T, l *ledger.Ledger, date time.Time) map[string][4]int64 {
	t.Helper()
	sums := map[string][4]int64{}
	err := l.Taken(t.Context(), m, func(mv ledger.Movement) error {
		key := mv.PoolKey + " of " + mv.Order
		s := sums[key]
		if mv.Kind == ledger.MovementOpened {
			s[0], s[1] = s[0]+mv.Sellable, s[1]+mv.Unsellable
		} else {
			s[0], s[1] = s[0]-mv.Sellable, s[1]-mv.Unsellable
			if mv.At.After(date) {
				s[2], s[3] = s[2]+mv.Sellable, s[3]+mv.Unsellable
			}
		}
		sums[key] = s
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, s := range sums {
		if s == [4]int64{} {
			delete(sums, key)
		}
	}
	return sums
}

// testFold: a base answers as the movements did that it stands for, for the
// snapshot of its date and every later one, also with what comes after it; and the
// orders are still held against all of them.
func testFold(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	if f, err := l.Fold(ctx, m, day, true); err != nil || f != (ledger.Folded{}) {
		t.Errorf("nothing folded: %+v, %v", f, err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	at := func(hours int) time.Time { return day.Add(time.Duration(hours) * time.Hour) }
	made := 0
	more := func(now int) {
		c := &ledger.Change{Merchant: m, Revision: revision(t, l, m)}
		for range 60 {
			made++
			pool, id := fmt.Sprint("X", r.IntN(9)), fmt.Sprint("O", r.IntN(40))
			n := int64(1 + r.IntN(5))
			c.Movements = append(c.Movements, ledger.Movement{At: at(now), PoolKey: pool, Order: id, Row: made, Sellable: n, Unsellable: 1})
			switch r.IntN(4) {
			case 0: // all of it left, before or after the snapshot
				c.Movements = append(c.Movements, ledger.Movement{Kind: ledger.MovementLeft, At: at(now + r.IntN(20) - 10), PoolKey: pool, Order: id, Sellable: n, Unsellable: 1})
			case 1: // cancelled
				c.Movements = append(c.Movements, ledger.Movement{At: at(now), PoolKey: pool, Order: id, Sellable: -n})
			case 2: // left, and dated anew later
				c.Movements = append(c.Movements,
					ledger.Movement{Kind: ledger.MovementLeft, At: at(now - 5), PoolKey: pool, Order: id, Sellable: n},
					ledger.Movement{Kind: ledger.MovementLeft, At: at(now - 5), PoolKey: pool, Order: id, Sellable: -n},
					ledger.Movement{Kind: ledger.MovementLeft, At: at(now + 5), PoolKey: pool, Order: id, Sellable: n})
			}
		}
		if err := l.Change(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 5 {
		shown := round * 10
		for range 3 {
			more(shown)
		}
		dates := []int{shown, shown + 1, shown + 7, shown + 1000}
		var want []map[string][4]int64
		for _, d := range dates {
			want = append(want, counted(t, l, at(d)))
		}
		before, err := l.Imbalances(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.Fold(ctx, m, at(shown), true)
		if err != nil || f.After >= f.Before {
			t.Errorf("folded %+v, %v", f, err)
		}
		for i, d := range dates {
			check(t, fmt.Sprint("round ", round, ", snapshot ", d), want[i], counted(t, l, at(d)))
		}
		after, err := l.Imbalances(ctx, m)
		if err != nil || len(after) != len(before) {
			t.Errorf("%d orders out of balance before, %d after, %v", len(before), len(after), err)
		}
	}
	// Few movements are left as they are.
	n := revision(t, l, m)
	if f, err := l.Fold(ctx, m, at(0), false); err != nil || f.After != f.Before || revision(t, l, m) != n {
		t.Errorf("folded %+v, %v", f, err)
	}
}

// testFoldAll: what is over leaves nothing behind that counts.
func testFoldAll(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	c := &ledger.Change{Merchant: m, Movements: []ledger.Movement{
		{At: day, PoolKey: "X", Order: "A", Sellable: 3},
		{Kind: ledger.MovementLeft, At: day, PoolKey: "X", Order: "A", Sellable: 3},
	}}
	if err := l.Change(ctx, c); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if f, err := l.Fold(ctx, m, day, true); err != nil || f.After != 1 {
			t.Errorf("folded %+v, %v", f, err)
		}
		check(t, "counted", map[string][4]int64{}, counted(t, l, day))
	}
	c = &ledger.Change{Merchant: m, Revision: revision(t, l, m), Movements: []ledger.Movement{{At: day, PoolKey: "X", Order: "B", Sellable: 2}}}
	if err := l.Change(ctx, c); err != nil {
		t.Fatal(err)
	}
	check(t, "counted", map[string][4]int64{"X of B": {2, 0, 0, 0}}, counted(t, l, day))
}
