package nightly_test

import (
	"testing"

	"rensa/pkg/desk/faulttest"
)

// fault is a change of the product's source that a test has to find.
type fault faulttest.Fault

// faults are those that TestYear has to find.
var faults = []fault{
	{"a hold lasts a day longer", "../inventory/hold.go", "deadline := since.AddDate(0, 0, r.Days[reason])", "deadline := since.AddDate(0, 0, r.Days[reason]+1)"},
	{"the newest close first", "../inventory/hold.go", "	slices.Reverse(newest)\n", ""},
	{"units that came back are new", "../inventory/hold.go", "n := min(p.Units, h.Returned-h.Resumed)", "n := min(p.Units, 0)"},
	{"covered units stay held", "../inventory/hold.go", "		h.Units -= n\n		k := slices", "		k := slices"},
	{"what left is forgotten while it is shown", "../inventory/hold.go", "c.hold.Leaving += max(0, n-c.row.Covered)", "c.hold.Leaving += 0 * max(0, n-c.row.Covered)"},
	{"an order that was taken back at once is not noticed", "../inventory/hold.go", "if o.New && !o.Elsewhere {", "if false {"},
	{"the earliest deadline does not count", "../inventory/hold.go", "h.Deadline.After(p.deadline)\n", "false && h.Deadline.After(p.deadline)\n"},
	{"what a snapshot leaves out is taken twice", "../desk/holds.go", "o.Progress.Requested.Before(s.Date())", "o.Progress.Requested.Before(s.Date().AddDate(-9, 0, 0))"},
	{"days are those of Greenwich", "../desk/holds.go", "y, m, d := t.In(zone).Date()", "y, m, d := t.UTC().Date()"},
	{"a step on the day of the opening", "notices.go", "if on.After(opening.Day) && !on.After(today)", "if !on.Before(opening.Day) && !on.After(today)"},
	{"a missed step is lost", "notices.go", "!on.After(today) && h.Step(step) == nil", "on.Equal(today.AddDate(0, 0, 1)) && h.Step(step) == nil"},
	{"a second digest a day", "notices.go", "id := \"notice-\" + h.today.Format(time.DateOnly)", "id := \"notice-\" + h.at.Format(time.RFC3339)"},
	{"disposed of on the deadline", "dispose.go", "!h.today.After(x.Deadline)", "h.today.Before(x.Deadline)"},
	{"a notice that nobody took counts", "dispose.go", "if at.IsZero() || x.Step", "if at.IsZero() && x.Step"},
	{"disposed of without being asked to", "dispose.go", "len(holds) > 0 && h.merchant.Profile.AutoDispose && !rehearse", "len(holds) > 0 && !rehearse"},
	{"disposals can be cancelled and are charged to nobody", "../desk/required.go", "		o.Source = removal.SourceRequired\n", ""},
}

// TestPlantedFaults wants TestYear to find each fault.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.Name, func(t *testing.T) { faulttest.Fault(f).Find(t, "^TestYear$") })
	}
}
