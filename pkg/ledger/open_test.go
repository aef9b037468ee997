package ledger

import (
	"path/filepath"
	"testing"

	"rensa/pkg/removal"
)

// openAcme opens a new ledger with a merchant "acme", until the test ends.
func openAcme(tb testing.TB) *Ledger {
	tb.Helper()
	l, err := Open(tb.Context(), filepath.Join(tb.TempDir(), "ledger.db"), Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := l.AddMerchant(tb.Context(), removal.Merchant{ID: "acme", Profile: DefaultProfile()}); err != nil {
		tb.Fatal(err)
	}
	return l
}
