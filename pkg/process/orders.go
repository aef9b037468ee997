package process

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/storage"
	"rensa/pkg/validate"
)

// orderMaker makes the accepted orders of an upload with their lines, from its rows
// and their outcomes: packed for the ledger, and as they are handed on. Most orders
// stand whole in one block of rows and are packed there, side by side; the others
// are put together from their pieces. Each leaves it when its last row is through.
type orderMaker struct {
	rules  *validate.Rules
	common removal.Order // what all orders of the run share
	packer *ledger.OrderPacker
	packed *waitingOrders
	out    *outgoing // nil where nothing goes out
	// pieces are the parts, one but for split orders, of what is not complete.
	pieces map[int32][]*madeOrder
	spare  []*madeOrder // that have left
	most   int32        // orders and parts that are to leave
	left   int32        // have left
}

// madeOrder is an accepted order, or a part of a split one.
type madeOrder struct {
	order       removal.Order // without its lines
	lines       int
	packedLines []byte
	packed      []byte  // all of it, when it leaves
	rows        []byte  // in layout A
	items       []int32 // places of its SKUs in the snapshot
}

// Room for a line of an order in pieces, packed and as a row; and of how many such
// orders the memory is used again, none of them large.
const (
	lineRoom   = 40
	rowRoom    = 60
	mostSpare  = 1024
	spareLines = 256
)

func newOrderMaker(rules *validate.Rules, most int32, common removal.Order, out *outgoing, spool *storage.Spool) *orderMaker {
	m := &orderMaker{
		rules: rules, common: common, out: out, most: most,
		packed: &waitingOrders{waiting: waiting{spool: spool}}, pieces: map[int32][]*madeOrder{},
	}
	m.packer = ledger.NewOrderPacker(common, m.packed.put)
	return m
}

// orderPart is what one block of rows gives.
type orderPart struct {
	packed []byte
	runs   []orderRun
	made   madeOrder // used again
}

// orderRun is a stretch of adjacent rows of one order.
type orderRun struct {
	order    *decided
	from, to int // rows
	// whole tells that these are all of the order's rows that were accepted;
	// packed ends at end then.
	whole bool
	end   int
}

// pack makes what can be made of a block by itself.
func (m *orderMaker) pack(b *batch) error {
	rows, p := b.part.Rows, &b.orders
	p.packed, p.runs = p.packed[:0], p.runs[:0]
	for from, to, n := 0, 0, 0; from < len(rows); from, n = to, n+1 {
		order, accepted := rows[from].Outcome.Order, 0
		for to = from; to < len(rows) && rows[to].Outcome.Order == order; to++ {
			if rows[to].Outcome.Status == removal.Accepted {
				accepted++
			}
		}
		o := &b.decided[n].OrderOutcome
		if o.Accepted == 0 {
			continue
		}
		r := orderRun{order: b.decided[n], from: from, to: to}
		if r.whole = accepted == o.Accepted && rows[from].Outcome.Row == o.Row && o.Parts == nil; r.whole {
			made := &p.made
			m.begin(made, &rows[from], o, view)
			for i := from; i < to; i++ {
				if err := made.addLine(o, &rows[i]); err != nil {
					return err
				}
			}
			p.packed = ledger.PackOrder(p.packed, &made.order, made.lines, made.packedLines)
		}
		r.end = len(p.packed)
		p.runs = append(p.runs, r)
	}
	return nil
}

// view shows bytes as a string without copying them: for what is packed before the
// block is used again.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// keeper makes strings of the values of one order, in memory that they share.
func keeper() func([]byte) string {
	var all strings.Builder
	all.Grow(200)
	return func(v []byte) string {
		from := all.Len()
		all.Write(v)
		return all.String()[from:]
	}
}

// begin makes an order from its first row.
func (m *orderMaker) begin(made *madeOrder, row *report.Row, o *removal.OrderOutcome, text func([]byte) string) {
	order := &made.order
	*order, made.lines, made.packedLines = m.common, 0, made.packedLines[:0]
	order.ID, order.Family, order.Method, order.Row = o.ID, o.Family, o.Method, o.Row
	order.Generated, order.HeaderHash = o.Given == "", o.HeaderHash
	order.Notes = text(row.Row.Value(removal.FieldNotes))
	if o.Method == removal.Return {
		order.Address = m.rules.ReadAddress(row.Row, text)
	}
}

