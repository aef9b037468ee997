package desk

import (
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// lineIndex finds the lines of an order and their progress: an order may have more
// lines than can be looked through for each row of a file.
type lineIndex struct {
	lines    map[string]int
	progress map[lineKey]int
	known    [2]int // how many of both are entered
}

// index gives the order's index, as its lines are now.
func (p *planner) index(r *ledger.Record) *lineIndex {
	x := p.indexes[r]
	if x == nil {
		x = &lineIndex{lines: map[string]int{}, progress: map[lineKey]int{}}
		p.indexes[r] = x
	}
	for ; x.known[0] < len(r.Lines); x.known[0]++ {
		if sku := r.Lines[x.known[0]].SKU; !x.hasLine(sku) {
			x.lines[sku] = x.known[0]
		}
	}
	for ; x.known[1] < len(r.Progress.Lines); x.known[1]++ {
		l := &r.Progress.Lines[x.known[1]]
		x.progress[lineKey{l.SKU, l.Condition}] = x.known[1]
	}
	return x
}

func (x *lineIndex) hasLine(sku string) bool {
	_, ok := x.lines[sku]
	return ok
}

// lineOf finds a line of an order, -1 where it has none of the SKU.
func (p *planner) lineOf(r *ledger.Record, sku string) int {
	if i, ok := p.index(r).lines[sku]; ok {
		return i
	}
	return -1
}

// progress finds the progress of a line, or adds it.
func (p *planner) progress(r *ledger.Record, sku string, c removal.Condition) *removal.LineProgress {
	if i, ok := p.index(r).progress[lineKey{sku, c}]; ok {
		return &r.Progress.Lines[i]
	}
	r.Progress.Lines = append(r.Progress.Lines, removal.LineProgress{SKU: sku, Condition: c})
	return &r.Progress.Lines[len(r.Progress.Lines)-1]
}
