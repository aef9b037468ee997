package inventory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A lane gives what was added to it, however far apart the items are.
func TestLane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lane
		var want, got [][2]uint32
		item := uint32(0)
		for range rapid.IntRange(0, 3*laneChunk).Draw(t, "hashes") {
			item += rapid.SampledFrom([]uint32{0, 1, 2, farStep - 1, farStep, farStep + 1, 1 << 20}).Draw(t, "step")
			hash := entryHash(uint64(rapid.Uint32().Draw(t, "hash")) << 32)
			l.add(hash, item)
			want = append(want, [2]uint32{hash << laneBits, item})
		}
		for hash, item := range l.all() {
			got = append(got, [2]uint32{hash, item})
		}
		if !slices.Equal(got, want) || l.len() != len(want) {
			t.Fatalf("%d hashes, said to be %d: not the %d that were added", len(got), l.len(), len(want))
		}
	})
}

// Every hash of every MSKU leads to those that have it, in order and hardly to others:
// also where thousands have it, where there are few MSKUs, and where forms differ much.
func TestFuzzyFindsWhoHasAHash(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	letters := []rune("ABCO0Il1 ÉЁ-")
	for name, sku := range map[string]func(n int) string{
		"one":     func(int) string { return "ONE" },
		"alike":   func(n int) string { return fmt.Sprintf("SHOE-%05d-XL", n) },
		"numbers": func(n int) string { return fmt.Sprintf("%0*d", 1+n%12, n) },
		"long":    func(n int) string { return strings.Repeat("long", n%16) + fmt.Sprint(n) },
		"any": func(int) string {
			key := make([]rune, 1+rnd.IntN(9))
			for k := range key {
				key[k] = letters[rnd.IntN(len(letters))]
			}
			return "x" + string(key) + "x"
		},
	} {
		keys := map[string]bool{}
		for n := range 3000 {
			keys[sku(n)] = true
		}
		file := strings.ReplaceAll(manageHead, "|", "\t") + "\n"
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			file += key + "\t\t\t\t\t\t1\t0\n"
		}
		s := read(t, file).Snapshot
		f, want := newFuzzy(s), map[uint32][]int32{}
		var r hashReader
		r.readAll(s, 0, s.Len())
		for k := range uint32(lanes) {
			for hash, item := range r.wholes[k].all() {
				h := k<<(32-laneBits) | hash>>laneBits
				if want[h] = append(want[h], int32(item)); !f.mayHave(h) {
					t.Errorf("%s: the filter knows nothing of %q", name, s.SKU(int32(item)))
				}
			}
			for hash, item := range r.thirds[k].all() {
				h := k<<(32-laneBits) | hash>>laneBits
				want[h] = append(want[h], int32(item))
			}
		}
		others := 0
		for h, items := range want {
			all, n := f.find(nil, h, 5*s.Len())
			if n != len(all) || !slices.IsSorted(all) {
				t.Errorf("%s: not %d items in order: %v", name, n, all)
			}
			got := slices.Compact(slices.Clone(all))
			others += len(got) - len(slices.Compact(items))
			for _, i := range items {
				if _, ok := slices.BinarySearch(got, i); !ok {
					t.Errorf("%s: %q is not found", name, s.SKU(i))
				}
			}
			if first, m := f.find(nil, h, 3); m != n || !slices.Equal(first[:min(3, n)], all[:min(3, n)]) {
				t.Errorf("%s: the first of %d are %v, the first of %d %v", name, m, first, n, all)
			}
		}
		if others > s.Len()/100 {
			t.Errorf("%s: %d items that do not have a hash", name, others)
		}
	}
}
