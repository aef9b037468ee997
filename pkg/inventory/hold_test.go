package inventory

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"rensa/pkg/removal"
)

var holdDays = map[removal.HoldReason]int{
	removal.HoldUnsellable: 30, removal.HoldExpiry: 7, removal.HoldRecalled: 30, removal.HoldStranded: 30,
}

func nov(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }

// held is a pool whose days are played through.
type held struct {
	t     *testing.T
	rules HoldRules
	pool  HoldPool
}

func newHeld(t *testing.T) *held {
	return &held{t: t, rules: HoldRules{Days: holdDays, NextID: 1},
		pool: HoldPool{Pool: "X1", SKU: "A", FNSKU: "X1", Condition: removal.Unsellable}}
}

func seen(units int64) []Portion {
	return []Portion{{units, []Cause{{Reason: removal.HoldUnsellable}}}}
}

func since(units int64, day int) Portion {
	return Portion{units, []Cause{{Reason: removal.HoldUnsellable, Since: nov(day)}}}
}

// on settles on a day of November, the snapshot being of the same day.
func (h *held) on(day int, portions []Portion, orders ...OrderUnits) *held {
	h.rules.Today, h.rules.Shown = nov(day), nov(day)
	h.rules.Now, h.rules.Snapshot = nov(day).Add(5*time.Hour), nov(day).Add(3*time.Hour)
	h.pool.Portions, h.pool.Orders = portions, orders
	h.rules.Settle(&h.pool)
	return h
}

// want compares the live holds: id:units since-deadline, c covered, r may come
// back, ^ origin.
func (h *held) want(want string) *held {
	h.t.Helper()
	var all []string
	for i := range h.pool.Holds {
		x := &h.pool.Holds[i]
		if !x.Live() {
			continue
		}
		s := fmt.Sprintf("%d:%d %s-%s", x.ID, x.Units, x.Since.Format("0102"), x.Deadline.Format("0102"))
		if x.Reason != removal.HoldUnsellable {
			s += " " + string(x.Reason)
		}
		if x.Covered > 0 {
			s += fmt.Sprintf(" c%d", x.Covered)
		}
		if x.Returned > x.Resumed {
			s += fmt.Sprintf(" r%d", x.Returned-x.Resumed)
		}
		if x.Origin > 0 {
			s += fmt.Sprintf(" ^%d", x.Origin)
		}
		all = append(all, s)
	}
	if got := strings.Join(all, ", "); got != want {
		h.t.Errorf("on %s: %s, want %s", h.rules.Today.Format("0102"), got, want)
	}
	return h
}

func TestHoldsOfCounts(t *testing.T) {
	t.Parallel()
	newHeld(t).
		on(1, seen(5)).want("1:5 1101-1201").
		on(2, seen(5)).want("1:5 1101-1201").
		on(4, seen(8)).want("1:5 1101-1201, 2:3 1104-1204").
		on(5, seen(6)).want("1:3 1101-1201, 2:3 1104-1204").
		on(6, seen(2)).want("2:2 1104-1204").
		on(7, nil).want("").
		on(8, seen(1)).want("3:1 1108-1208")
}

func TestHoldsOfDates(t *testing.T) {
	t.Parallel()
	recalled := Portion{4, []Cause{{Reason: removal.HoldRecalled, Since: nov(3)}}}
	newHeld(t).
		on(9, []Portion{since(5, 1), since(2, 8)}).want("1:5 1101-1201, 2:2 1108-1208").
		on(10, []Portion{since(5, 1), since(1, 8), since(7, 9)}).want("1:5 1101-1201, 2:1 1108-1208, 3:7 1109-1209").
		// A report without dates: the count alone, the oldest close first.
		on(11, seen(9)).want("1:1 1101-1201, 2:1 1108-1208, 3:7 1109-1209").
		on(12, []Portion{since(3, 1), since(7, 9)}).want("1:1 1101-1201, 3:7 1109-1209, 4:2 1101-1201").
		on(13, []Portion{recalled}).want("5:4 1103-1203 recalled")
	// What was only seen gets its date from a file.
	newHeld(t).on(9, seen(5)).want("1:5 1109-1209").on(10, []Portion{since(5, 2)}).want("1:5 1102-1202")
}

