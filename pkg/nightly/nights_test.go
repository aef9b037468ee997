package nightly_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/mail"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/nightly"
	"rensa/pkg/notify"
	"rensa/pkg/notify/notifytest"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/schedule"
	"rensa/pkg/storage"
)

// nights is the whole program at work through many nights, as serve wires it:
// schedule, jobs, outbox and a real mail server.
type nights struct {
	*testing.T
	rnd    *rand.Rand
	root   string
	at     time.Time
	policy *policy.Set
	server *notifytest.Server
	// What a restart makes anew.
	ledger    *ledger.Ledger
	processor *process.Processor
	dir       *storage.Dir
	scheduler *schedule.Scheduler
	sender    *notify.Sender
	lots      map[string][]string // lines of the stock file, by merchant
	// runs are the runs of notices by merchant and key: the ledger forgets them.
	runs   map[string]map[string]ledger.JobRun
	killed bool // the next job that ends is killed before it is recorded
	kills  int
}

func (n *nights) now() time.Time { return n.at }

func (n *nights) start() {
	n.Helper()
	var err error
	n.ledger, err = ledger.Open(context.Background(), filepath.Join(n.root, "rensa.db"), ledger.Options{Now: n.now})
	must(n, err)
	n.processor, err = process.New(process.Options{
		Ledger: n.ledger, Policy: n.policy, Root: n.root, Now: n.now, Limits: decode.DefaultLimits(), Log: zerolog.Nop(),
	})
	must(n, err)
	n.dir, err = storage.Open(n.root)
	must(n, err)
	jobs := nightly.New(nightly.Options{
		Ledger: n.ledger, Policy: n.policy, Desk: n.processor.Desk(), Storage: n.dir, Current: n.processor.Current, Deleting: n.processor.Deleting,
	})
	n.sender = notify.New(notify.Options{
		Ledger: n.ledger, Now: n.now, From: &mail.Address{Address: "rensa@rensa.example"}, Dir: n.dir,
		Server: &notify.Server{Host: n.server.Host, Port: n.server.Port, Security: notify.NoTLS, Timeout: 10 * time.Second},
	})
	var all []schedule.Job
	for _, j := range []struct {
		name, plan string
		do         func(context.Context, string, time.Time, bool) (nightly.Outcome, error)
	}{{"notices", "0 5 * * *", jobs.Notices}, {"dispose", "30 5 * * *", jobs.Dispose}, {"housekeeping", "40 4 * * 0", jobs.Housekeeping}} {
		plan, err := schedule.Parse(j.plan)
		must(n, err)
		all = append(all, schedule.Job{Name: j.name, Plan: plan, Do: func(ctx context.Context, merchant string, at time.Time) (schedule.Result, error) {
			defer n.processor.Using(merchant)()
			out, err := j.do(ctx, merchant, at, false)
			if err == nil && n.rnd.IntN(2) == 0 { // at times the outbox waits for the sender itself
				_, err = n.sender.SendDue(ctx, merchant)
			}
			if n.killed {
				n.killed = false
				n.kills++
				runtime.Goexit()
			}
			return schedule.Result{Counts: out.Counts}, err
		}})
	}
	n.scheduler = schedule.New(schedule.Options{Ledger: n.ledger, Jobs: all, Now: n.now})
}

func (n *nights) stop() {
	n.Helper()
	must(n, errors.Join(n.processor.Close(), n.dir.Close(), n.ledger.Close()))
}

// look makes what is due and sends what waits; a kill ends it, and then the program
// starts again.
func (n *nights) look() {
	n.Helper()
	n.killed = n.rnd.IntN(12) == 0
	dead := true
	var w sync.WaitGroup
	w.Go(func() {
		_, _, err := n.scheduler.RunDue(context.Background())
		if err == nil {
			_, err = n.sender.SendDue(context.Background(), "")
		}
		if err != nil {
			n.Error(err)
		}
		dead = false
	})
	w.Wait()
	n.note()
	if dead || n.rnd.IntN(50) == 0 {
		n.stop()
		n.start()
	}
	if dead {
		n.at = n.at.Add(20 * time.Minute) // leases run out
		n.look()
	}
}

// note keeps the runs of late, before housekeeping forgets them.
func (n *nights) note() {
	n.Helper()
	for merchant, known := range n.runs {
		late, err := n.ledger.JobRuns(n.Context(), merchant, "notices", 10)
		must(n, err)
		for _, r := range late {
			known[r.Key] = r
		}
	}
}

