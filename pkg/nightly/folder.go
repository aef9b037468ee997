package nightly

import (
	"bufio"
	"errors"
	"io"
	"path"
	"strconv"
	"time"
)

// output is one file of a report folder.
type output struct {
	name string
	fill func(io.Writer) error
}

// folder writes files into a report folder of a job, which appears whole under the
// date of the run, or not at all. Where the moment has one already it gets the next
// number.
func (j *Jobs) folder(s *scene, job string, files []output) (dir string, err error) {
	base := path.Join("reports", s.merchant.ID, s.at.Format(time.DateOnly), s.at.Format("20060102-150405")+"-"+job)
	for n := 1; ; n++ {
		dir = base
		if n > 1 {
			dir += "-" + strconv.Itoa(n)
		}
		there, err := j.Storage.Exists(dir)
		if err != nil {
			return "", err
		}
		staged, err := j.Storage.Exists(hiddenName(dir))
		if err != nil {
			return "", err
		}
		if !there && !staged {
			break
		}
	}
	stage, err := j.Storage.Stage(hiddenName(dir))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, stage.Discard()) }()
	for _, f := range files {
		w, err := stage.Create(f.name)
		if err != nil {
			return "", err
		}
		b := bufio.NewWriterSize(w, 1<<16)
		if err := errors.Join(f.fill(b), b.Flush(), w.Close()); err != nil {
			return "", err
		}
	}
	_, err = stage.Commit(dir)
	return dir, err
}
