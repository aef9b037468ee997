package inventory

import (
	"slices"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// record is one good row of a block: where its keys stand, and its figures.
type record struct {
	row                     int32 // in the block
	lot                     int32 // number in the batch's lots; -1: none
	sku, fnsku, asin, title removal.Span
	side                    removal.Span // of the batch's side: ASIN and title as they are kept
	hash, fnskuHash         uint64
	sellable, unsellable    uint32 // bothFigures
	units                   uint32 // oneFigure, lots
	word                    uint8  // the condition's
}

// lot is what Rensa's own format says about the units of a row.
type lot struct {
	recalled                bool
	weight                  uint32
	sides                   [3]uint32
	volume                  uint32
	hazmat                  removal.Span
	expiry, since, received int32
}

// issue is a problem of a row before its place is known.
type issue struct {
	row    int32
	col    int // counted from 0; -1: the whole row
	code   removal.Code
	reason string
	value  string
	sku    string
	args   removal.Args
}

// batch is what one block holds, ready to be merged in the file's order.
type batch struct {
	block   decode.Block
	records []record
	lots    []lot
	issues  []issue
	side    []byte
	rows    int
	bad     int

	date     time.Time // earliest of the rows; zero: none
	dateTime bool
	yes, no  bool // what open-removals-excluded said
}

// digester turns the rows of a block into records. It has no state that a row
// leaves to the next but a cache, so blocks may be digested side by side, each
// with its own digester.
type digester struct {
	*mapping
	shape shape
	facts bool
	seed  uint64
	zone  *time.Location
	// latest is ReadOptions.Latest.
	latest time.Time

	cells []removal.Span
	data  []byte
	out   *batch
	row   int32
	ok    bool
	told  uint64 // fields of the row that have a problem already, by bit

	lastDate    string
	lastMoment  time.Time
	lastHasTime bool
	lastOK      bool
}

func newDigester(v *variant, m *mapping, opt ReadOptions) *digester {
	d := &digester{mapping: m, shape: v.shape, seed: opt.Seed, zone: opt.Zone, latest: opt.Latest}
	if d.zone == nil {
		d.zone = time.UTC
	}
	for f := fieldReceived; f <= fieldOpenExcluded; f++ {
		d.facts = d.facts || m.col[f] >= 0
	}
	return d
}

// digest fills the batch from its block.
func (d *digester) digest(b *batch) {
	b.records, b.lots, b.issues, b.side = b.records[:0], b.lots[:0], b.issues[:0], b.side[:0]
	b.rows, b.bad, b.date, b.yes, b.no = b.block.Len(), 0, time.Time{}, false, false
	d.out, d.data = b, b.block.Data()
	for i := range b.rows {
		d.row, d.cells, d.ok, d.told = int32(i), b.block.Cells(i), true, 0
		if notes := b.block.Notes(i); notes != nil {
			d.notes(notes)
		}
		if len(d.cells) > len(d.headings) {
			d.extra()
		}
		if rec, ok := d.record(); ok {
			b.records = append(b.records, rec)
		} else {
			b.bad++
		}
	}
}

func (d *digester) span(f field) removal.Span {
	if c := d.col[f]; c >= 0 && c < len(d.cells) {
		return d.cells[c]
	}
	return removal.Span{}
}

func (d *digester) value(s removal.Span) []byte { return d.data[s.Off : s.Off+s.Len] }

// record reads a row; not ok: the row is left out, and the batch says why.
func (d *digester) record() (record, bool) {
	r := record{row: d.row, lot: -1, sku: d.key(fieldSKU), fnsku: d.key(fieldFNSKU), asin: d.key(fieldASIN), title: d.span(fieldTitle)}
	if r.sku.Len == 0 {
		d.bad(fieldSKU, reasonMissing)
	}
	switch d.shape {
	case bothFigures:
		r.sellable = d.quantity(fieldSellable)
		r.unsellable = d.quantity(fieldUnsellable)
	default:
		r.units = d.quantity(fieldQuantity)
		r.word = d.word()
	}
	if d.col[fieldDate] >= 0 {
		d.date()
	}
	if d.facts {
		r.lot = d.lot()
	}
	if !d.ok {
		return r, false
	}
	r.hash = hashBytes(d.seed, d.value(r.sku))
	if r.fnsku.Len > 0 {
		r.fnskuHash = hashBytes(d.seed, d.value(r.fnsku))
	}
	from := len(d.out.side)
	d.out.side = appendSide(d.out.side, d.value(r.asin), d.value(r.title))
	r.side = removal.Span{Off: uint32(from), Len: uint32(len(d.out.side) - from)}
	return r, true
}

// key reads an identifier. Only an MSKU may be a word that stands for nothing.
func (d *digester) key(f field) removal.Span {
	s := d.span(f)
	if s.Len > maxKeyBytes {
		d.bad(f, reasonTooLong)
	}
	if f != fieldSKU && s.Len <= 4 && placeholder(d.value(s)) {
		return removal.Span{}
	}
	return s
}

// quantity reads a figure. In reports a blank one is 0; in Rensa's own format
// it is required.
func (d *digester) quantity(f field) uint32 {
	v := d.value(d.span(f))
	if len(v) == 1 && v[0] >= '0' && v[0] <= '9' {
		return uint32(v[0] - '0')
	}
	if len(v) == 0 {
		if d.shape == lots {
			d.bad(f, reasonMissing)
		}
		return 0
	}
	n, reason := quantity(v)
	if reason != "" {
		d.bad(f, reason)
	}
	return n
}

func (d *digester) word() uint8 {
	v := d.value(d.span(fieldDisposition))
	w, ok := word(v)
	switch {
	case len(v) == 0:
		d.bad(fieldDisposition, reasonMissing)
	case !ok:
		d.bad(fieldDisposition, reasonDisposition)
	}
	return w
}

func (d *digester) date() {
	v := d.value(d.span(fieldDate))
	if placeholder(v) {
		return
	}
	if string(v) != d.lastDate {
		d.lastDate = string(v)
		d.lastMoment, d.lastHasTime, d.lastOK = moment(d.lastDate, d.zone)
	}
	if !d.lastOK {
		d.bad(fieldDate, reasonDate)
		return
	}
	if !d.latest.IsZero() && d.lastMoment.After(d.latest) {
		d.bad(fieldDate, reasonFuture)
		return
	}
	// Rows of different dates: the earliest, because what left after it is taken off.
	if d.out.date.IsZero() || d.lastMoment.Before(d.out.date) {
		d.out.date, d.out.dateTime = d.lastMoment, d.lastHasTime
	}
}

// lot reads the facts of a row and gives their number, -1 where there are none.
func (d *digester) lot() int32 {
	var l lot
	if v := d.fact(fieldRecalled); v != nil {
		var ok bool
		if l.recalled, ok = yes(v); !ok {
			d.bad(fieldRecalled, reasonNotValid)
		}
	}
	if v := d.fact(fieldOpenExcluded); v != nil {
		b, ok := yes(v)
		if !ok {
			d.bad(fieldOpenExcluded, reasonNotValid)
		}
		d.out.yes, d.out.no = d.out.yes || b, d.out.no || !b
	}
	l.weight = d.measure(fieldWeight, 1)
	for k := range l.sides {
		l.sides[k] = d.measure(fieldLongest+field(k), 10)
	}
	l.volume = d.measure(fieldVolume, 1)
	if d.fact(fieldHazmat) != nil {
		l.hazmat = d.key(fieldHazmat)
	}
	l.expiry, l.since, l.received = d.day(fieldExpiry), d.day(fieldSince), d.day(fieldReceived)
	if l == (lot{}) {
		return -1
	}
	d.out.lots = append(d.out.lots, l)
	return int32(len(d.out.lots) - 1)
}

// fact is the value of an optional column, nil where it is blank.
func (d *digester) fact(f field) []byte {
	if v := d.value(d.span(f)); !placeholder(v) {
		return v
	}
	return nil
}

func (d *digester) measure(f field, scale float64) uint32 {
	v := d.fact(f)
	if v == nil {
		return 0
	}
	n, reason := measure(v, scale)
	if reason != "" {
		d.bad(f, reason)
	}
	return n
}

func (d *digester) day(f field) int32 {
	v := d.fact(f)
	if v == nil {
		return 0
	}
	n, ok := day(string(v), d.zone)
	if !ok {
		d.bad(f, reasonDate)
	}
	return n
}

// bad notes that a value cannot be used; the row is left out.
func (d *digester) bad(f field, reason string) {
	if d.told&(1<<f) != 0 {
		return
	}
	d.note(issue{col: d.col[f], code: removal.SnapshotRowBad, reason: reason, value: d.text(d.span(f))})
}

func (d *digester) note(i issue) {
	if i.code.IsError() {
		d.ok = false
		if i.col >= 0 && i.col < len(d.field) {
			d.told |= 1 << d.field[i.col]
		}
	}
	i.row = d.row
	i.sku = d.text(d.span(fieldSKU))
	if i.reason != "" {
		i.args = removal.Args{}.Arg("heading", d.heading(d.field[i.col])).Arg("reason", i.reason)
	}
	d.out.issues = append(d.out.issues, i)
}

// maxValue is how much of a cell a problem keeps.
const maxValue = 200

func (d *digester) text(s removal.Span) string {
	s.Len = min(s.Len, maxValue)
	return string(d.value(s))
}

// notes looks at what the decoder noted about cells that are used.
func (d *digester) notes(notes []decode.Note) {
	for _, n := range notes {
		col := n.Col - 1
		if col < 0 || col >= len(d.field) || d.field[col] == fieldNone || d.field[col] == fieldTitle {
			continue
		}
		f := d.field[col]
		identifier := f == fieldSKU || f == fieldFNSKU || f == fieldASIN
		value := d.text(d.span(f))
		switch {
		case n.What == removal.NoteFormula && !hasError(notes, n.Col):
			d.note(issue{col: col, code: removal.CellFormula, value: value})
		case n.What == removal.NoteError:
			d.note(issue{col: col, code: removal.CellError, value: value})
		case n.What == removal.NoteDamaged && identifier:
			d.note(issue{col: col, code: removal.TextDamaged, value: value})
		case n.What == removal.NoteLongNumber && identifier:
			d.bad(f, reasonDamaged)
		}
	}
}

// hasError tells whether a formula's value is an error, which says all.
func hasError(notes []decode.Note, col int) bool {
	return slices.Contains(notes, decode.Note{Col: col, What: removal.NoteError})
}

// extra looks for values beyond the last heading: the row's columns have moved.
func (d *digester) extra() {
	for c := len(d.cells) - 1; c >= len(d.headings); c-- {
		if d.cells[c].Len > 0 {
			d.note(issue{col: c, code: removal.ColumnCount,
				args: removal.Args{}.Arg("cells", c+1).Arg("headings", len(d.headings))})
			return
		}
	}
}
