package process

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// book is the work list as the inbox sees it.
type book struct{ p *Processor }

// Book gives the work list to an inbox.
func (p *Processor) Book() inbox.Book { return book{p} }

func (b book) Merchants(ctx context.Context) ([]string, error) {
	all, err := b.p.Ledger.Merchants(ctx)
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	return ids, err
}

func (b book) Kind(ctx context.Context, merchant, file string) (removal.Kind, error) {
	return b.p.Kind(ctx, merchant, file)
}

func (b book) HasStock(ctx context.Context, merchant string) (bool, error) {
	s, err := b.p.Ledger.Snapshot(ctx, merchant)
	if s != nil || err != nil {
		return s != nil, err
	}
	open, err := b.p.Ledger.Unfinished(ctx)
	for i := range open {
		if open[i].Merchant == merchant && open[i].Kind.IsInventory() {
			return true, err
		}
	}
	return false, err
}

// Hold keeps a backup from beginning and other processes from taking files of
// the merchant, so that each file costs one row whoever gets it.
func (b book) Hold(ctx context.Context, merchant string) (func(), error) {
	leave, err := b.p.enter(ctx)
	if err != nil {
		return nil, err
	}
	folder := path.Join("work", merchant)
	if err := b.p.dir.MakeDir(folder); err != nil {
		leave()
		return nil, err
	}
	lock := flock.New(b.p.path(path.Join(folder, ".taking")))
	if _, err := lock.TryLockContext(ctx, lockPoll); err != nil {
		leave()
		return nil, errors.Join(fmt.Errorf("waiting for another process that takes files: %w", err), lock.Close())
	}
	return func() {
		if err := lock.Close(); err != nil {
			b.p.Log.Error().Err(err).Msg("releasing the lock of a folder")
		}
		leave()
	}, nil
}

func (b book) Begin(ctx context.Context, merchant, name string, kind removal.Kind) (inbox.Ticket, error) {
	b.p.step("before row")
	hand, err := b.p.hand(handTaking)
	if err != nil {
		return inbox.Ticket{}, err
	}
	id := strings.ToLower(rand.Text()[:16])
	w := ledger.Work{Merchant: merchant, Kind: kind, File: ledger.File{
		ID: id, Name: name, Place: path.Join("work", merchant, id), LeaseOwner: hand, LeaseUntil: b.p.Now().Add(leaseFor),
	}}
	b.p.takes(id, true)
	if w, err = b.p.Ledger.Claim(ctx, w); err != nil {
		b.p.takes(id, false)
		return inbox.Ticket{}, err
	}
	b.p.step("row written")
	return inbox.Ticket{Merchant: merchant, ID: w.ID, Place: w.Place}, nil
}

// Taken lets the file's turn come. Where the claim was given up meanwhile, since
// the rename took longer than the lease, the file goes back.
func (b book) Taken(ctx context.Context, t inbox.Ticket) error {
	b.p.step("file renamed")
	defer b.p.takes(t.ID, false)
	w, err := b.mine(ctx, t)
	if err == nil {
		err = b.p.Ledger.HandBack(ctx, &w)
	}
	if errors.Is(err, ledger.ErrLost) {
		return b.p.putBack(t.Merchant, w.Name, t.Place)
	}
	b.p.step("claim complete")
	return err
}

func (b book) Undo(ctx context.Context, t inbox.Ticket, why string) error {
	defer b.p.takes(t.ID, false)
	w, err := b.mine(ctx, t)
	if err == nil {
		err = b.p.Ledger.CloseClaim(ctx, &w, why)
	}
	if errors.Is(err, ledger.ErrLost) {
		return nil
	}
	return err
}

func (b book) mine(ctx context.Context, t inbox.Ticket) (ledger.Work, error) {
	w, err := b.p.Ledger.Work(ctx, t.Merchant, t.ID)
	if err != nil {
		return w, err
	}
	hand, err := b.p.hand(handTaking)
	if err == nil && (w.LeaseOwner != hand || w.State != ledger.FileClaimed) {
		err = ledger.ErrLost
	}
	return w, err
}

// putBack gives a file of the work folder back to the inbox, as a new file.
func (p *Processor) putBack(merchant, name, from string) error {
	if name == "" {
		name = path.Base(from)
	}
	for n := 1; ; n++ {
		to := path.Join(inbox.Folder, merchant, numbered(name, n))
		err := p.dir.Move(from, to)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			p.Log.Warn().Str("merchant", merchant).Str("file", path.Base(to)).Msg("file put back into the inbox as a new one")
		}
		return err
	}
}

// numbered gives the n-th form of a name: "a.tsv", "a-2.tsv", "a-3.tsv".
func numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	end := path.Ext(name)
	return strings.TrimSuffix(name, end) + "-" + strconv.Itoa(n) + end
}
