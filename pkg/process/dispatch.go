package process

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"rensa/pkg/ledger"
)

// WorkOptions are how the work list is worked off; the zero value serves.
type WorkOptions struct {
	// AtOnce is how many merchants' files are in hand at once; default: one a core.
	AtOnce int
	// Poll is how often the list is looked at without being woken, which is how
	// files that another process took are found; default 1 s.
	Poll time.Duration
	// Sweep is how often the work folder is looked through for what a crash left;
	// default 30 s.
	Sweep time.Duration
	// StopWithin is how long the files in hand may take once the work is to end;
	// what is not done by then is handed back. Default 20 s.
	StopWithin time.Duration
	// Backoff is how long a merchant waits after its n-th failure in a row;
	// default 1 s, doubled each time, at most a minute.
	Backoff func(n int) time.Duration
}

func (o *WorkOptions) defaults() {
	if o.AtOnce <= 0 {
		o.AtOnce = runtime.GOMAXPROCS(0)
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Sweep <= 0 {
		o.Sweep = 30 * time.Second
	}
	if o.StopWithin <= 0 {
		o.StopWithin = 20 * time.Second
	}
	if o.Backoff == nil {
		o.Backoff = func(n int) time.Duration { return min(time.Second<<min(n-1, 6), time.Minute) }
	}
}

// dispatcher hands files of the work list to goroutines: of each merchant the
// oldest unfinished one, merchants side by side.
type dispatcher struct {
	*Processor
	WorkOptions
	hand string
	busy map[string]bool // merchants of whom a file is in hand here
	done chan ended
	// failures of a merchant in a row, whosever fault they are
	failures map[string]int
	idle     time.Time // since when nothing is in hand
}

// ended is a file that left a goroutine's hands.
type ended struct {
	merchant string
	failed   bool
	err      error // of the work list itself
}

func (p *Processor) dispatcher(opt WorkOptions) (*dispatcher, error) {
	opt.defaults()
	hand, err := p.hand(handWorking)
	if err != nil {
		return nil, err
	}
	return &dispatcher{
		Processor: p, WorkOptions: opt, hand: hand, busy: map[string]bool{}, done: make(chan ended), failures: map[string]int{}, idle: p.Now(),
	}, nil
}

// Work works the list off until ctx ends, whoever put files on it; wake makes it
// look at once. When ctx ends, files in hand are finished or, past StopWithin,
// handed back. It may run in several processes on one workspace.
func (p *Processor) Work(ctx context.Context, wake <-chan struct{}, opt WorkOptions) error {
	d, err := p.dispatcher(opt)
	if err != nil {
		return err
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	poll, sweep := time.NewTicker(d.Poll), time.NewTicker(d.Sweep)
	defer poll.Stop()
	defer sweep.Stop()
	d.sweep(work)
	for {
		d.round(work)
		select {
		case <-ctx.Done():
			return d.finish(cancel)
		case e := <-d.done:
			d.settle(e)
		case <-wake:
		case <-poll.C:
			d.rest()
		case <-sweep.C:
			d.sweep(work)
		}
	}
}

// Drain works off what can be done now and returns; what has to wait for a retry
// or is in other hands stays.
func (p *Processor) Drain(ctx context.Context, opt WorkOptions) error {
	d, err := p.dispatcher(opt)
	if err != nil {
		return err
	}
	d.sweep(ctx)
	for {
		d.round(ctx)
		if len(d.busy) == 0 {
			return ctx.Err()
		}
		d.settle(<-d.done)
	}
}

// finish waits for the files in hand, and after a while no longer.
func (d *dispatcher) finish(cancel func()) error {
	late := time.NewTimer(d.StopWithin)
	defer late.Stop()
	for len(d.busy) > 0 {
		select {
		case e := <-d.done:
			d.settle(e)
		case <-late.C:
			d.Log.Warn().Int("files", len(d.busy)).Msg("stopping: the files in hand are handed back")
			cancel()
		}
	}
	return nil
}

func (d *dispatcher) settle(e ended) {
	delete(d.busy, e.merchant)
	d.idle = d.Now()
	if e.failed || e.err != nil {
		d.failures[e.merchant]++
	} else {
		delete(d.failures, e.merchant)
	}
	if e.err != nil {
		d.Log.Error().Err(e.err).Str("merchant", e.merchant).Msg("the work list cannot be kept; it is tried again")
	}
}

// rest gives memory back when nothing has come for a while.
func (d *dispatcher) rest() {
	if d.idle.IsZero() || len(d.busy) > 0 || d.Now().Sub(d.idle) < 10*time.Second {
		return
	}
	d.idle = time.Time{}
	if err := d.snapshots.shrink(0); err != nil {
		d.Log.Error().Err(err).Msg("closing snapshots")
	}
	debug.FreeOSMemory()
}

// round takes in hand what can be taken.
func (d *dispatcher) round(ctx context.Context) {
	if len(d.busy) >= d.AtOnce || ctx.Err() != nil {
		return
	}
	list, err := d.Ledger.Oldest(ctx)
	if err != nil {
		d.Log.Error().Err(err).Msg("the work list cannot be read; it is tried again")
		return
	}
	for i := range list {
		w := &list[i]
		if d.busy[w.Merchant] || w.RetryAfter.After(d.Now()) || !d.free(w, d.hand) {
			continue
		}
		if len(d.busy) >= d.AtOnce {
			return
		}
		d.busy[w.Merchant] = true
		n := d.failures[w.Merchant] + 1
		go func() {
			failed, err := d.work(ctx, *w, n)
			d.done <- ended{w.Merchant, failed, err}
		}()
	}
}

// work takes one file in hand and does what is to be done with it. An error is
// one of keeping the list; how the file itself fared stands there.
func (d *dispatcher) work(ctx context.Context, seen ledger.Work, n int) (failed bool, err error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return false, nil // the work is to end
	}
	defer leave()
	w, err := d.Ledger.Lease(ctx, seen, d.hand, d.Now().Add(leaseFor))
	if errors.Is(err, ledger.ErrLost) || ctx.Err() != nil {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	d.step("leased")
	defer d.snapshots.use(w.Merchant)()
	err = d.leased(ctx, &w)
	if err == nil || errors.Is(err, ledger.ErrLost) {
		return false, nil
	}
	// What follows is needed most when ctx is over.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if ctx.Err() != nil {
		d.Log.Info().Str("merchant", w.Merchant).Str("claim", w.ID).Msg("file handed back")
		return false, gone(d.Ledger.HandBack(late, &w))
	}
	counts := w.State == ledger.FileClaimed && w.Target == "" && !worldly(err)
	wait := d.Backoff(max(n, w.Failures+1))
	d.Log.Error().Err(err).Str("merchant", w.Merchant).Str("claim", w.ID).Str("run", w.Run).Int("failures", w.Failures+1).
		Bool("counts", counts).Dur("again_in", wait).Msg("file failed")
	return true, gone(d.Ledger.Failed(late, &w, counts, err.Error(), d.Now().Add(wait)))
}

func gone(err error) error {
	if errors.Is(err, ledger.ErrLost) {
		return nil // done by somebody else, or further than it seemed
	}
	return err
}

// leased works on a file, renewing its lease. A fault of the program in one file
// is a failure of that file.
func (d *dispatcher) leased(ctx context.Context, w *ledger.Work) (err error) {
	ctx, lost := context.WithCancelCause(ctx)
	stop := d.renew(ctx, *w, lost)
	defer stop()
	defer func() {
		if fault := recover(); fault != nil {
			d.Log.Error().Str("claim", w.ID).Str("stack", string(debug.Stack())).Msg("fault of the program")
			err = fmt.Errorf("fault of the program: %v", fault)
		}
		if err != nil && errors.Is(context.Cause(ctx), ledger.ErrLost) {
			err = ledger.ErrLost
		}
		lost(nil)
	}()
	return d.advance(ctx, w)
}

// renew keeps the lease of a file that takes long; where it is lost the work on
// the file ends.
func (d *dispatcher) renew(ctx context.Context, w ledger.Work, lost context.CancelCauseFunc) (stop func()) {
	timer := time.NewTicker(leaseFor / 3)
	end, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		for {
			select {
			case <-end:
				return
			case <-timer.C:
			}
			err := d.Ledger.Renew(ctx, &w, d.Now().Add(leaseFor))
			if errors.Is(err, ledger.ErrLost) {
				lost(ledger.ErrLost)
				return
			}
			if err != nil {
				d.Log.Warn().Err(err).Str("claim", w.ID).Msg("the lease cannot be renewed; it is tried again")
			}
		}
	}()
	return func() {
		timer.Stop()
		close(end)
		<-over
	}
}

// worldly tells whether an error is of the world around a file: it will pass, and
// no file is given up for it.
func worldly(err error) bool {
	for _, e := range []error{
		ledger.ErrBusy, ledger.ErrConflict, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EACCES, syscall.EPERM, syscall.ESTALE, syscall.ETIMEDOUT,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return errors.Is(err, ErrUnpublished)
}
