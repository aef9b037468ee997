package inventory

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The first rows tell how large the tables are made. Whether they expect too few or
// too many, the snapshot is the one that its number of MSKUs asks for.
func TestExpectation(t *testing.T) {
	t.Parallel()
	const rows = 5000
	for name, title := range map[string]func(i int) string{
		"even":     func(int) string { return "a title of some length" },
		"too few":  func(i int) string { return strings.Repeat("long ", max(0, 150-i)) },
		"too many": func(i int) string { return strings.Repeat("long ", min(150, i/20)) },
	} {
		var b strings.Builder
		b.WriteString("sku\tfnsku\tproduct-name\tafn-fulfillable-quantity\tafn-unsellable-quantity\n")
		for i := range rows {
			fmt.Fprintf(&b, "S-%d\tX%07d\t%s\t%d\t1\n", i, i/2, title(i), i%9)
		}
		s := read(t, b.String()).Snapshot
		if got, want := 32-s.skus.shift, newIndexBits(rows); got != want {
			t.Errorf("%s: MSKUs in 1<<%d slots, want 1<<%d", name, got, want)
		}
		if got, want := 32-s.fnskuIndex().shift, newIndexBits(rows/2); got != want {
			t.Errorf("%s: FNSKUs in 1<<%d slots, want 1<<%d", name, got, want)
		}
		for i := range rows {
			if at := s.Lookup(fmt.Appendf(nil, "S-%d", i)); at != int32(i) {
				t.Fatalf("%s: S-%d is item %d", name, i, at)
			}
			if p := s.FindPool(fmt.Sprintf("X%07d", i/2)); p != int32(i/2) {
				t.Fatalf("%s: X%07d is pool %d", name, i/2, p)
			}
		}
		if at := s.Lookup([]byte("S-5000")); at >= 0 {
			t.Errorf("%s: found what is not there", name)
		}
	}
}

// WriteFile writes the bytes of WriteTo, and its hash tells contents apart.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	contents := map[[sha256.Size]byte]string{}
	for _, units := range []string{"1", "2"} {
		s := read(t, "sku\tafn-fulfillable-quantity\tafn-unsellable-quantity\nA\t"+units+"\t0\n").Snapshot
		f, err := os.Create(filepath.Join(t.TempDir(), "snapshot"))
		if err != nil {
			t.Fatal(err)
		}
		content, err := s.WriteFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := contents[content]; twice {
			t.Errorf("%s units and %s have one hash", units, other)
		}
		contents[content] = units
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(f.Name())
		if err != nil || !bytes.Equal(got, bytesOf(t, s)) {
			t.Errorf("the file differs from what WriteTo writes, %v", err)
		}
	}
	s := read(t, "sku\tafn-fulfillable-quantity\tafn-unsellable-quantity\nA\t1\t0\n").Snapshot
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		return // a system without it
	}
	if _, err := s.WriteFile(full); err == nil {
		t.Error("written to a full disk")
	}
	if err := full.Close(); err != nil {
		t.Error(err)
	}
}
