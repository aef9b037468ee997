package validate

import (
	"testing"

	"pgregory.net/rapid"

	"rensa/pkg/removal"
)

// TestRecipients holds the count of addresses that get few units against sums by
// address.
func TestRecipients(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int64Range(0, 4).Draw(t, "most")
		r := recipients{most: most}
		units, want := map[uint64]int64{}, 0
		for range rapid.IntRange(0, 30).Draw(t, "orders") {
			o := &order{asked: rapid.Int64Range(0, 6).Draw(t, "asked")}
			o.HeaderHash = rapid.Uint64Range(0, 7).Draw(t, "address")
			o.Method = rapid.SampledFrom([]removal.Method{removal.Return, removal.Disposal}).Draw(t, "method")
			if r.add(o); o.Method == removal.Return {
				units[o.HeaderHash] += o.asked
			}
		}
		for _, n := range units {
			if n > 0 && n <= most {
				want++
			}
		}
		if got := r.withFew(); got != want {
			t.Fatalf("%d recipients, want %d: %v", got, want, units)
		}
	})
}
