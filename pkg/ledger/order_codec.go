package ledger

import (
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf8"

	"rensa/pkg/removal"
)

// Flags of an order in a block of orders.
const (
	packedFamily    = 1 << 0 // it was made from another order
	packedGenerated = 1 << 1
	packedAddress   = 1 << 2
	packedNotes     = 1 << 3
	packedNoFee     = 1 << 4
)

// Flags of a line.
const (
	packedFee   = 1 << 0
	packedLess  = 1 << 1 // less was taken than asked for
	packedFNSKU = 1 << 2
)

// ordersPerBlock is how many orders a block holds at most, and blockBytes how
// long it may get before the next begins.
const (
	ordersPerBlock = 1000
	blockBytes     = 128 << 10
)

// PackedOrders are the new orders of one file in packed form, each with its place
// among them.
type PackedOrders struct {
	Count int64
	// Blocks gives what an OrderPacker put, in the same order. It is called within
	// the transaction, as Commit.Outcomes is.
	Blocks func(yield func(OrderBlock) error) error
}

// OrderBlock is a block of packed orders.
type OrderBlock struct {
	Entries int
	Orders  []byte
	IDs     []byte // hashes of their ids and families, a block too
}

// OrderPacker gathers packed orders into blocks. It is used by one goroutine;
// PackOrder may be called by others meanwhile.
type OrderPacker struct {
	common removal.Order
	put    func(OrderBlock) error
	count  int64
	// Of the block at hand.
	entries int
	orders  []byte
	hashes  []uint64
}

// NewOrderPacker packs orders that have source, run, currency, state and time of
// common. It hands every block to put, which keeps none of the bytes.
func NewOrderPacker(common removal.Order, put func(OrderBlock) error) *OrderPacker {
	return &OrderPacker{common: common, put: put}
}

// Add takes an order, as PackOrder has packed it, and its place among the orders of
// the file, from 0: they may come in any order. The errors are those of put.
func (p *OrderPacker) Add(place int, id, family string, packed []byte) error {
	if p.entries == 0 {
		p.begin()
	}
	p.orders = binary.AppendUvarint(p.orders, uint64(place))
	p.orders = append(p.orders, packed...)
	p.entries++
	p.count++
	p.hashes = append(p.hashes, hashID(id))
	if family != "" && family != id {
		p.hashes = append(p.hashes, hashID(family))
	}
	if p.entries == ordersPerBlock || len(p.orders) >= blockBytes {
		return p.end()
	}
	return nil
}

func (p *OrderPacker) begin() {
	w := &writer{b: openFrame(p.orders[:0], blockOrders)}
	c := &p.common
	for _, s := range []string{c.Run, string(c.Source), c.Currency, string(c.State)} {
		w.bytes(s)
	}
	w.varint(c.Created.UnixMicro())
	p.orders, p.hashes = w.b, p.hashes[:0]
}

func (p *OrderPacker) end() error {
	if p.entries == 0 {
		return nil
	}
	closeFrame(p.orders)
	b := OrderBlock{Entries: p.entries, Orders: p.orders, IDs: encodeHashes(p.hashes)}
	p.entries = 0
	return p.put(b)
}

// End ends the packing and tells how many orders there were.
func (p *OrderPacker) End() (int64, error) { return p.count, p.end() }

// PackOrder appends an order of which nothing is done yet, without what a block
// says once for all its orders. In place of its Lines it takes as many as PackLine
// has packed.
func PackOrder(dst []byte, o *removal.Order, lines int, packed []byte) []byte {
	own := o.Family == "" || o.Family == o.ID
	dst = append(dst, flags(!own, o.Generated, !o.Address.IsZero(), o.Notes != "", o.NoFee != 0 || o.NoFeeReason != ""))
	dst = appendText(dst, o.ID)
	if !own {
		dst = appendText(dst, o.Family)
	}
	dst = append(dst, byte(o.Method))
	dst = binary.AppendUvarint(dst, uint64(o.Row))
	dst = binary.LittleEndian.AppendUint64(dst, o.HeaderHash)
	dst = binary.AppendVarint(dst, int64(o.Fee))
	if a := &o.Address; !a.IsZero() {
		for _, s := range [...]*string{&a.Name, &a.Line1, &a.Line2, &a.Line3, &a.City, &a.State, &a.PostalCode, &a.Country, &a.Phone} {
			dst = appendText(dst, *s)
		}
	}
	if o.Notes != "" {
		dst = appendText(dst, o.Notes)
	}
	if o.NoFee != 0 || o.NoFeeReason != "" {
		dst = appendText(binary.AppendUvarint(dst, uint64(o.NoFee)), o.NoFeeReason)
	}
	return append(binary.AppendUvarint(dst, uint64(lines)), packed...)
}

