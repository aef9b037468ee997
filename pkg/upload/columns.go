// Package upload knows the removal upload: its fields and their headings in
// three languages, the two layouts in which it comes, how rows belong together
// as orders, and how layout A is written again.
//
// It promises that nothing of a row is lost or moved: a value comes out under
// the field whose heading stands above it, whatever the order of the columns.
// It judges no value; the rules stand in package validate.
package upload

import (
	"slices"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// Layout is how an upload is laid out: "A" or "B".
type Layout string

// The layouts of spec 2.2 and 2.3.
const (
	LayoutA Layout = "A"
	LayoutB Layout = "B"
)

// Sheet is an upload whose layout has been read: it turns blocks of a file's
// rows into item rows and knows where each value stands.
type Sheet struct {
	Layout Layout
	Name   string // of the workbook's sheet; "" for text
	// Heading is the number of the row that holds the item headings; items follow.
	Heading int
	// Headings are as the user wrote them, by column.
	Headings []string
	// Problems are warnings about the headings.
	Problems []removal.Problem

	column [removal.NumFields]int // from 1; 0: absent
	keys   map[removal.Field]place
	header *removal.Row // layout B's order values, with the first item's place
	width  int          // columns up to the last heading
}

type place struct {
	row, line, col int
	key            string
}

// ReadA reads the heading row of layout A. It answers file_header_twice where one
// field has two columns.
func ReadA(name string, row decode.Row) (*Sheet, error) {
	s := &Sheet{Layout: LayoutA, Name: name, Heading: row.Number, Headings: row.Cells}
	return s, s.readHeadings(row)
}

func (s *Sheet) readHeadings(row decode.Row) error {
	for i, h := range row.Cells {
		if h == "" {
			continue
		}
		s.width = i + 1
		f, ok := FieldOf(h)
		if !ok || (s.Layout == LayoutB && f.OfOrder()) {
			s.ignore(row, i, h)
			continue
		}
		if first := s.column[f]; first > 0 {
			err := removal.NewFileError(removal.FileHeaderTwice, "heading", h,
				"first", removal.CellName(first, row.Number), "again", removal.CellName(i+1, row.Number))
			err.Line = row.Line
			return err
		}
		s.column[f] = i + 1
	}
	return nil
}

func (s *Sheet) ignore(row decode.Row, i int, heading string) {
	args := removal.Args{}.Arg("heading", heading)
	if near := nearestHeading(heading); near != "" {
		args = args.Arg("near", near)
	}
	s.Problems = append(s.Problems, removal.Problem{
		Place: removal.Place{
			Sheet: s.Name, Line: row.Line, Col: i + 1,
			Column: heading, Cell: removal.CellName(i+1, row.Number),
		},
		Code: removal.ColumnIgnored, Field: removal.FieldNone, Value: heading, Args: args,
	})
}

// ReadB reads the key and value lines of layout B from the first rows of a
// sheet. items is the row with the items' headings.
func ReadB(name string, head []decode.Row, items decode.Row) (*Sheet, error) {
	s := &Sheet{
		Layout: LayoutB, Name: name, Heading: items.Number, Headings: items.Cells,
		keys: map[removal.Field]place{}, header: &removal.Row{},
	}
	if err := s.readHeadings(items); err != nil {
		return nil, err
	}
	for _, row := range head {
		if row.Number >= items.Number {
			break
		}
		if err := s.readKey(row); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Sheet) readKey(row decode.Row) error {
	col := slices.IndexFunc(row.Cells, func(c string) bool { return c != "" })
	if col < 0 {
		return nil
	}
	key := row.Cells[col]
	f, ok := FieldOf(key)
	if !ok || !f.OfOrder() {
		s.ignore(row, col, key)
		return nil
	}
	if first, twice := s.keys[f]; twice {
		err := removal.NewFileError(removal.FileHeaderTwice, "heading", key,
			"first", removal.CellName(first.col-1, first.row), "again", removal.CellName(col+1, row.Number))
		err.Line = row.Line
		return err
	}
	value := ""
	if col+1 < len(row.Cells) {
		value = row.Cells[col+1]
	}
	s.keys[f] = place{row: row.Number, line: row.Line, col: col + 2, key: key}
	s.header.Spans[f] = removal.Span{Off: uint32(len(s.header.Data)), Len: uint32(len(value))}
	s.header.Data = append(s.header.Data, value...)
	for i := col + 2; i < len(row.Cells); i++ {
		if row.Cells[i] != "" {
			s.header.Notes = append(s.header.Notes, removal.CellNote{Field: f, Col: i + 1, What: removal.NoteExtra})
		}
	}
	for _, n := range row.Notes {
		if n.Col == col+2 {
			s.header.Notes = append(s.header.Notes, removal.CellNote{Field: f, Col: n.Col, What: n.What})
		}
	}
	return nil
}

// Column is the column of a field, counted from 1; 0 where the file has none.
func (s *Sheet) Column(f removal.Field) int {
	if k, ok := s.keys[f]; ok {
		return k.col
	}
	return s.column[f]
}
