package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// due is a run of a job that is to be begun at a moment by somebody.
func due(job, key, owner string, at time.Time) ledger.JobRun {
	return ledger.JobRun{
		Merchant: m, Job: job, Key: key, ScheduledFor: day, Started: at, LeaseOwner: owner, LeaseUntil: at.Add(time.Minute),
	}
}

func begin(t *testing.T, l *ledger.Ledger, r ledger.JobRun) ledger.JobRun {
	t.Helper()
	r, err := l.BeginJob(t.Context(), r, 3)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func end(t *testing.T, l *ledger.Ledger, r ledger.JobRun, status string, at time.Time) ledger.JobRun {
	t.Helper()
	r.Status, r.Finished = status, at
	if err := l.EndJob(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	r.LeaseOwner, r.LeaseUntil = "", time.Time{}
	return r
}

func testJobs(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	_, err := l.BeginJob(ctx, due("notices", "2026-11-20T05:00", "a", day), 3)
	checkErr(t, ledger.ErrNotFound, err)
	addMerchant(t, l, m)

	r := begin(t, l, due("notices", "2026-11-20T05:00", "a", day))
	if r.Attempts != 1 || r.Status != ledger.JobRunning {
		t.Errorf("begun as %+v", r)
	}
	_, err = l.BeginJob(ctx, due("notices", "2026-11-20T05:00", "b", day), 3)
	checkErr(t, ledger.ErrJobTaken, err)
	_, err = l.BeginJob(ctx, due("notices", "hand-1", "b", day), 3)
	checkErr(t, ledger.ErrJobBusy, err)
	begin(t, l, due("dispose", "2026-11-20T05:30", "b", day)) // another job is not in the way

	if err := l.RenewJob(ctx, &r, day.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	_, err = l.BeginJob(ctx, due("notices", "2026-11-20T05:00", "b", day.Add(30*time.Minute)), 3)
	checkErr(t, ledger.ErrJobTaken, err)
	r.LeaseUntil = day.Add(time.Hour)
	r.ReportDir, r.Counts = "reports/acme/x", map[string]int64{"holds": 3, "messages": 1}
	want := end(t, l, r, ledger.JobDone, day.Add(time.Minute))
	got, err := l.JobRun(ctx, m, "notices", "2026-11-20T05:00")
	if err != nil {
		t.Fatal(err)
	}
	check(t, "run", want, got)
	_, err = l.BeginJob(ctx, due("notices", "2026-11-20T05:00", "b", day.AddDate(1, 0, 0)), 3)
	checkErr(t, ledger.ErrJobTaken, err)
	checkErr(t, ledger.ErrLost, l.EndJob(ctx, &r))
	_, err = l.JobRun(ctx, m, "notices", "nothing")
	checkErr(t, ledger.ErrNotFound, err)

	hand := due("notices", "hand-1", "b", day.Add(2*time.Hour))
	hand.ByHand = true
	end(t, l, begin(t, l, hand), ledger.JobDone, day.Add(2*time.Hour))
	all, err := l.JobRuns(ctx, m, "notices", 10)
	if err != nil || len(all) != 2 || all[0].Key != "hand-1" || !all[0].ByHand || all[1].Key != "2026-11-20T05:00" {
		t.Errorf("runs are %+v, %v", all, err)
	}
	if all, err = l.JobRuns(ctx, m, "", 10); err != nil || len(all) != 3 {
		t.Errorf("runs are %+v, %v", all, err)
	}
}

// testJobTakeover: what a crash left is taken over, and given up in the end.
func testJobTakeover(t *testing.T, l *ledger.Ledger) {
	ctx := t.Context()
	addMerchant(t, l, m)
	first := begin(t, l, due("dispose", "k1", "a", day))
	later := day.Add(2 * time.Minute)
	second := begin(t, l, due("dispose", "k1", "b", later))
	if second.Attempts != 2 {
		t.Errorf("taken over as %+v", second)
	}
	first.Status, first.Finished = ledger.JobDone, later
	checkErr(t, ledger.ErrLost, l.EndJob(ctx, &first))
	checkErr(t, ledger.ErrLost, l.RenewJob(ctx, &first, later))

	begin(t, l, due("dispose", "k1", "c", later.Add(2*time.Minute)))
	_, err := l.BeginJob(ctx, due("dispose", "k1", "d", later.Add(4*time.Minute)), 3)
	checkErr(t, ledger.ErrJobTaken, err)
	got, err := l.JobRun(ctx, m, "dispose", "k1")
	if err != nil || got.Status != ledger.JobFailed || got.Attempts != 3 || got.Error == "" || !got.RetryAfter.IsZero() {
		t.Errorf("given up as %+v, %v", got, err)
	}

	// One that was left behind does not keep the next from running.
	begin(t, l, due("dispose", "k2", "a", day.AddDate(0, 0, 1)))
	r := begin(t, l, due("dispose", "k3", "a", day.AddDate(0, 0, 2)))
	if got, err = l.JobRun(ctx, m, "dispose", "k2"); err != nil || got.Status != ledger.JobFailed {
		t.Errorf("left behind as %+v, %v", got, err)
	}

	// A failure waits for its time.
	r.RetryAfter, r.Error = day.AddDate(0, 0, 3), "disk full"
	end(t, l, r, ledger.JobFailed, day.AddDate(0, 0, 2))
	_, err = l.BeginJob(ctx, due("dispose", "k3", "a", day.AddDate(0, 0, 2)), 3)
	checkErr(t, ledger.ErrJobTaken, err)
	r = begin(t, l, due("dispose", "k3", "a", day.AddDate(0, 0, 3)))
	if r.Attempts != 2 {
		t.Errorf("tried again as %+v", r)
	}
	r = end(t, l, r, ledger.JobDone, day.AddDate(0, 0, 3))
	if r.Error != "" {
		t.Errorf("done with an error: %+v", r)
	}

	n, err := l.ForgetJobRuns(ctx, m, day.AddDate(1, 0, 0))
	if err != nil || n != 2 {
		t.Errorf("%d runs forgotten, %v", n, err)
	}
	if all, err := l.JobRuns(ctx, m, "", 10); err != nil || len(all) != 1 || all[0].Key != "k3" {
		t.Errorf("kept are %+v, %v", all, err)
	}
}

// testJobsAtOnce: of many that begin one run, one does.
func testJobsAtOnce(t *testing.T, l *ledger.Ledger) {
	addMerchant(t, l, m)
	var won sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, err := l.BeginJob(context.Background(), due("notices", "k", fmt.Sprint("w", i), day), 3)
			won.Store(i, err)
		})
	}
	all.Wait()
	begun := 0
	won.Range(func(_, err any) bool {
		switch err, _ := err.(error); {
		case err == nil:
			begun++
		case !errors.Is(err, ledger.ErrJobTaken):
			t.Error(err)
		}
		return true
	})
	if begun != 1 {
		t.Errorf("%d began the run", begun)
	}
}
