package inventory

import (
	"encoding/binary"
	"math"
	"strconv"
	"sync"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// builder makes a snapshot of records, which come in the file's order.
type builder struct {
	*mapping
	shape shape
	size  int64 // bytes of the sheet
	snap  *Snapshot
	skus  index
	// fnskus finds pools.
	fnskus index
	side   sideWriter

	itemRows table // uint32: the row that first named the item
	figures  table // per pool, uint32 by condition: the row that gave the figure
	words    map[wordKey]figure
	hazmat   map[string]uint16
	dead     int // pools that were joined to another one
	touched  uint64
	lots     lotTable
	zone     *time.Location

	res *Result
}

// wordKey and figure hold what a pool has of one of the particular reasons of
// being unsellable, which are rare.
type wordKey struct {
	pool int32
	word uint8
}

type figure struct {
	units uint32
	row   uint32
}

func newBuilder(v *variant, m *mapping, opt ReadOptions) *builder {
	return &builder{
		mapping: m, shape: v.shape, res: &Result{},
		snap: &Snapshot{
			kind: v.kind, seed: opt.Seed,
			items: newTable(itemSize, itemShift), pools: newTable(poolSize, poolShift), facts: newTable(factSize, factShift),
			tellsRecalled: m.col[fieldRecalled] >= 0,
		},
		skus: newIndex(minIndexBits), fnskus: newIndex(minIndexBits),
		side:     sideWriter{dir: opt.TempDir},
		itemRows: newTable(4, 16), figures: newTable(8, 15),
		words: map[wordKey]figure{}, hazmat: map[string]uint16{},
		lots: newLotTable(opt, v.kind), zone: opt.zone(),
	}
}

// merge takes in a batch whose block knows its position.
func (b *builder) merge(in *batch) error {
	if b.res.RowsRead == 0 {
		b.expect(in)
	}
	b.res.RowsRead += in.rows
	b.res.RowsBad += in.bad
	issues := in.issues
	data := in.block.Data()
	for from := 0; from < len(in.records); from += LookupBatch {
		recs := in.records[from:min(from+LookupBatch, len(in.records))]
		b.touch(recs)
		for k := range recs {
			for len(issues) > 0 && issues[0].row <= recs[k].row {
				b.report(&in.block, issues[0])
				issues = issues[1:]
			}
			if err := b.add(in, data, &recs[k]); err != nil {
				return err
			}
		}
	}
	for _, i := range issues {
		b.report(&in.block, i)
	}
	return nil
}

// maxExpected bounds the memory that is taken on the word of a file's first rows.
const maxExpected = 8 << 20

// expect makes the tables as large as the file will need by its first rows, so
// that they need not grow, which costs a tenth of the time (BenchmarkRead).
func (b *builder) expect(in *batch) {
	if in.rows == 0 || b.size == 0 {
		return
	}
	n := min(b.size*int64(in.rows)/int64(max(len(in.block.Data()), 1)), maxExpected)
	b.skus = newIndexFor(int(n))
	if b.col[fieldFNSKU] >= 0 {
		b.fnskus = newIndexFor(int(n))
	}
}

// touch brings the slots that the next records need into the cache side by side.
// What was read is kept only so that it is read.
func (b *builder) touch(recs []record) {
	var sum uint64
	for k := range recs {
		sum |= b.skus.slot(tagOf(recs[k].hash) >> b.skus.shift)
		sum |= b.fnskus.slot(tagOf(recs[k].fnskuHash) >> b.fnskus.shift)
	}
	b.touched = sum
}

func span(data []byte, s removal.Span) []byte { return data[s.Off : s.Off+s.Len] }

// add takes in one record.
func (b *builder) add(in *batch, data []byte, r *record) error {
	row := uint32(in.block.Number(int(r.row)))
	sku, fnsku := span(data, r.sku), span(data, r.fnsku)
	item, at := b.findItem(sku, r.hash)
	if item < 0 {
		i, rec := b.snap.items.add()
		b.snap.overflow = putKeys(rec, b.snap.overflow, sku, fnsku)
		put32(rec, 0, uint32(b.poolFor(i, fnsku, r.fnskuHash)))
		b.skus.put(tagOf(r.hash), at, i)
		_, first := b.itemRows.add()
		put32(first, 0, row)
		if r.asin.Len > 0 {
			b.snap.asinLens |= 1 << min(r.asin.Len, 63)
		}
		if err := b.side.add(span(in.side, r.side)); err != nil {
			return err
		}
		item = i
	} else if len(fnsku) > 0 {
		if has := b.snap.FNSKU(item); len(has) == 0 {
			b.nameFNSKU(item, fnsku, r.fnskuHash)
		} else if string(has) != string(fnsku) {
			b.conflict(in, r, item, string(has))
			return nil
		}
	}
	b.figuresOf(in, data, r, b.snap.PoolOf(item), row)
	return nil
}

func (b *builder) findItem(sku []byte, hash uint64) (item int32, at uint32) {
	tag := tagOf(hash)
	pos := tag >> b.skus.shift
	for {
		item, at = b.skus.next(tag, pos)
		if item < 0 || b.snap.isSKU(item, sku) {
			return item, at
		}
		pos = (at + 1) & b.skus.mask()
	}
}

func (b *builder) findPool(fnsku []byte, hash uint64) (pool int32, at uint32) {
	tag := tagOf(hash)
	pos := tag >> b.fnskus.shift
	for {
		pool, at = b.fnskus.next(tag, pos)
		if pool < 0 || string(b.snap.FNSKU(b.poolItem(pool))) == string(fnsku) {
			return pool, at
		}
		pos = (at + 1) & b.fnskus.mask()
	}
}

func (b *builder) poolItem(p int32) int32 { return int32(u32(b.snap.pools.at(p), 8)) }

// poolFor finds the pool of a new item, or makes it.
func (b *builder) poolFor(item int32, fnsku []byte, hash uint64) int32 {
	if len(fnsku) == 0 {
		return b.newPool(item)
	}
	p, at := b.findPool(fnsku, hash)
	if p < 0 {
		p = b.newPool(item)
		b.fnskus.put(tagOf(hash), at, p)
	}
	return p
}

func (b *builder) newPool(item int32) int32 {
	p, rec := b.snap.pools.add()
	put32(rec, 8, uint32(item))
	b.figures.add()
	return p
}

// nameFNSKU is for an MSKU whose earlier rows gave no FNSKU: its own pool becomes
// the FNSKU's, or joins it.
func (b *builder) nameFNSKU(item int32, fnsku []byte, hash uint64) {
	rec := b.snap.items.at(item)
	own := int32(u32(rec, 0))
	sku := append([]byte(nil), b.snap.SKU(item)...)
	pool, at := b.findPool(fnsku, hash)
	b.snap.overflow = putKeys(rec, b.snap.overflow, sku, fnsku)
	if pool < 0 {
		b.fnskus.put(tagOf(hash), at, own)
		return
	}
	put32(rec, 0, uint32(pool))
	b.join(pool, own)
}

// join gives the units and facts of an MSKU's own pool to its FNSKU's.
func (b *builder) join(pool, own int32) {
	to, from := b.snap.pools.at(pool), b.snap.pools.at(own)
	toRow, fromRow := b.figures.at(pool), b.figures.at(own)
	for off := 0; off < 8; off += 4 {
		switch {
		case b.shape == lots:
			// A pool past what the field holds is cut: less is never too much to promise.
			put32(to, off, uint32(min(uint64(u32(to, off))+uint64(u32(from, off)), math.MaxUint32)))
		case u32(fromRow, off) == 0:
		case u32(toRow, off) == 0 || u32(from, off) < u32(to, off):
			put32(to, off, u32(from, off))
			put32(toRow, off, u32(fromRow, off))
		}
	}
	for k, f := range b.words {
		if k.pool == own {
			delete(b.words, k)
			k.pool = pool
			if old, ok := b.words[k]; !ok || f.units < old.units {
				b.words[k] = f
			}
		}
	}
	b.joinFacts(to, from)
	put32(from, 8, math.MaxUint32)
	b.dead++
}

func (b *builder) figuresOf(in *batch, data []byte, r *record, pool int32, row uint32) {
	switch {
	case b.shape == bothFigures:
		rec, rows := b.snap.pools.at(pool), b.figures.at(pool)
		b.figure(in, r, pool, rec, rows, removal.Sellable, r.sellable, row)
		b.figure(in, r, pool, rec, rows, removal.Unsellable, r.unsellable, row)
	case b.shape == lots:
		b.lot(in, data, r, pool)
	case r.word <= uint8(removal.Unsellable):
		b.figure(in, r, pool, b.snap.pools.at(pool), b.figures.at(pool), removal.Condition(r.word), r.units, row)
	default:
		key := wordKey{pool, r.word}
		had, ok := b.words[key]
		if ok && had.units != r.units {
			b.disagree(in, r, pool, removal.Unsellable, had.units, r.units, had.row)
		}
		if !ok || r.units < had.units {
			b.words[key] = figure{r.units, row}
		}
	}
}

// figure takes the figure of a pool in a report: repeated, never added.
func (b *builder) figure(in *batch, r *record, pool int32, rec, rows []byte, c removal.Condition, units, row uint32) {
	off := 4 * int(c)
	first := u32(rows, off)
	if first == 0 {
		put32(rec, off, units)
		put32(rows, off, row)
		return
	}
	had := u32(rec, off)
	if had == units {
		return
	}
	b.disagree(in, r, pool, c, had, units, first)
	if units < had {
		put32(rec, off, units)
		put32(rows, off, row)
	}
}

// lot adds a lot of Rensa's own format to its pool.
func (b *builder) lot(in *batch, data []byte, r *record, pool int32) {
	c := removal.Sellable
	if r.word > 0 {
		c = removal.Unsellable
	}
	off := 4 * int(c)
	rec := b.snap.pools.at(pool)
	sum := uint64(u32(rec, off)) + uint64(r.units)
	if sum > math.MaxUint32 {
		b.bad(in, r, fieldQuantity, reasonTooLarge, nil)
		return
	}
	put32(rec, off, uint32(sum))
	if r.lot >= 0 {
		b.addFacts(rec, data, &in.lots[r.lot], c, r.units)
		b.lots.keep(b.poolItem(pool), c, r.units, &in.lots[r.lot])
	}
}

func (b *builder) addFacts(pool, data []byte, l *lot, c removal.Condition, units uint32) {
	f := b.factOf(pool)
	if l.recalled {
		put32(f, factRecalled+4*int(c), u32(f, factRecalled+4*int(c))+units)
	}
	first(f, factWeight, l.weight)
	for k, v := range l.sides {
		first(f, factSides+4*k, v)
	}
	first(f, factVolume, l.volume)
	if l.hazmat.Len > 0 && u16(f, factHazmat) == 0 {
		put16(f, factHazmat, b.hazmatClass(string(span(data, l.hazmat))))
	}
	earliest(f, factExpiry, uint32(l.expiry))
	if c == removal.Unsellable {
		earliest(f, factSince, uint32(l.since))
	}
	earliest(f, factReceived, uint32(l.received))
}

func (b *builder) factOf(pool []byte) []byte {
	if n := u32(pool, 12); n > 0 {
		return b.snap.facts.at(int32(n - 1))
	}
	i, f := b.snap.facts.add()
	put32(pool, 12, uint32(i+1))
	return f
}

// joinFacts gives one pool's facts to another.
func (b *builder) joinFacts(to, from []byte) {
	n := u32(from, 12)
	if n == 0 {
		return
	}
	f, g := b.factOf(to), b.snap.facts.at(int32(n-1))
	for off := 0; off < 8; off += 4 {
		put32(f, off, u32(f, off)+u32(g, off))
	}
	for off := factWeight; off < factHazmat; off += 4 {
		first(f, off, u32(g, off))
	}
	if u16(f, factHazmat) == 0 {
		put16(f, factHazmat, u16(g, factHazmat))
	}
	for off := factExpiry; off <= factReceived; off += 4 {
		earliest(f, off, u32(g, off))
	}
}

func first(f []byte, off int, v uint32) {
	if u32(f, off) == 0 {
		put32(f, off, v)
	}
}

func earliest(f []byte, off int, v uint32) {
	if had := u32(f, off); v > 0 && (had == 0 || v < had) {
		put32(f, off, v)
	}
}

// hazmatClass numbers the classes; there are few, and past 65,535 of them the
// words are no classes.
func (b *builder) hazmatClass(s string) uint16 {
	n, ok := b.hazmat[s]
	if !ok && len(b.snap.hazmat) < math.MaxUint16 {
		b.snap.hazmat = append(b.snap.hazmat, s)
		n = uint16(len(b.snap.hazmat))
		b.hazmat[s] = n
	}
	return n
}

// conflict leaves out a row whose MSKU stands with another FNSKU on an earlier
// one: an MSKU has one pool.
func (b *builder) conflict(in *batch, r *record, item int32, has string) {
	b.bad(in, r, fieldFNSKU, reasonConflict, removal.Args{}.
		Arg("fnsku", has).Arg("row", u32(b.itemRows.at(item), 0)))
}

func (b *builder) bad(in *batch, r *record, f field, reason string, args removal.Args) {
	b.res.RowsBad++
	data := in.block.Data()
	col := b.col[f]
	cells := in.block.Cells(int(r.row))
	b.report(&in.block, issue{row: r.row, col: col, code: removal.SnapshotRowBad,
		value: string(span(data, cells[col])), sku: string(span(data, r.sku)),
		args: append(removal.Args{}.Arg("heading", b.heading(f)).Arg("reason", reason), args...)})
}

func (b *builder) disagree(in *batch, r *record, pool int32, c removal.Condition, had, now, row uint32) {
	f := fieldQuantity
	if b.shape == bothFigures {
		f = [...]field{fieldSellable, fieldUnsellable}[c]
	}
	data := in.block.Data()
	b.report(&in.block, issue{row: r.row, col: b.col[f], code: removal.PoolDisagrees,
		value: strconv.FormatUint(uint64(now), 10), sku: string(span(data, r.sku)),
		args: removal.Args{}.Arg("fnsku", string(b.snap.FNSKU(b.poolItem(pool)))).
			Arg("kept", min(had, now)).Arg("other", max(had, now)).Arg("row", row).Arg("condition", c)})
}

// report places a problem.
func (b *builder) report(block *decode.Block, i issue) {
	if len(b.res.Problems) == maxProblems {
		b.res.Omitted++
		return
	}
	b.res.Problems = append(b.res.Problems, removal.Problem{
		Place: b.place(block.Number(int(i.row)), block.Line(int(i.row)), i.col),
		Code:  i.code, Field: removal.FieldNone, Value: i.value, Args: i.args, SKU: i.sku,
	})
}

// finish completes the snapshot after the last batch.
func (b *builder) finish() (*Snapshot, error) {
	for k, f := range b.words {
		rec := b.snap.pools.at(k.pool)
		put32(rec, 4, uint32(min(uint64(u32(rec, 4))+uint64(f.units), math.MaxUint32)))
	}
	if b.dead > 0 {
		b.compact()
	}
	b.skus.fit()
	b.fnskus.fit()
	var fnskus packedIndex
	var packing sync.WaitGroup
	packing.Go(func() { fnskus = b.fnskus.packed(b.snap.pools.n) })
	b.snap.skus = b.skus.packed(b.snap.items.n)
	packing.Wait()
	b.snap.fnskus.made.Store(&fnskus)
	b.snap.named = b.fnskus.n
	b.snap.grown.Store(&grownIndexes{b.skus, b.fnskus})
	for p := range int32(b.snap.pools.n) {
		sellable, unsellable := b.snap.Units(p)
		b.snap.sellable += sellable
		b.snap.unsold += unsellable
	}
	if err := b.side.finish(&b.snap.side); err != nil {
		return b.snap, err
	}
	var err error
	b.snap.book, err = b.lots.book(b.snap, DayOf(b.snap.date.In(b.zone)))
	return b.snap, err
}

// compact takes the pools that were joined to others out.
func (b *builder) compact() {
	old := b.snap.pools
	b.snap.pools = newTable(poolSize, poolShift)
	moved := make([]uint32, old.n)
	for p := range int32(old.n) {
		if rec := old.at(p); u32(rec, 8) != math.MaxUint32 {
			n, to := b.snap.pools.add()
			copy(to, rec)
			moved[p] = uint32(n)
		}
	}
	for i := range int32(b.snap.items.n) {
		rec := b.snap.items.at(i)
		put32(rec, 0, moved[u32(rec, 0)])
	}
	slots := b.fnskus.slots
	for off := 0; off < len(slots); off += 8 {
		if v := binary.LittleEndian.Uint64(slots[off:]); v != 0 {
			put32(slots, off, moved[uint32(v)-1]+1)
		}
	}
}
