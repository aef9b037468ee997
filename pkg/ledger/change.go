package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"rensa/pkg/removal"
)

// Change is what is done with orders otherwise than by an upload: by a person, by
// a status file, by the clock. It is one transaction, or a part of a Commit.
type Change struct {
	Merchant string
	// Revision is the merchant's, read before anything that was decided. In a
	// Commit the commit's own counts.
	Revision int64
	// New are orders that were not there, Changed are orders as they are from now on.
	New, Changed []Record
	Movements    []Movement
	Events       []Event
	Outgoing     []Outgoing
	Shipments    []Shipment
	// Dropped are drafts that are gone: placed or thrown away.
	Dropped []Draft
	// Answered are outgoing files that a processing report answered.
	Answered []string
	// Holds is what happens to holds, Messages are queued in the outbox.
	Holds    *HoldChange
	Messages []Message
	// Run is the run that did it; in a Commit the commit's own counts.
	Run string
}

// Record is an order with what status files told of it. Seq is the ledger's.
type Record struct {
	removal.Order
	Progress removal.Progress
	Seq      int64
	// Grown says that lines were added since the order was read, with their fees.
	Grown bool
}

// Empty tells whether the change changes nothing.
func (c *Change) Empty() bool {
	return len(c.New)+len(c.Changed)+len(c.Movements)+len(c.Events)+len(c.Outgoing)+
		len(c.Shipments)+len(c.Dropped)+len(c.Answered)+len(c.Messages) == 0 && c.Holds.Empty()
}

// Change makes a change durable, or nothing of it. ErrConflict: the merchant's
// revision moved, or a draft; decide again. ErrExists: an id is in use.
// ErrRefused: a move or a quantity that can never be right.
func (l *Ledger) Change(ctx context.Context, c *Change) error {
	if err := checkMovements(c.Movements); err != nil {
		return fmt.Errorf("change orders: %w", err)
	}
	err := l.write(ctx, func(tx *tx) error {
		head, err := tx.head(ctx, c.Merchant, c.Revision)
		if err != nil {
			return err
		}
		if err := tx.enterAll(ctx, c.Merchant); err != nil {
			return err
		}
		if err := tx.putChange(ctx, head, c.Run, c); err != nil {
			return err
		}
		return tx.moveHead(ctx, head)
	})
	if err != nil {
		return fmt.Errorf("change orders: %w", err)
	}
	return nil
}

// putChange writes all of a change but the merchant's own row.
func (t *tx) putChange(ctx context.Context, h *merchantHead, run string, c *Change) error {
	if c == nil {
		return nil
	}
	for i := range c.Dropped {
		d := &c.Dropped[i]
		err := t.one(ctx, `DELETE FROM draft WHERE merchant = $1 AND id = $2 AND version = $3`, h.id, d.ID, d.Version)
		if errors.Is(err, ErrNotFound) {
			return ErrConflict
		}
		if err != nil {
			return err
		}
	}
	if err := t.putNew(ctx, h, run, c.New); err != nil {
		return err
	}
	for i := range c.Changed {
		if err := t.updateOrder(ctx, h, &c.Changed[i]); err != nil {
			return fmt.Errorf("order %s: %w", c.Changed[i].ID, err)
		}
	}
	if len(c.Movements) > 0 {
		if err := checkMovements(c.Movements); err != nil {
			return err
		}
		b := movementBlock(c.Movements)
		if err := t.putMovements(ctx, h, run, 0, b); err != nil {
			return err
		}
		if err := t.mergeMovements(ctx, h); err != nil {
			return err
		}
	}
	if err := t.putShipments(ctx, h.id, run, c.Shipments); err != nil {
		return err
	}
	if err := t.putEvents(ctx, h, run, c.Events); err != nil {
		return err
	}
	if err := t.putOutgoing(ctx, h.id, run, c.Outgoing); err != nil {
		return err
	}
	for _, name := range c.Answered {
		err := t.one(ctx, `UPDATE outbound SET answered = $1 WHERE merchant = $2 AND name = $3`, run, h.id, name)
		if err != nil {
			return fmt.Errorf("outgoing file %s: %w", name, err)
		}
	}
	if err := t.putMessages(ctx, h.id, c.Messages); err != nil {
		return err
	}
	return t.putHolds(ctx, h.id, c.Holds)
}

