package process

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
)

// snapshotsKept is how many snapshots stay open for merchants of whom no file is
// in hand.
const snapshotsKept = 2

// snapshotCache keeps snapshots open, since files of one merchant often come
// together. Those of a merchant of whom a file is in hand are never closed.
type snapshotCache struct {
	mu      sync.Mutex
	open    map[string]*openSnapshot // by path
	opening map[string]chan struct{} // closed when it is open, or cannot be opened
	users   map[string]int           // files in hand, by merchant
	checked map[string]checkedSnapshot
}

type openSnapshot struct {
	*inventory.Snapshot
	merchant string
	used     time.Time
	// lent tells that others hold it who do not say when they are done. It is
	// then never closed but let go: its file closes when nobody can read it.
	lent bool
}

// use says that a file of the merchant is in hand until done is called.
func (c *snapshotCache) use(merchant string) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users, c.open = map[string]int{}, map[string]*openSnapshot{}
	}
	c.users[merchant]++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.users[merchant]--; c.users[merchant] == 0 {
			delete(c.users, merchant)
		}
	}
}

// shrink closes snapshots that nobody uses, the longest unused first, until no
// more than keep of them are open.
func (c *snapshotCache) shrink(keep int) (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shrinkTo(keep, "")
}

// shrinkTo is shrink for one who has the lock and has just opened a snapshot, which
// is not closed, whatever the clock says of its age.
func (c *snapshotCache) shrinkTo(keep int, opened string) (err error) {
	for {
		oldest, idle := "", 0
		for name, s := range c.open {
			if c.users[s.merchant] > 0 || name == opened {
				continue
			}
			if idle++; oldest == "" || s.used.Before(c.open[oldest].used) {
				oldest = name
			}
		}
		if idle <= keep {
			return err
		}
		if !c.open[oldest].lent {
			err = errors.Join(err, c.open[oldest].Close())
		}
		delete(c.open, oldest)
	}
}

func (c *snapshotCache) keepChecked(merchant string, row *ledger.Snapshot, s *inventory.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.checked == nil {
		c.checked = map[string]checkedSnapshot{}
	}
	c.checked[merchant] = checkedSnapshot{row, s}
}

func (c *snapshotCache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, s := range c.open {
		err = errors.Join(err, s.Close())
	}
	for _, k := range c.checked {
		err = errors.Join(err, k.snapshot.Close())
	}
	c.open, c.users, c.checked = nil, nil, nil
	return err
}

// openSnapshot opens a snapshot for a merchant whose use has begun.
func (p *Processor) openSnapshot(name string) (*inventory.Snapshot, error) {
	return p.openFor(name, false)
}

// lendSnapshot opens a snapshot for readers who do not say when they are done.
func (p *Processor) lendSnapshot(name string) (*inventory.Snapshot, error) {
	return p.openFor(name, true)
}

func (p *Processor) openFor(name string, lend bool) (_ *inventory.Snapshot, err error) {
	c := &p.snapshots
	for {
		s, others := c.find(name, lend, p.Now())
		if s != nil {
			return s, nil
		}
		if others == nil {
			break
		}
		<-others
	}
	// Read outside the lock: other merchants need not wait for it.
	s, err := inventory.Open(filepath.Join(p.Root, filepath.FromSlash(name)))
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.opening[name])
	delete(c.opening, name)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", strings.TrimSuffix(path.Base(name), ".snap"), err)
	}
	if c.open == nil {
		c.open, c.users = map[string]*openSnapshot{}, map[string]int{}
	}
	c.open[name] = &openSnapshot{Snapshot: s, merchant: path.Base(path.Dir(name)), used: p.Now(), lent: lend}
	return s, c.shrinkTo(snapshotsKept, name)
}

// find gives a snapshot that is open. Where another is opening it, others is closed
// when that is done; where both are nil the caller has to open it.
func (c *snapshotCache) find(name string, lend bool, now time.Time) (_ *inventory.Snapshot, others chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.open[name]; ok {
		s.used, s.lent = now, s.lent || lend
		return s.Snapshot, nil
	}
	if others, ok := c.opening[name]; ok {
		return nil, others
	}
	if c.opening == nil {
		c.opening = map[string]chan struct{}{}
	}
	c.opening[name] = make(chan struct{})
	return nil, nil
}
