// Package schedule makes scheduled work happen: it knows when each job of each
// merchant is due, and has it done once.
//
// Due times come from cron expressions read on the clocks of a zone (Plan). A run
// is a row of the ledger whose key is the time for which it was due, so that it is
// made once however many schedulers look at one ledger, over restarts, overlaps
// and changes of the clocks. Only the latest run that was missed is made up for. A
// run that its scheduler did not live to end is taken over when its lease is out;
// one that fails is tried again a few times; one that panics is recorded as failed.
//
// What a job does is given to it. It keeps no clock of its own, and jobs of one
// merchant never run side by side: a job that takes long keeps that merchant's
// next ones waiting.
package schedule

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Job is a kind of scheduled work.
type Job struct {
	Name string
	Plan Plan
	// Do does the work for a merchant; at is the time of everything in it.
	Do func(ctx context.Context, merchant string, at time.Time) (Result, error)
}

// Result is what came of a run, as far as it is to be shown.
type Result struct {
	ReportDir string
	Counts    map[string]int64
}

// Options is what a Scheduler works with; Ledger, Jobs and Now are required.
type Options struct {
	Ledger *ledger.Ledger
	// Jobs in the order in which those that are due at one moment are done.
	Jobs []Job
	Now  func() time.Time
	Log  zerolog.Logger
	// AtOnce is of how many merchants a job is done at once; default 2.
	AtOnce int
	// Poll is the longest time between two looks; default 15 s.
	Poll time.Duration
	// Lease is how long a run is kept from others without being renewed; default
	// 90 s.
	Lease time.Duration
	// StopWithin is how long the runs in hand may take once the work is to end;
	// then they are broken off, to be made anew. Default 20 s.
	StopWithin time.Duration
	// Retry says after what time a run is tried again that failed so many times;
	// false: never. Default: 1, 5 and 25 minutes.
	Retry func(failures int) (time.Duration, bool)
}

// mostAttempts is how often a run is begun that is never ended.
const mostAttempts = 5

// ErrNoJob says that there is no job of this name.
var ErrNoJob = errors.New("there is no such job")

// Scheduler has jobs done. It may be used by several goroutines; several may look
// at one ledger.
type Scheduler struct {
	Options
	owner string
}

// New makes a Scheduler. It holds nothing open.
func New(opt Options) *Scheduler {
	if opt.AtOnce <= 0 {
		opt.AtOnce = 2
	}
	if opt.Poll <= 0 {
		opt.Poll = 15 * time.Second
	}
	if opt.Lease <= 0 {
		opt.Lease = 90 * time.Second
	}
	if opt.StopWithin <= 0 {
		opt.StopWithin = 20 * time.Second
	}
	if opt.Retry == nil {
		opt.Retry = func(failures int) (time.Duration, bool) {
			waits := []time.Duration{time.Minute, 5 * time.Minute, 25 * time.Minute}
			if failures > len(waits) {
				return 0, false
			}
			return waits[failures-1], true
		}
	}
	return &Scheduler{Options: opt, owner: strings.ToLower(rand.Text()[:12])}
}

// task is one run that is due.
type task struct {
	job Job
	due Due
}

// zoneOf is the zone of a merchant's store, or the one that its profile sets.
func zoneOf(m *removal.Merchant) (*time.Location, error) {
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("merchant %s: %w", m.ID, err)
	}
	return zone, nil
}

// tasks are the runs of a merchant that are due and not made yet, in their order,
// and when the next one is due.
func (s *Scheduler) tasks(ctx context.Context, m *removal.Merchant) (all []task, next time.Time, err error) {
	zone, err := zoneOf(m)
	if err != nil {
		return nil, time.Time{}, err
	}
	now := s.Now()
	sooner := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, job := range s.Jobs {
		if coming := job.Plan.Next(now, zone, 1); len(coming) > 0 {
			sooner(coming[0].At)
		}
		due, ok := job.Plan.Latest(now, zone)
		if !ok || due.At.Before(m.Created) {
			continue // nothing was missed before there was a merchant
		}
		run, err := s.Ledger.JobRun(ctx, m.ID, job.Name, due.Key)
		switch {
		case errors.Is(err, ledger.ErrNotFound), err == nil && run.Open(now):
			all = append(all, task{job, due})
		case err != nil:
			return nil, time.Time{}, err
		case run.RetryAfter.After(now):
			sooner(run.RetryAfter)
		}
	}
	slices.SortStableFunc(all, func(a, b task) int { return a.due.At.Compare(b.due.At) })
	return all, next, nil
}

