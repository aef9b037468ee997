package inventory

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// ReadFacts takes a file in that says more about the stock of current: its result
// is current with the facts in it, of the same kind and date. Rows about stock
// that current does not have are left aside, those of a recall list with a
// problem: a misspelt recall must be heard of. current stays as it is and must be
// open as long as the result. Errors are those of Read.
func ReadFacts(sheet *decode.Sheet, heading int, headings []string, kind removal.Kind, current *Snapshot, opt ReadOptions) (*Result, error) {
	v := variantOf(kind)
	if v == nil || !kind.AddsFacts() {
		return nil, fmt.Errorf("inventory: %s is no kind of file with facts", kind)
	}
	m, err := v.mapColumns(sheet.Name(), heading, headings)
	if err != nil {
		return &Result{}, err
	}
	r := &factRows{
		mapping: m, kind: kind, current: current, zone: opt.zone(), latest: opt.Latest, res: &Result{},
		of: make([]int32, current.Pools()), date: opt.Date, dateTime: !opt.DateOnly,
	}
	if err := r.read(sheet, heading); err != nil {
		return r.res, err
	}
	r.res.Dated = DateFromArrival
	if opt.DateKnown {
		r.res.Dated = DateFromOption
	}
	if !r.told.IsZero() {
		r.date, r.dateTime, r.res.Dated = r.told, r.toldTime, DateFromColumn
	}
	if err := r.judge(); err != nil {
		return r.res, err
	}
	r.res.Snapshot, err = current.with(r, Source{Kind: kind, File: opt.File, Date: r.date.UTC(), Day: DayOf(r.date.In(r.zone))}, opt.TempDir)
	return r.res, err
}

// factRow is what a file says about a pool.
type factRow struct {
	row                  int32 // of the sheet, the first that spoke of the pool
	units                int64 // available, stranded, reserved
	charge, charge456    int64
	bands                Bands
	t30, t90             int64
	sides                [3]uint32
	weight               uint32
	volumeMM3            int64
	hazmat               string
	hazmatTold           bool
	since                Day
	tellsUnits, tellsAge bool
}

type factRows struct {
	*mapping
	kind    removal.Kind
	current *Snapshot
	zone    *time.Location
	latest  time.Time // ReadOptions.Latest
	res     *Result

	of   []int32 // by pool: number in rows + 1
	rows []factRow

	date     time.Time
	dateTime bool
	told     time.Time // by a column: the latest
	toldTime bool

	asins map[string][]int32 // pools by ASIN, made when it is first needed

	block *decode.Block
	i     int
	ok    bool
	said  []int // columns of the row that have a problem already
}

func (r *factRows) read(sheet *decode.Sheet, heading int) error {
	rows, err := sheet.Rows(heading)
	if err != nil {
		return err
	}
	number, line := rows.First()
	var b decode.Block
	for {
		chunk, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := chunk.Split(&b); err != nil {
			return err
		}
		number, line = b.Start(number, line)
		for i := range b.Len() {
			if err := r.row(&b, i); err != nil {
				return err
			}
		}
		rows.Recycle(chunk)
	}
}

// judge refuses a file that is empty or too often wrong.
func (r *factRows) judge() error {
	rows, bad := r.res.RowsRead, r.res.RowsBad
	switch {
	case rows == 0:
		return removal.NewFileError(removal.FileEmpty)
	case r.kind != removal.KindRecallList && bad > badRows && bad*badShare > rows, bad == rows:
		return removal.NewFileError(removal.SnapshotBad, "bad", bad, "rows", rows)
	}
	return nil
}

func (r *factRows) row(b *decode.Block, i int) error {
	r.block, r.i, r.ok, r.said = b, i, true, r.said[:0]
	r.res.RowsRead++
	r.notes()
	f := factRow{row: int32(b.Number(i)), charge: -1, charge456: -1, t30: -1, t90: -1}
	r.parse(&f)
	if !r.ok {
		r.res.RowsBad++
		return nil
	}
	pools, err := r.pools()
	if err != nil {
		return err
	}
	if len(pools) == 0 && r.kind == removal.KindRecallList {
		r.problem(r.keyColumn(), reasonUnknown)
		r.res.RowsBad++
		return nil
	}
	for _, p := range pools {
		r.take(p, &f)
	}
	return nil
}

// take enters a row for its pool. Rows of one pool repeat the same figure; where
// they differ the smallest counts.
func (r *factRows) take(p int32, f *factRow) {
	if r.of[p] == 0 {
		r.rows = append(r.rows, *f)
		r.of[p] = int32(len(r.rows))
		return
	}
	had := &r.rows[r.of[p]-1]
	switch {
	case r.kind == removal.KindStorageFee:
		return // a row a centre, of one and the same product
	case r.kind == removal.KindRecallList:
		had.since = min(had.since, f.since)
		return
	case f.tellsUnits && had.units != f.units:
		r.disagree(p, had, f)
	}
	since := had.since
	if f.tellsUnits && f.units < had.units {
		row := had.row
		*had = *f
		had.row = row
	}
	if since > 0 && (had.since == 0 || since < had.since) {
		had.since = since
	}
	if f.since > 0 && (had.since == 0 || f.since < had.since) {
		had.since = f.since
	}
}

