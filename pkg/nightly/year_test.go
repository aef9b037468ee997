package nightly_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/nightly"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// TestYear plays a year and holds what the product tells of, orders and charges,
// day by day, against the oracle: over both changes of the clocks and a leap day,
// in three zones, with crashes and restarts in between. By default three merchants
// from October to March; RENSA_YEAR=full plays 20 with 5,000 SKUs each, all year, which
// takes an hour and a half. RENSA_SEED chooses another world, RENSA_DAYS a shorter year,
// RENSA_SKUS smaller merchants.
func TestYear(t *testing.T) {
	t.Parallel()
	seed, merchants, skus, first, days := uint64(1), 3, 24, yearStart.AddDate(0, 0, 58), 138
	full := os.Getenv("RENSA_YEAR") == "full"
	if full {
		merchants, skus, first, days = 20, 5000, yearStart, 366
	}
	if n, err := strconv.Atoi(os.Getenv("RENSA_SEED")); err == nil {
		seed = uint64(n)
	}
	if n, err := strconv.Atoi(os.Getenv("RENSA_DAYS")); err == nil {
		days = n
	}
	if n, err := strconv.Atoi(os.Getenv("RENSA_SKUS")); err == nil {
		skus = n
	}
	w := newWorld(t, seed, merchants, skus, first)
	var sum counts
	begun := time.Now()
	for day := range days {
		for _, tr := range w.traders {
			sum.add(w.day(tr, day))
			if t.Failed() {
				t.Fatalf("seed %d: %s on day %d", seed, tr.id, day)
			}
		}
		if full && day%10 == 9 {
			fmt.Fprintf(os.Stderr, "day %d of %d after %s: %+v\n", day+1, days, time.Since(begun).Round(time.Second), sum)
		}
	}
	repeats := w.letters(&sum)
	t.Logf("%d merchants, %d SKUs each, %d days: %+v; %d restarts, %d transactions that failed or were not heard of, %d connections broken off, %d mails of %d that the server got again",
		merchants, skus, days, sum, w.restarts, w.faults, w.post.broken, repeats, len(w.post.Mails()))
	if sum.digests == 0 || sum.disposed == 0 || sum.returned == 0 || sum.charged == 0 || w.restarts == 0 || w.faults == 0 || w.post.broken == 0 || repeats == 0 {
		t.Error("the year was too quiet")
	}
}

// counts say how much happened.
type counts struct{ digests, steps, disposals, disposed, charged, placed, returned, due int64 }

func (c *counts) add(d counts) {
	c.digests, c.steps, c.disposals, c.disposed = c.digests+d.digests, c.steps+d.steps, c.disposals+d.disposals, c.disposed+d.disposed
	c.charged, c.placed, c.returned, c.due = c.charged+d.charged, c.placed+d.placed, c.returned+d.returned, c.due+d.due
}

// day plays one day of one merchant, at the hours of its own clocks.
func (w *world) day(tr *trader, n int) (c counts) {
	at := func(hour, minute int) {
		w.clock = time.Date(w.first.Year(), w.first.Month(), w.first.Day()+n, hour, minute, 0, 0, tr.zone).UTC()
		w.maybeRestart()
	}
	at(3, 10)
	if tr.files == filesCount || n == 0 || tr.lost || w.rnd.IntN(5) > 0 {
		tr.lost = false
		w.inventory(tr)
	}
	if n%7 == 6 {
		at(4, 40)
		w.housekeeping(tr)
	}
	at(5, 0)
	w.notices(tr, &c)
	at(5, 10)
	w.send(tr)
	at(5, 30)
	w.dispose(tr, &c)
	at(5, 40)
	w.send(tr)
	at(10, 0)
	w.trade(tr)
	w.order(tr, &c)
	at(12, 0)
	w.status(tr, &c)
	at(18, 0)
	w.send(tr)
	w.look(tr, n)
	return c
}

