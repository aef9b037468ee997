package inventory

import "errors"

// Inherit gives a snapshot that was just read what was known about its pools
// before and is still true: sizes, weights and classes, ages with the history for
// interpolation, sales, what is stranded, reserved or recalled. What its own file
// says goes before. It must be called before anyone else sees the snapshot.
func (s *Snapshot) Inherit(previous *Snapshot, tempDir string) error {
	if previous == nil || previous.book == nil && previous.facts.n == 0 {
		return nil
	}
	c := &carrier{
		editor: editor{snap: s, sources: s.sourcesClone(), w: bookWriter{dir: tempDir}, classes: map[string]uint16{}},
		old:    previous, own: s.Sources(), moved: map[int]int{},
	}
	if previous.book != nil {
		var err error
		if c.raw, err = readRaw(previous.book); err != nil {
			return err
		}
	}
	if err := s.eachRecord(c.pool); err != nil {
		return errors.Join(err, c.w.spool.close())
	}
	k, err := c.w.finish(c.sources)
	if err != nil {
		return err
	}
	err = s.book.close()
	s.book = k
	return err
}

func (s *Snapshot) sourcesClone() []Source { return append([]Source(nil), s.Sources()...) }

// carrier takes facts from one snapshot to the next.
type carrier struct {
	editor
	old   *Snapshot
	raw   *rawBook // nil: the old one has only products
	own   []Source
	moved map[int]int // number of a source there → here
	was   Facts
}

// before finds a pool in the old snapshot: by its key, else by its first MSKU; an
// MSKU may have got its FNSKU meanwhile.
func (c *carrier) before(p int32) int32 {
	sku, fnsku := c.snap.keys(int32(u32(c.snap.pools.at(p), 8)))
	if len(fnsku) > 0 {
		if q := c.old.findFNSKU(fnsku); q >= 0 {
			return q
		}
	}
	i := c.old.Lookup(sku)
	if i < 0 {
		return -1
	}
	if had := c.old.FNSKU(i); len(fnsku) > 0 && len(had) > 0 {
		return -1 // the MSKU means other goods now
	}
	return c.old.PoolOf(i)
}

func (c *carrier) pool(p int32, record []byte) error {
	q := c.before(p)
	if q < 0 {
		return c.w.add(record)
	}
	c.products(p, q)
	if c.raw == nil || len(c.raw.record(q)) == 0 {
		return c.w.add(record)
	}
	f := &c.facts
	if err := readFacts(record, len(c.own), f); err != nil {
		return err
	}
	if err := readFacts(c.raw.record(q), len(c.raw.sources), &c.was); err != nil {
		return err
	}
	c.merge(p, f, &c.was)
	c.buf = appendFacts(c.buf[:0], f)
	return c.w.add(c.buf)
}

// products fills in what the new file does not say about a product.
func (c *carrier) products(p, q int32) {
	old := c.old.fact(q)
	if old == nil {
		return
	}
	class := u16(old, factHazmat)
	if class == 0 && u32(old, factStranded) == 0 {
		known := false
		for off := factWeight; off < factHazmat; off += 4 {
			known = known || u32(old, off) > 0
		}
		if !known {
			return
		}
	}
	rec := c.product(p)
	for off := factWeight; off < factHazmat; off += 4 {
		first(rec, off, u32(old, off))
	}
	if class > 0 && u16(rec, factHazmat) == 0 {
		put16(rec, factHazmat, c.class(c.old.hazmat[class-1]))
	}
}

func (c *carrier) source(old int) int {
	n, ok := c.moved[old]
	if !ok {
		c.sources = append(c.sources, c.raw.sources[old])
		n = len(c.sources) - 1
		c.moved[old] = n
	}
	return n
}

// merge adds the old facts to the new file's own, which can only be lots.
func (c *carrier) merge(p int32, f, was *Facts) {
	date := c.snap.date
	day := DayOf(date)
	fresh := func(from int) bool { return c.raw.sources[from].Day > day-HistoryDays }
	if f.Lots.From < 0 && was.Lots.From >= 0 && fresh(was.Lots.From) {
		f.Lots = was.Lots
		f.Lots.From = c.source(was.Lots.From)
		was.Lots.All = nil // its memory is in use now
	}
	for _, a := range was.Aged {
		if fresh(a.From) {
			a.From = c.source(a.From)
			f.Aged = append(f.Aged, a)
		}
	}
	if was.Sales.From >= 0 && fresh(was.Sales.From) {
		f.Sales = was.Sales
		f.Sales.From = c.source(was.Sales.From)
	}
	if was.Reserved.From >= 0 {
		f.Reserved = was.Reserved
		f.Reserved.From = c.source(was.Reserved.From)
	}
	if was.Measured.From >= 0 {
		f.Measured = was.Measured
		f.Measured.From = c.source(was.Measured.From)
	}
	units := u32(c.snap.pools.at(p), 0)
	if was.Stranded.From >= 0 && units > 0 {
		f.Stranded = was.Stranded
		f.Stranded.From = c.source(was.Stranded.From)
		if q := c.before(p); f.Stranded.Units > 0 {
			put32(c.product(p), factStranded, u32(c.old.fact(q), factStranded))
		}
	}
	if was.Recalled.From >= 0 && !(c.snap.tellsRecalled && date.After(c.raw.sources[was.Recalled.From].Date)) {
		f.Recalled = was.Recalled
		f.Recalled.From = c.source(was.Recalled.From)
		c.recall(p, f.Recalled.Since)
	}
}

// compactSources takes the sources out of which nothing is left.
func (s *Snapshot) compactSources(dir string) error {
	c := &carrier{editor: editor{w: bookWriter{dir: dir}}, raw: &rawBook{sources: s.book.sources}, moved: map[int]int{}}
	f := &c.facts
	err := s.book.each(func(_ int32, record []byte) error {
		if err := readFacts(record, len(s.book.sources), f); err != nil {
			return err
		}
		for _, from := range []*int{&f.Lots.From, &f.Sales.From, &f.Stranded.From, &f.Reserved.From, &f.Recalled.From, &f.Measured.From} {
			if *from >= 0 {
				*from = c.source(*from)
			}
		}
		for i := range f.Aged {
			f.Aged[i].From = c.source(f.Aged[i].From)
		}
		c.buf = appendFacts(c.buf[:0], f)
		return c.w.add(c.buf)
	})
	if err != nil {
		return errors.Join(err, c.w.spool.close())
	}
	k, err := c.w.finish(c.sources)
	if err != nil {
		return err
	}
	err = s.book.close()
	s.book = k
	return err
}
