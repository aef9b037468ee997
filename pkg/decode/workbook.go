package decode

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"sync"

	"rensa/pkg/removal"
)

// workbook is what the sheets of an XLSX file share.
type workbook struct {
	f        *File
	parts    map[string]*zip.File // by lower-case name with slashes
	date1904 bool
	dates    []dateKind // by cell style

	strings  sharedStrings
	stringed string // name of the part, "" where there is none
	styled   string

	once sync.Once
	err  error
	used int64 // bytes unpacked for styles and strings
}

const (
	maxBookXML   = 16 << 20 // the workbook's own part, its relations, its styles
	maxSheets    = 1024
	maxTypeBytes = 100
)

// findWorkbook tells whether the archive is a workbook, and reads its list of
// sheets. It returns nil for any other archive.
func (f *File) findWorkbook(zr *zip.Reader) (*workbook, error) {
	w := &workbook{f: f, parts: make(map[string]*zip.File, len(zr.File))}
	for _, e := range zr.File {
		name := partName(e.Name)
		if _, twice := w.parts[name]; !twice {
			w.parts[name] = e
		}
	}
	switch {
	case w.isOpenDocument():
		return nil, unsupported("ods")
	case w.parts["xl/workbook.bin"] != nil:
		return nil, unsupported("xlsb")
	case w.parts["[content_types].xml"] == nil && w.parts["xl/workbook.xml"] == nil:
		return nil, nil
	}
	main, err := w.mainPart()
	if err != nil || main == "" {
		return nil, err
	}
	if err := w.readBook(main); errors.Is(err, errOtherRoot) {
		return nil, nil
	} else if err != nil {
		return nil, f.src.torn(err, "")
	}
	f.format.Workbook, f.chunk = true, sheetChunk
	return w, nil
}

func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

func (w *workbook) isOpenDocument() bool {
	e := w.parts["mimetype"]
	if e == nil {
		return false
	}
	r, err := openEntry(e)
	if err != nil {
		return false
	}
	b, err := io.ReadAll(io.LimitReader(r, maxTypeBytes))
	return errors.Join(err, r.Close()) == nil && strings.Contains(string(b), "opendocument")
}

// open unpacks a part under the limits; bytes unpacked before count too.
func (w *workbook) open(name string, before int64) (io.Reader, error) {
	e := w.parts[partName(name)]
	if e == nil {
		return nil, io.ErrUnexpectedEOF
	}
	lim := w.f.opt.Limits
	if e.UncompressedSize64 > uint64(lim.Unpacked) {
		return nil, tooLarge("unpacked", lim.Unpacked, int64(min(e.UncompressedSize64, 1<<62)))
	}
	r, err := openEntry(e)
	if err != nil {
		return nil, err
	}
	return &meter{r: r, lim: lim, packed: int64(e.CompressedSize64), n: before, from: before}, nil
}

// elements calls see for every start element of a part that is read as a whole.
func (w *workbook) elements(name string, see func(xml.StartElement) error) error {
	r, err := w.open(name, 0)
	if err != nil {
		return err
	}
	d := newGuarded(&capped{r: r, left: maxBookXML}, 1<<20)
	for {
		t, err := d.token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if err := see(e); err != nil {
				return err
			}
		}
	}
}

// capped refuses to go on where a part is longer than any honest one.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, removal.NewFileError(removal.FileTooLarge, "limit", "unpacked", "max", int64(maxBookXML))
	}
	return n, err
}