// RunDue makes every run that is due now and returns how many it made, and when
// the next one is due, zero where none is. A run that fails is recorded and no
// error of RunDue.
func (s *Scheduler) RunDue(ctx context.Context) (made int, next time.Time, err error) {
	merchants, err := s.Ledger.Merchants(ctx)
	if err != nil {
		return 0, time.Time{}, err
	}
	for i := range merchants {
		n, at, err := s.runMerchant(ctx, &merchants[i])
		made += n
		if err != nil {
			return made, next, err
		}
		if next.IsZero() || !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	return made, next, ctx.Err()
}

// runMerchant makes a merchant's runs that are due, one after the other.
func (s *Scheduler) runMerchant(ctx context.Context, m *removal.Merchant) (made int, next time.Time, err error) {
	all, next, err := s.tasks(ctx, m)
	for _, t := range all {
		if err != nil || ctx.Err() != nil {
			break
		}
		_, err = s.make(ctx, t.job, ledger.JobRun{Merchant: m.ID, Job: t.job.Name, Key: t.due.Key, ScheduledFor: t.due.At}, s.Now())
		switch {
		case err == nil:
			made++
		case errors.Is(err, ledger.ErrJobTaken), errors.Is(err, ledger.ErrJobBusy), errors.Is(err, ledger.ErrLost), errors.Is(err, errFailed):
			err = nil // others make it, or it is recorded
		}
	}
	return made, next, err
}

// ByHand makes a run of a job now, whatever its plan, with a key of its own; at is
// the time of everything in it, zero for the present. The answer is the run as it
// is recorded; where the job failed the error is the job's. ErrNoJob;
// ledger.ErrJobBusy: another run of it is going on.
func (s *Scheduler) ByHand(ctx context.Context, name, merchant string, at time.Time) (ledger.JobRun, error) {
	i := slices.IndexFunc(s.Jobs, func(j Job) bool { return j.Name == name })
	if i < 0 {
		return ledger.JobRun{}, fmt.Errorf("%s: %w", name, ErrNoJob)
	}
	now := s.Now()
	if at.IsZero() {
		at = now
	}
	key := "hand-" + now.UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:6])
	return s.make(ctx, s.Jobs[i], ledger.JobRun{Merchant: merchant, Job: name, Key: key, ByHand: true, ScheduledFor: at}, at)
}

// errFailed marks the error of a job, whose run is recorded.
var errFailed = errors.New("the job failed")

// make takes a run in hand, does it and records how it ended.
func (s *Scheduler) make(ctx context.Context, job Job, r ledger.JobRun, at time.Time) (ledger.JobRun, error) {
	r.Started = s.Now()
	r.LeaseOwner, r.LeaseUntil = s.owner, r.Started.Add(s.Lease)
	r, err := s.Ledger.BeginJob(ctx, r, mostAttempts)
	if err != nil {
		return r, err
	}
	log := s.Log.With().Str("job", r.Job).Str("merchant", r.Merchant).Str("run", r.Key).Logger()
	log.Info().Int("attempt", r.Attempts).Msg("job begun")
	result, faulty, err := s.do(ctx, job, r, at)
	r.Status, r.Finished = ledger.JobDone, s.Now()
	r.ReportDir, r.Counts = result.ReportDir, result.Counts
	if err != nil {
		s.failed(ctx, &r, faulty, err)
		log.Error().Err(err).Time("again_at", r.RetryAfter).Msg("job failed")
	}
	// What is done must be recorded most when the work is to end.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if e := s.Ledger.EndJob(late, &r); e != nil {
		return r, errors.Join(err, e)
	}
	r.LeaseOwner, r.LeaseUntil = "", time.Time{}
	if err != nil {
		return r, fmt.Errorf("%w: %w", errFailed, err)
	}
	log.Info().Interface("counts", r.Counts).Dur("took", r.Finished.Sub(r.Started)).Msg("job done")
	return r, nil
}

// failed says of a run why it failed and when it is tried again: one that was
// broken off at once, one by hand and one that panicked never.
func (s *Scheduler) failed(ctx context.Context, r *ledger.JobRun, faulty bool, err error) {
	r.Status, r.Error = ledger.JobFailed, err.Error()
	switch {
	case faulty || r.ByHand:
	case ctx.Err() != nil && r.Attempts < mostAttempts:
		r.RetryAfter = r.Finished
	default:
		if wait, again := s.Retry(r.Attempts); again {
			r.RetryAfter = r.Finished.Add(wait)
		}
	}
}

// do does the work, renewing the lease meanwhile. A panic is an error, and faulty.
func (s *Scheduler) do(ctx context.Context, job Job, r ledger.JobRun, at time.Time) (result Result, faulty bool, err error) {
	ctx, lost := context.WithCancelCause(ctx)
	stop := s.renew(ctx, r, lost)
	defer stop()
	defer func() {
		if fault := recover(); fault != nil {
			s.Log.Error().Str("job", r.Job).Str("merchant", r.Merchant).Str("stack", string(debug.Stack())).Msg("fault of the program")
			faulty, err = true, fmt.Errorf("fault of the program: %v", fault)
		}
		lost(nil)
	}()
	result, err = job.Do(ctx, r.Merchant, at)
	return result, false, err
}

// renew keeps the lease of a run that takes long; where it is lost the work on it
// ends.
func (s *Scheduler) renew(ctx context.Context, r ledger.JobRun, lost context.CancelCauseFunc) (stop func()) {
	timer := time.NewTicker(s.Lease / 3)
	end, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case <-end:
				return
			case <-timer.C:
			}
			err := s.Ledger.RenewJob(ctx, &r, s.Now().Add(s.Lease))
			if errors.Is(err, ledger.ErrLost) {
				lost(ledger.ErrLost)
				return
			}
			if err != nil && ctx.Err() == nil {
				s.Log.Warn().Err(err).Str("job", r.Job).Msg("the lease of a run cannot be renewed; it is tried again")
			}
		}
	}()
	return func() {
		timer.Stop()
		close(end)
		<-over
	}
}
