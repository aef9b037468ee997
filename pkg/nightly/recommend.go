package nightly

import (
	"cmp"
	"context"
	"slices"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// Recommendation is what should be removed before the next clean-up.
type Recommendation struct {
	report.Recommended
	Batches []desk.Batch // the whole list, as orders

	sight sight
}

// sight is what a recommendation is made of, beside the merchant.
type sight struct {
	scene
	row      *ledger.Snapshot
	snapshot *inventory.Snapshot
	taken    func(pool int32) (sellable, unsellable int64)
	policy   *policy.Set
	fees     *policy.FeeCard
	line     inventory.AgeLine
	cleanUp  time.Time
	today    inventory.Day
}

// Recommend finds what will be charged long-term storage at the next clean-up
// after a moment's day and is not on its way out. It writes nothing. Without a
// snapshot the error is desk.ErrNoSnapshot.
func (j *Jobs) Recommend(ctx context.Context, merchant string, at time.Time) (*Recommendation, error) {
	s, err := j.scene(ctx, merchant, at)
	if err != nil {
		return nil, err
	}
	v := sight{scene: *s, policy: j.Policy, fees: j.Policy.FeeCard(s.store, s.at), today: inventory.DayOf(s.at)}
	if v.row, v.snapshot, err = j.Current(ctx, merchant); err != nil {
		return nil, err
	}
	if v.snapshot == nil {
		return nil, desk.ErrNoSnapshot
	}
	stock, err := desk.Stock(ctx, j.Ledger, merchant, v.snapshot, v.store)
	if err != nil {
		return nil, err
	}
	v.taken = stock.Taken
	v.cleanUp, v.line = AgeLine(s.store, s.at)
	return v.recommend()
}

// AgeLine is the line that the next clean-up after a moment's day draws.
func AgeLine(store policy.Store, at time.Time) (cleanUp time.Time, line inventory.AgeLine) {
	cleanUp = CleanUpAfter(at, store.CleanupDay)
	return cleanUp, inventory.AgeLine{
		CleanUp: inventory.DayOf(cleanUp), FromDays: store.LTSFFromDays,
		Next: func(d inventory.Day) inventory.Day {
			return inventory.DayOf(CleanUpAfter(d.Time(), store.CleanupDay))
		},
	}
}

// CleanUpAfter is the first clean-up after a day: the next day of that number in
// the month, never the day itself.
func CleanUpAfter(day time.Time, cleanUpDay int) time.Time {
	y, m, d := day.Date()
	if d >= cleanUpDay {
		m++
	}
	return time.Date(y, m, cleanUpDay, 0, 0, 0, 0, day.Location())
}

func (v *sight) recommend() (*Recommendation, error) {
	r := &Recommendation{Recommended: report.Recommended{
		Merchant: v.merchant, Zone: v.zone, Made: v.at, Snapshot: v.row.Date, SnapshotHasTime: v.row.DateHasTime,
		CleanUp: v.cleanUp, FromDays: v.line.FromDays, Currency: v.store.Currency,
	}, sight: *v}
	sources := v.snapshot.Sources()
	err := v.snapshot.EachFacts(func(p int32, f *inventory.Facts) error {
		sellable, unsellable := v.snapshot.Units(p)
		if sellable == 0 {
			return nil
		}
		ages := f.Ages(sources, sellable, v.today)
		charged := f.Charged(sources, sellable, v.line)
		r.age(&ages, charged.Units)
		if charged.Units == 0 {
			return nil
		}
		open, _ := v.taken(p)
		if left := charged.Less(open); left.Units > 0 {
			row := v.pool(p, f, &ages, &left)
			row.Sellable, row.Unsellable, row.Aged, row.Open = sellable, unsellable, charged.Units, open
			v.unsellable(&row, f)
			v.selling(&row, f, &left)
			r.Rows = append(r.Rows, row)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := v.snapshot.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.Rows, func(a, b report.RecommendedRow) int {
		return cmp.Or(cmp.Compare(b.Surcharge.Amount, a.Surcharge.Amount), cmp.Compare(b.Remove, a.Remove))
	})
	r.Batches = desk.Batches(&v.merchant, v.store, v.snapshot, r.items())
	switch {
	case len(r.Rows) == 0:
		r.NoUpload = "nothing"
	case slices.ContainsFunc(r.Batches, func(b desk.Batch) bool { return b.Method == removal.Return && b.Address.IsZero() }):
		r.NoUpload = "address"
	}
	return r, nil
}

func (r *Recommendation) items() []desk.Item {
	items := make([]desk.Item, len(r.Rows))
	for i := range r.Rows {
		items[i] = desk.Item{SKU: r.Rows[i].SKU, Sellable: r.Rows[i].Remove}
	}
	return items
}

// Only gives the orders of chosen rows: SKUs with at most so many units each.
func (r *Recommendation) Only(most map[string]int64) []desk.Batch {
	var items []desk.Item
	for _, it := range r.items() {
		if n := min(it.Sellable, most[it.SKU]); n > 0 {
			items = append(items, desk.Item{SKU: it.SKU, Sellable: n})
		}
	}
	return desk.Batches(&r.sight.merchant, r.sight.store, r.sight.snapshot, items)
}

// age adds a pool to the whole stock by age; what is charged is the oldest of it.
func (r *Recommendation) age(a *inventory.Ages, charged int64) {
	r.Ageing.Unknown += a.Unknown
	for i := inventory.ShownBands - 1; i >= 0; i-- {
		r.Ageing.Units[i] += a.Units[i]
		n := min(charged, a.Units[i])
		r.Ageing.Charged[i] += n
		charged -= n
	}
}

// pool makes the row of a pool, under its first MSKU. left are the units that
// should be removed.
func (v *sight) pool(p int32, f *inventory.Facts, ages *inventory.Ages, left *inventory.Charged) report.RecommendedRow {
	item := v.snapshot.Item(v.snapshot.FirstItem(p))
	row := report.RecommendedRow{
		SKU: string(item.SKU), FNSKU: string(item.FNSKU), ASIN: item.ASIN, Title: item.Title,
		Ages: ages.Units, Mid: ages.Mid, Remove: left.Units, Basis: string(left.Basis), AtLeast: left.AtLeast,
	}
	if ages.Basis == inventory.BasisNone {
		row.Ages = [report.AgeBands]int64{-1, -1, -1, -1, -1}
	}
	product := v.snapshot.Product(p)
	row.Surcharge = v.surcharge(left, volume(&product, f))
	fee := func(m removal.Method, country string) report.Figure {
		each, ok, why := v.fees.Fee(m, country, policy.Product{
			WeightG: product.WeightG, HasWeight: product.HasWeight, HasSize: product.HasSize,
			LongestMM: product.LongestMM, MedianMM: product.MedianMM, ShortestMM: product.ShortestMM,
		})
		return report.Figure{Amount: each * removal.Amount(left.Units), Known: ok, Why: why}
	}
	row.ReturnFee = fee(removal.Return, v.merchant.Profile.ReturnAddress.Country)
	row.DisposalFee = fee(removal.Disposal, "")
	return row
}

// volume is that of one unit in cubic millimetres; 0: not known. Sides are exact,
// what reports say is rounded.
func volume(p *inventory.Product, f *inventory.Facts) int64 {
	switch {
	case p.HasSize:
		return p.LongestMM * p.MedianMM * p.ShortestMM
	case f.Measured.VolumeMM3 > 0:
		return f.Measured.VolumeMM3
	}
	return p.VolumeCM3 * 1000
}

// surcharge is what units will be charged at the clean-up, by their ages.
func (v *sight) surcharge(c *inventory.Charged, mm3 int64) report.Figure {
	sum := report.Figure{Known: true}
	tier := map[int]int64{} // units by the age from which they cost the same
	var ages []int
	for _, a := range c.ByAge {
		from := v.policy.StorageTier(v.store, a.Age, v.cleanUp)
		if tier[from] == 0 {
			ages = append(ages, from)
		}
		tier[from] += a.Units
	}
	for _, age := range ages {
		fee, ok, why := v.policy.StorageFee(v.store, age, tier[age], mm3, v.cleanUp)
		if !ok {
			return report.Figure{Why: why}
		}
		sum.Amount += fee
	}
	return sum
}

func (v *sight) unsellable(row *report.RecommendedRow, f *inventory.Facts) {
	a := f.UnsellableAges(row.Unsellable, v.today)
	row.UnsellableWeek, row.UnsellableTo60, row.UnsellableTo90 = a.Week, a.To60, a.To90
	if a.Unknown > 0 {
		row.UnsellableWeek, row.UnsellableTo60, row.UnsellableTo90 = -1, -1, -1
	}
}

// selling tells how much will be sold before the clean-up, and what is cheaper:
// sales are the oldest units too.
func (v *sight) selling(row *report.RecommendedRow, f *inventory.Facts, left *inventory.Charged) {
	row.Expected, row.CoverDays, row.Cheaper = -1, -1, report.ChoiceUnknown
	days := int64(v.line.CleanUp - v.today)
	sold, in := rate(&f.Sales)
	if in > 0 {
		row.Expected = days * sold / in
		if sold > 0 {
			row.CoverDays = row.Sellable * in / sold
		}
	}
	kept := left.Less(max(row.Expected, 0))
	keep := v.surcharge(&kept, v.volumeOf(row, f))
	if !keep.Known || !row.ReturnFee.Known && !row.DisposalFee.Known {
		return
	}
	row.Cheaper = report.ChoiceKeep
	best := keep.Amount
	for _, c := range []struct {
		figure report.Figure
		choice report.Choice
	}{{row.ReturnFee, report.ChoiceReturn}, {row.DisposalFee, report.ChoiceDispose}} {
		if c.figure.Known && c.figure.Amount < best {
			best, row.Cheaper = c.figure.Amount, c.choice
		}
	}
}

func (v *sight) volumeOf(row *report.RecommendedRow, f *inventory.Facts) int64 {
	product := v.snapshot.Product(v.snapshot.PoolOf(v.snapshot.Lookup([]byte(row.SKU))))
	return volume(&product, f)
}

// rate is how many units are sold in how many days: the mean of the last 30 and
// 90 days; 0 days: not known.
func rate(s *inventory.Sales) (sold, days int64) {
	switch {
	case s.From < 0 || s.T30 < 0 && s.T90 < 0:
		return 0, 0
	case s.T90 < 0:
		return s.T30, 30
	case s.T30 < 0:
		return s.T90, 90
	}
	return 3*s.T30 + s.T90, 180
}
