package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"
)

// MovementBlock is a block of packed movements.
type MovementBlock struct {
	Entries int
	// Placings says that there are none but placings of orders.
	Placings bool
	Bytes    []byte
}

// movementBlock packs movements.
func movementBlock(ms []Movement) MovementBlock {
	moves := slices.ContainsFunc(ms, func(m Movement) bool { return moves(m.Kind, m.Sellable, m.Unsellable) })
	return MovementBlock{Entries: len(ms), Placings: !moves, Bytes: EncodeMovements(nil, ms)}
}

// MovementPacker packs movements of one run that opens units of many orders at one
// moment, pool after pool, into blocks that stand each by itself.
type MovementPacker struct {
	run   string
	at    int64
	w     writer
	left  int
	count int
	moves bool
	// before is the pool of the entry before, pool the one of the next.
	before, pool []byte
}

// NewMovementPacker makes a packer for the movements of a run.
func NewMovementPacker(run string, at time.Time) *MovementPacker {
	return &MovementPacker{run: run, at: at.UnixMicro()}
}

// Begin begins a block with how many movements it will have and the ids of the
// orders, by whose place in the list Add names them. No key may be longer than 256
// bytes: ErrRefused.
func (p *MovementPacker) Begin(orders []string, count int) error {
	for _, id := range orders {
		if len(id) > maxKey {
			return tooLong(id)
		}
	}
	p.left, p.count, p.moves, p.before = count, count, false, p.before[:0]
	p.w.b = openFrame(p.w.b[:0], blockMovements)
	p.w.dictionary(orders)
	p.w.dictionary([]string{p.run})
	p.w.uvarint(uint64(count))
	return nil
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
	p.moves = p.moves || moves(MovementOpened, sellable, unsellable)
	p.left--
}

// Block ends the block, whose bytes hold until the next begins. It fails where there
// were not as many movements as was said.
func (p *MovementPacker) Block() (MovementBlock, error) {
	if p.left != 0 {
		return MovementBlock{}, fmt.Errorf("%d movements are missing: %w", p.left, ErrUnbalanced)
	}
	closeFrame(p.w.b)
	return MovementBlock{Entries: p.count, Placings: !p.moves, Bytes: p.w.b}, nil
}
