package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"rensa/pkg/removal"
	"rensa/pkg/upload"
)

// ErrRejectedFile says that something is not a rejected.tsv of ours.
var ErrRejectedFile = errors.New("not a rejected.tsv")

// RejectedRow is one row of a rejected.tsv, by its place from 0.
type RejectedRow struct {
	Place  int64
	Values [removal.NumFields]string
}

// ReadRejected reads the rows of a rejected.tsv in their order; those that wants
// (nil: all) says no to are passed over unread. Memory does not grow with the
// file. An error ends it.
func ReadRejected(r io.Reader, wants func(place int64) bool) iter.Seq2[RejectedRow, error] {
	return func(yield func(RejectedRow, error) bool) {
		in := bufio.NewReaderSize(r, 1<<16)
		for place := int64(-1); ; place++ {
			if place >= 0 && wants != nil && !wants(place) {
				if err := skipLine(in); err != nil {
					if !errors.Is(err, io.EOF) {
						yield(RejectedRow{}, err)
					}
					return
				}
				continue
			}
			line, err := in.ReadString('\n')
			if errors.Is(err, io.EOF) && line == "" {
				return
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(RejectedRow{}, err)
				return
			}
			row, ok := rejectedRow(line, place)
			switch {
			case !ok || place < 0 && row.Values[removal.FieldSKU] != removal.FieldSKU.String():
				yield(RejectedRow{}, fmt.Errorf("row %d: %w", place, ErrRejectedFile))
				return
			case place >= 0 && !yield(row, nil):
				return
			}
		}
	}
}

func skipLine(in *bufio.Reader) error {
	for {
		_, err := in.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// rejectedRow takes a line apart as upload.Writer put it together.
func rejectedRow(line string, place int64) (RejectedRow, bool) {
	row := RejectedRow{Place: place}
	cells := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
	if len(cells) != len(row.Values) {
		return row, false
	}
	for i, c := range cells {
		if len(c) > 1 && c[0] == '"' && c[len(c)-1] == '"' {
			c = strings.ReplaceAll(c[1:len(c)-1], `""`, `"`)
		}
		row.Values[i] = c
	}
	return row, true
}

// Correct writes a rejected.tsv again with other SKUs: sku gives that of a row by
// its place, "" where it stays. It tells how many rows were changed.
func Correct(w io.Writer, rejected io.Reader, sku func(place int64) string) (changed int, err error) {
	out := upload.NewWriter(w)
	for row, err := range ReadRejected(rejected, nil) {
		if err != nil {
			return changed, fmt.Errorf("report: correct: %w", err)
		}
		if s := sku(row.Place); s != "" {
			row.Values[removal.FieldSKU] = s
			changed++
		}
		if err := out.Write(&row.Values); err != nil {
			return changed, fmt.Errorf("report: correct: %w", err)
		}
	}
	return changed, out.Flush()
}

// Heading is the heading of an upload's field in a language, as its template has it.
func Heading(f removal.Field, lang string) string { return upload.HeadingIn(f, lang) }
