package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"rensa/pkg/removal"
)

// HoldChange is what a Change does to holds.
type HoldChange struct {
	// New are inserted, Changed replaced as far as a hold can change.
	New, Changed []removal.Hold
	Covers       []removal.HoldCover // replaced or inserted
	Steps        []removal.HoldStep  // inserted: a step that is there already is ErrExists
	// Mark is the number of the newest order that was looked at; 0 leaves it.
	Mark int64
}

// Empty tells whether nothing changes.
func (c *HoldChange) Empty() bool {
	return c == nil || len(c.New)+len(c.Changed)+len(c.Covers)+len(c.Steps) == 0 && c.Mark == 0
}

// HoldBook is the holds of a merchant.
type HoldBook struct {
	Holds []removal.Hold // by id
	Next  int64          // id of the next new hold
	Mark  int64          // number of the newest order that was looked at
}

const holdColumns = `h.id, h.pool, h.sku, h.fnsku, h.title, h.condition, h.reason, h.since, h.dated, h.deadline, coalesce(h.origin, 0),
	h.opened, h.first, h.units, h.covered, h.returned, h.resumed, h.leaving, h.state, h.ended FROM hold AS h`

// LiveHolds gives the holds that have not ended, with their steps and covers.
func (l *Ledger) LiveHolds(ctx context.Context, merchant string) (*HoldBook, error) {
	return l.holds(ctx, merchant, `h.merchant = $1 AND h.state <> 'ended'`)
}

// AllHolds gives every hold that ever was.
func (l *Ledger) AllHolds(ctx context.Context, merchant string) (*HoldBook, error) {
	return l.holds(ctx, merchant, `h.merchant = $1`)
}

// PoolHolds gives the holds of one pool that have not ended.
func (l *Ledger) PoolHolds(ctx context.Context, merchant, pool string) (*HoldBook, error) {
	return l.holds(ctx, merchant, `h.merchant = $1 AND h.state <> 'ended' AND h.pool = $2`, pool)
}

func (l *Ledger) holds(ctx context.Context, merchant, condition string, more ...any) (book *HoldBook, err error) {
	args := append([]any{merchant}, more...)
	err = l.read(ctx, func(tx *tx) error {
		book = &HoldBook{}
		err := tx.QueryRowContext(ctx, `SELECT coalesce((SELECT max(id) FROM hold WHERE merchant = $1), 0) + 1,
			coalesce((SELECT orders FROM hold_mark WHERE merchant = $1), 0)`, merchant).Scan(&book.Next, &book.Mark)
		if err != nil {
			return err
		}
		place := map[int64]int{}
		err = tx.each(ctx, func(rows *sql.Rows) error {
			var h removal.Hold
			err := rows.Scan(&h.ID, &h.Pool, &h.SKU, &h.FNSKU, &h.Title, &h.Condition, &h.Reason, moment{&h.Since}, &h.Dated,
				moment{&h.Deadline}, &h.Origin, moment{&h.Opened}, &h.First, &h.Units, &h.Covered, &h.Returned, &h.Resumed, &h.Leaving, &h.State, moment{&h.Ended})
			place[h.ID] = len(book.Holds)
			book.Holds = append(book.Holds, h)
			return err
		}, `SELECT `+holdColumns+` WHERE `+condition+` ORDER BY h.id`, args...)
		if err != nil || len(book.Holds) == 0 {
			return err
		}
		if err := tx.holdSteps(ctx, book, place, condition, args); err != nil {
			return err
		}
		err = tx.each(ctx, func(rows *sql.Rows) error {
			var c removal.HoldCover
			err := rows.Scan(&c.Hold, &c.Order, &c.Covered, &c.Gone, &c.Returned, moment{&c.ReturnedAt})
			h := &book.Holds[place[c.Hold]]
			h.Covers = append(h.Covers, c)
			return err
		}, `SELECT c.hold, c.order_id, c.covered, c.gone, c.returned, c.returned_at FROM hold AS h
			JOIN hold_cover AS c ON c.merchant = h.merchant AND c.hold = h.id WHERE `+condition+` ORDER BY c.hold, c.order_id`, args...)
		if err != nil {
			return err
		}
		return tx.holdOrigins(ctx, merchant, book)
	})
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	return book, nil
}

func (t *tx) holdSteps(ctx context.Context, book *HoldBook, place map[int64]int, condition string, args []any) error {
	return t.each(ctx, func(rows *sql.Rows) error {
		var s removal.HoldStep
		err := rows.Scan(&s.Hold, &s.Step, moment{&s.Day}, &s.Message, &s.Units, moment{&s.AcceptedAt})
		h := &book.Holds[place[s.Hold]]
		h.Steps = append(h.Steps, s)
		return err
	}, `SELECT s.hold, s.step, s.day, s.message, s.units, m.accepted_at FROM hold AS h
		JOIN hold_step AS s ON s.merchant = h.merchant AND s.hold = h.id
		JOIN message AS m ON m.merchant = s.merchant AND m.id = s.message WHERE `+condition+` ORDER BY s.hold, s.day, s.step`, args...)
}

