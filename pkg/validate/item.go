package validate

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rensa/pkg/inventory"
	"rensa/pkg/removal"
)

// Checked is what Check found about one row on its own.
type Checked struct {
	Item                 int32    // place in the snapshot; -1: not found
	pool                 int32    // of the item
	has                  [2]int64 // the pool's units by condition, of Item >= 0
	facts                bool     // more is known of the pool
	Sellable, Unsellable int64
	Problems             []removal.Problem // of the row
	Header               *Header           // nil where all order values but the id are blank
}

// Check looks at each row on its own. out is as long as rows. For at most hints
// of the SKUs that are not in the snapshot it looks for what may have been
// meant; the others get their code alone. Several calls may run at once.
func (r *Rules) Check(rows []removal.Row, out []Checked, hints int) {
	r.findItems(rows, out)
	r.findPools(out)
	var raw []byte
	var last *Header
	errors := errorFinder{}
	for i := range rows {
		row, c := &rows[i], &out[i]
		if raw = rawHeader(raw[:0], row); len(raw) > 0 {
			// Many writers repeat the order's values on each of its rows.
			if last == nil || last.raw != string(raw) {
				last = r.header(row, raw)
			}
			c.Header = last
		}
		r.checkRow(row, c, &hints, errors.mayBe(row))
	}
}

// findItems begins each row's Checked with its item.
func (r *Rules) findItems(rows []removal.Row, out []Checked) {
	var skus [inventory.LookupBatch][]byte
	var items [inventory.LookupBatch]int32
	for from := 0; from < len(rows); from += len(skus) {
		n := min(len(skus), len(rows)-from)
		for k := range n {
			skus[k] = rows[from+k].Value(removal.FieldSKU)
		}
		r.Snapshot.LookupAll(skus[:n], items[:n])
		for k, item := range items[:n] {
			out[from+k] = Checked{Item: item}
		}
	}
}

// findPools finds the items' pools. The loops do nothing else, so that the memory of
// many rows is waited for together.
func (r *Rules) findPools(out []Checked) {
	for i := range out {
		if c := &out[i]; c.Item >= 0 {
			c.pool = r.Snapshot.PoolOf(c.Item)
		}
	}
	for i := range out {
		if c := &out[i]; c.Item >= 0 {
			c.has[removal.Sellable], c.has[removal.Unsellable] = r.Snapshot.Units(c.pool)
			c.facts = r.Snapshot.HasProduct(c.pool)
		}
	}
}

func (r *Rules) checkRow(row *removal.Row, c *Checked, hints *int, errors bool) {
	if row.Notes != nil {
		c.notes(row, r.Headings)
	}
	if errors {
		c.errorTexts(row)
	}
	if id := row.Value(removal.FieldOrderID); len(id) > MaxOrderID {
		if n := utf8.RuneCount(id); n > MaxOrderID {
			c.add(removal.OrderIDTooLong, removal.FieldOrderID,
				removal.Args{}.Arg("length", n).Arg("max", MaxOrderID))
		}
	}
	if c.Header != nil {
		c.placeholders(row)
	}
	r.checkSKU(row, c, hints)
	c.Sellable = c.quantity(row, removal.FieldSellable)
	c.Unsellable = c.quantity(row, removal.FieldUnsellable)
	if c.Sellable == 0 && c.Unsellable == 0 && !c.hasErrorIn(removal.FieldSellable, removal.FieldUnsellable) {
		c.add(removal.QuantityMissing, removal.FieldSellable, nil)
	}
}

func (c *Checked) add(code removal.Code, f removal.Field, args removal.Args) {
	c.Problems = append(c.Problems, removal.Problem{Code: code, Field: f, Args: args})
}

func (c *Checked) hasErrorIn(fields ...removal.Field) bool {
	for i := range c.Problems {
		for _, f := range fields {
			if c.Problems[i].Field == f && c.Problems[i].Code.IsError() {
				return true
			}
		}
	}
	return false
}

