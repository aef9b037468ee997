package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"rensa/pkg/removal"
)

// Copy writes the ledger as it is now to a new file, while others read and write.
func (l *Ledger) Copy(ctx context.Context, path string) error {
	if _, err := l.writer.ExecContext(ctx, `VACUUM INTO $1`, path); err != nil {
		return fmt.Errorf("copy the ledger: %w", l.dialect.explain(err))
	}
	return nil
}

// Damage gives what the database finds wrong with its own file, nothing where it
// is sound.
func (l *Ledger) Damage(ctx context.Context) (found []string, err error) {
	err = l.read(ctx, func(tx *tx) error {
		err := tx.each(ctx, func(rows *sql.Rows) error {
			var line string
			err := rows.Scan(&line)
			if line != "ok" {
				found = append(found, line)
			}
			return err
		}, `PRAGMA integrity_check`)
		if err != nil {
			return err
		}
		return tx.each(ctx, func(rows *sql.Rows) error {
			var table, parent string
			var row, key any
			err := rows.Scan(&table, &row, &parent, &key)
			found = append(found, fmt.Sprintf("%s row %v names a %s that is not there", table, row, parent))
			return err
		}, `PRAGMA foreign_key_check`)
	})
	if err != nil {
		return nil, fmt.Errorf("check the ledger: %w", err)
	}
	return found, nil
}

// Imbalance is an order whose movements are not what its quantities say.
type Imbalance struct {
	Merchant, Order string
	// Ordered is requested less cancelled, Opened what the movements say of it;
	// Left is shipped and disposed, Gone what the movements say. Both conditions
	// are added up.
	Ordered, Opened, Left, Gone int64
}

// units of one order by condition, from its row and from the movements.
type balance struct{ ordered, opened, left, gone [2]int64 }

// Imbalances holds a merchant's orders against the movements of stock: what is
// available is answered from these alone.
func (l *Ledger) Imbalances(ctx context.Context, merchant string) (found []Imbalance, err error) {
	all := map[string]*balance{}
	of := func(id string) *balance {
		if all[id] == nil {
			all[id] = &balance{}
		}
		return all[id]
	}
	err = l.readOrders(ctx, merchant, func(tx *tx) error {
		err := tx.each(ctx, func(rows *sql.Rows) error {
			var id, state string
			var s, u removal.Units
			err := rows.Scan(&id, &state, &s.Requested, &s.Cancelled, &s.Disposed, &s.Shipped, &u.Requested, &u.Cancelled, &u.Disposed, &u.Shipped)
			if err != nil || state == "draft" || state == "refused" {
				return err
			}
			b := of(id)
			for i, q := range []removal.Units{s, u} {
				b.ordered[i] += q.Requested - q.Cancelled
				b.left[i] += q.Shipped + q.Disposed
			}
			return nil
		}, `SELECT id, state, sellable_requested, sellable_cancelled, sellable_disposed, sellable_shipped,
			unsellable_requested, unsellable_cancelled, unsellable_disposed, unsellable_shipped
			FROM removal_order WHERE merchant = $1`, merchant)
		if err != nil {
			return err
		}
		return tx.each(ctx, func(rows *sql.Rows) error {
			var block sql.RawBytes
			if err := rows.Scan(&block); err != nil {
				return err
			}
			return visitMovements(block, func(m Movement) error {
				b := of(m.Order)
				to := &b.opened
				if m.Kind == MovementLeft {
					to = &b.gone
				}
				to[0], to[1] = to[0]+m.Sellable, to[1]+m.Unsellable
				return nil
			})
		}, `SELECT block FROM movement WHERE merchant = $1 AND kind = 'commit' ORDER BY seq, part`, merchant)
	})
	if err != nil {
		return nil, fmt.Errorf("hold orders of %s against movements: %w", merchant, err)
	}
	for id, b := range all {
		if b.ordered != b.opened || b.left != b.gone {
			found = append(found, Imbalance{Merchant: merchant, Order: id, Ordered: b.ordered[0] + b.ordered[1],
				Opened: b.opened[0] + b.opened[1], Left: b.left[0] + b.left[1], Gone: b.gone[0] + b.gone[1]})
		}
	}
	return found, nil
}
