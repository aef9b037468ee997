package nightly

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Dispose orders the disposal of what is past its deadline, where the profile
// says auto_dispose: on the first day after the deadline on which the mail server
// took the notice that the units are held at least the policy's notice_days ago.
// A notice that was written as a file, or that every recipient's server refused,
// does not count. Units that a removal order takes are left alone. The orders are
// of source required and cannot be cancelled; one message tells of them, with
// their fees. Without auto_dispose there are only the list and the ready upload.
// Counts: held, past (its deadline), due (and told of in time), orders, units,
// refused, messages.
func (j *Jobs) Dispose(ctx context.Context, merchant string, at time.Time, rehearse bool) (out Outcome, err error) {
	var h *holding
	err = j.decide(ctx, func() error {
		if h, err = j.holding(ctx, merchant, at); err != nil {
			return err
		}
		out.Counts = map[string]int64{"held": h.count()["held"], "past": 0, "due": 0, "orders": 0, "units": 0, "refused": 0, "messages": 0}
		holds := h.past(out.Counts)
		c := &ledger.Change{}
		if len(holds) > 0 && h.merchant.Profile.AutoDispose && !rehearse {
			if c, err = j.require(ctx, h, holds, out.Counts); err != nil {
				return err
			}
		}
		if rehearse {
			return nil
		}
		return j.commit(ctx, h, c)
	})
	if err != nil {
		return Outcome{}, err
	}
	if out.Counts["past"] > 0 || rehearse {
		if out.ReportDir, err = j.write(h, "dispose", rehearse); err != nil {
			return out, err
		}
	}
	if out.Counts["orders"] > 0 {
		_, err = j.Desk.At(at).ReleaseDue(ctx, merchant)
	}
	return out, err
}

// past are the holds whose units are to be disposed of now.
func (h *holding) past(counts map[string]int64) (holds []removal.Hold) {
	for i := range h.plan.Live {
		x := &h.plan.Live[i]
		if x.Units == 0 || !h.today.After(x.Deadline) {
			continue
		}
		counts["past"]++
		if h.noticed(x) {
			counts["due"]++
			holds = append(holds, *x)
		}
	}
	return holds
}

// noticed tells whether the notice came in time. Units that came back from an
// order need a notice of their own, too: their deadline follows from it.
func (h *holding) noticed(x *removal.Hold) bool {
	at := x.NoticedAt()
	if at.IsZero() || x.Step(removal.StepOpening) == nil {
		return false
	}
	return !desk.Day(at, h.storeZone).AddDate(0, 0, h.store.NoticeDays).After(h.today)
}

// require decides the disposal orders of holds, covers the holds by them, and
// writes the message.
func (j *Jobs) require(ctx context.Context, h *holding, holds []removal.Hold, counts map[string]int64) (*ledger.Change, error) {
	var items []desk.Item
	place := map[string]int{}
	for i := range holds {
		x := &holds[i]
		k, ok := place[x.SKU]
		if !ok {
			k = len(items)
			place[x.SKU] = k
			items = append(items, desk.Item{SKU: x.SKU})
		}
		if x.Condition == removal.Sellable {
			items[k].Sellable += x.Units
		} else {
			items[k].Unsellable += x.Units
		}
	}
	slices.SortFunc(items, func(a, b desk.Item) int { return cmp.Compare(a.SKU, b.SKU) })
	day := h.today.Format(time.DateOnly)
	q, err := j.Desk.At(h.at).Require(ctx, &h.merchant, items, "required\x00"+day, "deadline past on "+day)
	if err != nil {
		return nil, err
	}
	counts["refused"] = int64(len(q.Refused))
	if len(q.Orders) == 0 {
		return &q.Change, nil
	}
	counts["orders"] = int64(len(q.Orders))
	n := h.cover(holds, q.Orders, counts)
	id, err := j.disposalID(ctx, h)
	if err != nil {
		return nil, err
	}
	m, err := h.message(id, n, nil)
	if err != nil {
		return nil, err
	}
	counts["messages"] = 1
	q.Change.Messages = []ledger.Message{m}
	return &q.Change, nil
}

// cover notes which order takes which hold, and gives the message about it, with
// the fees as they were charged.
func (h *holding) cover(holds []removal.Hold, orders []removal.Order, counts map[string]int64) *removal.Notice {
	type ordered struct {
		order *removal.Order
		line  *removal.Line
	}
	bySKU := map[string]ordered{}
	for i := range orders {
		for k := range orders[i].Lines {
			bySKU[orders[i].Lines[k].SKU] = ordered{&orders[i], &orders[i].Lines[k]}
		}
	}
	var rows []removal.NoticeRow
	for i := range holds {
		x := &holds[i]
		o, ok := bySKU[x.SKU]
		if !ok {
			continue // refused
		}
		row := h.row(x)
		row.Step, row.Order = removal.StepDisposal, o.order.ID
		if row.HasFee = o.line.HasFee; o.line.HasFee {
			row.Fee = o.line.Fee / removal.Amount(o.line.Sellable.Requested+o.line.Unsellable.Requested) * removal.Amount(x.Units)
		}
		rows = append(rows, row)
		counts["units"] += x.Units
		h.plan.Take(*x, o.order.ID)
	}
	n := h.notice(removal.NoticeDisposal, rows)
	for i := range orders {
		n.Orders = append(n.Orders, orders[i].ID)
	}
	return n
}

// disposalID is the id of the message, numbered where the day has one already.
func (j *Jobs) disposalID(ctx context.Context, h *holding) (string, error) {
	for n := 1; ; n++ {
		id := "disposal-" + h.today.Format(time.DateOnly)
		if n > 1 {
			id = fmt.Sprintf("%s-%d", id, n)
		}
		there, err := j.Ledger.HasMessage(ctx, h.merchant.ID, id)
		if err != nil || !there {
			return id, err
		}
	}
}
