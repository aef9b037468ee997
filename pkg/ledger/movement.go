package ledger

import (
	"context"
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
	c := &MovementChunk{}
	return l.ReadMovements(ctx, merchant, func(ms *Movements) error {
		return ms.Each(func() *MovementChunk { return c }, func(c *MovementChunk) error { return c.visit(visit) })
	})
}

// putMovements writes a block of what a commit opened, closed or ended.
func (t *tx) putMovements(ctx context.Context, h *merchantHead, run string, part int, b MovementBlock) error {
	_, err := t.ExecContext(ctx, `INSERT INTO movement (merchant, seq, part, kind, run, entries, moves, block) VALUES ($1, $2, $3, 'commit', $4, $5, $6, $7)`,
		h.id, h.revision+1, part, null(run), b.Entries, bit(!b.Placings), b.Bytes)
	if err != nil {
		return fmt.Errorf("movements: %w", err)
	}
	return nil
}

// moves tells whether a movement is more than the placing of an order.
func moves(kind MovementKind, sellable, unsellable int64) bool {
	return kind != MovementOpened || sellable < 0 || unsellable < 0
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
