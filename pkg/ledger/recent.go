package ledger

import (
	"context"
	"fmt"
	"strconv"
)

// LastFile gives the number of the merchant's last arrival; 0 where nothing
// arrived yet. ErrNotFound: no such merchant.
func (l *Ledger) LastFile(ctx context.Context, merchant string) (seq int64, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return missing(tx.QueryRowContext(ctx, `SELECT files FROM merchant WHERE id = $1`, merchant).Scan(&seq))
	})
	if err != nil {
		return 0, fmt.Errorf("last file of %s: %w", merchant, err)
	}
	return seq, nil
}

// NextOf gives the first file of a name that arrived after a number: the one that
// was put into the inbox under that name when the number was the last.
// ErrNotFound: it has not been taken yet.
func (l *Ledger) NextOf(ctx context.Context, merchant, name string, after int64) (Work, error) {
	// The name stands in no index: the few arrivals after the number are looked at.
	found, err := l.worksWhere(ctx, `WHERE f.merchant = $1 AND f.seq > $2 AND f.name = $3 AND f.state <> 'closed' ORDER BY f.seq LIMIT 1`,
		merchant, after, name)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Work{}, fmt.Errorf("file %s: %w", name, err)
	}
	return found[0], nil
}

// Waiting gives a merchant's files with which something is still to be done, in
// the order of arrival.
func (l *Ledger) Waiting(ctx context.Context, merchant string) ([]Work, error) {
	return l.worksWhere(ctx, `WHERE f.merchant = $1 AND `+stillOpen+` ORDER BY f.seq`, merchant)
}

// WithoutRun gives the last files of a merchant that ended without a run:
// rejected, or recognised as bytes that were taken before. limit <= 0: 100.
func (l *Ledger) WithoutRun(ctx context.Context, merchant string, limit int) ([]Work, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	return l.worksWhere(ctx, `WHERE f.merchant = $1 AND f.state IN ('rejected', 'archived') AND f.run IS NULL
		ORDER BY f.seq DESC LIMIT `+strconv.Itoa(limit), merchant)
}
