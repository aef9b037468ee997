package process

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
	"rensa/pkg/upload"
	"rensa/pkg/validate"
)

// outcomesPerBlock is how many outcomes are packed together of those that had to
// wait for the end of the file; else it is those of a block of rows.
const outcomesPerBlock = 4096

// ordersPerBlock is how many outcomes of orders are.
const ordersPerBlock = 1000

// decision is what was decided about an upload: everything that its reports are
// made from, beside the original.
type decision struct {
	batches  *sync.Pool // of the pass before
	counts   validate.Counts
	problems []removal.Problem // of the file
	orders   *shelf
	spool    *storage.Spool
	// Blocks as they are committed: outcomes in the order of the rows, and those of
	// orders.
	packed, packedOrders waiting
	// aligned tells that packed has the outcomes of each block of rows by itself;
	// else blocks gives them from wherever they are.
	aligned bool
	blocks  func() iter.Seq2[[]removal.Outcome, error]
}

// decide is the first pass over an upload: every row gets its outcome.
// What is too much for memory goes to spool, which the decision needs as long as it
// is used.
func (p *Processor) decide(ctx context.Context, j *job, sheet *decode.Sheet, up *upload.Sheet,
	rules *validate.Rules, stock *validate.Stock, spool *storage.Spool) (*decision, error) {
	f := firstPass{rules: rules, grouper: upload.NewGrouper(), progress: p.Progress, decision: decision{
		batches: &sync.Pool{}, aligned: true, spool: spool, orders: &shelf{spool: spool},
		packed: waiting{spool: spool}, packedOrders: waiting{spool: spool},
	}}
	f.decider = validate.NewDecider(rules, stock, newPast(ctx, p.Ledger, j.Merchant), f.orders, f.emit)
	err := eachBatch(ctx, sheet, up, f.batches, stages{prepare: f.check, inOrder: f.decide, finish: f.pack, deliver: f.keep})
	if err != nil {
		return nil, err
	}
	if j.Last {
		rules.Snapshot.LetGo()
	}
	if err := f.end(); err != nil {
		return nil, err
	}
	d := f.decision // a copy: stock and decider go
	if d.counts.Read == 0 {
		return nil, removal.NewFileError(removal.FileEmpty)
	}
	if j.Last && d.counts.Read >= manyRows {
		f = firstPass{}
		runtime.GC()
	}
	d.blocks = func() iter.Seq2[[]removal.Outcome, error] { return unpacked(&d.packed) }
	return &d, nil
}

// manyRows is from how many rows on what the first pass leaves is collected before the
// second, which then lives in it: new memory is got from the system by a fault a page.
const manyRows = 500_000

// firstPass is a decision that is being made.
type firstPass struct {
	decision
	rules    *validate.Rules
	grouper  *upload.Grouper
	decider  *validate.Decider
	progress func(done, total int64)
	rows     int64

	pending []removal.Outcome // decided and not on their way to be packed
	ended   bool              // all rows were seen
	block   []byte
}

func (f *firstPass) check(b *batch) error {
	b.checked = resize(b.checked, len(b.rows))
	f.rules.Check(b.rows, b.checked, hintsIn(b.number))
	return nil
}

func (f *firstPass) decide(b *batch) error {
	b.groups = b.groups[:0]
	for i := range b.rows {
		r := &b.rows[i]
		b.groups = append(b.groups, f.grouper.Add(r.Value(removal.FieldOrderID), r.Value(removal.FieldMethod)))
	}
	f.rows += int64(len(b.rows))
	f.progress(f.rows, 0)
	f.pending = slices.Grow(f.pending, len(b.rows))
	if err := f.decider.Decide(b.rows, b.checked, b.groups); err != nil {
		return err
	}
	b.outcomes, f.pending = f.pending, b.outcomes[:0]
	return nil
}

func (f *firstPass) emit(o *removal.Outcome) error {
	if f.pending = append(f.pending, *o); f.ended && len(f.pending) == outcomesPerBlock {
		return f.packPending()
	}
	return nil
}

func (f *firstPass) pack(b *batch) error {
	b.packed = b.packed[:0]
	if len(b.outcomes) > 0 {
		b.packed = ledger.EncodeOutcomes(b.packed, b.outcomes)
	}
	return nil
}

