package validate_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rensa/pkg/removal"
	"rensa/pkg/upload"
	"rensa/pkg/validate"
)

// forgetful is a shelf that gives back no more than it promises.
type forgetful struct {
	orders map[int32]removal.OrderOutcome
	states map[int32][]byte
	puts   int
}

func (s *forgetful) Put(n int32, o *removal.OrderOutcome, state []byte) error {
	kept := *o
	kept.Problems, kept.Parts = slices.Clone(o.Problems), slices.Clone(o.Parts)
	for i := range kept.Problems {
		kept.Problems[i].OrderID, kept.Problems[i].Line = "", 0
	}
	s.orders[n], s.states[n] = kept, bytes.Clone(state)
	s.puts++
	return nil
}

func (s *forgetful) Get(n int32, o *removal.OrderOutcome) ([]byte, error) {
	kept, ok := s.orders[n]
	if !ok {
		return nil, fmt.Errorf("order %d was not put", n)
	}
	*o = kept
	return s.states[n], nil
}

// decided is all that a decider gives.
type decided struct {
	Rows   []removal.Outcome
	Orders []removal.OrderOutcome
	File   []removal.Problem
	Counts validate.Counts
}

// decideAll decides rows in blocks of a few, with the decider that begin gives.
func decideAll(t rapid.TB, rules *validate.Rules, rows []removal.Row, block int,
	begin func(emit func(*removal.Outcome) error) *validate.Decider) (all decided) {
	t.Helper()
	d := begin(func(o *removal.Outcome) error {
		all.Rows = append(all.Rows, *o)
		return nil
	})
	grouper := upload.NewGrouper()
	for b := range slices.Chunk(rows, block) {
		checked := make([]validate.Checked, len(b))
		rules.Check(b, checked, len(b))
		var groups []removal.Group
		for i := range b {
			groups = append(groups, grouper.Add(b[i].Value(removal.FieldOrderID), b[i].Value(removal.FieldMethod)))
		}
		if err := d.Decide(b, checked, groups); err != nil {
			t.Fatal(err)
		}
	}
	err := d.Finish(grouper.Has, func(o *removal.OrderOutcome) error {
		all.Orders = append(all.Orders, *o)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all.File, all.Counts = d.Problems, d.Counts
	return all
}

// TestShelf holds files whose orders come back from a shelf against the same files
// with all orders in memory.
func TestShelf(t *testing.T) {
	t.Parallel()
	acceptances := []removal.Acceptance{removal.AcceptRow, removal.AcceptRow, removal.AcceptOrder, removal.AcceptFile}
	puts := 0
	rapid.Check(t, func(rt *rapid.T) {
		c := decideCase{name: "shelf", profile: func(p *removal.Profile) {
			p.Acceptance = rapid.SampledFrom(acceptances).Draw(rt, "acceptance")
			p.Split = rapid.Bool().Draw(rt, "split")
			p.Partial = rapid.Bool().Draw(rt, "partial")
		}}
		rules := c.rules(t)
		rules.Store.MaxSKUsPerFile = rapid.IntRange(1, 4).Draw(rt, "most")
		rules.Store.CustomerRecipients = rapid.IntRange(1, 4).Draw(rt, "recipients")
		ids := rapid.SampledFrom([]string{"A", "B", "C", "D", "E-1", "E", "OLD", "OLD-r1", ""})
		headers := rapid.SampledFrom([]string{",", ",", "Return,SE", "Return,SE", "Disposal,", "Return,DE", "Destroy,SE"})
		skus := rapid.SampledFrom([]string{"LAMP", "CUP-A", "CUP-B", "ACID", "TOY", "NONE", "lamp", ""})
		var rows []string
		for range rapid.IntRange(1, 40).Draw(rt, "rows") {
			rows = append(rows, fmt.Sprintf("%s,%s,%s,%d,%d", ids.Draw(rt, "id"), headers.Draw(rt, "header"), skus.Draw(rt, "sku"),
				rapid.IntRange(0, 3).Draw(rt, "sellable"), rapid.IntRange(0, 1).Draw(rt, "unsellable")))
		}
		c.rows = strings.Join(rows, "|")
		earlier := past("OLD", "Return,SE", "LAMP 1 0", "TOY 2 0").and("R261101-X", "Disposal,", "LAMP 1 1")
		earlier.resolve(rules)
		decide := func(shelf validate.Shelf, atHand int) decided {
			return decideAll(rt, rules, c.read(), 3, func(emit func(*removal.Outcome) error) *validate.Decider {
				d := validate.NewDecider(rules, validate.NewStock(rules.Snapshot), earlier, shelf, emit)
				if shelf != nil {
					validate.KeepAtHand(d, atHand)
				}
				return d
			})
		}
		want := decide(nil, 0)
		shelf := &forgetful{orders: map[int32]removal.OrderOutcome{}, states: map[int32][]byte{}}
		got := decide(shelf, rapid.IntRange(1, 3).Draw(rt, "at hand"))
		puts += shelf.puts
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("(-in memory +from a shelf):\n%s", diff)
		}
	})
	if puts == 0 {
		t.Error("no order was put on the shelf")
	}
}
