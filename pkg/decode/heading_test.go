package decode

import (
	"bytes"
	"slices"
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

// Rows at the head of a sample are the same whether a part of it was split or all,
// fields of quotes that go on behind the part among them.
func TestSplitHead(t *testing.T) {
	t.Parallel()
	cell := rapid.OneOf(
		rapid.StringMatching(`[a-z 0-9;]{0,60}`),
		rapid.SampledFrom([]string{`"stray`, `6" wide`, `"a, ""b"""`, `"`}),
		rapid.Map(rapid.IntRange(0, 2*headPart), func(n int) string { return `"` + strings.Repeat("b;\n", n/3) + `"` }),
	)
	row := rapid.Map(rapid.SliceOfN(cell, 1, 4), func(cells []string) string { return strings.Join(cells, ",") })
	rapid.Check(t, func(t *rapid.T) {
		sample := []byte(strings.Join(rapid.SliceOfN(row, 0, 2*headRows).Draw(t, "rows"), "\r\n"))
		for _, d := range delimiters {
			var whole, head Block
			whole.splitText(bytes.Clone(sample), d.char, DefaultLimits(), 0)
			part := head.splitHead(nil, sample, d.char, DefaultLimits())
			rows := min(whole.Len(), headRows)
			if head.Len() < rows {
				t.Fatalf("%q: %d rows of %d", d.char, head.Len(), rows)
			}
			for i := range rows {
				if !slices.Equal(whole.Row(i).Cells, head.Row(i).Cells) {
					t.Fatalf("%q: row %d is another where %d of %d bytes are split", d.char, i, len(part), len(sample))
				}
			}
		}
	})
}
