package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// The kinds of outgoing files.
const (
	OutboundOrders = "orders"
	OutboundCancel = "cancel"
)

// Outgoing is an outgoing file with its bytes, which the ledger keeps until the
// file is in its place.
type Outgoing struct {
	Outbound
	Kind string // OutboundOrders where it is ""
	Body []byte
}

func (t *tx) putOutgoing(ctx context.Context, merchant, run string, files []Outgoing) error {
	for _, f := range files {
		if err := t.putOutbound(ctx, merchant, run, []Outbound{f.Outbound}); err != nil {
			return err
		}
		if err := t.one(ctx, `UPDATE outbound SET kind = $1 WHERE merchant = $2 AND name = $3`,
			cmp.Or(f.Kind, OutboundOrders), merchant, f.Name); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO outbound_body (merchant, name, body) VALUES ($1, $2, $3)`, merchant, f.Name, f.Body)
		if err != nil {
			return fmt.Errorf("outgoing file %s: %w", f.Name, err)
		}
	}
	return nil
}

// Unwritten gives the outgoing files that were decided and are not known to be in
// their place.
func (l *Ledger) Unwritten(ctx context.Context, merchant string) (all []Outgoing, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			f := Outgoing{Outbound: Outbound{Merchant: merchant}}
			var orders string
			if err := rows.Scan(&f.Name, &f.SHA256, &f.Bytes, &f.Run, moment{&f.Created}, &orders, &f.Kind, &f.Body); err != nil {
				return err
			}
			err := json.Unmarshal([]byte(orders), &f.Orders)
			all = append(all, f)
			return err
		}, `SELECT o.name, o.sha256, o.bytes, o.run, o.created, o.orders, o.kind, b.body
			FROM outbound_body AS b JOIN outbound AS o ON o.merchant = b.merchant AND o.name = b.name
			WHERE b.merchant = $1 ORDER BY o.created, o.name`, merchant)
	})
	if err != nil {
		return nil, fmt.Errorf("outgoing files: %w", err)
	}
	return all, nil
}

// MarkWritten records that an outgoing file is in its place. Repeating it does no
// harm.
func (l *Ledger) MarkWritten(ctx context.Context, merchant, name string) error {
	err := l.write(ctx, func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM outbound_body WHERE merchant = $1 AND name = $2`, merchant, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("outgoing file %s: %w", name, err)
	}
	return nil
}

// OrderFiles gives the outgoing files with orders, those without an answer only
// or all, the oldest first.
func (l *Ledger) OrderFiles(ctx context.Context, merchant string, unanswered bool) (all []Outbound, err error) {
	condition := ""
	if unanswered {
		condition = ` AND answered IS NULL`
	}
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			f := Outbound{Merchant: merchant}
			var orders string
			if err := rows.Scan(&f.Name, &f.SHA256, &f.Bytes, &f.Run, moment{&f.Created}, &orders); err != nil {
				return err
			}
			err := json.Unmarshal([]byte(orders), &f.Orders)
			all = append(all, f)
			return err
		}, `SELECT name, sha256, bytes, run, created, orders FROM outbound
			WHERE merchant = $1 AND kind = 'orders'`+condition+` ORDER BY created, name`, merchant)
	})
	if err != nil {
		return nil, fmt.Errorf("outgoing files: %w", err)
	}
	return all, nil
}
