package process

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Retention is how long things are kept; 0: for ever.
type Retention struct {
	Archive time.Duration // originals
	Reports time.Duration // reports, which can be made again as long as the original is kept
}

// Swept is what housekeeping deleted of one merchant, or would.
type Swept struct {
	Merchant  string `json:"-"`
	Originals int    `json:"originals"`
	Reports   int    `json:"reports"` // folders of runs
	Bytes     int64  `json:"bytes"`
}

// Housekeeping deletes what is past its retention, and waits for a backup that is
// being made. The original of a merchant's current snapshot is kept whatever its
// age. Rehearsing it only counts.
func (p *Processor) Housekeeping(ctx context.Context, keep Retention, rehearse bool) ([]Swept, error) {
	if !rehearse {
		release, err := p.keeping(ctx, (*flock.Flock).TryLockContext)
		if err != nil {
			return nil, err
		}
		defer func() {
			if err := release(); err != nil {
				p.Log.Error().Err(err).Msg("releasing the lock of old files")
			}
		}()
	}
	merchants, err := p.Ledger.Merchants(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Swept, len(merchants))
	for i := range merchants {
		all[i].Merchant = merchants[i].ID
		if keep.Archive > 0 {
			if err := p.sweepArchive(ctx, &all[i], keep.Archive, rehearse); err != nil {
				return nil, err
			}
		}
		if keep.Reports > 0 {
			if err := p.sweepReports(ctx, &all[i], &merchants[i], keep.Reports, rehearse); err != nil {
				return nil, err
			}
		}
		p.Log.Info().Str("merchant", all[i].Merchant).Int("originals", all[i].Originals).Int("reports", all[i].Reports).
			Int64("bytes", all[i].Bytes).Bool("rehearsal", rehearse).Msg("housekeeping done")
	}
	return all, nil
}

func (p *Processor) sweepArchive(ctx context.Context, s *Swept, keep time.Duration, rehearse bool) error {
	current, err := p.Ledger.Snapshot(ctx, s.Merchant)
	if err != nil {
		return err
	}
	old, err := p.Ledger.Kept(ctx, s.Merchant, p.Now().Add(-keep))
	if err != nil {
		return err
	}
	for i := range old {
		w := &old[i]
		if current != nil && w.Run == current.Run {
			continue
		}
		s.Originals++
		if e, err := p.dir.Stat(w.Place); err == nil {
			s.Bytes += e.Bytes
		}
		if rehearse {
			continue
		}
		if err := p.dir.Delete(w.Place); err != nil {
			return err
		}
		if err := p.Ledger.Forget(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// sweepReports deletes the folders of runs that stand under old dates.
func (p *Processor) sweepReports(ctx context.Context, s *Swept, m *removal.Merchant, keep time.Duration, rehearse bool) error {
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return fmt.Errorf("merchant %s: %w", m.ID, err)
	}
	days, err := p.dir.List(path.Join("reports", m.ID))
	if err != nil {
		return err
	}
	before := p.Now().Add(-keep).In(zone).Format(time.DateOnly)
	for _, day := range days {
		name := path.Base(day.Name)
		if _, err := time.Parse(time.DateOnly, name); err != nil || !day.IsDir || name >= before {
			continue
		}
		runs, err := p.dir.List(day.Name)
		if err != nil {
			return err
		}
		left := false
		for _, run := range runs {
			done, err := p.reportsDone(ctx, m.ID, path.Base(run.Name))
			if err != nil {
				return err
			}
			if !done {
				left = true
				continue
			}
			s.Reports++
			s.Bytes += p.sizeOf(run.Name)
			if !rehearse {
				if err := p.dir.Delete(run.Name); err != nil {
					return err
				}
			}
		}
		if !left && !rehearse {
			if err := p.dir.Delete(day.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// reportsDone tells whether a run's files are all in place, so that nothing is
// deleted from under a run that is being published.
func (p *Processor) reportsDone(ctx context.Context, merchant, run string) (bool, error) {
	open, _, err := p.Ledger.Runs(ctx, ledger.RunFilter{Merchant: merchant, Status: ledger.RunCommitted, Limit: 1000})
	for i := range open {
		if open[i].ID == run {
			return false, err
		}
	}
	return true, err
}

// sizeOf adds up the bytes of a folder; what cannot be read counts as nothing.
func (p *Processor) sizeOf(folder string) (bytes int64) {
	err := filepath.WalkDir(p.path(folder), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		p.Log.Debug().Err(err).Msg("adding up a folder")
	}
	return bytes
}