func (r *factRows) disagree(p int32, had, f *factRow) {
	column := fieldAvailable
	if r.kind == removal.KindReserved {
		column = fieldReserved
	}
	_, fnsku := r.current.keys(int32(u32(r.current.pools.at(p), 8)))
	r.report(r.col[column], removal.PoolDisagrees, removal.Args{}.Arg("fnsku", string(fnsku)).
		Arg("kept", min(had.units, f.units)).Arg("other", max(had.units, f.units)).Arg("row", had.row).Arg("condition", removal.Sellable))
}

// pools finds the pools that a row speaks of: that of its MSKU, else of its FNSKU,
// else of all MSKUs of its ASIN.
func (r *factRows) pools() ([]int32, error) {
	if v := r.value(fieldSKU); len(v) > 0 {
		item := r.current.Lookup(v)
		if item >= 0 {
			return []int32{r.current.PoolOf(item)}, nil
		}
	}
	if v := r.value(fieldFNSKU); len(v) > 0 && !placeholder(v) {
		if p := r.current.FindPool(string(v)); p >= 0 {
			return []int32{p}, nil
		}
	}
	if r.kind != removal.KindRecallList && r.kind != removal.KindStorageFee {
		return nil, nil
	}
	if v := r.value(fieldASIN); len(v) > 0 {
		if err := r.readASINs(); err != nil {
			return nil, err
		}
		return r.asins[string(v)], nil
	}
	return nil, nil
}

func (r *factRows) readASINs() error {
	if r.asins != nil {
		return nil
	}
	r.asins = map[string][]int32{}
	return r.current.side.each(func(i int32, asin, _ []byte) bool {
		if len(asin) > 0 {
			p := r.current.PoolOf(i)
			if all := r.asins[string(asin)]; len(all) == 0 || all[len(all)-1] != p {
				r.asins[string(asin)] = append(all, p)
			}
		}
		return true
	})
}

// keyColumn is the first of the key columns that holds something.
func (r *factRows) keyColumn() int {
	for _, f := range []field{fieldSKU, fieldFNSKU, fieldASIN} {
		if c := r.col[f]; c >= 0 && len(r.value(f)) > 0 {
			return c
		}
	}
	return max(r.col[fieldSKU], r.col[fieldFNSKU], r.col[fieldASIN])
}

func (r *factRows) value(f field) []byte { return r.cell(r.col[f]) }

func (r *factRows) cell(col int) []byte {
	cells := r.block.Cells(r.i)
	if col < 0 || col >= len(cells) {
		return nil
	}
	return span(r.block.Data(), cells[col])
}

// notes looks at what the decoder noted about cells that are used.
func (r *factRows) notes() {
	notes := r.block.Notes(r.i)
	for _, n := range notes {
		col := n.Col - 1
		if col < 0 || col >= len(r.field) || r.field[col] == fieldNone {
			continue
		}
		f := r.field[col]
		switch {
		case n.What == removal.NoteFormula && !hasError(notes, n.Col):
			r.report(col, removal.CellFormula, nil)
		case n.What == removal.NoteError:
			r.report(col, removal.CellError, nil)
		case n.What == removal.NoteDamaged && (f == fieldSKU || f == fieldFNSKU || f == fieldASIN):
			r.report(col, removal.TextDamaged, nil)
		}
	}
	cells := r.block.Cells(r.i)
	for c := len(cells) - 1; c >= len(r.headings); c-- {
		if cells[c].Len > 0 {
			r.report(c, removal.ColumnCount, removal.Args{}.Arg("cells", c+1).Arg("headings", len(r.headings)))
			break
		}
	}
}

// problem says why a row cannot be used.
func (r *factRows) problem(col int, reason string) {
	code := removal.SnapshotRowBad
	if r.kind == removal.KindRecallList {
		code = removal.InputRowBad
	}
	heading := ""
	if col >= 0 && col < len(r.headings) {
		heading = r.headings[col]
	}
	if slices.Contains(r.said, col) {
		return
	}
	r.said = append(r.said, col)
	r.report(col, code, removal.Args{}.Arg("heading", heading).Arg("reason", reason))
}

func (r *factRows) report(col int, code removal.Code, args removal.Args) {
	r.ok = r.ok && !code.IsError()
	if len(r.res.Problems) == maxProblems {
		r.res.Omitted++
		return
	}
	value := r.cell(col)
	r.res.Problems = append(r.res.Problems, removal.Problem{
		Place: r.place(r.block.Number(r.i), r.block.Line(r.i), col), Code: code, Field: removal.FieldNone,
		Value: string(value[:min(len(value), maxValue)]), Args: args, SKU: string(r.value(fieldSKU)),
	})
}

// number reads a count that may be blank; -1: it is.
func (r *factRows) number(f field) int64 {
	v := r.value(f)
	if placeholder(v) {
		return -1
	}
	n, reason := quantity(v)
	if reason != "" {
		r.problem(r.col[f], reason)
	}
	return int64(n)
}

// decimal reads a measure times what its unit is in the smallest one, rounded up.
func (r *factRows) decimal(f, unit field, units map[string]float64) int64 {
	v := r.value(f)
	if placeholder(v) {
		return 0
	}
	scale, ok := units[decode.Heading(string(r.value(unit)))]
	if !ok {
		r.problem(r.col[unit], reasonNotValid)
		return 0
	}
	x, err := strconv.ParseFloat(string(pointed(v)), 64)
	if err != nil || x < 0 || x*scale > maxVarint {
		r.problem(r.col[f], reasonNotValid)
		return 0
	}
	return roundUp(x * scale)
}
