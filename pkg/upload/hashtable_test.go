package upload

import (
	"testing"

	"pgregory.net/rapid"
)

// TestHashTable holds the table against a map, with hashes that lie close together
// and at both ends of the numbers.
func TestHashTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var table hashTable
		want := map[uint64]int32{}
		near := rapid.SampledFrom([]uint64{0, 1 << 20, 1 << 55, 1<<hashBits - 601})
		for n := range int32(rapid.IntRange(0, 3000).Draw(t, "hashes")) {
			hash := near.Draw(t, "near") + rapid.Uint64Range(0, 600).Draw(t, "beside")
			if rapid.Bool().Draw(t, "far") {
				hash = rapid.Uint64Max(1<<hashBits-1).Draw(t, "hash")
			}
			hash <<= 64 - hashBits
			number, ok := table.find(hash)
			if before, known := want[hash]; ok != known || ok && number != before {
				t.Fatalf("hash %x: got %d, %v; want %d, %v", hash, number, ok, before, known)
			}
			if !ok {
				table.add(hash, n)
				want[hash] = n
			}
		}
		for hash, n := range want {
			if got, ok := table.find(hash); !ok || got != n {
				t.Fatalf("hash %x: got %d, %v; want %d", hash, got, ok, n)
			}
		}
	})
}
