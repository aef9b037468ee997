package report

import "rensa/pkg/removal"

// Part is a stretch of adjacent rows of an upload on its way into the files of a
// set. Parts are used again: nothing of one is good after its next Link.
type Part struct {
	// Rows are to be set by the caller before Link.
	Rows []Row

	links []link    // by row
	kept  []*header // that links name
	// What Format makes: the rows' problems, those of row i from ofRow[i] on,
	// and the bytes of the outputs.
	noted                   []removal.Problem
	ofRow                   []int32
	said                    []said // of noted, made when first asked for
	sum                     partSum
	result, faults, returns []byte
	orders                  []byte
	ends                    []uint32 // of each row in orders
	row, line               counter  // of result
	texts                   *renderer
	entry                   entry
}

// Format makes everything of a linked part that does not depend on other parts.
func (s *Set) Format(p *Part) {
	p.texts, p.sum = s.texts, partSum{reasons: p.sum.reasons[:0]}
	p.noted, p.said, p.ofRow = p.noted[:0], p.said[:0], append(p.ofRow[:0], 0)
	p.orders, p.ends = p.orders[:0], p.ends[:0]
	for i := range p.Rows {
		e := p.at(i)
		p.note(s.in, e)
		p.sum.add(e)
		if e.Outcome.Status == removal.Accepted {
			p.orders = appendAccepted(p.orders, p, e, i)
		}
		p.ends = append(p.ends, uint32(len(p.orders)))
	}
	for _, o := range s.outputs {
		if f, ok := o.(formatter); ok {
			f.format(p)
		}
	}
}

// at gives the i-th row as the outputs see it, until the next call.
func (p *Part) at(i int) *entry {
	e := &p.entry
	e.Row, e.part = &p.Rows[i], p
	e.order = e.Row.Order
	e.first = e.Outcome.Row == e.order.Row
	if i+1 < len(p.ofRow) {
		e.from = int(p.ofRow[i])
		e.problems = p.noted[e.from:p.ofRow[i+1]]
	}
	return e
}

// note puts the problems that stand on a row in their places: on an order's first
// row the order's, then the row's own.
func (p *Part) note(in *Input, e *entry) {
	from := len(p.noted)
	if e.first {
		for _, problem := range e.order.Problems {
			p.noted = append(p.noted, e.placed(in, problem))
		}
	}
	for _, problem := range e.Outcome.Problems {
		problem.SKU = string(e.Row.Row.Value(removal.FieldSKU))
		p.noted = append(p.noted, e.placed(in, problem))
	}
	p.ofRow = append(p.ofRow, int32(len(p.noted)))
	e.from, e.problems = from, p.noted[from:]
}

// say gives message and hint of the k-th problem of the part, made once for all
// outputs.
func (p *Part) say(k int) said {
	for len(p.said) <= k {
		p.said = append(p.said, p.texts.say(&p.noted[len(p.said)]))
	}
	return p.said[k]
}

// Orders are the accepted rows of a formatted part in layout A, without a heading:
// what stands in orders.tsv and in the files that hand orders on.
func (p *Part) Orders() []byte { return p.orders }

// OrderRow is where the i-th row stands in Orders; empty for one that was not
// accepted.
func (p *Part) OrderRow(i int) (from, to int) {
	if i > 0 {
		from = int(p.ends[i-1])
	}
	return from, int(p.ends[i])
}

// Problems are the problems that stand on the i-th row of a formatted part, with
// place and value.
func (p *Part) Problems(i int) []removal.Problem { return p.noted[p.ofRow[i]:p.ofRow[i+1]] }