// stock drops a file in which more units have become unsellable.
func (n *nights) stock(merchant string, today time.Time) {
	n.Helper()
	for range 1 + n.rnd.IntN(3) {
		k := len(n.lots[merchant])
		n.lots[merchant] = append(n.lots[merchant], fmt.Sprintf("SKU-%d\tX%d\tunsellable\t%d\t%s", k, k, 1+n.rnd.IntN(9), today.AddDate(0, 0, -n.rnd.IntN(3)).Format(time.DateOnly)))
	}
	path := filepath.Join(n.TempDir(), "stock.tsv")
	text := "sku\tfnsku\tdisposition\tquantity\tunsellable-since\n" + strings.Join(n.lots[merchant], "\n") + "\n"
	must(n, os.WriteFile(path, []byte(text), 0o600))
	r, err := n.processor.Process(n.Context(), process.Request{Merchant: merchant, Path: path, Name: "stock.tsv", AsOf: n.at})
	must(n, err)
	if r.ExitCode != 0 {
		n.Fatalf("stock of %s: %+v", merchant, r.FileProblem)
	}
}

// faults are what a mail server does to those who rely on it.
func (n *nights) faults() notifytest.Faults {
	r := rand.New(rand.NewPCG(5, 6))
	var mu sync.Mutex
	one := func(in int) bool {
		mu.Lock()
		defer mu.Unlock()
		return r.IntN(in) == 0
	}
	return notifytest.Faults{
		Rcpt: func(to string) error {
			switch {
			case strings.HasPrefix(to, "gone@"):
				return notifytest.Refusal(550, 5, 1, 1, "no such user here")
			case one(6):
				return notifytest.Refusal(451, 4, 7, 1, "come back later")
			}
			return nil
		},
		Midway: func(cut func()) {
			if one(8) {
				cut()
			}
		},
		Data: func(_ *notifytest.Mail, cut func()) (bool, error) {
			if one(8) {
				cut() // taken, and nobody hears of it
			}
			return true, nil
		},
	}
}

// Many nights, over a leap day and the spring's changes of the clocks, with restarts
// and kills and a mail server that has its days: every step of every hold is told of
// on its local day, once, in a message that the server got. RENSA_NIGHTS says how
// many nights; 40 where it is not set.
func TestNights(t *testing.T) {
	t.Parallel()
	set, err := policy.Load(nil)
	must(t, err)
	n := &nights{
		T: t, rnd: rand.New(rand.NewPCG(1, 9)), root: t.TempDir(), policy: set, server: notifytest.Start(t, notifytest.NoTLS), lots: map[string][]string{},
		runs: map[string]map[string]ledger.JobRun{},
		at:   time.Date(2028, 2, 24, 22, 0, 0, 0, time.UTC),
	}
	n.server.Fail(n.faults())
	n.start()
	defer func() { n.stop() }()
	zones := map[string]string{"acme": "Europe/Stockholm", "bolt": "America/Los_Angeles", "coco": "Asia/Tokyo"}
	stores := map[string]string{"acme": "SE", "bolt": "US", "coco": "JP"}
	merchants := []string{"acme", "bolt", "coco"}
	for _, id := range merchants {
		n.runs[id] = map[string]ledger.JobRun{}
		p := ledger.DefaultProfile()
		p.HomeStore, p.TimeZone, p.Notify = stores[id], zones[id], []string{"ada@" + id + ".example", "gone@" + id + ".example"}
		must(t, n.ledger.AddMerchant(t.Context(), removal.Merchant{ID: id, Profile: p, Created: n.at}))
	}
	nightsToPlay := 40
	if v := os.Getenv("RENSA_NIGHTS"); v != "" {
		nightsToPlay, err = strconv.Atoi(v)
		must(t, err)
	}
	end := n.at.AddDate(0, 0, nightsToPlay)
	for day := 0; n.at.Before(end); day++ {
		if day%5 == 0 && n.at.Before(end.AddDate(0, 0, -10)) {
			for _, id := range merchants {
				n.stock(id, n.at)
			}
		}
		n.look()
		n.at = n.at.Add(3*time.Hour + time.Duration(n.rnd.Int64N(int64(4*time.Hour))))
		if n.rnd.IntN(80) == 0 {
			n.at = n.at.AddDate(0, 0, 2) // nothing is up
		}
	}
	n.at = n.at.Add(24 * time.Hour)
	n.server.Fail(notifytest.Faults{})
	for range 5 { // what waits is sent
		_, err := n.sender.SendDue(t.Context(), "")
		must(t, err)
		n.at = n.at.Add(2 * time.Hour)
	}
	told := 0
	for _, id := range merchants {
		zone, err := time.LoadLocation(zones[id])
		must(t, err)
		told += n.check(id, zone)
	}
	twice := 0
	for _, times := range n.server.Times() {
		twice += times - 1
	}
	if told < 100 || twice == 0 || n.kills < 3 {
		t.Errorf("%d steps, %d repeats and %d kills: that is no trial", told, twice, n.kills)
	}
	t.Logf("%d steps told of in %d messages, %d of them repeated, %d kills", told, len(n.server.Times()), twice, n.kills)
}

