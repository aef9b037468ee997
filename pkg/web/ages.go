package web

import (
	"context"
	"slices"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// skuMore is what the page of a SKU shows beside its units.
type skuMore struct {
	Ages  *columnChart
	Holds []holdView
}

// holdView is a hold of the SKU's pool.
type holdView struct {
	removal.Hold
	DaysLeft int
	Tone     string
}

// skuMoreOf finds the ages and holds of a SKU's pool.
func (s *Server) skuMoreOf(ctx context.Context, v *visit, stock *inventory.Snapshot, sku string) (*skuMore, error) {
	more := &skuMore{}
	zone, err := time.LoadLocation(v.merchant.Profile.TimeZone)
	if err != nil {
		return nil, err
	}
	i := stock.Lookup([]byte(sku))
	if i < 0 {
		return more, nil
	}
	pool := stock.PoolOf(i)
	if more.Holds, err = s.holdsOf(ctx, v, stock.PoolKey(pool)); err != nil || !stock.HasFacts() {
		return more, err
	}
	facts, err := stock.Facts(pool)
	if err != nil {
		return nil, err
	}
	sellable, _ := stock.Units(pool)
	ages := facts.Ages(stock.Sources(), sellable, inventory.DayOf(s.Now().In(zone)))
	if ages.Basis != inventory.BasisNone {
		var whole report.Ageing
		copy(whole.Units[:], ages.Units[:])
		more.Ages = s.ageChart(v, "ages", &whole)
		more.Ages.Parts = more.Ages.Parts[:1]
	}
	return more, nil
}

// holdsOf gives the holds of a pool, the earliest deadline first.
func (s *Server) holdsOf(ctx context.Context, v *visit, pool string) ([]holdView, error) {
	store, err := s.storeOf(v)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(store.TimeZone)
	if err != nil {
		return nil, err
	}
	book, err := s.Ledger.PoolHolds(ctx, v.merchant.ID, pool)
	if err != nil {
		return nil, err
	}
	today := desk.Day(s.Now(), zone)
	var all []holdView
	for i := range book.Holds {
		h := &book.Holds[i]
		if h.Units+h.Covered > 0 {
			left := int(h.Deadline.Sub(today) / (24 * time.Hour))
			all = append(all, holdView{*h, left, deadlineTone(left)})
		}
	}
	slices.SortStableFunc(all, func(a, b holdView) int { return a.Deadline.Compare(b.Deadline) })
	return all, nil
}
