package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// People and status files make many small blocks, and to open one takes longer
// than to read it: every mergeEvery changes the small ones at the end become one,
// up to mergeMost movements. Nothing in them is lost.
const (
	mergeEvery = 32
	mergeMost  = 20000
)

// mergeMovements makes one block of the last small ones of a merchant.
func (t *tx) mergeMovements(ctx context.Context, h *merchantHead) error {
	if (h.revision+1)%mergeEvery != 0 {
		return nil
	}
	var first, last int64
	total, count := 0, 0
	// A commit of several blocks is none of the small ones.
	err := t.each(ctx, func(rows *sql.Rows) error {
		var seq, part int64
		var kind string
		var entries int
		if err := rows.Scan(&seq, &part, &kind, &entries); err != nil {
			return err
		}
		if kind != "commit" || part > 0 || total+entries > mergeMost {
			return errEnough
		}
		if last == 0 {
			last = seq
		}
		first, total, count = seq, total+entries, count+1
		return nil
	}, `SELECT seq, part, kind, entries FROM movement WHERE merchant = $1 ORDER BY seq DESC, part DESC LIMIT 1000`, h.id)
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if count < 2 {
		return nil
	}
	all := make([]Movement, 0, total)
	err = t.each(ctx, func(rows *sql.Rows) error {
		var block sql.RawBytes
		if err := rows.Scan(&block); err != nil {
			return err
		}
		return visitMovements(block, func(m Movement) error {
			all = append(all, m)
			return nil
		})
	}, `SELECT block FROM movement WHERE merchant = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq`, h.id, first, last)
	if err != nil {
		return fmt.Errorf("movements: %w", err)
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM movement WHERE merchant = $1 AND seq >= $2 AND seq < $3`, h.id, first, last); err != nil {
		return err
	}
	b := movementBlock(all)
	return t.one(ctx, `UPDATE movement SET run = NULL, entries = $1, moves = $2, block = $3 WHERE merchant = $4 AND seq = $5`,
		b.Entries, bit(!b.Placings), b.Bytes, h.id, last)
}
