package inventory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The hash is part of the file format: another one makes old files unreadable.
func TestHashIsStable(t *testing.T) {
	got := ""
	for _, s := range []string{"", "A", "AB", "ABC", "ABCD", "ABCDEFG", "ABCDEFGH", "ABCDEFGHI", strings.Repeat("x", 40)} {
		got += fmt.Sprintf("%016x\n", hashBytes(42, []byte(s)))
	}
	const want = `1e01a4d1ca7f6c8e
7b7e2889b3aaf614
e043e11885b832a1
2fff325f495b2f2d
006c03f662401a0a
0533ade0c2753dc5
9d63ef21543716bf
f8606dab40560f2d
cebf738a7b2a444f
`
	if got != want {
		t.Errorf("the hash changed: raise fileVersion\n%s", got)
	}
}

func TestHashSpreads(t *testing.T) {
	const n = 1 << 16
	seen := map[uint32]int{}
	for i := range n {
		seen[tagOf(hashBytes(0, fmt.Appendf(nil, "SKU-%06d", i)))>>16]++
	}
	for bucket, k := range seen {
		if k > 12 {
			t.Errorf("bucket %d has %d of %d keys", bucket, k, n)
		}
	}
}

// A snapshot answers as a map does, whatever the keys.
func TestLookupIsAMap(t *testing.T) {
	key := rapid.OneOf(
		rapid.StringMatching(`[A-C]{1,4}`),
		rapid.StringMatching(`[ -~å-ö]{1,80}`).Filter(func(s string) bool {
			return strings.TrimSpace(s) == s && s != "" && s[0] != '"' && len(s) <= maxKeyBytes
		}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfNDistinct(key, 1, 200, rapid.ID[string]).Draw(rt, "keys")
		others := rapid.SliceOfN(key, 0, 70).Draw(rt, "others")
		seed := rapid.Uint64().Draw(rt, "seed")
		file := strings.ReplaceAll(manageHead, "|", "\t") + "\n"
		want := map[string]int32{}
		for i, k := range keys {
			fnsku := ""
			if i%3 > 0 {
				fnsku = fmt.Sprintf("F%d%s", i/2, strings.Repeat("f", i%20))
			}
			file += fmt.Sprintf("%s\t%s\t\t\t\t\t1\t1\n", k, fnsku)
			want[k] = int32(i)
		}
		res, err := tryRead(t, file, ReadOptions{Seed: seed})
		if err != nil {
			rt.Fatal(err)
		}
		opened, err := openBytes(t, bytesOf(t, res.Snapshot))
		if err != nil {
			rt.Fatal(err)
		}
		var ask [][]byte
		for _, k := range append(keys, others...) {
			ask = append(ask, []byte(k))
		}
		out := make([]int32, len(ask))
		for _, s := range []*Snapshot{res.Snapshot, opened} {
			if s.Len() != len(keys) {
				rt.Fatalf("%d MSKUs, want %d", s.Len(), len(keys))
			}
			s.LookupAll(ask, out)
			for k, sku := range ask {
				i, ok := want[string(sku)]
				if !ok {
					i = -1
				}
				if out[k] != i || s.Lookup(sku) != i {
					rt.Fatalf("%q: %d, %d in a batch, want %d", sku, s.Lookup(sku), out[k], i)
				}
				if i >= 0 && string(s.Item(i).SKU) != string(sku) {
					rt.Fatalf("item %d is %q, want %q", i, s.Item(i).SKU, sku)
				}
			}
		}
	})
}

// Two keys of one tag must both be found, by Lookup and in a batch.
func TestFalseTags(t *testing.T) {
	s := read(t, bars(manageHead, "A1|F|||||1|0", "B2|F|||||1|0", "C3|F|||||1|0")).Snapshot
	// All items get the tag of a key that is not there.
	ghost := hashBytes(s.seed, []byte("ZZ"))
	s.skus = newPackedIndex(minIndexBits, 4)
	for i := range int32(3) {
		s.skus.add(ghost, i)
	}
	out := []int32{7}
	s.LookupAll([][]byte{[]byte("ZZ")}, out)
	if out[0] != -1 || s.Lookup([]byte("ZZ")) != -1 {
		t.Errorf("a key that is not there was found: %d %d", out[0], s.Lookup([]byte("ZZ")))
	}
	s.skus.add(ghost, 3)
	_, rec := s.items.add()
	s.overflow = putKeys(rec, s.overflow, []byte("ZZ"), nil)
	s.LookupAll([][]byte{[]byte("ZZ")}, out)
	if out[0] != 3 || s.Lookup([]byte("ZZ")) != 3 {
		t.Errorf("a key behind false tags was not found: %d %d", out[0], s.Lookup([]byte("ZZ")))
	}
}

