package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"rensa/pkg/removal"
)

// The statuses of a run, in the order in which it passes them.
const (
	RunCommitted = "committed" // decided; its reports may not be in place
	RunPublished = "published" // its reports and outgoing files are in place
	RunArchived  = "archived"  // its original is in the archive: done
)

// Run is one file processed: with the archived original and the outcomes of its
// rows, everything that its reports are made from.
type Run struct {
	ID, Merchant string
	Kind         removal.Kind
	FileName     string
	SHA256       string // of the file, in hexadecimal
	Bytes        int64
	// How the file was read.
	Layout, Encoding, Delimiter, Container, Sheet string
	Heading                                       int // row of the headings
	SnapshotID                                    string
	SnapshotDate                                  time.Time
	PolicyVersion                                 string
	Acceptance                                    removal.Acceptance
	Started, Finished                             time.Time
	Read, Accepted, Rejected, Seen                int64 // item rows
	OrdersAccepted, OrdersRefused                 int64
	Status                                        string
	ReportVersion                                 int
	Language                                      string
	Archive                                       string // where the original is kept
	// Detail is JSON of the caller's, nil where there is none.
	Detail json.RawMessage
	// Outputs are the files of its report folder, once they are known.
	Outputs []Output
	// Committed is when it was committed; the ledger's to give.
	Committed time.Time
}

// Output is one file of a run's report folder.
type Output struct {
	Name   string
	SHA256 string
	Bytes  int64
}

const runColumns = `r.seq, r.id, r.merchant, r.kind, r.file_name, r.sha256, r.bytes, r.layout, r.encoding, r.delimiter, r.container,
	r.sheet, r.heading, r.snapshot, r.snapshot_date, r.policy_version, r.acceptance, r.started, r.finished, r.committed,
	r.rows_read, r.rows_accepted, r.rows_rejected, r.rows_seen, r.orders_accepted, r.orders_refused, r.status,
	r.report_version, r.language, r.archive, r.detail FROM run AS r`

func scanRun(rows *sql.Rows) (seq int64, r Run, err error) {
	var detail string
	err = rows.Scan(&seq, &r.ID, &r.Merchant, &r.Kind, &r.FileName, &r.SHA256, &r.Bytes, &r.Layout, &r.Encoding, &r.Delimiter, &r.Container,
		&r.Sheet, &r.Heading, &r.SnapshotID, moment{&r.SnapshotDate}, &r.PolicyVersion, &r.Acceptance,
		moment{&r.Started}, moment{&r.Finished}, moment{&r.Committed},
		&r.Read, &r.Accepted, &r.Rejected, &r.Seen, &r.OrdersAccepted, &r.OrdersRefused, &r.Status,
		&r.ReportVersion, &r.Language, &r.Archive, text{&detail})
	if detail != "" {
		r.Detail = json.RawMessage(detail)
	}
	return seq, r, err
}

// runs reads runs with their outputs.
func (t *tx) runs(ctx context.Context, rest string, args ...any) (runs []Run, seqs []int64, err error) {
	err = t.each(ctx, func(rows *sql.Rows) error {
		seq, r, err := scanRun(rows)
		runs, seqs = append(runs, r), append(seqs, seq)
		return err
	}, `SELECT `+runColumns+` `+rest, args...)
	if err != nil {
		return nil, nil, err
	}
	return runs, seqs, t.outputsOf(ctx, runs)
}

