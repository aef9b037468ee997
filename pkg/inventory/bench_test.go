package inventory

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// exportOf makes a Manage FBA export of n MSKUs.
func exportOf(n int) []byte {
	b := []byte("sku\tfnsku\tasin\tproduct-name\tcondition\tyour-price\tafn-fulfillable-quantity\tafn-unsellable-quantity\n")
	for i := range n {
		b = append(append(b, benchSKU(i)...), "\tX00"...)
		b = strconv.AppendInt(b, int64(i+36*36*36), 36)
		b = append(b, "\tB0"...)
		b = strconv.AppendUint(b, uint64(i)*2654435761%2821109907456, 36)
		b = append(b, "\tCompact Desk Lamp, Pack of 8 - Kids\tNew\t150.60\t"...)
		b = strconv.AppendInt(b, int64(i%200), 10)
		b = append(b, '\t')
		b = strconv.AppendInt(b, int64(i%20), 10)
		b = append(b, '\n')
	}
	return b
}

func benchSKU(i int) []byte {
	b := strconv.AppendUint(nil, uint64(i)*2654435761%1679616, 36)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(i)*7+1000, 36)
	return append(b, "-XL"...)
}

var benchSizes = []int{10_000, 100_000, 1_000_000}

func sizes(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) { run(b, n) })
	}
}

func BenchmarkRead(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		text := exportOf(n)
		sheet, heading, headings := sheetOf(b, text)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			res, err := Read(sheet, heading, headings, kindOf(headings), ReadOptions{Date: day0})
			if err != nil || res.Snapshot.Len() != n {
				b.Fatal(err)
			}
			if err := res.Snapshot.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchFile(b *testing.B, n int) string {
	res := read(b, string(exportOf(n)))
	path := filepath.Join(b.TempDir(), "snapshot")
	if err := os.WriteFile(path, bytesOf(b, res.Snapshot), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func BenchmarkOpen(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		path := benchFile(b, n)
		b.ReportAllocs()
		for b.Loop() {
			s, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchKeys(n int) [][]byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	keys := make([][]byte, 1<<16)
	for k := range keys {
		keys[k] = benchSKU(rnd.IntN(n))
	}
	return keys
}

func BenchmarkLookup(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		s := read(b, string(exportOf(n))).Snapshot
		keys := benchKeys(n)
		b.ReportAllocs()
		for k := 0; b.Loop(); k++ {
			if s.Lookup(keys[k&(1<<16-1)]) < 0 {
				b.Fatal("not found")
			}
		}
	})
}

// One operation is one look-up, not one batch.
func BenchmarkLookupAll(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		s := read(b, string(exportOf(n))).Snapshot
		keys := benchKeys(n)
		out := make([]int32, LookupBatch)
		b.ReportAllocs()
		b.ResetTimer()
		for k := 0; k < b.N; k += LookupBatch {
			at := k & (1<<16 - 1)
			s.LookupAll(keys[at:at+LookupBatch], out)
		}
		if out[0] < 0 {
			b.Fatal("not found")
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	s := read(b, string(exportOf(100_000))).Snapshot
	b.ReportAllocs()
	for b.Loop() {
		var w bytes.Buffer
		if _, err := s.WriteTo(&w); err != nil {
			b.Fatal(err)
		}
	}
}

// The indexes of a hint, once a snapshot.
func BenchmarkFuzzyIndex(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		s := read(b, string(exportOf(n))).Snapshot
		b.ReportAllocs()
		for b.Loop() {
			if f := newFuzzy(s); len(f.alphabet) == 0 {
				b.Fatal("empty")
			}
		}
	})
}

// Unknown MSKUs a few edits away from known ones.
func BenchmarkSuggest(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		s := read(b, string(exportOf(n))).Snapshot
		keys := benchKeys(n)
		rnd := rand.New(rand.NewPCG(5, 6))
		for k, key := range keys {
			for range 1 + k%3 {
				key[rnd.IntN(len(key))] = byte('A' + rnd.IntN(26))
			}
			keys[k] = key
		}
		s.Suggest(keys[0], false)
		b.ReportAllocs()
		b.ResetTimer()
		for k := 0; b.Loop(); k++ {
			s.Suggest(keys[k&(1<<16-1)], false)
		}
	})
}