// TestEarliestDeadline: a unit that is held for several causes is in the hold
// that ends first.
func TestEarliestDeadline(t *testing.T) {
	t.Parallel()
	both := []Portion{{5, []Cause{{Reason: removal.HoldUnsellable, Since: nov(1)}, {Reason: removal.HoldExpiry, Since: nov(1)}, {Reason: removal.HoldRecalled, Since: nov(2)}}}}
	newHeld(t).on(3, both).want("1:5 1101-1108 expiry")
	late := []Portion{{5, []Cause{{Reason: removal.HoldUnsellable}, {Reason: removal.HoldRecalled, Since: nov(9)}}}}
	newHeld(t).on(3, seen(5)).on(10, late).want("1:5 1103-1203").on(20, late).want("1:5 1103-1203")
	early := []Portion{{5, []Cause{{Reason: removal.HoldUnsellable}, {Reason: removal.HoldRecalled, Since: nov(1)}}}}
	newHeld(t).on(3, seen(5)).on(10, early).want("1:5 1101-1201 recalled")
	recall := []Portion{{5, []Cause{{Reason: removal.HoldUnsellable}, {Reason: removal.HoldRecalled}}}}
	h := newHeld(t)
	h.rules.Days = map[removal.HoldReason]int{removal.HoldUnsellable: 30, removal.HoldRecalled: 20}
	h.on(3, seen(5)).on(8, recall).want("1:5 1108-1128 recalled").on(9, recall).want("1:5 1108-1128 recalled")
	same := []Portion{{5, []Cause{{Reason: removal.HoldUnsellable, Since: nov(1)}, {Reason: removal.HoldRecalled, Since: nov(1)}}}}
	newHeld(t).on(3, same).want("1:5 1101-1201 recalled")
}

func TestCoveredUnitsAreNotHeld(t *testing.T) {
	t.Parallel()
	open := func(n int64) OrderUnits { return OrderUnits{Order: "O", Open: n, Counted: n, New: true} }
	hidden := OrderUnits{Order: "O", Open: 6}
	newHeld(t).
		on(1, seen(5)).on(4, seen(8)).
		on(5, seen(8), open(6)).want("1:0 1101-1201 c5, 2:2 1104-1204 c1").
		// The marketplace knows the order and leaves its units out.
		on(6, seen(2), hidden).want("1:0 1101-1201 c5, 2:2 1104-1204 c1").
		on(7, seen(2), OrderUnits{Order: "O", Open: 1, Left: 5}).want("2:2 1104-1204 c1").
		on(8, seen(2), OrderUnits{Order: "O", Left: 6}).want("2:2 1104-1204")
	// Orders that were there before the holds take none of them.
	before := OrderUnits{Order: "E", Open: 3, Counted: 3, Elsewhere: true}
	newHeld(t).on(1, seen(5), before).want("1:2 1101-1201").on(2, seen(5), before).want("1:2 1101-1201").
		on(3, seen(5), OrderUnits{Order: "E", Cancelled: 3, Elsewhere: true}).want("1:2 1101-1201, 2:3 1103-1203")
}

func TestUnitsThatComeBack(t *testing.T) {
	t.Parallel()
	open := OrderUnits{Order: "O", Open: 4, Counted: 4, New: true}
	back := OrderUnits{Order: "O", Cancelled: 4}
	newHeld(t).on(1, seen(5)).
		on(2, seen(5), open).want("1:1 1101-1201 c4").
		on(3, seen(5), back).want("1:1 1101-1201, 2:4 1101-1201 ^1").
		on(4, seen(5), back).want("1:1 1101-1201, 2:4 1101-1201 ^1")
	// Past the deadline the new hold lasts a week.
	newHeld(t).on(1, []Portion{since(4, -20)}).want("1:4 1011-1110").
		on(2, []Portion{since(4, -20)}, open).want("1:0 1011-1110 c4").
		on(9, []Portion{since(4, -20)}, back).want("2:4 1011-1116 ^1")
	// Placed and cancelled while nobody looked.
	newHeld(t).on(1, seen(5)).
		on(2, seen(5), OrderUnits{Order: "O", Cancelled: 4, New: true}).want("1:1 1101-1201, 2:4 1101-1201 ^1")
	// The snapshot leaves the order out until it is cancelled there, too.
	newHeld(t).on(1, seen(5)).on(2, seen(5), open).
		on(3, seen(1), OrderUnits{Order: "O", Open: 4}).want("1:1 1101-1201 c4").
		on(4, seen(1), back).want("1:1 1101-1201 r4").
		on(5, seen(5), back).want("1:1 1101-1201, 2:4 1101-1201 ^1")
	// They never show up again.
	newHeld(t).on(1, seen(5)).on(2, seen(5), open).on(3, seen(1), OrderUnits{Order: "O", Open: 4}).
		on(4, seen(1), back).on(8, seen(1), back).want("1:1 1101-1201").on(9, seen(5), back).want("1:1 1101-1201, 2:4 1109-1209")
}

