package report

import "encoding/json"

// List is a JSON array of strings, without blanks. It is written with indents as
// encoding/json writes it, and many times as fast: a large upload's summary names a
// hundred thousand orders.
type List []byte

// splice puts a list in place of the empty array of a key, the last of an object that
// json.MarshalIndent wrote.
func (l List) splice(object []byte, indent string) []byte {
	empty := len(object) - len("[]\n") - len(indent) - len("}")
	dst := append(make([]byte, 0, len(object)+2*len(l)), object[:empty]...)
	dst = l.appendIndented(dst, indent+"  ")
	return append(dst, object[empty+len("[]"):]...)
}

// Object gives v, which json.MarshalIndent writes as an object whose last key has an
// empty array, with the list in place of that. indent is what the lines after the
// first begin with.
func (l List) Object(v any, indent string) ([]byte, error) {
	object, err := json.MarshalIndent(v, indent, "  ")
	if err != nil {
		return nil, err
	}
	return l.splice(object, indent), nil
}

func (l List) appendIndented(dst []byte, indent string) []byte {
	if len(l) <= len("[]") {
		return append(dst, l...)
	}
	newLine := "\n" + indent + "  "
	dst = append(append(dst, '['), newLine...)
	inString := false
	for i := 1; i < len(l)-1; i++ {
		switch c := l[i]; {
		case c == '\\':
			dst = append(dst, c)
			i++
		case c == '"':
			inString = !inString
		case c == ',' && !inString:
			dst = append(append(dst, c), newLine...)
			continue
		}
		dst = append(dst, l[i])
	}
	return append(append(append(dst, '\n'), indent...), ']')
}
