package ledger

import (
	"slices"

	"rensa/pkg/removal"
)

// Flags of a row in a block of outcomes. The usual row, one below the last and
// accepted as asked, is its flags, the place of its SKU, two quantities and a fee.
const (
	rowStatus   = 3      // two bits
	rowLine     = 1 << 2 // its line is not as far from its row as before
	rowSkips    = 1 << 3 // its row is not the next
	rowOrder    = 1 << 4 // its order is not the one before
	rowFee      = 1 << 5
	rowTaken    = 1 << 6 // what was taken is not what the status says
	rowMore     = 1 << 7 // a part or problems follow
	problemRow  = 1 << 0 // the problem stands elsewhere than its row
	problemCol  = 1 << 1
	problemArgs = 1 << 2
)

// OutcomeCounts is what a block of outcomes says of its rows.
type OutcomeCounts struct {
	Rows, Accepted, Rejected, Seen int
	// First and Last are the numbers of the first and the last row.
	First, Last int
}

// EncodeOutcomes appends a block with what was decided about some rows; a few
// thousand make a good block. Of a problem it keeps row, line, column number,
// field, code and args: the cell's value and heading, order id and SKU come from
// the input when they are shown, so that no address stands in a block.
func EncodeOutcomes(dst []byte, rows []removal.Outcome) []byte {
	start := len(dst)
	w := &writer{b: openFrame(dst, blockOutcomes)}
	var n [3]int
	first, last := 0, 0
	for i := range rows {
		n[rows[i].Status%3]++
	}
	if len(rows) > 0 {
		first, last = rows[0].Row, rows[len(rows)-1].Row
	}
	w.uvarint(uint64(len(rows)))
	w.uvarint(uint64(n[removal.Accepted]))
	w.uvarint(uint64(n[removal.Seen]))
	w.varint(int64(first))
	w.varint(int64(last))

	before := &removal.Outcome{}
	for i := range rows {
		encodeOutcome(w, &rows[i], before)
		before = &rows[i]
	}
	closeFrame(w.b[start:])
	return w.b
}

func encodeOutcome(w *writer, o, before *removal.Outcome) {
	wantS, wantU := takenAs(o)
	f := flags(false, false,
		o.Line-o.Row != before.Line-before.Row,
		o.Row != before.Row+1,
		o.Order != before.Order,
		o.HasFee || o.Fee != 0,
		o.TakenSellable != wantS || o.TakenUnsellable != wantU,
		o.Part != 0 || len(o.Problems) > 0) | byte(o.Status%3)
	w.byte(f)
	if f&rowSkips != 0 {
		w.varint(int64(o.Row) - int64(before.Row))
	}
	if f&rowLine != 0 {
		w.varint(int64(o.Line) - int64(o.Row))
	}
	if f&rowOrder != 0 {
		w.varint(int64(o.Order) - int64(before.Order))
	}
	w.varint(int64(o.Item) - int64(before.Item))
	w.varint(o.Sellable)
	w.varint(o.Unsellable)
	if f&rowTaken != 0 {
		w.varint(o.TakenSellable)
		w.varint(o.TakenUnsellable)
	}
	if f&rowFee != 0 {
		w.byte(flags(o.HasFee))
		w.varint(int64(o.Fee))
	}
	if f&rowMore != 0 {
		w.varint(int64(o.Part))
		encodeProblems(w, o.Problems, o.Row, o.Line)
	}
}

// takenAs is what a row of that status has usually taken.
func takenAs(o *removal.Outcome) (sellable, unsellable int64) {
	if o.Status == removal.Accepted {
		return o.Sellable, o.Unsellable
	}
	return 0, 0
}

// encodeProblems writes problems that stand, unless they say otherwise, at a
// row and line.
func encodeProblems(w *writer, ps []removal.Problem, row, line int) {
	w.uvarint(uint64(len(ps)))
	for i := range ps {
		p := &ps[i]
		f := flags(p.Row != row || p.Line != line, p.Col != 0, len(p.Args) > 0)
		w.byte(f)
		w.byte(byte(p.Code))
		w.byte(byte(p.Field))
		if f&problemRow != 0 {
			w.varint(int64(p.Row))
			w.varint(int64(p.Line))
		}
		if f&problemCol != 0 {
			w.varint(int64(p.Col))
		}
		if f&problemArgs != 0 {
			w.uvarint(uint64(len(p.Args)))
			for _, a := range p.Args {
				w.text(a.Name)
				w.text(a.Value)
			}
		}
	}
}

