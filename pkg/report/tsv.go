package report

import (
	"io"
	"strings"
	"time"
)

// tsv writes the marketplace's own reports: UTF-8, tabs, CRLF, no quotes but
// where a value begins with one. Values go out untouched, since programs read
// these files; tabs and line breaks inside a value become blanks.
type tsv struct {
	w   io.Writer
	buf []byte
}

func newTSV(w io.Writer, headings []string) (*tsv, error) {
	t := &tsv{w: w}
	return t, t.row(headings)
}

func (t *tsv) row(values []string) error {
	for i, v := range values {
		if i > 0 {
			t.buf = append(t.buf, '\t')
		}
		v = oneLine(v)
		if strings.HasPrefix(v, `"`) {
			v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		t.buf = append(t.buf, v...)
	}
	t.buf = append(t.buf, '\r', '\n')
	if len(t.buf) < 1<<15 {
		return nil
	}
	return t.flush()
}

func (t *tsv) flush() error {
	_, err := t.w.Write(t.buf)
	t.buf = t.buf[:0]
	return err
}

// stamp writes a moment to the second with its offset; "" for none.
func stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02T15:04:05-07:00")
}