// putNew inserts orders with their progress.
func (t *tx) putNew(ctx context.Context, h *merchantHead, run string, orders []Record) error {
	if len(orders) == 0 {
		return nil
	}
	filter, err := t.dueFilter(ctx, h, int64(len(orders)), false)
	if err != nil {
		return err
	}
	w := newOrderWriter(t, h)
	before := h.orders
	for i := range orders {
		o := orders[i].Order
		if o.Run == "" {
			o.Run = run
		}
		if err := w.add(ctx, &o); err != nil {
			return err
		}
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	for i := range orders {
		r := &orders[i]
		progress, err := encodeProgress(&r.Progress)
		if err != nil || progress == nil {
			if err != nil {
				return err
			}
			continue
		}
		if err := t.one(ctx, `UPDATE removal_order SET requested = $1, progress = $2 WHERE merchant = $3 AND seq = $4`,
			stamp(r.Progress.Requested), progress, h.id, before+1+int64(i)); err != nil {
			return err
		}
	}
	if filter != nil {
		for _, hash := range w.hashes {
			filter.add(hash)
		}
	}
	return t.saveFilter(ctx, h, filter)
}

// updateOrder writes what can change of an order.
func (t *tx) updateOrder(ctx context.Context, h *merchantHead, r *Record) error {
	lines, err := appendLines(nil, r.Lines)
	if err != nil {
		return err
	}
	progress, err := encodeProgress(&r.Progress)
	if err != nil {
		return err
	}
	s, u := r.Totals()
	err = t.one(ctx, `UPDATE removal_order SET state = $1, cancel_requested = $2, items = $3,
		sellable_requested = $4, sellable_cancelled = $5, sellable_disposed = $6, sellable_shipped = $7,
		unsellable_requested = $8, unsellable_cancelled = $9, unsellable_disposed = $10, unsellable_shipped = $11,
		lines = $12, requested = $13, progress = $14 WHERE merchant = $15 AND seq = $16 AND id = $17`,
		string(r.State), bit(r.CancelRequested), len(r.Lines),
		s.Requested, s.Cancelled, s.Disposed, s.Shipped, u.Requested, u.Cancelled, u.Disposed, u.Shipped,
		string(lines), stamp(r.Progress.Requested), progress, h.id, r.Seq, r.ID)
	if err != nil {
		return err
	}
	if !r.Grown {
		return nil
	}
	err = t.one(ctx, `UPDATE removal_order SET fee = $1, no_fee = $2, no_fee_reason = $3 WHERE merchant = $4 AND seq = $5`,
		int64(r.Fee), int64(r.NoFee), null(r.NoFeeReason), h.id, r.Seq)
	if err != nil {
		return err
	}
	return t.indexChanged(ctx, h.id, r)
}

// Records gives orders with their progress, as Orders does.
func (l *Ledger) Records(ctx context.Context, merchant string, ids []string) ([]Record, error) {
	found := map[string]Record{}
	err := l.readOrders(ctx, merchant, func(tx *tx) error {
		for _, refused := range []string{`o.state <> 'refused'`, `o.state = 'refused'`} {
			var rest []string
			for _, id := range ids {
				if _, ok := found[id]; !ok {
					rest = append(rest, id)
				}
			}
			if err := tx.records(ctx, merchant, rest, refused, found); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("orders: %w", err)
	}
	return inOrder(ids, found), nil
}

func inOrder(ids []string, found map[string]Record) []Record {
	records := make([]Record, 0, len(found))
	for _, id := range ids {
		if r, ok := found[id]; ok {
			records = append(records, r)
			delete(found, id)
		}
	}
	return records
}

// RecordsIn gives all orders of a merchant in a state with their progress, the
// oldest first.
func (l *Ledger) RecordsIn(ctx context.Context, merchant string, state removal.State) (records []Record, err error) {
	err = l.readOrders(ctx, merchant, func(tx *tx) error {
		err := tx.each(ctx, func(rows *sql.Rows) error {
			seq, o, err := scanOrder(rows, merchant)
			records = append(records, Record{Order: o, Seq: seq})
			return err
		}, `SELECT `+orderColumns+` WHERE o.merchant = $1 AND o.state = $2 ORDER BY o.seq`, merchant, string(state))
		if err != nil {
			return err
		}
		bySeq := make(map[int64]*Record, len(records))
		for i := range records {
			bySeq[records[i].Seq] = &records[i]
		}
		return tx.each(ctx, func(rows *sql.Rows) error { return scanProgress(rows, bySeq) },
			`SELECT seq, requested, progress FROM removal_order WHERE merchant = $1 AND state = $2 AND progress IS NOT NULL`,
			merchant, string(state))
	})
	if err != nil {
		return nil, fmt.Errorf("orders in %s: %w", state, err)
	}
	return records, nil
}

// records reads the last orders of the ids that fulfil a condition.
func (t *tx) records(ctx context.Context, merchant string, ids []string, condition string, found map[string]Record) error {
	bySeq := map[int64]*Record{}
	last := map[string]int64{}
	err := t.probe(ctx, merchant, ids, func(marks string) string {
		return `SELECT ` + orderColumns + ` WHERE o.merchant = $1 AND ` + condition + ` AND o.id IN (` + marks + `)`
	}, func(rows *sql.Rows) error {
		seq, o, err := scanOrder(rows, merchant)
		if err == nil && seq > last[o.ID] {
			last[o.ID] = seq
			bySeq[seq] = &Record{Order: o, Seq: seq}
		}
		return err
	})
	if err != nil {
		return err
	}
	err = t.probe(ctx, merchant, ids, func(marks string) string {
		return `SELECT o.seq, o.requested, o.progress FROM removal_order AS o WHERE o.merchant = $1 AND ` + condition +
			` AND o.progress IS NOT NULL AND o.id IN (` + marks + `)`
	}, func(rows *sql.Rows) error { return scanProgress(rows, bySeq) })
	if err != nil {
		return err
	}
	for id, seq := range last {
		found[id] = *bySeq[seq]
	}
	return nil
}

func scanProgress(rows *sql.Rows, bySeq map[int64]*Record) error {
	var seq int64
	var p removal.Progress
	var progress string
	if err := rows.Scan(&seq, moment{&p.Requested}, &progress); err != nil {
		return err
	}
	r := bySeq[seq]
	if r == nil {
		return nil
	}
	if err := decodeProgress(progress, &p); err != nil {
		return fmt.Errorf("order %s: %w", r.ID, err)
	}
	r.Progress = p
	return nil
}

// Confirmation is an unfinished order that the marketplace knows, and since when.
type Confirmation struct {
	Order     string
	Requested time.Time
}

// Confirmed gives the ids of the unfinished orders that a status file has
// confirmed, with the moments at which they were made at the marketplace.
func (l *Ledger) Confirmed(ctx context.Context, merchant string) (orders []Confirmation, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var c Confirmation
			err := rows.Scan(&c.Order, moment{&c.Requested})
			orders = append(orders, c)
			return err
		}, `SELECT id, requested FROM removal_order WHERE merchant = $1 AND requested IS NOT NULL
			AND state IN ('planning', 'pending', 'processing') ORDER BY requested, id`, merchant)
	})
	if err != nil {
		return nil, fmt.Errorf("confirmed orders: %w", err)
	}
	return orders, nil
}

