package ledgertest

import (
	"errors"
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// testListSent: outgoing files by page, those of one moment by name, and by what
// they are and whether they were answered.
func testListSent(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	c := upload(t, l, "R1", order("A-1"))
	c.Outbound = []ledger.Outbound{
		{Name: "orders-1.tsv", Orders: []string{"A-1"}, Created: day},
		{Name: "orders-2.tsv", Orders: []string{"A-2"}, Created: day},
		{Name: "orders-3.tsv", Orders: []string{"A-3"}, Created: day.Add(time.Hour)},
	}
	c.Change = &ledger.Change{Outgoing: []ledger.Outgoing{{
		Kind: ledger.OutboundCancel, Body: []byte("order-id\r\nA-0\r\n"),
		Outbound: ledger.Outbound{Name: "cancel-1.tsv", Orders: []string{"A-0"}, Created: day},
	}}}
	commit(t, l, c)
	page := func(f ledger.SentFilter) (names, next string) {
		t.Helper()
		f.Merchant = m
		list, next, err := l.ListSent(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			names += r.Name + " "
		}
		return names, next
	}
	names, next := page(ledger.SentFilter{Limit: 2})
	if names != "orders-3.tsv orders-2.tsv " || next == "" {
		t.Errorf("first page %q, %q", names, next)
	}
	if names, next = page(ledger.SentFilter{Limit: 2, Cursor: next}); names != "orders-1.tsv cancel-1.tsv " || next != "" {
		t.Errorf("second page %q, %q", names, next)
	}
	if names, _ = page(ledger.SentFilter{Kind: ledger.OutboundCancel}); names != "cancel-1.tsv " {
		t.Errorf("cancel files: %q", names)
	}
	if names, _ = page(ledger.SentFilter{Unanswered: true, Name: "orders-1.tsv"}); names != "orders-1.tsv " {
		t.Errorf("by name: %q", names)
	}
	list, _, err := l.ListSent(t.Context(), ledger.SentFilter{Merchant: m, Name: "cancel-1.tsv"})
	if err != nil || len(list) != 1 || list[0].Written || list[0].Kind != ledger.OutboundCancel || len(list[0].Orders) != 1 {
		t.Errorf("not written yet: %+v, %v", list, err)
	}
	if err := l.MarkWritten(t.Context(), m, "cancel-1.tsv"); err != nil {
		t.Fatal(err)
	}
	if list, _, err = l.ListSent(t.Context(), ledger.SentFilter{Merchant: m, Name: "cancel-1.tsv"}); err != nil || !list[0].Written {
		t.Errorf("written: %+v, %v", list, err)
	}
	if _, _, err := l.ListSent(t.Context(), ledger.SentFilter{Merchant: m, Cursor: "?"}); !errors.Is(err, ledger.ErrCursor) {
		t.Errorf("a cursor of nothing: %v", err)
	}
}
