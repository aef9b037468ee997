package ledgertest

import (
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// testOutboxDue: what is due is named by merchant, oldest first; what went with
// messages that are gone is forgotten in the end, the messages are not.
func testOutboxDue(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	for _, id := range []string{m, "other"} {
		addMerchant(t, l, id)
		c := &ledger.Change{Merchant: id, Revision: revision(t, l, id)}
		for i, name := range []string{"late", "early"} {
			c.Messages = append(c.Messages, ledger.Message{
				ID: name, MessageID: name + "@" + id, Kind: "notice", Language: "sv", Created: day.Add(-time.Duration(i) * time.Hour), Data: []byte(`{}`),
				Recipients:  []ledger.Recipient{{Address: "ada@example.com"}},
				Attachments: []ledger.Attachment{{Name: "a", MediaType: "text/plain", Body: []byte("x")}},
			})
		}
		if err := l.Change(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	due := func(merchant string, at time.Time) []ledger.MessageKey {
		t.Helper()
		keys, err := l.DueMessageKeys(ctx, merchant, at)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	check(t, "of one", []ledger.MessageKey{{Merchant: m, ID: "early"}, {Merchant: m, ID: "late"}}, due(m, day))
	check(t, "of all", []ledger.MessageKey{{Merchant: m, ID: "early"}, {Merchant: "other", ID: "early"}, {Merchant: m, ID: "late"}, {Merchant: "other", ID: "late"}}, due("", day))
	if _, err := l.TakeMessage(ctx, m, "early", "me", day, day.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	check(t, "with one in hand", []ledger.MessageKey{{Merchant: m, ID: "late"}}, due(m, day))
	check(t, "left in a hand", []ledger.MessageKey{{Merchant: m, ID: "early"}, {Merchant: m, ID: "late"}}, due(m, day.Add(time.Minute)))
	err := l.MarkTried(ctx, m, "early", ledger.Attempt{At: day, Recipients: []ledger.Recipient{{Address: "ada@example.com", State: ledger.RecipientAccepted}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.MarkTried(ctx, m, "late", ledger.Attempt{At: day, RetryAfter: day.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	check(t, "put off", []ledger.MessageKey(nil), due(m, day.Add(59*time.Minute)))
	check(t, "due again", []ledger.MessageKey{{Merchant: m, ID: "late"}}, due(m, day.Add(time.Hour)))

	for _, tt := range []struct {
		before time.Time
		want   int64
	}{{day, 0}, {day.Add(time.Second), 1}, {day.AddDate(9, 0, 0), 0}} {
		if n, err := l.ForgetAttachments(ctx, m, tt.before); err != nil || n != tt.want {
			t.Errorf("%d forgotten before %s, %v", n, tt.before, err)
		}
	}
	for id, want := range map[string]int{"early": 0, "late": 1} {
		got, err := l.Message(ctx, m, id)
		if err != nil || len(got.Attachments) != want {
			t.Errorf("%s has %d attachments, %v", id, len(got.Attachments), err)
		}
	}
}
