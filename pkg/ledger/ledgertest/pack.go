package ledgertest

import (
	"slices"
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
	places := make([]int, len(orders))
	for i := range places {
		places[i] = i
	}
	return packAs(tb, common, orders, places)
}

// packAs packs the orders at some places of a list, in that order.
func packAs(tb testing.TB, common removal.Order, orders []removal.Order, places []int) *ledger.PackedOrders {
	tb.Helper()
	var blocks []ledger.OrderBlock
	p := ledger.NewOrderPacker(common, func(b ledger.OrderBlock) error {
		blocks = append(blocks, ledger.OrderBlock{Entries: b.Entries, Orders: slices.Clone(b.Orders), IDs: slices.Clone(b.IDs)})
		return nil
	})
	for _, i := range places {
		var lines []byte
		var err error
		for k := range orders[i].Lines {
			if lines, err = ledger.PackLine(lines, &orders[i].Lines[k]); err != nil {
				tb.Fatal(err)
			}
		}
		b := ledger.PackOrder(nil, &orders[i], len(orders[i].Lines), lines)
		if err := p.Add(i, orders[i].ID, orders[i].Family, b); err != nil {
			tb.Fatal(err)
		}
	}
	count, err := p.End()
	if err != nil {
		tb.Fatal(err)
	}
	return &ledger.PackedOrders{Count: count, Blocks: each(blocks)}
}

// each gives blocks as a commit takes them.
func each[T any](blocks []T) func(yield func(T) error) error {
	return func(yield func(T) error) error {
		for _, b := range blocks {
			if err := yield(b); err != nil {
				return err
			}
		}
		return nil
	}
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
