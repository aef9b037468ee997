package decode

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// xmlScan goes through XML tag by tag. It knows comments, CDATA sections and
// processing instructions, but neither prefixes nor other encodings than UTF-8:
// where those stand, plainXML comes before it.
type xmlScan struct {
	x     []byte
	p     int // behind the tag
	start int // of the tag
	name  []byte
	attrs []byte
	close bool // </name>
	empty bool // <name/>
}

// next moves to the next tag. Without a whole one it returns false, with p at its
// begin or at the end.
func (s *xmlScan) next() bool {
	for {
		i := bytes.IndexByte(s.x[s.p:], '<')
		if i < 0 {
			s.p = len(s.x)
			return false
		}
		s.p += i
		n, ok := markup(s.x[s.p:])
		if ok && n == 0 {
			return s.tag()
		}
		if !ok {
			return false
		}
		s.p += n
	}
}

// markup is the length of the comment, CDATA section, instruction or declaration
// that b begins with: 0 for a tag; not ok where its end is missing.
func markup(b []byte) (n int, ok bool) {
	if len(b) < 2 {
		return 0, false
	}
	open, end := "<!", ">"
	switch {
	case b[1] == '?':
		open, end = "<?", "?>"
	case b[1] != '!':
		return 0, true
	case bytes.HasPrefix(b, []byte("<!--")):
		open, end = "<!--", "-->"
	case bytes.HasPrefix(b, []byte(cdata)):
		open, end = cdata, "]]>"
	case len(b) < len(cdata):
		return 0, false
	}
	i := bytes.Index(b[len(open):], []byte(end))
	return len(open) + i + len(end), i >= 0
}

const cdata = "<![CDATA["

func (s *xmlScan) tag() bool {
	b := s.x[s.p+1:]
	end, quote := 0, byte(0)
	for ; end < len(b); end++ {
		c := b[end]
		if c == '>' && quote == 0 {
			break
		}
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	if end == len(b) {
		return false
	}
	s.start = s.p
	s.p += end + 2
	b = b[:end]
	if s.close = len(b) > 0 && b[0] == '/'; s.close {
		b = b[1:]
	}
	if s.empty = len(b) > 0 && b[len(b)-1] == '/'; s.empty {
		b = b[:len(b)-1]
	}
	n := 0
	for n < len(b) && !isSpace(b[n]) {
		n++
	}
	s.name, s.attrs = b[:n], b[n:]
	return true
}

func (s *xmlScan) is(name string) bool { return string(s.name) == name }

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// attr returns the raw value of an attribute of the tag, nil where there is none.
func (s *xmlScan) attr(name string) []byte {
	for b := s.attrs; ; {
		n, v, rest, ok := nextAttr(b)
		if !ok {
			return nil
		}
		if string(n) == name {
			return v
		}
		b = rest
	}
}

func nextAttr(b []byte) (name, value, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " \n\r\t")
	eq := bytes.IndexByte(b, '=')
	if eq <= 0 {
		return nil, nil, nil, false
	}
	name, b = bytes.TrimRight(b[:eq], " \n\r\t"), bytes.TrimLeft(b[eq+1:], " \n\r\t")
	if bytes.ContainsAny(name, "<>\"' \n\r\t") || len(b) < 2 || b[0] != '"' && b[0] != '\'' {
		return nil, nil, nil, false
	}
	end := bytes.IndexByte(b[1:], b[0])
	if end < 0 {
		return nil, nil, nil, false
	}
	return name, b[1 : end+1], b[end+2:], true
}

// skip moves behind the element whose start tag was read last.
func (s *xmlScan) skip() bool {
	for depth := 1; !s.empty; {
		if !s.next() {
			return false
		}
		switch {
		case s.close:
			if depth--; depth == 0 {
				return true
			}
		case s.empty:
			s.empty = false
		default:
			depth++
		}
	}
	return true
}

// text appends the characters from p on to the next tag, before which it stops.
func (s *xmlScan) text(dst []byte) (_ []byte, ok bool) {
	for {
		i := bytes.IndexByte(s.x[s.p:], '<')
		if i < 0 {
			return dst, false
		}
		dst = appendText(dst, s.x[s.p:s.p+i])
		s.p += i
		n, ok := markup(s.x[s.p:])
		if !ok || n == 0 {
			return dst, ok
		}
		if m := s.x[s.p : s.p+n]; bytes.HasPrefix(m, []byte(cdata)) {
			dst = append(dst, m[len(cdata):n-len("]]>")]...)
		}
		s.p += n
	}
}

var textSpecial = [256]bool{'&': true, '_': true, '\r': true}

// appendText appends character data with its references resolved, the escapes
// of spreadsheets (_x000D_) too, and line ends as XML wants them.
func appendText(dst, raw []byte) []byte {
	from := 0
	for i := 0; i < len(raw); i++ {
		if !textSpecial[raw[i]] {
			continue
		}
		var n int
		var r rune
		switch raw[i] {
		case '&':
			n, r = reference(raw[i:])
		case '_':
			n, r = escaped(raw[i:])
		default:
			n, r = 1, '\n'
			if i+1 < len(raw) && raw[i+1] == '\n' {
				n = 2
			}
		}
		if n > 0 {
			dst = append(dst, raw[from:i]...)
			dst = utf8.AppendRune(dst, r)
			i += n - 1
			from = i + 1
		}
	}
	return append(dst, raw[from:]...)
}

var references = []struct {
	name string
	char rune
}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}

// reference resolves the reference that b begins with; n is 0 where it is none.
func reference(b []byte) (n int, r rune) {
	for _, e := range references {
		if bytes.HasPrefix(b, []byte(e.name)) {
			return len(e.name), e.char
		}
	}
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 3 || b[1] != '#' {
		return 0, 0
	}
	digits, base := string(b[2:end]), 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	v, err := strconv.ParseUint(digits, base, 21)
	if err != nil {
		return 0, 0
	}
	return end + 1, rune(v)
}

// escaped resolves _xHHHH_, or a pair of them for a character beyond 16 bits.
func escaped(b []byte) (n int, r rune) {
	r, ok := escapedUnit(b)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		if low, ok := escapedUnit(b[7:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return 14, pair
			}
		}
		r = utf8.RuneError
	}
	return 7, r
}

func escapedUnit(b []byte) (rune, bool) {
	if len(b) < 7 || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(v), err == nil
}
