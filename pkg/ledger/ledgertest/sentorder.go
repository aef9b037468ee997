package ledgertest

import (
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// testSentOrder: an order is found in the files that order and cancel it, in no
// others, however its id is written.
func testSentOrder(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	c := upload(t, l, "R1", order("A-1"))
	c.Outbound = []ledger.Outbound{{Name: "orders-1.tsv", Orders: []string{"A-1", `100%_"x"\`}, Created: day}}
	c.Change = &ledger.Change{Outgoing: []ledger.Outgoing{
		{Kind: ledger.OutboundCancel, Body: []byte("x"), Outbound: ledger.Outbound{Name: "cancel-1.tsv", Orders: []string{"A-1"}, Created: day.Add(time.Hour)}},
		{Body: []byte("x"), Outbound: ledger.Outbound{Name: "orders-2.tsv", Orders: []string{"a-1", "A-10"}, Created: day.Add(time.Hour)}},
	}}
	commit(t, l, c)
	for _, want := range []struct {
		merchant, order string
		since           time.Time
		files           string
	}{
		{m, "A-1", day, "orders-1.tsv orders; cancel-1.tsv cancel; "},
		{m, "A-1", day.Add(time.Minute), "cancel-1.tsv cancel; "},
		{m, "a-1", day, "orders-2.tsv orders; "},
		{m, "A-", day, ""},
		{m, `100%_"x"\`, day, "orders-1.tsv orders; "},
		{"other", "A-1", day, ""},
	} {
		found, err := l.SentOrder(t.Context(), want.merchant, want.order, want.since)
		got := ""
		for _, f := range found {
			got += f.Name + " " + f.Kind + "; "
		}
		if err != nil || got != want.files {
			t.Errorf("%q: %q, %v; want %q", want.order, got, err, want.files)
		}
	}
}