// addLine adds a row, if it was accepted, to its order.
func (d *madeOrder) addLine(outcome *removal.OrderOutcome, row *report.Row) (err error) {
	o := row.Outcome
	if o.Status != removal.Accepted {
		return nil
	}
	d.packedLines, err = ledger.PackLine(d.packedLines, &removal.Line{
		SKU: view(row.Row.Value(removal.FieldSKU)), FNSKU: view(row.FNSKU),
		AskedSellable: o.Sellable, AskedUnsellable: o.Unsellable,
		Sellable:   removal.Units{Requested: o.TakenSellable},
		Unsellable: removal.Units{Requested: o.TakenUnsellable},
		Fee:        o.Fee, HasFee: o.HasFee,
	})
	d.lines++
	d.order.Fee += o.Fee
	if !o.HasFee {
		d.order.NoFee++
		d.order.NoFeeReason = outcome.NoFeeReason
	}
	return err
}

// take takes what pack made of a block, in the order of the file.
func (m *orderMaker) take(b *batch) error {
	begin := 0
	for _, r := range b.orders.runs {
		if !r.whole {
			if err := m.piece(b, r); err != nil {
				return err
			}
			continue
		}
		made := &b.orders.made
		made.packed, made.rows, made.items = b.orders.packed[begin:r.end], r.rows(b), made.items[:0]
		begin = r.end
		made.addItems(b, r)
		if err := m.leave(r.order.rank, r.order.ID, r.order.Family, made); err != nil {
			return err
		}
	}
	return nil
}

// rows gives the accepted rows of a run as they are handed on, which stand together.
func (r orderRun) rows(b *batch) []byte {
	from, _ := b.part.OrderRow(r.from)
	_, to := b.part.OrderRow(r.to - 1)
	return b.part.Orders()[from:to]
}

// addItems adds the accepted SKUs of a run.
func (d *madeOrder) addItems(b *batch, r orderRun) {
	for i := r.from; i < r.to; i++ {
		if o := b.part.Rows[i].Outcome; o.Status == removal.Accepted {
			d.items = append(d.items, o.Item)
		}
	}
}

// piece adds a run of rows to an order that is not whole in its block.
func (m *orderMaker) piece(b *batch, r orderRun) error {
	o, number := &r.order.OrderOutcome, b.part.Rows[r.from].Outcome.Order
	parts := m.pieces[number]
	if parts == nil {
		for range max(1, len(o.Parts)) {
			made := m.fresh(o.Accepted/max(1, len(o.Parts)) + 1)
			m.begin(made, &b.part.Rows[r.from], o, keeper())
			parts = append(parts, made)
		}
		for i, id := range o.Parts {
			parts[i].order.ID = id
		}
		m.pieces[number] = parts
	}
	lines := 0
	for i := r.from; i < r.to; i++ {
		row := &b.part.Rows[i]
		made := parts[row.Outcome.Part]
		if err := made.addLine(o, row); err != nil {
			return err
		}
		one := orderRun{from: i, to: i + 1}
		made.rows = append(made.rows, one.rows(b)...)
		made.addItems(b, one)
	}
	for _, made := range parts {
		lines += made.lines
	}
	if lines < o.Accepted {
		return nil
	}
	delete(m.pieces, number)
	for i, made := range parts {
		made.packed = ledger.PackOrder(made.packed[:0], &made.order, made.lines, made.packedLines)
		if err := m.leave(r.order.rank+int32(i), made.order.ID, o.Family, made); err != nil {
			return err
		}
		if len(m.spare) < mostSpare && made.lines < spareLines {
			m.spare = append(m.spare, made)
		}
	}
	return nil
}

// fresh gives an order in pieces with room for some lines.
func (m *orderMaker) fresh(lines int) *madeOrder {
	made := &madeOrder{}
	if n := len(m.spare); n > 0 {
		made, m.spare = m.spare[n-1], m.spare[:n-1]
	}
	made.packedLines = slices.Grow(made.packedLines[:0], lines*lineRoom)
	made.rows, made.items = slices.Grow(made.rows[:0], lines*rowRoom), slices.Grow(made.items[:0], lines)
	return made
}

func (m *orderMaker) leave(rank int32, id, family string, made *madeOrder) error {
	if err := m.packer.Add(int(rank), id, family, made.packed); err != nil {
		return err
	}
	m.left++
	if m.out != nil {
		return m.out.add(id, made)
	}
	return nil
}

// end tells that all rows are through.
func (m *orderMaker) end() (*ledger.PackedOrders, error) {
	if m.left != m.most {
		return nil, fmt.Errorf("%d of %d accepted orders came through: %w", m.left, m.most, ledger.ErrUnbalanced)
	}
	count, err := m.packer.End()
	return &ledger.PackedOrders{Count: count, Blocks: m.packed.blocks}, err
}
