package ledger

import (
	"encoding/binary"
	"slices"
	"strings"
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
