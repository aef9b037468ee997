package ledger

import (
	"encoding/binary"
	"fmt"
	"time"
)

// PackedMovements are movements in packed form.
type PackedMovements struct {
	Count int
	block []byte
}

// MovementPacker packs the movements of one run that opens units of many orders
// at one moment, pool after pool.
type MovementPacker struct {
	w     writer
	at    int64
	left  int
	count int
	// before is the pool of the entry before, pool the one of the next.
	before, pool []byte
}

// NewMovementPacker begins with how many movements there will be and the ids of
// the orders, by whose place in the list Add names them. No key may be longer than
// 256 bytes: ErrRefused.
func NewMovementPacker(run string, at time.Time, orders []string, count int) (*MovementPacker, error) {
	p := &MovementPacker{at: at.UnixMicro(), left: count, count: count}
	p.w.b = openFrame(make([]byte, 0, 16*(count+len(orders))), blockMovements)
	for _, id := range orders {
		if len(id) > maxKey {
			return nil, tooLong(id)
		}
	}
	p.w.dictionary(orders)
	p.w.dictionary([]string{run})
	p.w.uvarint(uint64(count))
	return p, nil
}

func tooLong[T string | []byte](key T) error {
	return fmt.Errorf("movement: key %.40q of more than %d bytes: %w", key, maxKey, ErrRefused)
}

// Pool begins the movements of another pool.
func (p *MovementPacker) Pool(key []byte) error {
	if len(key) > maxKey {
		return tooLong(key)
	}
	p.pool = append(p.pool[:0], key...)
	return nil
}

// Add adds what a row of an order took of the pool.
func (p *MovementPacker) Add(order, row int, sellable, unsellable int64) {
	w := &p.w
	first := p.left == p.count
	other := first || string(p.pool) != string(p.before)
	w.byte(flags(other, first, false, sellable != 0, unsellable != 0))
	if other {
		n := 0
		for n < len(p.before) && n < len(p.pool) && p.before[n] == p.pool[n] {
			n++
		}
		w.uvarint(uint64(n))
		w.b = append(binary.AppendUvarint(w.b, uint64(len(p.pool)-n)), p.pool[n:]...)
		p.before = append(p.before[:0], p.pool...)
	}
	if first {
		w.varint(p.at)
	}
	w.uvarint(uint64(order))
	w.varint(int64(row))
	if sellable != 0 {
		w.varint(sellable)
	}
	if unsellable != 0 {
		w.varint(unsellable)
	}
	p.left--
}

// Movements ends the packing. It fails where there were not as many as was said.
func (p *MovementPacker) Movements() (*PackedMovements, error) {
	if p.left != 0 {
		return nil, fmt.Errorf("%d movements are missing: %w", p.left, ErrUnbalanced)
	}
	closeFrame(p.w.b)
	return &PackedMovements{Count: p.count, block: p.w.b}, nil
}
