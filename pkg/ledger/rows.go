package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"rensa/pkg/removal"
)

// RowOutcome is what was decided about a row, and how many rows of its file were
// rejected before it: its place in rejected.tsv where it was rejected itself.
type RowOutcome struct {
	removal.Outcome
	RejectedBefore int64
}

// OutcomesOf gives what was decided about some rows of a run, by the numbers that a
// spreadsheet shows; a row that the run has not is not in the answer. Blocks in
// which none of them stands are counted and not read.
func (l *Ledger) OutcomesOf(ctx context.Context, merchant, run string, rows []int) (map[int]RowOutcome, error) {
	found := make(map[int]RowOutcome, len(rows))
	if len(rows) == 0 {
		return found, nil
	}
	rows = slices.Clone(rows)
	slices.Sort(rows)
	last := rows[len(rows)-1]
	var before int64
	err := l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(r *sql.Rows) error {
			var block sql.RawBytes
			var first, end int
			if err := r.Scan(&first, &end, &block); err != nil {
				return err
			}
			if i, _ := slices.BinarySearch(rows, first); i == len(rows) || rows[i] > end {
				c, err := CountOutcomes(block)
				before += int64(c.Rejected)
				return err
			}
			outcomes, err := DecodeOutcomes(block)
			for i := range outcomes {
				o := &outcomes[i]
				if _, ok := slices.BinarySearch(rows, o.Row); ok {
					found[o.Row] = RowOutcome{*o, before}
				}
				if o.Status == removal.Rejected {
					before++
				}
			}
			return err
		}, `SELECT first_row, last_row, block FROM outcome WHERE merchant = $1 AND run = $2 AND kind = 'row' AND first_row <= $3 ORDER BY part`,
			merchant, run, last)
	})
	if err != nil {
		return nil, fmt.Errorf("rows of run %s: %w", run, err)
	}
	return found, nil
}

// FileProblems gives the problems that stand with the run itself: those of the
// whole file, and for kinds without outcomes those of its rows too.
func (r *Run) FileProblems() ([]removal.Problem, error) {
	if len(r.Detail) == 0 {
		return nil, nil
	}
	var detail struct {
		Problems []removal.Problem `json:"problems"`
	}
	if err := json.Unmarshal(r.Detail, &detail); err != nil {
		return nil, fmt.Errorf("problems of run %s: %w", r.ID, err)
	}
	return detail.Problems, nil
}
