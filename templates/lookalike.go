package templates

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// damage names the first character that cannot be right in a name: the mark of
// a lost character, or a control character.
func damage(s *scope, a []expr) string {
	position := 0
	for _, r := range a[0](s) {
		position++
		if r == utf8.RuneError || unicode.IsControl(r) {
			return s.t.T("part.damage", "position", position, "character", codePoint(r))
		}
	}
	return ""
}

func codePoint(r rune) string {
	hex := strings.ToUpper(strconv.FormatInt(int64(r), 16))
	return "U+" + strings.Repeat("0", max(0, 4-len(hex))) + hex
}

// difference tells what is easily overlooked between what was typed and the name
// that was meant; "" where the eye sees it.
func difference(s *scope, a []expr) string {
	typed, meant := a[0](s), a[1](s)
	squeeze := func(v string) string { return strings.Join(strings.Fields(v), "") }
	switch {
	case typed == "" || meant == "" || typed == meant:
		return ""
	case strings.EqualFold(typed, meant):
		return s.t.plain["part.differs_case"].render(s)
	case strings.EqualFold(squeeze(typed), squeeze(meant)):
		return s.t.plain["part.differs_blank"].render(s)
	case strings.EqualFold(withoutZeros(typed), withoutZeros(meant)):
		return s.t.plain["part.differs_zero"].render(s)
	case norm.NFC.String(typed) == norm.NFC.String(meant):
		return s.t.plain["part.differs_accent"].render(s)
	case withoutUnseen(typed) == withoutUnseen(meant):
		if position, r := firstUnseen(typed); position > 0 {
			return s.t.T("part.differs_unseen_typed", "position", position, "character", codePoint(r))
		}
		position, r := firstUnseen(meant)
		return s.t.T("part.differs_unseen_meant", "position", position, "character", codePoint(r))
	}
	t, m := []rune(typed), []rune(meant)
	if len(t) != len(m) {
		return ""
	}
	for i := range t {
		if t[i] == m[i] {
			continue
		}
		if !lookAlike(t[i], m[i]) {
			return ""
		}
		return s.t.T("part.differs_character", "position", i+1, "meant", character(m[i]), "typed", character(t[i]))
	}
	return ""
}

// unseen tells whether a character shows nothing of itself, as the blank without
// width that is copied from pages, or the marks that turn the direction of writing.
func unseen(r rune) bool { return unicode.Is(unicode.Cf, r) }

func withoutUnseen(v string) string {
	return strings.Map(func(r rune) rune {
		if unseen(r) {
			return -1
		}
		return r
	}, v)
}

// firstUnseen is the first such character and its place, counted from 1; 0: none.
func firstUnseen(v string) (position int, _ rune) {
	for _, r := range v {
		if position++; unseen(r) {
			return position, r
		}
	}
	return 0, 0
}

// joins tells whether an unseen character belongs to what is seen: it makes one
// picture of several, or parts letters of scripts that join them.
func joins(r rune) bool { return r == '\u200c' || r == '\u200d' }

// withoutZeros drops the zeros that lead a run of digits.
func withoutZeros(v string) string {
	b := make([]byte, 0, len(v))
	for i := range len(v) {
		leads := len(b) == 0 || b[len(b)-1] < '0' || b[len(b)-1] > '9'
		if v[i] != '0' || !leads {
			b = append(b, v[i])
		}
	}
	return string(b)
}

func lookAlike(a, b rune) bool {
	if a >= utf8.RuneSelf || b >= utf8.RuneSelf {
		return true
	}
	for _, alike := range []string{"0Oo", "1IlL|", "5S", "8B", "2Z", "-_"} {
		if strings.ContainsRune(alike, a) && strings.ContainsRune(alike, b) {
			return true
		}
	}
	return false
}

// character names the code point where the letter could be taken for another.
func character(r rune) string {
	if r < utf8.RuneSelf {
		return string(r)
	}
	return string(r) + " " + codePoint(r)
}
