package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// readPatience is how long a body may stand still.
const readPatience = time.Minute

// reading is a body that may take as long as it wants, as long as it comes.
type reading struct {
	r        io.Reader
	patience func()
	asked    time.Time
}

func (b *reading) Read(p []byte) (int, error) {
	// Not at each read: a large file has tens of thousands of them.
	if now := time.Now(); now.Sub(b.asked) > readPatience/10 {
		b.asked = now
		b.patience()
	}
	return b.r.Read(p)
}

// limitedReader fails once there is more than it may give, and keeps apart what
// went wrong with reading from what went wrong with writing.
type limitedReader struct {
	r      io.Reader
	left   int64
	passed bool
	err    error
}

var errPassed = errors.New("longer than the limit")

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		l.passed = true
		return 0, errPassed
	}
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
	}
	return n, err
}

// parts are those of a form with one file.
type parts struct {
	*multipart.Reader
	file *multipart.Part
}

// errForm says that a form has not the one file that is asked for.
var errForm = refuse(http.StatusUnprocessableEntity, "form_file")

// openForm goes to the file of a form. Other parts before it are passed over.
func openForm(body io.Reader, boundary string) (*parts, error) {
	if boundary == "" {
		return nil, errForm
	}
	p := &parts{Reader: multipart.NewReader(body, boundary)}
	for {
		part, err := p.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil, errForm
		}
		if err != nil {
			return nil, err
		}
		if part.FormName() == "file" {
			p.file = part
			return p, nil
		}
	}
}

// end makes sure that no second file follows.
func (p *parts) end() error {
	for {
		part, err := p.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if part.FileName() != "" || part.FormName() == "file" {
			return errForm
		}
	}
}

// nameOf finds what a file is called.
func nameOf(param, disposition string) string {
	if param != "" {
		return param
	}
	if _, params, err := mime.ParseMediaType(disposition); err == nil {
		return params["filename"]
	}
	return ""
}

// maxName is how many bytes of a file's name are kept.
const maxName = 150

// safeName makes of what somebody calls a file the name of one: no folder, nothing
// hidden, nothing that a terminal or a file system takes amiss.
func safeName(name string) string {
	name = strings.ToValidUTF8(strings.ReplaceAll(name, `\`, "/"), "_")
	if name = path.Base(name); name == "/" || name == "." {
		name = ""
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune(`:*?"<>|`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.TrimSpace(strings.TrimLeft(name, ". "))
	if end := path.Ext(name); len(name) > maxName {
		if len(end) > 20 {
			end = ""
		}
		cut := maxName - len(end)
		for !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut] + end
	}
	if name == "" {
		return "file"
	}
	return name
}
