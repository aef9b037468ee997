package ledger

import (
	"fmt"
	"slices"
	"testing"

	"rensa/pkg/removal"
)

// TestFilterHash: the hash must never change, or filters that stand in ledgers
// would call used ids new.
func TestFilterHash(t *testing.T) {
	t.Parallel()
	if got := hashID("R261120-ABCDEFGH"); got != hashID([]byte("R261120-ABCDEFGH")) || got != 0x1275fa847bbfb531 {
		t.Errorf("hash is %#x", got)
	}
}

func TestFilterLayers(t *testing.T) {
	t.Parallel()
	f := &idFilter{}
	const n = 30_000
	for i := range n {
		f.add(hashID(fmt.Sprint("id-", i)))
	}
	if len(f.layers) != 3 {
		t.Errorf("%d layers, want 3", len(f.layers))
	}
	for i, layer := range f.layers {
		decoded, err := decodeFilterLayer(encodeFilterLayer(layer))
		if err != nil {
			t.Fatal(err)
		}
		f.layers[i] = decoded
	}
	wrong := 0
	for i := range n {
		if !f.has(hashID(fmt.Sprint("id-", i))) {
			t.Fatalf("id-%d is taken for new", i)
		}
		if f.has(hashID(fmt.Sprint("new-", i))) {
			wrong++
		}
	}
	if wrong > n/25 {
		t.Errorf("%d of %d new ids are not taken for new", wrong, n)
	}
}

// TestFilterOfMany: what many orders at once need is one layer, with room for as many
// again.
func TestFilterOfMany(t *testing.T) {
	t.Parallel()
	const n = 100_000
	f := &idFilter{coming: n}
	wrong := 0
	for i := range n {
		f.add(hashID(fmt.Sprint("id-", i)))
	}
	for i := range n {
		if f.has(hashID(fmt.Sprint("new-", i))) {
			wrong++
		}
	}
	if len(f.layers) != 1 || wrong > n/500 {
		t.Errorf("%d layers; %d of %d new ids are not taken for new", len(f.layers), wrong, n)
	}
	f.coming = 10
	for i := range n + 1 {
		f.add(hashID(fmt.Sprint("more-", i)))
	}
	if len(f.layers) != 2 || f.layers[1].room != 8*n {
		t.Errorf("%d layers, the last of %d", len(f.layers), f.layers[1].room)
	}
}

// TestFilterDamaged: a filter whose bytes went bad is made anew, and written so
// with the next orders.
func TestFilterDamaged(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	var used []string
	commit := func(revision int64) {
		c := &Commit{Merchant: "acme", Revision: revision, Run: Run{ID: fmt.Sprint("run-", revision)}}
		orders := make([]removal.Order, filterLag+50)
		for i := range orders {
			id := fmt.Sprint("id-", len(used))
			used = append(used, id)
			orders[i] = removal.Order{ID: id, State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload}
		}
		c.Packed = packAll(t, c.Run.ID, slices.Values(orders))
		if err := l.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		maybe, err := l.IDs(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range used {
			if !maybe.Maybe([]byte(id)) {
				t.Fatalf("%s is taken for new", id)
			}
		}
	}
	layers := func() (n, seq int64) {
		if err := l.writer.QueryRow(`SELECT count(*), max(seq) FROM id_filter`).Scan(&n, &seq); err != nil {
			t.Fatal(err)
		}
		return n, seq
	}
	commit(0)
	commit(1)
	commit(2)
	if n, seq := layers(); n != 2 || seq != int64(len(used)) {
		t.Fatalf("%d layers up to %d", n, seq)
	}
	if _, err := l.writer.Exec(`UPDATE id_filter SET block = x'00' WHERE layer = 0`); err != nil {
		t.Fatal(err)
	}
	if _, err := l.IDs(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	commit(3)
	if n, seq := layers(); n != 1 || seq != int64(len(used)) {
		t.Fatalf("%d layers up to %d", n, seq)
	}
	var block []byte
	if err := l.writer.QueryRow(`SELECT block FROM id_filter WHERE layer = 0`).Scan(&block); err != nil {
		t.Fatal(err)
	}
	if _, err := decodeFilterLayer(block); err != nil {
		t.Errorf("the damaged layer stayed: %v", err)
	}
}
