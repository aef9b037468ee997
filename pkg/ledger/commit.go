package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rensa/pkg/removal"
)

// Commit is everything that one file changes, in one transaction.
type Commit struct {
	Merchant string
	// Revision is the merchant's, read before anything that was decided.
	Revision int64
	File     File
	Run      Run
	// Snapshot is the one that the file brought, nil where it brought none;
	// it becomes the merchant's current one where its Current is set.
	Snapshot *Snapshot
	// Centres replace the merchant's fulfilment centres; nil leaves them.
	Centres []removal.Centre
	// Packed are the new orders, of which nothing is done yet; nil for none. Rising
	// ids are fastest.
	Packed    *PackedOrders
	Movements []Movement
	// PackedMovements gives blocks of a MovementPacker in place of Movements, nil for
	// none. It is called as Outcomes is.
	PackedMovements func(yield func(MovementBlock) error) error
	// Outcomes gives the blocks of EncodeOutcomes in input order, nil where
	// there are none. It is called within the transaction: it must not decide
	// anything that takes long, nor write to the ledger.
	Outcomes func(yield func(block []byte) error) error
	// OrderOutcomes gives blocks of EncodeOrderOutcomes in order, a thousand orders
	// or fewer making a good one; nil for none. It is called as Outcomes is.
	OrderOutcomes func(yield func(block []byte) error) error
	Events        []Event
	Outbound      []Outbound
	// Durable, if it is set, waits until what the commit speaks of is durable. It is
	// called last within the transaction, so that the disk works beside; its error
	// undoes all.
	Durable func() error
	// Change is what the file does to orders that are there; nil for nothing.
	Change *Change
	// Last tells that the program has hardly anything to do after this commit: it may
	// have the ledger for itself meanwhile, if nobody else has it open.
	Last bool
}

// File is an input file on its way from claim to archive.
type File struct {
	ID    string // the claim's; the run's id where it is ""
	Seq   int64  // number of its arrival among the merchant's files; the ledger's to give
	Name  string // as it was dropped
	Place string // where it lies now
	Run   string
	State string
	// Attempts counts how often it was begun.
	Attempts int
	Claimed  time.Time
	// LeaseOwner has the file in hand until LeaseUntil; "" where nobody has.
	LeaseOwner string
	LeaseUntil time.Time
}

// The states of a file.
const (
	FileClaimed   = "claimed"
	FileCommitted = "committed"
	FilePublished = "published"
	FileArchived  = "archived"
	FileRejected  = "rejected"
	FileClosed    = "closed"
)

// Outbound is a file that goes out, its name and bytes fixed by the commit.
type Outbound struct {
	Merchant, Name string
	SHA256         string
	Bytes          int64
	Orders         []string // ids of the orders in it
	// List, where it is set, gives them as a JSON array in place of Orders: what goes
	// into a commit need not hold them all at once. Listed is how many there are.
	List    func() ([]byte, error)
	Listed  int
	Run     string
	Created time.Time
}

// Commit makes a file's whole effect durable, or nothing of it. ErrConflict: the
// merchant's revision moved, decide again. ErrSeen: the same bytes made orders
// meanwhile. ErrUnbalanced and ErrRefused are faults of the caller. ErrNotFound:
// no such merchant.
func (l *Ledger) Commit(ctx context.Context, c *Commit) error {
	r := &c.Run
	if r.Read != r.Accepted+r.Rejected+r.Seen {
		return fmt.Errorf("commit run %s: %w: %d, %d, %d, %d", r.ID, ErrUnbalanced, r.Read, r.Accepted, r.Rejected, r.Seen)
	}
	movements := c.PackedMovements
	if len(c.Movements) > 0 {
		if err := checkMovements(c.Movements); err != nil {
			return fmt.Errorf("commit run %s: %w", r.ID, err)
		}
		// Packed before the transaction, so that nobody waits for it.
		block := movementBlock(c.Movements)
		movements = func(yield func(MovementBlock) error) error { return yield(block) }
	}
	write := l.write
	if r.Read >= largeFile {
		write = func(ctx context.Context, fn func(*tx) error) error { return l.writeLarge(ctx, c.Last, fn) }
	}
	err := write(ctx, func(tx *tx) error {
		// Before the revision is looked at: of two copies the later one then
		// hears what happened. That both commit is what index run_made prevents.
		if r.Kind.MakesOrders() && r.Accepted > 0 {
			if seen, _, err := tx.runs(ctx, seenRun, c.Merchant, r.SHA256); err != nil {
				return err
			} else if len(seen) > 0 {
				return fmt.Errorf("run %s: %w", seen[0].ID, ErrSeen)
			}
		}
		head, err := tx.head(ctx, c.Merchant, c.Revision)
		if err != nil {
			return err
		}
		if c.Change != nil {
			if err := tx.enterAll(ctx, c.Merchant); err != nil {
				return err
			}
		}
		if err := tx.put(ctx, head, c, movements); err != nil {
			return err
		}
		if err := tx.moveHead(ctx, head); err != nil || c.Durable == nil {
			return err
		}
		return c.Durable()
	})
	if err != nil {
		return fmt.Errorf("commit run %s: %w", r.ID, err)
	}
	return nil
}

