package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"rensa/pkg/removal"
)

// putOutcomes writes the blocks of rows and compares what they say with the run:
// for files that make orders every row read has an outcome.
func (t *tx) putOutcomes(ctx context.Context, merchant string, run *Run, blocks func(yield func(block []byte) error) error) error {
	var sum OutcomeCounts
	part := 0
	err := blocks(func(block []byte) error {
		c, err := CountOutcomes(block)
		if err != nil {
			return err
		}
		sum.Rows += c.Rows
		sum.Accepted += c.Accepted
		sum.Rejected += c.Rejected
		sum.Seen += c.Seen
		err = t.putBlock(ctx, merchant, run.ID, "row", part, c, block)
		part++
		return err
	})
	if err != nil {
		return fmt.Errorf("outcomes: %w", err)
	}
	if run.Kind.HasOutcomes() &&
		(int64(sum.Rows) != run.Read || int64(sum.Accepted) != run.Accepted || int64(sum.Rejected) != run.Rejected) {
		return fmt.Errorf("%w: the run says %d, %d, %d, %d, its outcomes %d, %d, %d, %d", ErrUnbalanced,
			run.Read, run.Accepted, run.Rejected, run.Seen, sum.Rows, sum.Accepted, sum.Rejected, sum.Seen)
	}
	return nil
}

func (t *tx) putOrderOutcomes(ctx context.Context, merchant, run string, blocks func(yield func(block []byte) error) error) error {
	part := 0
	err := blocks(func(block []byte) error {
		r, err := payload(block, blockOrderOutcomes)
		if err != nil {
			return err
		}
		err = t.putBlock(ctx, merchant, run, "order", part, OutcomeCounts{Rows: r.count()}, block)
		part++
		return err
	})
	if err != nil {
		return fmt.Errorf("outcomes of orders: %w", err)
	}
	return nil
}

func (t *tx) putBlock(ctx context.Context, merchant, run, kind string, part int, c OutcomeCounts, block []byte) error {
	return t.repeat(ctx, `INSERT INTO outcome (merchant, run, kind, part, entries, first_row, last_row, block)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, merchant, run, kind, part, c.Rows, c.First, c.Last, block)
}

// Outcomes gives what was decided about the rows of a run, in input order, block
// by block. An error ends it. Between two blocks no transaction is held.
func (l *Ledger) Outcomes(ctx context.Context, merchant, run string) iter.Seq2[[]removal.Outcome, error] {
	return blocksOf(ctx, l, merchant, run, "row", func(block []byte) ([]removal.Outcome, error) { return DecodeOutcomes(nil, block) })
}

// OrderOutcomeBlocks is OrderOutcomes block by block. An error ends it. Between two
// blocks no transaction is held.
func (l *Ledger) OrderOutcomeBlocks(ctx context.Context, merchant, run string) iter.Seq2[[]removal.OrderOutcome, error] {
	return blocksOf(ctx, l, merchant, run, "order", DecodeOrderOutcomes)
}

func blocksOf[T any](ctx context.Context, l *Ledger, merchant, run, kind string, decode func(block []byte) ([]T, error)) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for part := 0; ; part++ {
			var all []T
			err := l.read(ctx, func(tx *tx) error {
				var block sql.RawBytes
				found := false
				err := tx.each(ctx, func(r *sql.Rows) (err error) {
					if err = r.Scan(&block); err != nil {
						return err
					}
					found = true
					all, err = decode(block)
					return err
				}, `SELECT block FROM outcome WHERE merchant = $1 AND run = $2 AND kind = $3 AND part = $4`, merchant, run, kind, part)
				if err == nil && !found {
					return ErrNotFound
				}
				return err
			})
			if errors.Is(err, ErrNotFound) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("outcomes of run %s, block %d: %w", run, part, err))
				return
			}
			if !yield(all, nil) {
				return
			}
		}
	}
}

// OutcomeOf gives what was decided about one row of a run, by the number that a
// spreadsheet shows. ErrNotFound: the run has no such item row.
func (l *Ledger) OutcomeOf(ctx context.Context, merchant, run string, row int) (removal.Outcome, error) {
	var found *removal.Outcome
	err := l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var block sql.RawBytes
			if err := rows.Scan(&block); err != nil {
				return err
			}
			outcomes, err := DecodeOutcomes(nil, block)
			for i := range outcomes {
				if outcomes[i].Row == row && found == nil {
					found = &outcomes[i]
				}
			}
			return err
		}, `SELECT block FROM outcome WHERE merchant = $1 AND run = $2 AND kind = 'row'
			AND first_row <= $3 AND last_row >= $3 ORDER BY part`, merchant, run, row)
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	if err != nil {
		return removal.Outcome{}, fmt.Errorf("row %d of run %s: %w", row, run, err)
	}
	return *found, nil
}

// OrderOutcomes gives what was decided about the orders of a run's file, in the
// order in which the rows' outcomes refer to them.
func (l *Ledger) OrderOutcomes(ctx context.Context, merchant, run string) (all []removal.OrderOutcome, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var block sql.RawBytes
			if err := rows.Scan(&block); err != nil {
				return err
			}
			orders, err := DecodeOrderOutcomes(block)
			all = append(all, orders...)
			return err
		}, `SELECT block FROM outcome WHERE merchant = $1 AND run = $2 AND kind = 'order' ORDER BY part`, merchant, run)
	})
	if err != nil {
		return nil, fmt.Errorf("outcomes of the orders of run %s: %w", run, err)
	}
	return all, nil
}
