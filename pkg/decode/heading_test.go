package decode

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// The short way of Heading says what the general one says.
func TestHeadingPlain(t *testing.T) {
	t.Parallel()
	general := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, norm.NFKC.String(s))
	}
	for _, s := range []string{"", "sku", "Merchant SKU", "merchant-sku", "Größe", "Ａｂ１", "a\x00b", "\xff", strings.Repeat("A-", 40)} {
		if got, want := Heading(s), general(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,80}`)).Draw(t, "heading")
		if got, want := Heading(s), general(s); got != want {
			t.Fatalf("%q: %q, want %q", s, got, want)
		}
	})
}
