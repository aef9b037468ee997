package nightly_test

import (
	"slices"
	"sort"
	"time"
)

// The oracle works out, unit by unit and from the specification alone, what is
// held, what has to be told of and when, and what is disposed of. It shares no
// code with the product and knows nothing of its ledger.

// piece is one unit that is or was held.
type piece struct {
	seq      int // of the hold that it came with
	reason   string
	since    int
	dated    bool
	deadline int
	job      *job // that takes it
	opened   int  // day of the opening notice; 0: none yet
	told     map[string]bool
	notices  []string // Message-IDs of the openings of this hold and of those before
	back     time.Time
	returned bool // in a hold after another one
}

// bin is a pool in one condition.
type bin struct {
	box      *box
	good     bool // sellable
	recalled bool // as the snapshot says
	held     []*piece
	covered  []*piece
	pending  []*piece // came back, and are in no snapshot yet
	shown    int64    // in the snapshot
	lots     map[int]int64
}

type binKey struct {
	n    int
	good bool
}

type oracle struct {
	tr   *trader
	bins map[binKey]*bin
	seq  int
	days map[string]int
	// hidden are the orders that the snapshot leaves out, those that are over too.
	hidden map[*job]bool
}

func newOracle(tr *trader) *oracle {
	return &oracle{tr: tr, bins: map[binKey]*bin{}, hidden: map[*job]bool{},
		days: map[string]int{"unsellable": 30, "expiry": 7, "recalled": 30}}
}

// sorted are the bins in the order of the pools.
func (o *oracle) sorted() []*bin {
	var all []*bin
	for _, b := range o.bins {
		all = append(all, b)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].box.n != all[j].box.n {
			return all[i].box.n < all[j].box.n
		}
		return all[i].good && !all[j].good
	})
	return all
}

func oldestFirst(all []*piece) {
	sort.SliceStable(all, func(i, j int) bool {
		if all[i].deadline != all[j].deadline {
			return all[i].deadline < all[j].deadline
		}
		return all[i].seq < all[j].seq
	})
}

// snapshot takes in what the file of the moment shows.
func (o *oracle) snapshot(at time.Time) {
	day := dayIn(at, o.tr.zone)
	for b := range o.busy() {
		o.settle(o.bins[b], dayIn(o.tr.shownAt, o.tr.zone), at)
	}
	o.hidden = map[*job]bool{}
	if o.tr.files == filesCount {
		for _, j := range o.tr.jobs {
			if !j.told.IsZero() && j.told.Before(at) {
				o.hidden[j] = true
			}
		}
	}
	o.tr.shownAt = at
	left := map[*box]int64{}
	for j := range o.hidden {
		for _, l := range j.lines {
			left[l.box] += l.open(false)
		}
	}
	for _, x := range o.tr.boxes {
		bad, good := x.bad-left[x], int64(0)
		if x.recalled {
			good = x.sellable
		}
		o.see(binKey{x.n, false}, x, bad, day, at)
		o.see(binKey{x.n, true}, x, good, day, at)
	}
}

func (o *oracle) see(k binKey, x *box, shown int64, day int, at time.Time) {
	b := o.bins[k]
	if b == nil {
		if shown == 0 {
			return
		}
		b = &bin{box: x, good: k.good}
		o.bins[k] = b
	}
	b.shown, b.recalled, b.lots = shown, x.recalled, nil
	if o.tr.files == filesDated && !k.good {
		b.lots = map[int]int64{}
		for since, n := range x.since {
			b.lots[since] = n
		}
	}
	o.settle(b, day, at)
}

// busy are the bins that orders have to do with.
func (o *oracle) busy() map[binKey]bool {
	all := map[binKey]bool{}
	for k, b := range o.bins {
		if len(b.covered)+len(b.pending) > 0 {
			all[k] = true
		}
	}
	for _, j := range o.tr.jobs {
		for _, l := range j.lines {
			for _, good := range []bool{true, false} {
				if k := (binKey{l.box.n, good}); o.bins[k] != nil {
					all[k] = true
				}
			}
		}
	}
	return all
}

// taken are units of the snapshot that orders take.
func (o *oracle) taken(b *bin) (n int64) {
	for _, j := range o.tr.jobs {
		for _, l := range j.lines {
			if l.box != b.box || o.hidden[j] {
				continue
			}
			n += l.open(b.good)
			if j.over && j.leftAt().After(o.tr.shownAt) {
				n += l.gone(b.good)
			}
		}
	}
	return n
}

