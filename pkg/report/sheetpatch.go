package report

import (
	"bytes"
	"strconv"

	"rensa/pkg/removal"
)

// sheetPatch gives single cells of a sheet another style in the sheet's XML as it
// stands. Reading all cells into a workbook's model and writing them again
// takes several times as long as all the rest of a report, and keeps only what
// the model knows.
type sheetPatch struct {
	xml   []byte
	marks []mark // by row, then column, each cell once
	// restyle gives the style for a mark on a cell of some style.
	restyle func(style int, m mark) int
	columns []columnStyle
	out     []byte
	pos     int
}

type columnStyle struct {
	from, to, style int
	width           float64
}

// patchable tells whether a sheet's XML is laid out as spreadsheets do: no other
// prefix, no comments or CDATA between which a tag could stand, nothing strict.
func patchable(xml []byte) bool {
	for _, odd := range []string{"<!--", "<![CDATA[", "purl.oclc.org", "<legacyDrawing "} {
		if bytes.Contains(xml, []byte(odd)) {
			return false
		}
	}
	return bytes.Contains(xml, []byte("<sheetData")) && bytes.Contains(xml, []byte("</worksheet>"))
}

// run returns the sheet with the marked cells restyled; false where its rows and
// cells are not laid out as expected, and nothing should be changed.
func (p *sheetPatch) run() ([]byte, bool) {
	p.columns = readColumns(p.xml)
	at := bytes.Index(p.xml, []byte("<sheetData"))
	tag, ok := p.tagAt(at)
	if !ok {
		return nil, false
	}
	p.out = make([]byte, 0, len(p.xml)+64*len(p.marks)+256)
	p.pos = at + len(tag)
	if tag[len(tag)-2] == '/' {
		p.out = append(append(p.out, p.xml[:at]...), "<sheetData>"...)
		p.rowsBefore(maxRow)
		p.out = append(append(p.out, "</sheetData>"...), p.xml[p.pos:]...)
		return p.out, true
	}
	p.out = append(p.out, p.xml[:p.pos]...)
	if !p.rows() {
		return nil, false
	}
	p.out = append(p.out, p.xml[p.pos:]...)
	return p.out, len(p.marks) == 0
}

const maxRow = 1 << 30

func (p *sheetPatch) rows() bool {
	last := 0
	for {
		open := bytes.IndexByte(p.xml[p.pos:], '<')
		if open < 0 {
			return false
		}
		p.copyTo(p.pos + open)
		if bytes.HasPrefix(p.xml[p.pos:], []byte("</sheetData>")) {
			p.rowsBefore(maxRow)
			return true
		}
		tag, ok := p.tagAt(p.pos)
		number, has := attribute(tag, " r=")
		if !ok || !has || !bytes.HasPrefix(tag, []byte("<row")) {
			return false
		}
		row, err := strconv.Atoi(string(number))
		if err != nil || row <= last {
			return false
		}
		last = row
		p.rowsBefore(row)
		if !p.row(row, tag) {
			return false
		}
	}
}

// row copies one row, its marked cells restyled.
func (p *sheetPatch) row(row int, tag []byte) bool {
	end := p.pos + len(tag)
	empty := tag[len(tag)-2] == '/'
	if !empty {
		n := bytes.Index(p.xml[end:], []byte("</row>"))
		if n < 0 {
			return false
		}
		end += n
	}
	if len(p.marks) == 0 || p.marks[0].row != row {
		p.copyTo(end)
		if !empty {
			p.copyTo(end + len("</row>"))
		}
		return true
	}
	style := 0
	if v, ok := attribute(tag, " s="); ok {
		style, _ = strconv.Atoi(string(v))
	}
	if empty {
		p.out = append(append(p.out, tag[:len(tag)-2]...), '>')
		p.cellsBefore(row, maxRow, style)
		p.out = append(p.out, "</row>"...)
		p.pos = end
		return true
	}
	p.copyTo(p.pos + len(tag))
	for p.pos < end {
		open := bytes.IndexByte(p.xml[p.pos:end], '<')
		if open < 0 {
			break
		}
		p.copyTo(p.pos + open)
		if !p.cell(row, style, end) {
			return false
		}
	}
	p.copyTo(end)
	p.cellsBefore(row, maxRow, style)
	p.copyTo(end + len("</row>"))
	return true
}

