package report_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// manyOrders is a ledger of n orders, one an hour, O-0000 the oldest, and of one
// refused order whose id was used again.
func manyOrders(t *testing.T, n int) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "rensa.db"), ledger.Options{Now: func() time.Time { return at(20, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.AddMerchant(t.Context(), removal.Merchant{ID: "m", Profile: ledger.DefaultProfile()}); err != nil {
		t.Fatal(err)
	}
	order := func(i int, state removal.State) ledger.Record {
		u := removal.Units{Requested: 1}
		if state == removal.StateRefused {
			u.Cancelled = 1
		}
		return ledger.Record{Order: removal.Order{
			Merchant: "m", ID: fmt.Sprintf("O-%04d", i), State: state, Method: removal.Disposal, Source: removal.SourceUpload,
			Created: at(1, i), Currency: "SEK", Lines: []removal.Line{{SKU: "MUG", AskedSellable: 1, Sellable: u}},
		}}
	}
	c := &ledger.Change{Merchant: "m", New: []ledger.Record{order(n-1, removal.StateRefused)}}
	for i := range n {
		c.New = append(c.New, order(i, removal.StatePending))
	}
	c.New[1].Progress.Requested = at(2, 0)
	c.Shipments = []ledger.Shipment{
		{Order: "O-0000", SKU: "MUG", At: at(5, 8), Units: 1, Carrier: "DHL", Tracking: "1", Type: "Return", Run: "R1"},
		{Order: "O-0001", SKU: "MUG", At: at(7, 8), Units: 1, Tracking: "2", Run: "R1"},
	}
	for _, part := range []*ledger.Change{{New: c.New[:1]}, {New: c.New[1:], Shipments: c.Shipments}} {
		m, err := l.Merchant(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		part.Merchant, part.Revision = "m", m.Revision
		if err := l.Change(t.Context(), part); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// However many orders there are, each comes once.
func TestOrderRecords(t *testing.T) {
	t.Parallel()
	const n = 1203
	l := manyOrders(t, n)
	var got []string
	for r, err := range report.OrderRecords(t.Context(), l, "m", time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Order.State == removal.StateRefused {
			t.Error("a refused order")
		}
		if want := map[string]int{"O-0000": 1, "O-0001": 1}[r.Order.ID]; len(r.Parcels) != want {
			t.Errorf("%s has %d parcels", r.Order.ID, len(r.Parcels))
		}
		if r.Order.ID == "O-0000" && !r.Progress.Requested.Equal(at(2, 0)) {
			t.Error("progress is lost:", r.Progress)
		}
		got = append(got, r.Order.ID)
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("O-%04d", n-1-i))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d orders, want %d: %v", len(got), n, got)
	}
	since := 0
	for _, err := range report.OrderRecords(t.Context(), l, "m", at(1, n-3)) {
		if err != nil {
			t.Fatal(err)
		}
		since++
	}
	if since != 3 {
		t.Errorf("%d orders of the last three hours", since)
	}
	for r, err := range report.OrderRecords(t.Context(), l, "m", time.Time{}) {
		if err != nil || r.Order.ID != want[0] {
			t.Error(r.Order, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range report.OrderRecords(ctx, l, "m", time.Time{}) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestShipments(t *testing.T) {
	t.Parallel()
	l := manyOrders(t, 2)
	var got []string
	for s, err := range report.Shipments(t.Context(), l, "m", time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s.OrderID+" "+s.Tracking)
	}
	if !slices.Equal(got, []string{"O-0000 1", "O-0001 2"}) {
		t.Error(got)
	}
	for s, err := range report.Shipments(t.Context(), l, "m", at(6, 0)) {
		if err != nil || s.Tracking != "2" {
			t.Error(s, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range report.Shipments(ctx, l, "m", time.Time{}) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
