package templates

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Longer values and lists are cut: a message must stay readable in a terminal
// and in the comment of a cell.
const (
	maxRunes = 40
	maxItems = 12
)

// function is one that texts may call; arguments are evaluated by the function,
// so that or, and as well as if do not work for nothing.
type function struct {
	min, max int
	call     func(s *scope, a []expr) string
}

// functions are all that a text can call. Everything is a string, "" is false; a
// LIST has its elements on lines of their own.
//
//	or A B …, and A B …, not A, eq A B C …   as in text/template; eq: A is one of the others
//	q A [B]           A in quotes, cut at 40 characters; B, unquoted, where A is blank
//	n A               whole number, grouped as the language does from five digits on
//	bytes A           number of bytes as KiB, MiB, GiB
//	plural A ONE MANY the form that the number A takes
//	units A CONDITION "1 sellable unit", "14 units"
//	minus A B, ceil A B   A - B; A / B rounded up
//	when A            date, or date and time, without seconds
//	country A         name and code of a country
//	word GROUP KEY    the text word.GROUP.KEY; KEY itself where there is none
//	text KEY          another text, made from the same facts
//	each LIST SEP JOIN KEY   text KEY for each element, split at SEP into .a .b .c
//	anyOf LIST, allOf LIST, commas LIST   "A, B or C", "A, B and C", "A, B, C"
//	count LIST, single LIST, first LIST   number of elements; true for exactly one; the first
//	more LIST LIST    the first list is the longer one
//	zero A            A begins with 0
//	unsigned A        whole number without its minus sign
//	class A           number of a class of dangerous goods, without the word
//	damage A          where the first unreadable character stands
//	difference A B    in which way two names that look alike differ
var functions = map[string]function{
	"or":  {1, 9, orOf},
	"and": {1, 9, andOf},
	"not": {1, 1, func(s *scope, a []expr) string { return truth(a[0](s) == "") }},
	"eq":  {2, 9, eq},
	"q":   {1, 2, q},
	"n":   {1, 1, func(s *scope, a []expr) string { return s.t.number(a[0](s)) }},
	"bytes": {1, 1, func(s *scope, a []expr) string {
		return s.t.size(a[0](s))
	}},
	"plural": {3, 3, func(s *scope, a []expr) string {
		if s.t.isOne(a[0](s)) {
			return a[1](s)
		}
		return a[2](s)
	}},
	"units": {2, 2, units},
	"minus": {2, 2, func(s *scope, a []expr) string {
		return arithmetic(a[0](s), a[1](s), func(x, y int64) int64 { return x - y })
	}},
	"ceil": {2, 2, func(s *scope, a []expr) string {
		return arithmetic(a[0](s), a[1](s), func(x, y int64) int64 { return (x + max(y, 1) - 1) / max(y, 1) })
	}},
	"when":    {1, 1, func(s *scope, a []expr) string { return when(a[0](s)) }},
	"country": {1, 1, func(s *scope, a []expr) string { return s.t.country(a[0](s)) }},
	"word":    {2, 2, func(s *scope, a []expr) string { return s.word(a[0](s), a[1](s)) }},
	"text": {1, 1, func(s *scope, a []expr) string {
		return s.t.plain[a[0](s)].render(s)
	}},
	"each":   {4, 4, each},
	"anyOf":  {1, 1, func(s *scope, a []expr) string { return s.join(a[0](s), "or") }},
	"allOf":  {1, 1, func(s *scope, a []expr) string { return s.join(a[0](s), "and") }},
	"commas": {1, 1, func(s *scope, a []expr) string { return s.join(a[0](s), "") }},
	"count":  {1, 1, func(s *scope, a []expr) string { return strconv.Itoa(count(a[0](s))) }},
	"single": {1, 1, func(s *scope, a []expr) string { return truth(count(a[0](s)) == 1) }},
	"first": {1, 1, func(s *scope, a []expr) string {
		first, _, _ := strings.Cut(a[0](s), "\n")
		return first
	}},
	"more": {2, 2, func(s *scope, a []expr) string { return truth(count(a[0](s)) > count(a[1](s))) }},
	"zero": {1, 1, func(s *scope, a []expr) string { return truth(strings.HasPrefix(a[0](s), "0")) }},
	"unsigned": {1, 1, func(s *scope, a []expr) string {
		digits := strings.TrimLeft(a[0](s), "-−– ")
		if _, err := strconv.ParseUint(digits, 10, 32); err != nil {
			return ""
		}
		return digits
	}},
	"class":      {1, 1, func(s *scope, a []expr) string { return className(a[0](s)) }},
	"damage":     {1, 1, damage},
	"difference": {2, 2, difference},
}

