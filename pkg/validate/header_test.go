package validate

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Hashes of addresses stand in the ledger: what a text is folded to may never change.
func TestFolded(t *testing.T) {
	folded := func(v string) string { return string(appendFolded([]byte("before "), v)) }
	want := func(v string) string {
		return "before " + strings.Join(strings.Fields(strings.ToLower(v)), " ")
	}
	for _, v := range []string{
		"", " ", "Main  Street 5 ", "\tÅSA\u00a0 Öst\u2003\u2003väg\r\n", "İstanbul", "ΌΔΟΣ", "山田 太郎", "\xff\xfe A\x80", "a\x00B", "ẞ \u0085 K",
	} {
		if got := folded(v); got != want(v) {
			t.Errorf("%q is folded to %q, not %q", v, got, want(v))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringMatching(`[ \tA-ZÅÄÖİ\x{a0}\x{2003}a-z]{0,20}`)).Draw(t, "text")
		if got := folded(v); got != want(v) {
			t.Fatalf("%q is folded to %q, not %q", v, got, want(v))
		}
	})
}
