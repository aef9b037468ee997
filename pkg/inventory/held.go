package inventory

import "rensa/pkg/removal"

// Held gives the units of a pool and condition that are held, with every cause
// that the snapshot knows for them; nil where there are none. All unsellable units
// are held, sellable ones only where they are recalled.
func (s *Snapshot) Held(p int32, c removal.Condition) []Portion {
	units, recalled := s.UnitsOf(p, c), s.RecalledOf(p, c)
	if units == 0 || c == removal.Sellable && recalled == 0 {
		return nil
	}
	recalled = min(recalled, units)
	var causes []Cause
	if c == removal.Unsellable {
		product := s.Product(p)
		causes = append(causes, Cause{removal.HoldUnsellable, product.UnsellableSince})
		if !product.Expiry.IsZero() {
			causes = append(causes, Cause{removal.HoldExpiry, product.UnsellableSince})
		}
	}
	var portions []Portion
	if recalled > 0 {
		portions = append(portions, Portion{recalled, append(causes[:len(causes):len(causes)], Cause{Reason: removal.HoldRecalled})})
	}
	if c == removal.Unsellable && units > recalled {
		portions = append(portions, Portion{units - recalled, causes})
	}
	return portions
}

// FirstItem is the first item of a pool, in the file's order.
func (s *Snapshot) FirstItem(p int32) int32 { return int32(u32(s.pools.at(p), 8)) }
