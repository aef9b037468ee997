package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rensa/pkg/removal"
)

// OrderRow is an order in a list: its totals, without its lines.
type OrderRow struct {
	ID, Merchant         string
	State                removal.State
	Method               removal.Method
	Source               removal.Source
	Run                  string
	Created              time.Time
	Lines                int
	Sellable, Unsellable removal.Units
	Fee                  removal.Amount
	Currency             string
	NoFee                int
	NoFeeReason          string
	CancelRequested      bool
}

// OrderFilter says which orders to list; what is zero does not matter.
type OrderFilter struct {
	Merchant string // always needed
	State    removal.State
	Method   removal.Method
	SKU      string // a line with exactly this one
	Since    time.Time
	Prefix   string // how the id begins
	Run      string // the run that made it
	File     string // the name of the file that made it, or the run's id
	Limit    int    // default 100
	Cursor   string // from the list before, "" for the first
}

// defaultLimit is how many a list gives that names no limit.
const defaultLimit = 100

// errEnough ends a query of which no more rows are wanted.
var errEnough = errors.New("enough rows")

// lastRune follows, after a prefix, every text that begins with the prefix.
const lastRune = "\U0010FFFF"

// conditions gathers the parts of a WHERE with their arguments.
type conditions struct {
	parts []string
	args  []any
}

// mark adds an argument and gives its mark.
func (c *conditions) mark(arg any) string {
	c.args = append(c.args, arg)
	return "$" + strconv.Itoa(len(c.args))
}

func (c *conditions) add(part string) { c.parts = append(c.parts, part) }

func (c *conditions) String() string { return strings.Join(c.parts, " AND ") }

// cursor adds that a list by falling number goes on where a cursor says.
func (c *conditions) cursor(column, cursor string) error {
	if cursor == "" {
		return nil
	}
	seq, err := strconv.ParseInt(cursor, 36, 64)
	if err != nil || seq <= 0 {
		return ErrCursor
	}
	c.add(column + " < " + c.mark(seq))
	return nil
}

func cursorAt(seq int64) string { return strconv.FormatInt(seq, 36) }

// ListOrders lists orders, newest first, and gives the cursor under which the
// list goes on, "" at its end. ErrCursor: the cursor is none of this list's.
func (l *Ledger) ListOrders(ctx context.Context, f OrderFilter) (list []OrderRow, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	few, err := l.fewSince(ctx, f)
	if err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	c, err := l.orderConditions(f, few)
	if err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	lines, limit := "''", " LIMIT "+strconv.Itoa(f.Limit+1)
	if f.SKU != "" {
		// The condition may let through an order too many, so lines are looked
		// at, and how many rows that takes is not known.
		lines, limit = "o.lines", ""
	}
	query := `SELECT o.seq, o.id, o.merchant, o.state, o.method, o.source, o.run, o.created, o.items,
		o.sellable_requested, o.sellable_cancelled, o.sellable_disposed, o.sellable_shipped,
		o.unsellable_requested, o.unsellable_cancelled, o.unsellable_disposed, o.unsellable_shipped,
		o.fee, o.currency, o.no_fee, o.no_fee_reason, o.cancel_requested, ` + lines + `
		FROM removal_order AS o WHERE ` + c.String() + ` ORDER BY o.seq DESC` + limit
	var last int64
	err = l.readOrders(ctx, f.Merchant, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			seq, o, ok, err := scanOrderRow(rows, f.SKU)
			switch {
			case err != nil || !ok:
				return err
			case len(list) == f.Limit:
				next = cursorAt(last)
				return errEnough
			}
			list, last = append(list, o), seq
			return nil
		}, query, c.args...)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	return list, next, nil
}

// fewOrders is up to how many orders of a span of time are looked up by their date.
// More are found by falling number soon enough.
const fewOrders = 2000

