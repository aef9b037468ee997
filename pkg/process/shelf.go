package process

import (
	"encoding/binary"
	"fmt"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// shelf keeps the orders of an upload by their numbers: while they are being decided,
// as validate.Shelf, and then what was decided about each. They lie in a spool; in
// memory there are 8 bytes an order.
type shelf struct {
	spool *storage.Spool
	// pages hold where each order stands, by its number, and in the lower bits how
	// long it is.
	pages [][]uint64
	ranks int32 // given so far
	buf   []byte
}

const (
	shelfPage   = 1 << 12
	shelfLength = 28 // bits
)

// decided is an order of an upload when all rows are decided.
type decided struct {
	removal.OrderOutcome
	left int // rows that are still to come in the second pass
	// rank is the place of the order, or of its first part, among those of the file
	// of which something was accepted.
	rank int32
}

// Put implements validate.Shelf.
func (s *shelf) Put(n int32, o *removal.OrderOutcome, state []byte) error {
	s.buf = append(binary.AppendUvarint(s.buf[:0], uint64(len(state))), state...)
	s.buf = ledger.AppendOrderOutcome(s.buf, o)
	ref, err := s.spool.Append(s.buf)
	if err != nil {
		return err
	}
	if ref.Len >= 1<<shelfLength || ref.Off >= 1<<(64-shelfLength) {
		return fmt.Errorf("order %s: too large: %d bytes at %d", o.Given, ref.Len, ref.Off)
	}
	for int(n)/shelfPage >= len(s.pages) {
		s.pages = append(s.pages, make([]uint64, shelfPage))
	}
	s.pages[n/shelfPage][n%shelfPage] = uint64(ref.Off)<<shelfLength | uint64(ref.Len)
	return nil
}

// Get implements validate.Shelf.
func (s *shelf) Get(n int32, o *removal.OrderOutcome) (state []byte, err error) {
	state, s.buf, err = s.get(n, o, s.buf)
	return state, err
}

// get is Get with room for the bytes, which it gives back with them.
func (s *shelf) get(n int32, o *removal.OrderOutcome, room []byte) (state, _ []byte, err error) {
	if n < 0 || int(n)/shelfPage >= len(s.pages) {
		return nil, room, fmt.Errorf("there is no order %d: %w", n, ledger.ErrUnbalanced)
	}
	at := s.pages[n/shelfPage][n%shelfPage]
	b, err := s.spool.Read(room, storage.Ref{Off: int64(at >> shelfLength), Len: int32(at & (1<<shelfLength - 1))})
	if err != nil {
		return nil, room, err
	}
	length, k := binary.Uvarint(b)
	if k <= 0 || length > uint64(len(b)-k) {
		return nil, b, ledger.ErrDamaged
	}
	state = b[k : k+int(length)]
	return state, b, ledger.ReadOrderOutcome(b[k+int(length):], o)
}

// decide keeps the order with the next number for decided.
func (s *shelf) decide(n int32, o *removal.OrderOutcome) error {
	rank := s.ranks
	if o.Accepted > 0 {
		s.ranks += int32(max(1, len(o.Parts)))
	}
	return s.Put(n, o, binary.AppendUvarint(nil, uint64(rank)))
}

// decided gives what decide kept. It may be called side by side, with a room for
// each caller, once nothing is added any more.
func (s *shelf) decided(n int32, o *decided, room []byte) ([]byte, error) {
	state, room, err := s.get(n, &o.OrderOutcome, room)
	if err != nil {
		return room, err
	}
	rank, _ := binary.Uvarint(state)
	o.rank = int32(rank)
	return room, nil
}

// pages keeps pages of takings, as validate.Pages.
type pages struct {
	spool *storage.Spool
	at    []storage.Ref
}

// Put implements validate.Pages. Pages come in the order of their numbers.
func (p *pages) Put(n int, page []byte) error {
	ref, err := p.spool.Append(page)
	if err != nil {
		return err
	}
	p.at = append(p.at[:n], ref)
	return nil
}

// Get implements validate.Pages.
func (p *pages) Get(n int, room []byte) ([]byte, error) { return p.spool.Read(room, p.at[n]) }