func (p *sheetPatch) cell(row, rowStyle, end int) bool {
	tag, ok := p.tagAt(p.pos)
	if !ok {
		return false
	}
	if !bytes.HasPrefix(tag, []byte("<c ")) { // an extension at the row's end
		p.copyTo(end)
		return true
	}
	name, ok := attribute(tag, " r=")
	col := columnOf(name)
	if !ok || col == 0 {
		return false
	}
	p.cellsBefore(row, col, rowStyle)
	after := p.pos + len(tag)
	if tag[len(tag)-2] != '/' {
		n := bytes.Index(p.xml[after:end], []byte("</c>"))
		if n < 0 {
			return false
		}
		after += n + len("</c>")
	}
	if len(p.marks) > 0 && p.marks[0].row == row && p.marks[0].col == col {
		p.restyleTag(tag)
		p.marks = p.marks[1:]
	}
	p.copyTo(after)
	return true
}

// restyleTag writes the opening tag of a marked cell.
func (p *sheetPatch) restyleTag(tag []byte) {
	old := 0
	if v, ok := attribute(tag, " s="); ok {
		old, _ = strconv.Atoi(string(v))
		at := bytes.Index(tag, []byte(" s="))
		p.out = append(p.out, tag[:at]...)
		p.pos += at + len(` s=""`) + len(v)
	} else {
		p.out = append(p.out, "<c"...)
		p.pos += len("<c")
	}
	p.out = append(p.out, ` s="`...)
	p.out = strconv.AppendInt(p.out, int64(p.restyle(old, p.marks[0])), 10)
	p.out = append(p.out, '"')
}

// cellsBefore writes marked cells of a row that the sheet does not have.
func (p *sheetPatch) cellsBefore(row, col, rowStyle int) {
	for len(p.marks) > 0 && p.marks[0].row == row && p.marks[0].col < col {
		m := p.marks[0]
		style := rowStyle
		for _, c := range p.columns {
			if style == 0 && m.col >= c.from && m.col <= c.to {
				style = c.style
			}
		}
		p.out = append(p.out, `<c r="`...)
		p.out = append(p.out, removal.CellName(m.col, m.row)...)
		p.out = append(p.out, `" s="`...)
		p.out = strconv.AppendInt(p.out, int64(p.restyle(style, m)), 10)
		p.out = append(p.out, `"/>`...)
		p.marks = p.marks[1:]
	}
}

// rowsBefore writes marked cells of rows that the sheet does not have.
func (p *sheetPatch) rowsBefore(row int) {
	for len(p.marks) > 0 && p.marks[0].row < row {
		r := p.marks[0].row
		p.out = append(p.out, `<row r="`...)
		p.out = strconv.AppendInt(p.out, int64(r), 10)
		p.out = append(p.out, `">`...)
		p.cellsBefore(r, maxRow, 0)
		p.out = append(p.out, "</row>"...)
	}
}

func (p *sheetPatch) copyTo(pos int) {
	p.out = append(p.out, p.xml[p.pos:pos]...)
	p.pos = pos
}

// tagAt is the whole tag that begins at pos.
func (p *sheetPatch) tagAt(pos int) ([]byte, bool) {
	n := bytes.IndexByte(p.xml[pos:], '>')
	if n < 3 {
		return nil, false
	}
	return p.xml[pos : pos+n+1], true
}

// attribute is the value of an attribute given as ` name=`, in double quotes.
func attribute(tag []byte, name string) ([]byte, bool) {
	at := bytes.Index(tag, []byte(name))
	if at < 0 || at+len(name) >= len(tag) || tag[at+len(name)] != '"' {
		return nil, false
	}
	v := tag[at+len(name)+1:]
	n := bytes.IndexByte(v, '"')
	if n < 0 {
		return nil, false
	}
	return v[:n], true
}

// columnOf is the column of a cell's name, 0 for none.
func columnOf(name []byte) (col int) {
	for i, c := range name {
		if c < 'A' || c > 'Z' || i > 3 {
			if i == 0 || c < '0' || c > '9' {
				return 0
			}
			return col
		}
		col = col*26 + int(c-'A') + 1
	}
	return 0
}

// readColumns reads styles and widths of whole columns.
func readColumns(xml []byte) (columns []columnStyle) {
	head, _, _ := bytes.Cut(xml, []byte("<sheetData"))
	number := func(tag []byte, name string) int {
		v, _ := attribute(tag, name)
		n, err := strconv.Atoi(string(v))
		if err != nil {
			return 0
		}
		return n
	}
	for {
		_, rest, found := bytes.Cut(head, []byte("<col "))
		if !found {
			return columns
		}
		tag, after, _ := bytes.Cut(rest, []byte(">"))
		head = after
		tag = append([]byte(" "), tag...)
		c := columnStyle{from: number(tag, " min="), to: number(tag, " max="), style: number(tag, " style=")}
		if v, ok := attribute(tag, " width="); ok {
			c.width, _ = strconv.ParseFloat(string(v), 64)
		}
		columns = append(columns, c)
	}
}
