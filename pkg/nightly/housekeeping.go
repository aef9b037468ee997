package nightly

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"time"

	"rensa/pkg/ledger"
)

// Retention is how long things are kept; 0: for ever.
type Retention struct {
	Archive time.Duration // originals
	Reports time.Duration // reports, which can be made again as long as the original is kept
}

// runsKept is how long the runs of jobs are kept. What is done every few minutes
// makes a hundred thousand of them a year.
const runsKept = 90 * 24 * time.Hour

// Housekeeping deletes what of a merchant is past its retention, and folds the
// movements of stock. It waits for a backup that is being made. The original of
// the current snapshot is kept whatever its age, and so are reports that are still
// on their way. A rehearsal only counts. Counts: originals, reports (folders),
// bytes, runs (of jobs), movements (that folding spared).
func (j *Jobs) Housekeeping(ctx context.Context, merchant string, at time.Time, rehearse bool) (out Outcome, err error) {
	sc, err := j.scene(ctx, merchant, at)
	if err != nil {
		return Outcome{}, err
	}
	s := &sweep{Jobs: j, scene: sc, rehearse: rehearse, counts: map[string]int64{"originals": 0, "reports": 0, "bytes": 0, "runs": 0, "movements": 0}}
	if !rehearse {
		release, err := j.Deleting(ctx)
		if err != nil {
			return Outcome{}, err
		}
		defer func() { err = errors.Join(err, release()) }()
	}
	current, err := j.Ledger.Snapshot(ctx, merchant)
	if err != nil {
		return Outcome{}, err
	}
	if err := errors.Join(s.archive(ctx, current), s.reports(ctx)); err != nil {
		return Outcome{Counts: s.counts}, err
	}
	if !rehearse {
		err = s.ledger(ctx, current)
	}
	return Outcome{Counts: s.counts}, err
}

// sweep is housekeeping at work.
type sweep struct {
	*Jobs
	*scene
	rehearse bool
	counts   map[string]int64
}

// archive deletes originals.
func (s *sweep) archive(ctx context.Context, current *ledger.Snapshot) error {
	if s.Retention.Archive <= 0 {
		return nil
	}
	old, err := s.Ledger.Kept(ctx, s.merchant.ID, s.at.Add(-s.Retention.Archive))
	if err != nil {
		return err
	}
	for i := range old {
		w := &old[i]
		if current != nil && w.Run == current.Run {
			continue
		}
		s.counts["originals"]++
		e, err := s.Storage.Stat(w.Place)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.counts["bytes"] += e.Bytes
		if s.rehearse {
			continue
		}
		if err := s.Storage.Delete(w.Place); err != nil {
			return err
		}
		if err := s.Ledger.Forget(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// reports deletes the folders that stand under old dates.
func (s *sweep) reports(ctx context.Context) error {
	if s.Retention.Reports <= 0 {
		return nil
	}
	days, err := s.Storage.List(path.Join("reports", s.merchant.ID))
	if err != nil {
		return err
	}
	before := s.at.Add(-s.Retention.Reports).In(s.zone).Format(time.DateOnly)
	for _, day := range days {
		name := path.Base(day.Name)
		if _, err := time.Parse(time.DateOnly, name); err != nil || !day.IsDir || name >= before {
			continue
		}
		if err := s.day(ctx, day.Name); err != nil {
			return err
		}
	}
	return nil
}

// day deletes the folders of one date, and then the date's, which stays as long as
// something in it is on its way.
func (s *sweep) day(ctx context.Context, folder string) error {
	runs, err := s.Storage.List(folder)
	if err != nil {
		return err
	}
	open, _, err := s.Ledger.Runs(ctx, ledger.RunFilter{Merchant: s.merchant.ID, Status: ledger.RunCommitted, Limit: 1000})
	if err != nil {
		return err
	}
	unfinished := map[string]bool{}
	for i := range open {
		unfinished[open[i].ID] = true
	}
	left := false
	for _, run := range runs {
		if unfinished[path.Base(run.Name)] {
			left = true
			continue
		}
		size, err := s.size(run.Name)
		if err != nil {
			return err
		}
		s.counts["reports"]++
		s.counts["bytes"] += size
		if !s.rehearse {
			if err := s.Storage.Delete(run.Name); err != nil {
				return err
			}
		}
	}
	if left || s.rehearse {
		return nil
	}
	return s.Storage.Delete(folder)
}

// size adds up the bytes below a name.
func (s *sweep) size(name string) (bytes int64, err error) {
	e, err := s.Storage.Stat(name)
	if err != nil || !e.IsDir {
		return e.Bytes, err
	}
	inside, err := s.Storage.List(name)
	for i := range inside {
		if err == nil {
			var n int64
			n, err = s.size(inside[i].Name)
			bytes += n
		}
	}
	return bytes, err
}

// ledger forgets old runs of jobs, and folds movements.
func (s *sweep) ledger(ctx context.Context, current *ledger.Snapshot) (err error) {
	if s.counts["runs"], err = s.Ledger.ForgetJobRuns(ctx, s.merchant.ID, s.at.Add(-runsKept)); err != nil {
		return err
	}
	var shown time.Time // without a snapshot nothing is shown yet
	if current != nil {
		shown = current.Date
	}
	f, err := s.Ledger.Fold(ctx, s.merchant.ID, shown, false)
	s.counts["movements"] = int64(f.Before - f.After)
	return err
}
