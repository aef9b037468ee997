package report

import (
	"strings"

	"rensa/pkg/removal"
)

// headers follows the orders through the rows and says which row shows the order
// values: the first accepted row of an order or of its part, and the rejected ones
// until one of them does. It remembers the values of an order's first row for as
// long as a later part may need them; most orders' rows are adjacent, so few are
// remembered at a time.
type headers struct {
	begun bool
	now   openOrder
	open  map[int32]openOrder // those left before their last row
}

// link says where the order values stand that a row is to show: in a row of the
// same part, or among those kept (-2 the first, -3 the second …).
type link int32

const noLink link = -1

// openOrder is an order with rows to come.
type openOrder struct {
	order int32
	left  int
	// first is its first row in the part at hand; -1 where that is gone and
	// kept has its values.
	first int
	kept  *header
	// rejected: a complete row stands in rejected.tsv; accepted, and parts of a
	// split order: one stands in orders.tsv.
	rejected, accepted bool
	parts              map[int32]bool
}

// header is what one order's first row said.
type header struct {
	values [removal.NumFields]string // of the order's fields; the rest is ""
	// blank says which values were placeholders, read as blank.
	blank [removal.NumFields]bool
}

func newHeaders() *headers { return &headers{open: map[int32]openOrder{}} }

// begins tells whether an accepted row is the first of its order, or of its part.
func (x *openOrder) begins(part int32) bool {
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

// Link finds what the rows of a part need of those before them. Parts are linked
// in the order of the file.
func (s *Set) Link(p *Part) {
	h := s.headers
	p.links, p.kept = p.links[:0], p.kept[:0]
	for i := range p.Rows {
		r := &p.Rows[i]
		if o := r.Outcome; !h.begun || h.now.order != o.Order {
			h.leave(p)
			h.enter(i, r)
		}
		p.links = append(p.links, h.link(p, r))
		h.now.left--
	}
	h.keep(p) // the rows of the part are gone when the next one comes
}

func (h *headers) link(p *Part, r *Row) link {
	x := &h.now
	switch r.Outcome.Status {
	case removal.Accepted:
		if x.begins(r.Outcome.Part) {
			return x.link(p)
		}
	case removal.Rejected:
		if !x.rejected {
			x.rejected = x.completes(p, r.Row)
			return x.link(p)
		}
	case removal.Seen:
	}
	return noLink
}

func (x *openOrder) link(p *Part) link {
	if x.first >= 0 {
		return link(x.first)
	}
	p.kept = append(p.kept, x.kept)
	return noLink - link(len(p.kept))
}

// completes tells whether a row with its blanks filled says what the order's first
// row said. One that says otherwise keeps its own word, so that dropping the file
// again does not settle silently what the user must; the next row is completed
// too then.
func (x *openOrder) completes(p *Part, row *removal.Row) bool {
	for f := removal.Field(0); f.OfOrder(); f++ {
		v := row.Value(f)
		switch {
		case len(v) == 0:
		case x.first >= 0 && string(v) != string(p.Rows[x.first].Row.Value(f)):
			return false
		case x.first < 0 && string(v) != x.kept.values[f]:
			return false
		}
	}
	return true
}

// enter begins with the rows of another order.
func (h *headers) enter(i int, r *Row) {
	h.begun = true
	order := r.Outcome.Order
	if x, ok := h.open[order]; ok {
		h.now = x
		delete(h.open, order)
		return
	}
	h.now = openOrder{order: order, first: i, left: r.Order.Rows}
}

// leave puts an order aside whose rows are not all through.
func (h *headers) leave(p *Part) {
	if h.keep(p); h.begun && h.now.left > 0 {
		h.open[h.now.order] = h.now
	}
}

// keep copies the values of an order that may need them later.
func (h *headers) keep(p *Part) {
	x := &h.now
	if !h.begun || x.left <= 0 || x.first < 0 {
		return
	}
	x.kept = &header{}
	x.kept.fill(&p.Rows[x.first])
	x.kept.clone()
	x.first = -1
}

// fill takes the values of a row, as parts of its block.
func (x *header) fill(r *Row) {
	for f := removal.Field(0); f.OfOrder(); f++ {
		if v := r.Row.Value(f); len(v) > 0 {
			x.values[f] = view(v)
		}
	}
	for i := range r.Outcome.Problems {
		if p := &r.Outcome.Problems[i]; p.Code == removal.PlaceholderIgnored && p.Field < removal.NumFields {
			x.blank[p.Field] = true
		}
	}
}

// clone gives the values memory of their own, one for all of them.
func (x *header) clone() {
	rest := strings.Join(x.values[:], "")
	for f, v := range x.values {
		x.values[f], rest = rest[:len(v)], rest[len(v):]
	}
}

// header gives the values that a link names, nil for none. Those of a row of the
// part are put into x.
func (p *Part) header(l link, x *header) *header {
	switch {
	case l == noLink:
		return nil
	case l < noLink:
		return p.kept[noLink-l-1]
	}
	*x = header{}
	x.fill(&p.Rows[l])
	return x
}
