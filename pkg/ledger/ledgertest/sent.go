package ledgertest

import (
	"testing"

	"rensa/pkg/ledger"
)

// testSent: a run's own list has the files that cancel, too; what is published
// as its files of orders does not.
func testSent(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	c := upload(t, l, "R1", order("A-1"))
	c.Outbound = []ledger.Outbound{{Name: "orders-1.tsv", Orders: []string{"A-1"}, Created: day}}
	c.Change = &ledger.Change{Outgoing: []ledger.Outgoing{{
		Kind: ledger.OutboundCancel, Body: []byte("order-id\r\nA-0\r\n"),
		Outbound: ledger.Outbound{Name: "cancel-1.tsv", Orders: []string{"A-0"}, Created: day},
	}}}
	commit(t, l, c)
	all, err := l.Sent(t.Context(), m, "R1")
	if err != nil || len(all) != 2 || all[0].Name != "orders-1.tsv" || all[1].Name != "cancel-1.tsv" ||
		len(all[1].Orders) != 1 || all[1].Orders[0] != "A-0" || all[1].Run != "R1" || !all[1].Created.Equal(day) {
		t.Errorf("%+v, %v", all, err)
	}
	if files, err := l.Outbound(t.Context(), m, "R1"); err != nil || len(files) != 1 || files[0].Name != "orders-1.tsv" {
		t.Errorf("%+v, %v", files, err)
	}
	for _, none := range [][2]string{{m, "R2"}, {"other", "R1"}} {
		if all, err := l.Sent(t.Context(), none[0], none[1]); err != nil || len(all) != 0 {
			t.Errorf("%v: %+v, %v", none, all, err)
		}
	}
}
