package nightly

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// The files of a Recommended Removal report.
const (
	RecommendedTSV    = "recommended-removal.tsv"
	RecommendedXLSX   = "recommended-removal.xlsx"
	RecommendedUpload = "upload-recommended.tsv"
)

// Recommended writes the Recommended Removal report of a moment's day: the
// marketplace's table, a workbook that says why, and the upload file that removes
// the whole list, where the profile knows an address. A rehearsal writes the same.
// Counts: snapshots that were looked at, 0 or 1, pools and units that should be
// removed. Without a snapshot nothing is written.
func (j *Jobs) Recommended(ctx context.Context, merchant string, at time.Time, rehearse bool) (Outcome, error) {
	r, err := j.Recommend(ctx, merchant, at)
	if errors.Is(err, desk.ErrNoSnapshot) {
		return Outcome{Counts: map[string]int64{"snapshots": 0, "pools": 0, "units": 0}}, nil
	}
	if err != nil {
		return Outcome{}, err
	}
	name := r.Made.Format("20060102-150405") + "-recommended"
	if rehearse {
		name += "-rehearsal"
	}
	dir, err := j.publish(path.Join("reports", merchant, r.Made.Format(time.DateOnly)), name, r.files)
	if err != nil {
		return Outcome{}, fmt.Errorf("recommended removal of %s: %w", merchant, err)
	}
	t := r.Totals()
	return Outcome{ReportDir: dir, Counts: map[string]int64{"snapshots": 1, "pools": t.SKUs, "units": t.Units}}, nil
}

func (r *Recommendation) files(create report.Create) error {
	if err := writeFile(create, RecommendedTSV, r.TSV); err != nil {
		return err
	}
	if err := writeFile(create, RecommendedXLSX, r.XLSX); err != nil {
		return err
	}
	if r.NoUpload != "" {
		return nil
	}
	return writeFile(create, RecommendedUpload, func(w io.Writer) error { return report.UploadFile(w, r.Orders()) })
}

// Orders are the whole list as orders of an upload file.
func (r *Recommendation) Orders() []removal.Order {
	orders := make([]removal.Order, len(r.Batches))
	for i := range r.Batches {
		orders[i] = r.Batches[i].Order(r.Merchant.ID, r.Made)
	}
	return orders
}

func writeFile(create report.Create, name string, write func(io.Writer) error) error {
	f, err := create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// publish fills a folder below another one, which appears whole or not at all: NAME,
// or NAME-2 and so on where there is one. It answers where it lies.
func (j *Jobs) publish(below, name string, fill func(report.Create) error) (dir string, err error) {
	stage, err := j.Storage.Stage(path.Join(below, "."+name+"-"+rand.Text()))
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stage.Discard())
		}
	}()
	if err := fill(stage.Create); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		dir = path.Join(below, name)
		if n > 1 {
			dir = fmt.Sprintf("%s-%d", dir, n)
		}
		if _, err := stage.Commit(dir); !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}
