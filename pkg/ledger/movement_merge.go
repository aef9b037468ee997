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
	var blocks [][]byte
	var first, last int64
	total := 0
	err := t.each(ctx, func(rows *sql.Rows) error {
		var seq int64
		var kind string
		var entries int
		var block []byte
		if err := rows.Scan(&seq, &kind, &entries, &block); err != nil {
			return err
		}
		if kind != "commit" || total+entries > mergeMost {
			return errEnough
		}
		if last == 0 {
			last = seq
		}
		first, total, blocks = seq, total+entries, append(blocks, block)
		return nil
	}, `SELECT seq, kind, entries, block FROM movement WHERE merchant = $1 ORDER BY seq DESC LIMIT 1000`, h.id)
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if len(blocks) < 2 {
		return nil
	}
	all := make([]Movement, 0, total)
	for i := len(blocks) - 1; i >= 0; i-- {
		ms, err := DecodeMovements(blocks[i])
		if err != nil {
			return fmt.Errorf("movements: %w", err)
		}
		all = append(all, ms...)
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM movement WHERE merchant = $1 AND seq >= $2 AND seq < $3`, h.id, first, last); err != nil {
		return err
	}
	return t.one(ctx, `UPDATE movement SET run = NULL, entries = $1, block = $2 WHERE merchant = $3 AND seq = $4`,
		len(all), EncodeMovements(nil, all), h.id, last)
}
