package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rensa/pkg/removal"
)

// Shipment is units of one line of an order in one parcel.
type Shipment struct {
	Order, SKU, FNSKU string
	Condition         removal.Condition
	At                time.Time
	Units             int64
	Carrier, Tracking string
	Type              string
	Requested         time.Time
	Run               string // the run that told of it last
}

// putShipments adds shipments; one that is known is replaced, so that a file
// applied twice changes nothing.
func (t *tx) putShipments(ctx context.Context, merchant, run string, all []Shipment) error {
	for i := range all {
		s := &all[i]
		by := s.Run
		if by == "" {
			by = run
		}
		_, err := t.ExecContext(ctx, `INSERT INTO shipment (merchant, order_id, sku, condition, shipped_at, tracking, carrier,
			fnsku, type, units, requested, run) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (merchant, order_id, sku, condition, shipped_at, tracking, carrier) DO UPDATE SET
			fnsku = excluded.fnsku, type = excluded.type, units = excluded.units, requested = excluded.requested, run = excluded.run`,
			merchant, s.Order, s.SKU, int64(s.Condition), s.At.UnixMicro(), s.Tracking, s.Carrier,
			s.FNSKU, s.Type, s.Units, stamp(s.Requested), by)
		if err != nil {
			return fmt.Errorf("shipment of order %s: %w", s.Order, err)
		}
	}
	return nil
}

const shipmentColumns = `SELECT order_id, sku, fnsku, condition, shipped_at, units, carrier, tracking, type, requested, run FROM shipment`

func scanShipment(rows *sql.Rows) (s Shipment, err error) {
	err = rows.Scan(&s.Order, &s.SKU, &s.FNSKU, &s.Condition, moment{&s.At}, &s.Units, &s.Carrier, &s.Tracking, &s.Type,
		moment{&s.Requested}, &s.Run)
	return s, err
}

// ShipmentsOf gives the shipments of orders, by date within each.
func (l *Ledger) ShipmentsOf(ctx context.Context, merchant string, orders []string) (all map[string][]Shipment, err error) {
	all = map[string][]Shipment{}
	seen := map[string]bool{}
	var ids []string
	for _, id := range orders {
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	err = l.read(ctx, func(tx *tx) error {
		return tx.probe(ctx, merchant, ids, func(marks string) string {
			return shipmentColumns + ` WHERE merchant = $1 AND order_id IN (` + marks + `) ORDER BY order_id, shipped_at, sku, condition, tracking`
		}, func(rows *sql.Rows) error {
			s, err := scanShipment(rows)
			all[s.Order] = append(all[s.Order], s)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("shipments: %w", err)
	}
	return all, nil
}

// Shipments gives all shipments of a merchant at or after a moment, by date.
func (l *Ledger) Shipments(ctx context.Context, merchant string, since time.Time, visit func(Shipment) error) error {
	from := int64(0)
	if !since.IsZero() {
		from = since.UnixMicro()
	}
	err := l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			s, err := scanShipment(rows)
			if err != nil {
				return err
			}
			return visit(s)
		}, shipmentColumns+` WHERE merchant = $1 AND shipped_at >= $2 ORDER BY shipped_at, order_id, sku, condition, tracking`, merchant, from)
	})
	if err != nil {
		return fmt.Errorf("shipments: %w", err)
	}
	return nil
}
