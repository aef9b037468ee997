package templates_test

import (
	"strings"
	"testing"

	"rensa/templates"
)

// A hint that reads as what stands in the file already must say what nobody sees.
func TestHintNamesWhatIsNotSeen(t *testing.T) {
	t.Parallel()
	texts := templates.Load("en")
	for _, c := range []struct{ typed, meant, hint string }{
		{"\u200bLAMP-2", "LAMP-2", "(without the invisible character U+200B, which stands in place 1)"},
		{"LAMP\u00ad-2", "LAMP-2", "(without the invisible character U+00AD, which stands in place 5)"},
		{"LAMP-2", "LAMP\ufeff-2", "(with the invisible character U+FEFF in place 5)"},
		{"A\u030aL-1", "ÅL-1", "(letters with accents are written as one character each)"},
	} {
		args := map[string]string{"candidates": c.meant}
		if got := texts.Hint("sku_unknown", c.typed, args); !strings.Contains(got, c.hint) {
			t.Errorf("%q for %q: %q", c.typed, c.meant, got)
		}
	}
}

func TestQuotedValuesShowAllTheirCharacters(t *testing.T) {
	t.Parallel()
	texts := templates.Load("en")
	for value, want := range map[string]string{
		"\u200bLAMP-2":               "\"\ufffdLAMP-2\"",
		"12\u202e-PMAL":              "\"12\ufffd-PMAL\"",
		"\U0001f468\u200d\U0001f467": "\"\U0001f468\u200d\U0001f467\"", // one picture
	} {
		if got := texts.Message("sku_unknown", value, nil); !strings.Contains(got, want) {
			t.Errorf("%q: %q", value, got)
		}
	}
}
