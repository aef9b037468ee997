package upload

import (
	"io"
	"strings"

	"rensa/pkg/removal"
)

// flushAt is how many bytes are gathered for one write.
const flushAt = 1 << 16

// Writer writes layout A as UTF-8 text with tabs and CRLF: what rejected.tsv,
// orders.tsv and outgoing files are made of. It reads back as it was written.
type Writer struct {
	w     io.Writer
	buf   []byte
	begun bool
}

// NewWriter writes to w; nothing appears before the first row, not even the headings.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write adds one item row. Tabs and line breaks inside a value become blanks,
// since no two readers of such files agree on how to quote them.
func (w *Writer) Write(values *[removal.NumFields]string) error {
	if !w.begun {
		w.begun = true
		w.line(&canonical)
	}
	w.line(values)
	if len(w.buf) < flushAt {
		return nil
	}
	return w.Flush()
}

// canonical is the heading row.
var canonical = func() (names [removal.NumFields]string) {
	for f := range names {
		names[f] = removal.Field(f).String()
	}
	return names
}()

func (w *Writer) line(values *[removal.NumFields]string) {
	for f, v := range values {
		if f > 0 {
			w.buf = append(w.buf, '\t')
		}
		w.value(v)
	}
	w.buf = append(w.buf, '\r', '\n')
}

func (w *Writer) value(v string) {
	if strings.ContainsAny(v, "\t\r\n") {
		v = strings.Join(strings.FieldsFunc(v, func(r rune) bool { return r == '\t' || r == '\r' || r == '\n' }), " ")
	}
	// A value that is quoted in full would lose its quotes when read again.
	if strings.HasPrefix(v, `"`) {
		v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
	}
	w.buf = append(w.buf, v...)
}

// Flush writes out what is gathered.
func (w *Writer) Flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}
