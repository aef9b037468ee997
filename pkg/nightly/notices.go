package nightly

import (
	"context"
	"slices"
	"strconv"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// noticeAfter is how long after its own notice a hold of units that came back
// from an order lasts at least, in days.
const noticeAfter = 7

// Notices writes the day's digest of a merchant into the outbox: every hold of
// which a step is due, with the list of deadlines and a ready upload file. The
// opening of a hold is the first step; the policy's days before its deadline are
// the others, as far as they lie after the opening notice; a step that a night
// without a run missed is told of with the next digest. The same transaction
// notes each step, and there is one digest a day: what opens after it waits for
// the next one. Counts: held (holds with units), due, steps, covered, messages.
func (j *Jobs) Notices(ctx context.Context, merchant string, at time.Time, rehearse bool) (out Outcome, err error) {
	var h *holding
	err = j.decide(ctx, func() error {
		if h, err = j.holding(ctx, merchant, at); err != nil {
			return err
		}
		out.Counts = h.count()
		id := "notice-" + h.today.Format(time.DateOnly)
		told, err := j.Ledger.HasMessage(ctx, merchant, id)
		if err != nil {
			return err
		}
		c := &ledger.Change{}
		if !told {
			if err := j.digest(h, id, c, out.Counts); err != nil {
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
	if out.Counts["messages"] > 0 || rehearse {
		out.ReportDir, err = j.write(h, "notices", rehearse)
	}
	return out, err
}

func (h *holding) count() map[string]int64 {
	counts := map[string]int64{"held": 0, "covered": 0, "due": 0, "steps": 0, "messages": 0}
	for i := range h.plan.Live {
		if h.plan.Live[i].Units > 0 {
			counts["held"]++
		}
		if h.plan.Live[i].Covered > 0 {
			counts["covered"]++
		}
	}
	return counts
}

// digest adds the day's message and its steps to a change, where a step is due.
func (j *Jobs) digest(h *holding, id string, c *ledger.Change, counts map[string]int64) error {
	var rows []removal.NoticeRow
	for i := range h.plan.Live {
		x := h.plan.Live[i]
		steps := due(&x, h.today, h.store.NoticeSteps)
		if x.Units == 0 || len(steps) == 0 {
			continue
		}
		if week := h.today.AddDate(0, 0, noticeAfter); x.Origin > 0 && steps[0] == removal.StepOpening && week.After(x.Deadline) {
			x.Deadline = week
			h.plan.Set(x)
		}
		row := h.row(&x)
		row.Step = steps[len(steps)-1]
		rows = append(rows, row)
		for _, step := range steps {
			h.plan.Change.Steps = append(h.plan.Change.Steps, removal.HoldStep{Hold: x.ID, Step: step, Day: h.today, Message: id, Units: x.Units})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	h.tell(h.plan.Change.Steps)
	n := h.notice(removal.NoticeDigest, rows)
	attachments, err := j.attachments(h, n)
	if err != nil {
		return err
	}
	m, err := h.message(id, n, attachments)
	if err != nil {
		return err
	}
	c.Messages = []ledger.Message{m}
	counts["due"], counts["steps"], counts["messages"] = int64(len(rows)), int64(len(h.plan.Change.Steps)), 1
	return nil
}

// tell gives the live holds the steps that the digest tells of, so that the list
// which goes with it has them.
func (h *holding) tell(steps []removal.HoldStep) {
	byHold := map[int64][]removal.HoldStep{}
	for _, s := range steps {
		byHold[s.Hold] = append(byHold[s.Hold], s)
	}
	for i := range h.plan.Live {
		x := &h.plan.Live[i]
		x.Steps = append(slices.Clip(x.Steps), byHold[x.ID]...)
	}
}

// due are the steps of a hold to be told of on a day, the nearest to the deadline
// last. Before its opening notice a hold has no other step.
func due(h *removal.Hold, today time.Time, before []int) (steps []string) {
	opening := h.Step(removal.StepOpening)
	if opening == nil {
		return []string{removal.StepOpening}
	}
	for _, days := range before {
		on := h.Deadline.AddDate(0, 0, -days)
		step := strconv.Itoa(days)
		if on.After(opening.Day) && !on.After(today) && h.Step(step) == nil {
			steps = append(steps, step)
		}
	}
	return steps
}
