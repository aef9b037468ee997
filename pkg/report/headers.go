package report

import (
	"strings"

	"rensa/pkg/removal"
)

// headers remembers the order values of an order's first row for as long as a
// later row of the order may need them. Most orders' rows are adjacent, so few
// are remembered at a time.
type headers struct {
	in   *Input
	open map[int32]*header
	free []*header
	only header // of the order of one row at hand
}

// header is what one order's first row said.
type header struct {
	values [removal.NumFields]string // of the order's fields; the rest is ""
	// blank says which values were placeholders, read as blank.
	blank [removal.NumFields]bool
	left  int // rows of the order still to come
	// rejected: a complete row stands in rejected.tsv; accepted, and parts of a
	// split order: one stands in orders.tsv.
	rejected, accepted bool
	parts              map[int32]bool
}

// begins tells whether an accepted row is the first of its order, or of its part.
func (x *header) begins(part int32) bool {
	if part == 0 {
		first := !x.accepted
		x.accepted = true
		return first
	}
	if x.parts[part] {
		return false
	}
	if x.parts == nil {
		x.parts = map[int32]bool{}
	}
	x.parts[part] = true
	return true
}

func newHeaders(in *Input) *headers { return &headers{in: in, open: map[int32]*header{}} }

func (h *headers) begin(e *entry) {
	if !e.first || e.order.Rows <= 1 {
		return
	}
	x := &header{left: e.order.Rows}
	if n := len(h.free); n > 0 {
		x, h.free = h.free[n-1], h.free[:n-1]
		*x = header{left: e.order.Rows}
	}
	x.fill(e, strings.Clone)
	h.open[e.Outcome.Order] = x
}

func (x *header) fill(e *entry, keep func(string) string) {
	for f := removal.Field(0); f.OfOrder(); f++ {
		if v := e.Row.Row.Value(f); len(v) > 0 {
			x.values[f] = keep(view(v))
		}
	}
	for i := range e.Outcome.Problems {
		if p := &e.Outcome.Problems[i]; p.Code == removal.PlaceholderIgnored && p.Field < removal.NumFields {
			x.blank[p.Field] = true
		}
	}
}

// of is the header of the row's order. That of an order of one row is good for
// this row only.
func (h *headers) of(e *entry) *header {
	if x, ok := h.open[e.Outcome.Order]; ok {
		return x
	}
	h.only = header{}
	h.only.fill(e, func(s string) string { return s })
	return &h.only
}

// passed tells that the outputs have seen the row.
func (h *headers) passed(e *entry) {
	x, ok := h.open[e.Outcome.Order]
	if !ok {
		return
	}
	if x.left--; x.left == 0 {
		delete(h.open, e.Outcome.Order)
		h.free = append(h.free, x)
	}
}
