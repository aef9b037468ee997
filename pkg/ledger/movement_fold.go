package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Folded is how many movements a fold found, and how many stand for them now.
type Folded struct{ Before, After int }

// foldLeast is how many movements there must be before folding them is worth it.
const foldLeast = 1000

// Fold makes one base of a merchant's movements that answers as they do for every
// snapshot of the moment shown or a later one: shown is the current snapshot's
// date, and snapshots only ever grow newer. What is done and shown falls away: a
// removal that is over counts no longer. The movements themselves are kept, to be
// held against the orders. Folding little, or what would hardly become less, does
// nothing unless always. Other work goes on meanwhile; ErrConflict: too much of it.
func (l *Ledger) Fold(ctx context.Context, merchant string, shown time.Time, always bool) (f Folded, err error) {
	for range 20 {
		if f, err = l.fold(ctx, merchant, shown, always); !errors.Is(err, ErrConflict) {
			break
		}
	}
	if err != nil {
		return Folded{}, fmt.Errorf("fold movements of %s: %w", merchant, err)
	}
	return f, nil
}

func (l *Ledger) fold(ctx context.Context, merchant string, shown time.Time, always bool) (Folded, error) {
	m, err := l.Merchant(ctx, merchant)
	if err != nil {
		return Folded{}, err
	}
	var all folding
	if err := l.Taken(ctx, merchant, all.add); err != nil || all.n == 0 {
		return Folded{}, err
	}
	base := all.base(shown)
	if f := (Folded{all.n, all.n}); !always && (all.n < foldLeast || len(base) > all.n/2) {
		return f, nil
	}
	block := movementBlock(base)
	err = l.write(ctx, func(tx *tx) error {
		h, err := tx.head(ctx, merchant, m.Revision)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO movement (merchant, seq, part, kind, run, entries, moves, block) VALUES ($1, $2, 0, 'base', NULL, $3, $4, $5)`,
			merchant, h.revision+1, block.Entries, bit(!block.Placings), block.Bytes)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM movement WHERE merchant = $1 AND kind = 'base' AND seq <= $2`, merchant, h.revision); err != nil {
			return err
		}
		return tx.moveHead(ctx, h)
	})
	return Folded{all.n, len(base)}, err
}

// folding sums movements by pool and order, in the order in which those came first.
type folding struct {
	n    int
	at   map[[2]string]int
	sums []folded
}

// folded is what one order did to one pool.
type folded struct {
	first Movement
	open  [2]int64   // opened less left
	left  []Movement // by moment
}

func (f *folding) add(m Movement) error {
	f.n++
	if f.at == nil {
		f.at = map[[2]string]int{}
	}
	key := [2]string{m.PoolKey, m.Order}
	i, ok := f.at[key]
	if !ok {
		i = len(f.sums)
		f.at[key] = i
		f.sums = append(f.sums, folded{first: m})
	}
	s := &f.sums[i]
	if m.Kind != MovementLeft {
		s.open[0], s.open[1] = s.open[0]+m.Sellable, s.open[1]+m.Unsellable
		return nil
	}
	s.open[0], s.open[1] = s.open[0]-m.Sellable, s.open[1]-m.Unsellable
	for k := range s.left {
		if s.left[k].At.Equal(m.At) {
			s.left[k].Sellable += m.Sellable
			s.left[k].Unsellable += m.Unsellable
			return nil
		}
	}
	s.left = append(s.left, m)
	return nil
}

// base are the movements that stand for all: of each order and pool what is open
// together with what left after the moment shown, and that as it left.
func (f *folding) base(shown time.Time) []Movement {
	var base []Movement
	for i := range f.sums {
		s := &f.sums[i]
		opened := s.first
		opened.Kind, opened.Sellable, opened.Unsellable = MovementOpened, s.open[0], s.open[1]
		var left []Movement
		for _, m := range s.left {
			if m.At.After(shown) && (m.Sellable != 0 || m.Unsellable != 0) {
				opened.Sellable += m.Sellable
				opened.Unsellable += m.Unsellable
				left = append(left, m)
			}
		}
		if opened.Sellable != 0 || opened.Unsellable != 0 {
			base = append(base, opened)
		}
		base = append(base, left...)
	}
	if len(base) == 0 {
		// A base of nothing: no units left, which counts as none.
		none := f.sums[0].first
		none.Kind, none.Sellable, none.Unsellable = MovementLeft, 0, 0
		base = append(base, none)
	}
	return base
}