// look asks for one pool's holds by itself.
func (w *world) look(tr *trader, n int) {
	w.t.Helper()
	ctx := context.Background()
	all, err := w.jobs.Deadlines(ctx, tr.id, w.clock)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(all.Rows) == 0 {
		return
	}
	pool := all.Rows[n%len(all.Rows)].Pool
	want := slices.DeleteFunc(all.Rows, func(r report.Deadline) bool { return r.Pool != pool })
	got, err := w.jobs.DeadlinesOf(ctx, tr.id, pool, w.clock)
	if err != nil {
		w.t.Fatal(err)
	}
	// Holds that begin now have no number of their own yet.
	if diff := cmp.Diff(want, got.Rows, cmpopts.IgnoreFields(removal.NoticeRow{}, "Hold")); diff != "" {
		w.t.Errorf("%s, pool %q (-among all +alone):\n%s", tr.id, pool, diff)
	}
}

// notices runs the job and compares what it told of.
func (w *world) notices(tr *trader, c *counts) {
	w.t.Helper()
	ctx := context.Background()
	if w.rnd.IntN(20) == 0 {
		w.rehearse(tr)
	}
	w.again(func() error {
		_, err := w.jobs.Notices(ctx, tr.id, w.clock, false)
		return err
	})
	if w.rnd.IntN(10) == 0 { // once more on the same day: nothing new
		w.again(func() error {
			_, err := w.jobs.Notices(ctx, tr.id, w.clock.Add(time.Minute), false)
			return err
		})
	}
	today := dayIn(w.clock, tr.zone)
	id, mail := "notice-"+dayText(today), ""
	m, err := w.ledger.Message(ctx, tr.id, id)
	if err == nil {
		mail = m.MessageID
	} else if !errors.Is(err, ledger.ErrNotFound) {
		must(w.t, err)
	}
	want := tr.oracle.notices(w.clock, mail)
	book, err := w.ledger.LiveHolds(ctx, tr.id)
	must(w.t, err)
	got := w.told(book, today, id)
	compare(w, "told of by "+tr.id, want, got)
	compare(w, "held by "+tr.id, tr.oracle.holding(), held(book))
	if (mail != "") != (len(want) > 0) {
		w.t.Errorf("%s: a digest is %q, and %d steps are due", dayText(today), mail, len(want))
	}
	if mail != "" {
		c.digests++
		c.steps += int64(len(want))
		w.letter(tr, &m, today, want)
	}
}

// housekeeping deletes what is old: nothing of it may be missed.
func (w *world) housekeeping(tr *trader) {
	w.t.Helper()
	w.again(func() error {
		_, err := w.jobs.Housekeeping(context.Background(), tr.id, w.clock, false)
		return err
	})
}

// rehearse runs both jobs as they would be run in a month and sees that nothing
// comes of it.
func (w *world) rehearse(tr *trader) {
	w.t.Helper()
	ctx := context.Background()
	before, err := w.ledger.Merchant(ctx, tr.id)
	must(w.t, err)
	ahead := w.clock.AddDate(0, 1, 0)
	for _, job := range []func(context.Context, string, time.Time, bool) (nightly.Outcome, error){w.jobs.Notices, w.jobs.Dispose} {
		w.again(func() error {
			out, err := job(ctx, tr.id, ahead, true)
			if err == nil && out.ReportDir == "" {
				err = errors.New("a rehearsal without reports")
			}
			return err
		})
	}
	after, err := w.ledger.Merchant(ctx, tr.id)
	must(w.t, err)
	if before.Revision != after.Revision {
		w.t.Errorf("a rehearsal changed %s", tr.id)
	}
}

func dayOf(t time.Time) int { return int(t.Unix() / 86400) }

func (w *world) told(book *ledger.HoldBook, today int, id string) map[tellKey]int64 {
	all := map[tellKey]int64{}
	for i := range book.Holds {
		h := &book.Holds[i]
		for _, s := range h.Steps {
			if dayOf(s.Day) != today {
				continue
			}
			if s.Message != id {
				w.t.Errorf("step %s of hold %d is told of in %s", s.Step, h.ID, s.Message)
			}
			all[tellKey{h.SKU, h.Condition == removal.Sellable, string(h.Reason), dayOf(h.Since), dayOf(h.Deadline), s.Step}] += s.Units
		}
	}
	return all
}

func held(book *ledger.HoldBook) map[tellKey]int64 {
	all := map[tellKey]int64{}
	for i := range book.Holds {
		if h := &book.Holds[i]; h.Units > 0 {
			all[tellKey{h.SKU, h.Condition == removal.Sellable, string(h.Reason), dayOf(h.Since), dayOf(h.Deadline), ""}] += h.Units
		}
	}
	return all
}

