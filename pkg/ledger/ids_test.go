package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

// TestIDsOfOrdersThatWait: IDs answers what UsedIDs answers, whichever of a family
// waits, and enters waiting orders only where an id or its family is among them.
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
		{[]string{"B"}, map[string][]string{"B": {"B"}}, false},
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

// TestIDsInBlocks: of many blocks those stay packed in which neither a used id nor its
// family stands.
func TestIDsInBlocks(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	const blocks = 2*blocksPerStep + 3
	var orders []removal.Order
	for i := range blocks * ordersPerBlock {
		orders = append(orders, removal.Order{ID: fmt.Sprint("W-", i), State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload})
	}
	part := func(block int, id, family string) {
		o := &orders[block*ordersPerBlock+7]
		o.ID, o.Family = id, family
	}
	part(2, "A", "")
	part(5, "A-2", "A")
	part(7, "B-2", "B")
	if err := l.Commit(t.Context(), &Commit{Merchant: "acme", Run: Run{ID: "run"}, Packed: packAll(t, "run", slices.Values(orders))}); err != nil {
		t.Fatal(err)
	}
	waiting := func() (parts []int) {
		t.Helper()
		rows, err := l.writer.QueryContext(t.Context(), `SELECT part FROM order_block WHERE merchant = 'acme' ORDER BY part`)
		if err != nil {
			t.Fatal(err)
		}
		if err := eachRow(rows, func(rows *sql.Rows) error {
			parts = append(parts, 0)
			return rows.Scan(&parts[len(parts)-1])
		}); err != nil {
			t.Fatal(err)
		}
		return parts
	}
	known, err := l.IDs(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	others := waiting()
	if len(others) != blocks {
		t.Fatalf("blocks %v wait", others)
	}
	for _, c := range []struct {
		ids    []string
		want   map[string][]string
		enters []int
	}{
		{[]string{"new"}, map[string][]string{}, nil},
		{[]string{"new", "W-1"}, map[string][]string{"W-1": {"W-1"}}, []int{0}},
		{[]string{"A-2"}, map[string][]string{"A-2": {"A", "A-2"}}, []int{2, 5}}, // the family is told by the part
		{[]string{"B"}, map[string][]string{"B": {"B-2"}}, []int{7}},
		{[]string{"A", "W-1", "B-2"}, map[string][]string{"A": {"A", "A-2"}, "W-1": {"W-1"}, "B-2": {"B-2"}}, nil},
	} {
		got, err := known.Used(t.Context(), c.ids)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.ids, diff)
		}
		others = slices.DeleteFunc(others, func(part int) bool { return slices.Contains(c.enters, part) })
		if diff := cmp.Diff(others, waiting()); diff != "" {
			t.Errorf("%v: blocks that wait (-want +got):\n%s", c.ids, diff)
		}
	}
	members, err := known.Orders(t.Context(), []string{"A-2", "A"})
	if err != nil || len(members) != 2 || members[0].ID != "A-2" || members[0].Family != "A" {
		t.Errorf("orders %v, %v", members, err)
	}
	if diff := cmp.Diff(others, waiting()); diff != "" {
		t.Errorf("blocks that wait after orders were read (-want +got):\n%s", diff)
	}
	// Those without hashes are entered as soon as anything may be used.
	for _, spoilt := range []string{"NULL", "x'0102'"} {
		last := others[len(others)-1]
		if _, err := l.writer.Exec(`UPDATE order_block SET ids = `+spoilt+` WHERE part = $1`, last); err != nil {
			t.Fatal(err)
		}
		if known, err = l.IDs(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint("W-", last*ordersPerBlock+1)
		if got, err := known.Used(t.Context(), []string{id}); err != nil || len(got) != 1 {
			t.Errorf("hashes are %s: %v, %v", spoilt, got, err)
		}
		others = others[:len(others)-1]
		if diff := cmp.Diff(others, waiting()); diff != "" {
			t.Errorf("hashes are %s: blocks that wait (-want +got):\n%s", spoilt, diff)
		}
	}
	// All others are entered as before, in any order.
	if err := l.EnterOrders(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	all, err := l.Orders(t.Context(), "acme", []string{"W-1", "W-1001", "A", "B-2", fmt.Sprint("W-", len(orders)-1)})
	if err != nil || len(all) != 5 {
		t.Errorf("%d orders, %v", len(all), err)
	}
}

// TestFewBesideMany: the few orders of a small file become rows, while those of a large
// one before it stay packed; an id that comes twice is refused all the same.
func TestFewBesideMany(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	orders := func(n int, id string) (all []removal.Order) {
		for i := range n {
			all = append(all, removal.Order{ID: fmt.Sprint(id, i), State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload})
		}
		return all
	}
	counts := func() (rows, blocks int) {
		t.Helper()
		err := l.writer.QueryRow(`SELECT (SELECT count(*) FROM removal_order), (SELECT count(*) FROM order_block)`).Scan(&rows, &blocks)
		if err != nil {
			t.Fatal(err)
		}
		return rows, blocks
	}
	commit := func(revision int64, some []removal.Order) error {
		run := fmt.Sprint("run-", revision)
		return l.Commit(t.Context(), &Commit{Merchant: "acme", Revision: revision, Run: Run{ID: run, SHA256: run}, Packed: packAll(t, run, slices.Values(some))})
	}
	if err := commit(0, orders(3*ordersPerBlock, "many-")); err != nil {
		t.Fatal(err)
	}
	if err := commit(1, orders(rowsAtOnce, "few-")); err != nil {
		t.Fatal(err)
	}
	if rows, blocks := counts(); rows != rowsAtOnce || blocks != 3 {
		t.Errorf("%d rows, %d blocks", rows, blocks)
	}
	again := append(orders(3, "fewer-"), orders(3*ordersPerBlock, "many-")[ordersPerBlock+1])
	if err := commit(2, again); err == nil {
		t.Error("an id that waits was used again")
	}
	if rows, blocks := counts(); rows != rowsAtOnce || blocks != 3 {
		t.Errorf("after it was refused: %d rows, %d blocks", rows, blocks)
	}
	if err := commit(2, again[:3]); err != nil {
		t.Fatal(err)
	}
	if err := l.EnterOrders(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	list, err := l.Orders(t.Context(), "acme", []string{"many-0", "few-0", "fewer-2", fmt.Sprint("many-", 3*ordersPerBlock-1)})
	if err != nil || len(list) != 4 {
		t.Errorf("%d orders, %v", len(list), err)
	}
}

// TestIndexWaits: orders that wait in blocks, however late they came, are not passed by
// the mark up to which orders are found by SKU.
func TestIndexWaits(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	var orders []removal.Order
	for i := range 2 * indexTail {
		orders = append(orders, removal.Order{ID: fmt.Sprint("O-", i), State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload})
	}
	if err := l.Commit(t.Context(), &Commit{Merchant: "acme", Run: Run{ID: "run"}, Packed: packAll(t, "run", slices.Values(orders))}); err != nil {
		t.Fatal(err)
	}
	mark := func() (mark int64) {
		t.Helper()
		if err := l.read(t.Context(), func(tx *tx) (err error) {
			mark, err = tx.indexMark(t.Context(), "acme")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return mark
	}
	err := l.write(t.Context(), func(tx *tx) error {
		_, err := tx.indexOrders(t.Context(), "acme")
		return err
	})
	if !errors.Is(err, errWaiting) || mark() != 0 {
		t.Errorf("the mark is %d, %v", mark(), err)
	}
	if err := l.IndexOrders(t.Context(), "acme"); err != nil || mark() != int64(len(orders)) {
		t.Errorf("the mark is %d, %v", mark(), err)
	}
}
