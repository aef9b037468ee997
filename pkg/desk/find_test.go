package desk_test

import (
	"errors"
	"fmt"
	"testing"

	"rensa/pkg/desk"
)

// TestFind: what is found shows the pool, what is open and what is left, as of now.
func TestFind(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	ctx := t.Context()
	if _, err := o.Find(ctx, merchantID, "a", 0, 5); !errors.Is(err, desk.ErrNoSnapshot) {
		t.Errorf("without stock: %v", err)
	}
	o.inventory(false, "A|X1|5|2", "B|X2|7|0", "C|X2|7|0")
	for range 2 { // the second time from what is kept
		f, err := o.Find(ctx, merchantID, "thing", 0, 2)
		must(t, err)
		want(t, "found", fmt.Sprintf("%d %d %s", len(f.Items), f.Total, f.Items[0].SKU), "2 3 A")
	}
	o.placed("ONE", desk.Item{SKU: "B", Sellable: 4})
	f, err := o.Find(ctx, merchantID, "", 1, 9)
	must(t, err)
	want(t, "from the second on", len(f.Items), 2)
	c := f.Items[1]
	want(t, "the SKU that shares the pool", fmt.Sprintf("%s %d %d %d", c.SKU, c.PoolSellable, c.OpenSellable, c.Sellable), "C 14 4 10")
	want(t, "all of them", f.Total, 3)
	sums, err := o.Totals(ctx, merchantID)
	must(t, err)
	want(t, "sums", fmt.Sprint(sums.SKUs, sums.Pools, sums.Sellable, sums.Unsellable, sums.OpenSellable), "3 2 19 2 4")
	one, err := o.Item(ctx, merchantID, "A")
	must(t, err)
	want(t, "one SKU", one.Items[0].Title, "Thing A")
	if _, err := o.Item(ctx, merchantID, "Z"); !errors.Is(err, desk.ErrNoItem) {
		t.Errorf("a SKU that is not there: %v", err)
	}
	o.inventory(false, "A|X1|50|2", "B|X2|70|0", "C|X3|9|0")
	f, err = o.Find(ctx, merchantID, "thing a", 0, 9)
	must(t, err)
	want(t, "of the next snapshot", f.Items[0].PoolSellable, int64(50))
}
