package desk_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// driver does the same random things to the product and to the model.
type driver struct {
	*office
	t       *testing.T
	rand    *rand.Rand
	model   *model
	n       int // for ids
	drafts  map[string][]modelItem
	uploads []string
	finals  map[string]string // state of finished orders, by number in the ledger
	done    map[string]int    // how often each kind of step was taken
	last    string            // what the last step was
}

// modelPools: A and B are one pool.
var modelPools = map[string]string{"A": "X1", "B": "X1", "C": "X2", "D": "\x00D"}
var modelSKUs = []string{"A", "B", "C", "D"}

func newDriver(t *testing.T, seed uint64) *driver {
	d := &driver{
		office: newOffice(t, nil), t: t, rand: rand.New(rand.NewPCG(seed, 5)), model: newModel(modelPools),
		drafts: map[string][]modelItem{}, finals: map[string]string{}, done: map[string]int{},
	}
	d.snapshot()
	return d
}

// TestModel drives random sequences of uploads, drafts, placings, cancels,
// snapshots and status files, and compares every order and all stock with the
// model after each step. RENSA_STEPS is how many steps to take in all.
func TestModel(t *testing.T) {
	t.Parallel()
	steps, from := 900, uint64(1)
	if v, err := strconv.Atoi(os.Getenv("RENSA_STEPS")); err == nil {
		steps = v
	}
	if v, err := strconv.ParseUint(os.Getenv("RENSA_SEED"), 10, 64); err == nil {
		from = v
	}
	const perSeed = 150
	total := map[string]int{}
	for seed := from; steps > 0; seed++ {
		ok := t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			d := newDriver(t, seed)
			for range min(steps, perSeed) {
				d.step()
				d.compare()
				if t.Failed() {
					t.Fatalf("seed %d: after %s", seed, d.last)
				}
			}
			for k, n := range d.done {
				total[k] += n
			}
		})
		if !ok {
			return
		}
		steps -= perSeed
	}
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d %s", total[k], k)
	}
}

func (d *driver) chance(percent int) bool { return d.rand.IntN(100) < percent }

func (d *driver) step() {
	d.wait(time.Duration(1+d.rand.IntN(90)) * time.Minute)
	kinds := []struct {
		weight int
		what   string
		do     func()
	}{
		{6, "snapshot", d.snapshot}, {14, "upload", d.upload}, {4, "the same upload again", d.uploadAgain},
		{12, "draft", d.draft}, {6, "edit", d.edit}, {3, "discard", d.discard}, {14, "place", d.place},
		{12, "cancel", d.cancel}, {8, "release", d.release}, {24, "order detail", d.detail}, {8, "shipment detail", d.shipment},
		{4, "processing report", d.processing}, {3, "set-status", d.setStatus}, {3, "release delay", d.setDelay},
	}
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	at := d.rand.IntN(sum)
	for _, k := range kinds {
		if at -= k.weight; at < 0 {
			d.last = k.what
			d.done[k.what]++
			k.do()
			return
		}
	}
}

func (d *driver) snapshot() {
	m := d.model
	m.stock = map[modelKey]int{}
	var lines []string
	for _, sku := range modelSKUs {
		pool, fnsku := modelPools[sku], modelPools[sku]
		if strings.HasPrefix(pool, "\x00") {
			fnsku = ""
		}
		q := [2]int{d.rand.IntN(30), d.rand.IntN(12)}
		for c := range q {
			m.stock[modelKey{pool, c}] += q[c]
		}
		lines = append(lines, fmt.Sprintf("%s|%s|%d|%d", sku, fnsku, q[0], q[1]))
	}
	m.date, m.excluded = d.now(), d.chance(50)
	d.inventory(m.excluded, lines...)
}

func (d *driver) items(most int) []modelItem {
	var items []modelItem
	for _, i := range d.rand.Perm(len(modelSKUs))[:1+d.rand.IntN(most)] {
		items = append(items, modelItem{modelSKUs[i], [2]int{d.rand.IntN(9), d.rand.IntN(5) / 2}})
	}
	if d.chance(6) {
		items = append(items, modelItem{"NOWHERE", [2]int{1, 0}})
	}
	return items
}

