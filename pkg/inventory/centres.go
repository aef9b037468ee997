package inventory

import (
	"errors"
	"io"
	"strings"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// Limits of an address, as the marketplace has them.
const (
	maxCentreID   = 40
	maxAddressRun = 60
	maxName       = 50
)

// ReadCentres reads the list of fulfilment centres' addresses. Rows that cannot
// be used are left out with a problem input_row_bad or text_damaged; a centre
// that stands twice with different addresses keeps the first.
func ReadCentres(sheet *decode.Sheet, heading int, headings []string) ([]removal.Centre, []removal.Problem, int, error) {
	m, err := centreVariant.mapColumns(sheet.Name(), heading, headings)
	if err != nil {
		return nil, nil, 0, err
	}
	r, err := sheet.Rows(heading)
	if err != nil {
		return nil, nil, 0, err
	}
	c := &centreReader{mapping: m, seen: map[string]removal.Centre{}}
	number, line := r.First()
	var b decode.Block
	for {
		chunk, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, c.problems, c.rows, err
		}
		if err := chunk.Split(&b); err != nil {
			return nil, c.problems, c.rows, err
		}
		number, line = b.Start(number, line)
		for i := range b.Len() {
			c.row(&b, i)
		}
		r.Recycle(chunk)
	}
	if c.rows == 0 {
		return nil, nil, 0, removal.NewFileError(removal.FileEmpty)
	}
	return c.centres, c.problems, c.rows, nil
}

type centreReader struct {
	*mapping
	centres  []removal.Centre
	problems []removal.Problem
	seen     map[string]removal.Centre
	rows     int

	block *decode.Block
	i     int
	ok    bool
}

func (c *centreReader) row(b *decode.Block, i int) {
	c.block, c.i, c.ok = b, i, true
	c.rows++
	for _, n := range b.Notes(i) {
		switch n.What {
		case removal.NoteDamaged:
			c.problem(n.Col-1, removal.TextDamaged, "")
		case removal.NoteError:
			c.problem(n.Col-1, removal.CellError, "")
		case removal.NoteFormula:
			if !hasError(b.Notes(i), n.Col) {
				c.problem(n.Col-1, removal.CellFormula, "")
			}
		}
	}
	for k := len(b.Cells(i)) - 1; k >= len(c.headings); k-- {
		if b.Cells(i)[k].Len > 0 {
			c.extra(k + 1)
			break
		}
	}
	v := removal.Centre{
		ID:         c.value(fieldCentre, maxCentreID, true),
		Name:       c.value(fieldName, maxName, false),
		Line1:      c.value(fieldLine1, maxAddressRun, true),
		City:       c.value(fieldCity, maxName, false),
		PostalCode: c.value(fieldPostalCode, maxName, true),
	}
	v.Country = c.country()
	if !c.ok {
		return
	}
	if had, twice := c.seen[v.ID]; twice {
		if had != v {
			c.problem(c.col[fieldCentre], removal.InputRowBad, reasonNotValid)
		}
		return
	}
	c.seen[v.ID] = v
	c.centres = append(c.centres, v)
}

func (c *centreReader) cell(col int) string {
	cells := c.block.Cells(c.i)
	if col < 0 || col >= len(cells) {
		return ""
	}
	return string(span(c.block.Data(), cells[col]))
}

func (c *centreReader) value(f field, limit int, required bool) string {
	v := c.cell(c.col[f])
	switch {
	case v == "" && required:
		c.problem(c.col[f], removal.InputRowBad, reasonMissing)
	case len([]rune(v)) > limit:
		c.problem(c.col[f], removal.InputRowBad, reasonTooLong)
	}
	return v
}

// country reads a two-letter code; whether it exists is the policy's to know.
func (c *centreReader) country() string {
	v := strings.ToUpper(c.value(fieldCountry, maxName, true))
	if v == "UK" {
		return "GB"
	}
	if v != "" && (len(v) != 2 || v[0] < 'A' || v[0] > 'Z' || v[1] < 'A' || v[1] > 'Z') {
		c.problem(c.col[fieldCountry], removal.InputRowBad, reasonNotValid)
	}
	return v
}

func (c *centreReader) extra(cells int) {
	c.ok = false
	c.problems = append(c.problems, removal.Problem{
		Place: c.place(c.block.Number(c.i), c.block.Line(c.i), cells-1), Code: removal.ColumnCount, Field: removal.FieldNone,
		Args: removal.Args{}.Arg("cells", cells).Arg("headings", len(c.headings)),
	})
}

func (c *centreReader) problem(col int, code removal.Code, reason string) {
	c.ok = c.ok && !code.IsError()
	p := removal.Problem{Place: c.place(c.block.Number(c.i), c.block.Line(c.i), col),
		Code: code, Field: removal.FieldNone, Value: c.cell(col)}
	if reason != "" {
		p.Args = removal.Args{}.Arg("heading", p.Column).Arg("reason", reason)
	}
	c.problems = append(c.problems, p)
}
