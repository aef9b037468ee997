package ledger

import (
	"context"
	"strconv"
)

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