// notes turns what decoding noted about cells into problems.
func (c *Checked) notes(row *removal.Row, headings int) {
	extra := 0
	for _, n := range row.Notes {
		switch n.What {
		case removal.NoteError:
			c.add(removal.CellError, n.Field, nil)
		case removal.NoteFormula:
			// Of a formula that came to nothing no result was used.
			if !slices.Contains(row.Notes, removal.CellNote{Field: n.Field, Col: n.Col, What: removal.NoteError}) {
				c.add(removal.CellFormula, n.Field, nil)
			}
		case removal.NoteExtra:
			if n.Field != removal.FieldNone { // a key line of layout B
				c.add(removal.ColumnCount, n.Field, removal.Args{}.Arg("cells", n.Col).Arg("headings", 2))
				continue
			}
			extra = max(extra, n.Col)
		case removal.NoteDamaged:
			if n.Field == removal.FieldOrderID || n.Field == removal.FieldSKU || n.Field.OfAddress() {
				c.add(removal.TextDamaged, n.Field, nil)
			}
		case removal.NoteLongNumber: // judged with the SKU
		}
	}
	if extra > 0 {
		c.add(removal.ColumnCount, removal.FieldNone, removal.Args{}.Arg("cells", extra).Arg("headings", headings))
	}
}

// errorWords are what a spreadsheet writes for an error when it saves text.
var errorWords = map[string]bool{
	"#REF!": true, "#N/A": true, "#VALUE!": true, "#NAME?": true, "#DIV/0!": true, "#NULL!": true, "#NUM!": true,
}

// errorFinder tells of which rows errorTexts needs to look at every field: only of
// those whose bytes hold a # at all. Rows of one block share them.
type errorFinder struct {
	data []byte
	some bool
}

func (e *errorFinder) mayBe(row *removal.Row) bool {
	if len(row.Data) == 0 {
		return false
	}
	if len(e.data) != len(row.Data) || &e.data[0] != &row.Data[0] {
		e.data, e.some = row.Data, bytes.IndexByte(row.Data, '#') >= 0
	}
	return e.some
}

// errorTexts finds errors of a spreadsheet in text.
func (c *Checked) errorTexts(row *removal.Row) {
	for f := range removal.Field(removal.NumFields) {
		if v := row.Value(f); len(v) >= 4 && v[0] == '#' && errorWords[string(v)] && !c.hasErrorIn(f) {
			c.add(removal.CellError, f, nil)
		}
	}
}

func (c *Checked) placeholders(row *removal.Row) {
	for f := removal.FieldName; f <= removal.FieldPhone; f++ {
		if isPlaceholder(row.Value(f)) {
			c.add(removal.PlaceholderIgnored, f, nil)
		}
	}
}

func (r *Rules) checkSKU(row *removal.Row, c *Checked, hints *int) {
	sku := row.Value(removal.FieldSKU)
	switch {
	case c.hasErrorIn(removal.FieldSKU):
		c.Item = -1 // the value is not what the user meant; to look it up would only mislead
	case len(sku) == 0:
		c.add(removal.SKUMissing, removal.FieldSKU, nil)
	case len(sku) > MaxSKU:
		c.add(removal.SKUTooLong, removal.FieldSKU, removal.Args{}.Arg("bytes", len(sku)).Arg("max", MaxSKU))
	case c.Item >= 0:
	default:
		long := false
		for _, n := range row.Notes {
			long = long || n.Field == removal.FieldSKU && n.What == removal.NoteLongNumber
		}
		if *hints <= 0 {
			c.add(r.Snapshot.WhyUnknown(sku, long), removal.FieldSKU, nil)
			return
		}
		*hints--
		s := r.Snapshot.Suggest(sku, long)
		var args removal.Args
		if len(s.Candidates) > 0 {
			args = args.Arg("candidates", strings.Join(s.Candidates, "\n"))
		}
		c.add(s.Code, removal.FieldSKU, args)
	}
}

func (c *Checked) quantity(row *removal.Row, f removal.Field) int64 {
	if c.hasErrorIn(f) {
		return 0
	}
	n, code, args := quantity(row.Value(f))
	if code != removal.CodeNone {
		c.add(code, f, args)
	}
	return n
}

func lettersAndDigits(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// equalValues compares two values of one order as they stand in different rows:
// a placeholder is blank, and a method is the same in every spelling.
func equalValues(f removal.Field, a, b []byte) bool {
	if f.OfAddress() {
		if isPlaceholder(a) {
			a = nil
		}
		if isPlaceholder(b) {
			b = nil
		}
	}
	if bytes.Equal(a, b) {
		return true
	}
	if f == removal.FieldMethod {
		m := ParseMethod(a)
		return m != removal.MethodNone && m == ParseMethod(b)
	}
	return false
}
