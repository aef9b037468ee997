package nightly

import (
	"context"
	"time"

	"rensa/pkg/removal"
)

// Release hands on the orders whose delay in planning is over, and brings the table
// by which orders are found up to date. A rehearsal counts them. Counts: orders,
// files.
func (j *Jobs) Release(ctx context.Context, merchant string, at time.Time, rehearse bool) (Outcome, error) {
	if rehearse {
		n, err := j.waiting(ctx, merchant, at)
		return Outcome{Counts: map[string]int64{"orders": n, "files": 0}}, err
	}
	r, err := j.Desk.At(at).ReleaseDue(ctx, merchant)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Counts: map[string]int64{"orders": int64(r.Orders), "files": int64(len(r.Files))}}
	return out, j.Ledger.IndexOrders(ctx, merchant)
}

// waiting counts the orders whose delay will be over at a moment.
func (j *Jobs) waiting(ctx context.Context, merchant string, at time.Time) (n int64, err error) {
	m, err := j.Ledger.Merchant(ctx, merchant)
	if err != nil {
		return 0, err
	}
	orders, err := j.Ledger.RecordsIn(ctx, merchant, removal.StatePlanning)
	for i := range orders {
		if !orders[i].Created.Add(m.Profile.ReleaseDelay).After(at) {
			n++
		}
	}
	return n, err
}
