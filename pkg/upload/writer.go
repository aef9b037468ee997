package upload

import (
	"io"
	"strconv"
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

// Write adds one item row, as AppendRow has it.
func (w *Writer) Write(values *[removal.NumFields]string) error {
	if !w.begun {
		w.begun = true
		w.buf = AppendHeadings(w.buf)
	}
	w.buf = AppendRow(w.buf, values)
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

// AppendHeadings adds the heading row of what a Writer writes.
func AppendHeadings(dst []byte) []byte { return AppendRow(dst, &canonical) }

// AppendRow adds one row of what a Writer writes. Tabs and line breaks inside a
// value become blanks, since no two readers of such files agree on how to quote
// them.
func AppendRow(dst []byte, values *[removal.NumFields]string) []byte {
	for f := range values {
		if f > 0 {
			dst = append(dst, '\t')
		}
		if v := values[f]; v != "" {
			dst = appendValue(dst, v)
		}
	}
	return append(dst, '\r', '\n')
}

// blanks stand between the id and the SKU of a row without order values.
var blanks = strings.Repeat("\t", int(removal.FieldSKU-removal.FieldOrderID))

// AppendItem is AppendRow for a row without order values but the id.
func AppendItem(dst []byte, id, sku string, sellable, unsellable int64) []byte {
	dst = append(appendValue(dst, id), blanks...)
	dst = append(appendValue(dst, sku), '\t')
	dst = append(AppendQuantity(dst, sellable), '\t')
	return append(AppendQuantity(dst, unsellable), '\r', '\n')
}

// AppendQuantity adds a number of units in digits, of which most need one.
func AppendQuantity(dst []byte, n int64) []byte {
	if 0 <= n && n < 10 {
		return append(dst, '0'+byte(n))
	}
	return strconv.AppendInt(dst, n, 10)
}

func appendValue(dst []byte, v string) []byte {
	for i := range len(v) {
		// One comparison for nearly every byte.
		if c := v[i]; c <= '\r' && (c == '\t' || c == '\r' || c == '\n') {
			v = strings.Join(strings.FieldsFunc(v, func(r rune) bool { return r == '\t' || r == '\r' || r == '\n' }), " ")
			break
		}
	}
	// A value that is quoted in full would lose its quotes when read again.
	if strings.HasPrefix(v, `"`) {
		v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
	}
	return append(dst, v...)
}

// Flush writes out what is gathered.
func (w *Writer) Flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}
