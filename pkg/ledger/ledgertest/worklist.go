package ledgertest

import (
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// claim enters a file of a merchant in somebody's hand.
func claim(t *testing.T, l *ledger.Ledger, merchant, id string) ledger.Work {
	t.Helper()
	w, err := l.Claim(t.Context(), ledger.Work{Merchant: merchant, Kind: removal.KindUpload, File: ledger.File{
		ID: id, Name: id + ".tsv", Place: "work/" + merchant + "/" + id, LeaseOwner: "taker", LeaseUntil: day,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// taken is a file whose rename is done.
func taken(t *testing.T, l *ledger.Ledger, merchant, id string) ledger.Work {
	t.Helper()
	w := claim(t, l, merchant, id)
	if err := l.HandBack(t.Context(), &w); err != nil {
		t.Fatal(err)
	}
	w, err := l.Work(t.Context(), merchant, id)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func lease(t *testing.T, l *ledger.Ledger, w ledger.Work, owner string) ledger.Work {
	t.Helper()
	w, err := l.Lease(t.Context(), w, owner, day.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// oldest are the files that are next, "merchant id".
func oldest(t *testing.T, l *ledger.Ledger) (all []string) {
	t.Helper()
	list, err := l.Oldest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range list {
		all = append(all, w.Merchant+" "+w.ID)
	}
	return all
}

// testWorkList: of each merchant the file that came first is next, until it is done.
func testWorkList(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	addMerchant(t, l, "other")
	first, second, theirs := taken(t, l, m, "z"), taken(t, l, m, "a"), taken(t, l, "other", "b")
	if first.Seq != 1 || second.Seq != 2 || theirs.Seq != 1 {
		t.Errorf("arrived as %d, %d and %d", first.Seq, second.Seq, theirs.Seq)
	}
	_, err := l.Claim(ctx, ledger.Work{Merchant: "nobody", File: ledger.File{ID: "x"}})
	checkErr(t, ledger.ErrNotFound, err)
	check(t, "next", []string{m + " z", "other b"}, oldest(t, l))

	first = lease(t, l, first, "w1")
	if err := l.Settle(ctx, &first, ledger.FileRejected, "rejected/acme/z.tsv", "file_empty"); err != nil {
		t.Fatal(err)
	}
	check(t, "next, the original not in place", []string{m + " z", "other b"}, oldest(t, l))
	if err := l.Retarget(ctx, &first, "rejected/acme/z-2.tsv"); err != nil {
		t.Fatal(err)
	}
	if err := l.Settled(ctx, &first); err != nil {
		t.Fatal(err)
	}
	check(t, "next", []string{m + " a", "other b"}, oldest(t, l))
	got, err := l.Work(ctx, m, "z")
	if err != nil {
		t.Fatal(err)
	}
	if got.State != ledger.FileRejected || got.Place != "rejected/acme/z-2.tsv" || got.Reason != "file_empty" || got.Open() || got.LeaseOwner != "" {
		t.Errorf("settled as %+v", got)
	}
	theirs = lease(t, l, theirs, "w2")
	if err := l.CloseClaim(ctx, &theirs, "never taken"); err != nil {
		t.Fatal(err)
	}
	check(t, "next", []string{m + " a"}, oldest(t, l))

	// The commit takes the claimed file on.
	second = lease(t, l, second, "w1")
	c := upload(t, l, "run-1", order("A"))
	c.File = second.File
	commit(t, l, c)
	if got, err = l.WorkOf(ctx, m, "run-1"); err != nil || got.ID != "a" || got.State != ledger.FileCommitted || !got.Open() || got.LeaseOwner != "w1" {
		t.Errorf("committed as %+v, %v", got, err)
	}
	if err := l.MarkArchived(ctx, m, "run-1", "archive/acme/a"); err != nil {
		t.Fatal(err)
	}
	check(t, "next", []string(nil), oldest(t, l))
	kept, err := l.Kept(ctx, m, time.Now().AddDate(1, 0, 0))
	if err != nil || len(kept) != 1 || kept[0].ID != "a" {
		t.Errorf("kept are %+v, %v", kept, err)
	}
	if err := l.Forget(ctx, &kept[0]); err != nil {
		t.Fatal(err)
	}
	if kept, err = l.Kept(ctx, m, time.Now().AddDate(1, 0, 0)); err != nil || len(kept) != 0 {
		t.Errorf("kept are %+v, %v", kept, err)
	}
	if found, err := l.Imbalances(ctx, m); err != nil || len(found) != 1 || found[0].Order != "A" || found[0].Opened != 0 {
		t.Errorf("an order without movements: %+v, %v", found, err)
	}
}

// testLease: a file is in one hand, and a hand that lost it changes nothing more.
func testLease(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	w := taken(t, l, m, "a")
	mine := lease(t, l, w, "w1")
	_, err := l.Lease(ctx, w, "w2", day)
	checkErr(t, ledger.ErrLost, err)
	if mine.Attempts != 1 {
		t.Errorf("%d attempts", mine.Attempts)
	}
	if err := l.Renew(ctx, &mine, day.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	seen, err := l.Work(ctx, m, "a")
	if err != nil || !seen.LeaseUntil.Equal(day.Add(time.Hour)) {
		t.Errorf("renewed as %+v, %v", seen, err)
	}
	theirs := lease(t, l, seen, "w2")
	for _, err := range []error{
		l.Renew(ctx, &mine, day), l.HandBack(ctx, &mine), l.Failed(ctx, &mine, true, "x", day), l.CloseClaim(ctx, &mine, "x"),
		l.Settle(ctx, &mine, ledger.FileRejected, "x", "x"), l.Settled(ctx, &mine), l.Retarget(ctx, &mine, "x"),
	} {
		checkErr(t, ledger.ErrLost, err)
	}
	if err := l.Failed(ctx, &theirs, true, "disk", day); err != nil {
		t.Fatal(err)
	}
	got, err := l.Work(ctx, m, "a")
	if err != nil || got.Failures != 1 || got.Attempts != 1 || got.Reason != "disk" || !got.RetryAfter.Equal(day) || got.LeaseOwner != "" {
		t.Errorf("failed as %+v, %v", got, err)
	}
	again := lease(t, l, got, "w1")
	if err := l.CloseClaim(ctx, &again, "x"); err != nil {
		t.Fatal(err)
	}
	// What was closed meanwhile is not committed.
	c := upload(t, l, "run-1", order("A"))
	c.File = again.File
	checkErr(t, ledger.ErrLost, l.Commit(ctx, c))
	_, err = l.Run(ctx, m, "run-1")
	checkErr(t, ledger.ErrNotFound, err)
}
