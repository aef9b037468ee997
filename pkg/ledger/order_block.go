package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// The orders of a large file are committed in packed blocks: to make a row of
// each takes several times as long as to decide them. They are entered as rows,
// in steps, by whoever next asks for orders of the merchant, or by a worker that
// has nothing better to do.

const (
	// rowsAtOnce is up to how many orders become rows in the commit itself:
	// TestOrderBlocks has files on both sides of it.
	rowsAtOnce = 256
	// blocksPerStep is how many blocks one transaction enters, so that other
	// writers wait for a part of a second only.
	blocksPerStep = 8
)

// errWaiting says that orders wait in blocks.
var errWaiting = errors.New("orders wait to be entered")

// EnterOrders makes rows of the orders of a merchant that wait in blocks. Every
// method that looks at orders does so before.
func (l *Ledger) EnterOrders(ctx context.Context, merchant string) error {
	for {
		more := false
		err := l.write(ctx, func(tx *tx) (err error) {
			more, err = tx.enterBlocks(ctx, merchant, blocksPerStep)
			return err
		})
		if err != nil {
			return fmt.Errorf("enter orders: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// readOrders is read for what looks at orders: those that wait are entered first.
func (l *Ledger) readOrders(ctx context.Context, merchant string, fn func(*tx) error) error {
	for {
		err := l.read(ctx, func(tx *tx) error {
			waiting, err := tx.waiting(ctx, merchant)
			if err != nil {
				return err
			}
			if waiting {
				return errWaiting
			}
			return fn(tx)
		})
		if !errors.Is(err, errWaiting) {
			return err
		}
		if err := l.EnterOrders(ctx, merchant); err != nil {
			return err
		}
	}
}

func (t *tx) waiting(ctx context.Context, merchant string) (waiting bool, err error) {
	err = t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM order_block WHERE merchant = $1)`, merchant).Scan(&waiting)
	return waiting, err
}

// waitingBlock is a block of orders that wait.
type waitingBlock struct {
	base, part int64
	block      []byte
}

// enterBlocks enters the oldest blocks; more tells whether any are left.
func (t *tx) enterBlocks(ctx context.Context, merchant string, most int) (more bool, err error) {
	blocks, err := t.blocks(ctx, `SELECT base, part, block FROM order_block WHERE merchant = $1 ORDER BY base, part LIMIT $2`, merchant, most+1)
	if err != nil || len(blocks) == 0 {
		return false, err
	}
	more = len(blocks) > most
	return more, t.enter(ctx, merchant, blocks[:min(most, len(blocks))])
}

func (t *tx) blocks(ctx context.Context, query string, args ...any) (blocks []waitingBlock, err error) {
	err = t.each(ctx, func(rows *sql.Rows) error {
		var b waitingBlock
		err := rows.Scan(&b.base, &b.part, &b.block)
		blocks = append(blocks, b)
		return err
	}, query, args...)
	return blocks, err
}

func (t *tx) enter(ctx context.Context, merchant string, blocks []waitingBlock) error {
	for _, b := range blocks {
		err := t.enterBlock(ctx, merchant, b.base, b.block)
		if err == nil {
			err = t.one(ctx, `DELETE FROM order_block WHERE merchant = $1 AND base = $2 AND part = $3`, merchant, b.base, b.part)
		}
		if err != nil {
			return fmt.Errorf("orders after number %d, block %d: %w", b.base, b.part, err)
		}
	}
	return nil
}

// enterOrdersOf enters the blocks that may have orders of these ids or families.
func (l *Ledger) enterOrdersOf(ctx context.Context, merchant string, ids []string) error {
	asked := make(map[uint64]bool, len(ids))
	for _, id := range ids {
		asked[hashID(id)] = true
	}
	var some []waitingBlock
	err := l.read(ctx, func(tx *tx) (err error) {
		some, err = tx.blocksWith(ctx, merchant, asked)
		return err
	})
	for step := range slices.Chunk(some, blocksPerStep) {
		if err != nil {
			break
		}
		err = l.write(ctx, func(tx *tx) error { return tx.enterThese(ctx, merchant, step) })
	}
	if err != nil {
		return fmt.Errorf("enter orders: %w", err)
	}
	return nil
}

// blocksWith finds the blocks, without their bytes, that may have orders of which an
// id or a family has one of some hashes: of blocks without hashes nothing is known.
func (t *tx) blocksWith(ctx context.Context, merchant string, asked map[uint64]bool) (some []waitingBlock, err error) {
	var hashes []uint64
	err = t.each(ctx, func(rows *sql.Rows) error {
		var b waitingBlock
		var block sql.RawBytes
		if err := rows.Scan(&b.base, &b.part, &block); err != nil {
			return err
		}
		var unknown error
		hashes, unknown = decodeHashes(hashes[:0], block)
		if unknown != nil || slices.ContainsFunc(hashes, func(h uint64) bool { return asked[h] }) {
			some = append(some, b)
		}
		return nil
	}, `SELECT base, part, ids FROM order_block WHERE merchant = $1 ORDER BY base, part`, merchant)
	return some, err
}

// enterThese enters blocks of which the bytes are still to be read. One that is no
// longer there was entered by another.
func (t *tx) enterThese(ctx context.Context, merchant string, some []waitingBlock) error {
	for _, b := range some {
		there, err := t.blocks(ctx, `SELECT base, part, block FROM order_block WHERE merchant = $1 AND base = $2 AND part = $3`, merchant, b.base, b.part)
		if err == nil {
			err = t.enter(ctx, merchant, there)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// enterAll enters all blocks within the transaction.
func (t *tx) enterAll(ctx context.Context, merchant string) error {
	for {
		more, err := t.enterBlocks(ctx, merchant, blocksPerStep)
		if err != nil || !more {
			return err
		}
	}
}

func (t *tx) enterBlock(ctx context.Context, merchant string, base int64, block []byte) error {
	orders, err := decodeOrders(block)
	if err != nil {
		return err
	}
	head := &merchantHead{id: merchant}
	w := newOrderWriter(t, head)
	for i := range orders {
		head.orders = base + orders[i].place // the writer numbers what comes by the one after
		if err := w.add(ctx, &orders[i].Order); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

// putPacked writes the new orders of a run: few as rows, many as blocks.
func (t *tx) putPacked(ctx context.Context, h *merchantHead, run string, p *PackedOrders) error {
	if p == nil || p.Count == 0 {
		return nil
	}
	rows := p.Count <= rowsAtOnce
	if !rows {
		// A draft goes when its order comes: with few drafts that is seldom.
		var err error
		if rows, err = t.anyDraft(ctx, h.id); err != nil {
			return err
		}
	}
	filter, err := t.dueFilter(ctx, h, p.Count, !rows)
	if err != nil {
		return err
	}
	var fresh map[uint64]bool
	if rows {
		fresh = map[uint64]bool{}
	}
	if err := t.putBlocks(ctx, h, run, p, filter, fresh); err != nil {
		return fmt.Errorf("orders: %w", err)
	}
	h.orders += p.Count
	if rows {
		// Those of earlier files stay packed, but where an id would come twice: the
		// database then tells of it.
		some, err := t.blocksWith(ctx, h.id, fresh)
		if err == nil {
			err = t.enterThese(ctx, h.id, some)
		}
		if err != nil {
			return err
		}
	}
	if err := t.one(ctx, `UPDATE run SET order_last = $1 WHERE merchant = $2 AND id = $3`, h.orders, h.id, run); err != nil {
		return err
	}
	if rows {
		if err := t.dropUploaded(ctx, h.id, run); err != nil {
			return err
		}
	}
	return t.saveFilter(ctx, h, filter)
}

// putBlocks writes the blocks, and adds the hashes of what stands in them to the filter,
// if it is to be written, and to all, if it is there.
func (t *tx) putBlocks(ctx context.Context, h *merchantHead, run string, p *PackedOrders, filter *idFilter, all map[uint64]bool) error {
	part, count := 0, int64(0)
	var hashes []uint64
	err := p.Blocks(func(b OrderBlock) (err error) {
		err = t.repeat(ctx, `INSERT INTO order_block (merchant, base, part, run, entries, block, ids) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			h.id, h.orders, part, run, b.Entries, b.Orders, b.IDs)
		if err != nil {
			return err
		}
		part++
		count += int64(b.Entries)
		if hashes, err = decodeHashes(hashes[:0], b.IDs); err != nil {
			return err
		}
		for _, hash := range hashes {
			if filter != nil {
				filter.add(hash)
			}
			if all != nil {
				all[hash] = true
			}
		}
		return nil
	})
	if err == nil && count != p.Count {
		err = fmt.Errorf("%d of %d came: %w", count, p.Count, ErrUnbalanced)
	}
	return err
}

func (t *tx) anyDraft(ctx context.Context, merchant string) (any bool, err error) {
	err = t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM draft WHERE merchant = $1)`, merchant).Scan(&any)
	return any, err
}
