package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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
	common shared
	args   []any
	n      int
	lines  []byte
	// The address before with its number, the numbers of all that this writer
	// wrote, by hash, and those that are still to be written.
	address    removal.Address
	addressSeq int64
	addresses  map[[16]byte]int64
	pending    []any
	// hashes are of the ids and families written, for the filter.
	hashes []uint64
}

func newOrderWriter(t *tx, h *merchantHead) *orderWriter {
	return &orderWriter{tx: t, head: h, addresses: map[[16]byte]int64{},
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
	if err := w.own(o, sellable, unsellable); err != nil {
		return fmt.Errorf("order %s: %w", o.ID, err)
	}
	if plain {
		w.n++
		return nil
	}
	if err := w.flushAddresses(ctx); err != nil {
		return err
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
func (w *orderWriter) own(o *removal.Order, sellable, unsellable removal.Units) (err error) {
	if w.lines, err = appendLines(w.lines[:0], o.Lines); err != nil {
		return err
	}
	w.head.orders++
	address := w.addressOf(&o.Address, w.head.orders)
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
	if err := w.flushAddresses(ctx); err != nil {
		return err
	}
	if err := w.tx.repeat(ctx, w.tx.dialect.insertOrders(w.n, ownColumns, nOwn), w.args...); err != nil {
		return fmt.Errorf("orders %s to %s: %w", w.args[nShared+1], w.args[len(w.args)-nOwn+1], err)
	}
	w.n = 0
	return nil
}

// nAddress is how many values an address has beside the merchant.
const nAddress = 10

// addressOf gives the number of an address; where it is new it gets that of the
// order, and is written before the orders are.
func (w *orderWriter) addressOf(a *removal.Address, order int64) any {
	if a.IsZero() {
		return nil
	}
	if w.addressSeq != 0 && *a == w.address {
		return w.addressSeq
	}
	hash := hashAddress(a)
	seq, known := w.addresses[hash]
	if !known {
		seq = order
		w.addresses[hash] = seq
		w.pending = append(w.pending, seq, a.Name, a.Line1, a.Line2, a.Line3, a.City, a.State, a.PostalCode, a.Country, a.Phone)
	}
	w.address, w.addressSeq = *a, seq
	return seq
}

// flushAddresses inserts the addresses that orders to be inserted have.
func (w *orderWriter) flushAddresses(ctx context.Context) error {
	n := len(w.pending) / nAddress
	if n == 0 {
		return nil
	}
	err := w.tx.repeat(ctx, w.tx.dialect.insertAddresses(n), append([]any{w.head.id}, w.pending...)...)
	w.pending = w.pending[:0]
	if err != nil {
		return fmt.Errorf("addresses: %w", err)
	}
	return nil
}

// insertAddresses is a statement for n addresses.
func (d *dialect) insertAddresses(n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO address (merchant, seq, name, line1, line2, line3, city, state, postal_code, country, phone) VALUES ")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("($1,")
		b.WriteString(d.marks(2+i*nAddress, nAddress))
		b.WriteByte(')')
	}
	return b.String()
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
