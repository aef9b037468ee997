// Package inbox is the hot folder: it looks at inbox/<merchant>/ and takes every
// file that is whole, once, into work/<merchant>/.
//
// A file is whole when its size and time have rested, or at once where a file
// NAME.ready stands beside it. Taking is a row in the book first and then a rename
// that never replaces, so a crash in between leaves the file where it was, and of
// several processes on one folder one gets it. What is no file (a link, a socket,
// a folder) or not meant (hidden names, downloads that are still being written)
// is left alone.
//
// It reads nothing of a file but what the book asks to tell its kind, and decides
// nothing about it. A folder that cannot be read or written, or is gone, is told
// once and looked at again until it can.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// Folder holds the merchants' folders, within the workspace.
const Folder = "inbox"

// Ticket is a file that is being taken: the book's name for it, and the place
// where it will lie.
type Ticket struct {
	Merchant, ID, Place string
}

// Book keeps the list of what was taken. Its methods may block; their errors are
// failures of ours.
type Book interface {
	// Merchants are those who may have a folder.
	Merchants(ctx context.Context) ([]string, error)
	// Kind tells what a file is, given where it lies; "" where that is not known.
	Kind(ctx context.Context, merchant, file string) (removal.Kind, error)
	// HasStock tells whether uploads of the merchant can be checked: it has a
	// snapshot, or an inventory file of it is on the list.
	HasStock(ctx context.Context, merchant string) (bool, error)
	// Hold keeps others from taking files of the merchant until release is called.
	Hold(ctx context.Context, merchant string) (release func(), err error)
	// Begin enters a file before it is renamed to the ticket's place.
	Begin(ctx context.Context, merchant, name string, kind removal.Kind) (Ticket, error)
	// Taken says that the file lies in its place.
	Taken(ctx context.Context, t Ticket) error
	// Undo says that the rename did not happen, and why.
	Undo(ctx context.Context, t Ticket, why string) error
}

// Options are what an Inbox works with; Dir and Book are required.
type Options struct {
	Dir  *storage.Dir // the workspace
	Book Book
	Log  zerolog.Logger
	// Now is the clock; default time.Now.
	Now func() time.Time
	// After gives a timer; default time.After.
	After func(time.Duration) <-chan time.Time
	// Rest is how long size and time of a file must stay; default 2 s.
	Rest time.Duration
	// Patience is how long an upload waits for its merchant's first snapshot;
	// default 60 s.
	Patience time.Duration
	// Poll is how often the folders are looked at where no events come; default
	// 1 s. Where they come it is ten times that.
	Poll time.Duration
}

// Inbox looks at the folders of all merchants. It is used by one goroutine.
type Inbox struct {
	Options
	seen map[string]sight
	told map[string]bool
	made map[string]bool // merchants whose folder is there, or was
	gone bool            // the inbox itself
}

// sight is what a file looked like when it was looked at last.
type sight struct {
	bytes   int64
	time    time.Time
	since   time.Time // when it was first seen so
	tries   int       // how often it could not be taken
	retryAt time.Time
}

// New makes an Inbox.
func New(opt Options) *Inbox {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.After == nil {
		opt.After = time.After
	}
	if opt.Rest <= 0 {
		opt.Rest = 2 * time.Second
	}
	if opt.Patience <= 0 {
		opt.Patience = 60 * time.Second
	}
	if opt.Poll <= 0 {
		opt.Poll = time.Second
	}
	return &Inbox{Options: opt, seen: map[string]sight{}, told: map[string]bool{}, made: map[string]bool{}}
}

// Looked is what came of one look.
type Looked struct {
	Taken int
	// Next is when it is worth looking again without an event; 0: not known.
	Next time.Duration
}

func (l *Looked) again(after time.Duration) {
	if after = max(after, time.Millisecond); l.Next == 0 || after < l.Next {
		l.Next = after
	}
}

// Look takes what can be taken from all folders: by merchant, and within one
// inventory first and uploads last. What goes wrong with one folder or file is
// logged and does not stop the others; an error is one of the book.
func (b *Inbox) Look(ctx context.Context) (Looked, error) {
	var l Looked
	merchants, err := b.Book.Merchants(ctx)
	if err != nil {
		return l, err
	}
	if !b.present(merchants) {
		return l, nil
	}
	b.strays(merchants)
	before := b.seen
	b.seen = make(map[string]sight, len(before))
	for _, m := range merchants {
		if err := b.merchant(ctx, m, before, &l); err != nil {
			return l, err
		}
	}
	return l, nil
}