func attr(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

type relation struct{ kind, target string }

// relations reads the list of what a part refers to, by id.
func (w *workbook) relations(of string) (map[string]relation, error) {
	dir, base := path.Split(of)
	list := dir + "_rels/" + base + ".rels"
	rels := map[string]relation{}
	if w.parts[partName(list)] == nil {
		return rels, nil
	}
	err := w.elements(list, func(e xml.StartElement) error {
		if e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
			return nil
		}
		target := strings.ReplaceAll(attr(e, "Target"), `\`, "/")
		if !strings.HasPrefix(target, "/") {
			target = path.Join(dir, target)
		}
		kind := attr(e, "Type")
		rels[attr(e, "Id")] = relation{kind[strings.LastIndexByte(kind, '/')+1:], partName(target)}
		return nil
	})
	return rels, err
}

func (w *workbook) mainPart() (string, error) {
	rels, err := w.relations("")
	if err != nil {
		return "", w.f.src.torn(err, "")
	}
	for _, r := range rels {
		if r.kind == "officeDocument" && w.parts[r.target] != nil {
			return r.target, nil
		}
	}
	if w.parts["xl/workbook.xml"] != nil {
		return "xl/workbook.xml", nil
	}
	return "", nil
}

// errOtherRoot says that the main part is of another kind of document.
var errOtherRoot = errors.New("no workbook")

func (w *workbook) readBook(main string) error {
	rels, err := w.relations(main)
	if err != nil {
		return err
	}
	for _, r := range rels {
		switch r.kind {
		case "sharedStrings":
			w.stringed = r.target
		case "styles":
			w.styled = r.target
		}
	}
	root := true
	var hidden []*Sheet
	err = w.elements(main, func(e xml.StartElement) error {
		if root && e.Name.Local != "workbook" {
			return errOtherRoot
		}
		root = false
		switch e.Name.Local {
		case "workbookPr":
			w.date1904 = isTrue(attr(e, "date1904"))
		case "sheet":
			rel := rels[relationID(e)]
			if rel.kind != "worksheet" {
				return nil
			}
			s := &Sheet{file: w.f, name: attr(e, "name"), part: w.parts[rel.target]}
			if s.part == nil {
				return truncated(s.name)
			}
			if state := attr(e, "state"); state == "hidden" || state == "veryHidden" {
				s.hidden = true
				hidden = append(hidden, s)
			} else {
				w.f.sheets = append(w.f.sheets, s)
			}
			if len(w.f.sheets)+len(hidden) > maxSheets {
				return removal.NewFileError(removal.FileTooLarge, "limit", "sheets", "max", maxSheets)
			}
		}
		return nil
	})
	if err == nil && root {
		return io.ErrUnexpectedEOF
	}
	w.f.sheets = append(w.f.sheets, hidden...)
	return err
}

// relationID finds r:id and not the sheetId beside it, whatever the prefix.
func relationID(e xml.StartElement) string {
	for _, a := range e.Attr {
		if a.Name.Local == "id" && a.Name.Space != "" {
			return a.Value
		}
	}
	return ""
}

func isTrue(v string) bool { return v == "1" || v == "true" || v == "on" }

// load reads what every sheet needs, once.
func (w *workbook) load() error {
	w.once.Do(func() {
		if w.styled != "" && w.parts[w.styled] != nil {
			if err := w.readStyles(); err != nil {
				w.err = w.f.src.torn(err, "")
				return
			}
		}
		if w.stringed != "" && w.parts[w.stringed] != nil {
			if err := w.readStrings(); err != nil {
				w.err = w.f.src.torn(err, "")
			}
		}
	})
	return w.err
}

// readStyles finds out which cell styles show a number as a date.
func (w *workbook) readStyles() error {
	custom := map[int]dateKind{}
	inXfs := false
	return w.elements(w.styled, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			if id, err := strconv.Atoi(attr(e, "numFmtId")); err == nil && id >= 0 {
				custom[id] = formatKind(attr(e, "formatCode"))
			}
		case "cellXfs":
			inXfs = true
		case "cellStyleXfs", "cellStyles", "dxfs":
			inXfs = false
		case "xf":
			if !inXfs {
				return nil
			}
			id, err := strconv.Atoi(attr(e, "numFmtId"))
			if err != nil {
				id = 0
			}
			kind, ok := custom[id]
			if !ok {
				kind = builtinKind(id)
			}
			w.dates = append(w.dates, kind)
		}
		return nil
	})
}

func (w *workbook) style(n int) dateKind {
	if n < 0 || n >= len(w.dates) {
		return notDate
	}
	return w.dates[n]
}
