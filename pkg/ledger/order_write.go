package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"rensa/pkg/removal"
)

// An insert of orders says once what they have in common, and then each
// order's own values.
const (
	sharedColumns = "merchant, run, created, source, currency, state"
	ownColumns    = "seq, id, family, method, row, generated, header_hash, address, notes, fee, no_fee, no_fee_reason," +
		" items, sellable_requested, unsellable_requested, lines"
	// doneColumns are 0 for an order of which nothing is done yet.
	doneColumns = "cancel_requested, sellable_cancelled, sellable_disposed, sellable_shipped," +
		" unsellable_cancelled, unsellable_disposed, unsellable_shipped"
	nShared, nOwn, nDone = 6, 16, 7
	// ordersPerInsert: BenchmarkCommit chose it.
	ordersPerInsert = 50
)

// shared is what the orders of one insert have in common.
type shared struct {
	run, source, currency, state string
	created                      int64
}

// orderWriter inserts orders, many a statement.
type orderWriter struct {
	tx     *tx
	head   *merchantHead
	stmts  map[int]*sql.Stmt
	common shared
	args   []any
	n      int
	lines  []byte
	// The address before, and those known to stand in the ledger.
	address     removal.Address
	addressHash []byte
	known       map[[16]byte]bool
	// hashes are of the ids and families written, for the filter.
	hashes []uint64
}

func newOrderWriter(t *tx, h *merchantHead) *orderWriter {
	return &orderWriter{tx: t, head: h, stmts: map[int]*sql.Stmt{}, known: map[[16]byte]bool{},
		args: make([]any, 0, nShared+ordersPerInsert*nOwn)}
}

// insert is a statement for n orders.
func (d *dialect) insertOrders(n int, columns string, own int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO removal_order (" + sharedColumns + ", " + columns + ") VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("($1,$2,$3,$4,$5,$6,")
		b.WriteString(d.marks(nShared+1+i*own, own))
		b.WriteByte(')')
	}
	return b.String()
}

// add writes an order, at once or with those that follow it.
func (w *orderWriter) add(ctx context.Context, o *removal.Order) error {
	if o.Merchant != "" && o.Merchant != w.head.id {
		return fmt.Errorf("order %s is of merchant %s", o.ID, o.Merchant)
	}
	common := shared{o.Run, string(o.Source), o.Currency, string(o.State), o.Created.UnixMicro()}
	if o.Created.IsZero() {
		common.created = w.tx.now.UnixMicro()
	}
	if w.n == ordersPerInsert || w.n > 0 && common != w.common {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	if w.n == 0 {
		w.common = common
		w.args = append(w.args[:0], w.head.id, null(common.run), common.created, common.source, common.currency, common.state)
	}
	sellable, unsellable := o.Totals()
	plain := !o.CancelRequested && fresh(sellable) && fresh(unsellable)
	if !plain && w.n > 0 {
		if err := w.flush(ctx); err != nil {
			return err
		}
		return w.add(ctx, o)
	}
	if err := w.own(ctx, o, sellable, unsellable); err != nil {
		return fmt.Errorf("order %s: %w", o.ID, err)
	}
	if plain {
		w.n++
		return nil
	}
	args := append(w.args, bit(o.CancelRequested), sellable.Cancelled, sellable.Disposed, sellable.Shipped,
		unsellable.Cancelled, unsellable.Disposed, unsellable.Shipped)
	_, err := w.tx.ExecContext(ctx, w.tx.dialect.insertOrders(1, ownColumns+", "+doneColumns, nOwn+nDone), args...)
	if err != nil {
		return fmt.Errorf("order %s: %w", o.ID, err)
	}
	return nil
}

// own appends the order's own values.
func (w *orderWriter) own(ctx context.Context, o *removal.Order, sellable, unsellable removal.Units) (err error) {
	if w.lines, err = appendLines(w.lines[:0], o.Lines); err != nil {
		return err
	}
	address, err := w.addressOf(ctx, o.Address)
	if err != nil {
		return err
	}
	w.head.orders++
	w.hashes = append(w.hashes, hashID(o.ID))
	var family any
	if o.Family != "" && o.Family != o.ID {
		family = o.Family
		w.hashes = append(w.hashes, hashID(o.Family))
	}
	w.args = append(w.args, w.head.orders, o.ID, family, int64(o.Method), int64(o.Row), bit(o.Generated), int64(o.HeaderHash),
		address, null(o.Notes), int64(o.Fee), int64(o.NoFee), null(o.NoFeeReason),
		int64(len(o.Lines)), sellable.Requested, unsellable.Requested, string(w.lines))
	return nil
}

// flush inserts the orders that were added since.
func (w *orderWriter) flush(ctx context.Context) error {
	if w.n == 0 {
		return nil
	}
	stmt, ok := w.stmts[w.n]
	if !ok {
		var err error
		if stmt, err = w.tx.PrepareContext(ctx, w.tx.dialect.insertOrders(w.n, ownColumns, nOwn)); err != nil {
			return err
		}
		w.stmts[w.n] = stmt
	}
	if _, err := stmt.ExecContext(ctx, w.args...); err != nil {
		return fmt.Errorf("orders %s to %s: %w", w.args[nShared+1], w.args[len(w.args)-nOwn+1], err)
	}
	w.n = 0
	return nil
}

// close gives the statements back.
func (w *orderWriter) close() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// addressOf gives the key of an address, having written it where it is new.
func (w *orderWriter) addressOf(ctx context.Context, a removal.Address) (any, error) {
	if a.IsZero() {
		return nil, nil
	}
	if w.addressHash != nil && a == w.address {
		return w.addressHash, nil
	}
	hash := hashAddress(&a)
	w.address, w.addressHash = a, hash[:]
	if w.known[hash] {
		return w.addressHash, nil
	}
	w.known[hash] = true
	_, err := w.tx.ExecContext(ctx, `INSERT INTO address (merchant, hash, name, line1, line2, line3, city, state, postal_code, country, phone)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		w.head.id, hash[:], a.Name, a.Line1, a.Line2, a.Line3, a.City, a.State, a.PostalCode, a.Country, a.Phone)
	return w.addressHash, err
}

// hashAddress is 16 bytes of SHA-256 over the parts, each with its length.
func hashAddress(a *removal.Address) (h [16]byte) {
	var b []byte
	for _, part := range []string{a.Name, a.Line1, a.Line2, a.Line3, a.City, a.State, a.PostalCode, a.Country, a.Phone} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	sum := sha256.Sum256(b)
	copy(h[:], sum[:])
	return h
}