func (p *parcel) gone(sellable bool) int64 {
	if sellable {
		return p.leftSellable
	}
	return p.left
}

// settle brings a bin to what the snapshot shows less what orders take. shownDay
// is the day of the snapshot.
func (o *oracle) settle(b *bin, shownDay int, now time.Time) {
	today := dayIn(now, o.tr.zone)
	for _, p := range b.pending {
		if p.back.IsZero() {
			p.back = now
		}
	}
	if b.lots == nil {
		o.count(b, b.shown-o.taken(b), shownDay, today, "", -1)
	} else {
		covered := map[int]int64{}
		for _, p := range b.covered {
			covered[p.since]++
		}
		for _, p := range b.gone(o) {
			covered[p.since]++
		}
		sinces := map[int]bool{}
		for s := range b.lots {
			sinces[s] = true
		}
		for _, p := range b.held {
			sinces[p.since] = true
		}
		var order []int
		for s := range sinces {
			order = append(order, s)
		}
		sort.Ints(order)
		for _, s := range order {
			o.count(b, b.lots[s]-covered[s], shownDay, today, "", s)
		}
	}
	// What is waited for and not shown by a snapshot three days newer is gone.
	kept := b.pending[:0]
	for _, p := range b.pending {
		if o.tr.shownAt.Before(p.back.Add(72 * time.Hour)) {
			kept = append(kept, p)
		}
	}
	b.pending = kept
}

// gone are pieces that left after the snapshot, which still shows them.
func (b *bin) gone(o *oracle) (all []*piece) {
	for _, j := range o.tr.jobs {
		if j.over && !o.hidden[j] && j.leftAt().After(o.tr.shownAt) {
			for _, p := range j.went {
				if p.bin == b {
					all = append(all, p.piece)
				}
			}
		}
	}
	return all
}

// count makes the held units of a bin, or of one day in it, want.
func (o *oracle) count(b *bin, want int64, shownDay, today int, _ string, since int) {
	if want < 0 {
		want = 0
	}
	of := func(p *piece) bool { return since < 0 || p.since == since }
	var mine, rest []*piece
	for _, p := range b.held {
		if of(p) {
			mine = append(mine, p)
		} else {
			rest = append(rest, p)
		}
	}
	oldestFirst(mine)
	for int64(len(mine)) > want {
		mine = mine[1:]
	}
	sort.SliceStable(b.pending, func(i, j int) bool { return b.pending[i].seq < b.pending[j].seq })
	fresh := map[int]int{}
	for k := 0; k < len(b.pending) && int64(len(mine)) < want; {
		p := b.pending[k]
		if !of(p) {
			k++
			continue
		}
		b.pending = append(b.pending[:k], b.pending[k+1:]...)
		if fresh[p.seq] == 0 {
			o.seq++
			fresh[p.seq] = o.seq
		}
		p.seq, p.job, p.opened, p.told, p.returned = fresh[p.seq], nil, 0, map[string]bool{}, true
		if p.deadline < today+7 {
			p.deadline = today + 7
		}
		mine = append(mine, p)
	}
	reason := "unsellable"
	if b.box.fresh {
		reason = "expiry"
	}
	start, dated := shownDay, false
	if since >= 0 {
		start, dated = since, true
	}
	deadline := start + o.days[reason]
	if b.recalled {
		// The day of a recall is not in these files: the snapshot's counts.
		if b.good || shownDay+o.days["recalled"] <= deadline {
			reason, start, dated, deadline = "recalled", shownDay, false, shownDay+o.days["recalled"]
		}
		recall := func(p *piece) {
			p.reason, p.since, p.dated, p.deadline = "recalled", shownDay, false, shownDay+o.days["recalled"]
		}
		changed := map[int]bool{}
		for _, p := range mine {
			if p.deadline > shownDay+o.days["recalled"] {
				recall(p)
				changed[p.seq] = true
			}
		}
		// A hold has one deadline: what orders take of it and give back has it, too.
		for _, p := range slices.Concat(b.covered, b.pending) {
			if changed[p.seq] {
				recall(p)
			}
		}
	}
	if int64(len(mine)) < want {
		o.seq++
		for int64(len(mine)) < want {
			mine = append(mine, &piece{seq: o.seq, reason: reason, since: start, dated: dated, deadline: deadline, told: map[string]bool{}})
		}
	}
	b.held = append(rest, mine...)
}

// went is a piece that left with an order.
type went struct {
	bin   *bin
	piece *piece
}