// functionNames is the form in which text/template/parse wants to know them.
var functionNames = func() map[string]any {
	names := make(map[string]any, len(functions))
	for name := range functions {
		names[name] = struct{}{}
	}
	return names
}()

func truth(b bool) string {
	if b {
		return "1"
	}
	return ""
}

func orOf(s *scope, a []expr) string {
	for _, e := range a {
		if v := e(s); v != "" {
			return v
		}
	}
	return ""
}

func andOf(s *scope, a []expr) (v string) {
	for _, e := range a {
		if v = e(s); v == "" {
			return ""
		}
	}
	return v
}

func eq(s *scope, a []expr) string {
	v := a[0](s)
	for _, e := range a[1:] {
		if e(s) == v {
			return "1"
		}
	}
	return ""
}

func q(s *scope, a []expr) string {
	v := a[0](s)
	if v == "" && len(a) == 2 {
		return a[1](s)
	}
	return quote(v)
}

// quote shows a value on one line, in full up to 40 characters. What a terminal
// would obey or nobody could see is shown as U+FFFD.
func quote(v string) string {
	b := make([]byte, 0, len(v)+2)
	b = append(b, '"')
	runes := 0
	for _, r := range v {
		if runes == maxRunes {
			b = append(b, "…"...)
			break
		}
		runes++
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			r = ' '
		case unicode.IsControl(r), unseen(r) && !joins(r):
			r = utf8.RuneError
		}
		b = utf8.AppendRune(b, r)
	}
	return string(append(b, '"'))
}

func (s *scope) word(group, key string) string {
	if p, ok := s.t.plain["word."+group+"."+key]; ok {
		return p.render(s)
	}
	return key
}

func count(list string) int {
	if list == "" {
		return 0
	}
	return strings.Count(list, "\n") + 1
}

// join writes a list the language's way, the last two elements joined by the
// word for "and" or "or". Of a long one it tells how many are left out.
func (s *scope) join(list, last string) string {
	items := strings.Split(list, "\n")
	left := 0
	if len(items) > maxItems {
		left = len(items) - maxItems
		items = items[:maxItems]
	}
	var b strings.Builder
	for i, item := range items {
		switch {
		case i == 0:
		case i == len(items)-1 && left == 0 && last != "":
			b.WriteString(" " + s.word("join", last) + " ")
		default:
			b.WriteString(", ")
		}
		// A name with blanks in it could not be told from its neighbours.
		if strings.ContainsAny(item, " ,\u00a0") {
			item = quote(item)
		}
		b.WriteString(item)
	}
	if left > 0 {
		b.WriteString(" " + s.word("join", "and") + " " + s.t.T("part.left_out", "left", left))
	}
	return b.String()
}

func each(s *scope, a []expr) string {
	list, sep, joiner, p := a[0](s), a[1](s), a[2](s), s.t.plain[a[3](s)].program()
	if list == "" {
		return ""
	}
	var b []byte
	names := [...]string{"a", "b", "c"}
	for i, item := range strings.Split(list, "\n") {
		if i > 0 {
			b = append(b, joiner...)
		}
		facts := make(factList, 0, 2*len(names))
		for j, part := range strings.SplitN(item, sep, len(names)) {
			facts = append(facts, names[j], part)
		}
		b = p.append(b, &scope{t: s.t, facts: facts})
	}
	return string(b)
}