// present tells whether the inbox is there, and says so when that changes. The
// folder of a merchant that is met for the first time is made.
func (b *Inbox) present(merchants []string) bool {
	there, err := b.Dir.Exists(Folder)
	if err == nil && !there && len(b.made) == 0 { // a workspace that is just beginning
		err = b.Dir.MakeDir(Folder)
		there = err == nil
	}
	if !there {
		if !b.gone {
			b.Log.Error().Err(err).Str("folder", b.path(Folder)).Msg("the inbox is gone; nothing is taken until it is back")
		}
		b.gone = true
		return false
	}
	if b.gone {
		b.Log.Warn().Str("folder", b.path(Folder)).Msg("the inbox is back")
		b.gone = false
	}
	for _, m := range merchants {
		if b.made[m] {
			continue
		}
		folder := path.Join(Folder, m)
		if err := b.Dir.MakeDir(folder); err != nil {
			b.tell(folder, "made").Err(err).Msg("the folder cannot be made")
			continue
		}
		b.made[m] = true
	}
	return true
}

// strays tells once of what lies in the inbox outside the merchants' folders.
func (b *Inbox) strays(merchants []string) {
	entries, err := b.Dir.List(Folder)
	if err != nil {
		b.tell(Folder, "list").Err(err).Msg("the inbox cannot be read")
		return
	}
	b.forget(Folder, "list")
	for _, e := range entries {
		name := path.Base(e.Name)
		switch {
		case slices.Contains(merchants, name) && e.IsDir, ignored(name):
		case slices.Contains(merchants, name):
			b.tell(e.Name, "stray").Msg("this is no folder, so nothing is taken from it")
		case e.IsDir:
			b.tell(e.Name, "stray").Msg("there is no such merchant, so nothing is taken from its folder")
		default:
			b.tell(e.Name, "stray").Msg("left alone: files belong into the folder of a merchant")
		}
	}
}

// merchant takes what can be taken of one merchant.
func (b *Inbox) merchant(ctx context.Context, m string, before map[string]sight, l *Looked) error {
	folder := path.Join(Folder, m)
	entries, err := b.Dir.List(folder)
	if err == nil && entries == nil {
		var there bool
		if there, err = b.Dir.Exists(folder); err == nil && !there {
			err = fmt.Errorf("%s: %w", folder, fs.ErrNotExist)
		}
	}
	if err != nil {
		b.tell(folder, "list").Str("merchant", m).Err(err).Msg("the folder cannot be read; it is looked at again until it can")
		return nil
	}
	if b.forget(folder, "list") {
		b.Log.Warn().Str("merchant", m).Str("folder", b.path(folder)).Msg("the folder can be read again")
	}
	ready := b.rested(entries, before, l)
	if len(ready) == 0 {
		return nil
	}
	return b.takeAll(ctx, m, ready, l)
}

// candidate is a file that is whole.
type candidate struct {
	name     string // in its folder
	file     string // from the workspace
	sentinel string // the NAME.ready beside it, "" where there is none
	kind     removal.Kind
	rested   time.Time // since when it could be taken
}

// rested finds the files that are whole, in the order of their names.
func (b *Inbox) rested(entries []storage.Entry, before map[string]sight, l *Looked) []candidate {
	now := b.Now()
	names := make(map[string]bool, len(entries))
	for _, e := range entries {
		names[e.Name] = true
	}
	var all []candidate
	for _, e := range entries {
		name := path.Base(e.Name)
		if ignored(name) || isSentinel(name) {
			continue
		}
		if !e.Regular {
			b.tell(e.Name, "kind").Msg("left alone: this is no file but a link, a folder or a device")
			continue
		}
		s, ok := before[e.Name]
		if !ok || s.bytes != e.Bytes || !s.time.Equal(e.Time) {
			s = sight{bytes: e.Bytes, time: e.Time, since: now}
		}
		b.seen[e.Name] = s
		c := candidate{name: name, file: e.Name, rested: s.since.Add(b.Rest)}
		if names[e.Name+sentinel] {
			c.sentinel, c.rested = e.Name+sentinel, s.since
		}
		switch {
		case now.Before(s.retryAt):
			l.again(s.retryAt.Sub(now))
		case now.Before(c.rested):
			l.again(c.rested.Sub(now))
		default:
			all = append(all, c)
		}
	}
	return all
}

