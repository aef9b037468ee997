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
	w    io.Writer
}

func newRejected(open func() (io.Writer, error)) *rejected { return &rejected{open: open} }

func (r *rejected) format(p *Part) {
	p.returns = p.returns[:0]
	for i := range p.Rows {
		if p.Rows[i].Outcome.Status == removal.Rejected {
			p.returns = appendRejected(p.returns, p, p.at(i), i)
		}
	}
}

func appendRejected(dst []byte, p *Part, e *entry, i int) []byte {
	var values [removal.NumFields]string
	for f := range values {
		values[f] = view(e.Row.Row.Value(removal.Field(f)))
	}
	var own header
	if h := p.header(p.links[i], &own); h != nil {
		for f := removal.Field(0); f.OfOrder(); f++ {
			if values[f] == "" {
				values[f] = h.values[f]
			}
		}
	}
	values[removal.FieldOrderID] = returnID(e.order)
	return upload.AppendRow(dst, &values)
}

func (r *rejected) add(p *Part) (err error) {
	if len(p.returns) == 0 {
		return nil
	}
	if r.w == nil {
		if r.w, err = r.open(); err != nil {
			return err
		}
		if _, err := r.w.Write(upload.AppendHeadings(nil)); err != nil {
			return err
		}
	}
	_, err = r.w.Write(p.returns)
	return err
}

func (r *rejected) close() error { return nil }

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
