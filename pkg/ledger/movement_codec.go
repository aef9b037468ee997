package ledger

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// Flags of an entry in a block of movements.
const (
	entryPool       = 1 << 0 // another pool than the entry before
	entryAt         = 1 << 1 // another time
	entryRun        = 1 << 2 // another run
	entrySellable   = 1 << 3 // units that are not zero
	entryUnsellable = 1 << 4
	entryKind       = 1 << 5 // not opened

	// maxKey bounds the keys in a block, so that damaged bytes cannot make
	// much of little.
	maxKey = 256
	// visitChunk is how many entries are unpacked at a time; their strings
	// share memory.
	visitChunk = 4096
)

// EncodeMovements appends a block with movements, sorted by pool. No key in
// them may be longer than 256 bytes.
func EncodeMovements(dst []byte, ms []Movement) []byte {
	start := len(dst)
	w := &writer{b: openFrame(dst, blockMovements)}
	orders, orderOf := dictionary(ms, func(m *Movement) string { return m.Order })
	runs, runOf := dictionary(ms, func(m *Movement) string { return m.Run })
	w.dictionary(orders)
	w.dictionary(runs)
	w.uvarint(uint64(len(ms)))

	var pool string
	var at int64
	var run uint32
	for _, h := range byPool(ms) {
		i := h.i
		m := &ms[i]
		t := m.At.UnixMicro()
		f := flags(m.PoolKey != pool, t != at, runOf[i] != run, m.Sellable != 0, m.Unsellable != 0, m.Kind != MovementOpened)
		w.byte(f)
		if f&entryPool != 0 {
			w.key(pool, m.PoolKey)
			pool = m.PoolKey
		}
		if f&entryAt != 0 {
			w.varint(t - at)
			at = t
		}
		if f&entryRun != 0 {
			w.uvarint(uint64(runOf[i]))
			run = runOf[i]
		}
		w.uvarint(uint64(orderOf[i]))
		w.varint(int64(m.Row))
		if f&entrySellable != 0 {
			w.varint(m.Sellable)
		}
		if f&entryUnsellable != 0 {
			w.varint(m.Unsellable)
		}
		if f&entryKind != 0 {
			w.byte(byte(m.Kind))
		}
	}
	closeFrame(w.b[start:])
	return w.b
}

// key writes a key by what it shares with the one before.
func (w *writer) key(before, key string) {
	n := sharedPrefix(before, key)
	w.uvarint(uint64(n))
	w.bytes(key[n:])
}

func (w *writer) dictionary(words []string) {
	w.uvarint(uint64(len(words)))
	before := ""
	for _, s := range words {
		w.key(before, s)
		before = s
	}
}

// dictionary lists the different keys of the movements in the order in which
// they come, and which each movement has.
func dictionary(ms []Movement, key func(*Movement) string) (words []string, of []uint32) {
	of = make([]uint32, len(ms))
	place := map[string]uint32{}
	for i := range ms {
		k := key(&ms[i])
		if i > 0 && k == words[of[i-1]] {
			of[i] = of[i-1] // the lines of one order follow each other
			continue
		}
		n, ok := place[k]
		if !ok {
			n = uint32(len(words))
			place[k] = n
			words = append(words, k)
		}
		of[i] = n
	}
	return words, of
}

// head is the eight bytes of a pool key after what all keys share, which decide
// nearly always, and which movement they are of.
type head struct {
	key uint64
	i   uint32
}

