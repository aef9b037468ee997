package process

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"rensa/pkg/ledger"
)

// The hands that one Processor has. A lease names the hand, so that one does not
// take what the other is busy with.
const (
	handTaking  = "/taking"  // a file is being renamed into the work folder
	handNow     = "/now"     // a file of Process, or of Recover
	handWorking = "/working" // a file of the work list
)

// leaseFor is how long a lease holds without being renewed.
const leaseFor = 30 * time.Second

// identity is what a Processor is called in leases, and the locked file by which
// others on this machine see that it lives.
type identity struct {
	id   string
	lock *flock.Flock
}

// ownerFile begins the name of the locked file, in the work folder.
const ownerFile = ".owner-"

// identity makes itself known when it first takes something in hand.
func (p *Processor) identity() (*identity, error) {
	p.me.mu.Lock()
	defer p.me.mu.Unlock()
	if p.me.known != nil {
		return p.me.known, nil
	}
	id := strings.ToLower(rand.Text()[:12])
	if err := p.dir.MakeDir("work"); err != nil {
		return nil, err
	}
	lock := flock.New(p.path("work/" + ownerFile + id))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("the lock of a worker cannot be had (%t)", ok), err)
	}
	p.me.known = &identity{id: id, lock: lock}
	return p.me.known, nil
}

// leave gives the identity up.
func (p *Processor) leave() error {
	p.me.mu.Lock()
	defer p.me.mu.Unlock()
	if p.me.known == nil {
		return nil
	}
	err := errors.Join(os.Remove(p.me.known.lock.Path()), p.me.known.lock.Close())
	p.me.known = nil
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// hand is what one hand of this Processor is called in leases.
func (p *Processor) hand(which string) (string, error) {
	me, err := p.identity()
	if err != nil {
		return "", err
	}
	return me.id + which, nil
}

// free tells whether a file may be taken in hand: nobody has it, the lease has
// run out, its holder lives no more, or it is ours already.
func (p *Processor) free(w *ledger.Work, hand string) bool {
	owner := w.LeaseOwner
	if owner == "" || owner == hand || !w.LeaseUntil.After(p.Now()) {
		return true
	}
	id, which, _ := strings.Cut(owner, "/")
	p.me.mu.Lock()
	forgotten := p.me.known != nil && id == p.me.known.id && "/"+which == handTaking && !p.me.taking[w.ID]
	p.me.mu.Unlock()
	return forgotten || !p.alive(id)
}

// takes remembers that a claim is being renamed, or no longer is: one of which
// the end could not be written into the list is then free.
func (p *Processor) takes(id string, now bool) {
	p.me.mu.Lock()
	defer p.me.mu.Unlock()
	if p.me.taking == nil {
		p.me.taking = map[string]bool{}
	}
	if now {
		p.me.taking[id] = true
	} else {
		delete(p.me.taking, id)
	}
}

// alive tells whether a Processor on this machine still holds its lock.
func (p *Processor) alive(id string) bool {
	p.me.mu.Lock()
	mine := p.me.known != nil && p.me.known.id == id
	p.me.mu.Unlock()
	if mine {
		return true
	}
	lock := flock.New(p.path("work/"+ownerFile+filepath.Base(id)), flock.SetFlag(os.O_RDWR))
	ok, err := lock.TryLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err := lock.Close(); err != nil {
		p.Log.Debug().Err(err).Msg("closing the lock of another worker")
	}
	return err != nil || !ok // what cannot be told is believed to live until its lease runs out
}

// The locks by which a backup finds the workspace at rest.
const (
	pauseLock = "work/.pause" // held by a backup; everybody passes through it
	gateLock  = "work/.gate"  // shared by whoever takes, decides or publishes
	keepLock  = "work/.keep"  // shared by backups, alone for whoever deletes old files
)

// lockPoll is how often a lock that another process has is tried again.
const lockPoll = 10 * time.Millisecond

// enter begins work on files; a backup waits until leave is called, and while it
// begins nobody enters.
func (p *Processor) enter(ctx context.Context) (leave func(), err error) {
	if err := p.dir.MakeDir("work"); err != nil {
		return nil, err
	}
	pause, gate := flock.New(p.path(pauseLock)), flock.New(p.path(gateLock))
	if _, err := pause.TryRLockContext(ctx, lockPoll); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for a backup: %w", err), pause.Close())
	}
	_, err = gate.TryRLockContext(ctx, lockPoll)
	if err = errors.Join(err, pause.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for a backup: %w", err), gate.Close())
	}
	return func() {
		if err := gate.Close(); err != nil {
			p.Log.Error().Err(err).Msg("leaving the gate")
		}
	}, nil
}

// Pause waits until nobody takes, decides or publishes a file in this workspace,
// and keeps everybody from it until resume is called.
func (p *Processor) Pause(ctx context.Context) (resume func() error, err error) {
	if err := p.dir.MakeDir("work"); err != nil {
		return nil, err
	}
	pause, gate := flock.New(p.path(pauseLock)), flock.New(p.path(gateLock))
	resume = func() error { return errors.Join(gate.Close(), pause.Close()) }
	if _, err := pause.TryLockContext(ctx, lockPoll); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for another backup: %w", err), resume())
	}
	if _, err := gate.TryLockContext(ctx, lockPoll); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for the files in hand: %w", err), resume())
	}
	return resume, nil
}

// Keep keeps old files from being deleted until the release is called.
func (p *Processor) Keep(ctx context.Context) (release func() error, err error) {
	return p.keeping(ctx, (*flock.Flock).TryRLockContext)
}

func (p *Processor) keeping(ctx context.Context, how func(*flock.Flock, context.Context, time.Duration) (bool, error)) (func() error, error) {
	if err := p.dir.MakeDir("work"); err != nil {
		return nil, err
	}
	lock := flock.New(p.path(keepLock))
	if _, err := how(lock, ctx, lockPoll); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for a backup: %w", err), lock.Close())
	}
	return lock.Close, nil
}
