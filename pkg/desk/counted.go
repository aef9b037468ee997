package desk

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
)

// countedChunk is a chunk of movements on its way to what it took of a snapshot.
type countedChunk struct {
	ledger.MovementChunk
	done  chan struct{} // told when pools are there
	pools []int32       // of Pools, in the snapshot
	taken []chunkTaking
}

// chunkTaking is what an order, named by its place, took of a pool of the snapshot.
type chunkTaking struct {
	pool, order          int32
	sellable, unsellable int64
}

// counter tells what orders took that a snapshot does not show. Most have only been
// placed, so that their movements are handed through as they stand; of the others
// those of one pool are summed up, and count where the first stands.
type counter struct {
	date   int64           // the snapshot's, in microseconds
	hidden map[string]bool // orders whose open units the snapshot leaves out
	moved  map[string]bool // orders of which something left or was cancelled
	sums   map[poolOrder]*tally
	lost   []lostTaking

	block int // whose orders stand in fates, from 1
	fates []fate
}

// fate is what became of an order.
type fate uint8

const (
	placed fate = 0
	hidden fate = 1 << 0
	moved  fate = 1 << 1
)

type poolOrder struct{ pool, order string }

// tally is what one order did to one pool.
type tally struct{ open, after [2]int64 }

// counted tells what countedPools tells chunk by chunk, and then, by rest, of what was
// taken of pools that have another key now.
func counted(ctx context.Context, l *ledger.Ledger, merchant string, s *inventory.Snapshot, store policy.Store,
	deliver func(*countedChunk), rest func(pool int32, order string, sellable, unsellable int64)) error {
	left, err := leftOut(ctx, l, merchant, s, store)
	if err != nil {
		return err
	}
	c := &counter{date: s.Date().UnixMicro(), hidden: left, moved: map[string]bool{}, sums: map[poolOrder]*tally{}}
	err = l.ReadMovements(ctx, merchant, func(all *ledger.Movements) error {
		if err := c.sum(all); err != nil {
			return err
		}
		return sideBySide(all, func(chunk *countedChunk) {
			chunk.pools = slices.Grow(chunk.pools[:0], len(chunk.Pools))[:len(chunk.Pools)]
			s.FindPools(chunk.Pools, chunk.pools)
		}, func(chunk *countedChunk) {
			c.count(chunk)
			deliver(chunk)
		})
	})
	if err != nil || len(c.lost) == 0 {
		return err
	}
	return takeLost(ctx, l, merchant, s, c.lost, rest)
}

// sum finds the orders that have moved and sums up what they took.
func (c *counter) sum(all *ledger.Movements) error {
	var one ledger.MovementChunk
	room := func() *ledger.MovementChunk { return &one }
	err := all.Moving(room, func(chunk *ledger.MovementChunk) error {
		for i := range chunk.Lines {
			if m := &chunk.Lines[i]; m.Moves() {
				c.moved[chunk.Orders[m.Order]] = true
			}
		}
		return nil
	})
	if err != nil || len(c.moved) == 0 {
		return err
	}
	return all.Each(room, func(chunk *ledger.MovementChunk) error {
		fates := c.fatesOf(chunk)
		for i := range chunk.Lines {
			if m := &chunk.Lines[i]; fates[m.Order]&moved != 0 {
				c.add(poolOrder{chunk.Pools[m.Pool], chunk.Orders[m.Order]}, m)
			}
		}
		return nil
	})
}

// fatesOf gives those of the orders of a chunk: each is looked up once a block.
func (c *counter) fatesOf(chunk *ledger.MovementChunk) []fate {
	if c.block == chunk.Block+1 {
		return c.fates
	}
	c.block, c.fates = chunk.Block+1, c.fates[:0]
	for _, id := range chunk.Orders {
		f := placed
		if c.hidden[id] {
			f |= hidden
		}
		if c.moved[id] {
			f |= moved
		}
		c.fates = append(c.fates, f)
	}
	return c.fates
}

func (c *counter) add(k poolOrder, m *ledger.MovementLine) {
	t := c.sums[k]
	if t == nil {
		t = &tally{}
		c.sums[k] = t
	}
	for i, units := range [...]int64{m.Sellable, m.Unsellable} {
		switch m.Kind {
		case ledger.MovementOpened:
			t.open[i] += units
		case ledger.MovementLeft:
			t.open[i] -= units
			if m.At > c.date {
				t.after[i] += units
			}
		}
	}
}

// count enters what counts of a chunk into taken, or into lost.
func (c *counter) count(chunk *countedChunk) {
	chunk.taken = chunk.taken[:0]
	fates := c.fatesOf(&chunk.MovementChunk)
	for i := range chunk.Lines {
		m := &chunk.Lines[i]
		sellable, unsellable := m.Sellable, m.Unsellable
		if f := fates[m.Order]; f != placed {
			if sellable, unsellable = c.take(f, poolOrder{chunk.Pools[m.Pool], chunk.Orders[m.Order]}); sellable == 0 && unsellable == 0 {
				continue
			}
		}
		if at := chunk.pools[m.Pool]; at >= 0 {
			chunk.taken = append(chunk.taken, chunkTaking{at, m.Order, sellable, unsellable})
		} else {
			c.lost = append(c.lost, lostTaking{chunk.Pools[m.Pool], chunk.Orders[m.Order], sellable, unsellable})
		}
	}
}

// take gives all that an order took of a pool, and nothing when it is asked again.
func (c *counter) take(f fate, k poolOrder) (sellable, unsellable int64) {
	t := c.sums[k]
	if t == nil {
		return 0, 0
	}
	delete(c.sums, k)
	if f&hidden != 0 {
		t.open = [2]int64{}
	}
	return t.open[0] + t.after[0], t.open[1] + t.after[1]
}

// sideBySide unpacks all movements, lets each chunk be worked on on all cores and then
// delivers them in their order. The snapshot's index is asked at random, so that most
// of the work is waiting for memory.
func sideBySide(all *ledger.Movements, work, deliver func(*countedChunk)) error {
	workers := runtime.GOMAXPROCS(0)
	// Room for all chunks there are: nobody waits but for one to become free.
	chunks := 2*workers + 2
	free, todo, inOrder := make(chan *countedChunk, chunks), make(chan *countedChunk, chunks), make(chan *countedChunk, chunks)
	for range chunks {
		free <- &countedChunk{done: make(chan struct{}, 1)}
	}
	var others sync.WaitGroup
	for range workers {
		others.Go(func() {
			for c := range todo {
				work(c)
				c.done <- struct{}{}
			}
		})
	}
	others.Go(func() {
		for c := range inOrder {
			<-c.done
			deliver(c)
			free <- c
		}
	})
	var next *countedChunk
	err := all.Each(func() *ledger.MovementChunk {
		next = <-free
		return &next.MovementChunk
	}, func(*ledger.MovementChunk) error {
		todo <- next
		inOrder <- next
		return nil
	})
	close(todo)
	close(inOrder)
	others.Wait()
	return err
}