func (f *firstPass) keep(b *batch) error {
	f.aligned = f.aligned && len(b.outcomes) == len(b.rows)
	return f.packed.add(b.packed)
}

// packPending packs what had to wait for the end of the file.
func (f *firstPass) packPending() error {
	f.aligned = false
	f.block, f.pending = ledger.EncodeOutcomes(f.block[:0], f.pending), f.pending[:0]
	return f.packed.add(f.block)
}

// end decides what had to wait and takes the orders over.
func (f *firstPass) end() error {
	f.ended = true
	some := make([]removal.OrderOutcome, 0, ordersPerBlock)
	packOrders := func() error {
		f.block = ledger.EncodeOrderOutcomes(f.block[:0], some)
		some = some[:0]
		return f.packedOrders.add(f.block)
	}
	n := int32(0)
	err := f.decider.Finish(f.grouper.Has, func(o *removal.OrderOutcome) error {
		if some = append(some, *o); len(some) == ordersPerBlock {
			if err := packOrders(); err != nil {
				return err
			}
		}
		n++
		return f.orders.decide(n-1, o)
	})
	if err == nil && len(some) > 0 {
		err = packOrders()
	}
	if err == nil && len(f.pending) > 0 {
		err = f.packPending()
	}
	f.counts, f.problems = f.decider.Counts, f.decider.Problems
	return err
}

// hintsIn is how many unknown SKUs of the n-th block get candidates. To look for
// one costs up to 0.1 ms, so a large file against the wrong inventory would take
// minutes to say the same thing again and again; the number depends on the
// file alone, so that the same file always gets the same answer.
func hintsIn(block int) int {
	if block < 20 {
		return 1000
	}
	return 20
}

// grow makes room for n more, and for as many again as there are: memory that is grown
// by less is copied, and got from the system, several times over.
func grow[T any](s []T, n int) []T {
	if cap(s)-len(s) < n {
		return slices.Grow(s, len(s)+n)
	}
	return s
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// outcomeReader gives the outcomes of a decided upload again, block of rows by block.
type outcomeReader struct {
	d    *decision
	next func() ([]removal.Outcome, error, bool) // nil where blocks are aligned
	stop func()
	rest []removal.Outcome
}

func (d *decision) reader() *outcomeReader {
	r := &outcomeReader{d: d, stop: func() {}}
	if !d.aligned {
		r.next, r.stop = iter.Pull2(d.blocks())
	}
	return r
}

// unpack gets the outcomes of a batch where they stand in a block of their own. It
// may be called side by side.
func (r *outcomeReader) unpack(b *batch) (err error) {
	b.outcomes = b.outcomes[:0]
	if r.next == nil && len(b.rows) > 0 {
		if b.packed, err = r.d.spool.Read(b.packed, r.d.packed.refs[b.number]); err == nil {
			b.outcomes, err = ledger.DecodeOutcomes(b.outcomes, b.packed)
		}
	}
	return err
}

// collect gets the outcomes of a batch, in the order of the file, where unpack could
// not.
func (r *outcomeReader) collect(b *batch) error {
	for r.next != nil && len(b.outcomes) < len(b.rows) {
		if len(r.rest) == 0 {
			block, err, more := r.next()
			if err != nil {
				return err
			}
			if !more {
				break
			}
			r.rest = block
		}
		n := min(len(r.rest), len(b.rows)-len(b.outcomes))
		b.outcomes, r.rest = append(b.outcomes, r.rest[:n]...), r.rest[n:]
	}
	if len(b.outcomes) != len(b.rows) {
		return fmt.Errorf("block %d has %d rows and %d outcomes: %w", b.number, len(b.rows), len(b.outcomes), ledger.ErrUnbalanced)
	}
	return nil
}

// unpacked gives packed blocks as outcomes.
func unpacked(blocks *waiting) iter.Seq2[[]removal.Outcome, error] {
	return func(yield func([]removal.Outcome, error) bool) {
		err := blocks.each(func(b []byte) error {
			rows, err := ledger.DecodeOutcomes(nil, b)
			if err == nil && !yield(rows, nil) {
				return errUnwanted
			}
			return err
		})
		if err != nil && !errors.Is(err, errUnwanted) {
			yield(nil, err)
		}
	}
}

// errUnwanted ends an iteration whose user wants no more.
var errUnwanted = errors.New("no more is wanted")
