package nightly_test

import (
	"testing"

	"rensa/pkg/desk/faulttest"
)

// recommendedFaults are changes of the product's source, each of which
// TestRecommended has to find.
var recommendedFaults = []fault{
	{"the clean-up may be the day itself", "recommend.go", "if d >= cleanUpDay {", "if d > cleanUpDay {"},
	{"units in removals are recommended again", "recommend.go", "left := charged.Less(open)", "left := charged.Less(0 * open)"},
	{"a unit of exactly the age is not charged", "../inventory/age.go", "age >= line.FromDays {", "age > line.FromDays {"},
	{"the youngest units leave first", "../inventory/age.go", "c.drop(f.Lots.Sellable - sellable)", "_ = sellable"},
	{"a column about another clean-up is believed", "../inventory/age.go", "line.isYear() && line.Next(day) == line.CleanUp {", "line.isYear() {"},
	{"older lots go before newer reports", "../inventory/age.go", "sources[f.Aged[0].From].Day > sources[f.Lots.From].Day", "false"},
	{"the band that the line cuts is taken whole", "../inventory/age.go", "case from >= least:", "case to >= least:"},
	{"interpolation knows the widest bands only", "../inventory/age.go", "w < width || w == width && d > at", "width == openEnded || w > width || w == width && d > at"},
	{"lots without dates are forgotten", "../inventory/age.go", "c.AtLeast = f.Lots.Sellable > dated", ""},
	{"a full file forgets what reports said", "../inventory/factcarry.go", "for _, a := range was.Aged {", "for _, a := range was.Aged[:0] {"},
	{"a full file forgets the lots", "../inventory/factcarry.go", "if f.Lots.From < 0 && was.Lots.From >= 0 && fresh(was.Lots.From) {", "if false {"},
	{"the fee of one unit is charged", "recommend.go", "v.policy.StorageFee(v.store, age, tier[age], mm3, v.cleanUp)", "v.policy.StorageFee(v.store, age, min(tier[age], 1), mm3, v.cleanUp)"},
	{"the narrow bands are not read", "../inventory/factparse.go", "if a331 >= 0 && a331 <= a271 {", "if false {"},
}

// TestPlantedRecommendedFaults wants TestRecommended or TestCleanUpAfter to find
// each fault.
func TestPlantedRecommendedFaults(t *testing.T) {
	t.Parallel()
	for _, f := range recommendedFaults {
		t.Run(f.Name, func(t *testing.T) { faulttest.Fault(f).Find(t, "^(TestRecommended|TestCleanUpAfter)$") })
	}
}