// byPool gives the order in which the movements stand in a block: by pool key,
// bytewise, and as they came within a pool. It sorts the heads by their bytes,
// several times as fast as comparing strings (BenchmarkMovements), and looks at
// whole keys only where heads are equal.
func byPool(ms []Movement) []head {
	if len(ms) == 0 {
		return nil
	}
	first := ms[0].PoolKey
	shared := len(first)
	for i := range ms {
		shared = sharedPrefix(first[:shared], ms[i].PoolKey)
	}
	heads := make([]head, len(ms))
	for i := range ms {
		var b [8]byte
		copy(b[:], ms[i].PoolKey[shared:])
		heads[i] = head{binary.BigEndian.Uint64(b[:]), uint32(i)}
	}
	heads = sortHeads(heads)
	for from := 0; from < len(heads); {
		to := from + 1
		for to < len(heads) && heads[to].key == heads[from].key {
			to++
		}
		if to-from > 1 {
			slices.SortStableFunc(heads[from:to], func(a, b head) int {
				return strings.Compare(ms[a.i].PoolKey, ms[b.i].PoolKey)
			})
		}
		from = to
	}
	return heads
}

// sortHeads sorts by key, keeping the order of equal ones: one pass for each byte
// in which keys differ, the last byte first.
func sortHeads(heads []head) []head {
	var counts [8][256]int
	for _, h := range heads {
		for b := range counts {
			counts[b][byte(h.key>>(8*b))]++
		}
	}
	other := make([]head, len(heads))
	for b := range counts {
		if counts[b][byte(heads[0].key>>(8*b))] == len(heads) {
			continue
		}
		next := 0
		for v := range counts[b] {
			counts[b][v], next = next, next+counts[b][v]
		}
		for _, h := range heads {
			at := &counts[b][byte(h.key>>(8*b))]
			other[*at] = h
			*at++
		}
		heads, other = other, heads
	}
	return heads
}

func sharedPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// DecodeMovements reads a block of EncodeMovements. The errors are ErrDamaged
// and ErrNewer.
func DecodeMovements(block []byte) ([]Movement, error) {
	var ms []Movement
	err := visitMovements(block, func(m Movement) error {
		ms = append(ms, m)
		return nil
	})
	return ms, err
}

// visitMovements calls visit for each movement of a block; its error ends it.
func visitMovements(block []byte, visit func(Movement) error) error {
	r, err := payload(block, blockMovements)
	if err != nil {
		return err
	}
	d := &movementReader{reader: r}
	d.orders, d.runs = d.dictionary(), d.dictionary()
	left := d.count()
	chunk := make([]Movement, min(left, visitChunk))
	for left > 0 {
		chunk = chunk[:min(left, visitChunk)]
		left -= len(chunk)
		if !d.read(chunk) {
			return ErrDamaged
		}
		for i := range chunk {
			if err := visit(chunk[i]); err != nil {
				return err
			}
		}
	}
	return d.end()
}

type movementReader struct {
	*reader
	orders, runs []string
	pool         []byte
	at           int64
	time         time.Time
	run          uint64
	// Of the chunk being read: its pool keys one behind the other, and where
	// the one of each entry ends and begins.
	keys []byte
	ends [visitChunk][2]int
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

// read fills a chunk of at most visitChunk entries; false where bytes are damaged.
func (d *movementReader) read(chunk []Movement) bool {
	d.keys = append(d.keys[:0], d.pool...)
	start := 0
	for i := range chunk {
		m := &chunk[i]
		*m = Movement{}
		f := d.byte()
		if f&entryPool != 0 {
			d.pool = d.key(d.pool)
			start = len(d.keys)
			d.keys = append(d.keys, d.pool...)
		}
		d.ends[i] = [2]int{start, len(d.keys)}
		if f&entryAt != 0 || d.time.IsZero() {
			if f&entryAt != 0 {
				d.at += d.varint()
			}
			d.time = time.UnixMicro(d.at).UTC()
		}
		if f&entryRun != 0 {
			d.run = d.uvarint()
		}
		order := d.uvarint()
		if order >= uint64(len(d.orders)) || d.run >= uint64(len(d.runs)) {
			return false
		}
		m.At, m.Order, m.Run = d.time, d.orders[order], d.runs[d.run]
		m.Row = int(d.varint())
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
	keys := string(d.keys)
	for i := range chunk {
		chunk[i].PoolKey = keys[d.ends[i][0]:d.ends[i][1]]
	}
	return !d.bad
}
