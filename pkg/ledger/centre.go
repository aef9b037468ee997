package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"rensa/pkg/removal"
)

// setCentres replaces the merchant's fulfilment centres.
func (t *tx) setCentres(ctx context.Context, merchant string, centres []removal.Centre) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM centre WHERE merchant = $1`, merchant); err != nil {
		return err
	}
	for i, c := range centres {
		_, err := t.ExecContext(ctx, `INSERT INTO centre (merchant, ord, id, name, line1, city, country, postal_code)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, merchant, i, c.ID, c.Name, c.Line1, c.City, c.Country, c.PostalCode)
		if err != nil {
			return err
		}
	}
	return nil
}

// Centres gives the merchant's fulfilment centres as they were last given.
func (l *Ledger) Centres(ctx context.Context, merchant string) (all []removal.Centre, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var c removal.Centre
			err := rows.Scan(&c.ID, &c.Name, &c.Line1, &c.City, &c.Country, &c.PostalCode)
			all = append(all, c)
			return err
		}, `SELECT id, name, line1, city, country, postal_code FROM centre WHERE merchant = $1 ORDER BY ord`, merchant)
	})
	if err != nil {
		return nil, fmt.Errorf("centres: %w", err)
	}
	return all, nil
}
