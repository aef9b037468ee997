package nightly_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/nightly"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// The world is warehouses, a marketplace and a mail server, played day by day, and
// the product between them. It knows how many units lie where; what has to come of
// it the oracle works out on its own.

// What the mail server does with a merchant's messages.
const (
	mailTakes   = iota
	mailGrey    // the first attempt is put off
	mailRefuses // for the first months
	mailNone    // no server: files
)

// What a merchant's inventory files say.
const (
	filesCount = iota // the marketplace's report: counts, open orders left out
	filesOwn          // Rensa's own format: counts, weights, recalls; open orders counted in
	filesDated        // the same with the day on which units became unsellable
)

// box is the stock of one pool.
type box struct {
	n               int // number of the pool
	sku, fnsku      string
	sellable, bad   int64
	since           map[int]int64 // unsellable units by day, where files have dates
	recalled, fresh bool          // fresh: goods with an expiry date
	busyUntil       int           // day until which no other order touches it
}

// parcel is one line of an order on its way.
type parcel struct {
	box                      *box
	requested, left, stopped int64 // unsellable units
	sellable, leftSellable   int64
	stoppedSellable          int64
}

func (p *parcel) open(sellable bool) int64 {
	if sellable {
		return p.sellable - p.leftSellable - p.stoppedSellable
	}
	return p.requested - p.left - p.stopped
}

// job is an order as the marketplace and the warehouse see it.
type job struct {
	id      string
	lines   []*parcel
	placed  time.Time
	told    time.Time // when the marketplace says it was made; zero while it has not said
	tellOn  int
	endOn   int
	ending  int // 0 all leaves, 1 a part is stopped, 2 all is stopped
	over    bool
	endedAt time.Time
	went    []went // pieces that left
}

// leftAt is when its units left.
func (j *job) leftAt() time.Time { return j.endedAt }

// trader is a merchant in the world.
type trader struct {
	id, store   string
	zone        *time.Location
	files, mail int
	auto        bool
	delay       time.Duration
	boxes       []*box
	jobs        []*job
	shownAt     time.Time
	lost        bool // something that is not in the files yet
	oracle      *oracle
}

type world struct {
	t         *testing.T
	rnd       *rand.Rand
	root      string
	first     time.Time // day of the world
	clock     time.Time
	policy    *policy.Set
	ledger    *ledger.Ledger
	processor *process.Processor
	dir       *storage.Dir
	desk      *desk.Desk
	jobs      *nightly.Jobs
	open      map[string]*inventory.Snapshot
	traders   []*trader
	post      *post
	heard     map[string][]time.Time // when the server said that it took a mail, by Message-ID
	fault     string                 // "commit" or "committed": the next transaction fails so
	restarts  int
	faults    int
}

var errFault = errors.New("the plug was pulled")

