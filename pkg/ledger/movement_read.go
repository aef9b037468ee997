package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// visitChunk is how many entries are unpacked at a time.
const visitChunk = 4096

// MovementChunk is some movements of one block, unpacked for one who has a million of
// them to look at: orders and pools are named by their places, and the same chunk may
// be filled again and again.
type MovementChunk struct {
	Block  int      // number of the block, from 0
	Orders []string // of the whole block
	Pools  []string // keys of the pools of the chunk
	Lines  []MovementLine

	runs []string
	keys []byte // of Pools, one behind the other
	ends []int
}

// MovementLine is a movement of a chunk.
type MovementLine struct {
	Order, Pool          int32 // places in Orders and Pools
	run                  int32
	Kind                 MovementKind
	At                   int64 // microseconds since 1970
	row                  int64
	Sellable, Unsellable int64
}

// Moves tells whether the movement is more than the placing of an order.
func (m *MovementLine) Moves() bool { return moves(m.Kind, m.Sellable, m.Unsellable) }

// Movements are those of a merchant that may still count, as they were at one moment.
type Movements struct {
	ctx      context.Context
	tx       *tx
	merchant string
}

// ReadMovements lets fn read the movements of a merchant, as often as it likes. Its
// error is returned.
func (l *Ledger) ReadMovements(ctx context.Context, merchant string, fn func(*Movements) error) error {
	err := l.read(ctx, func(tx *tx) error { return fn(&Movements{ctx, tx, merchant}) })
	if err != nil {
		return fmt.Errorf("movements: %w", err)
	}
	return nil
}

// Each calls visit with all movements, in the order of the commits and by pool within
// a block. room gives the chunk that is filled next: visit may keep the one it gets,
// until it is given out again. An error of visit ends it and is returned.
func (ms *Movements) Each(room func() *MovementChunk, visit func(*MovementChunk) error) error {
	return ms.each(room, visit, ``)
}

// Moving is Each without blocks in which orders were only placed. The numbers of blocks
// are others than Each gives.
func (ms *Movements) Moving(room func() *MovementChunk, visit func(*MovementChunk) error) error {
	return ms.each(room, visit, ` AND moves = 1`)
}

func (ms *Movements) each(room func() *MovementChunk, visit func(*MovementChunk) error, condition string) error {
	n := 0
	// A base stands for everything before it.
	return ms.tx.each(ms.ctx, func(rows *sql.Rows) error {
		var seq, part int64
		var block sql.RawBytes
		if err := rows.Scan(&seq, &part, &block); err != nil {
			return err
		}
		if err := eachChunk(block, n, room, visit); err != nil {
			return fmt.Errorf("block %d of %d: %w", part, seq, err)
		}
		n++
		return nil
	}, `SELECT seq, part, block FROM movement WHERE merchant = $1 AND seq >= coalesce(
		(SELECT max(seq) FROM movement WHERE merchant = $1 AND kind = 'base'), 0)`+condition+` ORDER BY seq, part`, ms.merchant)
}

// visitMovements calls visit for each movement of a block; its error ends it.
func visitMovements(block []byte, visit func(Movement) error) error {
	c := &MovementChunk{}
	return eachChunk(block, 0, func() *MovementChunk { return c }, func(c *MovementChunk) error { return c.visit(visit) })
}

func (c *MovementChunk) visit(fn func(Movement) error) error {
	var at time.Time
	for i := range c.Lines {
		l := &c.Lines[i]
		if i == 0 || l.At != c.Lines[i-1].At {
			at = time.UnixMicro(l.At).UTC()
		}
		err := fn(Movement{
			Kind: l.Kind, At: at, PoolKey: c.Pools[l.Pool], Order: c.Orders[l.Order], Run: c.runs[l.run], Row: int(l.row),
			Sellable: l.Sellable, Unsellable: l.Unsellable,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachChunk unpacks a block, the n-th, chunk by chunk.
func eachChunk(block []byte, n int, room func() *MovementChunk, visit func(*MovementChunk) error) error {
	r, err := payload(block, blockMovements)
	if err != nil {
		return err
	}
	d := &movementReader{reader: r}
	orders, runs := d.dictionary(), d.dictionary()
	for left := d.count(); left > 0 && !d.bad; {
		c := room()
		c.Block, c.Orders, c.runs = n, orders, runs
		some := min(left, visitChunk)
		left -= some
		if !d.fill(c, some) {
			return ErrDamaged
		}
		if err := visit(c); err != nil {
			return err
		}
	}
	return d.end()
}

// movementReader reads the entries of a block; what an entry does not say it has of
// the one before.
type movementReader struct {
	*reader
	pool []byte
	at   int64
	run  uint64
}

// fill unpacks n entries into a chunk; false where bytes are damaged.
func (d *movementReader) fill(c *MovementChunk, n int) bool {
	if cap(c.Lines) < n {
		c.Lines = make([]MovementLine, n)
	}
	c.Lines = c.Lines[:n]
	c.keys, c.ends = append(c.keys[:0], d.pool...), c.ends[:0]
	for i := range c.Lines {
		m := &c.Lines[i]
		f := d.byte()
		if f&entryPool != 0 {
			d.pool = d.key(d.pool)
			if i > 0 {
				c.ends = append(c.ends, len(c.keys))
			} else {
				c.keys = c.keys[:0] // of the chunk before
			}
			c.keys = append(c.keys, d.pool...)
		}
		if f&entryAt != 0 {
			d.at += d.varint()
		}
		if f&entryRun != 0 {
			d.run = d.uvarint()
		}
		order := d.uvarint()
		if order >= uint64(len(c.Orders)) || d.run >= uint64(len(c.runs)) {
			return false
		}
		*m = MovementLine{Order: int32(order), Pool: int32(len(c.ends)), run: int32(d.run), At: d.at, row: d.varint()}
		if f&entrySellable != 0 {
			m.Sellable = d.varint()
		}
		if f&entryUnsellable != 0 {
			m.Unsellable = d.varint()
		}
		if f&entryKind != 0 {
			m.Kind = MovementKind(d.byte())
		}
	}
	c.ends = append(c.ends, len(c.keys))
	c.Pools = c.Pools[:0]
	keys, start := string(c.keys), 0
	for _, end := range c.ends {
		c.Pools = append(c.Pools, keys[start:end])
		start = end
	}
	return !d.bad
}

// key reads a key that writer.key wrote, onto the one before.
func (r *reader) key(before []byte) []byte {
	n, rest := r.uvarint(), r.bytes()
	if n > uint64(len(before)) || int(n)+len(rest) > maxKey {
		r.fail()
		return before[:0]
	}
	return append(before[:n], rest...)
}

func (r *reader) dictionary() []string {
	n := r.count()
	ends := make([]int, n)
	var all, key []byte
	for i := range ends {
		key = r.key(key)
		all = append(all, key...)
		ends[i] = len(all)
		if r.bad {
			return nil
		}
	}
	words, joined, start := make([]string, n), string(all), 0
	for i, end := range ends {
		words[i] = joined[start:end]
		start = end
	}
	return words
}