// PackLine appends a line of such an order. It fails where a key is not UTF-8.
func PackLine(dst []byte, l *removal.Line) ([]byte, error) {
	if !utf8.ValidString(l.SKU) || !utf8.ValidString(l.FNSKU) {
		return nil, fmt.Errorf("line of SKU %q, FNSKU %q: not UTF-8", l.SKU, l.FNSKU)
	}
	less := l.Sellable.Requested != l.AskedSellable || l.Unsellable.Requested != l.AskedUnsellable
	dst = append(dst, flags(l.HasFee, less, l.FNSKU != ""))
	dst = appendText(dst, l.SKU)
	if l.FNSKU != "" {
		dst = appendText(dst, l.FNSKU)
	}
	dst = binary.AppendUvarint(dst, uint64(l.AskedSellable))
	dst = binary.AppendUvarint(dst, uint64(l.AskedUnsellable))
	if less {
		dst = binary.AppendUvarint(dst, uint64(l.Sellable.Requested))
		dst = binary.AppendUvarint(dst, uint64(l.Unsellable.Requested))
	}
	if l.HasFee {
		dst = binary.AppendVarint(dst, int64(l.Fee))
	}
	return dst, nil
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// packedOrder is an order with its place among those of its file.
type packedOrder struct {
	removal.Order
	place int64
}

// decodeCommon reads what a block says once for all its orders, and gives the rest.
func decodeCommon(block []byte) (removal.Order, *reader, error) {
	r, err := payload(block, blockOrders)
	if err != nil {
		return removal.Order{}, nil, err
	}
	common := removal.Order{
		Run: r.string(), Source: removal.Source(r.string()), Currency: r.string(), State: removal.State(r.string()),
	}
	common.Created = time.UnixMicro(r.varint()).UTC()
	if r.bad {
		return removal.Order{}, nil, ErrDamaged
	}
	return common, r, nil
}

// decodeOrders reads a block of an OrderPacker. The errors are ErrDamaged and
// ErrNewer.
func decodeOrders(block []byte) ([]packedOrder, error) {
	common, r, err := decodeCommon(block)
	if err != nil {
		return nil, err
	}
	var orders []packedOrder
	for len(r.b) > 0 {
		o := packedOrder{Order: common, place: int64(r.uvarint())}
		r.order(&o.Order)
		if r.bad || o.place < 0 {
			return nil, ErrDamaged
		}
		orders = append(orders, o)
	}
	return orders, r.end()
}

func (r *reader) string() string { return string(r.bytes()) }

func (r *reader) order(o *removal.Order) {
	f := r.byte()
	o.ID = r.string()
	o.Family = o.ID
	if f&packedFamily != 0 {
		o.Family = r.string()
	}
	o.Generated = f&packedGenerated != 0
	o.Method = removal.Method(r.byte())
	o.Row = int(r.uvarint())
	o.HeaderHash = r.fixed64()
	o.Fee = removal.Amount(r.varint())
	if f&packedAddress != 0 {
		a := &o.Address
		for _, s := range [...]*string{&a.Name, &a.Line1, &a.Line2, &a.Line3, &a.City, &a.State, &a.PostalCode, &a.Country, &a.Phone} {
			*s = r.string()
		}
	}
	if f&packedNotes != 0 {
		o.Notes = r.string()
	}
	if f&packedNoFee != 0 {
		o.NoFee, o.NoFeeReason = int(r.uvarint()), r.string()
	}
	if o.Method > removal.Disposal {
		r.fail()
	}
	o.Lines = make([]removal.Line, r.count())
	for i := range o.Lines {
		r.line(&o.Lines[i])
	}
}

func (r *reader) line(l *removal.Line) {
	f := r.byte()
	l.SKU = r.string()
	if f&packedFNSKU != 0 {
		l.FNSKU = r.string()
	}
	l.AskedSellable, l.AskedUnsellable = int64(r.uvarint()), int64(r.uvarint())
	l.Sellable.Requested, l.Unsellable.Requested = l.AskedSellable, l.AskedUnsellable
	if f&packedLess != 0 {
		l.Sellable.Requested, l.Unsellable.Requested = int64(r.uvarint()), int64(r.uvarint())
	}
	if f&packedFee != 0 {
		l.Fee, l.HasFee = removal.Amount(r.varint()), true
	}
}
