package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The statuses of a run of a job.
const (
	JobRunning = "running"
	JobDone    = "done"
	JobFailed  = "failed"
)

// What BeginJob answers besides failures of the database.
var (
	// ErrJobTaken says that this run is done, given up, waiting for its next
	// attempt, or in other hands.
	ErrJobTaken = errors.New("the run is made already")
	// ErrJobBusy says that another run of the same job and merchant is going on.
	ErrJobBusy = errors.New("the job is running")
)

// JobRun is one run of a job for a merchant.
type JobRun struct {
	Merchant, Job string
	// Key is unique for the job and merchant: the local date and time for which
	// the run was due, the UTC instant, or a key of its own.
	Key    string
	ByHand bool
	// ScheduledFor is the moment for which it was due, or as which it was made.
	ScheduledFor time.Time
	Status       string
	Attempts     int
	LeaseOwner   string
	LeaseUntil   time.Time
	// RetryAfter is when a run that failed is tried again; zero: never.
	RetryAfter        time.Time
	Started, Finished time.Time // of the last attempt
	ReportDir         string
	Counts            map[string]int64
	Error             string // why it failed
}

// Open tells whether the run may still be taken in hand at a moment: it was begun
// and nobody holds it any more, or it failed and is to be tried again.
func (r *JobRun) Open(now time.Time) bool {
	switch r.Status {
	case JobRunning:
		return !r.LeaseUntil.After(now)
	case JobFailed:
		return !r.RetryAfter.IsZero() && !r.RetryAfter.After(now)
	}
	return false
}

const jobColumns = `merchant, job, key, by_hand, scheduled_for, status, attempts, lease_owner, lease_until, retry_after,
	started, finished, report_dir, counts, error FROM job_run`

func (t *tx) jobRuns(ctx context.Context, rest string, args ...any) (all []JobRun, err error) {
	err = t.each(ctx, func(rows *sql.Rows) error {
		var r JobRun
		var counts string
		err := rows.Scan(&r.Merchant, &r.Job, &r.Key, &r.ByHand, moment{&r.ScheduledFor}, &r.Status, &r.Attempts, text{&r.LeaseOwner},
			moment{&r.LeaseUntil}, moment{&r.RetryAfter}, moment{&r.Started}, moment{&r.Finished}, text{&r.ReportDir}, text{&counts}, text{&r.Error})
		if err == nil {
			r.Counts, err = decodeCounts(counts)
		}
		all = append(all, r)
		return err
	}, `SELECT `+jobColumns+` `+rest, args...)
	return all, err
}

// encodeCounts writes counts as a list of names and numbers in turn, by name.
func encodeCounts(counts map[string]int64) (any, error) {
	if len(counts) == 0 {
		return nil, nil
	}
	list := make([]any, 0, 2*len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, name, counts[name])
	}
	b, err := json.Marshal(list)
	return string(b), err
}

func decodeCounts(s string) (map[string]int64, error) {
	if s == "" {
		return nil, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(s), &list); err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	counts := make(map[string]int64, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		var name string
		var n int64
		if err := errors.Join(json.Unmarshal(list[i], &name), json.Unmarshal(list[i+1], &n)); err != nil {
			return nil, fmt.Errorf("counts: %w", err)
		}
		counts[name] = n
	}
	return counts, nil
}

// JobRun gives one run. ErrNotFound.
func (l *Ledger) JobRun(ctx context.Context, merchant, job, key string) (JobRun, error) {
	found, err := l.jobRunsWhere(ctx, `WHERE merchant = $1 AND job = $2 AND key = $3`, merchant, job, key)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("run %s of %s: %w", key, job, ErrNotFound)
	}
	if err != nil {
		return JobRun{}, err
	}
	return found[0], nil
}

// JobRuns gives a merchant's runs of a job, "" for all jobs, the one begun last
// first, at most limit.
func (l *Ledger) JobRuns(ctx context.Context, merchant, job string, limit int) ([]JobRun, error) {
	if job == "" {
		return l.jobRunsWhere(ctx, `WHERE merchant = $1 ORDER BY started DESC, job, key DESC LIMIT $2`, merchant, limit)
	}
	return l.jobRunsWhere(ctx, `WHERE merchant = $1 AND job = $2 ORDER BY started DESC, key DESC LIMIT $3`, merchant, job, limit)
}