// newID is mostly new, and sometimes one that the marketplace refused.
func (d *driver) newID(prefix string) string {
	if d.chance(20) && prefix == "U" {
		for _, o := range d.model.refused {
			if d.model.orders[o.id] == nil && d.drafts[o.id] == nil {
				return o.id
			}
		}
	}
	d.n++
	return fmt.Sprintf("%s-%d", prefix, d.n)
}

func (d *driver) upload() {
	var b strings.Builder
	b.WriteString("MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\tUnsellableQuantity\r\n")
	taken := map[modelKey]int{}
	used, accepted := map[string]bool{}, false
	for range 1 + d.rand.IntN(2) {
		id := d.newID("U")
		if used[id] {
			continue
		}
		used[id] = true
		var good []modelItem
		for i, it := range d.items(3) {
			method := ""
			if i == 0 {
				method = "Disposal"
			}
			fmt.Fprintf(&b, "%s\t%s\t%s\t%d\t%d\r\n", id, method, it.sku, it.ask[0], it.ask[1])
			if d.model.fits(it, taken) {
				good = append(good, it)
			}
		}
		if len(good) > 0 {
			accepted = true
			defer d.model.accept(id, "upload", d.model.firstState(), d.now(), good)
		}
	}
	r, err := d.drop("upload.tsv", b.String())
	must(d.t, err)
	if (r.ExitCode == 0 || r.ExitCode == 3) && accepted {
		d.uploads = append(d.uploads, b.String())
	}
	d.neverBelow(taken)
}

// neverBelow: what was taken was there.
func (d *driver) neverBelow(taken map[modelKey]int) {
	for k, n := range taken {
		if n > 0 && d.model.available(k.sku, k.cond) < n {
			d.t.Errorf("more was taken of pool %q than there was", k.sku)
		}
	}
}

func (d *driver) uploadAgain() {
	if len(d.uploads) == 0 {
		return
	}
	body := d.uploads[d.rand.IntN(len(d.uploads))]
	r, err := d.drop("copy.tsv", body)
	must(d.t, err)
	want(d.t, "exit code of the same file", r.ExitCode, 6)
}

func deskItems(items []modelItem) []desk.Item {
	var out []desk.Item
	for _, it := range items {
		out = append(out, desk.Item{SKU: it.sku, Sellable: int64(it.ask[0]), Unsellable: int64(it.ask[1])})
	}
	return out
}

func (d *driver) draft() {
	id, items := d.newID("D"), d.items(3)
	_, err := d.Create(d.t.Context(), desk.Draft{Merchant: merchantID, ID: id, Items: deskItems(items), Actor: "tester"})
	must(d.t, err)
	d.drafts[id] = items
}

// pick chooses one of a map's keys, always the same for the same seed.
func pick[V any](d *driver, m map[string]V) (string, bool) {
	if len(m) == 0 {
		return "", false
	}
	keys := slices.Sorted(maps.Keys(m))
	return keys[d.rand.IntN(len(keys))], true
}

func (d *driver) edit() {
	id, ok := pick(d, d.drafts)
	if !ok {
		return
	}
	items := d.drafts[id]
	i := d.rand.IntN(len(items))
	switch d.rand.IntN(3) {
	case 0:
		items[i].ask = [2]int{d.rand.IntN(6), d.rand.IntN(3)}
		_, err := d.ChangeItem(d.t.Context(), merchantID, id, "tester", deskItems(items[i : i+1])[0])
		must(d.t, err)
	case 1:
		more := modelItem{items[i].sku, [2]int{1, 1}}
		items[i].ask = [2]int{items[i].ask[0] + 1, items[i].ask[1] + 1}
		_, err := d.AddItems(d.t.Context(), merchantID, id, "tester", deskItems([]modelItem{more})...)
		must(d.t, err)
	default:
		if len(items) > 1 {
			_, err := d.RemoveItem(d.t.Context(), merchantID, id, "tester", items[i].sku)
			must(d.t, err)
			d.drafts[id] = slices.Delete(items, i, i+1)
		}
	}
}

