package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/xuri/excelize/v2"

	"rensa/pkg/removal"
)

// original is the workbook that was dropped, with its sheets, styles and widths:
// cells are only coloured and commented.
type original struct {
	in    *Input
	book  *book
	sheet string
	part  string // of the sheet; "" where it cannot be patched
	marks []mark
	notes map[string]bool // cells that bear a comment of the user's
	fills [2]int          // by severity
	made  map[[2]int]int  // style and severity → the style with its fill changed
}

func openOriginal(in *Input) (*book, *original, error) {
	ra, size, err := in.Original()
	if err != nil {
		return nil, nil, err
	}
	f, err := excelize.OpenReader(io.NewSectionReader(ra, 0, size), excelize.Options{
		TmpDir: in.TempDir, UnzipSizeLimit: 4 << 30, UnzipXMLSizeLimit: 512 << 20,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("the original workbook: %w", err)
	}
	b := &book{File: f, styles: map[string]int{}}
	b.dropMacros()
	o := &original{in: in, book: b, sheet: in.Run.Sheet, notes: map[string]bool{}, made: map[[2]int]int{}}
	if i, err := b.GetSheetIndex(o.sheet); err != nil || i < 0 {
		return b, nil, fmt.Errorf("the original workbook: no sheet %q", o.sheet)
	}
	return b, o, o.prepare()
}

// prepare makes the colours and decides how the sheet is changed: its XML is
// patched where it is laid out as usual and has no comments of its own; else it
// is read and written again.
func (o *original) prepare() error {
	parts := o.book.sheetParts()
	if part := parts[o.sheet]; part != "" && !o.isAnnotated(parts) && patchable(o.xml(part)) {
		o.part = part
		o.book.show(parts, o.sheet)
	} else if err := o.dropEarlier(); err != nil {
		return err
	}
	for i, color := range []string{redFill, amberFill} {
		id, err := o.book.NewStyle(&excelize.Style{Fill: fill(color)})
		if err != nil {
			return err
		}
		o.fills[i] = *o.book.Styles.CellXfs.Xf[id].FillID
	}
	return nil
}

// isAnnotated tells whether the workbook is an earlier report.
func (o *original) isAnnotated(parts map[string]string) bool {
	for _, part := range parts {
		head, _, _ := bytes.Cut(o.xml(part), []byte("<sheetData"))
		if bytes.Contains(head, []byte(`"`+problemsMark+`"`)) || bytes.Contains(head, []byte(`"`+summaryMark+`"`)) {
			return true
		}
	}
	return false
}

// dropEarlier takes away what an earlier report left in the workbook: people mend
// the annotated copy itself and drop it again.
func (o *original) dropEarlier() error {
	o.dropComments()
	for _, name := range o.book.GetSheetList() {
		props, err := o.book.GetSheetProps(name)
		if err != nil {
			continue // a chart sheet or a dialogue has none
		}
		if props.CodeName != nil && slices.Contains([]string{problemsMark, summaryMark}, *props.CodeName) {
			if err := o.book.DeleteSheet(name); err != nil {
				return err
			}
		}
	}
	o.dropFills()
	comments, err := o.book.GetComments(o.sheet)
	if err != nil {
		return err
	}
	for _, c := range comments {
		o.notes[c.Cell] = true
	}
	i, err := o.book.GetSheetIndex(o.sheet)
	if err == nil {
		o.book.SetActiveSheet(i)
	}
	return err
}

// dropFills makes styles that bear one of our colours plain again.
func (o *original) dropFills() {
	styles := o.book.Styles
	if styles.Fills == nil || styles.CellXfs == nil {
		return
	}
	ours := map[int]bool{}
	for i, f := range styles.Fills.Fill {
		if f.PatternFill == nil || f.PatternFill.FgColor == nil {
			continue
		}
		rgb := strings.ToUpper(f.PatternFill.FgColor.RGB)
		ours[i] = strings.HasSuffix(rgb, redFill) || strings.HasSuffix(rgb, amberFill)
	}
	none := 0
	for i := range styles.CellXfs.Xf {
		if x := &styles.CellXfs.Xf[i]; x.FillID != nil && ours[*x.FillID] {
			x.FillID = &none
		}
	}
}

var (
	authors       = regexp.MustCompile(`<author>([^<]*)</author>`)
	relationships = regexp.MustCompile(`<Relationship [^>]*?(/>|></Relationship>)`)
	target        = regexp.MustCompile(`Target="([^"]*)"`)
	legacyDrawing = regexp.MustCompile(`<legacyDrawing [^>]*?(/>|></legacyDrawing>)`)
)

// dropComments removes the comments of a sheet that has none but ours. It works
// on the parts as they were read, before anything else looks at the sheet:
// taken one by one their boxes would stay behind.
func (o *original) dropComments() {
	parts := o.book.sheetParts()
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		sheet := parts[name]
		relsName := path.Join(path.Dir(sheet), "_rels", path.Base(sheet)+".rels")
		rels, xml := o.xml(relsName), o.xml(sheet)
		if rels == nil || xml == nil || !o.onlyOurs(sheet, rels) {
			continue
		}
		rels = relationships.ReplaceAllFunc(rels, func(r []byte) []byte {
			if bytes.Contains(r, []byte("/comments")) || bytes.Contains(r, []byte("vmlDrawing")) {
				return nil
			}
			return r
		})
		o.book.Pkg.Store(relsName, rels)
		o.book.Pkg.Store(sheet, legacyDrawing.ReplaceAll(xml, nil))
	}
}

