// Package decode turns the bytes of a dropped file into tables: containers,
// encodings, delimiters, quotes, line ends and workbooks. It knows no meaning.
//
// Open looks at the whole file once and refuses what cannot be read, as a
// *removal.FileError. A Sheet is then read as often as wanted, each pass giving
// the same rows: Reader.Next cuts it into chunks of whole records, one after
// the other and cheaply; Chunk.Split does the work and may run for several
// chunks at a time; Block.Start, called in order, gives rows their numbers.
// Memory depends on the limits and not on the file, but for the shared strings
// of a workbook (at most maxStrings bytes), which are kept until Close.
//
// Formulas are not calculated, and of merged cells only the first has a value.
// Within a chunk a workbook's rows come in the order in which they are stored.
package decode

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"rensa/pkg/removal"
)

// Limits bound what is read; past one of them the file is refused. A field of
// zero stands for its default.
type Limits struct {
	Bytes     int64 // size of the file as it came
	Unpacked  int64 // bytes after unpacking, also of a workbook's parts and values
	Ratio     int64 // unpacked to packed
	RatioFrom int64 // unpacked bytes from which Ratio counts
	Cell      int   // bytes of one value
	Rows      int   // rows that are not blank, after the heading
	Columns   int
}

// DefaultLimits are 512 MiB, 4 GiB, 200 (from 64 MiB), 32 KiB, 5,000,000 and 256.
func DefaultLimits() Limits {
	return Limits{
		Bytes: 512 << 20, Unpacked: 4 << 30, Ratio: 200, RatioFrom: 64 << 20,
		Cell: 32 << 10, Rows: 5_000_000, Columns: 256,
	}
}

func orDefault[T int | int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orDefault(&l.Bytes, d.Bytes)
	orDefault(&l.Unpacked, d.Unpacked)
	orDefault(&l.Ratio, d.Ratio)
	orDefault(&l.RatioFrom, d.RatioFrom)
	orDefault(&l.Cell, d.Cell)
	orDefault(&l.Rows, d.Rows)
	orDefault(&l.Columns, d.Columns)
	return l
}

// maxRecord is how long one record can be within the limits, every byte escaped.
func (l Limits) maxRecord() int {
	return int(min((2*int64(l.Cell)+64)*int64(l.Columns)+1<<16, 1<<28))
}

// Options say how a file is read.
type Options struct {
	Limits   Limits // default DefaultLimits
	ShiftJIS bool   // text that is not Unicode is Shift-JIS and not Windows-1252
	TempDir  string // where a packed file is unpacked; default os.TempDir
	// Known tells whether any kind of file knows this heading, given in the form
	// of Heading. It chooses the delimiter; without it counts alone do.
	Known func(heading string) bool
}

// Format is what was found out about a file.
type Format struct {
	Container string // "", "gzip" or "zip"
	Encoding  string // of a text file
	Delimiter string // of a text file: "tab", "comma", "semicolon" or "pipe"
	Workbook  bool
}

// The encodings of Format.
const (
	encUTF8     = "utf-8"
	encUTF8BOM  = "utf-8-bom"
	encUTF16LE  = "utf-16le"
	encUTF16BE  = "utf-16be"
	encCP1252   = "windows-1252"
	encShiftJIS = "shift-jis"
)

// chunkSize is about how much Next cuts off at a time: larger pieces leave the
// cache of a core (BenchmarkText).
const chunkSize = 256 << 10

// leastChunk is the size in small files, so that all cores have work and what is
// made for a chunk is used again.
const leastChunk = 64 << 10

// firstChunk is how much the first chunk of a pass has: enough for most headings,
// so that looking for them costs little.
const firstChunk = 16 << 10

// chunkFor is the size of the chunks of a text of so many bytes.
func chunkFor(size int64) int {
	return int(min(chunkSize, max(leastChunk, size/16)))
}

// File is an open file: one table of text, or the sheets of a workbook.
type File struct {
	opt    Options
	format Format
	src    *source
	temps  []*os.File
	sheets []*Sheet
	book   *workbook
	text   text
	chunk  int
}

// Open looks at size bytes of r, which must stay readable until Close. What is
// the file's fault comes back as a *removal.FileError.
func Open(r io.ReaderAt, size int64, opt Options) (*File, error) {
	opt.Limits = opt.Limits.withDefaults()
	f := &File{opt: opt, chunk: chunkSize}
	if err := f.open(&source{r: r, size: size}); err != nil {
		if cerr := f.Close(); cerr != nil {
			err = errors.Join(err, cerr)
		}
		return nil, err
	}
	return f, nil
}

// Unpacked gives the bytes of the file itself, without the .gz or .zip that it
// came in; good until Close.
func (f *File) Unpacked() (io.ReaderAt, int64) { return f.src.r, f.src.size }

// Close ends the use of the file and removes what was unpacked; it does not
// close what Open was given.
func (f *File) Close() error {
	var errs []error
	for _, t := range f.temps {
		errs = append(errs, t.Close(), os.Remove(t.Name()))
	}
	f.temps = nil
	return errors.Join(errs...)
}

// Format says how the file is written.
func (f *File) Format() Format { return f.format }

// Sheets are the tables of the file: exactly one, without a name, for a text
// file; those of a workbook in its order, but hidden ones last.
func (f *File) Sheets() []*Sheet { return f.sheets }

func (f *File) open(src *source) error {
	f.src = src
	switch {
	case src.size > f.opt.Limits.Bytes && f.format.Container == "":
		return tooLarge("bytes", f.opt.Limits.Bytes, src.size)
	case src.size == 0:
		return removal.NewFileError(removal.FileEmpty)
	}
	head := make([]byte, min(src.size, 4096))
	if _, err := src.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read file: %w", err)
	}
	switch sniff(head) {
	case looksGzip:
		return f.openGzip()
	case looksZip:
		return f.openZip()
	case looksOLE:
		return f.refuseOLE()
	case looksTar:
		return unsupported("archive")
	case looksBinary:
		return unsupported("binary")
	}
	return f.openText()
}

func unsupported(format string) *removal.FileError {
	return removal.NewFileError(removal.FileFormatUnsupported, "format", format)
}

func tooLarge[N int | int64](limit string, most, found N) *removal.FileError {
	e := removal.NewFileError(removal.FileTooLarge, "limit", limit, "max", most)
	if found > most {
		e.Args = e.Args.Arg("found", found)
	}
	return e
}

func truncated(sheet string) *removal.FileError {
	e := removal.NewFileError(removal.FileSheetTruncated, "sheet", sheet)
	e.Sheet = sheet
	return e
}

// source remembers a failure of the reader below, so that a broken disk is not
// taken for a broken archive.
type source struct {
	r     io.ReaderAt
	size  int64
	fault atomic.Pointer[error]
}

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF // what a damaged archive points to is not the disk's fault
	}
	n, err := s.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		kept := err // a copy: err itself stays off the heap where all is well
		s.fault.CompareAndSwap(nil, &kept)
	}
	return n, err
}

func (s *source) section(from int64) *io.SectionReader {
	return io.NewSectionReader(s, from, s.size-from)
}

// torn makes of an unpacker's or parser's error what it means to the user: the
// file is broken, unless it is refused already or could not be read.
func (s *source) torn(err error, sheet string) error {
	var refused *removal.FileError
	if errors.As(err, &refused) {
		if refused.Sheet == "" {
			refused.Sheet = sheet
		}
		return refused
	}
	if fault := s.fault.Load(); fault != nil {
		return fmt.Errorf("read file: %w", *fault)
	}
	return truncated(sheet)
}
