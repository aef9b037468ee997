package inventory

import (
	"slices"
	"time"

	"rensa/pkg/removal"
)

// Held gives the units of a pool and condition that are held, with every cause
// that the snapshot knows for them; nil where there are none. All unsellable units
// are held; sellable ones are where they are recalled or stranded. Days of lots
// count as long as the file that gave them is the one that the quantities are
// from.
func (s *Snapshot) Held(p int32, c removal.Condition) ([]Portion, error) {
	units, recalled := s.UnitsOf(p, c), s.RecalledOf(p, c)
	product := s.Product(p)
	if units == 0 || c == removal.Sellable && recalled == 0 && product.RecalledSince.IsZero() && product.StrandedSince.IsZero() {
		return nil, nil
	}
	f, err := s.Facts(p)
	if err != nil {
		return nil, err
	}
	h := heldUnits{snapshot: s, facts: &f, condition: c, expires: !product.Expiry.IsZero()}
	if n := f.Lots.From; n >= 0 && s.Sources()[n].Date.Equal(s.date) {
		for i := range f.Lots.All {
			l := &f.Lots.All[i]
			if n := min(l.Units, units); l.Condition == c && n > 0 {
				units -= n
				if l.Recalled {
					recalled = max(0, recalled-n)
				}
				h.add(n, l.Since, l.Expiry != 0, l.Recalled)
			}
		}
	}
	n := min(units, recalled)
	h.add(n, 0, h.expires, true)
	h.add(units-n, 0, h.expires, false)
	if c == removal.Sellable {
		h.strand()
	}
	return slices.DeleteFunc(h.all, func(p Portion) bool { return len(p.Causes) == 0 }), nil
}

// FirstItem is the first item of a pool, in the file's order.
func (s *Snapshot) FirstItem(p int32) int32 { return int32(u32(s.pools.at(p), 8)) }

// heldUnits gathers portions. Those without a cause are there for strand alone.
type heldUnits struct {
	snapshot  *Snapshot
	facts     *Facts
	condition removal.Condition
	expires   bool
	all       []Portion
}

func (h *heldUnits) add(units int64, since Day, expires, recalled bool) {
	if units == 0 {
		return
	}
	var causes []Cause
	if h.condition == removal.Unsellable {
		causes = append(causes, Cause{Reason: removal.HoldUnsellable, Since: since.Time()})
		if expires {
			causes = append(causes, Cause{Reason: removal.HoldExpiry, Since: since.Time()})
		}
	}
	if r := h.facts.Recalled; r.From >= 0 {
		causes = append(causes, Cause{removal.HoldRecalled, r.Since.Time(), h.day(r.From)})
	} else if recalled {
		causes = append(causes, Cause{Reason: removal.HoldRecalled})
	}
	h.all = append(h.all, Portion{units, causes})
}

// strand adds its cause to as many units as have no listing, recalled ones first.
func (h *heldUnits) strand() {
	st := h.facts.Stranded
	if st.From < 0 {
		return
	}
	cause, rest := Cause{removal.HoldStranded, st.Since.Time(), h.day(st.From)}, st.Units
	slices.SortStableFunc(h.all, func(a, b Portion) int { return len(b.Causes) - len(a.Causes) })
	for i := 0; i < len(h.all) && rest > 0; i++ {
		p := &h.all[i]
		n := min(rest, p.Units)
		if rest -= n; n < p.Units {
			h.all = append(h.all, Portion{p.Units - n, p.Causes})
			p = &h.all[i]
			p.Units = n
		}
		p.Causes = append(slices.Clip(p.Causes), cause)
	}
}

// day is that of a source, as midnight UTC.
func (h *heldUnits) day(source int) time.Time { return h.snapshot.Sources()[source].Day.Time() }
