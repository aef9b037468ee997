package ledgertest

import (
	"testing"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Pack gives new orders of a run as a commit takes them. Source, currency, state
// and time are those of the first.
func Pack(tb testing.TB, run string, orders ...removal.Order) *ledger.PackedOrders {
	tb.Helper()
	if len(orders) == 0 {
		return nil
	}
	common := orders[0]
	common.Run = run
	p := ledger.NewOrderPacker(common)
	for i := range orders {
		b, err := ledger.PackOrder(nil, &orders[i])
		if err != nil {
			tb.Fatal(err)
		}
		p.Add(i, orders[i].ID, orders[i].Family, b)
	}
	return p.Orders()
}

// canBePacked tells whether nothing is done yet of any of the orders, and they have
// all in common that Pack says once.
func canBePacked(orders []removal.Order) bool {
	for i := range orders {
		o, first := &orders[i], &orders[0]
		sellable, unsellable := o.Totals()
		if sellable != units(sellable.Requested) || unsellable != units(unsellable.Requested) || o.CancelRequested ||
			o.Source != first.Source || o.Currency != first.Currency || o.State != first.State || !o.Created.Equal(first.Created) {
			return false
		}
	}
	return true
}
