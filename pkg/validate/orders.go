package validate

import (
	"encoding/binary"
	"errors"

	"rensa/pkg/removal"
)

// Shelf keeps the orders of a file that are not at hand: a large file has more of
// them than memory should hold.
type Shelf interface {
	// Put keeps an order and its state under a number, in place of what was there.
	// It copies what it needs.
	Put(n int32, o *removal.OrderOutcome, state []byte) error
	// Get fills o with the order that was put last under a number, but for order
	// id and line of its problems, and answers its state, good until the next call.
	Get(n int32, o *removal.OrderOutcome) (state []byte, err error)
}

// atHand is how many orders stay in memory: far more than come between two rows of
// an order where a file was sorted by something else. TestShelf holds files with
// few at hand against files with all.
const atHand = 1 << 14

// orders are those of one file, numbered from 0 in the order of their first rows.
type orders struct {
	shelf Shelf // nil: all stay at hand
	most  int   // at hand
	n     int32
	hand  map[int32]*order
	// came are the numbers of those at hand, the one that came last before next.
	came []int32
	next int

	last  *order // the one asked for last
	spare []*order
	rooms rooms
	state []byte
	past  map[int32]*Family // of those that have one
}

type order struct {
	removal.OrderOutcome
	n         int32
	header    *Header
	past      *Family
	skus      skuSet
	accepted  int   // distinct SKUs
	seen      int   // rows that an earlier file brought in
	asked     int64 // units of all rows
	scattered bool
	line      int     // of the first row
	unknown   unitFee // of products of which nothing is known
}

func newOrders(shelf Shelf) orders {
	return orders{shelf: shelf, most: atHand, hand: map[int32]*order{}, past: map[int32]*Family{}}
}

// begin adds an order with the next number.
func (l *orders) begin() (*order, error) {
	o := l.fresh()
	o.n = l.n
	l.n++
	return o, l.enter(o)
}

// at gives an order, good until the next call of at or begin.
func (l *orders) at(n int32) (*order, error) {
	if l.last != nil && l.last.n == n {
		return l.last, nil
	}
	if o := l.hand[n]; o != nil {
		l.last = o
		return o, nil
	}
	o, err := l.load(n, true)
	if err != nil {
		return nil, err
	}
	return o, l.enter(o)
}

// take gives an order to which no row will be added, perhaps without header and SKUs;
// give it back with free.
func (l *orders) take(n int32) (*order, error) {
	if o := l.hand[n]; o != nil {
		return o, nil
	}
	return l.load(n, false)
}

func (l *orders) free(o *order) {
	if delete(l.hand, o.n); l.last == o {
		l.last = nil
	}
	l.rooms.free(o.skus.few)
	l.spare = append(l.spare, o)
}

func (l *orders) fresh() *order {
	if n := len(l.spare); n > 0 {
		o := l.spare[n-1]
		l.spare = l.spare[:n-1]
		*o = order{}
		return o
	}
	return &order{}
}

// enter puts an order at hand, and the one that came first on the shelf where there
// is no room.
func (l *orders) enter(o *order) error {
	l.hand[o.n], l.last = o, o
	switch {
	case l.shelf == nil:
		return nil
	case len(l.came) < l.most:
		l.came = append(l.came, o.n)
		return nil
	}
	first := l.hand[l.came[l.next]]
	l.came[l.next] = o.n
	l.next = (l.next + 1) % l.most
	l.state = first.appendState(l.state[:0])
	if err := l.shelf.Put(first.n, &first.OrderOutcome, l.state); err != nil {
		return err
	}
	l.free(first)
	return nil
}

func (l *orders) load(n int32, whole bool) (*order, error) {
	o := l.fresh()
	o.n = n
	state, err := l.shelf.Get(n, &o.OrderOutcome)
	if err != nil {
		return nil, err
	}
	rest, err := o.readCounts(state)
	if err == nil && whole {
		err = o.readRows(rest, &l.rooms)
	}
	if err != nil {
		return nil, err
	}
	for i := range o.OrderOutcome.Problems {
		p := &o.OrderOutcome.Problems[i]
		p.OrderID, p.Line = o.Given, o.line
	}
	o.past = l.past[n]
	return o, nil
}

// Flags of an order's state.
const (
	stateScattered = 1 << 0
	stateHeader    = 1 << 1
)

// appendState adds what of an order is not in its outcome. The fee of unknown
// products is found again.
func (o *order) appendState(dst []byte) []byte {
	var flags int64
	if o.scattered {
		flags |= stateScattered
	}
	if o.header != nil {
		flags |= stateHeader
	}
	for _, v := range [...]int64{flags, int64(o.line), int64(o.accepted), int64(o.seen), o.asked} {
		dst = binary.AppendVarint(dst, v)
	}
	if o.header != nil {
		dst = appendText(appendText(dst, o.header.Country), o.header.raw)
	}
	return o.skus.append(dst)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

var errState = errors.New("what was put away came back damaged")

// readCounts reads the first part of a state and gives the second.
func (o *order) readCounts(state []byte) ([]byte, error) {
	s := stateReader{b: state}
	flags := s.varint()
	o.scattered = flags&stateScattered != 0
	o.line, o.accepted, o.seen, o.asked = int(s.varint()), int(s.varint()), int(s.varint()), s.varint()
	if flags&stateHeader != 0 {
		o.header = &Header{Method: o.Method, Hash: o.HeaderHash}
	}
	if s.bad {
		return nil, errState
	}
	return s.b, nil
}

// readRows reads the second part of a state: what later rows are compared with.
func (o *order) readRows(state []byte, r *rooms) error {
	s := stateReader{b: state}
	if o.header != nil {
		o.header.Country, o.header.raw = s.text(), s.text()
	}
	o.skus.read(&s, r)
	if s.bad || len(s.b) > 0 {
		return errState
	}
	return nil
}

// stateReader reads what appendState wrote; bad tells of bytes that it did not.
type stateReader struct {
	b   []byte
	bad bool
}

func (s *stateReader) varint() int64 {
	v, n := binary.Varint(s.b)
	if n <= 0 {
		s.bad, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *stateReader) text() string {
	size, n := binary.Uvarint(s.b)
	if n <= 0 || size > uint64(len(s.b)-n) {
		s.bad, s.b = true, nil
		return ""
	}
	text := string(s.b[n : n+int(size)])
	s.b = s.b[n+int(size):]
	return text
}
