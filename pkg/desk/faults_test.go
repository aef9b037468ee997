package desk_test

import (
	"testing"

	"rensa/pkg/desk/faulttest"
)

type fault faulttest.Fault

// faults are changes of the product's source, each of which TestModel has to find.
var faults = []fault{
	{"units that left before the snapshot count", "counted.go", "if m.At > c.date {", "if m.At <= c.date {"},
	{"a snapshot that leaves open orders out is not believed", "stock.go", "if o.Requested.Before(s.Date()) {", "if false {"},
	{"orders that moved are taken as if they had only been placed", "counted.go", "m.Moves() {", "m.Moves() && false {"},
	{"a placed draft reserves nothing", "place.go", "Movements: v.movements,", ""},
	{"what was cancelled before the release is forgotten", "cancel.go", "p.progress(r, l.SKU, c).Before += n", ""},
	{"a cancelled unit is not given back", "cancel.go", "p.move(ledger.MovementOpened, p.now, r, l, c, -n, 0)", ""},
	{"a cancellation is asked for twice", "cancel.go", "case p.askedBefore(r, l.SKU):", "case false:"},
	{"an older row overwrites a newer one", "detail.go", "if micros(row.LastUpdated).Before(progress.Updated) {", "if false {"},
	{"a row that does not fit the order is applied", "detail.go", "} else if row.Requested != u.Requested-progress.Before {", "} else if false {"},
	{"a row that does not add up is applied", "detail.go", "if !row.Balanced() {\n\t\treturn false, g.refuse(row)", "if false {\n\t\treturn false, nil"},
	{"refused units stay reserved", "processing.go", "p.move(ledger.MovementOpened, p.now, r, l, c, -n, 0)", ""},
	{"orders go out before their time", "release.go", "if r.Created.Add(m.Profile.ReleaseDelay).After(now) {", "if false {"},
	{"an order goes out twice", "release.go", "r.State = removal.StatePending", ""},
	{"parcels give no dates", "left.go", "for _, s := range parcels {", "for _, s := range parcels[:0] {"},
	{"an order with open units is finished", "plan.go", "guard == removal.GuardNothingOpen && r.InProcess() > 0", "guard == removal.GuardNothingOpen && r.InProcess() < 0"},
	{"units that left stay open", "left.go", "p.move(ledger.MovementLeft, t, r, l, c, change[t.UnixMicro()], row)", "p.move(ledger.MovementLeft, t, r, l, c, 0, row)"},
}

// TestPlantedFaults wants TestModel to find each fault.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.Name, func(t *testing.T) { faulttest.Fault(f).Find(t, "^TestModel$", "RENSA_STEPS=3000", "RENSA_SEED=1") })
	}
}