// outputsOf reads the outputs of runs, those of a merchant together.
func (t *tx) outputsOf(ctx context.Context, runs []Run) error {
	of := map[string]map[string]*Run{}
	for i := range runs {
		r := &runs[i]
		if of[r.Merchant] == nil {
			of[r.Merchant] = map[string]*Run{}
		}
		of[r.Merchant][r.ID] = r
	}
	for merchant, byID := range of {
		err := t.probe(ctx, merchant, slices.Collect(maps.Keys(byID)), func(marks string) string {
			return `SELECT run, name, sha256, bytes FROM output WHERE merchant = $1 AND run IN (` + marks + `) ORDER BY run, ord`
		}, func(rows *sql.Rows) error {
			var run string
			var o Output
			err := rows.Scan(&run, &o.Name, &o.SHA256, &o.Bytes)
			if err == nil {
				byID[run].Outputs = append(byID[run].Outputs, o)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Run gives one run. ErrNotFound.
func (l *Ledger) Run(ctx context.Context, merchant, id string) (r Run, err error) {
	err = l.read(ctx, func(tx *tx) error {
		found, _, err := tx.runs(ctx, `WHERE r.merchant = $1 AND r.id = $2`, merchant, id)
		if err == nil && len(found) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			r = found[0]
		}
		return err
	})
	if err != nil {
		return Run{}, fmt.Errorf("run %s: %w", id, err)
	}
	return r, nil
}

// SeenFile gives the run of the same bytes that made or changed orders, nil
// where there is none.
func (l *Ledger) SeenFile(ctx context.Context, merchant, sha256 string) (run *Run, err error) {
	err = l.read(ctx, func(tx *tx) error {
		found, _, err := tx.runs(ctx, seenRun, merchant, sha256)
		if err == nil && len(found) > 0 {
			run = &found[0]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for the same file: %w", err)
	}
	return run, nil
}

// MadeBy gives the run that wrote these bytes as one of its files, "" where none did.
// It looks through the files of all runs of the merchant.
func (l *Ledger) MadeBy(ctx context.Context, merchant, sha256 string) (run string, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&run) },
			`SELECT run FROM output WHERE merchant = $1 AND sha256 = $2 ORDER BY run LIMIT 1`, merchant, sha256)
	})
	if err != nil {
		return "", fmt.Errorf("look for the run that wrote a file: %w", err)
	}
	return run, nil
}

// seenRun is the condition of the index that keeps such runs apart.
const seenRun = `WHERE r.merchant = $1 AND r.sha256 = $2 AND r.makes_orders = 1 AND r.rows_accepted > 0`

// RunFilter says which runs to list; what is zero does not matter.
type RunFilter struct {
	Merchant string // always needed
	Kind     removal.Kind
	Status   string
	SHA256   string
	Since    time.Time
	Limit    int    // default 100
	Cursor   string // from the list before, "" for the first
}

// Runs lists runs, the last committed first, and gives the cursor under which
// the list goes on, "" at its end. ErrCursor: the cursor is none of this list's.
func (l *Ledger) Runs(ctx context.Context, f RunFilter) (list []Run, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	c := &conditions{}
	c.add("r.merchant = " + c.mark(f.Merchant))
	if f.Kind != "" {
		c.add("r.kind = " + c.mark(string(f.Kind)))
	}
	if f.Status != "" {
		c.add("r.status = " + c.mark(f.Status))
	}
	if f.SHA256 != "" {
		c.add("r.sha256 = " + c.mark(f.SHA256))
	}
	if !f.Since.IsZero() {
		c.add("r.committed >= " + c.mark(f.Since.UnixMicro()))
	}
	if err := c.cursor("r.seq", f.Cursor); err != nil {
		return nil, "", fmt.Errorf("list runs: %w", err)
	}
	var seqs []int64
	err = l.read(ctx, func(tx *tx) error {
		list, seqs, err = tx.runs(ctx, `WHERE `+c.String()+` ORDER BY r.seq DESC LIMIT `+strconv.Itoa(f.Limit+1), c.args...)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list runs: %w", err)
	}
	if len(list) > f.Limit {
		list, next = list[:f.Limit], cursorAt(seqs[f.Limit-1])
	}
	return list, next, nil
}

// Unpublished gives the runs of all merchants that are committed but not yet
// published and archived, in the order in which they were committed: a program
// that starts takes them on from their status.
func (l *Ledger) Unpublished(ctx context.Context) (runs []Run, err error) {
	err = l.read(ctx, func(tx *tx) error {
		runs, _, err = tx.runs(ctx, `WHERE r.status <> 'archived' ORDER BY r.merchant, r.seq`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("unpublished runs: %w", err)
	}
	return runs, nil
}

// MarkPublished records that a run's reports and outgoing files are in place, and
// what they are; nil outputs leave those recorded at the commit. Repeating it
// does no harm. ErrNotFound.
func (l *Ledger) MarkPublished(ctx context.Context, merchant, id string, outputs []Output) error {
	err := l.write(ctx, func(tx *tx) error {
		err := tx.one(ctx, `UPDATE run SET status = CASE status WHEN 'committed' THEN 'published' ELSE status END
			WHERE merchant = $1 AND id = $2`, merchant, id)
		if err != nil {
			return err
		}
		if outputs != nil {
			if err := tx.putOutputs(ctx, merchant, id, outputs); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE file SET state = 'published'
			WHERE merchant = $1 AND run = $2 AND state = 'committed'`, merchant, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark run %s as published: %w", id, err)
	}
	return nil
}

// MarkArchived records where a run's original was archived: the run is done.
// Repeating it does no harm. ErrNotFound.
func (l *Ledger) MarkArchived(ctx context.Context, merchant, id, archive string) error {
	err := l.write(ctx, func(tx *tx) error {
		err := tx.one(ctx, `UPDATE run SET status = 'archived', archive = $1 WHERE merchant = $2 AND id = $3`, archive, merchant, id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE file SET state = 'archived', place = $1, lease_owner = NULL, lease_until = NULL
			WHERE merchant = $2 AND run = $3 AND state IN ('committed', 'published')`, archive, merchant, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("mark run %s as archived: %w", id, err)
	}
	return nil
}

func (t *tx) putOutputs(ctx context.Context, merchant, run string, outputs []Output) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM output WHERE merchant = $1 AND run = $2`, merchant, run); err != nil {
		return err
	}
	for i, o := range outputs {
		_, err := t.ExecContext(ctx, `INSERT INTO output (merchant, run, ord, name, sha256, bytes) VALUES ($1, $2, $3, $4, $5, $6)`,
			merchant, run, i, o.Name, o.SHA256, o.Bytes)
		if err != nil {
			return fmt.Errorf("output %s: %w", o.Name, err)
		}
	}
	return nil
}

// putRun enters the run, without orders as yet.
func (t *tx) putRun(ctx context.Context, h *merchantHead, r *Run) error {
	h.runs++
	_, err := t.ExecContext(ctx, `INSERT INTO run (merchant, id, seq, kind, file_name, sha256, bytes, layout, encoding, delimiter, container,
		sheet, heading, snapshot, snapshot_date, policy_version, acceptance, started, finished, committed,
		rows_read, rows_accepted, rows_rejected, rows_seen, orders_accepted, orders_refused, makes_orders,
		order_after, order_last, status, report_version, language, archive, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
		$21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)`,
		h.id, r.ID, h.runs, string(r.Kind), r.FileName, r.SHA256, r.Bytes, r.Layout, r.Encoding, r.Delimiter, r.Container,
		r.Sheet, r.Heading, r.SnapshotID, stamp(r.SnapshotDate), r.PolicyVersion, string(r.Acceptance),
		stamp(r.Started), stamp(r.Finished), t.now.UnixMicro(),
		r.Read, r.Accepted, r.Rejected, r.Seen, r.OrdersAccepted, r.OrdersRefused, bit(r.Kind.MakesOrders()),
		h.orders, h.orders, RunCommitted, r.ReportVersion, r.Language, r.Archive, null(string(r.Detail)))
	if t.dialect.repeats(err) {
		return ErrSeen // and not what the driver says of it, which explain would name ErrExists
	}
	if err != nil {
		return err
	}
	return t.putOutputs(ctx, h.id, r.ID, r.Outputs)
}
