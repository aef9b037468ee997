package decode

import (
	"bytes"
	"sort"

	"rensa/pkg/removal"
)

// Row is one row that was copied and may be kept.
type Row struct {
	Number int // what a spreadsheet shows: blank lines and the heading count
	Line   int // physical line on which the row begins; 0 in a workbook
	Cells  []string
	Notes  []Note
}

// Note says something about one cell that its bytes do not.
type Note struct {
	Col  int // counted from 1
	What removal.NoteKind
}

// Block holds the rows of one chunk, blank ones left out. It is made ready by
// Chunk.Split, has its place in the file from Start on, and is good until it is
// split into again. The zero value is ready for use.
type Block struct {
	data     []byte
	spans    []removal.Span
	rows     []blockRow
	notes    []Note
	noteRows []uint32 // the row of each note, rising

	number, line   int // of the first record, set by Start
	records, lines int // how far Start moves on
	// Rows before lead have numbers counted from the block's first; the others
	// stand in a workbook that numbers them itself, the last of all being last.
	lead, last int
	numbered   bool
	sheet      bool
	// stray tells of a quote that begins a cell and that none closes.
	stray bool
}

type blockRow struct {
	cell         uint32 // index of its first span
	number, line uint32
}

func (b *Block) reset(data []byte) {
	b.data = data
	b.spans, b.rows, b.notes, b.noteRows = b.spans[:0], b.rows[:0], b.notes[:0], b.noteRows[:0]
	b.number, b.line, b.records, b.lines = 1, 1, 0, 0
	b.lead, b.last, b.numbered, b.sheet, b.stray = 0, 0, false, false, false
}

// expect makes room in a new block for what is in data, or in a chunk of so many
// bytes like it: growing step by step would take several times the memory.
func (b *Block) expect(data []byte, delim byte, size int) {
	if cap(b.spans) > 0 || len(data) == 0 {
		return
	}
	lines := bytes.Count(data, []byte{'\n'}) + bytes.Count(data, []byte{'\r'})
	cells := bytes.Count(data, []byte{delim}) + lines
	more := 1 + max(0, float64(size-len(data))/float64(len(data))) + 1.0/8
	b.spans = make([]removal.Span, 0, int(float64(cells)*more)+1)
	b.rows = make([]blockRow, 0, int(float64(lines)*more)+1)
}

// Start gives the block its place: the number and the line at which its first
// record, blank or not, stands. It returns those of the following block. The
// first block starts at Reader.First.
func (b *Block) Start(number, line int) (nextNumber, nextLine int) {
	b.number, b.line = number, line
	if b.numbered {
		return b.last + 1, 0
	}
	return number + b.records, line + b.lines
}

// Len is the number of rows that are not blank.
func (b *Block) Len() int { return len(b.rows) }

// Data is what the cells are spans of.
func (b *Block) Data() []byte { return b.data }

// Number is the number of row i that a spreadsheet shows.
func (b *Block) Number(i int) int {
	if i < b.lead {
		return b.number + int(b.rows[i].number)
	}
	return int(b.rows[i].number)
}

// Line is the physical line on which row i begins, 0 in a workbook.
func (b *Block) Line(i int) int {
	if b.sheet {
		return 0
	}
	return b.line + int(b.rows[i].line)
}

// Cells are the trimmed values of row i up to its last one that is not blank.
func (b *Block) Cells(i int) []removal.Span {
	end := len(b.spans)
	if i+1 < len(b.rows) {
		end = int(b.rows[i+1].cell)
	}
	return b.spans[b.rows[i].cell:end:end]
}

// Notes are what is noted about the cells of row i, nil for nearly all rows.
func (b *Block) Notes(i int) []Note {
	if len(b.notes) == 0 {
		return nil
	}
	at := sort.Search(len(b.noteRows), func(n int) bool { return int(b.noteRows[n]) >= i })
	end := at
	for end < len(b.noteRows) && int(b.noteRows[end]) == i {
		end++
	}
	if at == end {
		return nil
	}
	return b.notes[at:end:end]
}

// Row copies row i.
func (b *Block) Row(i int) Row {
	row := Row{Number: b.Number(i), Line: b.Line(i)}
	for _, s := range b.Cells(i) {
		row.Cells = append(row.Cells, string(b.data[s.Off:s.Off+s.Len]))
	}
	row.Notes = append(row.Notes, b.Notes(i)...)
	return row
}

func (b *Block) note(row, col int, what removal.NoteKind) {
	b.notes = append(b.notes, Note{Col: col, What: what})
	b.noteRows = append(b.noteRows, uint32(row))
}

// noteDamage looks at every cell; it is called only for data that holds damage.
func (b *Block) noteDamage() {
	for i := range b.rows {
		for col, s := range b.Cells(i) {
			if damaged(b.data[s.Off : s.Off+s.Len]) {
				b.note(i, col+1, removal.NoteDamaged)
			}
		}
	}
}
