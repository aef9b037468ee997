package validate

import "encoding/binary"

// skuSet remembers at which row an order first has each item of the snapshot.
type skuSet struct {
	few  []itemRow
	many map[int32]int32
}

type itemRow struct{ item, row int32 }

const (
	fewestSKUs = 4
	// manySKUs is from how many on a map is quicker than to look through all.
	manySKUs = 32
)

func (s *skuSet) add(item, row int32, r *rooms) (earlier int32, twice bool) {
	if s.many != nil {
		if earlier, twice = s.many[item]; !twice {
			s.many[item] = row
		}
		return earlier, twice
	}
	for i := range s.few {
		if s.few[i].item == item {
			return s.few[i].row, true
		}
	}
	switch n := len(s.few); n {
	case manySKUs:
		s.many = make(map[int32]int32, 2*manySKUs)
		for _, e := range s.few {
			s.many[e.item] = e.row
		}
		s.many[item] = row
		r.free(s.few)
		s.few = nil
		return 0, false
	case cap(s.few):
		larger := append(r.room(max(fewestSKUs, 2*n)), s.few...)
		r.free(s.few)
		s.few = larger
	}
	s.few = append(s.few, itemRow{item, row})
	return 0, false
}

// append adds the set to a state: how many it has, and each, by its distance from the
// one before.
func (s *skuSet) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, int64(len(s.few)+len(s.many)))
	before := itemRow{}
	add := func(e itemRow) {
		dst = binary.AppendVarint(dst, int64(e.item-before.item))
		dst = binary.AppendVarint(dst, int64(e.row-before.row))
		before = e
	}
	for _, e := range s.few {
		add(e)
	}
	for item, row := range s.many {
		add(itemRow{item, row})
	}
	return dst
}

// read fills an empty set from a state.
func (s *skuSet) read(from *stateReader, r *rooms) {
	var e itemRow
	for n := from.varint(); n > 0 && !from.bad; n-- {
		e.item += int32(from.varint())
		e.row += int32(from.varint())
		s.add(e.item, e.row, r)
	}
}

// rooms lends lists for a few items each, as parts of larger ones: a large file has
// a hundred thousand orders.
type rooms struct {
	fresh []itemRow
	// spare are lists that an order has outgrown, by the doublings of their room.
	spare [4][][]itemRow
}

// room gives an empty list with room for n items: fewestSKUs or a doubling of it.
func (r *rooms) room(n int) []itemRow {
	spare := &r.spare[doublings(n)]
	if last := len(*spare) - 1; last >= 0 {
		list := (*spare)[last]
		*spare = (*spare)[:last]
		return list
	}
	if n > len(r.fresh) {
		r.fresh = make([]itemRow, 1<<13)
	}
	list := r.fresh[:0:n]
	r.fresh = r.fresh[n:]
	return list
}

func (r *rooms) free(list []itemRow) {
	if cap(list) > 0 {
		spare := &r.spare[doublings(cap(list))]
		*spare = append(*spare, list[:0])
	}
}

func doublings(room int) (n int) {
	for ; room > fewestSKUs; room /= 2 {
		n++
	}
	return n
}
