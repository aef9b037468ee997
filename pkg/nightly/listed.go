package nightly

import (
	"encoding/csv"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Listed is a row of a Recommended Removal report that was written.
type Listed struct {
	SKU   string
	Units int64
}

// LastRecommended gives the rows of the merchant's newest Recommended Removal
// report, in its order, and where it lies; "" where there is none. Rehearsals do
// not count.
func (j *Jobs) LastRecommended(merchant string) (rows []Listed, dir string, err error) {
	base := path.Join("reports", merchant)
	days, err := j.Storage.List(base)
	if err != nil {
		return nil, "", err
	}
	for _, day := range slices.Backward(days) {
		if !day.IsDir {
			continue
		}
		folders, err := j.Storage.List(day.Name)
		if err != nil {
			return nil, "", err
		}
		for _, f := range slices.Backward(folders) {
			if _, job, _ := strings.Cut(path.Base(f.Name), "-recommended"); f.IsDir && strings.Contains(f.Name, "-recommended") && !strings.HasPrefix(job, "-rehearsal") {
				rows, err := j.listed(path.Join(f.Name, RecommendedTSV))
				return rows, f.Name, err
			}
		}
	}
	return nil, "", nil
}

func (j *Jobs) listed(name string) (rows []Listed, err error) {
	f, err := j.Storage.Get(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.ReuseRecord = '\t', true, true
	for n := 0; ; n++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		units, err := strconv.ParseInt(record[columnUnits], 10, 64)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Listed{SKU: strings.Clone(record[columnSKU]), Units: units})
	}
}

// The columns of the table that are read again, from 0.
const (
	columnSKU   = 1
	columnUnits = 9
)
