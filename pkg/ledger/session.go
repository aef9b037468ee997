package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Session gives the data of a session by the hash of its token; nil where there
// is none or it has expired.
func (l *Ledger) Session(ctx context.Context, hash string) (data []byte, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.QueryRowContext(ctx, `SELECT data FROM web_session WHERE hash = $1 AND expires > $2`, hash, tx.now.UnixMicro()).Scan(&data)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return data, nil
}

// PutSession adds or replaces a session, and clears away those that have expired.
func (l *Ledger) PutSession(ctx context.Context, hash string, data []byte, expires time.Time) error {
	err := l.write(ctx, func(tx *tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM web_session WHERE expires <= $1`, tx.now.UnixMicro()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO web_session (hash, expires, data) VALUES ($1, $2, $3)
			ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires, data = excluded.data`, hash, expires.UnixMicro(), data)
		return err
	})
	if err != nil {
		return fmt.Errorf("put session: %w", err)
	}
	return nil
}

// DropSession ends a session. One that is not there is ended already.
func (l *Ledger) DropSession(ctx context.Context, hash string) error {
	err := l.write(ctx, func(tx *tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM web_session WHERE hash = $1`, hash)
		return err
	})
	if err != nil {
		return fmt.Errorf("drop session: %w", err)
	}
	return nil
}
