package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// MovementKind is what a movement says of its units.
type MovementKind uint8

// The kinds of movement.
const (
	// MovementOpened: an order was placed for the units and they are open since;
	// fewer than none where open ones were cancelled.
	MovementOpened MovementKind = iota
	// MovementLeft: of the units opened before, these were shipped or disposed of.
	MovementLeft
)

// Movement is what one line of an order did to a stock pool. Movements are only
// ever added.
type Movement struct {
	Kind    MovementKind
	At      time.Time // whole microseconds
	PoolKey string
	Order   string
	Run     string // run whose file did it
	Row     int    // row in that run's file
	// Sellable and Unsellable are units.
	Sellable, Unsellable int64
}

// Taken calls visit for every movement of a merchant that may still count, in
// the order of the commits, and by pool within a block of one. An error of visit ends it and
// is returned.
func (l *Ledger) Taken(ctx context.Context, merchant string, visit func(Movement) error) error {
	err := l.read(ctx, func(tx *tx) error {
		// A base stands for everything before it.
		return tx.each(ctx, func(rows *sql.Rows) error {
			var seq, part int64
			var block sql.RawBytes
			if err := rows.Scan(&seq, &part, &block); err != nil {
				return err
			}
			if err := visitMovements(block, visit); err != nil {
				return fmt.Errorf("block %d of %d: %w", part, seq, err)
			}
			return nil
		}, `SELECT seq, part, block FROM movement WHERE merchant = $1 AND seq >= coalesce(
			(SELECT max(seq) FROM movement WHERE merchant = $1 AND kind = 'base'), 0) ORDER BY seq, part`, merchant)
	})
	if err != nil {
		return fmt.Errorf("movements: %w", err)
	}
	return nil
}

// putMovements writes a block of what a commit opened, closed or ended.
func (t *tx) putMovements(ctx context.Context, h *merchantHead, run string, part int, b MovementBlock) error {
	_, err := t.ExecContext(ctx, `INSERT INTO movement (merchant, seq, part, kind, run, entries, block) VALUES ($1, $2, $3, 'commit', $4, $5, $6)`,
		h.id, h.revision+1, part, null(run), b.Entries, b.Bytes)
	if err != nil {
		return fmt.Errorf("movements: %w", err)
	}
	return nil
}

// checkMovements finds keys that a block cannot hold.
func checkMovements(ms []Movement) error {
	for i := range ms {
		if m := &ms[i]; len(m.PoolKey) > maxKey || len(m.Order) > maxKey || len(m.Run) > maxKey {
			return fmt.Errorf("movement of order %.40q: a key of more than %d bytes: %w", m.Order, maxKey, ErrRefused)
		}
	}
	return nil
}
