package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SentOrder gives the outgoing files that an order stands in, those that order it and
// those that cancel it, the oldest first. since is when the order was made: no
// older file is looked at.
func (l *Ledger) SentOrder(ctx context.Context, merchant, order string, since time.Time) (all []Outgoing, err error) {
	name, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("files of order %s: %w", order, err)
	}
	// The text is looked for first, since most files are long and hold other orders;
	// capitals do not count there, so what is found is read.
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(string(name)) + "%"
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			f := Outgoing{Outbound: Outbound{Merchant: merchant}}
			var orders string
			if err := rows.Scan(&f.Name, &f.SHA256, &f.Bytes, &f.Run, moment{&f.Created}, &orders, &f.Kind); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(orders), &f.Orders); err != nil {
				return err
			}
			if slices.Contains(f.Orders, order) {
				all = append(all, f)
			}
			return nil
		}, `SELECT name, sha256, bytes, run, created, orders, kind FROM outbound
			WHERE merchant = $1 AND created >= $2 AND orders LIKE $3 ESCAPE '\' ORDER BY created, name`,
			merchant, since.UnixMicro(), like)
	})
	if err != nil {
		return nil, fmt.Errorf("files of order %s: %w", order, err)
	}
	return all, nil
}