func decodeProblems(r *reader, row, line int) []removal.Problem {
	n := r.count()
	if n == 0 {
		return nil
	}
	ps := make([]removal.Problem, n)
	for i := range ps {
		p := &ps[i]
		f := r.byte()
		p.Code, p.Field = removal.Code(r.byte()), removal.Field(r.byte())
		p.Row, p.Line = row, line
		if f&problemRow != 0 {
			p.Row, p.Line = int(r.varint()), int(r.varint())
		}
		if f&problemCol != 0 {
			p.Col = int(r.varint())
		}
		if f&problemArgs != 0 {
			p.Args = make(removal.Args, r.count())
			for j := range p.Args {
				p.Args[j] = removal.Arg{Name: r.text(), Value: r.text()}
			}
		}
		if r.bad {
			return nil
		}
	}
	return ps
}

// CountOutcomes reads what a block says of its rows, without reading them. The
// errors are ErrDamaged and ErrNewer.
func CountOutcomes(block []byte) (OutcomeCounts, error) {
	r, err := payload(block, blockOutcomes)
	if err != nil {
		return OutcomeCounts{}, err
	}
	c := countOutcomes(r)
	if r.bad {
		return OutcomeCounts{}, ErrDamaged
	}
	return c, nil
}

func countOutcomes(r *reader) OutcomeCounts {
	c := OutcomeCounts{Rows: r.count(), Accepted: r.count(), Seen: r.count()}
	c.First, c.Last = int(r.varint()), int(r.varint())
	c.Rejected = c.Rows - c.Accepted - c.Seen
	if c.Rejected < 0 {
		r.fail()
	}
	return c
}

// DecodeOutcomes appends what a block of EncodeOutcomes holds to rows. The errors
// are ErrDamaged and ErrNewer.
func DecodeOutcomes(rows []removal.Outcome, block []byte) ([]removal.Outcome, error) {
	r, err := payload(block, blockOutcomes)
	if err != nil {
		return nil, err
	}
	// The counts leave at least one byte a row in what follows.
	c := countOutcomes(r)
	if r.bad || c.Rows > len(r.b) {
		return nil, ErrDamaged
	}
	begin := len(rows)
	rows = slices.Grow(rows, c.Rows)[:begin+c.Rows]
	before := &removal.Outcome{}
	for i := begin; i < len(rows); i++ {
		rows[i] = removal.Outcome{}
		decodeOutcome(r, &rows[i], before)
		if r.bad {
			return nil, ErrDamaged
		}
		before = &rows[i]
	}
	return rows, r.end()
}

func decodeOutcome(r *reader, o, before *removal.Outcome) {
	f := r.byte()
	o.Status = removal.Status(f & rowStatus)
	if o.Status > removal.Seen {
		r.fail()
		return
	}
	o.Row = before.Row + 1
	if f&rowSkips != 0 {
		o.Row = before.Row + int(r.varint())
	}
	o.Line = o.Row + before.Line - before.Row
	if f&rowLine != 0 {
		o.Line = o.Row + int(r.varint())
	}
	o.Order = before.Order
	if f&rowOrder != 0 {
		o.Order = int32(int64(before.Order) + r.varint())
	}
	o.Item = int32(int64(before.Item) + r.varint())
	o.Sellable, o.Unsellable = r.varint(), r.varint()
	o.TakenSellable, o.TakenUnsellable = takenAs(o)
	if f&rowTaken != 0 {
		o.TakenSellable, o.TakenUnsellable = r.varint(), r.varint()
	}
	if f&rowFee != 0 {
		o.HasFee = r.byte()&1 != 0
		o.Fee = removal.Amount(r.varint())
	}
	if f&rowMore != 0 {
		o.Part = r.int32()
		o.Problems = decodeProblems(r, o.Row, o.Line)
	}
}