func sample(tb testing.TB) *Snapshot {
	lines := []string{ownHead + "|asin|product-name"}
	for i := range 300 {
		lines = append(lines, fmt.Sprintf("SKU-%d|F%d|sellable|%d|no||%d|||||||||B%d|Blå mugg %d", i, i/2, i, i+1, i, i))
	}
	long := strings.Repeat("L", 60)
	return read(tb, bars(append(lines, long+"|F0|sellable|1||||||||9|||||Lån "+strings.Repeat("å", 600))...)).Snapshot
}

func TestFile(t *testing.T) {
	s := sample(t)
	data := bytesOf(t, s)
	o, err := openBytes(t, data)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytesOf(t, o), data) {
		t.Error("written again, the file has other bytes")
	}
	s.grown.Store(nil)
	if !bytes.Equal(bytesOf(t, s), data) {
		t.Error("written again by its keys, the file has other bytes")
	}
	if o.Kind() != s.Kind() || !o.Date().Equal(day0) || !o.DateHasTime() || o.Len() != 301 || o.Pools() != s.Pools() {
		t.Error("header differs:", o.Kind(), o.Date(), o.Len(), o.Pools())
	}
	for i := range int32(s.Len()) {
		a, b := s.Item(i), o.Item(i)
		if fmt.Sprint(a) != fmt.Sprint(b) || s.Pool(a.Pool) != o.Pool(b.Pool) {
			t.Fatalf("item %d: %v and %v", i, a, b)
		}
	}
	it := o.Item(300)
	if it.ASIN != "" || len(it.Title) != maxTitle-1 || len(it.SKU) != 60 || string(it.FNSKU) != "F0" {
		t.Errorf("long item: %d bytes of title, MSKU %q, FNSKU %q", len(it.Title), it.SKU, it.FNSKU)
	}
	if err := o.Err(); err != nil {
		t.Error(err)
	}
}

func TestFileDamage(t *testing.T) {
	data := bytesOf(t, sample(t))
	newer := bytes.Clone(data)
	binary.LittleEndian.PutUint64(newer[8:], fileVersion+1)
	for _, c := range []struct {
		name string
		data []byte
		want error
	}{
		{"newer", newer, ErrVersion},
		{"empty", nil, ErrFormat},
		{"another file", []byte("sku\tfnsku\n" + strings.Repeat("A\tB\n", 100)), ErrFormat},
		{"heading only", data[:headSize], ErrFormat},
		{"half", data[:len(data)/2], ErrFormat},
		{"last byte gone", data[:len(data)-1], ErrFormat},
		{"one byte more", append(bytes.Clone(data), 0), ErrFormat},
		{"the middle gone", append(bytes.Clone(data[:500]), data[1500:]...), ErrFormat},
	} {
		if _, err := openBytes(t, c.data); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error("no file:", err)
	}
}

// A byte that changes anywhere is either noticed when the file is opened, or it
// stands in what is read later: then Err says so, or the index is made anew.
func TestFileEveryByte(t *testing.T) {
	data := bytesOf(t, read(t, bars(manageHead, "A|F1|A1|Mugg|||5|2", "B|F2|A2|Kopp|||5|2", "C|||Fat|||5|2")).Snapshot)
	for at := range data {
		bad := bytes.Clone(data)
		bad[at] ^= 0x40
		s, err := openBytes(t, bad)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrVersion) {
				t.Fatalf("byte %d: %v", at, err)
			}
			continue
		}
		if s.FindPool("F2") != 1 || s.Lookup([]byte("B")) != 1 {
			t.Fatalf("byte %d: pool %d, item %d", at, s.FindPool("F2"), s.Lookup([]byte("B")))
		}
		s.Item(0)
		if s.Err() == nil {
			t.Fatalf("byte %d was not noticed", at)
		}
	}
}
