package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// MessageKey names a message of the outbox.
type MessageKey struct{ Merchant, ID string }

// DueMessageKeys names the queued messages of a merchant, "" for all, that may be
// tried at a moment and that nobody has in hand, the oldest first.
func (l *Ledger) DueMessageKeys(ctx context.Context, merchant string, now time.Time) (due []MessageKey, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var k MessageKey
			err := rows.Scan(&k.Merchant, &k.ID)
			due = append(due, k)
			return err
		}, `SELECT merchant, id FROM message WHERE state = 'queued' AND (retry_after IS NULL OR retry_after <= $1)
			AND (lease_until IS NULL OR lease_until <= $1) AND ($2 = '' OR merchant = $2) ORDER BY created, merchant, id`, now.UnixMicro(), merchant)
	})
	if err != nil {
		return nil, fmt.Errorf("messages that are due: %w", err)
	}
	return due, nil
}