func compare[K comparable](w *world, what string, want, got map[K]int64) {
	w.t.Helper()
	if maps.Equal(want, got) {
		return
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(tellKey{}, binKey{})); diff != "" {
		w.t.Errorf("%s, %s: want (-), got (+)\n%s", w.clock.Format(time.RFC3339), what, diff)
	}
}

// letter looks at what a digest says.
func (w *world) letter(tr *trader, m *ledger.Message, today int, want map[tellKey]int64) {
	w.t.Helper()
	var n removal.Notice
	must(w.t, json.Unmarshal(m.Data, &n))
	units := map[string]int64{}
	var all int64
	for k, v := range want {
		key := fmt.Sprintf("%s %t %s %d", k.sku, k.good, k.reason, k.deadline)
		if k.step == "opening" || units[key] == 0 {
			units[key] += v
			all += v
		}
	}
	if dayOf(n.Date) != today || dayIn(m.Created, tr.zone) != today || n.Units < all || n.Language != m.Language || len(m.Recipients) != 2 {
		w.t.Errorf("digest %s of %s: %+v, want %d units", m.ID, tr.id, n, all)
	}
	if len(m.Attachments) != 2 || m.Attachments[0].Name != nightly.DeadlinesFile || m.Attachments[1].Name != nightly.RequiredUpload {
		w.t.Errorf("digest %s of %s: %d attachments", m.ID, tr.id, len(m.Attachments))
	}
}

// dispose runs the job and compares what it ordered.
func (w *world) dispose(tr *trader, c *counts) {
	w.t.Helper()
	ctx := context.Background()
	mark, err := w.ledger.OrdersAfter(ctx, tr.id, 0, func(removal.Order) error { return nil })
	must(w.t, err)
	w.again(func() error {
		_, err := w.jobs.Dispose(ctx, tr.id, w.clock, false)
		return err
	})
	want, got := tr.oracle.disposals(w.clock, w.heard), map[binKey]int64{}
	c.due += int64(len(want))
	j := &job{placed: w.clock, tellOn: dayIn(w.clock, tr.zone) + 1, endOn: dayIn(w.clock, tr.zone) + 4 + w.rnd.IntN(6), ending: max(0, w.rnd.IntN(5)-2)}
	_, err = w.ledger.OrdersAfter(ctx, tr.id, mark, func(o removal.Order) error {
		if o.Source != removal.SourceRequired || o.Method != removal.Disposal || j.id != "" {
			w.t.Errorf("an order %s of source %s", o.ID, o.Source)
		}
		j.id = o.ID
		for i := range o.Lines {
			l := &o.Lines[i]
			x := tr.box(l.SKU)
			got[binKey{x.n, false}] += l.Unsellable.Requested
			got[binKey{x.n, true}] += l.Sellable.Requested
			j.lines = append(j.lines, &parcel{box: x, requested: l.Unsellable.Requested, sellable: l.Sellable.Requested})
			x.busyUntil = dayIn(w.clock, tr.zone)
			w.charge(tr, x, l, c)
		}
		return nil
	})
	must(w.t, err)
	for k, n := range got {
		if n == 0 {
			delete(got, k)
		}
		c.disposed += n
	}
	compare(w, "disposed of by "+tr.id, want, got)
	told, err := w.ledger.HasMessage(ctx, tr.id, "disposal-"+dayText(dayIn(w.clock, tr.zone)))
	must(w.t, err)
	if told != (len(want) > 0) {
		w.t.Errorf("%s: %d disposals, message %t", tr.id, len(want), told)
	}
	if len(got) > 0 {
		c.disposals++
		tr.jobs = append(tr.jobs, j)
		tr.oracle.dispose(j)
	}
	book, err := w.ledger.LiveHolds(ctx, tr.id)
	must(w.t, err)
	compare(w, "held after the disposals by "+tr.id, tr.oracle.holding(), held(book))
}

// charge looks at the fee of a line: 100 g, 20 by 15 by 2 cm cost 0.84 in the US
// since January 2026; for the others no rate is public, and in the marketplace's
// own report stands no weight.
func (w *world) charge(tr *trader, x *box, l *removal.Line, c *counts) {
	w.t.Helper()
	known := tr.store == "US" && tr.files != filesCount && x.n%10 != 7
	want := removal.Amount(0)
	if known {
		want = removal.Amount(8400 * (l.Unsellable.Requested + l.Sellable.Requested))
		c.charged++
	}
	if l.HasFee != known || l.Fee != want {
		w.t.Errorf("%s %s: fee %s, %t, want %s, %t", tr.store, l.SKU, l.Fee, l.HasFee, want, known)
	}
}