// put writes all of a commit but the merchant's own row.
func (t *tx) put(ctx context.Context, h *merchantHead, c *Commit,
	movements func(yield func(MovementBlock) error) error) error {
	if err := t.putRun(ctx, h, &c.Run); err != nil {
		return err
	}
	if err := t.putPacked(ctx, h, c.Run.ID, c.Packed); err != nil {
		return err
	}
	if err := t.putFile(ctx, h, &c.File, &c.Run); err != nil {
		return err
	}
	if c.Snapshot != nil {
		if err := t.putSnapshot(ctx, h, c.Snapshot); err != nil {
			return err
		}
	}
	if c.Centres != nil {
		if err := t.setCentres(ctx, h.id, c.Centres); err != nil {
			return err
		}
	}
	if movements != nil {
		part := 0
		err := movements(func(b MovementBlock) error {
			part++
			return t.putMovements(ctx, h, c.Run.ID, part-1, b)
		})
		if err != nil {
			return err
		}
	}
	if c.Outcomes != nil {
		if err := t.putOutcomes(ctx, h.id, &c.Run, c.Outcomes); err != nil {
			return err
		}
	}
	if c.OrderOutcomes != nil {
		if err := t.putOrderOutcomes(ctx, h.id, c.Run.ID, c.OrderOutcomes); err != nil {
			return err
		}
	}
	if err := t.putEvents(ctx, h, c.Run.ID, c.Events); err != nil {
		return err
	}
	if err := t.putOutbound(ctx, h.id, c.Run.ID, c.Outbound); err != nil {
		return err
	}
	return t.putChange(ctx, h, c.Run.ID, c.Change)
}

// putFile moves the file on to committed, or enters it where no claim did.
func (t *tx) putFile(ctx context.Context, h *merchantHead, f *File, r *Run) error {
	id := cmp.Or(f.ID, r.ID)
	claimed := f.Claimed
	if claimed.IsZero() {
		claimed = t.now
	}
	err := t.one(ctx, `UPDATE file SET state = 'committed', run = $1, kind = $2, sha256 = $3, bytes = $4
		WHERE merchant = $5 AND id = $6 AND state = 'claimed'`, r.ID, string(r.Kind), r.SHA256, r.Bytes, h.id, id)
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	if f.Seq > 0 { // it was claimed, and is no longer
		return fmt.Errorf("file %s: %w", id, ErrLost)
	}
	h.files++
	_, err = t.ExecContext(ctx, `INSERT INTO file (merchant, id, seq, name, place, kind, sha256, bytes, state, run, attempts, claimed, lease_owner, lease_until)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'committed', $9, $10, $11, $12, $13)`,
		h.id, id, h.files, cmp.Or(f.Name, r.FileName), f.Place, string(r.Kind), r.SHA256, r.Bytes, r.ID, f.Attempts, claimed.UnixMicro(),
		null(f.LeaseOwner), stamp(f.LeaseUntil))
	if err != nil {
		return fmt.Errorf("file %s: %w", id, err)
	}
	return nil
}

// OutboundNames gives the names of the files with orders that a run sent out, in the
// order in which it did.
func (l *Ledger) OutboundNames(ctx context.Context, merchant, run string) (names []string, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			names = append(names, "")
			return rows.Scan(&names[len(names)-1])
		}, `SELECT name FROM outbound WHERE merchant = $1 AND run = $2 AND kind = 'orders' ORDER BY ord`, merchant, run)
	})
	if err != nil {
		return nil, fmt.Errorf("outgoing files of run %s: %w", run, err)
	}
	return names, nil
}

// FileOf gives the input file of a run. ErrNotFound.
func (l *Ledger) FileOf(ctx context.Context, merchant, run string) (f File, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return missing(tx.QueryRowContext(ctx, `SELECT id, seq, name, place, run, state, attempts, claimed FROM file
			WHERE merchant = $1 AND run = $2`, merchant, run).
			Scan(&f.ID, &f.Seq, &f.Name, &f.Place, text{&f.Run}, &f.State, &f.Attempts, moment{&f.Claimed}))
	})
	if err != nil {
		return File{}, fmt.Errorf("file of run %s: %w", run, err)
	}
	return f, nil
}

func (t *tx) putOutbound(ctx context.Context, merchant, run string, files []Outbound) error {
	for i, f := range files {
		if f.Run == "" {
			f.Run = run
		}
		if f.Created.IsZero() {
			f.Created = t.now
		}
		orders, err := f.list()
		if err != nil {
			return fmt.Errorf("outgoing file %s: %w", f.Name, err)
		}
		err = t.repeat(ctx, `INSERT INTO outbound (merchant, name, ord, sha256, bytes, run, created, orders)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			merchant, f.Name, i, f.SHA256, f.Bytes, f.Run, f.Created.UnixMicro(), string(orders))
		if err != nil {
			return fmt.Errorf("outgoing file %s: %w", f.Name, err)
		}
	}
	return nil
}

// list is what the file says of its orders.
func (f *Outbound) list() ([]byte, error) {
	if f.List != nil {
		return f.List()
	}
	orders := []byte{'['}
	for j, id := range f.Orders {
		if j > 0 {
			orders = append(orders, ',')
		}
		orders = appendJSON(orders, id)
	}
	return append(orders, ']'), nil
}

// Outbound gives the files with orders that a run sent out, in the order in which
// it did.
func (l *Ledger) Outbound(ctx context.Context, merchant, run string) (all []Outbound, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			f := Outbound{Merchant: merchant}
			var orders string
			err := rows.Scan(&f.Name, &f.SHA256, &f.Bytes, &f.Run, moment{&f.Created}, &orders)
			if err != nil {
				return err
			}
			all = append(all, f)
			return json.Unmarshal([]byte(orders), &all[len(all)-1].Orders)
		}, `SELECT name, sha256, bytes, run, created, orders FROM outbound WHERE merchant = $1 AND run = $2 AND kind = 'orders' ORDER BY ord`, merchant, run)
	})
	if err != nil {
		return nil, fmt.Errorf("outgoing files of run %s: %w", run, err)
	}
	return all, nil
}
