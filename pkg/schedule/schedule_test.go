package schedule

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"sort"
	"sync"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// hand is a clock that a test moves.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hand) set(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = at
}

func open(t *testing.T, path string, now func() time.Time) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), path, ledger.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func addMerchant(t *testing.T, l *ledger.Ledger, id, zone string, created time.Time) {
	t.Helper()
	p := ledger.DefaultProfile()
	p.TimeZone = zone
	if err := l.AddMerchant(t.Context(), removal.Merchant{ID: id, Profile: p, Created: created}); err != nil {
		t.Fatal(err)
	}
}

// dead runs something that may end its goroutine, as a kill would.
func dead(do func()) (killed bool) {
	killed = true
	var w sync.WaitGroup
	w.Go(func() {
		do()
		killed = false
	})
	w.Wait()
	return killed
}

func nothing(context.Context, string, time.Time) (Result, error) { return Result{}, nil }

func runs(t *testing.T, l *ledger.Ledger, merchant, job string) []ledger.JobRun {
	t.Helper()
	all, err := l.JobRuns(t.Context(), merchant, job, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A year of three zones, over both changes of the clocks and a leap day, with two
// schedulers at once that sleep, are killed and come back: each run that was due
// while one of them looked is made, and made once.
func TestYear(t *testing.T) {
	t.Parallel()
	zones := map[string]string{"acme": "Europe/Stockholm", "bolt": "America/New_York", "coco": "Australia/Lord_Howe"}
	path := filepath.Join(t.TempDir(), "rensa.db")
	begin, end := time.Date(2027, 9, 1, 12, 0, 0, 0, time.UTC), time.Date(2028, 11, 20, 0, 0, 0, 0, time.UTC)
	now := &hand{at: begin}
	first := open(t, path, now.now)
	due := map[string][]Due{} // by job and merchant, as the clocks show it
	for id, name := range zones {
		addMerchant(t, first, id, name, begin)
		table := readClock(zone(t, name), begin, end.AddDate(0, 0, 2), 30, 2)
		due["notices "+id] = table[2]
		for at := begin.Truncate(12 * time.Hour); at.Before(end); at = at.Add(12 * time.Hour) {
			due["release "+id] = append(due["release "+id], Due{Key: at.Format(time.RFC3339), At: at})
		}
	}
	latest := func(what string) Due {
		at := now.now()
		if n := sort.Search(len(due[what]), func(i int) bool { return due[what][i].At.After(at) }); n > 0 {
			return due[what][n-1]
		}
		return Due{}
	}
	var mu sync.Mutex
	made, kill := map[string]int{}, map[string]bool{}
	do := func(job string) func(context.Context, string, time.Time) (Result, error) {
		return func(_ context.Context, merchant string, at time.Time) (Result, error) {
			key := job + " " + merchant + " " + latest(job+" "+merchant).Key
			mu.Lock()
			made[key]++
			die := kill[merchant]
			delete(kill, merchant)
			mu.Unlock()
			if !at.Equal(now.now()) {
				t.Errorf("%s at %s is told %s", key, now.now(), at)
			}
			if die {
				runtime.Goexit()
			}
			return Result{Counts: map[string]int64{"n": 1}}, nil
		}
	}
	jobs := []Job{{"release", plan(t, "@every 12h"), do("release")}, {"notices", plan(t, "30 2 * * *"), do("notices")}}
	second := open(t, path, now.now)
	scheduler := func(l *ledger.Ledger) *Scheduler { return New(Options{Ledger: l, Jobs: jobs, Now: now.now}) }

	r := rand.New(rand.NewPCG(7, 11))
	expected, killed := map[string]bool{}, map[string]int{}
	for now.now().Before(end) {
		for _, id := range []string{"acme", "bolt", "coco"} {
			if r.IntN(40) == 0 {
				kill[id] = true
			}
			for _, job := range []string{"release", "notices"} {
				if d := latest(job + " " + id); !d.At.Before(begin) {
					expected[job+" "+id+" "+d.Key] = true
				}
			}
		}
		before := len(kill)
		var both sync.WaitGroup
		for _, l := range []*ledger.Ledger{first, second} {
			both.Go(func() {
				dead(func() {
					if _, _, err := scheduler(l).RunDue(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		}
		both.Wait()
		mu.Lock()
		struck := before - len(kill)
		clear(kill)
		mu.Unlock()
		if struck > 0 {
			// Who comes back takes over what was left, once its lease is out.
			for key := range made {
				if made[key] > killed[key]+1 {
					t.Fatalf("%s was made %d times", key, made[key])
				}
			}
			now.set(now.now().Add(2 * time.Minute))
			left, _, err := scheduler(first).RunDue(t.Context())
			if err != nil || left == 0 {
				t.Fatalf("%d runs were taken over, %v", left, err)
			}
			for key, n := range made {
				killed[key] = max(killed[key], n-1)
			}
		}
		switch r.IntN(60) {
		case 0: // down for days
			now.set(now.now().Add(time.Duration(r.Int64N(int64(200 * time.Hour)))))
		default:
			now.set(now.now().Add(time.Duration(r.Int64N(int64(20 * time.Hour)))))
		}
	}
	takeovers := 0
	for id := range zones {
		for _, job := range []string{"release", "notices"} {
			for _, run := range runs(t, first, id, job) {
				key := job + " " + id + " " + run.Key
				if !expected[key] {
					t.Errorf("%s was never due", key)
				}
				delete(expected, key)
				if run.Status != ledger.JobDone || made[key] != run.Attempts {
					t.Errorf("%s: %d times, recorded as %+v", key, made[key], run)
				}
				takeovers += run.Attempts - 1
			}
		}
	}
	if len(expected) > 0 {
		t.Errorf("never made: %v", expected)
	}
	if len(made) < 1500 || takeovers < 20 {
		t.Errorf("only %d runs, %d of them taken over", len(made), takeovers)
	}
	t.Logf("%d runs, %d taken over", len(made), takeovers)
}

// A job that panics is recorded and keeps no other from running; one that fails is
// tried again a few times.
func TestFailures(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	now := &hand{at: begin}
	l := open(t, filepath.Join(t.TempDir(), "rensa.db"), now.now)
	addMerchant(t, l, "acme", "Europe/Stockholm", begin.AddDate(0, -1, 0))
	broken, tries, after := errors.New("disk full"), 0, 0
	s := New(Options{Ledger: l, Now: now.now, Jobs: []Job{
		{"a", plan(t, "0 4 * * *"), func(context.Context, string, time.Time) (Result, error) { panic("oh") }},
		{"b", plan(t, "0 5 * * *"), func(context.Context, string, time.Time) (Result, error) {
			tries++
			return Result{Counts: map[string]int64{"read": 7}}, broken
		}},
		{"c", plan(t, "0 6 * * *"), func(context.Context, string, time.Time) (Result, error) { after++; return Result{ReportDir: "x"}, nil }},
		{"d", Plan{}, func(context.Context, string, time.Time) (Result, error) { panic("never due") }},
	}})
	made, next, err := s.RunDue(t.Context())
	if err != nil || made != 1 || after != 1 || tries != 1 || !next.Equal(begin.Add(15*time.Hour)) {
		t.Errorf("made %d (%d, %d), next %s, %v", made, after, tries, next, err)
	}
	a := runs(t, l, "acme", "a")
	if len(a) != 1 || a[0].Status != ledger.JobFailed || a[0].Error != "fault of the program: oh" || !a[0].RetryAfter.IsZero() {
		t.Errorf("a panic is recorded as %+v", a)
	}
	for i, wait := range []time.Duration{time.Minute, 5 * time.Minute, 25 * time.Minute, 0, 0} {
		b := runs(t, l, "acme", "b")[0]
		if b.Status != ledger.JobFailed || b.Error != "disk full" || b.Attempts != min(i+1, 4) || b.Counts["read"] != 7 {
			t.Errorf("failure %d is recorded as %+v", i, b)
		}
		if wait == 0 {
			if !b.RetryAfter.IsZero() {
				t.Errorf("it is tried again at %s", b.RetryAfter)
			}
			continue
		}
		if got := b.RetryAfter.Sub(now.now()); got != wait {
			t.Errorf("failure %d is tried again after %s, want %s", i, got, wait)
		}
		now.set(b.RetryAfter.Add(-time.Second))
		if _, next, err := s.RunDue(t.Context()); err != nil || !next.Equal(b.RetryAfter) {
			t.Errorf("next is %s, %v", next, err)
		}
		now.set(b.RetryAfter)
		if _, _, err := s.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if tries != 4 {
		t.Errorf("tried %d times", tries)
	}
}

// By hand a job runs whatever its plan, but not beside itself.
func TestByHand(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	now := &hand{at: begin}
	l := open(t, filepath.Join(t.TempDir(), "rensa.db"), now.now)
	addMerchant(t, l, "acme", "Europe/Stockholm", begin)
	var s *Scheduler
	broken := errors.New("no")
	s = New(Options{Ledger: l, Now: now.now, Jobs: []Job{
		{"inner", Plan{}, func(ctx context.Context, merchant string, at time.Time) (Result, error) {
			_, err := s.ByHand(ctx, "inner", merchant, time.Time{})
			if !errors.Is(err, ledger.ErrJobBusy) {
				t.Errorf("beside itself: %v", err)
			}
			return Result{ReportDir: at.Format(time.DateOnly)}, nil
		}},
		{"fails", Plan{}, func(context.Context, string, time.Time) (Result, error) { return Result{}, broken }},
	}})
	for i, at := range []time.Time{{}, begin.AddDate(0, 0, -3)} {
		r, err := s.ByHand(t.Context(), "inner", "acme", at)
		want := begin
		if i > 0 {
			want = at
		}
		if err != nil || r.Status != ledger.JobDone || !r.ByHand || !r.ScheduledFor.Equal(want) || r.ReportDir != want.Format(time.DateOnly) || !r.Started.Equal(begin) {
			t.Errorf("run %d is %+v, %v", i, r, err)
		}
	}
	if all := runs(t, l, "acme", "inner"); len(all) != 2 || all[0].Key == all[1].Key {
		t.Errorf("runs are %+v", all)
	}
	r, err := s.ByHand(t.Context(), "fails", "acme", time.Time{})
	if !errors.Is(err, broken) || r.Status != ledger.JobFailed || !r.RetryAfter.IsZero() {
		t.Errorf("run is %+v, %v", r, err)
	}
	if _, err := s.ByHand(t.Context(), "other", "acme", time.Time{}); !errors.Is(err, ErrNoJob) {
		t.Error(err)
	}
	if _, err := s.ByHand(t.Context(), "fails", "nobody", time.Time{}); !errors.Is(err, ledger.ErrNotFound) {
		t.Error(err)
	}
}

// What was missed before there was a merchant is not made up for; of what was
// missed since, the latest is.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	now := &hand{at: begin}
	l := open(t, filepath.Join(t.TempDir(), "rensa.db"), now.now)
	addMerchant(t, l, "acme", "Europe/Stockholm", begin)
	s := New(Options{Ledger: l, Now: now.now, Jobs: []Job{{"notices", plan(t, "0 5 * * *"), nothing}}})
	if made, _, err := s.RunDue(t.Context()); made != 0 || err != nil {
		t.Errorf("%d runs, %v", made, err)
	}
	now.set(begin.AddDate(0, 0, 9))
	for _, want := range []int{1, 0} {
		if made, _, err := s.RunDue(t.Context()); made != want || err != nil {
			t.Errorf("%d runs, %v", made, err)
		}
	}
	if all := runs(t, l, "acme", ""); len(all) != 1 || all[0].Key != "2026-11-29T05:00" {
		t.Errorf("runs are %+v", all)
	}
}

// Run wakes when something is due, and hands back what does not end.
func TestRun(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	now := &hand{at: begin}
	l := open(t, filepath.Join(t.TempDir(), "rensa.db"), now.now)
	for i := range 3 {
		addMerchant(t, l, fmt.Sprint("m", i), "Europe/Stockholm", begin.AddDate(0, 0, -1))
	}
	begun, hangs := make(chan string), make(chan struct{}, 1)
	s := New(Options{Ledger: l, Now: now.now, Poll: 5 * time.Millisecond, StopWithin: time.Millisecond, Jobs: []Job{
		{"a", plan(t, "@every 1h"), func(ctx context.Context, m string, _ time.Time) (Result, error) {
			begun <- m
			return Result{}, nil
		}},
		{"hangs", plan(t, "0 4 * * *"), func(ctx context.Context, m string, _ time.Time) (Result, error) {
			if m != "m0" {
				return Result{}, nil
			}
			hangs <- struct{}{}
			<-ctx.Done()
			return Result{}, ctx.Err()
		}},
	}})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	<-hangs // the other merchants go on
	seen := map[string]int{}
	for range 2 {
		seen[<-begun]++
	}
	now.set(begin.Add(time.Hour))
	for range 2 {
		seen[<-begun]++
	}
	if seen["m1"] != 2 || seen["m2"] != 2 {
		t.Errorf("runs were %v", seen)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	all := runs(t, l, "m0", "hangs")
	if len(all) != 1 || all[0].Status != ledger.JobFailed || all[0].RetryAfter.IsZero() {
		t.Errorf("handed back as %+v", all)
	}
	entries, err := s.List(t.Context(), []removal.Merchant{{ID: "m1", Profile: removal.Profile{TimeZone: "Europe/Stockholm"}}})
	if err != nil || len(entries) != 2 || entries[0].Last == nil || len(entries[1].Next) != 3 ||
		entries[1].Next[0].Format(time.RFC3339) != "2026-11-21T04:00:00+01:00" || entries[1].Zone.String() != "Europe/Stockholm" {
		t.Errorf("listed as %+v, %v", entries, err)
	}
}