func (o *original) xml(part string) []byte { return o.book.part(part) }

// onlyOurs tells whether the sheet has comments, and all are signed by us.
func (o *original) onlyOurs(sheet string, rels []byte) bool {
	found := false
	for _, r := range relationships.FindAll(rels, -1) {
		if bytes.Contains(r, []byte("/threadedComment")) {
			return false
		}
		m := target.FindSubmatch(r)
		if m == nil || !bytes.Contains(r, []byte("/comments")) {
			continue
		}
		name := string(m[1])
		if !strings.HasPrefix(name, "/") {
			name = path.Join(path.Dir(sheet), name)
		}
		for _, a := range authors.FindAllSubmatch(o.xml(strings.TrimPrefix(name, "/")), -1) {
			if found = string(a[1]) == author; !found {
				return false
			}
		}
	}
	return found
}

func (o *original) name() string { return o.sheet }

func (o *original) place(row, col int) string { return removal.CellName(col, row) }

func (o *original) above(marks []mark) { o.marks = append(o.marks, marks...) }

func (o *original) row(_ *entry, marks []mark) error {
	o.marks = append(o.marks, marks...)
	return nil
}

func (o *original) finish() error {
	if o.part != "" && o.patch() {
		return nil
	}
	comments := 0
	for _, m := range o.marks {
		cell := removal.CellName(m.col, m.row)
		if err := o.paint(cell, m.severity); err != nil {
			return err
		}
		// A comment of the user's own stays; the sheet of problems says it all.
		if comments == maxComments || o.notes[cell] {
			continue
		}
		comments++
		o.notes[cell] = true
		if err := o.book.AddComment(o.sheet, comment(cell, m)); err != nil {
			return err
		}
	}
	return nil
}

// patch changes the sheet's XML; false where it is not laid out as it seemed.
func (o *original) patch() bool {
	marks := merged(o.marks)
	p := &sheetPatch{xml: o.xml(o.part), marks: marks, restyle: func(style int, m mark) int {
		return o.filled(style, m.severity)
	}}
	xml, ok := p.run()
	if !ok {
		return false
	}
	n := &notes{columns: p.columns}
	for _, m := range marks {
		if n.count == maxComments {
			break
		}
		n.add(m.col, m.row, comment(removal.CellName(m.col, m.row), m))
	}
	if n.count > 0 {
		xml = n.attach(o.book, o.part, xml)
	}
	o.book.Pkg.Store(o.part, xml)
	return true
}

// merged sorts marks by their cells and leaves one for each.
func merged(marks []mark) (list []mark) {
	marks = slices.Clone(marks)
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Or(a.row-b.row, a.col-b.col) })
	for _, m := range marks {
		if n := len(list) - 1; n >= 0 && list[n].row == m.row && list[n].col == m.col {
			list[n].severity = min(list[n].severity, m.severity)
			list[n].said = slices.Concat(list[n].said, m.said)
			continue
		}
		list = append(list, m)
	}
	return list
}

// paint changes the fill of a cell and nothing else of its style.
func (o *original) paint(cell string, severity removal.Severity) error {
	style, err := o.book.GetCellStyle(o.sheet, cell)
	if err != nil {
		return err
	}
	return o.book.SetCellStyle(o.sheet, cell, cell, o.filled(style, severity))
}

// filled is a style with its fill changed.
func (o *original) filled(style int, severity removal.Severity) int {
	key := [2]int{style, int(severity)}
	if id, ok := o.made[key]; ok {
		return id
	}
	xfs := o.book.Styles.CellXfs
	if style >= len(xfs.Xf) {
		style = 0
	}
	x, yes, fillID := xfs.Xf[style], true, o.fills[severity]
	x.FillID, x.ApplyFill = &fillID, &yes
	o.made[key] = len(xfs.Xf)
	xfs.Xf = append(xfs.Xf, x)
	xfs.Count = len(xfs.Xf)
	return o.made[key]
}
