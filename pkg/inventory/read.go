package inventory

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// A file with more bad rows than this, and more than one in badShare, is refused.
const (
	badRows  = 10
	badShare = 100
)

// Read takes an inventory file in. heading is the number of the heading row,
// headings its cells. Where the file is refused the error is a *removal.FileError
// and the result still holds the problems of its rows; other errors are ours.
// It blocks until the sheet is read, working on all cores.
func Read(sheet *decode.Sheet, heading int, headings []string, kind removal.Kind, opt ReadOptions) (*Result, error) {
	v := variantOf(kind)
	if v == nil {
		return nil, fmt.Errorf("inventory: %s is no kind of inventory file", kind)
	}
	m, err := v.mapColumns(sheet.Name(), heading, headings)
	if err != nil {
		return &Result{}, err
	}
	b := newBuilder(v, m, opt)
	b.size = sheet.Size()
	res, err := b.read(sheet, v, heading, opt)
	if err != nil {
		if e := b.side.discard(); e != nil {
			return res, errors.Join(err, e)
		}
	}
	return res, err
}

func (b *builder) read(sheet *decode.Sheet, v *variant, heading int, opt ReadOptions) (*Result, error) {
	res := b.res
	if err := b.unknown(sheet, v, heading); err != nil {
		return res, err
	}
	var date dates
	err := pipe(sheet, heading, func() *digester { return newDigester(v, b.mapping, opt) }, func(in *batch) error {
		date.see(in)
		return b.merge(in)
	})
	if err != nil {
		return res, err
	}
	if err := b.judge(opt); err != nil {
		return res, err
	}
	date.set(b.snap, res, opt)
	res.Snapshot, err = b.finish()
	return res, err
}

// unknown says which columns nobody reads. In an export they are usual; in
// Rensa's own format a column that is not known is a slip of the pen.
func (b *builder) unknown(sheet *decode.Sheet, v *variant, heading int) error {
	for _, c := range b.ignored {
		b.res.Ignored = append(b.res.Ignored, b.headings[c])
	}
	if b.shape != lots || len(b.ignored) == 0 {
		return nil
	}
	line, err := lineOf(sheet, heading)
	if err != nil {
		return err
	}
	for _, c := range b.ignored {
		h := b.headings[c]
		p := removal.Problem{Place: b.place(heading, line, c), Code: removal.ColumnIgnored, Field: removal.FieldNone,
			Value: h, Args: removal.Args{}.Arg("heading", h)}
		if near := v.nearest(b.mapping, h); near != "" {
			p.Args = p.Args.Arg("near", near)
		}
		b.res.Problems = append(b.res.Problems, p)
	}
	return nil
}

func lineOf(sheet *decode.Sheet, heading int) (int, error) {
	rows, err := sheet.Head()
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if r.Number == heading {
			return r.Line, nil
		}
	}
	return 0, nil
}

// judge refuses a file that is empty, too often wrong, or suspiciously short.
func (b *builder) judge(opt ReadOptions) error {
	rows, bad, skus := b.res.RowsRead, b.res.RowsBad, b.snap.Len()
	switch {
	case rows == 0:
		return removal.NewFileError(removal.FileEmpty)
	case bad > badRows && bad*badShare > rows, skus == 0:
		return removal.NewFileError(removal.SnapshotBad, "bad", bad, "rows", rows)
	case shrunk(skus, opt.Previous) && !opt.Force:
		return removal.NewFileError(removal.SnapshotShrunk, "new", skus, "current", opt.Previous.Len())
	}
	return nil
}

// dates gathers what the rows say about the whole snapshot.
type dates struct {
	at      time.Time
	hasTime bool
	yes, no bool
}

func (d *dates) see(in *batch) {
	if !in.date.IsZero() && (d.at.IsZero() || in.date.Before(d.at)) {
		d.at, d.hasTime = in.date, in.dateTime
	}
	d.yes, d.no = d.yes || in.yes, d.no || in.no
}

func (d *dates) set(s *Snapshot, res *Result, opt ReadOptions) {
	// One lot that counts open removals makes all of them count.
	s.excluded = d.yes && !d.no
	switch {
	case !d.at.IsZero():
		s.date, s.dateTime, res.Dated = d.at.UTC(), d.hasTime, DateFromColumn
	case opt.DateKnown:
		s.date, s.dateTime, res.Dated = opt.Date.UTC(), !opt.DateOnly, DateFromOption
	default:
		s.date, s.dateTime, res.Dated = opt.Date.UTC(), !opt.DateOnly, DateFromArrival
	}
}

// task is a chunk on its way: cut by the reader, split and digested by a worker,
// merged in the file's order.
type task struct {
	batch
	chunk *decode.Chunk
	err   error
	done  chan struct{}
}

// pipe reads the rows after the heading. Chunks are digested on all cores; merge
// is called for one at a time, in the file's order.
func pipe(sheet *decode.Sheet, heading int, worker func() *digester, merge func(*batch) error) error {
	r, err := sheet.Rows(heading)
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	work := make(chan *task, 2*workers)
	ended := make(chan struct{}, workers)
	for range workers {
		go func() {
			d := worker()
			for t := range work {
				if t.err = t.chunk.Split(&t.block); t.err == nil {
					d.digest(&t.batch)
				}
				t.done <- struct{}{}
			}
			ended <- struct{}{}
		}()
	}
	err = feed(r, work, merge)
	close(work)
	for range workers {
		<-ended
	}
	return err
}

// feed hands chunks to the workers and merges what comes back.
func feed(r *decode.Reader, work chan<- *task, merge func(*batch) error) error {
	free := make([]*task, cap(work))
	for k := range free {
		free[k] = &task{done: make(chan struct{}, 1)}
	}
	var queue []*task
	number, line := r.First()
	more := true
	for more || len(queue) > 0 {
		for more && len(free) > 0 {
			c, err := r.Next()
			if errors.Is(err, io.EOF) {
				more = false
				break
			}
			if err != nil {
				return err
			}
			t := free[len(free)-1]
			free = free[:len(free)-1]
			t.chunk = c
			work <- t
			queue = append(queue, t)
		}
		if len(queue) == 0 {
			return nil
		}
		t := queue[0]
		queue = queue[1:]
		<-t.done
		if t.err != nil {
			return t.err
		}
		number, line = t.block.Start(number, line)
		if err := merge(&t.batch); err != nil {
			return err
		}
		r.Recycle(t.chunk)
		free = append(free, t)
	}
	return nil
}
