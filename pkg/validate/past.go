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
	lines      map[string][]pastLine
	made       []made
	asked      int // the order of the id, the first where none has it
}

// made is where an order of a family came from.
type made struct {
	id, file string // the file's name; "" for a draft
	date     time.Time
}

type pastLine struct {
	made                 int
	sellable, unsellable int64 // as asked
	cancelled            bool
}

// NewFamily gathers the orders of a family, the first of them first, with the names
// of the files that made them, "" for a draft.
func NewFamily(id string, orders []removal.Order, files []string) *Family {
	f := &Family{ID: id, Base: id, lines: map[string][]pastLine{}}
	for i := range orders {
		o := &orders[i]
		if i == 0 {
			f.HeaderHash = o.HeaderHash
			if o.Family != "" {
				f.Base = o.Family
			}
		}
		if o.ID == id {
			f.asked = i
		}
		f.made = append(f.made, made{o.ID, files[i], o.Created})
		for _, l := range o.Lines {
			f.lines[l.SKU] = append(f.lines[l.SKU], pastLine{
				i, l.AskedSellable, l.AskedUnsellable, o.State == removal.StateCancelled,
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

// pastArgs are the facts by which a user finds the file that made an order of the
// family.
func (d *Decider) pastArgs(f *Family, order int) removal.Args {
	if order >= len(f.made) {
		return nil
	}
	m := &f.made[order]
	return removal.Args{}.Arg("file", m.file).Arg("date", d.r.day(m.date))
}
