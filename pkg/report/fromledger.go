package report

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// recordsAtOnce is how many orders are in memory at a time.
const recordsAtOnce = 500

// OrderRecords gives a merchant's orders since a moment, zero for all, with what
// was told of them, the newest first. Drafts and refused orders are left out.
func OrderRecords(ctx context.Context, l *ledger.Ledger, merchant string, since time.Time) iter.Seq2[OrderRecord, error] {
	return func(yield func(OrderRecord, error) bool) {
		filter := ledger.OrderFilter{Merchant: merchant, Since: since, Limit: recordsAtOnce}
		for {
			records, next, err := orderRecords(ctx, l, filter)
			if err != nil {
				yield(OrderRecord{}, fmt.Errorf("orders for a report: %w", err))
				return
			}
			for i := range records {
				if !yield(records[i], nil) {
					return
				}
			}
			if next == "" {
				return
			}
			filter.Cursor = next
		}
	}
}

func orderRecords(ctx context.Context, l *ledger.Ledger, filter ledger.OrderFilter) ([]OrderRecord, string, error) {
	rows, next, err := l.ListOrders(ctx, filter)
	if err != nil {
		return nil, "", err
	}
	var ids []string
	for i := range rows {
		// The id of a refused order may belong to another one by now.
		if s := rows[i].State; s != removal.StateRefused && s != removal.StateDraft {
			ids = append(ids, rows[i].ID)
		}
	}
	found, err := l.Records(ctx, filter.Merchant, ids)
	if err != nil {
		return nil, "", err
	}
	parcels, err := l.ShipmentsOf(ctx, filter.Merchant, ids)
	if err != nil {
		return nil, "", err
	}
	records := make([]OrderRecord, len(found))
	for i := range found {
		records[i] = OrderRecord{Order: &found[i].Order, Progress: &found[i].Progress}
		for _, s := range parcels[found[i].ID] {
			records[i].Parcels = append(records[i].Parcels, shipmentLine(&s))
		}
	}
	return records, next, nil
}

func shipmentLine(s *ledger.Shipment) removal.ShipmentLine {
	return removal.ShipmentLine{
		RequestDate: s.Requested, OrderID: s.Order, ShipmentDate: s.At, SKU: s.SKU, FNSKU: s.FNSKU, Condition: s.Condition,
		Shipped: s.Units, Carrier: s.Carrier, Tracking: s.Tracking, Type: s.Type,
	}
}

// errEnough ends a visit of which no more is wanted.
var errEnough = errors.New("enough")

// Shipments gives what lay in a merchant's parcels since a moment, zero for all,
// by date.
func Shipments(ctx context.Context, l *ledger.Ledger, merchant string, since time.Time) iter.Seq2[removal.ShipmentLine, error] {
	return func(yield func(removal.ShipmentLine, error) bool) {
		err := l.Shipments(ctx, merchant, since, func(s ledger.Shipment) error {
			if !yield(shipmentLine(&s), nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(removal.ShipmentLine{}, err)
		}
	}
}
