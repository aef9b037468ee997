package validate

import (
	"cmp"
	"encoding/binary"
)

// Pages keeps pages of takings that are no longer in memory.
type Pages interface {
	// Put keeps a page, of which it needs a copy, under a number.
	Put(n int, page []byte) error
	// Get gives a page that was put, in room where it fits.
	Get(n int, room []byte) ([]byte, error)
}

type taking struct {
	before               int32 // the pool's taking before this one, from 1
	who                  int32 // row number, or ^index into orders
	sellable, unsellable int32
}

// takings are numbered from 1. They stand in pages, since a list that grows is copied
// again and again; the older pages may be elsewhere.
type takings struct {
	pages [][]taking // but those in old, which come before them
	n     int32
	old   Pages // nil: all stay in memory
	most  int   // pages in memory; 0: takingPages
	moved int   // pages in old
	bytes []byte
	back  int // the page in bytes, from 1; 0: none
	err   error
}

const (
	takingPage  = 1 << 8
	takingSize  = 4 * 4
	takingPages = 1 << 11 // half a million takings
)

// add gives the taking's number.
func (l *takings) add(t taking) int32 {
	if l.n%takingPage == 0 {
		l.pages = append(l.pages, l.page())
	}
	l.pages[len(l.pages)-1][l.n%takingPage] = t
	l.n++
	return l.n
}

// page gives room for the next page, that of the oldest in memory where there are
// enough.
func (l *takings) page() []taking {
	most := l.most
	if most == 0 {
		most = takingPages
	}
	var free []taking
	for l.old != nil && l.err == nil && len(l.pages) >= most {
		free = l.pages[0]
		l.move(free)
	}
	if free == nil || l.err != nil {
		return make([]taking, takingPage)
	}
	return free
}

// move puts the oldest page in memory among the old ones.
func (l *takings) move(page []taking) {
	l.bytes, l.back = l.bytes[:0], 0
	for i := range page {
		t := &page[i]
		for _, v := range [...]int32{t.before, t.who, t.sellable, t.unsellable} {
			l.bytes = binary.LittleEndian.AppendUint32(l.bytes, uint32(v))
		}
	}
	if err := l.old.Put(l.moved, l.bytes); err != nil {
		l.fail(err)
		return
	}
	l.pages[0] = nil
	l.pages = l.pages[1:]
	l.moved++
}

func (l *takings) fail(err error) {
	if err == nil {
		err = errState
	}
	l.err = cmp.Or(l.err, err)
}

// at gives a taking; after an error, which stays in err, one that took nothing and is
// the first.
func (l *takings) at(number int32) taking {
	n, i := int(number-1)/takingPage, int(number-1)%takingPage
	if n >= l.moved {
		return l.pages[n-l.moved][i]
	}
	if l.back != n+1 {
		bytes, err := l.old.Get(n, l.bytes)
		if err != nil || len(bytes) != takingPage*takingSize {
			l.fail(err)
			return taking{}
		}
		l.bytes, l.back = bytes, n+1
	}
	b := l.bytes[i*takingSize:]
	field := func(k int) int32 { return int32(binary.LittleEndian.Uint32(b[4*k:])) }
	return taking{field(0), field(1), field(2), field(3)}
}
