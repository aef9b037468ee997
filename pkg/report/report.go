// Package report writes every file that goes out: the seven answers to an upload,
// the two to any other kind of input, and the empty upload template.
//
// The files of an upload are made in one pass from its rows in input order and
// from what was decided about them, so they can be made again from the archived
// original and the ledger alone: the same input gives the same bytes. Memory is
// flat in the number of rows, but for order values that a later row still needs
// and for the annotated copy of a workbook, which is held whole.
//
// It decides nothing and keeps nothing: where files lie and when they appear is
// the business of whoever gives the function that creates them.
package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/templates"
)

// Input is what the files of one run are made from, beside its rows.
type Input struct {
	Run      ledger.Run
	Merchant removal.Merchant
	// Zone is the merchant's; times are written in it. Default UTC.
	Zone         *time.Location
	FileProblems []removal.Problem // with their full place and value
	// Outbound are the files that a file other than an upload sends out.
	Outbound []ledger.Outbound
	// Changes are what a file about orders did to them; nil for other kinds.
	Changes *Changes

	// Headings are those of the item table as the user wrote them, by column;
	// FieldColumns says in which column, from 1, a field stands (0: absent).
	Headings     []string
	FieldColumns [removal.NumFields]int
	// Locate fills in place and value of a problem of a row. Default: by
	// Headings and FieldColumns, which is right for layout A.
	Locate func(p *removal.Problem, r *removal.Row)
	// Lead are the rows above the items, headings included, as the annotated
	// copy of a text file shows them. Default: the headings alone.
	Lead []Lead

	Snapshot *Snapshot // nil: what the run says
	Currency string
	Policy   *policy.Set // for hints made of a value; may be nil
	Texts    *templates.Texts
	// Original opens the workbook that was dropped, unpacked; nil for text files.
	Original func() (io.ReaderAt, int64, error)
	TempDir  string // for large workbooks; "" = os.TempDir
}

// Lead is one row above the items of a file.
type Lead struct {
	Number int
	Cells  []string
}

// Snapshot is what the reports say of the stock that rows were checked against.
type Snapshot struct {
	ID          string
	Date        time.Time
	DateHasTime bool
	SKUs        int
}

// Row is one item row with what was decided about it. Nothing of it is kept
// after the call that it is given to.
type Row struct {
	Row     *removal.Row
	Outcome *removal.Outcome
	// Order is the row's, with its problems of scope order.
	Order *removal.OrderOutcome
	FNSKU []byte
	// Cells are all cells of the row, spans of Data; nil: those of the fields.
	Cells []removal.Span
	Data  []byte // nil: Row.Data
}

// File is one file that was written.
type File struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// The names by which a profile or a command chooses files, in the order in which
// they are written.
const (
	Result     = "result"
	Errors     = "errors"
	Annotated  = "annotated"
	Rejected   = "rejected"
	Orders     = "orders"
	Processing = "processing"
	Summaries  = "summary"
)

var fileNames = []struct{ name, file string }{
	{Result, "result.csv"}, {Errors, "errors.csv"}, {Annotated, "annotated.xlsx"},
	{Rejected, "rejected.tsv"}, {Orders, "orders.tsv"},
	{Processing, "processing-report.txt"}, {Summaries, "summary.json"},
}

// Names lists what can be chosen.
func Names() []string {
	names := make([]string, len(fileNames))
	for i, f := range fileNames {
		names[i] = f.name
	}
	return names
}

// FileName is the file that a name stands for, "" for one that is not known.
func FileName(name string) string {
	for _, f := range fileNames {
		if f.name == name {
			return f.file
		}
	}
	return ""
}

// ErrName is the answer to a name that stands for no file.
var ErrName = errors.New("not a report")

// output is one file being written. add takes the parts of the rows in the order of
// the file. close writes what is left of it and must be called exactly once; the
// file below it is closed by whoever made it.
type output interface {
	add(*Part) error
	close() error
}

// formatter is an output that makes its bytes of a part before it is added, side by
// side with other parts: it changes nothing but the part.
type formatter interface{ format(p *Part) }

// Create makes a file of the set; a file that has nothing to say is never made.
type Create func(name string) (io.WriteCloser, error)

// Set writes the files of one upload. Rows come in parts: each is linked, formatted
// and appended. Link and Append are called for one part after another, in the order
// of the file; Format may be called for several parts at once.
type Set struct {
	in      *Input
	create  Create
	outputs []output
	files   []*file
	sum     *Summary
	wants   func(name string) bool
	headers *headers
	texts   *renderer
	single  Part // of Row
}