// yearStart is the first day of a whole year with a leap day in it.
var yearStart = time.Date(2027, 9, 1, 0, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, seed uint64, merchants, skus int, first time.Time) *world {
	t.Helper()
	set, err := policy.Load(nil)
	must(t, err)
	w := &world{
		t: t, rnd: rand.New(rand.NewPCG(seed, 6)), root: t.TempDir(), policy: set, post: newPost(t, seed), heard: map[string][]time.Time{},
		first: first, clock: first.AddDate(0, 0, -1),
	}
	w.start()
	t.Cleanup(w.stop)
	stores := []struct{ code, zone, language string }{
		{"SE", "Europe/Stockholm", "sv"}, {"US", "America/Los_Angeles", "en"}, {"JP", "Asia/Tokyo", "de"},
	}
	for i := range merchants {
		s := stores[i%len(stores)]
		zone, err := time.LoadLocation(s.zone)
		must(t, err)
		tr := &trader{
			id: fmt.Sprintf("m%02d", i), store: s.code, zone: zone, files: (i + i/3) % 3, mail: []int{mailTakes, mailGrey, mailRefuses, mailTakes, mailNone}[i%5],
			auto: i%7 != 0,
		}
		if i%4 == 1 {
			tr.delay = time.Hour
		}
		w.post.moods[tr.domain()] = tr.mail
		tr.oracle = newOracle(tr)
		p := removal.Profile{
			Name: "Merchant " + tr.id, HomeStore: s.code, Language: s.language, TimeZone: s.zone, DefaultMethod: removal.Disposal, Acceptance: removal.AcceptRow,
			Split: true, Resubmit: removal.ResubmitContinue, ReleaseDelay: tr.delay, AutoDispose: tr.auto,
			Notify: []string{"a@" + tr.id + ".example", "b@" + tr.id + ".example"}, Reports: []string{"summary"},
		}
		if i%2 == 1 {
			p.Policy = map[string]string{"hold_days_recalled": "20"}
			tr.oracle.days["recalled"] = 20
		}
		must(t, w.ledger.AddMerchant(t.Context(), removal.Merchant{ID: tr.id, Profile: p}))
		for k := range skus {
			tr.boxes = append(tr.boxes, &box{
				n: k, sku: fmt.Sprintf("SKU-%s-%05d", tr.id, k), fnsku: fmt.Sprintf("X%s%05d", tr.id, k), sellable: w.rnd.Int64N(20),
				since: map[int]int64{}, fresh: tr.files == filesDated && k%9 == 4,
			})
		}
		w.traders = append(w.traders, tr)
	}
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start opens the workspace as a program that starts does.
func (w *world) start() {
	w.t.Helper()
	var err error
	w.ledger, err = ledger.Open(context.Background(), filepath.Join(w.root, "rensa.db"), ledger.Options{Now: w.now, Watch: func(op string) error {
		if w.fault == op {
			w.fault = ""
			return errFault
		}
		return nil
	}})
	must(w.t, err)
	w.processor, err = process.New(process.Options{
		Ledger: w.ledger, Policy: w.policy, Root: w.root, Now: w.now, Limits: decode.DefaultLimits(), Log: zerolog.Nop(),
	})
	must(w.t, err)
	w.dir, err = storage.Open(w.root)
	must(w.t, err)
	w.desk = w.processor.Desk()
	w.open = map[string]*inventory.Snapshot{}
	w.jobs = nightly.New(nightly.Options{Ledger: w.ledger, Policy: w.policy, Desk: w.desk, Storage: w.dir, Current: w.current,
		Deleting: w.processor.Deleting, Retention: nightly.Retention{Archive: 14 * 24 * time.Hour, Reports: 14 * 24 * time.Hour}})
}

func (w *world) stop() {
	for _, s := range w.open {
		must(w.t, s.Close())
	}
	must(w.t, w.processor.Close())
	must(w.t, w.dir.Close())
	must(w.t, w.ledger.Close())
}

func (w *world) now() time.Time { return w.clock }

func (w *world) current(ctx context.Context, merchant string) (*ledger.Snapshot, *inventory.Snapshot, error) {
	row, err := w.ledger.Snapshot(ctx, merchant)
	if err != nil || row == nil {
		return nil, nil, err
	}
	if w.open[row.Path] == nil {
		for name, s := range w.open {
			if strings.HasPrefix(name, "snapshots/"+merchant+"/") {
				must(w.t, s.Close())
				delete(w.open, name)
			}
		}
		if w.open[row.Path], err = inventory.Open(filepath.Join(w.root, row.Path)); err != nil {
			return nil, nil, err
		}
	}
	return row, w.open[row.Path], nil
}

// maybeRestart ends the program at some moments, and lets the next transaction
// fail at others: undone, or done with nobody to hear of it.
func (w *world) maybeRestart() {
	switch w.rnd.IntN(150) {
	case 0:
		w.stop()
		w.start()
		w.restarts++
	case 1:
		w.fault = "commit"
	case 2:
		w.fault = "committed"
	}
}

// again does something until no fault stops it, as whoever starts the program
// after a crash does.
func (w *world) again(do func() error) {
	w.t.Helper()
	err := do()
	for errors.Is(err, errFault) {
		w.faults++
		w.stop()
		w.start()
		err = do()
	}
	must(w.t, err)
}

// file is the merchant's inventory as a file shows it at the present moment.
func (w *world) file(tr *trader) string {
	var b strings.Builder
	if tr.files == filesCount {
		b.WriteString("sku\tfnsku\tasin\tproduct-name\tafn-fulfillable-quantity\tafn-unsellable-quantity\r\n")
		hidden := map[*box][2]int64{}
		for _, j := range tr.jobs {
			if !j.over && !j.told.IsZero() && j.told.Before(w.clock) {
				for _, l := range j.lines {
					h := hidden[l.box]
					hidden[l.box] = [2]int64{h[0] + l.open(true), h[1] + l.open(false)}
				}
			}
		}
		for _, x := range tr.boxes {
			h := hidden[x]
			fmt.Fprintf(&b, "%s\t%s\tB000\tThing %d\t%d\t%d\r\n", x.sku, x.fnsku, x.n, x.sellable-h[0], x.bad-h[1])
		}
		return b.String()
	}
	b.WriteString("sku\tfnsku\tproduct-name\tdisposition\tquantity\tunsellable-since\texpiry-date\trecalled\tunit-weight-g\tlongest-side-cm\tmedian-side-cm\tshortest-side-cm\r\n")
	for _, x := range tr.boxes {
		recalled := map[bool]string{true: "yes", false: "no"}[x.recalled]
		weight, expiry := "100\t20\t15\t2", ""
		if x.n%10 == 7 {
			weight = "\t\t\t" // nobody knows
		}
		if x.fresh {
			expiry = "2029-01-01"
		}
		fmt.Fprintf(&b, "%s\t%s\tThing %d\tsellable\t%d\t\t%s\t%s\t%s\r\n", x.sku, x.fnsku, x.n, x.sellable, expiry, recalled, weight)
		if tr.files == filesOwn {
			fmt.Fprintf(&b, "%s\t%s\tThing %d\tunsellable\t%d\t\t%s\t%s\t%s\r\n", x.sku, x.fnsku, x.n, x.bad, expiry, recalled, weight)
			continue
		}
		for _, day := range slices.Sorted(maps.Keys(x.since)) {
			if n := x.since[day]; n > 0 {
				fmt.Fprintf(&b, "%s\t%s\tThing %d\tunsellable\t%d\t%s\t%s\t%s\t%s\r\n", x.sku, x.fnsku, x.n, n, dayText(day), expiry, recalled, weight)
			}
		}
	}
	return b.String()
}

func dayText(day int) string { return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly) }

// dayIn is the calendar day of a moment in a zone, counted from 1970.
func dayIn(t time.Time, zone *time.Location) int {
	y, m, d := t.In(zone).Date()
	return int(time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Unix() / 86400)
}

// inventory drops the file of the moment.
func (w *world) inventory(tr *trader) {
	w.t.Helper()
	name := filepath.Join(w.root, "dropped.tsv")
	must(w.t, os.WriteFile(name, []byte(w.file(tr)), 0o600))
	w.again(func() error {
		r, err := w.processor.Process(context.Background(), process.Request{Merchant: tr.id, Path: name, Name: "inventory.tsv", AsOf: w.clock, Actor: "world", Force: true})
		if err == nil && r.ExitCode != 0 {
			err = fmt.Errorf("inventory of %s: exit code %d: %+v", tr.id, r.ExitCode, r.Problems)
		}
		return err
	})
	tr.oracle.snapshot(w.clock)
}