func (tr *trader) box(sku string) *box {
	n, err := strconv.Atoi(sku[len(sku)-5:])
	if err != nil || n >= len(tr.boxes) {
		panic("no such SKU: " + sku)
	}
	return tr.boxes[n]
}

// active are the boxes that orders on their way have to do with.
func (tr *trader) active(today int) map[*box]bool {
	all := map[*box]bool{}
	for _, j := range tr.jobs {
		for _, l := range j.lines {
			if !j.over || l.box.busyUntil >= today-8 {
				all[l.box] = true
			}
		}
	}
	return all
}

// trade lets stock come and go.
func (w *world) trade(tr *trader) {
	today := dayIn(w.clock, tr.zone)
	active := tr.active(today)
	for range max(3, len(tr.boxes)/60) {
		x := tr.boxes[w.rnd.IntN(len(tr.boxes))]
		n := 1 + w.rnd.Int64N(4)
		switch w.rnd.IntN(8) {
		case 0: // arrival
			x.sellable += 3 * n
		case 1, 2: // sales
			if !x.recalled {
				x.sellable = max(0, x.sellable-n)
			}
		case 3: // a customer sends it back, and nobody can sell it
			x.spoil(n, today)
		case 4, 5: // damage in the warehouse
			if n = min(n, x.sellable); !active[x] {
				x.sellable -= n
				x.spoil(n, today)
			}
		case 6: // found to be good after all, or lost
			if !active[x] {
				x.lose(min(n, x.bad))
				x.busyUntil, tr.lost = today, true // nobody orders what the next file shows gone
			}
		case 7:
			if tr.files == filesOwn && w.rnd.IntN(6) == 0 {
				x.recalled = true
			}
		}
	}
}

func (x *box) spoil(n int64, today int) {
	x.bad += n
	x.since[today] += n
}

func (x *box) lose(n int64) {
	x.bad -= n
	for _, day := range slices.Sorted(maps.Keys(x.since)) {
		units := x.since[day]
		take := min(n, units)
		if x.since[day], n = units-take, n-take; x.since[day] == 0 {
			delete(x.since, day)
		}
	}
}

// order lets the merchant remove some of what is held, and take some of that back
// on the same day.
func (w *world) order(tr *trader, c *counts) {
	w.t.Helper()
	if w.rnd.IntN(3) > 0 || tr.shownAt.IsZero() {
		return
	}
	today := dayIn(w.clock, tr.zone)
	j := &job{
		id: fmt.Sprintf("O-%d-%d", today, len(tr.jobs)), placed: w.clock, tellOn: today + 1 + w.rnd.IntN(3), ending: w.rnd.IntN(3),
	}
	j.endOn = j.tellOn + w.rnd.IntN(8)
	var items []desk.Item
	for range 1 + len(tr.boxes)/100 + w.rnd.IntN(3) {
		x := tr.boxes[w.rnd.IntN(len(tr.boxes))]
		bad, good := tr.free(x)
		if x.busyUntil >= today || bad+good == 0 {
			continue
		}
		x.busyUntil = today
		l := &parcel{box: x}
		if bad > 0 {
			l.requested = 1 + w.rnd.Int64N(bad)
		}
		if good > 0 {
			l.sellable = 1 + w.rnd.Int64N(good)
		}
		j.lines = append(j.lines, l)
		items = append(items, desk.Item{SKU: x.sku, Unsellable: l.requested, Sellable: l.sellable})
	}
	if len(items) == 0 {
		return
	}
	c.placed++
	ctx := context.Background()
	w.again(func() error {
		if _, err := w.desk.Create(ctx, desk.Draft{Merchant: tr.id, ID: j.id, Items: items}); err != nil && !errors.Is(err, ledger.ErrExists) {
			return err
		}
		_, err := w.desk.Place(ctx, tr.id, j.id, "world")
		if errors.Is(err, ledger.ErrNotFound) { // placed before the crash
			return nil
		}
		var not *desk.NotPlaced
		if errors.As(err, &not) {
			return fmt.Errorf("%w: %+v", err, not.Review.Problems)
		}
		return err
	})
	tr.jobs = append(tr.jobs, j)
	tr.oracle.place(j)
	if tr.delay > 0 && w.rnd.IntN(2) == 0 {
		w.again(func() error {
			_, err := w.desk.Cancel(ctx, tr.id, desk.CancelRequest{Order: j.id, Actor: "world"})
			return err
		})
		w.end(tr, j, 2, c)
		return
	}
	w.again(func() error {
		_, err := w.desk.ReleaseDue(ctx, tr.id)
		return err
	})
}