// fewSince tells whether only few orders are as new as a filter wants.
func (l *Ledger) fewSince(ctx context.Context, f OrderFilter) (few bool, err error) {
	if f.Since.IsZero() {
		return false, nil
	}
	err = l.readOrders(ctx, f.Merchant, func(tx *tx) error {
		return tx.QueryRowContext(ctx, `SELECT count(*) <= $3 FROM (SELECT 1 FROM removal_order WHERE merchant = $1 AND created >= $2 LIMIT $4) AS some`,
			f.Merchant, f.Since.UnixMicro(), fewOrders, fewOrders+1).Scan(&few)
	})
	return few, err
}

func (l *Ledger) orderConditions(f OrderFilter, few bool) (*conditions, error) {
	c := &conditions{}
	c.add("o.merchant = " + c.mark(f.Merchant))
	if f.State != "" {
		c.add("o.state = " + c.mark(string(f.State)))
	}
	if f.Method != removal.MethodNone {
		c.add("o.method = " + c.mark(int64(f.Method)))
	}
	if !f.Since.IsZero() {
		since := c.mark(f.Since.UnixMicro())
		// The + keeps the index by date out of it: many are found sooner by number.
		c.add("+o.created >= " + since)
		if few {
			c.add("o.seq IN (SELECT seq FROM removal_order WHERE merchant = $1 AND created >= " + since + ")")
		}
	}
	if f.Prefix != "" {
		from, to := c.mark(f.Prefix), c.mark(f.Prefix+lastRune)
		// Looked for among the ids first: by falling number all orders might
		// have to be gone through.
		c.add(fmt.Sprintf(`o.seq IN (SELECT seq FROM removal_order WHERE merchant = $1 AND state <> 'refused' AND id >= %[1]s AND id < %[2]s
			UNION ALL SELECT seq FROM removal_order WHERE merchant = $1 AND state = 'refused' AND id >= %[1]s AND id < %[2]s)`, from, to))
	}
	if f.Run != "" {
		run := c.mark(f.Run)
		c.add("o.seq > (SELECT order_after FROM run WHERE merchant = $1 AND id = " + run + ")")
		c.add("o.seq <= (SELECT order_last FROM run WHERE merchant = $1 AND id = " + run + ")")
	}
	if f.File != "" {
		file := c.mark(f.File)
		c.add(fmt.Sprintf(`o.run IN (SELECT id FROM run WHERE merchant = $1 AND (id = %[1]s OR file_name = %[1]s))
			AND o.seq > (SELECT min(order_after) FROM run WHERE merchant = $1 AND (id = %[1]s OR file_name = %[1]s) AND order_last > order_after)
			AND o.seq <= (SELECT max(order_last) FROM run WHERE merchant = $1 AND (id = %[1]s OR file_name = %[1]s))`, file))
	}
	if f.SKU != "" {
		c.add(l.skuCondition(c, f.SKU))
	}
	return c, c.cursor("o.seq", f.Cursor)
}

// scanOrderRow scans a row of the list; ok says whether it has the SKU.
func scanOrderRow(rows *sql.Rows, sku string) (seq int64, o OrderRow, ok bool, err error) {
	var lines string
	s, u := &o.Sellable, &o.Unsellable
	err = rows.Scan(&seq, &o.ID, &o.Merchant, &o.State, &o.Method, &o.Source, text{&o.Run}, moment{&o.Created}, &o.Lines,
		&s.Requested, &s.Cancelled, &s.Disposed, &s.Shipped, &u.Requested, &u.Cancelled, &u.Disposed, &u.Shipped,
		&o.Fee, &o.Currency, &o.NoFee, text{&o.NoFeeReason}, &o.CancelRequested, &lines)
	if err != nil || sku == "" {
		return seq, o, err == nil, err
	}
	parsed, err := parseLines(lines)
	for i := range parsed {
		ok = ok || parsed[i].SKU == sku
	}
	return seq, o, ok, err
}
