package decode

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// guarded is an XML decoder that cannot be made to hold more than most bytes for
// one token, nor more than maxDepth open elements.
type guarded struct {
	d     *xml.Decoder
	in    io.Reader
	n     int
	most  int
	depth int
}

const maxDepth = 64

func newGuarded(r io.Reader, most int) *guarded {
	g := &guarded{in: r, most: most}
	g.d = xml.NewDecoder(g)
	g.d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		// UTF-16 was turned into UTF-8 before, by its byte order mark.
		if strings.HasPrefix(strings.ToLower(charset), "utf-16") || strings.EqualFold(charset, "us-ascii") {
			return in, nil
		}
		return nil, errors.New("encoding " + charset + " in a workbook")
	}
	return g
}

func (g *guarded) Read(p []byte) (int, error) {
	if g.n > g.most {
		return 0, tooLarge("cell", g.most, g.n)
	}
	n, err := g.in.Read(p[:min(len(p), 4096)])
	g.n += n
	return n, err
}

func (g *guarded) token() (xml.Token, error) {
	g.n = 0
	t, err := g.d.Token()
	switch t.(type) {
	case xml.StartElement:
		g.depth++
	case xml.EndElement:
		g.depth--
	}
	if err == nil && g.depth > maxDepth {
		return nil, errors.New("elements too deep")
	}
	return t, err
}

// isOdd tells by the begin of a sheet's or string table's XML whether the byte
// scanner may not read it as it stands: another encoding than UTF-8, a document
// type, or elements with a prefix.
func isOdd(head []byte, root string) bool {
	if bytes.HasPrefix(head, bomLE) || bytes.HasPrefix(head, bomBE) {
		return true
	}
	x := xmlScan{x: bytes.TrimPrefix(head, bomUTF8)}
	if d := bytes.Index(head, []byte("<!DOCTYPE")); d >= 0 {
		return true
	}
	if rest := bytes.TrimLeft(x.x, " \r\n\t"); bytes.HasPrefix(rest, []byte("<?xml")) {
		decl, _, _ := bytes.Cut(rest, []byte("?>"))
		decl = bytes.ToLower(decl)
		if bytes.Contains(decl, []byte("encoding")) &&
			!bytes.Contains(decl, []byte("utf-8")) && !bytes.Contains(decl, []byte("us-ascii")) {
			return true
		}
	}
	return !x.next() || string(x.name) != root
}

// plainXML gives a part in the form that the byte scanner knows: UTF-8, no
// prefixes, and only the elements and attributes that carry rows and values.
type plainXML struct {
	d    *guarded
	out  bytes.Buffer
	skip int // depth inside an element that is left out
	text bool
	err  error
}

var plainElements = map[string]bool{
	"worksheet": true, "sheetData": true, "row": true, "c": true, "v": true, "f": true,
	"is": true, "t": true, "r": true, "rPh": true, "sst": true, "si": true,
}

func newPlainXML(r io.Reader, lim Limits) *plainXML {
	in := transform.NewReader(r, unicode.BOMOverride(transform.Nop))
	return &plainXML{d: newGuarded(in, 4*lim.Cell+1<<20)}
}

func (p *plainXML) Read(b []byte) (int, error) {
	for p.out.Len() < len(b) && p.err == nil {
		p.err = p.step()
	}
	if p.out.Len() == 0 {
		return 0, p.err
	}
	return p.out.Read(b)
}

func (p *plainXML) step() error {
	t, err := p.d.token()
	if err != nil {
		return err
	}
	switch e := t.(type) {
	case xml.StartElement:
		if p.skip > 0 || !plainElements[e.Name.Local] {
			p.skip++
			return nil
		}
		p.start(e)
	case xml.EndElement:
		if p.skip > 0 {
			p.skip--
			return nil
		}
		p.text = false
		p.out.WriteString("</" + e.Name.Local + ">")
	case xml.CharData:
		if p.skip == 0 && p.text {
			return xml.EscapeText(&p.out, e)
		}
	}
	return nil
}

func (p *plainXML) start(e xml.StartElement) {
	p.text = e.Name.Local == "v" || e.Name.Local == "t"
	p.out.WriteString("<" + e.Name.Local)
	for _, name := range []string{"r", "s", "t"} {
		v := attr(e, name)
		if v == "" || strings.ContainsAny(v, "<>&\"'") {
			continue
		}
		p.out.WriteString(" " + name + `="` + v + `"`)
	}
	p.out.WriteByte('>')
}

// plain opens a part and turns it into what the byte scanner knows, where it is
// not that already.
func (w *workbook) plain(name, root string, before int64) (io.Reader, error) {
	r, err := w.open(name, before)
	if err != nil {
		return nil, err
	}
	// Some programs declare a hundred name spaces in the root's tag.
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, unexpected(err)
	}
	whole := io.MultiReader(bytes.NewReader(head[:n]), r)
	if isOdd(head[:n], root) {
		return newPlainXML(whole, w.f.opt.Limits), nil
	}
	return whole, nil
}
