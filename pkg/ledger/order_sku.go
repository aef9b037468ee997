package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Orders are found by SKU through a table of hashes that is written after the
// commit, in sorted order, up to a mark; a search looks at the orders behind the
// mark one by one. A hash may let an order through that has the SKU not: whoever
// searches looks at the lines too.

// indexStep is how many orders one step takes in, and indexTail how many may wait:
// to look through them takes a few milliseconds.
const (
	indexStep = 100000
	indexTail = 500
)

type skuEntry struct{ hash, seq int64 }

// IndexOrders enters the orders that came since into the table by which they are
// found by SKU. Few that wait are left to the search; many are taken in steps,
// each a transaction.
func (l *Ledger) IndexOrders(ctx context.Context, merchant string) error {
	for {
		if err := l.EnterOrders(ctx, merchant); err != nil {
			return err
		}
		done := false
		err := l.write(ctx, func(tx *tx) (err error) {
			done, err = tx.indexOrders(ctx, merchant)
			return err
		})
		if errors.Is(err, errWaiting) {
			continue
		}
		if err != nil {
			return fmt.Errorf("index orders: %w", err)
		}
		if done {
			return nil
		}
	}
}

func (t *tx) indexMark(ctx context.Context, merchant string) (mark int64, err error) {
	err = t.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM order_sku_mark WHERE merchant = $1`, merchant).Scan(&mark)
	return mark, err
}

// indexOrders takes one step. The error is errWaiting where orders came since others
// were entered: the mark would pass them by.
func (t *tx) indexOrders(ctx context.Context, merchant string) (done bool, err error) {
	if waiting, err := t.waiting(ctx, merchant); err != nil || waiting {
		return false, cmp.Or(err, errWaiting)
	}
	mark, err := t.indexMark(ctx, merchant)
	if err != nil {
		return false, err
	}
	var last int64
	if err := t.QueryRowContext(ctx, `SELECT orders FROM merchant WHERE id = $1`, merchant).Scan(&last); err != nil {
		return false, missing(err)
	}
	if last-mark < indexTail {
		return true, nil
	}
	upTo := min(last, mark+indexStep)
	var entries []skuEntry
	err = t.each(ctx, func(rows *sql.Rows) error {
		var seq int64
		var lines string
		if err := rows.Scan(&seq, &lines); err != nil {
			return err
		}
		parsed, err := parseLines(lines)
		for i := range parsed {
			entries = append(entries, skuEntry{skuHash(parsed[i].SKU), seq})
		}
		return err
	}, `SELECT seq, lines FROM removal_order WHERE merchant = $1 AND seq > $2 AND seq <= $3`, merchant, mark, upTo)
	if err != nil {
		return false, err
	}
	if err := t.putSKUs(ctx, merchant, entries); err != nil {
		return false, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO order_sku_mark (merchant, seq) VALUES ($1, $2)
		ON CONFLICT (merchant) DO UPDATE SET seq = excluded.seq`, merchant, upTo)
	return upTo == last, err
}

// skuHash is a SKU as the table has it.
func skuHash(sku string) int64 { return int64(hashID(sku)) }

// skusPerInsert is how many entries one statement writes.
const skusPerInsert = 400

// putSKUs inserts entries in the order of the table, many a statement.
func (t *tx) putSKUs(ctx context.Context, merchant string, entries []skuEntry) (err error) {
	slices.SortFunc(entries, func(a, b skuEntry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.seq, b.seq))
	})
	entries = slices.Compact(entries)
	whole := len(entries) / skusPerInsert * skusPerInsert
	if err := t.putWhole(ctx, merchant, entries[:whole]); err != nil {
		return err
	}
	if rest := entries[whole:]; len(rest) > 0 {
		_, err = t.ExecContext(ctx, t.dialect.insertSKUs(len(rest)), skuArgs(merchant, rest)...)
	}
	return err
}

// putWhole inserts entries whose number is a whole one of statements.
func (t *tx) putWhole(ctx context.Context, merchant string, entries []skuEntry) (err error) {
	if len(entries) == 0 {
		return nil
	}
	stmt, err := t.PrepareContext(ctx, t.dialect.insertSKUs(skusPerInsert))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	for part := range slices.Chunk(entries, skusPerInsert) {
		if _, err := stmt.ExecContext(ctx, skuArgs(merchant, part)...); err != nil {
			return err
		}
	}
	return nil
}

// insertSKUs is a statement for n entries.
func (d *dialect) insertSKUs(n int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO order_sku (merchant, hash, seq) VALUES `)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`($1,` + d.marks(2+2*i, 2) + `)`)
	}
	b.WriteString(` ON CONFLICT DO NOTHING`)
	return b.String()
}

func skuArgs(merchant string, entries []skuEntry) []any {
	args := make([]any, 1, 1+2*len(entries))
	args[0] = merchant
	for _, e := range entries {
		args = append(args, e.hash, e.seq)
	}
	return args
}

// skuCondition lets the orders through that have a SKU, and hardly any other: by
// the table up to its mark, by their lines behind it.
func (l *Ledger) skuCondition(c *conditions, sku string) string {
	hash := c.mark(skuHash(sku))
	holds, arg := l.dialect.holdsSKU("$"+strconv.Itoa(len(c.args)+1), sku)
	c.mark(arg)
	return `o.seq IN (SELECT seq FROM order_sku WHERE merchant = $1 AND hash = ` + hash + `
		UNION ALL SELECT seq FROM removal_order WHERE merchant = $1
		AND seq > coalesce((SELECT seq FROM order_sku_mark WHERE merchant = $1), 0) AND ` + holds + `)`
}

// indexChanged enters the lines of a changed order, if orders up to it are
// entered: a status file may have told of lines that are new.
func (t *tx) indexChanged(ctx context.Context, merchant string, r *Record) error {
	mark, err := t.indexMark(ctx, merchant)
	if err != nil || r.Seq > mark {
		return err
	}
	var entries []skuEntry
	for i := range r.Lines {
		entries = append(entries, skuEntry{skuHash(r.Lines[i].SKU), r.Seq})
	}
	return t.putSKUs(ctx, merchant, entries)
}
