package ledger

import (
	"context"
	"database/sql"
	"math/bits"
)

// The filter of used ids is a list of layers, each a Bloom filter of a fixed
// size, the next one at least four times as large once one is full: a new id is asked
// of all of them, so that there should be few. Only the last is ever written again.
// It holds ids and families of the orders up to a number, and whoever asks adds those
// after it from the orders themselves, in one transaction: it can be behind but never
// wrong.

const (
	// A key sets filterProbes bits within one filterBlock words of 64 bits, one
	// cache line: a full layer takes one new id in a hundred for a used one.
	filterBlock   = 8
	filterProbes  = 7
	filterPerKey  = 12 // bits
	filterFirst   = 4096
	filterMaxKeys = 1 << 26
	// A filter is written anew once it lacks filterLag orders and a part of all.
	filterLag     = 2048
	filterLagPart = 32
)

// hashID spreads an id over 64 bits, the same in every program for ever.
func hashID[T string | []byte](id T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// filterLayer is one Bloom filter for at most room keys.
type filterLayer struct {
	room, keys int
	words      []uint64
}

func newFilterLayer(room int) *filterLayer {
	blocks := max(1, room*filterPerKey/(filterBlock*64))
	return &filterLayer{room: room, words: make([]uint64, blocks*filterBlock)}
}

// at gives the block of a hash, and the hash by which bits in it are chosen.
func (f *filterLayer) at(h uint64) ([]uint64, uint64) {
	block, _ := bits.Mul64(h, uint64(len(f.words)/filterBlock))
	return f.words[block*filterBlock:][:filterBlock], h * 0x9e3779b97f4a7c15
}

func (f *filterLayer) add(h uint64) {
	block, h := f.at(h)
	for range filterProbes {
		block[h>>61] |= 1 << (h >> 55 & 63)
		h = h<<9 | h>>55
	}
	f.keys++
}

func (f *filterLayer) has(h uint64) bool {
	block, h := f.at(h)
	for range filterProbes {
		if block[h>>61]&(1<<(h>>55&63)) == 0 {
			return false
		}
		h = h<<9 | h>>55
	}
	return true
}

// idFilter is the filter of one merchant.
type idFilter struct {
	seq    int64 // of the last order in it
	layers []*filterLayer
	anew   bool  // what was written is damaged
	from   int   // the layer from which on it is to be written
	coming int64 // orders that are about to be added
}

func (f *idFilter) add(h uint64) {
	n := len(f.layers)
	if n == 0 || f.layers[n-1].keys >= f.layers[n-1].room {
		room := filterFirst
		if n > 0 {
			room = 4 * f.layers[n-1].room
		}
		f.layers = append(f.layers, newFilterLayer(int(min(max(int64(room), 2*f.coming), filterMaxKeys))))
	}
	f.layers[len(f.layers)-1].add(h)
}

func (f *idFilter) has(h uint64) bool {
	for _, l := range f.layers {
		if l.has(h) {
			return true
		}
	}
	return false
}

func encodeFilterLayer(f *filterLayer) []byte {
	w := &writer{b: openFrame(make([]byte, 0, frameSize+32+8*len(f.words)), blockIDs)}
	w.uvarint(uint64(f.room))
	w.uvarint(uint64(f.keys))
	for _, word := range f.words {
		w.fixed64(word)
	}
	closeFrame(w.b)
	return w.b
}

func decodeFilterLayer(block []byte) (*filterLayer, error) {
	r, err := payload(block, blockIDs)
	if err != nil {
		return nil, err
	}
	room, keys := r.uvarint(), r.uvarint()
	if room > filterMaxKeys || keys > room || len(r.b) != 8*filterBlock*max(1, int(room)*filterPerKey/(filterBlock*64)) {
		return nil, ErrDamaged
	}
	f := newFilterLayer(int(room))
	f.keys = int(keys)
	for i := range f.words {
		f.words[i] = r.fixed64()
	}
	return f, r.end()
}

// filter reads the merchant's filter as it was last written, without the orders
// that came later. A damaged one is made anew from all orders, which must be rows
// for that.
func (t *tx) filter(ctx context.Context, merchant string) (*idFilter, error) {
	f := &idFilter{}
	broken := false
	err := t.each(ctx, func(rows *sql.Rows) error {
		var block []byte
		if err := rows.Scan(&f.seq, &block); err != nil {
			return err
		}
		layer, err := decodeFilterLayer(block)
		broken = broken || err != nil
		f.layers = append(f.layers, layer)
		return nil
	}, `SELECT seq, block FROM id_filter WHERE merchant = $1 ORDER BY layer`, merchant)
	if broken {
		return &idFilter{anew: true}, err
	}
	return f, err
}

// catchUp adds the orders after those in the filter, up to one.
func (t *tx) catchUp(ctx context.Context, merchant string, f *idFilter, upTo int64) error {
	f.coming = upTo - f.seq
	return t.each(ctx, func(rows *sql.Rows) error {
		var id, family string
		if err := rows.Scan(&f.seq, &id, text{&family}); err != nil {
			return err
		}
		f.add(hashID(id))
		if family != "" {
			f.add(hashID(family))
		}
		return nil
	}, `SELECT seq, id, family FROM removal_order WHERE merchant = $1 AND seq > $2 AND seq <= $3 ORDER BY seq`, merchant, f.seq, upTo)
}

// dueFilter gives the merchant's filter, with all orders that there are, where it is
// to be written together with some more: now, or because it lacks enough orders. Else
// it gives nil.
func (t *tx) dueFilter(ctx context.Context, h *merchantHead, more int64, now bool) (*idFilter, error) {
	var seq int64
	err := t.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM id_filter WHERE merchant = $1`, h.id).Scan(&seq)
	if err != nil {
		return nil, err
	}
	after := h.orders + more
	if !now && after-seq < max(filterLag, after/filterLagPart) {
		return nil, nil
	}
	f, err := t.filter(ctx, h.id)
	if err != nil {
		return nil, err
	}
	f.from = max(0, len(f.layers)-1)
	if f.seq != seq { // damaged: all of it is written anew
		f.from = 0
		if _, err := t.ExecContext(ctx, `DELETE FROM id_filter WHERE merchant = $1`, h.id); err != nil {
			return nil, err
		}
	}
	if f.anew {
		if err := t.enterAll(ctx, h.id); err != nil {
			return nil, err
		}
	}
	err = t.catchUp(ctx, h.id, f, h.orders)
	f.coming = more
	return f, err
}

// saveFilter writes a filter, if there is one, that has all orders of the merchant.
func (t *tx) saveFilter(ctx context.Context, h *merchantHead, f *idFilter) error {
	if f == nil {
		return nil
	}
	for i := f.from; i < len(f.layers); i++ {
		_, err := t.ExecContext(ctx, `INSERT INTO id_filter (merchant, layer, seq, block) VALUES ($1, $2, $3, $4)
			ON CONFLICT (merchant, layer) DO UPDATE SET seq = excluded.seq, block = excluded.block`,
			h.id, i, h.orders, encodeFilterLayer(f.layers[i]))
		if err != nil {
			return err
		}
	}
	return nil
}
