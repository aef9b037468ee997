package desk

import (
	"testing"
	"time"

	"rensa/pkg/policy"
)

// TestWindow: working days of the store's country. Midsummer Eve 2026 is Friday,
// 19 June.
func TestWindow(t *testing.T) {
	t.Parallel()
	set, err := policy.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		store, placed, from, to string
		peak                    bool
	}{
		// Sweden: the National Day is a Saturday; Midsummer Eve falls out of the ten days.
		{"SE", "2026-06-11", "2026-06-26", "2026-07-02", false},
		{"SE", "2026-06-05", "2026-06-22", "2026-06-26", false},
		// Germany knows no Midsummer.
		{"DE", "2026-06-11", "2026-06-25", "2026-07-01", false},
		// Christmas and New Year, in the busy time.
		{"SE", "2026-12-14", "2026-12-30", "2027-02-01", true},
		// A Friday and Saturday that are the weekend.
		{"SA", "2026-06-11", "2026-06-25", "2026-07-01", false},
		// Prime week.
		{"DE", "2026-07-14", "2026-07-28", "2026-08-25", true},
		{"DE", "2026-07-20", "2026-08-03", "2026-08-07", false},
	} {
		day, err := time.Parse(time.DateOnly, c.placed)
		if err != nil {
			t.Fatal(err)
		}
		store, err := set.Store(c.store, day, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := expected(store, day)
		if from, to := w.From.Format(time.DateOnly), w.To.Format(time.DateOnly); from != c.from || to != c.to || w.Peak != c.peak {
			t.Errorf("%s, %s: %s to %s (busy: %t), want %s to %s (%t)", c.store, c.placed, from, to, w.Peak, c.from, c.to, c.peak)
		}
	}
}
