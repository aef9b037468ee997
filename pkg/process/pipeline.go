package process

import (
	"context"
	"errors"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
	"rensa/pkg/upload"
	"rensa/pkg/validate"
)

// batch is one block of rows on its way. Batches are used again, so memory does
// not grow with the file.
type batch struct {
	number  int // of the block, from 0
	chunk   *decode.Chunk
	block   decode.Block
	rows    []removal.Row
	checked []validate.Checked
	groups  []removal.Group
	err     error
	ready   chan struct{}
}

// eachBatch reads the item rows of an upload: blocks are split and prepared on
// all cores and handed to consume one after another in the order of the file.
func eachBatch(ctx context.Context, sheet *decode.Sheet, up *upload.Sheet,
	prepare, consume func(*batch) error) error {
	reader, err := sheet.Rows(up.Heading)
	if err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	if up.Layout == upload.LayoutB {
		workers = 1 // its first rows must be known for the order's values
	}
	inHand := 2*workers + 1
	free, work, line := make(chan *batch, inHand), make(chan *batch, inHand), make(chan *batch, inHand)
	for range inHand {
		free <- &batch{}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(work)
		defer close(line)
		return readChunks(ctx, reader, free, work, line)
	})
	begun := false // only ever touched where there is one worker
	for range workers {
		g.Go(func() error {
			for b := range work {
				b.err = b.chunk.Split(&b.block)
				if b.err == nil {
					b.rows = up.Rows(&b.block, b.rows, workers == 1 && !begun)
					if workers == 1 {
						begun = begun || len(b.rows) > 0
					}
					b.err = prepare(b)
				}
				close(b.ready)
			}
			return nil
		})
	}
	g.Go(func() error { return consumeInOrder(ctx, reader, free, line, consume) })
	return g.Wait()
}

func readChunks(ctx context.Context, reader *decode.Reader, free <-chan *batch, work, line chan<- *batch) error {
	for n := 0; ; n++ {
		var b *batch
		select {
		case b = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		b.number, b.chunk, b.ready = n, chunk, make(chan struct{})
		work <- b
		line <- b
	}
}

func consumeInOrder(ctx context.Context, reader *decode.Reader, free chan<- *batch, line <-chan *batch,
	consume func(*batch) error) error {
	number, physical := reader.First()
	for b := range line {
		<-b.ready
		if b.err != nil {
			return b.err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		number, physical = b.block.Start(number, physical)
		for i := range b.rows {
			b.rows[i].Number, b.rows[i].Line = b.block.Number(i), b.block.Line(i)
		}
		if err := consume(b); err != nil {
			return err
		}
		reader.Recycle(b.chunk)
		free <- b
	}
	return nil
}