func (d *driver) discard() {
	if id, ok := pick(d, d.drafts); ok {
		must(d.t, d.Discard(d.t.Context(), merchantID, id, "tester"))
		delete(d.drafts, id)
	}
}

func (d *driver) place() {
	id, ok := pick(d, d.drafts)
	if !ok {
		return
	}
	taken, fits := map[modelKey]int{}, true
	for _, it := range d.drafts[id] {
		fits = d.model.fits(it, taken) && fits
	}
	_, err := d.Place(d.t.Context(), merchantID, id, "tester")
	var not *desk.NotPlaced
	if errors.As(err, &not) == fits || err != nil && not == nil {
		d.t.Errorf("placing %s %v: %v, want it placed: %t", id, d.drafts[id], err, fits)
		return
	}
	if !fits {
		return
	}
	d.neverBelow(taken)
	d.model.accept(id, "draft", "planning", d.now(), d.drafts[id])
	delete(d.drafts, id)
}

func (d *driver) cancel() {
	id, ok := pick(d, d.model.orders)
	if !ok {
		return
	}
	sku := ""
	if d.chance(40) {
		for _, k := range slices.SortedFunc(maps.Keys(d.model.orders[id].lines), func(a, b modelKey) int { return strings.Compare(a.sku, b.sku) }) {
			sku = k.sku
		}
	}
	r, err := d.Cancel(d.t.Context(), merchantID, desk.CancelRequest{Order: id, SKU: sku, Actor: "tester"})
	must(d.t, err)
	before := d.model.orders[id].state
	if due := d.model.cancel(id, sku); string(r.Outcome) != due {
		d.t.Errorf("cancelling %s %q, %s: %s, want %s", id, sku, before, r.Outcome, due)
	}
}

func (d *driver) release() {
	_, err := d.ReleaseDue(d.t.Context(), merchantID)
	must(d.t, err)
	d.model.release(d.now())
}

func (d *driver) setDelay() {
	d.model.delay = time.Duration(d.rand.IntN(3)) * time.Hour
	m, err := d.ledger.Merchant(d.t.Context(), merchantID)
	must(d.t, err)
	m.Profile.ReleaseDelay = d.model.delay
	must(d.t, d.ledger.SetMerchant(d.t.Context(), merchantID, m.Revision, m.Profile))
}

func (d *driver) setStatus() {
	id, ok := pick(d, d.model.orders)
	if !ok {
		return
	}
	o := d.model.orders[id]
	err := d.SetStatus(d.t.Context(), merchantID, id, removal.StateProcessing, "tester")
	if errors.Is(err, desk.ErrState) != (o.state != "pending") {
		d.t.Errorf("setting %s from %s: %v", id, o.state, err)
	}
	if err == nil {
		o.state = "processing"
	}
}

// detail tells of one or two orders, known or not, in any order of time.
func (d *driver) detail() {
	var rows []modelRow
	for range 1 + d.rand.IntN(2) {
		rows = append(rows, d.detailOf()...)
	}
	var lines []removal.OrderDetailLine
	byOrder := map[string][]modelRow{}
	var ids []string
	for i, r := range rows {
		if byOrder[r.id] == nil {
			ids = append(ids, r.id)
		}
		byOrder[r.id] = append(byOrder[r.id], r)
		state, ok := removal.ParseOrderStatus(r.wild)
		if !ok {
			d.t.Fatalf("status %q", r.status)
		}
		source := map[string]string{"external": "Seller-initiated Manual Removal", "required": "Automatic removal (required)"}[r.source]
		lines = append(lines, removal.OrderDetailLine{
			Row: i + 2, Line: i + 2, RequestDate: r.requestDate, LastUpdated: r.updated, OrderID: r.id, Source: source, Type: "Disposal",
			Status: state, SKU: r.sku, FNSKU: strings.TrimPrefix(modelPools[r.sku], "\x00"+r.sku), Condition: removal.Condition(r.cond),
			Requested: int64(r.requested), Cancelled: int64(r.cancelled), Disposed: int64(r.disposed), Shipped: int64(r.shipped), InProcess: int64(r.inProcess),
		})
	}
	_, _, err := d.ApplyOrderDetail(d.t.Context(), merchantID, "status-run", lines)
	must(d.t, err)
	for _, id := range ids {
		d.model.detail(id, byOrder[id])
	}
	if d.chance(30) { // the same again changes nothing
		before := d.revision()
		_, counts, err := d.ApplyOrderDetail(d.t.Context(), merchantID, "status-run-2", lines)
		must(d.t, err)
		if counts.Applied != 0 || d.revision() != before {
			d.t.Errorf("the same rows again: %+v, revision %d after %d", counts, d.revision(), before)
		}
	}
}