// holdOrigins finds what was accepted of the opening notices of the holds before.
func (t *tx) holdOrigins(ctx context.Context, merchant string, book *HoldBook) error {
	for i := range book.Holds {
		h := &book.Holds[i]
		if h.Origin == 0 {
			continue
		}
		err := t.QueryRowContext(ctx, `WITH RECURSIVE before (id) AS (
			SELECT $2 UNION SELECT h.origin FROM hold AS h JOIN before AS b ON h.merchant = $1 AND h.id = b.id WHERE h.origin IS NOT NULL)
			SELECT min(m.accepted_at) FROM before AS b
			JOIN hold_step AS s ON s.merchant = $1 AND s.hold = b.id AND s.step = 'opening'
			JOIN message AS m ON m.merchant = $1 AND m.id = s.message`, merchant, h.Origin).Scan(moment{&h.OriginAcceptedAt})
		if err != nil {
			return err
		}
	}
	return nil
}

// putHolds writes what a change does to holds.
func (t *tx) putHolds(ctx context.Context, merchant string, c *HoldChange) error {
	if c == nil {
		return nil
	}
	for i := range c.New {
		if err := t.putHold(ctx, merchant, &c.New[i]); err != nil {
			return fmt.Errorf("hold %d: %w", c.New[i].ID, err)
		}
	}
	for i := range c.Changed {
		h := &c.Changed[i]
		err := t.one(ctx, `UPDATE hold SET pool = $1, sku = $2, fnsku = $3, reason = $4, since = $5, dated = $6, deadline = $7,
			units = $8, covered = $9, returned = $10, resumed = $11, ended = $12, leaving = $13 WHERE merchant = $14 AND id = $15`,
			h.Pool, h.SKU, h.FNSKU, string(h.Reason), h.Since.UnixMicro(), bit(h.Dated), h.Deadline.UnixMicro(),
			h.Units, h.Covered, h.Returned, h.Resumed, stamp(h.Ended), h.Leaving, merchant, h.ID)
		if err != nil {
			return fmt.Errorf("hold %d: %w", h.ID, err)
		}
	}
	for _, v := range c.Covers {
		_, err := t.ExecContext(ctx, `INSERT INTO hold_cover (merchant, hold, order_id, covered, gone, returned, returned_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant, hold, order_id) DO UPDATE SET covered = excluded.covered,
			gone = excluded.gone, returned = excluded.returned, returned_at = excluded.returned_at`,
			merchant, v.Hold, v.Order, v.Covered, v.Gone, v.Returned, stamp(v.ReturnedAt))
		if err != nil {
			return fmt.Errorf("hold %d, order %s: %w", v.Hold, v.Order, err)
		}
	}
	for _, s := range c.Steps {
		_, err := t.ExecContext(ctx, `INSERT INTO hold_step (merchant, hold, step, day, message, units) VALUES ($1, $2, $3, $4, $5, $6)`,
			merchant, s.Hold, s.Step, s.Day.UnixMicro(), s.Message, s.Units)
		if err != nil {
			return fmt.Errorf("hold %d, step %s: %w", s.Hold, s.Step, err)
		}
	}
	if c.Mark == 0 {
		return nil
	}
	_, err := t.ExecContext(ctx, `INSERT INTO hold_mark (merchant, orders) VALUES ($1, $2)
		ON CONFLICT (merchant) DO UPDATE SET orders = excluded.orders`, merchant, c.Mark)
	return err
}

func (t *tx) putHold(ctx context.Context, merchant string, h *removal.Hold) error {
	if h.Opened.IsZero() {
		h.Opened = t.now
	}
	var origin any
	if h.Origin > 0 {
		origin = h.Origin
	}
	_, err := t.ExecContext(ctx, `INSERT INTO hold (merchant, id, pool, sku, fnsku, title, condition, reason, since, dated, deadline, origin,
		opened, first, units, covered, returned, resumed, ended, leaving)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		merchant, h.ID, h.Pool, h.SKU, h.FNSKU, h.Title, int(h.Condition), string(h.Reason), h.Since.UnixMicro(), bit(h.Dated),
		h.Deadline.UnixMicro(), origin, h.Opened.UnixMicro(), h.First, h.Units, h.Covered, h.Returned, h.Resumed, stamp(h.Ended), h.Leaving)
	return err
}

// OrdersAfter gives the orders of a merchant with a number above after, oldest
// first, to a visitor, and the number of the last one. What takes nothing of any
// stock, since it was made elsewhere and is over, is given too.
func (l *Ledger) OrdersAfter(ctx context.Context, merchant string, after int64, visit func(removal.Order) error) (last int64, err error) {
	last = after
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			seq, o, err := scanOrder(rows, merchant)
			if err != nil {
				return err
			}
			last = seq
			return visit(o)
		}, `SELECT `+orderColumns+` WHERE o.merchant = $1 AND o.seq > $2 ORDER BY o.seq`, merchant, after)
	})
	if err != nil {
		return after, fmt.Errorf("orders after number %d: %w", after, err)
	}
	return last, nil
}
