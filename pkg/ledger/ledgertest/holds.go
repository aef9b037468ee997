package ledgertest

import (
	"encoding/json"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func date(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }

func hold(id, units int64) removal.Hold {
	return removal.Hold{
		ID: id, Pool: "X001", SKU: "MUG-1", FNSKU: "X001", Title: "Mug", Condition: removal.Unsellable, Reason: removal.HoldUnsellable,
		Since: date(1), Dated: true, Deadline: date(30), Opened: day, First: units, Units: units, State: removal.HoldOpen,
	}
}

func message(id string, to ...string) ledger.Message {
	msg := ledger.Message{
		Merchant: m, ID: id, MessageID: id + ".acme@rensa.invalid", Kind: string(removal.NoticeDigest), Language: "sv", Created: day,
		Data: json.RawMessage(`{"units":3}`), State: ledger.MessageQueued,
		Attachments: []ledger.Attachment{{Name: "list.csv", MediaType: "text/csv", Body: []byte("a,b\r\n")}, {Name: "b", MediaType: "text/plain", Body: []byte{0}}},
	}
	for _, a := range to {
		msg.Recipients = append(msg.Recipients, ledger.Recipient{Address: a, State: ledger.RecipientQueued})
	}
	return msg
}

func live(t *testing.T, l *ledger.Ledger) *ledger.HoldBook {
	t.Helper()
	book, err := l.LiveHolds(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// testHolds: holds with what covers them and what was told of them, through a
// return of their units.
func testHolds(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	check(t, "no holds", &ledger.HoldBook{Next: 1}, live(t, l))
	first := hold(1, 5)
	must(t, change(t, l, ledger.Change{Holds: &ledger.HoldChange{New: []removal.Hold{first}, Mark: 7}}))
	msg := message("notice-2026-11-02", "a@example.org")
	step := removal.HoldStep{Hold: 1, Step: removal.StepOpening, Day: date(2), Message: msg.ID, Units: 5}
	must(t, change(t, l, ledger.Change{Messages: []ledger.Message{msg}, Holds: &ledger.HoldChange{Steps: []removal.HoldStep{step}}}))
	first.Steps = []removal.HoldStep{step}
	check(t, "told of", &ledger.HoldBook{Holds: []removal.Hold{first}, Next: 2, Mark: 7}, live(t, l))

	must(t, l.MarkTried(t.Context(), m, msg.ID, ledger.Attempt{At: day.Add(time.Hour),
		Recipients: []ledger.Recipient{{Address: "a@example.org", State: ledger.RecipientAccepted}}}))
	first.Steps[0].AcceptedAt = day.Add(time.Hour)
	first.Units, first.Covered, first.State = 0, 5, removal.HoldCovered
	cover := removal.HoldCover{Hold: 1, Order: "A", Covered: 5}
	must(t, change(t, l, ledger.Change{Holds: &ledger.HoldChange{Changed: []removal.Hold{first}, Covers: []removal.HoldCover{cover}}}))
	first.Covers = []removal.HoldCover{cover}
	check(t, "covered", []removal.Hold{first}, live(t, l).Holds)

	// Two of five left, three came back.
	cover = removal.HoldCover{Hold: 1, Order: "A", Gone: 2, Returned: 3, ReturnedAt: day.Add(2 * time.Hour)}
	first.Covered, first.Returned, first.Resumed, first.Ended = 0, 3, 3, day.Add(2*time.Hour)
	second := hold(2, 3)
	second.Origin, second.Deadline = 1, date(36)
	must(t, change(t, l, ledger.Change{Holds: &ledger.HoldChange{
		New: []removal.Hold{second}, Changed: []removal.Hold{first}, Covers: []removal.HoldCover{cover}}}))
	second.OriginAcceptedAt = day.Add(time.Hour)
	check(t, "came back", []removal.Hold{second}, live(t, l).Holds)
	first.State, first.Covers = removal.HoldEnded, []removal.HoldCover{cover}
	all, err := l.AllHolds(t.Context(), m)
	must(t, err)
	check(t, "all", []removal.Hold{first, second}, all.Holds)
	of, err := l.PoolHolds(t.Context(), m, "X001")
	must(t, err)
	check(t, "of the pool", []removal.Hold{second}, of.Holds)
	of, err = l.PoolHolds(t.Context(), m, "X002")
	must(t, err)
	check(t, "of another pool", &ledger.HoldBook{Next: 3, Mark: 7}, of)
}

// testHoldsRefused: what must not be, the database refuses: a step twice, a step
// without its message, units below zero, two digests of one day, a stale revision.
func testHoldsRefused(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	must(t, change(t, l, ledger.Change{
		Messages: []ledger.Message{message("notice-2026-11-02")}, Holds: &ledger.HoldChange{New: []removal.Hold{hold(1, 5)},
			Steps: []removal.HoldStep{{Hold: 1, Step: "14", Day: date(2), Message: "notice-2026-11-02", Units: 5}}},
	}))
	before := live(t, l)
	step := removal.HoldStep{Hold: 1, Step: "14", Day: date(3), Message: "notice-2026-11-03", Units: 5}
	below := hold(1, 5)
	below.Units = -1
	for name, test := range map[string]struct {
		c    ledger.Change
		want error
	}{
		"a step twice":           {ledger.Change{Messages: []ledger.Message{message(step.Message)}, Holds: &ledger.HoldChange{Steps: []removal.HoldStep{step}}}, ledger.ErrExists},
		"a step without message": {ledger.Change{Holds: &ledger.HoldChange{Steps: []removal.HoldStep{{Hold: 1, Step: "7", Day: date(3), Message: "no", Units: 1}}}}, ledger.ErrRefused},
		"a digest twice":         {ledger.Change{Messages: []ledger.Message{message("notice-2026-11-02")}}, ledger.ErrExists},
		"units below zero":       {ledger.Change{Holds: &ledger.HoldChange{Changed: []removal.Hold{below}}}, ledger.ErrRefused},
		"a cover of no hold":     {ledger.Change{Holds: &ledger.HoldChange{Covers: []removal.HoldCover{{Hold: 9, Order: "A", Covered: 1}}}}, ledger.ErrRefused},
		"a hold that is not":     {ledger.Change{Holds: &ledger.HoldChange{Changed: []removal.Hold{hold(9, 1)}}}, ledger.ErrNotFound},
		"a hold twice":           {ledger.Change{Holds: &ledger.HoldChange{New: []removal.Hold{hold(1, 1)}}}, ledger.ErrExists},
	} {
		if err := change(t, l, test.c); err == nil {
			t.Errorf("%s was taken", name)
		} else {
			checkErr(t, test.want, err)
		}
	}
	check(t, "after all that", before, live(t, l))
	stale := ledger.Change{Merchant: m, Revision: revision(t, l, m) - 1, Holds: &ledger.HoldChange{New: []removal.Hold{hold(2, 1)}}}
	checkErr(t, ledger.ErrConflict, l.Change(t.Context(), &stale))
}

// testOutbox: a message from queued to its end, with recipients who part ways.
func testOutbox(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	must(t, change(t, l, ledger.Change{Messages: []ledger.Message{message("notice-1", "a@x.se", "b@x.se", "c@x.se"), message("notice-2", "a@x.se")}}))
	due := func(now time.Time) (ids []string) {
		t.Helper()
		all, err := l.DueMessages(t.Context(), now, 10)
		must(t, err)
		for _, msg := range all {
			ids = append(ids, msg.ID)
		}
		return ids
	}
	check(t, "due", []string{"notice-1", "notice-2"}, due(day))
	want := message("notice-1", "a@x.se", "b@x.se", "c@x.se")
	got, err := l.Message(t.Context(), m, "notice-1")
	must(t, err)
	check(t, "message", want, got)

	later := day.Add(time.Hour)
	must(t, l.MarkTried(t.Context(), m, "notice-1", ledger.Attempt{At: day, RetryAfter: later, Reason: "451 later", Recipients: []ledger.Recipient{
		{Address: "a@x.se", State: ledger.RecipientAccepted, Reason: "250"}, {Address: "b@x.se", State: ledger.RecipientRefused, Reason: "550 no such"},
		{Address: "c@x.se", Reason: "451 later"}}}))
	check(t, "due while one waits", []string{"notice-2"}, due(day))
	check(t, "due later", []string{"notice-1", "notice-2"}, due(later))
	got, err = l.Message(t.Context(), m, "notice-1")
	must(t, err)
	check(t, "accepted at once", day, got.AcceptedAt)
	check(t, "state", ledger.MessageQueued, got.State)

	// Who was accepted stays so, whatever a repeat says.
	must(t, l.MarkTried(t.Context(), m, "notice-1", ledger.Attempt{At: later, GiveUp: true, Reason: "given up", Recipients: []ledger.Recipient{
		{Address: "a@x.se", State: ledger.RecipientRefused}, {Address: "c@x.se", State: ledger.RecipientQueued, Reason: "451 again"}}}))
	got, err = l.Message(t.Context(), m, "notice-1")
	must(t, err)
	check(t, "recipients", []ledger.Recipient{
		{Address: "a@x.se", State: ledger.RecipientAccepted, At: day, Reason: "250"},
		{Address: "b@x.se", State: ledger.RecipientRefused, At: day, Reason: "550 no such"},
		{Address: "c@x.se", State: ledger.RecipientQueued, At: later, Reason: "451 again"}}, got.Recipients)
	check(t, "state at the end", ledger.MessageSent, got.State)
	check(t, "accepted first", day, got.AcceptedAt)
	check(t, "finished", later, got.Finished)
	checkErr(t, ledger.ErrLost, l.MarkTried(t.Context(), m, "notice-1", ledger.Attempt{At: later}))
	checkErr(t, ledger.ErrNotFound, l.MarkTried(t.Context(), m, "notice-2", ledger.Attempt{At: later, Recipients: []ledger.Recipient{{Address: "z@x.se"}}}))

	must(t, l.MarkTried(t.Context(), m, "notice-2", ledger.Attempt{At: later, Recipients: []ledger.Recipient{{Address: "a@x.se", State: ledger.RecipientRefused}}}))
	got, err = l.Message(t.Context(), m, "notice-2")
	must(t, err)
	check(t, "refused by all", ledger.MessageFailed, got.State)
	check(t, "never accepted", true, got.AcceptedAt.IsZero())

	must(t, change(t, l, ledger.Change{Messages: []ledger.Message{message("notice-3")}}))
	must(t, l.MarkMessageWritten(t.Context(), m, "notice-3", "outbox/x.eml", later))
	checkErr(t, ledger.ErrLost, l.MarkMessageWritten(t.Context(), m, "notice-3", "outbox/x.eml", later))
	got, err = l.Message(t.Context(), m, "notice-3")
	must(t, err)
	check(t, "as a file", ledger.MessageWritten, got.State)
	check(t, "none due", 0, len(due(later.Add(time.Hour))))
	all, err := l.Messages(t.Context(), m, 2)
	must(t, err)
	check(t, "list", []string{"notice-3", "notice-2"}, []string{all[0].ID, all[1].ID})
	_, err = l.Message(t.Context(), m, "nothing")
	checkErr(t, ledger.ErrNotFound, err)
}

// testOutboxLease: one sender has a message in hand at a time, until its lease ends.
func testOutboxLease(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	must(t, change(t, l, ledger.Change{Messages: []ledger.Message{message("notice-1", "a@x.se")}}))
	until := day.Add(time.Minute)
	got, err := l.TakeMessage(t.Context(), m, "notice-1", "one", day, until)
	must(t, err)
	check(t, "attempts", 1, got.Attempts)
	check(t, "attachments", 2, len(got.Attachments))
	_, err = l.TakeMessage(t.Context(), m, "notice-1", "two", day, until)
	checkErr(t, ledger.ErrLost, err)
	all, err := l.DueMessages(t.Context(), day, 10)
	must(t, err)
	check(t, "due in other hands", 0, len(all))
	got, err = l.TakeMessage(t.Context(), m, "notice-1", "two", until, until.Add(time.Minute))
	must(t, err)
	check(t, "attempts after a crash", 2, got.Attempts)
	must(t, l.MarkTried(t.Context(), m, "notice-1", ledger.Attempt{At: until, Recipients: []ledger.Recipient{{Address: "a@x.se", State: ledger.RecipientAccepted}}}))
	_, err = l.TakeMessage(t.Context(), m, "notice-1", "one", until, until.Add(time.Minute))
	checkErr(t, ledger.ErrLost, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
