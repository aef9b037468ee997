package ledgertest

import (
	"errors"
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// testRequestKey: a key is entered once and answered with what came of the first
// request, by merchant and scope; one whose file was never taken is free again.
func testRequestKey(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	addMerchant(t, l, "other")
	ctx := t.Context()
	keep := func(k ledger.RequestKey, want string, wantKept bool) {
		t.Helper()
		first, kept, err := l.KeepKey(ctx, k)
		if err != nil || kept != wantKept || first.Answer != want {
			t.Errorf("%+v: %+v, %v, %v", k, first, kept, err)
		}
	}
	k := ledger.RequestKey{Merchant: m, Scope: ledger.KeyOrder, Key: "one", SHA256: "ab"}
	keep(k, "", true)
	keep(k, "", false) // being done
	if err := l.AnswerKey(ctx, k, "A-1"); err != nil {
		t.Fatal(err)
	}
	keep(k, "A-1", false)
	if first, err := l.KeyOf(ctx, m, ledger.KeyOrder, "one"); err != nil || first.Answer != "A-1" || first.SHA256 != "ab" {
		t.Errorf("%+v, %v", first, err)
	}
	for _, none := range []string{"two", ""} {
		if _, err := l.KeyOf(ctx, m, ledger.KeyOrder, none); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("key %q: %v", none, err)
		}
	}
	again := k
	again.SHA256 = "cd"
	if first, _, err := l.KeepKey(ctx, again); err != nil || first.SHA256 != "ab" {
		t.Errorf("%+v, %v", first, err)
	}
	for _, other := range []ledger.RequestKey{
		{Merchant: "other", Scope: ledger.KeyOrder, Key: "one", Answer: "B"},
		{Merchant: m, Scope: ledger.KeyFile, Key: "one", Answer: "F"},
	} {
		keep(other, other.Answer, true)
	}
	if err := l.AnswerKey(ctx, k, ""); err != nil {
		t.Fatal(err)
	}
	keep(k, "", true) // nothing had come of it
	if _, _, err := l.KeepKey(ctx, ledger.RequestKey{Merchant: "none", Scope: ledger.KeyFile, Key: "k"}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("no such merchant: %v", err)
	}

	w, err := l.Claim(ctx, ledger.Work{Merchant: m, File: ledger.File{
		ID: "F1", Name: "a.tsv", Place: "work/m/F1", LeaseOwner: "me", LeaseUntil: time.Now().Add(time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	file := ledger.RequestKey{Merchant: m, Scope: ledger.KeyFile, Key: "two", Answer: "F1"}
	keep(file, "F1", true)
	keep(file, "F1", false)
	if err := l.CloseClaim(ctx, &w, "never taken"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.KeyOf(ctx, m, ledger.KeyFile, "two"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the key of a file that was never taken: %v", err)
	}
	file.Answer = "F2"
	keep(file, "F2", true)
}

// testListWork: files are listed by page, the last taken first, and by state.
func testListWork(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	addMerchant(t, l, "other")
	ctx := t.Context()
	for _, id := range []string{"F1", "F2", "F3", "F4"} {
		merchant := m
		if id == "F4" {
			merchant = "other"
		}
		w, err := l.Claim(ctx, ledger.Work{Merchant: merchant, File: ledger.File{
			ID: id, Name: id + ".tsv", Place: "work/" + id, LeaseOwner: "me", LeaseUntil: time.Now().Add(time.Hour)}})
		if err != nil {
			t.Fatal(err)
		}
		if id == "F2" {
			if err := l.CloseClaim(ctx, &w, "gone"); err != nil {
				t.Fatal(err)
			}
		}
	}
	ids := func(f ledger.WorkFilter) (got, next string) {
		t.Helper()
		f.Merchant = m
		list, next, err := l.ListWork(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			got += list[i].ID
		}
		return got, next
	}
	got, next := ids(ledger.WorkFilter{Limit: 2})
	if got != "F3F2" || next == "" {
		t.Errorf("first page %s, %q", got, next)
	}
	if got, next = ids(ledger.WorkFilter{Limit: 2, Cursor: next}); got != "F1" || next != "" {
		t.Errorf("second page %s, %q", got, next)
	}
	if got, _ = ids(ledger.WorkFilter{State: ledger.FileClosed}); got != "F2" {
		t.Errorf("closed: %s", got)
	}
	if got, _ = ids(ledger.WorkFilter{Open: true}); got != "F3F1" {
		t.Errorf("open: %s", got)
	}
	if _, _, err := l.ListWork(ctx, ledger.WorkFilter{Merchant: m, Cursor: "?"}); !errors.Is(err, ledger.ErrCursor) {
		t.Errorf("a cursor of nothing: %v", err)
	}
}