func (d *driver) revision() int64 {
	m, err := d.ledger.Merchant(d.t.Context(), merchantID)
	must(d.t, err)
	return m.Revision
}

func (d *driver) detailOf() []modelRow {
	id, ok := pick(d, d.model.orders)
	switch {
	case !ok || d.chance(8):
		id = fmt.Sprintf("E-%d", d.rand.IntN(40))
	case d.chance(5) && len(d.model.refused) > 0:
		id = d.model.refused[d.rand.IntN(len(d.model.refused))].id
	}
	if d.drafts[id] != nil {
		return nil
	}
	updated := d.now().Add(-time.Duration(d.rand.IntN(20*60)) * time.Minute)
	i := d.rand.IntN(5)
	status := []string{"pending", "processing", "processing", "completed", "cancelled"}[i]
	wild := []string{"Pending", "processing", " In Process", "COMPLETED", "Canceled"}[i]
	row := modelRow{id: id, updated: updated, status: status, wild: wild, source: "external", requestDate: noon.Add(time.Duration(len(id)+int(id[len(id)-1])*17) * time.Minute)}
	if id[len(id)-1]%3 == 0 {
		row.source = "required"
	}
	asked := map[modelKey]int{}
	if o := d.model.orders[id]; o != nil {
		for k, l := range o.lines {
			if l.requested > l.before {
				asked[k] = l.requested - l.before
			} else if l.requested > 0 && id[len(id)-1]%2 == 0 {
				asked[k] = l.requested // cancelled before the marketplace could know of it
			}
		}
	} else {
		asked[modelKey{modelSKUs[d.rand.IntN(4)], d.rand.IntN(2)}] = 1 + d.rand.IntN(5)
	}
	if d.chance(6) {
		asked[modelKey{modelSKUs[d.rand.IntN(4)], 0}] = 1 + d.rand.IntN(4)
	}
	keys := slices.SortedFunc(maps.Keys(asked), func(a, b modelKey) int {
		return strings.Compare(fmt.Sprint(a.sku, a.cond), fmt.Sprint(b.sku, b.cond))
	})
	var rows []modelRow
	for _, k := range keys {
		r := row
		if d.chance(15) {
			r.updated = r.updated.Add(time.Duration(d.rand.IntN(120)-60) * time.Minute)
		}
		r.sku, r.cond, r.requested = k.sku, k.cond, asked[k]
		left := r.requested
		take := func() int {
			n := d.rand.IntN(left + 1)
			left -= n
			return n
		}
		r.shipped, r.disposed, r.cancelled = take(), take(), take()/2
		r.inProcess = r.requested - r.shipped - r.disposed - r.cancelled
		if (status == "completed" || status == "cancelled") && d.chance(80) {
			r.cancelled, r.inProcess = r.cancelled+r.inProcess, 0
		}
		if d.chance(5) {
			r.inProcess++ // does not add up
		}
		rows = append(rows, r)
		if d.chance(8) { // the line told of twice
			r.updated = r.updated.Add(-time.Minute)
			r.shipped, r.cancelled, r.disposed, r.inProcess = r.requested, 0, 0, 0
			rows = append(rows, r)
		}
	}
	return rows
}

