package inventory

import (
	"errors"
	"math"
	"slices"

	"rensa/pkg/removal"
)

// maxSources is how many sources a book has before those that no fact comes from
// any more are taken out.
const maxSources = 64

// with gives the snapshot with the facts of a file in it.
func (s *Snapshot) with(r *factRows, source Source, dir string) (*Snapshot, error) {
	n := s.fork()
	e := &editor{snap: n, sources: slices.Clone(s.Sources()), w: bookWriter{dir: dir}, classes: map[string]uint16{}}
	e.sources = append(e.sources, source)
	e.from = len(e.sources) - 1
	own := Source{Kind: s.kind, Date: s.date}
	add := func(p int32, record []byte) error {
		k := r.of[p]
		if k == 0 {
			return e.w.add(record)
		}
		f := &e.facts
		if err := readFacts(record, len(e.sources), f); err != nil {
			return err
		}
		e.apply(p, f, &r.rows[k-1], r.kind, own)
		e.buf = appendFacts(e.buf[:0], f)
		return e.w.add(e.buf)
	}
	if err := s.eachRecord(add); err != nil {
		return nil, errors.Join(err, e.w.spool.close())
	}
	var err error
	if n.book, err = e.w.finish(e.sources); err != nil {
		return nil, err
	}
	if len(e.sources) > maxSources {
		return n, n.compactSources(dir)
	}
	return n, nil
}

// eachRecord visits the records of all pools in order, blank where there is no book.
func (s *Snapshot) eachRecord(visit func(p int32, record []byte) error) error {
	if s.book != nil {
		return s.book.each(visit)
	}
	for p := range int32(s.pools.n) {
		if err := visit(p, nil); err != nil {
			return err
		}
	}
	return nil
}

// fork is a snapshot of the same stock whose products can be changed before
// anyone sees it. It reads titles from the first one's file.
func (s *Snapshot) fork() *Snapshot {
	fnskus := s.fnskuIndex()
	n := &Snapshot{
		kind: s.kind, date: s.date, dateTime: s.dateTime, excluded: s.excluded, sellable: s.sellable, unsold: s.unsold,
		seed: s.seed, asinLens: s.asinLens, items: s.items, pools: s.pools.clone(), facts: s.facts.clone(),
		overflow: s.overflow, hazmat: slices.Clone(s.hazmat), skus: s.skus, named: s.named,
		tellsRecalled: s.tellsRecalled,
	}
	n.fnskus.made.Store(fnskus)
	n.loadGrown, n.loadFNSKUs, n.fnskusBegin = s.loadGrown, s.loadFNSKUs, s.fnskusBegin
	n.grown.Store(s.grown.Load())
	n.side.r, n.side.offsets, n.side.items = s.side.r, s.side.offsets, s.side.items
	return n
}

// clone copies the records.
func (t *table) clone() table {
	c := newTable(t.size, t.shift)
	c.n = t.n
	for _, page := range t.used() {
		b := make([]byte, t.pageBytes())
		copy(b, page)
		c.page = append(c.page, b)
	}
	return c
}

// editor changes the facts of a snapshot that nobody sees yet.
type editor struct {
	snap    *Snapshot
	sources []Source
	from    int // the new source
	w       bookWriter
	facts   Facts
	buf     []byte
	classes map[string]uint16
}

// product gives the record of a pool's product, made if need be.
func (e *editor) product(p int32) []byte {
	pool := e.snap.pools.at(p)
	if n := u32(pool, 12); n > 0 {
		return e.snap.facts.at(int32(n - 1))
	}
	i, f := e.snap.facts.add()
	put32(pool, 12, uint32(i+1))
	return f
}

// newer tells whether the new source is not older than the one that a fact has.
func (e *editor) newer(from int) bool {
	return from < 0 || !e.sources[from].Date.After(e.sources[e.from].Date)
}

