package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"rensa/pkg/removal"
)

const orderColumns = `o.seq, o.id, o.family, o.state, o.method, o.source, o.run, o.row, o.created, o.generated, o.header_hash,
	o.notes, o.fee, o.currency, o.no_fee, o.no_fee_reason, o.cancel_requested, o.lines,
	a.name, a.line1, a.line2, a.line3, a.city, a.state, a.postal_code, a.country, a.phone
	FROM removal_order AS o LEFT JOIN address AS a ON a.merchant = o.merchant AND a.seq = o.address`

func scanOrder(rows *sql.Rows, merchant string) (seq int64, o removal.Order, err error) {
	o.Merchant = merchant
	var hash int64
	var lines string
	a := &o.Address
	err = rows.Scan(&seq, &o.ID, text{&o.Family}, &o.State, &o.Method, &o.Source, text{&o.Run}, &o.Row, moment{&o.Created},
		&o.Generated, &hash, text{&o.Notes}, &o.Fee, &o.Currency, &o.NoFee, text{&o.NoFeeReason}, &o.CancelRequested, &lines,
		text{&a.Name}, text{&a.Line1}, text{&a.Line2}, text{&a.Line3}, text{&a.City}, text{&a.State},
		text{&a.PostalCode}, text{&a.Country}, text{&a.Phone})
	if err != nil {
		return 0, o, err
	}
	if o.Family == "" {
		o.Family = o.ID
	}
	o.HeaderHash = uint64(hash)
	if o.Lines, err = parseLines(lines); err != nil {
		return 0, o, fmt.Errorf("order %s: %w", o.ID, err)
	}
	return seq, o, nil
}

// Orders gives orders with their lines and addresses, in the order of ids, any
// number of them; ids that no order has are left out. Where an id was refused
// and used again it is the later order; where it was only refused, the last of
// those.
func (l *Ledger) Orders(ctx context.Context, merchant string, ids []string) ([]removal.Order, error) {
	return l.orders(ctx, l.readAll(merchant), merchant, ids)
}

// orders is Orders within a transaction of read.
func (l *Ledger) orders(ctx context.Context, read reading, merchant string, ids []string) ([]removal.Order, error) {
	found := make(map[string]removal.Order, len(ids))
	last := map[string]int64{}
	err := read(ctx, func(tx *tx) error {
		take := func(rows *sql.Rows) error {
			seq, o, err := scanOrder(rows, merchant)
			if err == nil && seq > last[o.ID] {
				found[o.ID], last[o.ID] = o, seq
			}
			return err
		}
		err := tx.probe(ctx, merchant, ids, func(marks string) string {
			return `SELECT ` + orderColumns + ` WHERE o.merchant = $1 AND o.state <> 'refused' AND o.id IN (` + marks + `)`
		}, take)
		if err != nil {
			return err
		}
		var rest []string
		for _, id := range ids {
			if _, ok := found[id]; !ok {
				rest = append(rest, id)
			}
		}
		return tx.probe(ctx, merchant, rest, func(marks string) string {
			return `SELECT ` + orderColumns + ` WHERE o.merchant = $1 AND o.state = 'refused' AND o.id IN (` + marks + `)`
		}, take)
	})
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	orders := make([]removal.Order, 0, len(found))
	for _, id := range ids {
		if o, ok := found[id]; ok {
			orders = append(orders, o)
			delete(found, id) // an id asked twice is answered once
		}
	}
	return orders, nil
}

// MatchOrders gives the orders in planning, pending or processing whose id was
// generated and whose method and address have a hash, newest first.
func (l *Ledger) MatchOrders(ctx context.Context, merchant string, headerHash uint64) (orders []removal.Order, err error) {
	err = l.readOrders(ctx, merchant, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			_, o, err := scanOrder(rows, merchant)
			orders = append(orders, o)
			return err
		}, `SELECT `+orderColumns+` WHERE o.merchant = $1 AND o.header_hash = $2 AND o.generated = 1
			AND o.state IN ('planning', 'pending', 'processing') ORDER BY o.seq DESC`, merchant, int64(headerHash))
	})
	if err != nil {
		return nil, fmt.Errorf("match orders: %w", err)
	}
	return orders, nil
}
