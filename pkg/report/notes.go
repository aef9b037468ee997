package report

import (
	"encoding/xml"
	"fmt"
	"path"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Kinds of parts and relations of a workbook's comments.
const (
	relationNamespace = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	packageNamespace  = "http://schemas.openxmlformats.org/package/2006/relationships"
	sheetNamespace    = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	commentsType      = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
	drawingType       = "application/vnd.openxmlformats-officedocument.vmlDrawing"
)

// notes are comments written as the parts of a workbook that hold them, for a
// sheet that is patched and has none of its own.
type notes struct {
	comments, shapes strings.Builder
	columns          []columnStyle
	count            int
}

func (n *notes) add(col, row int, c excelize.Comment) {
	n.count++
	fmt.Fprintf(&n.comments, `<comment ref="%s" authorId="0"><text>`, c.Cell)
	for _, p := range c.Paragraph {
		bold := ""
		if p.Font.Bold {
			bold = "<b/>"
		}
		fmt.Fprintf(&n.comments, `<r><rPr>%s<sz val="%g"/><color rgb="FF%s"/><rFont val="%s"/><family val="2"/></rPr><t xml:space="preserve">%s</t></r>`,
			bold, p.Font.Size, p.Font.Color, p.Font.Family, escaped(p.Text))
	}
	n.comments.WriteString(`</text></comment>`)
	right, rightOffset := n.span(col, int(c.Width))
	bottom, bottomOffset := row-1+int(c.Height)/20, int(c.Height)%20
	fmt.Fprintf(&n.shapes, `<v:shape id="_x0000_s%d" type="#_x0000_t202" style="position:absolute;width:%dpt;height:%dpt;z-index:%d;visibility:hidden" fillcolor="#FFFFE1" o:insetmode="auto"><v:fill color2="#FFFFE1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/><x:Anchor>%d, 12, %d, 4, %d, %d, %d, %d</x:Anchor><x:AutoFill>False</x:AutoFill><x:Row>%d</x:Row><x:Column>%d</x:Column></x:ClientData></v:shape>`,
		1024+n.count, c.Width*3/4, c.Height*3/4, n.count,
		col, row-1, right, rightOffset, bottom, bottomOffset, row-1, col-1)
}

// span is the column, from 0, in which a box ends that begins in column col and
// is some pixels wide, and how far in it.
func (n *notes) span(col, pixels int) (right, offset int) {
	right, offset = col, pixels+12
	for {
		w := 64
		for _, c := range n.columns {
			if right+1 >= c.from && right+1 <= c.to && c.width > 0 {
				w = int(c.width*7) + 5
			}
		}
		if offset < w {
			return right, offset
		}
		offset -= w
		right++
	}
}

func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a Builder takes everything
	}
	return b.String()
}

func (n *notes) commentsPart() []byte {
	return []byte(xml.Header + `<comments xmlns="` + sheetNamespace + `"><authors><author>` + author +
		`</author></authors><commentList>` + n.comments.String() + `</commentList></comments>`)
}

func (n *notes) drawingPart() []byte {
	return []byte(`<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="1,2"/></o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>` +
		n.shapes.String() + `</xml>`)
}

// attach puts the parts into the workbook and returns the sheet's XML that
// refers to them.
func (n *notes) attach(b *book, sheet string, xml []byte) []byte {
	const comments, drawing = "xl/commentsRensa.xml", "xl/drawings/vmlDrawingRensa.vml"
	b.Pkg.Store(comments, n.commentsPart())
	b.Pkg.Store(drawing, n.drawingPart())
	over := b.ContentTypes.Overrides[0]
	over.PartName, over.ContentType = "/"+comments, commentsType
	b.ContentTypes.Overrides = append(b.ContentTypes.Overrides, over)
	b.declareDrawings()

	relations := fmt.Sprintf(`<Relationship Id="rIdRensaNotes" Type="%s/comments" Target="/%s"/><Relationship Id="rIdRensaShapes" Type="%s/vmlDrawing" Target="/%s"/></Relationships>`,
		relationNamespace, comments, relationNamespace, drawing)
	name := path.Join(path.Dir(sheet), "_rels", path.Base(sheet)+".rels")
	rels := `<Relationships xmlns="` + packageNamespace + `"></Relationships>`
	if old, ok := b.Pkg.Load(name); ok {
		if text, ok := old.([]byte); ok {
			rels = string(text)
		}
	}
	if before, _, ok := strings.Cut(rels, "</Relationships>"); ok {
		rels = before + relations
	}
	b.Pkg.Store(name, []byte(rels))
	b.Relationships.Delete(name)
	return withLegacyDrawing(xml)
}

// declareDrawings tells what a .vml part is.
func (b *book) declareDrawings() {
	for _, d := range b.ContentTypes.Defaults {
		if strings.EqualFold(d.Extension, "vml") {
			return
		}
	}
	d := b.ContentTypes.Defaults[0]
	d.Extension, d.ContentType = "vml", drawingType
	b.ContentTypes.Defaults = append(b.ContentTypes.Defaults, d)
}

// withLegacyDrawing puts the reference to the boxes where the order of a sheet's
// elements wants it.
func withLegacyDrawing(xml []byte) []byte {
	text := string(xml)
	tail := strings.LastIndex(text, "</sheetData>")
	at := strings.LastIndex(text, "</worksheet>")
	for _, later := range []string{
		"<legacyDrawingHF", "<drawingHF", "<picture", "<oleObjects", "<controls", "<webPublishItems",
		"<mc:AlternateContent", "<tableParts", "<extLst",
	} {
		if i := strings.Index(text[tail:], later); i >= 0 {
			at = min(at, tail+i)
		}
	}
	return []byte(text[:at] + `<legacyDrawing xmlns:r="` + relationNamespace + `" r:id="rIdRensaShapes"/>` + text[at:])
}
