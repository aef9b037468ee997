package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

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

// holdSet is which holds are read: the index that finds them, where it is not the
// table's own, and the condition.
type holdSet struct{ index, condition string }

var (
	anyHold  = holdSet{"", `h.merchant = $1`}
	liveHold = holdSet{"hold_live", `h.merchant = $1 AND h.state <> 'ended'`}
	poolHold = holdSet{"hold_pool", `h.merchant = $1 AND h.state <> 'ended' AND h.pool = $2`}
)

// What is read of holds. CROSS JOIN keeps the database from walking over the steps
// and covers of every hold that ever was.
const (
	holdQuery = `SELECT h.id, h.pool, h.sku, h.fnsku, h.title, h.condition, h.reason, h.since, h.dated, h.deadline, coalesce(h.origin, 0),
		h.opened, h.first, h.units, h.covered, h.returned, h.resumed, h.leaving, h.state, h.ended FROM %s WHERE %s ORDER BY h.id`
	stepQuery = `SELECT s.hold, s.step, s.day, s.message, s.units, m.accepted_at FROM %s CROSS JOIN hold_step AS s CROSS JOIN message AS m
		WHERE s.merchant = h.merchant AND s.hold = h.id AND m.merchant = s.merchant AND m.id = s.message AND %s ORDER BY h.id, s.day, s.step`
	coverQuery = `SELECT c.hold, c.order_id, c.covered, c.gone, c.returned, c.returned_at FROM %s CROSS JOIN hold_cover AS c
		WHERE c.merchant = h.merchant AND c.hold = h.id AND %s ORDER BY h.id, c.order_id`
	// originQuery finds what was accepted of the opening notices of the holds before.
	originQuery = `WITH RECURSIVE before (hold, id) AS (
		SELECT h.id, h.origin FROM %s WHERE h.origin IS NOT NULL AND %s
		UNION SELECT b.hold, h.origin FROM before AS b JOIN hold AS h ON h.merchant = $1 AND h.id = b.id WHERE h.origin IS NOT NULL)
		SELECT b.hold, min(m.accepted_at) FROM before AS b CROSS JOIN hold_step AS s CROSS JOIN message AS m
		WHERE s.merchant = $1 AND s.hold = b.id AND s.step = 'opening' AND m.merchant = $1 AND m.id = s.message GROUP BY b.hold`
)

// query puts the set's place into one of these.
func (s holdSet) query(d *dialect, format string) string {
	from := "hold AS h"
	if s.index != "" {
		from += " " + d.by(s.index)
	}
	return fmt.Sprintf(format, from, s.condition)
}

// LiveHolds gives the holds that have not ended, with their steps and covers.
func (l *Ledger) LiveHolds(ctx context.Context, merchant string) (*HoldBook, error) {
	return l.holds(ctx, merchant, liveHold)
}

// AllHolds gives every hold that ever was.
func (l *Ledger) AllHolds(ctx context.Context, merchant string) (*HoldBook, error) {
	return l.holds(ctx, merchant, anyHold)
}

// PoolHolds gives the holds of one pool that have not ended.
func (l *Ledger) PoolHolds(ctx context.Context, merchant, pool string) (*HoldBook, error) {
	return l.holds(ctx, merchant, poolHold, pool)
}

func (l *Ledger) holds(ctx context.Context, merchant string, set holdSet, more ...any) (book *HoldBook, err error) {
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
		}, set.query(tx.dialect, holdQuery), args...)
		if err != nil || len(book.Holds) == 0 {
			return err
		}
		of := func(id int64) *removal.Hold { return &book.Holds[place[id]] }
		err = tx.each(ctx, func(rows *sql.Rows) error {
			var s removal.HoldStep
			err := rows.Scan(&s.Hold, &s.Step, moment{&s.Day}, &s.Message, &s.Units, moment{&s.AcceptedAt})
			of(s.Hold).Steps = append(of(s.Hold).Steps, s)
			return err
		}, set.query(tx.dialect, stepQuery), args...)
		if err != nil {
			return err
		}
		err = tx.each(ctx, func(rows *sql.Rows) error {
			var c removal.HoldCover
			err := rows.Scan(&c.Hold, &c.Order, &c.Covered, &c.Gone, &c.Returned, moment{&c.ReturnedAt})
			of(c.Hold).Covers = append(of(c.Hold).Covers, c)
			return err
		}, set.query(tx.dialect, coverQuery), args...)
		if err != nil {
			return err
		}
		return tx.each(ctx, func(rows *sql.Rows) error {
			var id int64
			var at time.Time
			err := rows.Scan(&id, moment{&at})
			of(id).OriginAcceptedAt = at
			return err
		}, set.query(tx.dialect, originQuery), args...)
	})
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	return book, nil
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
