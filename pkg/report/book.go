package report

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/klauspost/compress/flate"
	"github.com/xuri/excelize/v2"
)

// The colours of every workbook that goes out.
const (
	ink       = "1F2A37"
	muted     = "6B7280"
	line      = "DDE2E8"
	paper     = "F5F7F9"
	white     = "FFFFFF"
	brand     = "12495A"
	brandSoft = "E3EEF1"
	redInk    = "9B1C1C"
	redFill   = "FFC8C2"
	amberInk  = "8A5300"
	amberFill = "FFE0A3"
	greenInk  = "1B6E46"
	fontName  = "Arial"
)

// Limits of a worksheet, a little below the format's.
const (
	sheetRows = 1_048_000
	cellRunes = 32_000
)

// book is a workbook in the making, with its styles by what they look like.
type book struct {
	*excelize.File
	styles map[string]int
}

func newBook() *book { return &book{File: excelize.NewFile(), styles: map[string]int{}} }

// style is the number of a style, made when it is first asked for.
func (b *book) style(s excelize.Style) (int, error) {
	key := fmt.Sprintf("%+v %+v %+v %+v", s, s.Font, s.Alignment, s.CustomNumFmt)
	if id, ok := b.styles[key]; ok {
		return id, nil
	}
	id, err := b.NewStyle(&s)
	b.styles[key] = id
	return id, err
}

func font(size float64, color string, bold bool) *excelize.Font {
	return &excelize.Font{Family: fontName, Size: size, Color: color, Bold: bold}
}

func fill(color string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
}

func underline(color string) []excelize.Border {
	return []excelize.Border{{Type: "bottom", Color: color, Style: 1}}
}

func aligned(horizontal, vertical string, wrap bool) *excelize.Alignment {
	return &excelize.Alignment{Horizontal: horizontal, Vertical: vertical, WrapText: wrap}
}

// padded is aligned with room to the cell's edge.
func padded(horizontal, vertical string, wrap bool) *excelize.Alignment {
	a := aligned(horizontal, vertical, wrap)
	a.Indent = 1
	return a
}

// textFormat keeps what is typed into a cell as text: "00012" stays what it is.
const textFormat = 49

// headingStyle is that of the headings of all tables.
func headingStyle(horizontal string) excelize.Style {
	return excelize.Style{
		Font: font(10, white, true), Fill: fill(brand), Alignment: padded(horizontal, "center", true),
	}
}

// dress gives a sheet the name by which its code is known again ("": none), the
// colour of its tab, and a page as wide as the sheet; onePage: as high, too.
func (b *book) dress(sheet, mark, color string, grid, onePage bool) error {
	props := &excelize.SheetPropsOptions{TabColorRGB: &color, FitToPage: new(true)}
	if mark != "" {
		props.CodeName = &mark
	}
	high := 0
	if onePage {
		high = 1
	}
	a4, narrow := 9, 0.4
	return errors.Join(
		b.SetSheetProps(sheet, props),
		b.SetSheetView(sheet, 0, &excelize.ViewOptions{ShowGridLines: &grid}),
		b.SetPageLayout(sheet, &excelize.PageLayoutOptions{
			Size: &a4, Orientation: new("landscape"), FitToWidth: new(1), FitToHeight: &high,
		}),
		b.SetPageMargins(sheet, &excelize.PageLayoutMarginsOptions{
			Left: &narrow, Right: &narrow, Top: &narrow, Bottom: &narrow,
		}),
	)
}