func (d *driver) shipment() {
	id, ok := pick(d, d.model.orders)
	if !ok || slices.ContainsFunc(d.model.refused, func(o *modelOrder) bool { return o.id == id }) {
		return
	}
	var lines []removal.ShipmentLine
	for _, k := range slices.SortedFunc(maps.Keys(d.model.orders[id].lines), func(a, b modelKey) int {
		return strings.Compare(fmt.Sprint(a.sku, a.cond), fmt.Sprint(b.sku, b.cond))
	}) {
		if d.chance(60) {
			p := modelParcel{d.now().Add(-time.Duration(d.rand.IntN(20*60)) * time.Minute), 1 + d.rand.IntN(3)}
			lines = append(lines, removal.ShipmentLine{
				Row: len(lines) + 2, OrderID: id, ShipmentDate: p.at, SKU: k.sku, Condition: removal.Condition(k.cond),
				Shipped: int64(p.units), Carrier: "PostNord", Tracking: "T1",
			})
			d.model.parcel(id, k, p)
		}
	}
	for range 1 + d.rand.IntN(2) { // twice changes nothing
		_, _, err := d.ApplyShipmentDetail(d.t.Context(), merchantID, "shipment-run", lines)
		must(d.t, err)
	}
}

func (d *driver) processing() {
	files, err := d.ledger.OrderFiles(d.t.Context(), merchantID, d.chance(50))
	must(d.t, err)
	if len(files) == 0 {
		return
	}
	f := files[d.rand.IntN(len(files))]
	// An id of this file that was refused before and used again went out in
	// another: such a file was answered, and is not answered once more.
	for _, id := range f.Orders {
		if slices.ContainsFunc(d.model.refused, func(o *modelOrder) bool { return o.id == id }) {
			return
		}
	}
	report := removal.ProcessingReport{FileName: strings.TrimSuffix(f.Name, ".tsv") + " report.txt", Processed: 3}
	line := removal.ProcessingLine{RecordNumber: 100001, SKU: "-", Code: "25045", Type: "Error", Message: "not accepted"}
	refused := f.Orders
	if d.chance(60) {
		id := f.Orders[d.rand.IntN(len(f.Orders))]
		line.Message, refused = "order "+id+" was not accepted", []string{id}
	}
	report.Lines = []removal.ProcessingLine{line, {RecordNumber: 1, SKU: "A", Type: "Warning", Message: "slow"}}
	_, _, err = d.ApplyProcessingReport(d.t.Context(), merchantID, "report-run", report)
	must(d.t, err)
	for _, id := range refused {
		d.model.refuse(id)
	}
}

// compare holds every order and all stock against the model, and checks what must
// always be so.
func (d *driver) compare() {
	ctx := d.t.Context()
	rows, _, err := d.ledger.ListOrders(ctx, ledger.OrderFilter{Merchant: merchantID, Limit: 1 << 20})
	must(d.t, err)
	alive, dead := map[string]int{}, map[string]int{}
	for _, r := range rows {
		if r.State == removal.StateRefused {
			dead[r.ID]++
		} else {
			alive[r.ID]++
		}
	}
	for _, o := range d.model.refused {
		dead[o.id]--
	}
	for id, n := range dead {
		if n != 0 {
			d.t.Errorf("order %s: %d refused too many", id, n)
		}
	}
	ids := slices.Sorted(maps.Keys(d.model.orders))
	for id, n := range alive {
		if n != 1 || d.model.orders[id] == nil {
			d.t.Errorf("order %s stands there %d times, the model has it: %t", id, n, d.model.orders[id] != nil)
		}
	}
	records, err := d.ledger.Records(ctx, merchantID, ids)
	must(d.t, err)
	want(d.t, "number of orders", len(records), len(ids))
	for i := range records {
		d.compareOrder(&records[i])
	}
	d.compareStock()
	d.compareFiles()
}

