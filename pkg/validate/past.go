package validate

import (
	"time"

	"rensa/pkg/removal"
)

// Past answers what earlier files and drafts did. Its answers must not change
// while one file is decided.
type Past interface {
	// Families finds the orders of used ids, those that have none being left out.
	Families(ids []string) (map[string]*Family, error)
	// Matches finds the families of orders with a generated id, in planning,
	// pending or processing, whose method and address have this hash; newest first.
	Matches(headerHash uint64) ([]*Family, error)
	// Used tells which of the ids were used for an order that was not refused.
	Used(ids []string) (map[string]bool, error)
}

// Family is an order of an earlier file with all that was made from it.
type Family struct {
	ID string // as it was asked for
	// Base is the id of the first order, under which the family is found.
	Base       string
	HeaderHash uint64
	File       string // name of the file that made it; "" for a draft
	Date       time.Time
	lines      map[string][]pastLine
}

type pastLine struct {
	order                string
	sellable, unsellable int64 // as asked
	cancelled            bool
}

// NewFamily gathers the orders of a family, the first of them first.
func NewFamily(id, file string, orders []removal.Order) *Family {
	f := &Family{ID: id, Base: id, File: file, lines: map[string][]pastLine{}}
	for i := range orders {
		o := &orders[i]
		if i == 0 {
			f.HeaderHash, f.Date = o.HeaderHash, o.Created
			if o.Family != "" {
				f.Base = o.Family
			}
		}
		for _, l := range o.Lines {
			f.lines[l.SKU] = append(f.lines[l.SKU], pastLine{
				o.ID, l.AskedSellable, l.AskedUnsellable, o.State == removal.StateCancelled,
			})
		}
	}
	return f
}

// find looks for a line of the same SKU and quantities, else for any of the SKU.
func (f *Family) find(sku string, sellable, unsellable int64) (line pastLine, equal, known bool) {
	for _, l := range f.lines[sku] {
		if !l.cancelled && l.sellable == sellable && l.unsellable == unsellable {
			return l, true, true
		}
		line, known = l, true
	}
	return line, false, known
}

// pastArgs are the facts by which a user finds the earlier file.
func (d *Decider) pastArgs(f *Family) removal.Args {
	return removal.Args{}.Arg("file", f.File).Arg("date", d.r.day(f.Date))
}