// takeAll takes whole files: those that others wait for first.
func (b *Inbox) takeAll(ctx context.Context, m string, ready []candidate, l *Looked) error {
	stock, err := b.Book.HasStock(ctx, m)
	if err != nil {
		return err
	}
	if len(ready) > 1 || !stock {
		b.sort(ctx, m, ready)
	}
	now := b.Now()
	for _, c := range ready {
		if until := c.rested.Add(b.Patience); !stock && c.kind == removal.KindUpload && now.Before(until) {
			b.tell(c.file, "stock").Str("merchant", m).Msg("the merchant has no inventory yet: the upload waits for it a while")
			l.again(until.Sub(now))
			continue
		}
		taken, err := b.take(ctx, m, c, l)
		if err != nil {
			return err
		}
		if taken {
			stock = stock || c.kind.IsInventory()
			l.Taken++
		}
		if b.seen[c.file].tries == 1 {
			// For one look the files behind it keep their turn; a file that can
			// never be taken does not block the folder.
			return nil
		}
	}
	return nil
}

// sort puts files into the order of their kinds. One whose kind cannot be told is
// taken as it comes, after the others: it is answered when its turn comes.
func (b *Inbox) sort(ctx context.Context, m string, ready []candidate) {
	for i := range ready {
		kind, err := b.Book.Kind(ctx, m, b.path(ready[i].file))
		if err != nil {
			b.Log.Debug().Err(err).Str("merchant", m).Str("file", ready[i].name).Msg("the kind cannot be told")
		}
		ready[i].kind = kind
	}
	slices.SortStableFunc(ready, func(x, y candidate) int { return Turn(x.kind) - Turn(y.kind) })
}

// take takes one file. A rename that does not work is tried again later.
func (b *Inbox) take(ctx context.Context, m string, c candidate, l *Looked) (bool, error) {
	release, err := b.Book.Hold(ctx, m)
	if err != nil {
		return false, err
	}
	defer release()
	now, err := b.Dir.Stat(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // another process took it, or its owner took it back
	}
	if s := b.seen[c.file]; err != nil || now.Bytes != s.bytes || !now.Time.Equal(s.time) {
		l.again(b.Rest)
		return false, nil // it is looked at again
	}
	t, err := b.Book.Begin(ctx, m, c.name, c.kind)
	if err != nil {
		return false, err
	}
	if err := b.move(c, t); err != nil {
		return false, b.undo(ctx, c, t, err, l)
	}
	delete(b.seen, c.file)
	b.forget(c.file, "take")
	b.forget(c.file, "stock")
	if err := b.Book.Taken(ctx, t); err != nil {
		return false, err
	}
	b.Log.Info().Str("merchant", m).Str("file", c.name).Str("claim", t.ID).Int64("bytes", now.Bytes).Msg("file claimed")
	return true, nil
}

// move renames the file. The sentinel goes first: left behind it would let the
// next file of this name in before that is whole.
func (b *Inbox) move(c candidate, t Ticket) error {
	if c.sentinel != "" {
		if err := b.Dir.Delete(c.sentinel); err != nil {
			return err
		}
	}
	return rename(b.Dir, c.file, t.Place)
}

// undo closes the claim of a file that could not be renamed.
func (b *Inbox) undo(ctx context.Context, c candidate, t Ticket, cause error, l *Looked) error {
	if err := b.Book.Undo(ctx, t, cause.Error()); err != nil {
		return errors.Join(cause, err)
	}
	if errors.Is(cause, fs.ErrNotExist) {
		return nil
	}
	b.tell(c.file, "take").Str("merchant", t.Merchant).Err(cause).Msg(advice(cause))
	s := b.seen[c.file]
	s.tries++
	wait := min(time.Second<<min(s.tries-1, 6), time.Minute)
	s.retryAt = b.Now().Add(wait)
	b.seen[c.file] = s
	l.again(wait)
	return nil
}

// tell begins a log line for something that is told once, until forget.
func (b *Inbox) tell(name, what string) *zerolog.Event {
	key := what + " " + name
	if b.told[key] {
		return b.Log.Debug().Str("file", b.path(name))
	}
	b.told[key] = true
	return b.Log.Warn().Str("file", b.path(name))
}

// forget lets a thing be told anew; it tells whether it had been told.
func (b *Inbox) forget(name, what string) bool {
	key := what + " " + name
	had := b.told[key]
	delete(b.told, key)
	return had
}

func (b *Inbox) path(name string) string {
	return filepath.Join(b.Dir.Path(), filepath.FromSlash(name))
}