func (d *driver) compareOrder(r *ledger.Record) {
	o := d.model.orders[r.ID]
	if o == nil {
		return
	}
	if string(r.State) != o.state || r.CancelRequested != o.flagged && !isFinal(o.state) {
		d.t.Errorf("order %s is %s (asked to cancel: %t), want %s (%t)", r.ID, r.State, r.CancelRequested, o.state, o.flagged)
	}
	seq := strconv.FormatInt(r.Seq, 10)
	if final, ok := d.finals[seq]; ok && final != string(r.State) {
		d.t.Errorf("order %s was finished as %s and is %s", r.ID, final, r.State)
	}
	if r.State.Final() {
		d.finals[seq] = string(r.State)
	}
	seen := map[modelKey]bool{}
	for i := range r.Lines {
		for c := range 2 {
			u := *r.Lines[i].Units(removal.Condition(c))
			k := modelKey{r.Lines[i].SKU, c}
			seen[k] = true
			var due modelUnits
			if l := o.lines[k]; l != nil {
				due = l.modelUnits
			}
			got := modelUnits{int(u.Requested), int(u.Cancelled), int(u.Disposed), int(u.Shipped)}
			if got != due {
				d.t.Errorf("order %s, %s %d: %+v, want %+v", r.ID, k.sku, c, got, due)
			}
			if min(u.Requested, u.Cancelled, u.Disposed, u.Shipped, u.InProcess()) < 0 {
				d.t.Errorf("order %s, %s: below zero: %+v", r.ID, k.sku, u)
			}
		}
	}
	for k, l := range o.lines {
		if !seen[k] && l.requested > 0 {
			d.t.Errorf("order %s has no line %v", r.ID, k)
		}
	}
}

func (d *driver) compareStock() {
	ctx := d.t.Context()
	row, err := d.ledger.Snapshot(ctx, merchantID)
	must(d.t, err)
	s, err := inventory.Open(d.root + "/" + row.Path)
	must(d.t, err)
	defer s.Close()
	store, err := d.policy.Store("SE", d.now(), nil)
	must(d.t, err)
	got := map[modelKey]int{}
	counted, err := countedPlainly(ctx, d.ledger, merchantID, s, store)
	must(d.t, err)
	for _, c := range counted {
		got[modelKey{c.Pool, 0}] += int(c.Sellable)
		got[modelKey{c.Pool, 1}] += int(c.Unsellable)
	}
	stock, err := desk.Stock(ctx, d.ledger, merchantID, s, store)
	must(d.t, err)
	for _, pool := range modelPools {
		var inStock [2]int64
		at := s.FindPool(pool)
		if at >= 0 {
			inStock[0], inStock[1] = stock.Taken(at)
		}
		for c := range 2 {
			n := d.model.taken(pool, c)
			if got[modelKey{pool, c}] != n {
				d.t.Errorf("pool %q, condition %d: %d taken, want %d", pool, c, got[modelKey{pool, c}], n)
			}
			if at >= 0 && inStock[c] != int64(n) {
				d.t.Errorf("pool %q, condition %d: %d taken of the stock, want %d", pool, c, inStock[c], n)
			}
		}
	}
}

// compareFiles: every order that Rensa handed on stands in exactly one file, and
// the file is there; what never was handed on stands in none.
func (d *driver) compareFiles() {
	files, err := d.ledger.OrderFiles(d.t.Context(), merchantID, false)
	must(d.t, err)
	times := map[string]int{}
	for _, f := range files {
		body, err := os.ReadFile(d.root + "/outbound/" + merchantID + "/" + f.Name)
		if err != nil {
			d.t.Errorf("outgoing file: %v", err)
		}
		for _, id := range f.Orders {
			times[id]++
			if !strings.Contains(string(body), id+"\t") {
				d.t.Errorf("%s does not hold order %s", f.Name, id)
			}
		}
	}
	lives := map[string]int{}
	for _, o := range d.model.refused {
		lives[o.id]++
	}
	for id, o := range d.model.orders {
		lives[id]++
		if o.state == "planning" && times[id] > lives[id]-1 {
			d.t.Errorf("order %s is planned and went out", id)
		}
	}
	for id, n := range times {
		if n > lives[id] {
			d.t.Errorf("order %s went out %d times", id, n)
		}
	}
}