// save writes the workbook so that the same content gives the same bytes: parts
// in the order of their names, without times.
func (b *book) save(w io.Writer) error {
	b.ZipWriter = func(w io.Writer) excelize.ZipWriter { return &packer{w: w} }
	declared := b.ContentTypes.Overrides[:0]
	for _, part := range b.ContentTypes.Overrides {
		if !strings.HasPrefix(path.Base(part.PartName), macros) {
			declared = append(declared, part)
		}
		if strings.Contains(part.ContentType, "macroEnabled") || strings.HasSuffix(part.ContentType, "template.main+xml") {
			b.Path = "report.xlsx" // as which it is declared from here on
		}
	}
	b.ContentTypes.Overrides = declared
	// The kinds of pictures are declared in the order of a map.
	types := b.ContentTypes.Defaults
	sort.Slice(types, func(i, j int) bool { return types[i].Extension < types[j].Extension })
	_, err := b.WriteTo(w)
	return err
}

// macros begins the names of the parts that hold programs.
const macros = "vbaProject"

// dropMacros takes programs out of a workbook: a report needs none, and what is
// called .xlsx may hold none.
func (b *book) dropMacros() {
	const rels = "xl/_rels/workbook.xml.rels"
	found := false
	b.Pkg.Range(func(name, _ any) bool {
		if s, ok := name.(string); ok && strings.HasPrefix(path.Base(s), macros) {
			found = true
			b.Pkg.Delete(name)
		}
		return true
	})
	if !found {
		return
	}
	b.Pkg.Store(rels, relationships.ReplaceAllFunc(b.part(rels), func(r []byte) []byte {
		if bytes.Contains(r, []byte(macros)) {
			return nil
		}
		return r
	}))
	b.Relationships.Delete(rels)
}

// part is the content of a part as it was read; nil where there is none.
func (b *book) part(name string) []byte {
	v, ok := b.Pkg.Load(name)
	if !ok {
		return nil
	}
	text, _ := v.([]byte)
	return text
}

// sheetParts gives the part in which each sheet lies, by the sheet's name.
func (b *book) sheetParts() map[string]string {
	const workbook = "xl/workbook.xml"
	var rels struct {
		Relationship []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		}
	}
	if err := xml.Unmarshal(b.part("xl/_rels/workbook.xml.rels"), &rels); err != nil || b.WorkBook == nil {
		return nil // a workbook that lies elsewhere in its package
	}
	parts := map[string]string{}
	for _, s := range b.WorkBook.Sheets.Sheet {
		for _, r := range rels.Relationship {
			if r.ID != s.ID {
				continue
			}
			if strings.HasPrefix(r.Target, "/") {
				parts[s.Name] = r.Target[1:]
			} else {
				parts[s.Name] = path.Join(path.Dir(workbook), r.Target)
			}
		}
	}
	return parts
}

// show makes a sheet the one that is seen first, and the only one selected.
func (b *book) show(parts map[string]string, sheet string) {
	views := b.WorkBook.BookViews
	if views == nil || len(views.WorkBookView) == 0 {
		return
	}
	for i, s := range b.WorkBook.Sheets.Sheet {
		if s.Name == sheet {
			views.WorkBookView[0].ActiveTab = i
		}
	}
	for name, part := range parts {
		text := b.part(part)
		head, data, found := bytes.Cut(text, []byte("<sheetData"))
		if !found {
			continue
		}
		changed := tabSelected.ReplaceAll(head, nil)
		if name == sheet {
			changed = bytes.Replace(changed, []byte("<sheetView "), []byte(`<sheetView tabSelected="1" `), 1)
		}
		b.Pkg.Store(part, slices.Concat(changed, []byte("<sheetData"), data))
	}
}

// tabSelected is written as 1 or true, and may stand twice in no part.
var tabSelected = regexp.MustCompile(`\s+tabSelected="[^"]*"`)

// describe sets the workbook's properties; nothing in them comes from a clock.
func (b *book) describe(title string, at time.Time) error {
	stamp := at.UTC().Format("2006-01-02T15:04:05Z")
	if at.IsZero() {
		stamp = "2000-01-01T00:00:00Z"
	}
	err := b.SetDocProps(&excelize.DocProperties{
		Creator: "Rensa", LastModifiedBy: "Rensa", Title: title, Created: stamp, Modified: stamp,
	})
	if err != nil {
		return err
	}
	return b.SetAppProps(&excelize.AppProperties{Application: "Rensa"})
}

