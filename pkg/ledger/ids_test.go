package ledger

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

// TestIDsOfOrdersThatWait: IDs answers what UsedIDs answers, whichever of a family
// waits, and enters waiting orders only where an id is used.
func TestIDsOfOrdersThatWait(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	order := func(id, family string) removal.Order {
		return removal.Order{ID: id, Family: family, State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload}
	}
	var many []removal.Order
	for i := range rowsAtOnce + 1 {
		many = append(many, order(fmt.Sprint("W-", i), ""))
	}
	few := []removal.Order{order("A", ""), order("B", "")}
	followUps := append(slices.Clone(many), order("A-r1", "A"), order("C-r1", "C"))
	for i, c := range []struct {
		ids    []string
		want   map[string][]string
		enters bool
	}{
		{[]string{"new", "newer"}, map[string][]string{}, false},
		{[]string{"new", "W-7"}, map[string][]string{"W-7": {"W-7"}}, true},
		{[]string{"B"}, map[string][]string{"B": {"B"}}, true},
		{[]string{"A"}, map[string][]string{"A": {"A", "A-r1"}}, true},
		{[]string{"A-r1"}, map[string][]string{"A-r1": {"A", "A-r1"}}, true},
		{[]string{"C"}, map[string][]string{"C": {"C-r1"}}, true},
	} {
		merchant := fmt.Sprint("m-", i)
		if err := l.AddMerchant(t.Context(), removal.Merchant{ID: merchant}); err != nil {
			t.Fatal(err)
		}
		for revision, orders := range [][]removal.Order{few, followUps} {
			run := fmt.Sprint("run-", revision)
			cm := &Commit{Merchant: merchant, Revision: int64(revision), Run: Run{ID: run, SHA256: run}, Packed: packAll(t, run, slices.Values(orders))}
			if err := l.Commit(t.Context(), cm); err != nil {
				t.Fatal(err)
			}
		}
		known, err := l.IDs(t.Context(), merchant)
		if err != nil {
			t.Fatal(err)
		}
		got, err := known.Used(t.Context(), c.ids)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.ids, diff)
		}
		var waiting int
		if err := l.writer.QueryRow(`SELECT count(*) FROM order_block WHERE merchant = $1`, merchant).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		if entered := waiting == 0; entered != c.enters {
			t.Errorf("%v: %d blocks wait", c.ids, waiting)
		}
		slow, err := l.UsedIDs(t.Context(), merchant, c.ids)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slow, got); diff != "" {
			t.Errorf("%v (-UsedIDs +IDs):\n%s", c.ids, diff)
		}
	}
	// Blocks from before the hashes, or with damaged ones: nothing is sure.
	for i, spoilt := range []string{"NULL", "x''", "x'0102030405060708'", "substr(ids, 1, length(ids) - 8)"} {
		merchant := fmt.Sprint("old-", i)
		if err := l.AddMerchant(t.Context(), removal.Merchant{ID: merchant}); err != nil {
			t.Fatal(err)
		}
		cm := &Commit{Merchant: merchant, Run: Run{ID: "run"}, Packed: packAll(t, "run", slices.Values(many))}
		if err := l.Commit(t.Context(), cm); err != nil {
			t.Fatal(err)
		}
		if _, err := l.writer.Exec(`UPDATE order_block SET ids = ` + spoilt); err != nil {
			t.Fatal(err)
		}
		known, err := l.IDs(t.Context(), merchant)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := known.Used(t.Context(), []string{"W-3", "new"}); err != nil || len(got) != 1 {
			t.Errorf("hashes are %s: %v, %v", spoilt, got, err)
		}
	}
}
