package process

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"

	"rensa/pkg/ledger"
	"rensa/pkg/storage"
)

// Leftover is something that lies in the work folder and that nobody needs.
type Leftover struct {
	Merchant, Path string
	// Name is what a file was called that belongs back into the inbox; "" for
	// what can be deleted.
	Name string
}

// Leftovers finds what crashes left in the work folder: files that were renamed
// without being on the list, folders of runs that came to nothing, locks of
// workers that live no more.
func (p *Processor) Leftovers(ctx context.Context) (left []Leftover, err error) {
	owners, err := p.dir.ListAll("work")
	if err != nil {
		return nil, err
	}
	for _, e := range owners {
		if p.died(e.Name) {
			left = append(left, Leftover{Path: e.Name})
		}
		if strings.HasPrefix(path.Base(e.Name), ".backup-") { // one that is being made lets nobody in here
			left = append(left, Leftover{Path: e.Name})
		}
	}
	merchants, err := p.Ledger.Merchants(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := p.Ledger.Unpublished(ctx)
	if err != nil {
		return nil, err
	}
	needed := map[string]bool{}
	for i := range runs {
		d, err := detailOf(&runs[i])
		if err != nil {
			return nil, err
		}
		needed[d.Folder] = true
	}
	for _, m := range merchants {
		entries, err := p.dir.ListAll(path.Join("work", m.ID))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			l, ok, err := p.leftover(ctx, m.ID, e.Name, e.Regular)
			if err != nil {
				return nil, err
			}
			if !ok || needed[e.Name] {
				continue
			}
			// Somebody who was just done with it may have cleared it away.
			if there, err := p.dir.Exists(e.Name); err != nil {
				return nil, err
			} else if there {
				left = append(left, l)
			}
		}
	}
	return left, nil
}

// died tells of a name in the work folder whether it is the lock of a program that ended
// without clearing away behind itself.
func (p *Processor) died(name string) bool {
	id, ok := strings.CutPrefix(path.Base(name), ownerFile)
	return ok && !p.alive(id)
}

// someDied tells whether there is such a lock.
func (p *Processor) someDied() (bool, error) {
	entries, err := p.dir.ListAll("work")
	return slices.ContainsFunc(entries, func(e storage.Entry) bool { return p.died(e.Name) }), err
}

// leftover tells whether nobody needs what lies under a name of the work folder.
func (p *Processor) leftover(ctx context.Context, merchant, name string, regular bool) (Leftover, bool, error) {
	l := Leftover{Merchant: merchant, Path: name}
	id, isRun := strings.CutPrefix(path.Base(name), ".run-")
	if !isRun && strings.HasPrefix(id, ".") {
		return l, false, nil // a lock
	}
	if owner, _, ofProcess := strings.Cut(id, "-"); isRun && ofProcess {
		return l, !p.alive(owner), nil
	}
	w, err := p.Ledger.Work(ctx, merchant, id)
	missing := errors.Is(err, ledger.ErrNotFound)
	if err != nil && !missing {
		return l, false, err
	}
	if isRun {
		return l, missing || !w.Open(), nil
	}
	if l.Name = w.Name; missing {
		l.Name = id
	}
	return l, regular && (missing || w.State == ledger.FileClosed), nil
}

// Clear takes a leftover away: a file goes back into the inbox, all else is
// deleted.
func (p *Processor) Clear(l Leftover) error {
	if l.Name != "" {
		return p.putBack(l.Merchant, l.Name, l.Path)
	}
	return p.dir.Delete(l.Path)
}

// sweep does what is not asked for by a file: it hands on the orders whose delay
// is over and clears leftovers away.
func (d *dispatcher) sweep(ctx context.Context) {
	leave, err := d.enter(ctx)
	if err != nil {
		return // the work is to end
	}
	defer leave()
	if err := d.release(ctx); err != nil {
		d.Log.Error().Err(err).Msg("orders cannot be handed on; it is tried again")
	}
	d.clearLeftovers(ctx)
}

// clearLeftovers clears leftovers away. What cannot be is told of and tried again the
// next time: nobody needs it.
func (p *Processor) clearLeftovers(ctx context.Context) {
	left, err := p.Leftovers(ctx)
	if err != nil {
		p.Log.Error().Err(err).Msg("the work folder cannot be looked through; it is tried again")
		return
	}
	for _, l := range left {
		if err := p.Clear(l); err != nil {
			p.Log.Error().Err(err).Str("path", l.Path).Msg("a leftover cannot be cleared away")
			continue
		}
		p.Log.Info().Str("path", l.Path).Msg("leftover cleared away")
	}
}

// release hands on the orders of all merchants whose delay is over, and brings the
// table by which orders are found up to date.
func (d *dispatcher) release(ctx context.Context) error {
	merchants, err := d.Ledger.Merchants(ctx)
	if err != nil {
		return err
	}
	at := d.Desk()
	for _, m := range merchants {
		_, failed := at.ReleaseDue(ctx, m.ID)
		err = errors.Join(err, failed, d.Ledger.IndexOrders(ctx, m.ID))
	}
	return err
}