// check holds a merchant's steps against the nights on which notices were made.
func (n *nights) check(merchant string, zone *time.Location) (told int) {
	n.Helper()
	runs := slices.SortedFunc(maps.Values(n.runs[merchant]), func(a, b ledger.JobRun) int { return a.Started.Compare(b.Started) })
	days := make([]string, len(runs))
	for i, r := range runs {
		if r.Status != ledger.JobDone {
			n.Errorf("%s: run %s is %s: %s", merchant, r.Key, r.Status, r.Error)
		}
		days[i] = r.Started.In(zone).Format(time.DateOnly)
		if i > 0 && runs[i].Key <= runs[i-1].Key {
			n.Errorf("%s: run %s after %s", merchant, runs[i].Key, runs[i-1].Key)
		}
	}
	// night is the first on or after a day, and after a moment. A day has one digest:
	// what comes after it, as when an earlier night was made up for, waits.
	digest := map[string]time.Time{}
	messages, err := n.ledger.Messages(n.Context(), merchant, 10_000)
	must(n, err)
	for _, m := range messages {
		digest[m.Created.In(zone).Format(time.DateOnly)] = m.Created
	}
	night := func(day string, after time.Time) string {
		for i, d := range days {
			if at, ok := digest[d]; d >= day && !runs[i].Started.Before(after) && (!ok || !at.Before(after)) {
				return d
			}
		}
		return ""
	}
	book, err := n.ledger.AllHolds(n.Context(), merchant)
	must(n, err)
	if len(book.Holds) != len(n.lots[merchant]) {
		n.Errorf("%s has %d holds of %d lots", merchant, len(book.Holds), len(n.lots[merchant]))
	}
	times := n.server.Times()
	for _, h := range book.Holds {
		want := map[string]string{}
		opening := night("", h.Opened)
		want[removal.StepOpening] = opening
		for _, before := range []int{14, 7, 3, 1} {
			on := h.Deadline.AddDate(0, 0, -before).Format(time.DateOnly)
			if at := night(on, time.Time{}); on > opening && at != "" {
				want[strconv.Itoa(before)] = at
			}
		}
		for _, s := range h.Steps {
			told++
			if got := s.Day.Format(time.DateOnly); got != want[s.Step] {
				n.Errorf("%s, hold %d opened %s with deadline %s: step %s was on %s, not %s", merchant, h.ID, h.Opened, h.Deadline.Format(time.DateOnly), s.Step, got, want[s.Step])
			}
			delete(want, s.Step)
			n.got(merchant, &s, times)
		}
		for step, day := range want {
			n.Errorf("%s, hold %d: step %s was not told of on %s", merchant, h.ID, step, day)
		}
	}
	return told
}

// got checks that the mail server got the message of a step, and that it tells of it.
func (n *nights) got(merchant string, s *removal.HoldStep, times map[string]int) {
	n.Helper()
	m, err := n.ledger.Message(n.Context(), merchant, s.Message)
	must(n, err)
	if m.State != ledger.MessageSent || times["<"+m.MessageID+">"] == 0 || s.AcceptedAt.IsZero() {
		n.Errorf("%s: message %s is %s, and the server has it %d times", merchant, m.ID, m.State, times["<"+m.MessageID+">"])
	}
	for _, r := range m.Recipients {
		if refused := strings.HasPrefix(r.Address, "gone@"); refused != (r.State == ledger.RecipientRefused) {
			n.Errorf("%s of message %s is %s: %s", r.Address, m.ID, r.State, r.Reason)
		}
	}
	var notice removal.Notice
	must(n, json.Unmarshal(m.Data, &notice))
	if !slices.ContainsFunc(notice.Rows, func(r removal.NoticeRow) bool { return r.Hold == s.Hold }) {
		n.Errorf("%s: message %s does not tell of hold %d", merchant, m.ID, s.Hold)
	}
}
