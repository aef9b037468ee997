package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// Sent gives all files that a run sent out, those with orders and those that
// cancel some, in the order in which it did.
func (l *Ledger) Sent(ctx context.Context, merchant, run string) (all []Outbound, err error) {
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
		}, `SELECT name, sha256, bytes, run, created, orders FROM outbound WHERE merchant = $1 AND run = $2 ORDER BY kind DESC, ord, name`, merchant, run)
	})
	if err != nil {
		return nil, fmt.Errorf("files that run %s sent out: %w", run, err)
	}
	return all, nil
}
