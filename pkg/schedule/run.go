package schedule

import (
	"context"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// visited is a merchant whose runs were looked at.
type visited struct {
	merchant string
	next     time.Time
	err      error
}

// Run has jobs done until ctx ends: those that are due, as they become due. When
// ctx ends, runs in hand are finished or, past StopWithin, broken off.
func (s *Scheduler) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	rest := time.NewTimer(s.Poll)
	defer rest.Stop()
	done, busy := make(chan visited), map[string]bool{}
	looked := map[string]time.Time{} // when a merchant has to be looked at again
	for {
		s.round(work, busy, looked, done)
		rest.Reset(s.pause(busy, looked))
		select {
		case <-ctx.Done():
			return s.finish(busy, done, cancel)
		case v := <-done:
			delete(busy, v.merchant)
			looked[v.merchant] = v.next
			if v.err != nil {
				s.Log.Error().Err(v.err).Str("merchant", v.merchant).Msg("scheduled work cannot be looked at; it is tried again")
			}
		case <-rest.C:
		}
	}
}

// round looks at the merchants for whom it is time, each in a goroutine.
func (s *Scheduler) round(ctx context.Context, busy map[string]bool, looked map[string]time.Time, done chan<- visited) {
	if len(busy) >= s.AtOnce {
		return
	}
	merchants, err := s.Ledger.Merchants(ctx)
	if err != nil {
		s.Log.Error().Err(err).Msg("merchants cannot be read; it is tried again")
		return
	}
	for i := range merchants {
		m := merchants[i]
		if busy[m.ID] || looked[m.ID].After(s.Now()) {
			continue
		}
		if len(busy) >= s.AtOnce {
			return
		}
		busy[m.ID] = true
		delete(looked, m.ID)
		go s.visit(ctx, m, done)
	}
}

// visit makes a merchant's runs. The next visit is when the next run is due, or
// when another scheduler may have left one behind.
func (s *Scheduler) visit(ctx context.Context, m removal.Merchant, done chan<- visited) {
	_, next, err := s.runMerchant(ctx, &m)
	if latest := s.Now().Add(s.Poll); next.IsZero() || next.After(latest) || err != nil {
		next = latest
	}
	done <- visited{m.ID, next, err}
}

// pause is how long there is nothing to look at, unless a run in hand ends.
func (s *Scheduler) pause(busy map[string]bool, looked map[string]time.Time) time.Duration {
	wait := s.Poll
	if len(busy) >= s.AtOnce {
		return wait
	}
	for _, at := range looked {
		wait = min(wait, at.Sub(s.Now()))
	}
	return max(wait, 10*time.Millisecond)
}

// finish waits for the runs in hand, and after a while no longer.
func (s *Scheduler) finish(busy map[string]bool, done <-chan visited, cancel func()) error {
	late := time.NewTimer(s.StopWithin)
	defer late.Stop()
	for len(busy) > 0 {
		select {
		case v := <-done:
			delete(busy, v.merchant)
		case <-late.C:
			s.Log.Warn().Int("jobs", len(busy)).Msg("stopping: the jobs in hand are broken off")
			cancel()
		}
	}
	return nil
}

// Entry is a job of a merchant in the list of scheduled work.
type Entry struct {
	Job, Merchant string
	Plan          Plan
	Zone          *time.Location
	Last          *ledger.JobRun // nil where it never ran
	Next          []time.Time    // the next three times, in Zone
}

// List gives every job of the merchants with its last run and its next three times.
func (s *Scheduler) List(ctx context.Context, merchants []removal.Merchant) ([]Entry, error) {
	var all []Entry
	for i := range merchants {
		m := &merchants[i]
		home, err := zoneOf(m)
		if err != nil {
			return nil, err
		}
		for _, job := range s.Jobs {
			e := Entry{Job: job.Name, Merchant: m.ID, Plan: job.Plan, Zone: job.Plan.Zone(home), Next: []time.Time{}}
			last, err := s.Ledger.JobRuns(ctx, m.ID, job.Name, 1)
			if err != nil {
				return nil, err
			}
			if len(last) > 0 {
				e.Last = &last[0]
			}
			for _, d := range job.Plan.Next(s.Now(), home, 3) {
				e.Next = append(e.Next, d.At.In(e.Zone))
			}
			all = append(all, e)
		}
	}
	return all, nil
}