// zipEpoch is 1 January 1980, the first day that a zip file can name.
const zipEpoch = 1<<5 | 1

// packer is a zip file whose parts lie in a fixed order: excelize gives them in
// that of a map. They are held packed until the end.
type packer struct {
	w     io.Writer
	parts []*part
	// deflat packs one part after the other: to make it costs more than most parts.
	deflat *flate.Writer
	err    error
}

type part struct {
	header zip.FileHeader
	packed bytes.Buffer
	deflat *flate.Writer // nil when it is packed
	crc    uint32
	size   uint64
}

func (p *packer) Create(name string) (io.Writer, error) {
	p.endPart()
	if p.deflat == nil {
		if p.deflat, p.err = flate.NewWriter(io.Discard, flate.DefaultCompression); p.err != nil {
			return nil, p.err
		}
	}
	x := &part{header: zip.FileHeader{Name: name, Method: zip.Deflate}, deflat: p.deflat}
	x.deflat.Reset(&x.packed)
	p.parts = append(p.parts, x)
	return x, nil
}

func (x *part) Write(b []byte) (int, error) {
	x.crc = crc32.Update(x.crc, crc32.IEEETable, b)
	x.size += uint64(len(b))
	return x.deflat.Write(b)
}

func (p *packer) endPart() {
	if n := len(p.parts); n > 0 && p.parts[n-1].deflat != nil && p.err == nil {
		p.err = p.parts[n-1].deflat.Close()
		p.parts[n-1].deflat = nil
	}
}

// AddFS is not used by what writes workbooks.
func (p *packer) AddFS(fs.FS) error { return fs.ErrInvalid }

func (p *packer) Close() error {
	p.endPart()
	if p.err != nil {
		return p.err
	}
	slices.SortFunc(p.parts, func(a, b *part) int { return strings.Compare(a.header.Name, b.header.Name) })
	zw := zip.NewWriter(p.w)
	for _, x := range p.parts {
		x.header.CRC32 = x.crc
		x.header.ModifiedDate = zipEpoch //nolint:staticcheck // CreateRaw writes this field, and Modified not at all
		x.header.UncompressedSize64 = x.size
		x.header.CompressedSize64 = uint64(x.packed.Len())
		w, err := zw.CreateRaw(&x.header)
		if err != nil {
			return err
		}
		if _, err := x.packed.WriteTo(w); err != nil {
			return err
		}
	}
	return zw.Close()
}

// sheetTitle makes a sheet's name of a file's: what a workbook allows of it, and
// none of taken.
func sheetTitle(file, fallback string, taken ...string) string {
	if dot := strings.LastIndexByte(file, '.'); dot > 0 {
		file = file[:dot]
	}
	title := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`:\/?*[]'`, r) {
			return ' '
		}
		return r
	}, file)
	title = strings.TrimSpace(cutUTF16(strings.Join(strings.Fields(title), " "), 31))
	is := func(t string) bool { return strings.EqualFold(t, title) }
	if title == "" || is("History") || slices.ContainsFunc(taken, is) {
		return fallback
	}
	return title
}

// freeName is a sheet's name, with a number after it where the workbook has one
// of that name.
func (b *book) freeName(name string) string {
	try := name
	for n := 2; slices.ContainsFunc(b.GetSheetList(), func(s string) bool { return strings.EqualFold(s, try) }); n++ {
		try = fmt.Sprintf("%s %d", name, n)
	}
	return try
}

func cutUTF16(s string, limit int) string {
	n := 0
	for i, r := range s {
		if n += max(1, utf16.RuneLen(r)); n > limit {
			return s[:i]
		}
	}
	return s
}

// cut shortens a text for a cell that people look at.
func cut(s string, runes int) string {
	if len(s) <= runes {
		return s
	}
	n := 0
	for i := range s {
		if n == runes {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
