package desk_test

import (
	"fmt"
	"sort"
	"time"
)

// The model is what an order and the stock have to do, written from the
// specification a second time, as simply as it goes and slowly: every unit that
// left is an entry of its own. It shares no code with the product.

type modelUnits struct{ requested, cancelled, disposed, shipped int }

func (u modelUnits) open() int { return u.requested - u.cancelled - u.disposed - u.shipped }

// modelLine is one SKU in one condition.
type modelLine struct {
	modelUnits
	before  int // cancelled before anybody else knew
	updated time.Time
	// For each unit that left, when a status row first told of it.
	shippedTold, disposedTold []time.Time
}

type modelKey struct {
	sku  string
	cond int
}

type modelOrder struct {
	id         string
	state      string
	source     string
	created    time.Time
	requested  time.Time
	updated    time.Time
	lines      map[modelKey]*modelLine
	cancelAll  bool
	cancelAsks map[string]bool
	flagged    bool
}

type modelParcel struct {
	at    time.Time
	units int
}

type model struct {
	pools    map[string]string // pool of a SKU
	stock    map[modelKey]int  // by pool
	date     time.Time
	excluded bool
	orders   map[string]*modelOrder
	refused  []*modelOrder
	parcels  map[string]map[modelKey][]modelParcel
	delay    time.Duration
}

func newModel(pools map[string]string) *model {
	return &model{pools: pools, stock: map[modelKey]int{}, orders: map[string]*modelOrder{},
		parcels: map[string]map[modelKey][]modelParcel{}}
}

func isFinal(state string) bool {
	return state == "completed" || state == "cancelled" || state == "refused"
}

// leftAfter counts the units of a line that left after a moment.
func (m *model) leftAfter(o *modelOrder, k modelKey, t time.Time) int {
	l := o.lines[k]
	var parcelDates []time.Time
	for _, p := range m.parcels[o.id][k] {
		for range p.units {
			parcelDates = append(parcelDates, p.at)
		}
	}
	sort.Slice(parcelDates, func(i, j int) bool { return parcelDates[i].Before(parcelDates[j]) })
	n := 0
	for i, told := range l.shippedTold {
		at := told
		if i < len(parcelDates) {
			at = parcelDates[i]
		}
		if at.After(t) {
			n++
		}
	}
	for _, told := range l.disposedTold {
		if told.After(t) {
			n++
		}
	}
	return n
}

// taken is what the orders take of a pool that the snapshot does not show.
func (m *model) taken(pool string, cond int) int {
	n := 0
	for _, o := range m.orders {
		for k, l := range o.lines {
			if m.pools[k.sku] != pool || k.cond != cond {
				continue
			}
			n += m.leftAfter(o, k, m.date)
			hidden := m.excluded && !isFinal(o.state) && !o.requested.IsZero() && o.requested.Before(m.date)
			if !hidden {
				n += l.open()
			}
		}
	}
	for _, o := range m.refused {
		for k := range o.lines {
			if m.pools[k.sku] == pool && k.cond == cond {
				n += m.leftAfter(o, k, m.date)
			}
		}
	}
	return n
}

func (m *model) available(pool string, cond int) int {
	return m.stock[modelKey{pool, cond}] - m.taken(pool, cond)
}

type modelItem struct {
	sku string
	ask [2]int
}

// fits tells whether an item can be had, taken being what rows before it took.
func (m *model) fits(it modelItem, taken map[modelKey]int) bool {
	pool, ok := m.pools[it.sku]
	if !ok || it.ask[0]+it.ask[1] == 0 {
		return false
	}
	for c, n := range it.ask {
		if n > 0 && n > m.available(pool, c)-taken[modelKey{pool, c}] {
			return false
		}
	}
	for c, n := range it.ask {
		taken[modelKey{pool, c}] += n
	}
	return true
}

func (m *model) accept(id, source, state string, now time.Time, items []modelItem) {
	o := &modelOrder{id: id, state: state, source: source, created: now, lines: map[modelKey]*modelLine{}, cancelAsks: map[string]bool{}}
	for _, it := range items {
		for c, n := range it.ask {
			o.lines[modelKey{it.sku, c}] = &modelLine{modelUnits: modelUnits{requested: n}}
		}
	}
	m.orders[id] = o
}

func (m *model) firstState() string {
	if m.delay > 0 {
		return "planning"
	}
	return "pending"
}

func (m *model) release(now time.Time) {
	for _, o := range m.orders {
		if o.state == "planning" && !now.Before(o.created.Add(m.delay)) {
			o.state = "pending"
		}
	}
}

func (o *modelOrder) open() int {
	n := 0
	for _, l := range o.lines {
		n += l.open()
	}
	return n
}

