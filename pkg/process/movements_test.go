package process_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/process"
)

// What the movements of a file say is what its orders say: of more rows than a block
// has, of orders whose rows lie all over the file, of one that was split, and of pools
// with and without an FNSKU.
func TestMovementsAreTheOrders(t *testing.T) {
	t.Parallel()
	const skus, orders, lines = 500, 7000, 10
	p := profile()
	p.Policy = map[string]string{"max_skus_per_file": "200"}
	p.Reports = []string{"summary"}
	w := newWorkspace(t, p)
	var stock, rows strings.Builder
	stock.WriteString("sku\tfnsku\tasin\tafn-fulfillable-quantity\tafn-unsellable-quantity\n")
	for i := range skus {
		fnsku := ""
		if i%5 > 0 {
			fnsku = fmt.Sprintf("X%03d", i-i%5%2) // some are shared
		}
		fmt.Fprintf(&stock, "SKU-%03d\t%s\t\t100000\t100000\n", i, fnsku)
	}
	w.drop("inventory.tsv", []byte(stock.String()), process.ExitAccepted)
	rows.WriteString("MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\tUnsellableQuantity\n")
	for i := range skus {
		fmt.Fprintf(&rows, "LARGE\tDisposal\tSKU-%03d\t%d\t1\n", i, i%3)
	}
	for k := range lines {
		for o := range orders {
			fmt.Fprintf(&rows, "O-%04d\tDisposal\tSKU-%03d\t%d\t%d\n", o, (3*o+41*k)%skus, o%2, 1+k%2)
		}
	}
	w.drop("upload.tsv", []byte(rows.String()), process.ExitAccepted)

	type key struct{ order, pool string }
	want, got := map[key][2]int64{}, map[key][2]int64{}
	for _, o := range w.orders() {
		for _, l := range o.Lines {
			pool := cmp.Or(l.FNSKU, inventory.OwnPool+l.SKU)
			u := want[key{o.ID, pool}]
			want[key{o.ID, pool}] = [2]int64{u[0] + l.Sellable.Requested, u[1] + l.Unsellable.Requested}
		}
	}
	taken, run := 0, ""
	rowsSeen := map[int]bool{}
	if err := w.ledger.Taken(t.Context(), merchantID, func(m ledger.Movement) error {
		u := got[key{m.Order, m.PoolKey}]
		got[key{m.Order, m.PoolKey}] = [2]int64{u[0] + m.Sellable, u[1] + m.Unsellable}
		taken++
		rowsSeen[m.Row] = true
		run = m.Run
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("of orders and pools (-orders +movements):\n%s", diff)
	}
	if all := skus + orders*lines; taken != all || len(rowsSeen) != all || all <= 1<<16 {
		t.Errorf("%d movements of %d rows, want %d", taken, len(rowsSeen), all)
	}
	if list := w.orders(); len(list) != orders+3 {
		t.Errorf("%d orders", len(list))
	}
	if _, err := w.ledger.Run(t.Context(), merchantID, run); err != nil {
		t.Errorf("they are of run %s: %v", run, err)
	}
}

// Takings of one pool stay in the order of the file.
func TestSortByPool(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pool := rapid.OneOf(rapid.Uint32Range(0, 3), rapid.Uint32Range(0, 5000), rapid.Uint32())
		keys := make([]uint64, rapid.IntRange(0, 300).Draw(t, "keys"))
		for i := range keys {
			keys[i] = uint64(pool.Draw(t, "pool"))<<32 | uint64(i)
		}
		want := slices.Sorted(slices.Values(keys))
		got, other := process.SortByPool(keys, make([]uint64, len(keys)))
		if !slices.Equal(want, got) || len(other) != len(got) {
			t.Fatalf("sorted as %x, want %x", got, want)
		}
	})
}
