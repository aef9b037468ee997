// Package validate holds the rules for removal orders: what is checked of every
// row, of every order and of the file, and how rows take stock.
//
// It is pure: no I/O, no clock, no log. What earlier files did is asked of a Past;
// what of a large file is too much for memory, orders and takings of long ago, is
// given to a Shelf and to Pages. All problems of a row are found in one pass. Work
// comes in two stages: Rules.Check looks at rows on their own and may run for
// several blocks at once; a Decider then takes the rows one after another, in the
// order of the file, for all that depends on the rows before.
package validate

import (
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
)

// Limits of the fields, as the marketplace has them.
const (
	MaxOrderID  = 40 // characters
	MaxSKU      = 40 // bytes in UTF-8
	MaxQuantity = 1000000
)

// Rules is all that rows are held against. It is not changed while in use.
type Rules struct {
	Merchant removal.Merchant
	Policy   *policy.Set
	Store    policy.Store
	Snapshot *inventory.Snapshot
	Centres  []removal.Centre
	// Now is the moment of the run; it decides which fee cards hold and how
	// old the snapshot is.
	Now time.Time
	// Source is what generated ids are made from: the file's hash, or a draft's key.
	Source string
	// Headings is how many columns the file has headings for.
	Headings int
	// Draft is true for orders made otherwise than by an upload file.
	Draft bool

	centres  map[string]string
	fees     *policy.FeeCard
	location *time.Location
}

// Prepare computes what the checks look up. It must be called once, before
// them; its error is that of an unknown time zone.
func (r *Rules) Prepare() error {
	var err error
	if r.location, err = time.LoadLocation(r.Merchant.Profile.TimeZone); err != nil {
		return err
	}
	r.centres = make(map[string]string, len(r.Centres))
	for _, c := range r.Centres {
		r.centres[placeKey(c.Country, c.PostalCode, c.Line1)] = c.ID
	}
	r.fees = r.Policy.FeeCard(r.Store, r.Now)
	return nil
}

// Stale gives the warning that the snapshot is older than the policy's days, or nil.
func (r *Rules) Stale() *removal.Problem {
	days := int(r.Now.Sub(r.Snapshot.Date()).Hours() / 24)
	if days <= r.Store.SnapshotMaxAgeDays {
		return nil
	}
	return &removal.Problem{
		Code: removal.SnapshotStale, Field: removal.FieldNone,
		Args: removal.Args{}.Arg("date", r.day(r.Snapshot.Date())).
			Arg("days", days).Arg("max", r.Store.SnapshotMaxAgeDays),
	}
}

// day is the date of a moment where the merchant is.
func (r *Rules) day(t time.Time) string { return t.In(r.location).Format(time.DateOnly) }