// cancel gives the outcome that is due.
func (m *model) cancel(id, sku string) string {
	o := m.orders[id]
	units, left := 0, 0
	for k, l := range o.lines {
		if sku == "" || k.sku == sku {
			units += l.open()
			left += l.disposed + l.shipped
		}
	}
	switch {
	case o.state == "cancelled" && left == 0:
		return "already"
	case o.state == "completed" || o.state == "cancelled":
		return "too_late"
	case units == 0 && left == 0:
		return "already"
	case units == 0:
		return "too_late"
	case o.source == "required":
		return "forbidden"
	case o.state == "planning":
		for k, l := range o.lines {
			if sku == "" || k.sku == sku {
				l.before += l.open()
				l.cancelled += l.open()
			}
		}
		if o.open() == 0 {
			o.state = "cancelled"
		}
		return "cancelled"
	case o.cancelAll || sku != "" && o.cancelAsks[sku]:
		return "already"
	}
	o.flagged = true
	if sku == "" {
		o.cancelAll = true
	} else {
		o.cancelAsks[sku] = true
	}
	if left > 0 {
		return "partly"
	}
	return "requested"
}

type modelRow struct {
	id                                                 string
	requestDate, updated                               time.Time
	status, wild, source                               string
	sku                                                string
	cond                                               int
	requested, cancelled, disposed, shipped, inProcess int
}

func (r modelRow) balanced() bool {
	return r.requested == r.cancelled+r.disposed+r.shipped+r.inProcess
}

// resizeTold makes the list n long: what is new was told of now, what is too many
// is forgotten from its end.
func resizeTold(told []time.Time, n int, now time.Time) []time.Time {
	for len(told) < n {
		told = append(told, now)
	}
	return told[:n]
}

// detail applies the rows of one order.
func (m *model) detail(id string, rows []modelRow) {
	newestOf := map[modelKey]modelRow{}
	var keys []modelKey
	for _, r := range rows {
		k := modelKey{r.sku, r.cond}
		old, ok := newestOf[k]
		if !ok {
			keys = append(keys, k)
		}
		if !ok || !r.updated.Before(old.updated) {
			newestOf[k] = r
		}
	}
	o := m.orders[id]
	if o == nil {
		var usable *modelRow
		for _, k := range keys {
			if r := newestOf[k]; r.balanced() && usable == nil {
				usable = &r
			}
		}
		if usable == nil {
			return
		}
		o = &modelOrder{id: id, state: "pending", source: usable.source, created: usable.requestDate,
			lines: map[modelKey]*modelLine{}, cancelAsks: map[string]bool{}}
		m.orders[id] = o
	}
	elsewhere := o.source == "external" || o.source == "required"
	var newest *modelRow
	for _, k := range keys {
		r := newestOf[k]
		if !r.balanced() {
			continue
		}
		known := false
		for have := range o.lines {
			known = known || have.sku == r.sku
		}
		if !known && (!elsewhere || isFinal(o.state)) {
			continue
		}
		l := o.lines[k]
		if l == nil {
			l = &modelLine{}
		}
		if !elsewhere && r.requested != l.requested-l.before {
			continue
		}
		o.lines[k] = l
		if newest == nil || !r.updated.Before(newest.updated) {
			newest = &r
		}
		if r.updated.Before(l.updated) {
			continue
		}
		now := modelUnits{l.requested, l.before + r.cancelled, r.disposed, r.shipped}
		if elsewhere {
			now.requested = r.requested
		}
		if isFinal(o.state) && now != l.modelUnits {
			continue
		}
		l.modelUnits, l.updated = now, r.updated
		l.shippedTold = resizeTold(l.shippedTold, now.shipped, r.updated)
		l.disposedTold = resizeTold(l.disposedTold, now.disposed, r.updated)
	}
	if newest == nil || newest.updated.Before(o.updated) {
		return
	}
	o.updated = newest.updated
	if !newest.requestDate.IsZero() && (o.requested.IsZero() || newest.requestDate.Before(o.requested)) {
		o.requested = newest.requestDate
	}
	switch {
	case isFinal(o.state):
	case newest.status == "pending":
		if o.state == "planning" {
			o.state = "pending"
		}
	case newest.status == "processing" || o.open() > 0:
		o.state = "processing"
	default:
		o.state, o.flagged = newest.status, false
	}
}

func (m *model) parcel(id string, k modelKey, p modelParcel) {
	if m.parcels[id] == nil {
		m.parcels[id] = map[modelKey][]modelParcel{}
	}
	all := m.parcels[id][k]
	for i := range all {
		if all[i].at.Equal(p.at) {
			all[i].units = p.units
			return
		}
	}
	m.parcels[id][k] = append(all, p)
}

func (m *model) refuse(id string) {
	o := m.orders[id]
	if o == nil || o.state != "pending" && o.state != "processing" {
		return
	}
	for _, l := range o.lines {
		l.cancelled += l.open()
	}
	o.state, o.flagged = "refused", false
	m.refused = append(m.refused, o)
	delete(m.orders, id)
}

func (l *modelLine) String() string { return fmt.Sprintf("%+v", l.modelUnits) }
