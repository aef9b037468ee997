package process

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// TestShelf holds what comes back from the shelf against what was put there last.
func TestShelf(t *testing.T) {
	t.Parallel()
	text := rapid.StringMatching(`[A-Za-z0-9åÄ"' -]{0,12}`)
	rapid.Check(t, func(rt *rapid.T) {
		spool := storage.NewSpool(t.TempDir())
		s := &shelf{spool: spool}
		orders, states := map[int32]removal.OrderOutcome{}, map[int32]string{}
		for range rapid.IntRange(1, 30).Draw(rt, "puts") {
			n := rapid.Int32Range(0, 2*shelfPage).Draw(rt, "n")
			o := drawOrder(rt, text)
			state := text.Draw(rt, "state")
			if err := s.Put(n, &o, []byte(state)); err != nil {
				rt.Fatal(err)
			}
			orders[n], states[n] = o, state
		}
		for n, want := range orders {
			got := drawOrder(rt, text) // to be filled anew
			state, err := s.Get(n, &got)
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" || string(state) != states[n] {
				rt.Fatalf("order %d: state %q, want %q\n%s", n, state, states[n], diff)
			}
		}
		if err := spool.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

func drawOrder(t *rapid.T, text *rapid.Generator[string]) removal.OrderOutcome {
	o := removal.OrderOutcome{
		ID: text.Draw(t, "id"), Method: removal.Return, Row: rapid.IntRange(1, 1e7).Draw(t, "row"),
		Rows: rapid.IntRange(1, 1e5).Draw(t, "rows"), Accepted: rapid.IntRange(0, 9).Draw(t, "accepted"),
		Fee: removal.Amount(rapid.Int64().Draw(t, "fee")), HeaderHash: rapid.Uint64().Draw(t, "hash"),
		Refused: rapid.Bool().Draw(t, "refused"), Continued: rapid.Bool().Draw(t, "continued"), Matched: rapid.Bool().Draw(t, "matched"),
		NoFee: rapid.IntRange(0, 2).Draw(t, "no fee"), NoFeeReason: text.Draw(t, "reason"),
	}
	o.Given, o.Family = o.ID, o.ID
	if rapid.Bool().Draw(t, "other") {
		o.Given, o.Family = text.Draw(t, "given"), text.Draw(t, "family")
	}
	for range rapid.IntRange(0, 2).Draw(t, "parts") {
		o.Parts = append(o.Parts, text.Draw(t, "part"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "problems") {
		same := text.Draw(t, "value") // a text that comes twice is kept twice
		o.Problems = append(o.Problems, removal.Problem{
			Place: removal.Place{Row: o.Row}, Code: removal.OrderSplit, Field: removal.FieldNone,
			Args: removal.Args{{Name: "a", Value: same}, {Name: "b", Value: same}},
		})
	}
	return o
}

// The places of accepted orders count their parts, and those that nothing was
// accepted of take none.
func TestShelfRanks(t *testing.T) {
	t.Parallel()
	s := &shelf{spool: storage.NewSpool(t.TempDir())}
	orders := []removal.OrderOutcome{{ID: "A", Accepted: 1}, {ID: "B"}, {ID: "C", Accepted: 5, Parts: []string{"C-1", "C-2"}}, {ID: "D", Accepted: 1}}
	for i := range orders {
		if err := s.decide(int32(i), &orders[i]); err != nil {
			t.Fatal(err)
		}
	}
	var got []int32
	var o decided
	var room []byte
	for n := range int32(len(orders)) {
		var err error
		if room, err = s.decided(n, &o, room); err != nil || o.ID != orders[n].ID {
			t.Fatalf("order %d is %s, %v", n, o.ID, err)
		}
		if o.Accepted > 0 {
			got = append(got, o.rank)
		}
	}
	if diff := cmp.Diff([]int32{0, 1, 3}, got); diff != "" || s.ranks != 4 {
		t.Errorf("%d ranks: %s", s.ranks, diff)
	}
	for _, n := range []int32{-1, shelfPage} {
		if _, err := s.decided(n, &o, nil); !errors.Is(err, ledger.ErrUnbalanced) {
			t.Errorf("order %d: %v", n, err)
		}
	}
	if err := s.spool.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.decide(0, &orders[0]); err == nil {
		t.Error("an order was put into a closed spool")
	}
}