// free are the units of a box that the product sees and that no order takes.
func (tr *trader) free(x *box) (bad, good int64) {
	b := tr.oracle.bins[binKey{x.n, false}]
	if b != nil {
		bad = int64(len(b.held))
	}
	if b = tr.oracle.bins[binKey{x.n, true}]; b != nil {
		good = int64(len(b.held))
	}
	return bad, good
}

// end lets what an order asked for leave, or some of it not.
func (w *world) end(tr *trader, j *job, ending int, c *counts) {
	j.over, j.endedAt = true, w.clock
	for _, l := range j.lines {
		l.box.busyUntil = dayIn(w.clock, tr.zone)
		l.left, l.leftSellable = l.requested, l.sellable
		switch ending {
		case 1:
			l.left, l.leftSellable = l.requested/2, l.sellable/2
		case 2:
			l.left, l.leftSellable = 0, 0
		}
		l.stopped, l.stoppedSellable = l.requested-l.left, l.sellable-l.leftSellable
		c.returned += l.stopped + l.stoppedSellable
		l.box.bad -= l.left
		l.box.sellable -= l.leftSellable
		tr.oracle.leave(j, l.box, false, l.left, l.stopped)
		tr.oracle.leave(j, l.box, true, l.leftSellable, l.stoppedSellable)
	}
	// The warehouse takes the oldest of what was held when the order was placed.
	if tr.files == filesDated {
		for _, g := range j.went {
			if x := g.bin.box; !g.bin.good {
				if x.since[g.piece.since]--; x.since[g.piece.since] == 0 {
					delete(x.since, g.piece.since)
				}
			}
		}
	}
}

// status lets a status file tell of the orders.
func (w *world) status(tr *trader, c *counts) {
	w.t.Helper()
	today := dayIn(w.clock, tr.zone)
	var rows []removal.OrderDetailLine
	kept := tr.jobs[:0]
	for _, j := range tr.jobs {
		if !j.over || j.endedAt.After(w.clock.AddDate(0, 0, -12)) {
			kept = append(kept, j)
		}
		busy := false
		for _, l := range j.lines {
			busy = busy || l.box.busyUntil >= today
		}
		if j.over || today < j.tellOn {
			continue
		}
		state := removal.StatePending
		if j.told.IsZero() {
			j.told = w.clock.Add(-time.Minute)
		} else if today >= j.endOn && !busy {
			w.end(tr, j, j.ending, c)
			if state = removal.StateCompleted; j.ending == 2 {
				state = removal.StateCancelled
			}
		} else {
			continue
		}
		for _, l := range j.lines {
			row := removal.OrderDetailLine{
				Row: len(rows) + 2, OrderID: j.id, RequestDate: j.told, LastUpdated: w.clock, Type: "Disposal", Status: state,
				SKU: l.box.sku, FNSKU: l.box.fnsku,
			}
			for _, sellable := range []bool{true, false} {
				row.Condition, row.Requested, row.Disposed, row.Cancelled = removal.Sellable, l.sellable, l.leftSellable, l.stoppedSellable
				if !sellable {
					row.Condition, row.Requested, row.Disposed, row.Cancelled = removal.Unsellable, l.requested, l.left, l.stopped
				}
				if row.InProcess = l.open(sellable); row.Requested > 0 {
					rows = append(rows, row)
				}
			}
		}
	}
	tr.jobs = kept
	if len(rows) == 0 {
		return
	}
	w.again(func() error {
		problems, _, err := w.desk.ApplyOrderDetail(context.Background(), tr.id, "run", rows)
		if err == nil && len(problems) > 0 {
			err = fmt.Errorf("status: %+v", problems)
		}
		return err
	})
}