// EncodeOrderOutcomes appends a block with what was decided about some orders,
// of whose problems it keeps what EncodeOutcomes keeps.
func EncodeOrderOutcomes(dst []byte, orders []removal.OrderOutcome) []byte {
	start := len(dst)
	w := &writer{b: openFrame(dst, blockOrderOutcomes)}
	w.uvarint(uint64(len(orders)))
	row := 0
	for i := range orders {
		w.orderOutcome(&orders[i], row)
		row = orders[i].Row
	}
	closeFrame(w.b[start:])
	return w.b
}

// AppendOrderOutcome appends what was decided about one order, as EncodeOrderOutcomes
// keeps it, for this process alone: without version and checksum.
func AppendOrderOutcome(dst []byte, o *removal.OrderOutcome) []byte {
	w := writer{b: dst, alone: true}
	w.orderOutcome(o, 0)
	return w.b
}

// ReadOrderOutcome reads what AppendOrderOutcome appended. The error is ErrDamaged.
func ReadOrderOutcome(b []byte, o *removal.OrderOutcome) error {
	r := reader{b: b, alone: true}
	*o = removal.OrderOutcome{}
	r.orderOutcome(o, 0)
	return r.end()
}

// orderOutcome writes an order, after one whose first row was before.
func (w *writer) orderOutcome(o *removal.OrderOutcome, before int) {
	w.byte(flags(o.Refused, o.Continued, o.Matched, o.Given == o.ID, o.Family == o.ID,
		len(o.Problems) > 0, o.NoFee != 0 || o.NoFeeReason != "", len(o.Parts) > 0))
	w.bytes(o.ID)
	if o.Given != o.ID {
		w.bytes(o.Given)
	}
	if o.Family != o.ID {
		w.bytes(o.Family)
	}
	w.byte(byte(o.Method))
	w.varint(int64(o.Row) - int64(before))
	w.varint(int64(o.Rows))
	w.varint(int64(o.Accepted))
	w.varint(int64(o.Fee))
	w.fixed64(o.HeaderHash)
	if o.NoFee != 0 || o.NoFeeReason != "" {
		w.varint(int64(o.NoFee))
		w.text(o.NoFeeReason)
	}
	if len(o.Parts) > 0 {
		w.uvarint(uint64(len(o.Parts)))
		for _, p := range o.Parts {
			w.bytes(p)
		}
	}
	if len(o.Problems) > 0 {
		encodeProblems(w, o.Problems, o.Row, 0)
	}
}

// DecodeOrderOutcomes reads a block of EncodeOrderOutcomes. The errors are
// ErrDamaged and ErrNewer.
func DecodeOrderOutcomes(block []byte) ([]removal.OrderOutcome, error) {
	r, err := payload(block, blockOrderOutcomes)
	if err != nil {
		return nil, err
	}
	orders := make([]removal.OrderOutcome, r.count())
	row := 0
	for i := range orders {
		r.orderOutcome(&orders[i], row)
		row = orders[i].Row
		if r.bad {
			return nil, ErrDamaged
		}
	}
	return orders, r.end()
}

// orderOutcome reads an order, after one whose first row was before.
func (r *reader) orderOutcome(o *removal.OrderOutcome, before int) {
	f := r.byte()
	o.Refused, o.Continued, o.Matched = f&1 != 0, f&2 != 0, f&4 != 0
	o.ID = string(r.bytes())
	o.Given, o.Family = o.ID, o.ID
	if f&8 == 0 {
		o.Given = string(r.bytes())
	}
	if f&16 == 0 {
		o.Family = string(r.bytes())
	}
	o.Method = removal.Method(r.byte())
	if o.Method > removal.Disposal {
		r.fail()
	}
	o.Row = before + int(r.varint())
	o.Rows, o.Accepted = int(r.varint()), int(r.varint())
	o.Fee = removal.Amount(r.varint())
	o.HeaderHash = r.fixed64()
	if f&64 != 0 {
		o.NoFee, o.NoFeeReason = int(r.varint()), r.text()
	}
	if f&128 != 0 {
		o.Parts = make([]string, r.count())
		for j := range o.Parts {
			o.Parts[j] = string(r.bytes())
		}
	}
	if f&32 != 0 {
		o.Problems = decodeProblems(r, o.Row, 0)
	}
}
