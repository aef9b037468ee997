package policy

import "strings"

// PostBox tells whether an address line (or the city) names a post box: PO Box
// in its spellings, the boxes of APO, FPO and DPO, and "Box 123" where nothing
// else stands on the line. It only says so where that is certain: a street that
// begins with "Box" is none.
func PostBox(lines ...string) bool {
	for _, l := range lines {
		if PostBoxLine(l) {
			return true
		}
	}
	return false
}

// boxWords follow one another, whatever stands between them, in a line that
// names a post box. "#" stands for a number, "####" for one of at least four
// digits: an army unit has so many, a flat has not.
var boxWords = [][]string{
	{"po", "box"}, {"p", "o", "box"}, {"pobox"}, {"p", "obox"}, {"po", "bx"},
	{"pob", "#"}, {"p", "o", "b", "#"}, {"po", "drawer"},
	{"post", "office", "box"}, {"postoffice", "box"}, {"postal", "box"}, {"post", "box", "#"}, {"postbox", "#"},
	{"postfach", "#"}, {"postboks", "#"}, {"postbus", "#"}, {"postbox", "nr", "#"},
	{"apartado", "postal"}, {"apdo", "postal"}, {"case", "postale"}, {"boîte", "postale"}, {"boite", "postale"},
	// Boxes at military and diplomatic posts.
	{"psc", "#", "box", "#"}, {"cmr", "#", "box", "#"}, {"unit", "####", "box", "#"},
	{"apo", "aa"}, {"apo", "ae"}, {"apo", "ap"}, {"apo", "####"},
	{"fpo", "aa"}, {"fpo", "ae"}, {"fpo", "ap"}, {"fpo", "####"},
	{"dpo", "aa"}, {"dpo", "ae"}, {"dpo", "ap"}, {"dpo", "####"},
}

// boxFirst are boxWords by their first letter.
var boxFirst = func() (by [26][][]string) {
	for _, words := range boxWords {
		by[words[0][0]-'a'] = append(by[words[0][0]-'a'], words)
	}
	return by
}()

// boxLines are the whole of a line.
var boxLines = [][]string{
	{"apo"}, {"fpo"}, {"dpo"}, {"a", "p", "o"}, {"f", "p", "o"}, {"d", "p", "o"},
	{"box", "#"}, {"box", "no", "#"}, {"box", "nr", "#"}, {"postbox"}, {"postfach"},
}

const boxTokens = 32 // a line of 60 characters hardly has more words

// PostBoxLine is PostBox for one line, of bytes too. It allocates nothing.
func PostBoxLine[T string | []byte](line T) bool {
	var tokens [boxTokens]T
	n := 0
	for i := 0; i < len(line) && n < boxTokens; {
		if classOf(line[i]) == 0 {
			i++
			continue
		}
		from, class := i, classOf(line[i])
		for i < len(line) && classOf(line[i]) == class {
			i++
		}
		tokens[n] = line[from:i]
		n++
	}
	for at := range n {
		first := lower(tokens[at][0])
		if first < 'a' || first > 'z' {
			continue
		}
		for _, words := range boxFirst[first-'a'] {
			if hasWords(tokens[at:n], words) {
				return true
			}
		}
	}
	for _, words := range boxLines {
		if len(words) == n && hasWords(tokens[:n], words) {
			return true
		}
	}
	return false
}

// classOf tells letters (1, all of a non-ASCII character too) from digits (2)
// and from what stands between words (0).
func classOf(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return 2
	case b|0x20 >= 'a' && b|0x20 <= 'z', b >= 0x80:
		return 1
	}
	return 0
}

func hasWords[T string | []byte](tokens []T, words []string) bool {
	if len(tokens) < len(words) {
		return false
	}
	for i, w := range words {
		if !isWord(tokens[i], w) {
			return false
		}
	}
	return true
}

func isWord[T string | []byte](token T, word string) bool {
	if word[0] == '#' {
		return classOf(token[0]) == 2 && len(token) >= len(word)
	}
	return len(token) == len(word) && (lower(token[0]) == word[0] || token[0] >= 0x80) && strings.EqualFold(string(token), word)
}

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b | 0x20
	}
	return b
}