// apply enters a row's facts. own is the file of the snapshot's quantities.
func (e *editor) apply(p int32, f *Facts, row *factRow, kind removal.Kind, own Source) {
	switch kind {
	case removal.KindPlanning, removal.KindHealth:
		f.putAged(Aged{From: e.from, Units: row.units, Charge: row.charge, Charge456: row.charge456, Bands: row.bands}, e.sources)
		if (row.t30 >= 0 || row.t90 >= 0) && e.newer(f.Sales.From) {
			f.Sales = Sales{From: e.from, T30: row.t30, T90: row.t90}
		}
	case removal.KindStranded:
		e.strand(p, f, row)
	case removal.KindReserved:
		if e.newer(f.Reserved.From) {
			f.Reserved = Reserved{From: e.from, Units: row.units}
		}
	case removal.KindRecallList:
		if e.newer(f.Recalled.From) {
			f.Recalled = Recalled{From: e.from, Since: row.since}
		}
		e.recall(p, f.Recalled.Since)
	}
	e.measure(p, f, row, own)
}

// strand notes since when units have no listing; none of them ends it.
func (e *editor) strand(p int32, f *Facts, row *factRow) {
	if !e.newer(f.Stranded.From) {
		return
	}
	f.Stranded = Stranded{From: e.from, Since: row.since, Units: row.units}
	since := row.since
	if since == 0 {
		since = e.sources[e.from].Day
	}
	if row.units == 0 {
		since = 0
	}
	put32(e.product(p), factStranded, uint32(since))
}

// recall marks all units of a pool.
func (e *editor) recall(p int32, since Day) {
	f := e.product(p)
	pool := e.snap.pools.at(p)
	put32(f, factRecalled, u32(pool, 0))
	put32(f, factRecalled+4, u32(pool, 4))
	put16(f, factRecall, uint16(min(since, math.MaxUint16)))
}

// measure takes sizes and weight, each where the file has it and what is there is
// not newer.
func (e *editor) measure(p int32, f *Facts, row *factRow, own Source) {
	if row.weight == 0 && row.sides == [3]uint32{} && row.volumeMM3 == 0 && !row.hazmatTold {
		return
	}
	had := own.Date
	if f.Measured.From >= 0 {
		had = e.sources[f.Measured.From].Date
	}
	older := had.After(e.sources[e.from].Date)
	rec := e.product(p)
	set := func(off int, v uint32) {
		if v > 0 && (!older || u32(rec, off) == 0) {
			put32(rec, off, v)
		}
	}
	set(factWeight, row.weight)
	for k, v := range row.sides {
		set(factSides+4*k, v)
	}
	set(factVolume, uint32(min((row.volumeMM3+999)/1000, maxQuantity)))
	e.hazmat(rec, row)
	if row.weight == 0 && row.volumeMM3 == 0 {
		return
	}
	if m := &f.Measured; m.From < 0 || !older {
		if m.From = e.from; row.volumeMM3 > 0 {
			m.VolumeMM3 = row.volumeMM3
		}
	}
}

// hazmat notes that goods are dangerous where no class is known, and that they
// are not where no class says so.
func (e *editor) hazmat(rec []byte, row *factRow) {
	if !row.hazmatTold {
		return
	}
	n := u16(rec, factHazmat)
	unnamed := n > 0 && e.snap.hazmat[n-1] == hazmatUnnamed
	switch {
	case row.hazmat == "" && unnamed:
		put16(rec, factHazmat, 0)
	case row.hazmat != "" && n == 0:
		put16(rec, factHazmat, e.class(row.hazmat))
	}
}

// class numbers a dangerous goods class; 0 where there are too many.
func (e *editor) class(name string) uint16 {
	if n, ok := e.classes[name]; ok {
		return n
	}
	i := slices.Index(e.snap.hazmat, name)
	if i < 0 && len(e.snap.hazmat) < math.MaxUint16 {
		e.snap.hazmat = append(e.snap.hazmat, name)
		i = len(e.snap.hazmat) - 1
	}
	e.classes[name] = uint16(i + 1)
	return uint16(i + 1)
}
