// Package desk is what can be done with orders: make a draft, change it, review
// it, place it, throw it away, cancel an order, hand orders on, and apply what
// status files tell. Page, API, commands, cancel lists, status files and the
// nightly jobs all go through it.
//
// Everything is decided on one revision of the merchant and committed on it, or
// decided again: two placings of one stock cannot both win. The rules stand in
// validate, the states in removal, what is durable in ledger. Outgoing files are
// fixed by the commit, bytes and all, and written after it; FlushOutgoing writes
// those that a crash kept back. What files look like inside is given by Options,
// so that the desk knows no format.
package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
)

// What the methods answer besides failures and the ledger's own errors.
// ledger.ErrNotFound: no such merchant, draft or order. ledger.ErrExists: the id
// has a draft or an order.
var (
	// ErrNoItem says that a draft or an order has no such SKU.
	ErrNoItem = errors.New("the order has no such SKU")
	// ErrNoSnapshot says that the merchant has no inventory snapshot yet.
	ErrNoSnapshot = errors.New("the merchant has no inventory snapshot")
	// ErrState says that the order's state does not allow it.
	ErrState = errors.New("the order's state does not allow it")
	// ErrValue says that a value cannot be used: an id too long, a quantity below zero.
	ErrValue = errors.New("a value that cannot be used")
)

// Options is what a Desk works with; all is required.
type Options struct {
	Ledger *ledger.Ledger
	Policy *policy.Set
	// Snapshot opens the merchant's current snapshot; nil, nil where there is
	// none. It stays the giver's to close.
	Snapshot func(ctx context.Context, merchant string) (*inventory.Snapshot, error)
	// Write gives orders as the bytes of an upload file.
	Write func(orders []removal.Order) ([]byte, error)
	// Put gives an outgoing file its place. One that is there already stays.
	Put func(ctx context.Context, f *ledger.Outgoing) error
	Now func() time.Time
}

// Desk does things with orders. It may be used by several goroutines.
type Desk struct {
	opt   Options
	taken takenCache
}

// New makes a Desk. It holds nothing open.
func New(opt Options) *Desk { return &Desk{opt: opt} }

// maxAttempts is how often something is decided anew because the merchant moved.
const maxAttempts = 50

// decide runs one decision until it is committed on the revision it was made on.
func (d *Desk) decide(ctx context.Context, merchant string, once func(m *removal.Merchant) error) error {
	for range maxAttempts {
		m, err := d.opt.Ledger.Merchant(ctx, merchant)
		if err != nil {
			return err
		}
		if err = once(&m); !errors.Is(err, ledger.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("decided %d times: %w", maxAttempts, ledger.ErrConflict)
}

// change commits a change on the revision it was decided on; one that changes
// nothing is not committed.
func (d *Desk) change(ctx context.Context, m *removal.Merchant, c *ledger.Change) error {
	if c.Empty() {
		return nil
	}
	c.Merchant, c.Revision = m.ID, m.Revision
	return d.opt.Ledger.Change(ctx, c)
}

// store is the policy in force for the merchant now.
func (d *Desk) store(m *removal.Merchant) (policy.Store, error) {
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		return policy.Store{}, fmt.Errorf("merchant %s: %w", m.ID, err)
	}
	return d.opt.Policy.Store(m.Profile.HomeStore, d.opt.Now().In(zone), m.Profile.Policy)
}

// now is the moment of a decision, as the ledger keeps it.
func (d *Desk) now() time.Time { return d.opt.Now().UTC().Truncate(time.Microsecond) }
