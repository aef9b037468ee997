package schedule

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func plan(t *testing.T, text string) Plan {
	t.Helper()
	p, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "x", "10 4 * *", "61 4 * * *", "0 0 30 2 *", "@every 5", "@every 30s", "@every -5m", "@reboot", "TZ=", "CRON_TZ=Nowhere 1 1 * * *",
		"CRON_TZ=Europe/Berlin", "TZ=Local 1 1 * * *", "10 4 * * * *", "Never",
	} {
		if p, err := Parse(text); !errors.Is(err, ErrPlan) {
			t.Errorf("%q is read as %+v, %v", text, p, err)
		}
	}
	for _, text := range []string{"10 4 * * *", "@weekly", "@every 5m", "never", "CRON_TZ=Europe/Berlin 10 4 * * 1-5", "0 0 29 2 *"} {
		if p := plan(t, text); p.String() != text || p.Never() != (text == "never") {
			t.Errorf("%q is read as %q, never %t", text, p, p.Never())
		}
	}
	if p := (Plan{}); !p.Never() || p.String() != "never" {
		t.Error("the zero Plan is not never")
	}
}

// The two days of the year on which a clock is put forward or back.
func TestDaylightSaving(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cron, zone, after string
		want              []string // key and instant
	}{
		// skipped: the first valid minute; twice: the first time
		{"30 2 * * *", "Europe/Stockholm", "2026-03-28T12:00:00Z", []string{"2026-03-29T02:30 2026-03-29T01:00:00Z", "2026-03-30T02:30 2026-03-30T00:30:00Z"}},
		{"30 2 * * *", "Europe/Stockholm", "2026-10-24T12:00:00Z", []string{"2026-10-25T02:30 2026-10-25T00:30:00Z", "2026-10-26T02:30 2026-10-26T01:30:00Z"}},
		{"30 2 * * *", "Europe/Stockholm", "2026-10-25T00:45:00Z", []string{"2026-10-26T02:30 2026-10-26T01:30:00Z"}},
		{"30 2 * * *", "America/New_York", "2027-03-13T12:00:00Z", []string{"2027-03-14T02:30 2027-03-14T07:00:00Z"}},
		{"30 1 * * *", "America/New_York", "2027-11-07T00:00:00Z", []string{"2027-11-07T01:30 2027-11-07T05:30:00Z", "2027-11-08T01:30 2027-11-08T06:30:00Z"}},
		// half an hour, and the clocks of the south
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", []string{"2026-10-04T02:15 2026-10-03T15:30:00Z"}},
		// midnight that does not come
		{"0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", []string{"2026-04-24T00:00 2026-04-23T22:00:00Z"}},
		// a day that was skipped
		{"0 5 * * *", "Pacific/Apia", "2011-12-29T16:00:00Z", []string{"2011-12-30T05:00 2011-12-30T10:00:00Z", "2011-12-31T05:00 2011-12-30T15:00:00Z"}},
		// a zone of its own
		{"CRON_TZ=Asia/Kolkata 0 6 * * *", "Europe/Stockholm", "2026-11-20T00:00:00Z", []string{"2026-11-20T06:00 2026-11-20T00:30:00Z"}},
		// intervals know no hour that comes twice
		{"@every 30m", "Europe/Stockholm", "2026-10-25T00:01:00Z", []string{"2026-10-25T00:30:00Z 2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z 2026-10-25T01:00:00Z"}},
		{"*/30 * * * *", "Europe/Stockholm", "2026-10-25T00:31:00Z", []string{"2026-10-25T01:00:00Z 2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z 2026-10-25T01:30:00Z"}},
		{"20 * * * *", "Asia/Kolkata", "2026-10-25T00:00:00Z", []string{"2026-10-25T00:50:00Z 2026-10-25T00:50:00Z"}},
		{"0 12 29 2 *", "Europe/Stockholm", "2026-01-01T00:00:00Z", []string{"2028-02-29T12:00 2028-02-29T11:00:00Z"}},
	} {
		after, err := time.Parse(time.RFC3339, tt.after)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range plan(t, tt.cron).Next(after, zone(t, tt.zone), len(tt.want)) {
			got = append(got, d.Key+" "+d.At.Format(time.RFC3339))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s in %s after %s (-want +got):\n%s", tt.cron, tt.zone, tt.after, diff)
		}
	}
}

// TestTwoYears holds plans against a clock that is read minute by minute, over a
// leap day and every change of the clocks.
func TestTwoYears(t *testing.T) {
	t.Parallel()
	from, to := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2029, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{"Europe/Stockholm", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := zone(t, name)
			for hour, days := range readClock(z, from, to, 10, 1, 2, 4, 23) {
				follows(t, plan(t, fmt.Sprintf("10 %d * * *", hour)), z, from, days)
				days = slices.DeleteFunc(days, func(d Due) bool {
					day, err := time.Parse("2006-01-02T15:04", d.Key)
					return err != nil || day.Weekday() != time.Sunday
				})
				follows(t, plan(t, fmt.Sprintf("10 %d * * 0", hour)), z, from, days)
			}
		})
	}
}

// follows checks that a plan comes at these times from a moment on and at no other.
func follows(t *testing.T, p Plan, z *time.Location, from time.Time, want []Due) {
	t.Helper()
	if len(want) < 100 {
		t.Fatalf("%s: only %d times in two years", p, len(want))
	}
	if diff := cmp.Diff(want, p.Next(from, z, len(want))); diff != "" {
		t.Fatalf("%s (-the clock +the plan):\n%.2000s", p, diff)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		at := r.IntN(len(want) - 1)
		now := want[at].At.Add(time.Duration(r.Int64N(int64(want[at+1].At.Sub(want[at].At)))))
		if d, ok := p.Latest(now, z); !ok || d != want[at] {
			t.Fatalf("%s: the latest at %s is %+v, want %+v", p, now, d, want[at])
		}
		if d := p.Next(now, z, 1); d[0] != want[at+1] {
			t.Fatalf("%s: the next after %s is %+v, want %+v", p, now, d, want[at+1])
		}
	}
}

// readClock finds when a zone's clocks pass hour:minute of each day for the first
// time, by looking at them once a minute.
func readClock(z *time.Location, from, to time.Time, minute int, hours ...int) map[int][]Due {
	found, done := map[int][]Due{}, map[int]int{}
	before, day := -1, 0
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		local := at.In(z)
		shown, today := local.Hour()*60+local.Minute(), local.Year()*1000+local.YearDay()
		for _, hour := range hours {
			// Passed: it is shown, or what is shown jumped over it.
			wanted := hour*60 + minute
			if passed := shown == wanted || today == day && before < wanted && shown > wanted; passed && done[hour] != today && at.After(from) {
				done[hour] = today
				found[hour] = append(found[hour], Due{Key: fmt.Sprintf("%sT%02d:%02d", local.Format(time.DateOnly), hour, minute), At: at})
			}
		}
		before, day = shown, today
	}
	return found
}

// What is never due has no time.
func TestNever(t *testing.T) {
	t.Parallel()
	p := plan(t, "never")
	if d, ok := p.Latest(time.Now(), time.UTC); ok {
		t.Errorf("due at %+v", d)
	}
	if all := p.Next(time.Now(), time.UTC, 3); len(all) != 0 {
		t.Errorf("due at %+v", all)
	}
	// a leap day is looked for over years
	if d, ok := plan(t, "0 12 29 2 *").Latest(time.Date(2027, 11, 1, 0, 0, 0, 0, time.UTC), time.UTC); !ok || d.Key != "2024-02-29T12:00" {
		t.Errorf("the last leap day was %+v", d)
	}
}
