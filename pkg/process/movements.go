package process

import (
	"golang.org/x/sync/errgroup"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// takingsPerBlock is how many takings are packed together: enough that the keys of
// their pools, when sorted, are like one another.
const takingsPerBlock = 32 << 10

// movementMaker packs what accepted rows took of the pools, as they go by in the
// order of the file: a block is sorted by pool and packed while the takings of the
// next are gathered.
type movementMaker struct {
	snapshot *inventory.Snapshot
	waiting  waiting
	packed   []ledger.MovementBlock // of each block all but its bytes

	takings *takings
	spare   chan *takings
	packing errgroup.Group // of one block at a time

	packer *ledger.MovementPacker
	// keys have the pool above the place of the taking; other is room to sort them.
	keys, other []uint64
	pool        []byte
}

// takings are those of one block, and the orders that they name by their places.
type takings struct {
	all []taking
	// fnskus are those of all, one behind the other.
	fnskus []byte
	orders []string
	places map[orderPlace]int32
	last   orderPlace
	place  int32 // of last
}

// orderPlace is an accepted order, or a part of a split one.
type orderPlace struct{ number, part int32 }

// taking is what one row took. It is small: when they are packed they are fetched by
// pool, from a cache that holds the 32,768 of a block.
type taking struct {
	pool, order          int32
	fnskuEnd             int32
	row                  int32
	sellable, unsellable int32 // no quantity is larger
}

func (u *uploadRun) newMovementMaker() *movementMaker {
	m := &movementMaker{
		snapshot: u.rules.Snapshot, waiting: waiting{spool: u.d.spool},
		takings: newTakings(), spare: make(chan *takings, 1),
		packer: ledger.NewMovementPacker(u.run.ID, u.j.started),
	}
	m.packing.SetLimit(1)
	return m
}

func newTakings() *takings { return &takings{places: map[orderPlace]int32{}} }

// take takes the rows of a batch.
func (m *movementMaker) take(b *batch) {
	for i := range b.part.Rows {
		r := &b.part.Rows[i]
		o := r.Outcome
		if o.Status != removal.Accepted {
			continue
		}
		t := m.takings
		t.fnskus = append(grow(t.fnskus, len(r.FNSKU)), r.FNSKU...)
		t.all = append(grow(t.all, 1), taking{
			pool: b.pools[i], fnskuEnd: int32(len(t.fnskus)), order: t.orderOf(o, r.Order), row: int32(o.Row),
			sellable: int32(o.TakenSellable), unsellable: int32(o.TakenUnsellable),
		})
		if len(t.all) == takingsPerBlock {
			m.handOver()
		}
	}
}

// orderOf gives the place of a row's order in the list.
func (t *takings) orderOf(row *removal.Outcome, order *removal.OrderOutcome) int32 {
	at := orderPlace{row.Order, row.Part}
	if len(t.orders) > 0 && at == t.last {
		return t.place
	}
	place, ok := t.places[at]
	if !ok {
		place = int32(len(t.orders))
		t.places[at] = place
		t.orders = append(t.orders, order.AcceptedID(row.Part))
	}
	t.last, t.place = at, place
	return place
}

// handOver has what was gathered packed beside, once the block before is.
func (m *movementMaker) handOver() {
	full := m.takings
	m.packing.Go(func() error {
		err := m.pack(full)
		full.all, full.fnskus, full.orders = full.all[:0], full.fnskus[:0], full.orders[:0]
		clear(full.places)
		m.spare <- full
		return err
	})
	select {
	case m.takings = <-m.spare:
	default:
		m.takings = newTakings()
	}
}

func (m *movementMaker) pack(t *takings) error {
	m.keys = resize(m.keys, len(t.all))
	for i := range t.all {
		m.keys[i] = uint64(t.all[i].pool)<<32 | uint64(i)
	}
	m.keys, m.other = sortByPool(m.keys, resize(m.other, len(t.all)))
	if err := m.packer.Begin(t.orders, len(t.all)); err != nil {
		return err
	}
	for i, key := range m.keys {
		taking := &t.all[uint32(key)]
		if i == 0 || key>>32 != m.keys[i-1]>>32 {
			pool := t.fnsku(uint32(key))
			if len(pool) == 0 {
				m.pool = m.snapshot.AppendPoolKey(m.pool[:0], int32(key>>32))
				pool = m.pool
			}
			if err := m.packer.Pool(pool); err != nil {
				return err
			}
		}
		m.packer.Add(int(taking.order), int(taking.row), int64(taking.sellable), int64(taking.unsellable))
	}
	b, err := m.packer.Block()
	if err != nil {
		return err
	}
	if err := m.waiting.add(b.Bytes); err != nil {
		return err
	}
	b.Bytes = nil
	m.packed = append(m.packed, b)
	return nil
}

// fnsku is the key of the pool of the i-th taking, empty where it has another.
func (t *takings) fnsku(i uint32) []byte {
	from := int32(0)
	if i > 0 {
		from = t.all[i-1].fnskuEnd
	}
	return t.fnskus[from:t.all[i].fnskuEnd]
}

// end packs the last block, waits for all of them and lets go of what that took.
func (m *movementMaker) end() error {
	if len(m.takings.all) > 0 {
		m.handOver()
	}
	err := m.packing.Wait()
	m.takings, m.spare, m.packer = nil, nil, nil
	m.keys, m.other = nil, nil
	return err
}

func (m *movementMaker) blocks(yield func(ledger.MovementBlock) error) error {
	n := 0
	return m.waiting.each(func(b []byte) error {
		block := m.packed[n]
		block.Bytes = b
		n++
		return yield(block)
	})
}

// sortByPool sorts keys by their upper halves, equal ones staying as they stand, and
// gives them with the other room: one pass for each eleven bits in which they differ.
func sortByPool(keys, room []uint64) (sorted, other []uint64) {
	const digit = 11
	for shift := 32; shift < 64; shift += digit {
		var counts [1 << digit]int
		for _, k := range keys {
			counts[k>>shift&(1<<digit-1)]++
		}
		if len(keys) == 0 || counts[keys[0]>>shift&(1<<digit-1)] == len(keys) {
			continue
		}
		next := 0
		for d, n := range counts {
			counts[d], next = next, next+n
		}
		for _, k := range keys {
			at := &counts[k>>shift&(1<<digit-1)]
			room[*at] = k
			*at++
		}
		keys, room = room, keys
	}
	return keys, room
}
