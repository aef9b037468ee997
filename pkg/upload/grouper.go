package upload

import "rensa/pkg/removal"

// Grouper says of each row, in the order of the file, to which order it belongs.
//
// A row with an id belongs to the order of that id, wherever its other rows
// stand. A row without one starts a new order where it names a method, and
// continues the order above where it does not.
type Grouper struct {
	byID    map[string]int32
	next    int32
	current int32
	id      []byte
}

// NewGrouper starts before the first row.
func NewGrouper() *Grouper { return &Grouper{byID: map[string]int32{}, current: -1} }

// Add places the next row by its order id and method, as they are written.
func (g *Grouper) Add(id, method []byte) removal.Group {
	if len(id) == 0 {
		if len(method) == 0 && g.current >= 0 {
			return removal.Group{Order: g.current}
		}
		g.id = g.id[:0]
		return g.begin()
	}
	if g.current >= 0 && string(g.id) == string(id) {
		return removal.Group{Order: g.current}
	}
	g.id = append(g.id[:0], id...)
	if order, ok := g.byID[string(id)]; ok {
		g.current = order
		return removal.Group{Order: order, Back: true}
	}
	group := g.begin()
	g.byID[string(id)] = group.Order
	return group
}

func (g *Grouper) begin() removal.Group {
	g.current = g.next
	g.next++
	return removal.Group{Order: g.current, First: true}
}