// NewSet begins the files that which names; none: all of them. The answer to an
// unknown name wraps ErrName.
func NewSet(in *Input, create Create, which []string) (*Set, error) {
	for _, name := range which {
		if FileName(name) == "" {
			return nil, fmt.Errorf("report: %q: %w", name, ErrName)
		}
	}
	s := &Set{in: in, create: create, sum: newSummary(in), headers: newHeaders()}
	s.wants = func(name string) bool { return len(which) == 0 || slices.Contains(which, name) }
	texts := newRenderer(in)
	s.texts = texts
	for _, o := range []struct {
		name string
		make func(func() (io.Writer, error)) (output, error)
	}{
		{Result, func(open func() (io.Writer, error)) (output, error) { return newResult(in, open) }},
		{Errors, func(open func() (io.Writer, error)) (output, error) { return newErrors(in, texts, open) }},
		{Annotated, func(open func() (io.Writer, error)) (output, error) { return newAnnotated(in, s.sum, texts, open) }},
		{Rejected, func(open func() (io.Writer, error)) (output, error) { return newRejected(open), nil }},
		{Orders, func(open func() (io.Writer, error)) (output, error) { return newOrders(open), nil }},
		{Processing, func(open func() (io.Writer, error)) (output, error) { return newProcessing(in, texts, open) }},
	} {
		if !s.wants(o.name) {
			continue
		}
		out, err := o.make(func() (io.Writer, error) { return s.open(FileName(o.name)) })
		if err != nil {
			return nil, s.abandon(fmt.Errorf("report: %s: %w", FileName(o.name), err))
		}
		s.outputs = append(s.outputs, out)
	}
	return s, nil
}

func (s *Set) open(name string) (io.Writer, error) {
	f, err := newFile(name, s.create)
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, f)
	return f, nil
}

// abandon closes what was begun and adds to the error that ended it.
func (s *Set) abandon(err error) error {
	for _, o := range s.outputs {
		err = errors.Join(err, o.close())
	}
	for _, f := range s.files {
		err = errors.Join(err, f.close())
	}
	s.outputs, s.files = nil, nil
	return err
}

// Row adds the next row: a part of one. After an error the set is closed and of no
// use.
func (s *Set) Row(r *Row) error {
	p := &s.single
	p.Rows = append(p.Rows[:0], *r)
	s.Link(p)
	s.Format(p)
	return s.Append(p)
}

// Append writes a formatted part. After an error the set is closed and of no use.
func (s *Set) Append(p *Part) error {
	s.sum.add(&p.sum)
	for _, o := range s.outputs {
		if err := o.add(p); err != nil {
			return s.abandon(fmt.Errorf("report: rows from %d: %w", p.Rows[0].Row.Number, err))
		}
	}
	return nil
}

// Finish writes what is left, summary.json last, and tells which files there
// are, in the order of Names. When the run ended and which outgoing files it made
// are known only now.
func (s *Set) Finish(finished time.Time, outbound []ledger.Outbound) ([]File, error) {
	s.sum.end(s.in, finished, outbound)
	outputs := s.outputs
	s.outputs = nil
	for i, o := range outputs {
		if err := o.close(); err != nil {
			s.outputs = outputs[i+1:]
			return nil, s.abandon(fmt.Errorf("report: %w", err))
		}
	}
	for _, name := range Names() {
		i := slices.IndexFunc(s.files, func(f *file) bool { return f.name == FileName(name) })
		if i < 0 {
			continue
		}
		if err := s.files[i].close(); err != nil {
			return nil, s.abandon(fmt.Errorf("report: %w", err))
		}
		s.sum.Files = append(s.sum.Files, s.files[i].file())
	}
	files := s.sum.Files
	if !s.wants(Summaries) {
		return files, nil
	}
	f, err := writeSummary(s.sum, s.create)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return append(slices.Clip(files), f), nil
}

// Abort closes all files without finishing them: for a run that failed between
// NewSet and Finish.
func (s *Set) Abort() error { return s.abandon(nil) }

// Summary is what summary.json says; complete after Finish.
func (s *Set) Summary() *Summary { return s.sum }

// hashed is a writer that knows the SHA-256 and the length of what went through it.
type hashed interface {
	Sum() (sha256 string, bytes int64)
}

// file is a file of a set: buffered, counted and hashed, unless who made it does so.
type file struct {
	name   string
	w      io.WriteCloser
	buf    *bufio.Writer
	sum    hash.Hash
	bytes  int64
	closed bool
}

func newFile(name string, create Create) (*file, error) {
	w, err := create(name)
	if err != nil {
		return nil, err
	}
	f := &file{name: name, w: w, sum: sha256.New()}
	f.buf = bufio.NewWriterSize(writerFunc(f.through), 1<<16)
	return f, nil
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

func (f *file) through(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if _, known := f.w.(hashed); !known {
		f.sum.Write(p[:n])
		f.bytes += int64(n)
	}
	return n, err
}

func (f *file) Write(p []byte) (int, error) { return f.buf.Write(p) }

func (f *file) close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	if err := errors.Join(f.buf.Flush(), f.w.Close()); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	return nil
}

func (f *file) file() File {
	if w, ok := f.w.(hashed); ok {
		sum, n := w.Sum()
		return File{Name: f.name, SHA256: sum, Bytes: n}
	}
	return File{Name: f.name, SHA256: hex.EncodeToString(f.sum.Sum(nil)), Bytes: f.bytes}
}