func (l *Ledger) jobRunsWhere(ctx context.Context, rest string, args ...any) (all []JobRun, err error) {
	err = l.read(ctx, func(tx *tx) error {
		all, err = tx.jobRuns(ctx, rest, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("runs of jobs: %w", err)
	}
	return all, nil
}

// BeginJob takes a run in hand: one that is not there yet, or one that is Open at
// r.Started. Merchant, Job, Key, ByHand, ScheduledFor, Started and the lease are
// the caller's to give. What was begun most times and never ended is given up.
// Runs of the same job that were left behind are recorded as failed. ErrJobTaken,
// ErrJobBusy; ErrNotFound: no such merchant.
func (l *Ledger) BeginJob(ctx context.Context, r JobRun, most int) (JobRun, error) {
	now := r.Started
	err := l.write(ctx, func(tx *tx) error {
		var there int
		if err := missing(tx.QueryRowContext(ctx, `SELECT 1 FROM merchant WHERE id = $1`, r.Merchant).Scan(&there)); err != nil {
			return err
		}
		running, err := tx.jobRuns(ctx, `WHERE merchant = $1 AND job = $2 AND status = 'running'`, r.Merchant, r.Job)
		if err != nil {
			return err
		}
		for i := range running {
			o := &running[i]
			switch {
			case !o.Open(now) && o.Key == r.Key:
				return ErrJobTaken
			case !o.Open(now):
				return ErrJobBusy
			case o.Key != r.Key || o.Attempts >= most:
				if err := tx.abandonJob(ctx, o, now); err != nil {
					return err
				}
			}
		}
		found, err := tx.jobRuns(ctx, `WHERE merchant = $1 AND job = $2 AND key = $3`, r.Merchant, r.Job, r.Key)
		if err != nil {
			return err
		}
		r.Status, r.Attempts = JobRunning, 1
		if len(found) == 0 {
			_, err := tx.ExecContext(ctx, `INSERT INTO job_run (merchant, job, key, by_hand, scheduled_for, status, attempts, lease_owner, lease_until, started)
				VALUES ($1, $2, $3, $4, $5, 'running', 1, $6, $7, $8)`, r.Merchant, r.Job, r.Key, bit(r.ByHand), stamp(r.ScheduledFor),
				r.LeaseOwner, stamp(r.LeaseUntil), stamp(now))
			return err
		}
		if !found[0].Open(now) {
			// Given up just now: that stands, though it is the answer.
			r = found[0]
			return nil
		}
		r.Attempts, r.ScheduledFor = found[0].Attempts+1, found[0].ScheduledFor
		return tx.one(ctx, `UPDATE job_run SET status = 'running', attempts = $1, lease_owner = $2, lease_until = $3, retry_after = NULL,
			started = $4, finished = NULL, error = NULL WHERE merchant = $5 AND job = $6 AND key = $7`,
			r.Attempts, r.LeaseOwner, stamp(r.LeaseUntil), stamp(now), r.Merchant, r.Job, r.Key)
	})
	if err == nil && r.Status != JobRunning {
		err = ErrJobTaken
	}
	if err != nil {
		return JobRun{}, fmt.Errorf("begin %s for %s: %w", r.Job, r.Merchant, err)
	}
	return r, nil
}

// abandonJob records a run that ended without a word.
func (t *tx) abandonJob(ctx context.Context, r *JobRun, now time.Time) error {
	return t.one(ctx, `UPDATE job_run SET status = 'failed', finished = $1, lease_owner = NULL, lease_until = NULL, error = $2
		WHERE merchant = $3 AND job = $4 AND key = $5`, stamp(now), "the program ended before the run did", r.Merchant, r.Job, r.Key)
}

// RenewJob keeps a run in hand for longer. ErrLost: it is not in these hands.
func (l *Ledger) RenewJob(ctx context.Context, r *JobRun, until time.Time) error {
	err := l.changeJob(ctx, `UPDATE job_run SET lease_until = $1 WHERE merchant = $2 AND job = $3 AND key = $4
		AND status = 'running' AND lease_owner = $5 AND attempts = $6`,
		stamp(until), r.Merchant, r.Job, r.Key, r.LeaseOwner, r.Attempts)
	if err != nil {
		return fmt.Errorf("renew the lease of %s for %s: %w", r.Job, r.Merchant, err)
	}
	return nil
}

// EndJob records how a run ended: Status (done or failed), Finished, ReportDir,
// Counts, Error and RetryAfter are the caller's to give. ErrLost: it is not in
// these hands, and what is recorded stands.
func (l *Ledger) EndJob(ctx context.Context, r *JobRun) error {
	counts, err := encodeCounts(r.Counts)
	if err == nil {
		err = l.changeJob(ctx, `UPDATE job_run SET status = $1, finished = $2, retry_after = $3, report_dir = $4, counts = $5, error = $6,
			lease_owner = NULL, lease_until = NULL WHERE merchant = $7 AND job = $8 AND key = $9
			AND status = 'running' AND lease_owner = $10 AND attempts = $11`,
			r.Status, stamp(r.Finished), stamp(r.RetryAfter), null(r.ReportDir), counts, null(r.Error),
			r.Merchant, r.Job, r.Key, r.LeaseOwner, r.Attempts)
	}
	if err != nil {
		return fmt.Errorf("end %s for %s: %w", r.Job, r.Merchant, err)
	}
	return nil
}

func (l *Ledger) changeJob(ctx context.Context, query string, args ...any) error {
	err := l.write(ctx, func(tx *tx) error { return tx.one(ctx, query, args...) })
	if errors.Is(err, ErrNotFound) {
		return ErrLost
	}
	return err
}

// ForgetJobRuns deletes a merchant's runs that ended before a moment, but never
// the last of a job: what is due next is told from it.
func (l *Ledger) ForgetJobRuns(ctx context.Context, merchant string, before time.Time) (n int64, err error) {
	err = l.write(ctx, func(tx *tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM job_run WHERE merchant = $1 AND finished < $2 AND retry_after IS NULL
			AND started < (SELECT max(o.started) FROM job_run AS o WHERE o.merchant = job_run.merchant AND o.job = job_run.job
				AND o.by_hand = 0)`, merchant, before.UnixMicro())
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget runs of jobs: %w", err)
	}
	return n, nil
}
