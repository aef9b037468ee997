package policy

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"
)

// charset is a set of ASCII characters.
type charset [2]uint64

func (c *charset) add(b byte)     { c[b>>6&1] |= 1 << (b & 63) }
func (c charset) has(b byte) bool { return b < 128 && c[b>>6]>>(b&63)&1 == 1 }

// only is the character that the set consists of; ok is false where it has more.
func (c charset) only() (b byte, ok bool) {
	for i := range byte(128) {
		if c.has(i) {
			if ok {
				return 0, false
			}
			b, ok = i, true
		}
	}
	return b, ok
}

// shape is one length that a pattern allows, character by character.
type shape []charset

// postal is a pattern laid out as all its shapes, which answers in some ten
// nanoseconds where a regular expression needs hundreds. It is possible because
// a postal code has an end.
type postal struct {
	byLength [][]shape // by length in bytes
	order    []shape   // for suggestions: that of the example first
}

const maxShapes = 256

// postalPattern is compiled when it is first needed: a file needs those of a few
// countries, and all of them take a quarter of the time in which a Set is loaded.
type postalPattern struct {
	text, example string
	once          sync.Once
	compiled      postal
}

// get gives the compiled pattern, one that no code fits where it cannot be compiled.
func (p *postalPattern) get() *postal {
	p.once.Do(func() {
		if c, err := compilePostal(p.text, p.example); err == nil {
			p.compiled = *c
		}
	})
	return &p.compiled
}

// compilePostal reads a pattern in the syntax of package regexp. It matches the
// whole code, in any case.
func compilePostal(pattern, example string) (*postal, error) {
	re, err := syntax.Parse(pattern, syntax.Perl|syntax.FoldCase)
	if err != nil {
		return nil, fmt.Errorf("is not a pattern: %w", err)
	}
	shapes, err := expand(re.Simplify())
	if err != nil {
		return nil, err
	}
	p := &postal{order: shapes}
	for _, s := range shapes {
		for len(p.byLength) <= len(s) {
			p.byLength = append(p.byLength, nil)
		}
		p.byLength[len(s)] = append(p.byLength[len(s)], s)
	}
	slices.SortStableFunc(p.order, func(a, b shape) int {
		return rank(a, example) - rank(b, example)
	})
	return p, nil
}

func rank(s shape, example string) int {
	if s.matches(example) {
		return 0
	}
	return 1
}

// expand lists every shape of a pattern.
func expand(re *syntax.Regexp) ([]shape, error) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []shape{nil}, nil
	case syntax.OpLiteral:
		var s shape
		for _, r := range re.Rune {
			s = append(s, letters(r, r, re.Flags&syntax.FoldCase != 0))
		}
		return []shape{s}, nil
	case syntax.OpCharClass:
		var c charset
		for i := 0; i+1 < len(re.Rune); i += 2 {
			l := letters(re.Rune[i], re.Rune[i+1], false)
			c[0], c[1] = c[0]|l[0], c[1]|l[1]
		}
		return []shape{{c}}, nil
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpQuest:
		shapes, err := expand(re.Sub[0])
		return append(shapes, nil), err
	case syntax.OpAlternate:
		var all []shape
		for _, sub := range re.Sub {
			shapes, err := expand(sub)
			if err != nil {
				return nil, err
			}
			all = append(all, shapes...)
		}
		return limited(all)
	case syntax.OpConcat:
		all := []shape{nil}
		for _, sub := range re.Sub {
			tails, err := expand(sub)
			if err != nil {
				return nil, err
			}
			var longer []shape
			for _, head := range all {
				for _, tail := range tails {
					longer = append(longer, slices.Concat(head, tail))
				}
			}
			if all, err = limited(longer); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return nil, fmt.Errorf("uses %q, which a postal code's pattern cannot", re)
}

func limited(s []shape) ([]shape, error) {
	if len(s) > maxShapes {
		return nil, errors.New("allows too many forms")
	}
	return s, nil
}

func letters(low, high rune, fold bool) charset {
	var c charset
	for r := low; r <= high && r < 128; r++ {
		c.add(byte(r))
		if l := r | 0x20; fold && l >= 'a' && l <= 'z' {
			c.add(byte(l))
			c.add(byte(l - 0x20))
		}
	}
	return c
}

func (s shape) matches(v string) bool { return matches(s, v) }

func matches[T string | []byte](s shape, v T) bool {
	if len(s) != len(v) {
		return false
	}
	for i := range s {
		if !s[i].has(v[i]) {
			return false
		}
	}
	return true
}

// PostalValid tells whether v is a postal code of the country: whole, trimmed,
// in any case. Where no pattern is known every value is.
func (c Country) PostalValid(v string) bool { return postalValid(c, v) }

// PostalValidBytes is PostalValid for a value that is not a string yet.
func (c Country) PostalValidBytes(v []byte) bool { return postalValid(c, v) }

func postalValid[T string | []byte](c Country, v T) bool {
	if c.countryRules == nil || c.postal == nil {
		return true
	}
	p := c.postal.get()
	if len(v) >= len(p.byLength) {
		return false
	}
	for _, s := range p.byLength[len(v)] {
		if matches(s, v) {
			return true
		}
	}
	return false
}

// SuggestPostal is the postal code that v, which is not valid, was probably
// meant to be: a spreadsheet's lost leading zeros are put back, blanks and
// hyphens set as the country writes them, its letters before the code taken
// away, O and I read as digits where digits must stand. "" where nothing fits.
func (c Country) SuggestPostal(v string) string {
	if c.countryRules == nil || c.postal == nil || c.PostalValid(v) || len(v) > 60 {
		return ""
	}
	v = strings.ToUpper(norm.NFKC.String(v))
	if whole, zeros, ok := strings.Cut(v, "."); ok && strings.Trim(zeros, "0") == "" {
		v = whole // 1067.0 of a spreadsheet
	}
	code := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, v)
	tries := []string{code}
	for _, p := range c.prefixes {
		if rest, ok := strings.CutPrefix(code, p); ok {
			tries = append(tries, rest)
		}
	}
	pattern := c.postal.get()
	for _, mend := range []bool{false, true} {
		for _, t := range tries {
			if s := pattern.fill(t, mend); s != "" {
				return s
			}
			if strings.Trim(t, "0123456789") != "" || len(t) < 3 {
				continue
			}
			for zeros := 1; zeros <= 2; zeros++ {
				if s := pattern.fill(strings.Repeat("0", zeros)+t, mend); s != "" {
					return s
				}
			}
		}
	}
	return ""
}

// fill lays characters into the first shape that takes all of them, which adds
// its blanks and hyphens. With mend, letters and digits that look alike may change.
func (p *postal) fill(code string, mend bool) string {
	for _, s := range p.order {
		out, rest := make([]byte, 0, len(s)), code
		for _, set := range s {
			if b, ok := set.only(); ok && (b == ' ' || b == '-') {
				out = append(out, b)
				continue
			}
			if rest == "" {
				out = nil
				break
			}
			b := rest[0]
			if mend && !set.has(b) {
				b = lookalike(b)
			}
			if !set.has(b) {
				out = nil
				break
			}
			out, rest = append(out, b), rest[1:]
		}
		if len(out) > 0 && rest == "" {
			return string(out)
		}
	}
	return ""
}

func lookalike(b byte) byte {
	switch b {
	case 'O':
		return '0'
	case 'I', 'L':
		return '1'
	case '0':
		return 'O'
	case '1':
		return 'I'
	}
	return b
}
