package upload

import (
	"slices"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// Rows gives the item rows of a block, reusing rows. They share the block's
// bytes and are good until it is used again. first tells that the block is the
// first with items: layout B's order values are put on its first row.
func (s *Sheet) Rows(b *decode.Block, rows []removal.Row, first bool) []removal.Row {
	rows = slices.Grow(rows[:0], b.Len())[:b.Len()]
	data, straight := b.Data(), s.straight()
	for i := range rows {
		cells := b.Cells(i)
		r := &rows[i]
		r.Data, r.Number, r.Line, r.Notes = data, b.Number(i), b.Line(i), nil
		if straight {
			clear(r.Spans[copy(r.Spans[:], cells):])
		} else {
			s.arrange(r, cells)
		}
		if notes := b.Notes(i); notes != nil {
			s.note(r, notes)
		}
		if len(cells) > s.width {
			s.noteExtra(r, cells)
		}
	}
	if first && s.Layout == LayoutB && len(rows) > 0 {
		s.addHeader(&rows[0])
	}
	return rows
}

// straight tells whether the columns stand as in the template, as they nearly always do.
func (s *Sheet) straight() bool {
	for f, col := range s.column {
		if col != f+1 {
			return false
		}
	}
	return true
}

// arrange gives a row the cells of its fields.
func (s *Sheet) arrange(r *removal.Row, cells []removal.Span) {
	for f, col := range s.column {
		if col > 0 && col <= len(cells) {
			r.Spans[f] = cells[col-1]
		} else {
			r.Spans[f] = removal.Span{}
		}
	}
}

func (s *Sheet) fieldAt(col int) removal.Field {
	for f, c := range s.column {
		if c == col {
			return removal.Field(f)
		}
	}
	return removal.FieldNone
}

func (s *Sheet) note(r *removal.Row, notes []decode.Note) {
	for _, n := range notes {
		if f := s.fieldAt(n.Col); f != removal.FieldNone {
			r.Notes = append(r.Notes, removal.CellNote{Field: f, Col: n.Col, What: n.What})
		}
	}
}

func (s *Sheet) noteExtra(r *removal.Row, cells []removal.Span) {
	for i := s.width; i < len(cells); i++ {
		if cells[i].Len > 0 {
			r.Notes = append(r.Notes, removal.CellNote{Field: removal.FieldNone, Col: i + 1, What: removal.NoteExtra})
			return
		}
	}
}

// addHeader gives the first item row of layout B the order's values. The row
// gets bytes of its own, since its values come from two places.
func (s *Sheet) addHeader(r *removal.Row) {
	data := append([]byte(nil), s.header.Data...)
	spans := s.header.Spans
	for _, f := range []removal.Field{removal.FieldSKU, removal.FieldSellable, removal.FieldUnsellable} {
		v := r.Value(f)
		spans[f] = removal.Span{Off: uint32(len(data)), Len: uint32(len(v))}
		data = append(data, v...)
	}
	r.Data, r.Spans = data, spans
	r.Notes = append(append([]removal.CellNote(nil), s.header.Notes...), r.Notes...)
}

// Locate completes the place of a problem of row r, and its value: the cell is
// that of the problem's field, or, where an order value stands on a line of its
// own, that line's.
func (s *Sheet) Locate(p *removal.Problem, r *removal.Row) {
	p.Sheet = s.Name
	if p.Row == 0 {
		p.Row, p.Line = r.Number, r.Line
	}
	if p.Code == removal.ColumnCount {
		s.locateExtra(p, r)
		return
	}
	if p.Field == removal.FieldNone {
		return
	}
	if k, ok := s.keys[p.Field]; ok {
		p.Row, p.Line, p.Col, p.Column = k.row, k.line, k.col, k.key
	} else if col := s.column[p.Field]; col > 0 {
		p.Col, p.Column = col, s.Headings[col-1]
	} else {
		return
	}
	p.Cell = removal.CellName(p.Col, p.Row)
	p.Value = string(r.Value(p.Field))
}

func (s *Sheet) locateExtra(p *removal.Problem, r *removal.Row) {
	for _, n := range r.Notes {
		if n.What != removal.NoteExtra || n.Field != p.Field {
			continue
		}
		p.Col = n.Col
		if k, ok := s.keys[n.Field]; ok {
			p.Row, p.Line, p.Column = k.row, k.line, k.key
		}
		p.Cell = removal.CellName(n.Col, p.Row)
		return
	}
}
