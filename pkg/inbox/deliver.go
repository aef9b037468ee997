package inbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// delivered begins the hidden name of a file that is brought, until it is taken.
const delivered = ".upload-"

// Delivery is a file that somebody brings and does not drop: the page's or the
// API's. It lies in its merchant's folder, whole and synced, under a hidden name,
// until Take or Discard.
type Delivery struct {
	Merchant, Name string
	storage.File   // where it lies, how long it is, its hash
	dir            *storage.Dir
}

// Receive writes a file that is brought, to its end, in memory that does not grow
// with it. What r answers comes back wrapped, and nothing is left behind.
func Receive(dir *storage.Dir, merchant, name string, r io.Reader) (*Delivery, error) {
	place := path.Join(Folder, merchant, delivered+strings.ToLower(rand.Text()))
	f, err := dir.Put(place, r)
	if err != nil {
		return nil, fmt.Errorf("receive %s: %w", name, err)
	}
	return &Delivery{Merchant: merchant, Name: name, File: f, dir: dir}, nil
}

// Discard takes the file away. After Take it does nothing, so that it can be
// deferred.
func (d *Delivery) Discard() error { return d.dir.Delete(d.File.Name) }

// Take puts the file on the book's list, as if it had been dropped and had rested.
// ask, where it is not nil, is told of the ticket before the file is taken: its
// error undoes the claim and is the answer.
func (d *Delivery) Take(ctx context.Context, book Book, ask func(Ticket) error) (Ticket, error) {
	release, err := book.Hold(ctx, d.Merchant)
	if err != nil {
		return Ticket{}, err
	}
	defer release()
	t, err := book.Begin(ctx, d.Merchant, d.Name, removal.Kind(""))
	if err != nil {
		return Ticket{}, err
	}
	if ask != nil {
		err = ask(t)
	}
	if err == nil {
		err = rename(d.dir, d.File.Name, t.Place)
	}
	if err != nil {
		return Ticket{}, errors.Join(err, book.Undo(ctx, t, err.Error()))
	}
	return t, book.Taken(ctx, t)
}

// rename moves a file and tells whether it has moved: a rename whose folder could
// not be synced has happened all the same.
func rename(dir *storage.Dir, from, to string) error {
	err := dir.Move(from, to)
	if err == nil {
		return nil
	}
	still, e1 := dir.Exists(from)
	there, e2 := dir.Exists(to)
	if e1 == nil && e2 == nil && there && !still {
		return nil
	}
	return err
}

// ClearDeliveries deletes what was being brought when a program ended, and has not
// been touched since a moment.
func ClearDeliveries(dir *storage.Dir, merchants []string, before time.Time) error {
	for _, m := range merchants {
		entries, err := dir.ListAll(path.Join(Folder, m))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := path.Base(e.Name)
			if !strings.HasPrefix(name, delivered) && !strings.HasPrefix(name, storage.Unfinished) || !e.Time.Before(before) {
				continue
			}
			if err := dir.Delete(e.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
