package inventory

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldText appends b as it is compared with what a person types: in lower case,
// without accents, in narrow forms, with ß as ss. It is part of the form of an
// index file: a change needs a new version there.
func foldText(dst, b []byte) []byte {
	for k, c := range b {
		if c >= utf8.RuneSelf {
			return foldRunes(dst, b[k:])
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func foldRunes(dst, b []byte) []byte {
	for _, r := range string(norm.NFKD.Bytes(b)) {
		if r >= 0x300 && r <= 0x36f { // accents of European scripts, apart by now
			continue
		}
		if to, ok := spelled[r]; ok {
			dst = append(dst, to...)
			continue
		}
		dst = utf8.AppendRune(dst, unicode.ToLower(r))
	}
	return dst
}

// spelled are the letters that are written with others where a keyboard lacks them.
var spelled = map[rune]string{
	'ß': "ss", 'ẞ': "ss", 'æ': "ae", 'Æ': "ae", 'œ': "oe", 'Œ': "oe", 'ø': "o", 'Ø': "o", 'đ': "d", 'Đ': "d",
	'ð': "d", 'Ð': "d", 'þ': "th", 'Þ': "th", 'ł': "l", 'Ł': "l", 'ı': "i",
}

// maxToken is how many bytes of a word count; what two longer words have in
// common is enough to find them by.
const maxToken = 48

// tokens cuts folded text into words and calls visit for each: runs of letters and
// digits; of scripts that put no blanks between words every two characters that
// stand side by side, a single one being a word of its own. whole tells that the
// word may be the beginning of a longer one as the text has it.
func tokens(text []byte, visit func(word []byte, whole bool)) {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if !isWord(r) {
			text = text[n:]
			continue
		}
		dense := isDense(r)
		end := n
		for end < len(text) {
			r, n := utf8.DecodeRune(text[end:])
			if !isWord(r) || isDense(r) != dense {
				break
			}
			end += n
		}
		if dense {
			pairsOf(text[:end], visit)
		} else {
			visit(cutRunes(text[:end], maxToken), true)
		}
		text = text[end:]
	}
}

func pairsOf(run []byte, visit func(word []byte, whole bool)) {
	_, first := utf8.DecodeRune(run)
	if first == len(run) {
		visit(run, true)
		return
	}
	for first < len(run) {
		_, second := utf8.DecodeRune(run[first:])
		visit(run[:first+second], false)
		run, first = run[first:], second
	}
}

// cutRunes gives at most n bytes of b, and no half character.
func cutRunes(b []byte, n int) []byte {
	if len(b) <= n {
		return b
	}
	for n > 0 && !utf8.RuneStart(b[n]) {
		n--
	}
	return b[:n]
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// isDense tells whether a character is of a script that puts no blanks between words.
func isDense(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) ||
		r == 'ー' || r == 0x3099 || r == 0x309a
}
