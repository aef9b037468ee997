package process

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"sync"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/upload"
	"rensa/pkg/validate"
)

// batch is one block of rows on its way. Batches are used again, so memory does
// not grow with the file.
type batch struct {
	number int // of the block, from 0
	chunk  *decode.Chunk
	block  decode.Block
	rows   []removal.Row

	// Of the first pass.
	checked  []validate.Checked
	groups   []removal.Group
	outcomes []removal.Outcome
	packed   []byte

	// Of the second.
	part    report.Part
	items   []int32 // of the rows, in the snapshot
	pools   []int32
	fnskus  [][]byte
	decided []*decided // of the rows, a run of them after another
	// orderRoom has what was loaded of them, so much of it in this block.
	orderRoom []*decided
	loaded    int
	shelved   []byte
	orders    orderPart
}

// stages are what happens to each block of rows. Those that are nil are passed over.
type stages struct {
	prepare func(*batch) error // side by side; the rows have no numbers yet
	inOrder func(*batch) error // one block after another, in the order of the file
	finish  func(*batch) error // side by side
	deliver func(*batch) error // one block after another
}

// conveyor carries the blocks of an upload through the stages. Each worker takes a
// block and goes with it through all of them, waiting at a gate where it is not its
// turn; so the cores are busy while the order of the file is kept.
type conveyor struct {
	reader *decode.Reader
	up     *upload.Sheet
	stages
	begun bool // layout B: rows were seen; ever touched by one worker only

	reading      sync.Mutex
	read         int // blocks
	number, line int // of the next row, kept by those who pass the gate inOrder

	mu     sync.Mutex
	moved  *sync.Cond
	failed int // the first block that failed
	err    error
}

// gate lets blocks through one after another, by their numbers.
type gate struct{ next int }

// errGivenUp ends the way of a block that comes after one that failed.
var errGivenUp = errors.New("an earlier block failed")

// eachBatch carries the item rows of an upload through stages, in batches of spare,
// where they are left for the next pass: their memory fits it. The error is that of
// the first block that has one.
func eachBatch(ctx context.Context, sheet *decode.Sheet, up *upload.Sheet, spare *sync.Pool, st stages) error {
	reader, err := sheet.Rows(up.Heading)
	if err != nil {
		return err
	}
	c := &conveyor{reader: reader, up: up, stages: st, failed: math.MaxInt}
	c.moved = sync.NewCond(&c.mu)
	c.number, c.line = reader.First()
	workers := runtime.GOMAXPROCS(0) + 2 // some wait at gates
	if up.Layout == upload.LayoutB {
		workers = 1 // its first rows must be known for the order's values
	}
	var work sync.WaitGroup
	var inOrder, deliver gate
	for range workers {
		work.Go(func() {
			b, ok := spare.Get().(*batch)
			if !ok {
				b = &batch{}
			}
			defer spare.Put(b)
			for c.take(ctx, b) {
				if err := c.carry(b, &inOrder, &deliver); err != nil {
					c.fail(b.number, err)
					return
				}
				reader.Recycle(b.chunk)
			}
		})
	}
	work.Wait()
	return c.err
}

// take gets the next block; false where there is none, or none is wanted.
func (c *conveyor) take(ctx context.Context, b *batch) bool {
	c.reading.Lock()
	defer c.reading.Unlock()
	if c.hasFailed() {
		return false
	}
	b.number = c.read
	err := ctx.Err()
	if err == nil {
		b.chunk, err = c.reader.Next()
	}
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		c.fail(b.number, err)
		return false
	}
	c.read++
	return true
}

func (c *conveyor) carry(b *batch, inOrder, deliver *gate) error {
	if err := b.chunk.Split(&b.block); err != nil {
		return err
	}
	one := c.up.Layout == upload.LayoutB
	b.rows = c.up.Rows(&b.block, b.rows, one && !c.begun)
	if one {
		c.begun = c.begun || len(b.rows) > 0
	}
	if err := run(c.prepare, b); err != nil {
		return err
	}
	err := c.pass(inOrder, b.number, func() error {
		c.number, c.line = b.block.Start(c.number, c.line)
		for i := range b.rows {
			b.rows[i].Number, b.rows[i].Line = b.block.Number(i), b.block.Line(i)
		}
		return run(c.inOrder, b)
	})
	if err != nil {
		return err
	}
	if err := run(c.finish, b); err != nil {
		return err
	}
	return c.pass(deliver, b.number, func() error { return run(c.deliver, b) })
}

func run(stage func(*batch) error, b *batch) error {
	if stage == nil {
		return nil
	}
	return stage(b)
}

// pass waits until it is the turn of block n and lets the next one through after fn.
func (c *conveyor) pass(g *gate, n int, fn func() error) error {
	c.mu.Lock()
	for g.next != n && n < c.failed {
		c.moved.Wait()
	}
	given := n >= c.failed
	c.mu.Unlock()
	if given {
		return errGivenUp
	}
	if err := fn(); err != nil {
		return err
	}
	c.mu.Lock()
	g.next++
	c.mu.Unlock()
	c.moved.Broadcast()
	return nil
}

func (c *conveyor) hasFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil
}

// fail remembers why block n came no further. Those before it go on.
func (c *conveyor) fail(n int, err error) {
	c.mu.Lock()
	if n < c.failed {
		c.failed, c.err = n, err
	}
	c.mu.Unlock()
	c.moved.Broadcast()
}
