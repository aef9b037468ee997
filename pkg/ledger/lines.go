package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"rensa/pkg/removal"
)

// The lines of an order as its column has them: a JSON array with an array for
// each line, the places of which the schema names. They are written and read by
// hand: a large file has a million.

var errLines = errors.New("lines of an order are damaged")

// appendLines appends the lines in the column's form. Texts must be UTF-8.
func appendLines(dst []byte, lines []removal.Line) ([]byte, error) {
	dst = append(dst, '[')
	for i := range lines {
		l := &lines[i]
		if !utf8.ValidString(l.SKU) || !utf8.ValidString(l.FNSKU) {
			return nil, fmt.Errorf("line %d: SKU %q, FNSKU %q: not UTF-8", i+1, l.SKU, l.FNSKU)
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		dst = append(appendJSON(dst, l.SKU), ',')
		dst = appendJSON(dst, l.FNSKU)
		s, u := l.Sellable, l.Unsellable
		dst = appendNumbers(dst, l.AskedSellable, l.AskedUnsellable, s.Requested, u.Requested)
		if l.HasFee {
			dst = appendNumbers(dst, int64(l.Fee))
		} else {
			dst = append(dst, ",null"...)
		}
		if !fresh(s) || !fresh(u) {
			dst = appendNumbers(dst, s.Cancelled, s.Disposed, s.Shipped, u.Cancelled, u.Disposed, u.Shipped)
		}
		dst = append(dst, ']')
	}
	return append(dst, ']'), nil
}

// fresh tells whether all units are still in process.
func fresh(u removal.Units) bool { return u.Cancelled == 0 && u.Disposed == 0 && u.Shipped == 0 }

func appendNumbers(dst []byte, ns ...int64) []byte {
	for _, n := range ns {
		dst = strconv.AppendInt(append(dst, ','), n, 10)
	}
	return dst
}

// appendJSON appends a text as a JSON string.
func appendJSON(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// parseLines reads what appendLines wrote, also where a database put blanks
// between the parts.
func parseLines(s string) ([]removal.Line, error) {
	p := &lineParser{s: s}
	var lines []removal.Line
	p.take('[')
	for !p.bad && !p.has(']') {
		if len(lines) > 0 {
			p.take(',')
		}
		p.take('[')
		l := removal.Line{SKU: p.text()}
		p.take(',')
		l.FNSKU = p.text()
		l.AskedSellable, l.AskedUnsellable = p.number(), p.number()
		l.Sellable.Requested, l.Unsellable.Requested = p.number(), p.number()
		p.take(',')
		if p.has('n') {
			p.word("ull")
		} else {
			l.Fee, l.HasFee = removal.Amount(p.digits()), true
		}
		if !p.has(']') {
			l.Sellable.Cancelled, l.Sellable.Disposed, l.Sellable.Shipped = p.number(), p.number(), p.number()
			l.Unsellable.Cancelled, l.Unsellable.Disposed, l.Unsellable.Shipped = p.number(), p.number(), p.number()
			p.take(']')
		}
		lines = append(lines, l)
	}
	if p.blanks(); p.bad || p.s != "" {
		return nil, errLines
	}
	return lines, nil
}

// lineParser takes parts off a text; once one is not there it is bad and the
// text empty.
type lineParser struct {
	s   string
	bad bool
}

func (p *lineParser) fail() { p.s, p.bad = "", true }

func (p *lineParser) blanks() {
	for p.s != "" && (p.s[0] == ' ' || p.s[0] == '\n') {
		p.s = p.s[1:]
	}
}

// has takes c if it comes next.
func (p *lineParser) has(c byte) bool {
	p.blanks()
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}

func (p *lineParser) take(c byte) {
	if !p.has(c) {
		p.fail()
	}
}

func (p *lineParser) word(w string) {
	rest, ok := strings.CutPrefix(p.s, w)
	if !ok {
		p.fail()
		return
	}
	p.s = rest
}

func (p *lineParser) number() int64 {
	p.take(',')
	return p.digits()
}

func (p *lineParser) digits() int64 {
	p.blanks()
	n := 0
	for n < len(p.s) && (p.s[n] == '-' || p.s[n] >= '0' && p.s[n] <= '9') {
		n++
	}
	v, err := strconv.ParseInt(p.s[:n], 10, 64)
	if err != nil {
		p.fail()
		return 0
	}
	p.s = p.s[n:]
	return v
}

func (p *lineParser) text() string {
	p.take('"')
	for i := 0; i < len(p.s); i++ {
		switch p.s[i] {
		case '"':
			s := p.s[:i]
			p.s = p.s[i+1:]
			return s
		case '\\':
			return p.escaped()
		}
	}
	p.fail()
	return ""
}

// escaped reads a text with escapes, from after its opening quote.
func (p *lineParser) escaped() string {
	for i := 0; i < len(p.s); i++ {
		switch p.s[i] {
		case '\\':
			i++
		case '"':
			var s string
			if json.Unmarshal([]byte(`"`+p.s[:i+1]), &s) != nil {
				p.fail()
				return ""
			}
			p.s = p.s[i+1:]
			return s
		}
	}
	p.fail()
	return ""
}
