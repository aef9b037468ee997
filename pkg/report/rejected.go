package report

import (
	"io"

	"rensa/pkg/removal"
	"rensa/pkg/upload"
)

// rejected writes rejected.tsv: the rejected rows in layout A, to be mended and
// dropped again. It is never made where nothing was rejected.
type rejected struct {
	open func() (io.Writer, error)
	w    *upload.Writer
}

func newRejected(open func() (io.Writer, error)) *rejected { return &rejected{open: open} }

func (r *rejected) row(e *entry) error {
	if e.Outcome.Status != removal.Rejected {
		return nil
	}
	if r.w == nil {
		w, err := r.open()
		if err != nil {
			return err
		}
		r.w = upload.NewWriter(w)
	}
	var values [removal.NumFields]string
	for f := range values {
		values[f] = view(e.Row.Row.Value(removal.Field(f)))
	}
	if h := e.headers.of(e); !h.rejected {
		h.rejected = complete(&values, h)
	}
	values[removal.FieldOrderID] = returnID(e.order)
	return r.w.Write(&values)
}

// complete fills the order values that a row left blank, and tells whether the
// row now says what the order's first row said. One that says otherwise keeps
// its own word, so that dropping the file again does not settle silently what
// the user must; the next row is completed too then.
func complete(values *[removal.NumFields]string, h *header) bool {
	same := true
	for f := removal.Field(0); f.OfOrder(); f++ {
		if values[f] == "" {
			values[f] = h.values[f]
		}
		same = same && values[f] == h.values[f]
	}
	return same
}

// returnID is the id under which a rejected row comes back to the order it
// belongs to: the one that the file gave; else, where rows of it were accepted
// now or before, the one under which they were. An order of which nothing was
// accepted gets its id when it is.
func returnID(o *removal.OrderOutcome) string {
	switch {
	case o.Given != "":
		return o.Given
	case o.Matched && o.Family != "":
		return o.Family
	case o.Accepted > 0:
		return o.ID
	}
	return ""
}

func (r *rejected) close() error {
	if r.w == nil {
		return nil
	}
	return r.w.Flush()
}
