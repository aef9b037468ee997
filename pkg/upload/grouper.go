package upload

import (
	"hash/maphash"

	"rensa/pkg/removal"
)

// Grouper says of each row, in the order of the file, to which order it belongs.
//
// A row with an id belongs to the order of that id, wherever its other rows
// stand. A row without one starts a new order where it names a method, and
// continues the order above where it does not.
//
// Of an id it keeps a seeded hash of 56 bits, so that the ids of a large file need
// little room. Whoever has the order of a row that comes Back must see that the ids
// are the same.
type Grouper struct {
	seed    maphash.Seed
	byID    hashTable
	next    int32
	current int32
	id      []byte
}

// NewGrouper starts before the first row.
func NewGrouper() *Grouper { return &Grouper{seed: maphash.MakeSeed(), current: -1} }

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
	hash := maphash.Bytes(g.seed, id)
	if order, ok := g.byID.find(hash); ok {
		g.current = order
		return removal.Group{Order: order, Back: true}
	}
	group := g.begin()
	g.byID.add(hash, group.Order)
	return group
}

// Has tells whether a row had an id. One that none had is taken for another once in
// a hundred thousand million times.
func (g *Grouper) Has(id string) bool {
	_, ok := g.byID.find(maphash.String(g.seed, id))
	return ok
}

func (g *Grouper) begin() removal.Group {
	g.current = g.next
	g.next++
	return removal.Group{Order: g.current, First: true}
}