// A hold has one deadline: where a recall ends it earlier, it does so for the units
// that an order has taken and gives back, too.
func TestRecallOfCoveredUnits(t *testing.T) {
	t.Parallel()
	recall := []Portion{{5, []Cause{{Reason: removal.HoldUnsellable}, {Reason: removal.HoldRecalled}}}}
	h := newHeld(t)
	h.rules.Days = map[removal.HoldReason]int{removal.HoldUnsellable: 30, removal.HoldRecalled: 20}
	h.on(3, seen(5)).
		on(4, seen(5), OrderUnits{Order: "O", Open: 2, Counted: 2, New: true}).want("1:3 1103-1203 c2").
		on(8, recall, OrderUnits{Order: "O", Open: 2, Counted: 2}).want("1:3 1108-1128 recalled c2").
		on(15, recall, OrderUnits{Order: "O", Cancelled: 2}).want("1:3 1108-1128 recalled, 2:2 1108-1128 recalled ^1")
}

// TestSettleLaws plays random days: what is held is always what the snapshot
// shows less what orders take of it, nothing moves without a reason, and no unit
// is in two holds.
func TestSettleLaws(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		h := newHeld(t)
		stock, orders := int64(rnd.IntN(20)), []OrderUnits{}
		for day := 1; day < 28; day++ {
			var taken, left int64
			for i := range orders {
				o := &orders[i]
				n := min(o.Open, int64(rnd.IntN(3)))
				o.Counted = o.Open
				switch rnd.IntN(4) {
				case 0: // the snapshot still shows them
					o.Open, o.Left, left = o.Open-n, o.Left+n, left+n
				case 1:
					o.Open, o.Cancelled, o.Counted = o.Open-n, o.Cancelled+n, o.Open-n
				}
				taken += o.Open
			}
			h.on(day, seen(stock), orders...)
			h.laws(seed, stock-taken-left)
			for i := range orders {
				orders[i].New, orders[i].Counted = false, orders[i].Open
			}
			stock -= left
			switch change := int64(rnd.IntN(5)); rnd.IntN(3) {
			case 0:
				stock += change
			case 1:
				stock -= min(change, stock-taken)
			}
			h.on(day, seen(stock), orders...)
			h.laws(seed, stock-taken)
			if free := stock - taken; free > 0 && rnd.IntN(2) == 0 {
				n := 1 + rnd.Int64N(free)
				orders = append(orders, OrderUnits{Order: fmt.Sprint("O", len(orders)), Open: n, Counted: n, New: true})
			}
		}
	}
}

func (h *held) laws(seed uint64, want int64) {
	h.t.Helper()
	var units, covered, resumed int64
	for i := range h.pool.Holds {
		x := &h.pool.Holds[i]
		units, covered = units+x.Units, covered+x.Covered
		if x.Units < 0 || x.Resumed > x.Returned || x.Live() == !x.Ended.IsZero() || x.Units+x.Covered > x.First {
			h.t.Fatalf("seed %d, %s: hold %+v", seed, h.rules.Today.Format("0102"), x)
		}
		if x.Origin > 0 {
			resumed += x.First
		}
		resumed -= x.Resumed
	}
	var open int64
	for i := range h.pool.Orders {
		open += h.pool.Orders[i].Open
	}
	if units != want || covered != open || resumed > 0 {
		h.t.Fatalf("seed %d, %s: %d held, want %d; %d covered, want %d; %d resumed of nothing", seed, h.rules.Today.Format("0102"), units, want, covered, open, resumed)
	}
}

// TestLeftButShown: what left after the snapshot is known as the order's until a
// newer one shows it gone, however often it is settled in between.
func TestLeftButShown(t *testing.T) {
	t.Parallel()
	lots := []Portion{since(2, 1), since(2, 5)}
	left := OrderUnits{Order: "O", Left: 2, Counted: 2}
	h := newHeld(t).on(6, lots).on(7, lots, OrderUnits{Order: "O", Open: 2, Counted: 2, New: true}).want("1:0 1101-1201 c2, 2:2 1105-1205")
	h.on(8, lots, left).want("1:0 1101-1201, 2:2 1105-1205").on(8, lots, left).want("1:0 1101-1201, 2:2 1105-1205").
		on(9, lots[1:], OrderUnits{Order: "O", Left: 2}).want("2:2 1105-1205")
}