// place lets an order take units, oldest deadline first.
func (o *oracle) place(j *job) {
	for _, l := range j.lines {
		o.cover(j, l.box, false, l.requested)
		o.cover(j, l.box, true, l.sellable)
	}
}

func (o *oracle) cover(j *job, x *box, good bool, units int64) {
	b := o.bins[binKey{x.n, good}]
	if b == nil {
		return
	}
	oldestFirst(b.held)
	for ; units > 0 && len(b.held) > 0; units-- {
		p := b.held[0]
		b.held = b.held[1:]
		p.job = j
		b.covered = append(b.covered, p)
	}
}

// leave lets units of an order go for good, the oldest, and come back, the newest.
func (o *oracle) leave(j *job, x *box, good bool, gone, back int64) {
	b := o.bins[binKey{x.n, good}]
	if b == nil {
		return
	}
	var mine, rest []*piece
	for _, p := range b.covered {
		if p.job == j {
			mine = append(mine, p)
		} else {
			rest = append(rest, p)
		}
	}
	oldestFirst(mine)
	for i, p := range mine {
		switch {
		case int64(i) < gone:
			j.went = append(j.went, went{b, p})
		case int64(len(mine)-1-i) < back:
			p.back = time.Time{}
			b.pending = append(b.pending, p)
		default:
			rest = append(rest, p)
		}
	}
	b.covered = rest
}

// tellKey is what is told of: which units, at which step.
type tellKey struct {
	sku      string
	good     bool
	reason   string
	since    int
	deadline int
	step     string
}

// notices are the steps that are due on a day, with their units; messageID is that
// of the digest, if one was written.
func (o *oracle) notices(now time.Time, messageID string) map[tellKey]int64 {
	today := dayIn(now, o.tr.zone)
	for k := range o.busy() {
		o.settle(o.bins[k], dayIn(o.tr.shownAt, o.tr.zone), now)
	}
	due := map[tellKey]int64{}
	for _, b := range o.sorted() {
		for _, p := range b.held {
			tell := func(step string) {
				due[tellKey{b.box.sku, b.good, p.reason, p.since, p.deadline, step}]++
				p.told[step] = true
			}
			if p.opened == 0 {
				p.opened = today
				p.notices = append(p.notices, messageID)
				if p.returned && p.deadline < today+7 {
					p.deadline = today + 7
				}
				tell("opening")
				continue
			}
			for _, step := range []struct {
				name string
				days int
			}{{"14", 14}, {"7", 7}, {"3", 3}, {"1", 1}} {
				if on := p.deadline - step.days; on > p.opened && on <= today && !p.told[step.name] {
					tell(step.name)
				}
			}
		}
	}
	return due
}

// disposals are the units to be disposed of on a day, by SKU and condition.
func (o *oracle) disposals(now time.Time, heard map[string][]time.Time) map[binKey]int64 {
	today := dayIn(now, o.tr.zone)
	for k := range o.busy() {
		o.settle(o.bins[k], dayIn(o.tr.shownAt, o.tr.zone), now)
	}
	all := map[binKey]int64{}
	if !o.tr.auto {
		return all
	}
	for _, b := range o.sorted() {
		for _, p := range b.held {
			if today > p.deadline && p.opened > 0 && o.noticed(p, today, heard) {
				all[binKey{b.box.n, b.good}]++
				p.job = disposal
			}
		}
	}
	return all
}

// disposal marks the pieces that an order is being made for.
var disposal = &job{}

func (o *oracle) noticed(p *piece, today int, heard map[string][]time.Time) bool {
	for _, id := range p.notices {
		if at := heard[id]; len(at) > 0 && dayIn(at[0], o.tr.zone)+30 <= today {
			return true
		}
	}
	return false
}

// dispose gives the marked pieces to the order that was made.
func (o *oracle) dispose(j *job) {
	for _, l := range j.lines {
		for _, good := range []bool{false, true} {
			b := o.bins[binKey{l.box.n, good}]
			if b == nil {
				continue
			}
			kept := b.held[:0]
			for _, p := range b.held {
				if p.job == disposal {
					p.job = j
					b.covered = append(b.covered, p)
					continue
				}
				kept = append(kept, p)
			}
			b.held = kept
		}
	}
}

// holding is how much is held of what.
func (o *oracle) holding() map[tellKey]int64 {
	all := map[tellKey]int64{}
	for _, b := range o.sorted() {
		for _, p := range b.held {
			all[tellKey{b.box.sku, b.good, p.reason, p.since, p.deadline, ""}]++
		}
	}
	return all
}
