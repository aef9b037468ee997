// Package inventory reads the stock of a merchant from a dropped file and keeps
// it as a snapshot: an immutable, compact set of MSKUs and of the stock pools
// they share, with look-up by MSKU and hints for those that are not found.
//
// Every known layout of an inventory file is one entry of the table variants. A
// snapshot can be written as a file whose bytes depend on its input alone, and
// opened again with a few plain reads; one million MSKUs take about 85 MB.
//
// A Snapshot does not change and may be used by many goroutines at once. What
// removals have taken since stands in the ledger, not here. Limits: 2^31 MSKUs,
// 255 bytes an identifier, 1,000,000,000 units a row and 2^32-1 a pool.
package inventory

import (
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// ReadOptions say how an inventory file is taken in.
type ReadOptions struct {
	// Previous is the current snapshot, by which a shrunken file is noticed; nil: none.
	Previous *Snapshot
	// Date is the snapshot's date where the file has no column for it.
	Date time.Time
	// DateKnown tells that Date was given or kept with the file; false where it
	// is only the time of arrival.
	DateKnown bool
	// DateOnly tells that Date is a day without a time, at its start.
	DateOnly bool
	// File is the SHA-256 of the file's bytes: the source of the facts in it.
	File string
	// Zone is the store's: where a day in the file starts. nil: UTC.
	Zone *time.Location
	// Latest is the last moment of which a file's own date may be; zero: any. Every file
	// that comes after one of the future would be history only.
	Latest time.Time
	// Force takes a file with fewer than half of the previous MSKUs.
	Force bool
	// Seed of the hash in the snapshot, best taken from the source's SHA-256.
	// The same file with the same seed gives the same bytes.
	Seed uint64
	// TempDir is where titles wait until the snapshot is written; "" is os.TempDir.
	TempDir string
}

// zone is where a day starts.
func (o *ReadOptions) zone() *time.Location {
	if o.Zone == nil {
		return time.UTC
	}
	return o.Zone
}

// DateSource says where a snapshot's date was found.
type DateSource string

// The sources of a snapshot's date.
const (
	DateFromColumn  DateSource = "column"
	DateFromOption  DateSource = "given"
	DateFromArrival DateSource = "arrival"
)

// Result is what was read from an inventory file.
type Result struct {
	Snapshot *Snapshot // nil where the file was refused; to be closed by the caller
	// Problems in row order, with place and value. At most maxProblems are
	// kept; Omitted counts the rest.
	Problems []removal.Problem
	Omitted  int
	RowsRead int
	RowsBad  int // rows left out; each has a problem of severity error
	// Ignored are the headings, as written, whose columns the kind does not know.
	Ignored []string
	Dated   DateSource
}

// maxProblems bounds the memory of a file that is wrong in every row. It is more
// than the bad rows of any file that is accepted within the decoder's row limit.
const maxProblems = 100_000

// Signatures gives the headings by which the kinds of this package are recognised.
func Signatures() []decode.Signature {
	var all []decode.Signature
	for i := range variants {
		all = append(all, variants[i].signature())
	}
	for i := range factVariants {
		all = append(all, factVariants[i].signature())
	}
	return append(all, centreVariant.signature())
}

// shrunk tells whether a full file of so many MSKUs has fewer than half of previous.
func shrunk(skus int, previous *Snapshot) bool {
	return previous != nil && skus*2 < previous.Len()
}
