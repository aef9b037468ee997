package policy

import "time"

// StorageTier is the least age that is charged as an age is, on a day: what is
// charged alike can be added up before it is rounded. An age that no row of the
// table has is its own.
func (s *Set) StorageTier(store Store, ageDays int, on time.Time) int {
	d := dayOf(on)
	for _, r := range s.aged[store.Code] {
		if r.has(d) && ageDays >= r.ageFrom && ageDays <= r.ageTo {
			return r.ageFrom
		}
	}
	return ageDays
}