// HasState tells whether any order of a merchant is in a state. Orders that wait in
// blocks stay there: those of one file share a state.
func (l *Ledger) HasState(ctx context.Context, merchant string, state removal.State) (ok bool, err error) {
	err = l.read(ctx, func(tx *tx) error {
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM removal_order WHERE merchant = $1 AND state = $2)`,
			merchant, string(state)).Scan(&ok)
		if err != nil || ok {
			return err
		}
		return tx.each(ctx, func(rows *sql.Rows) error {
			var block []byte
			if err := rows.Scan(&block); err != nil {
				return err
			}
			common, _, err := decodeCommon(block)
			ok = ok || common.State == state
			return err
		}, `SELECT block FROM order_block WHERE merchant = $1 AND (base, part) IN (
			SELECT base, MIN(part) FROM order_block WHERE merchant = $1 GROUP BY base)`, merchant)
	})
	if err != nil {
		return false, fmt.Errorf("orders in %s: %w", state, err)
	}
	return ok, nil
}

// Clone gives a record that shares nothing that can be changed with r.
func (r Record) Clone() Record {
	r.Lines = slices.Clone(r.Lines)
	r.Progress.Lines = slices.Clone(r.Progress.Lines)
	for i := range r.Progress.Lines {
		r.Progress.Lines[i].Left = slices.Clone(r.Progress.Lines[i].Left)
	}
	return r
}
