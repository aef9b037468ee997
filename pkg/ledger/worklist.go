package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rensa/pkg/removal"
)

// ErrLost says that a file is no longer the caller's to work on: another worker
// has its lease, or its state has moved on.
var ErrLost = errors.New("the file is in other hands")

// Work is a file of the work list. Whoever works on it holds its lease: the lease
// saves work that would be done twice, it decides nothing (Commit does).
type Work struct {
	File
	Merchant string
	Kind     removal.Kind // as far as it is known
	SHA256   string
	// Failures counts the attempts that ended in an error; File.Attempts counts
	// those that were begun, those too that a crash ended.
	Failures   int
	RetryAfter time.Time // zero: at once
	// Target is where the original of a file that is decided still has to be
	// moved to; "" where it lies in place.
	Target string
	Reason string // why it was rejected, closed, or failed last
}

// Open tells whether there is still something to do.
func (w *Work) Open() bool {
	return w.State == FileClaimed || w.State == FileCommitted || w.State == FilePublished || w.Target != ""
}

// stillOpen is the condition of the index of the same name.
const stillOpen = `(state IN ('claimed', 'committed', 'published') OR target IS NOT NULL)`

const workColumns = `f.merchant, f.id, f.seq, f.name, f.place, f.kind, f.sha256, f.run, f.state, f.attempts, f.claimed,
	f.lease_owner, f.lease_until, f.failures, f.retry_after, f.target, f.reason FROM file AS f`

func (t *tx) works(ctx context.Context, rest string, args ...any) (all []Work, err error) {
	err = t.each(ctx, func(rows *sql.Rows) error {
		var w Work
		err := rows.Scan(&w.Merchant, &w.ID, &w.Seq, &w.Name, &w.Place, &w.Kind, &w.SHA256, text{&w.Run}, &w.State, &w.Attempts,
			moment{&w.Claimed}, text{&w.LeaseOwner}, moment{&w.LeaseUntil}, &w.Failures, moment{&w.RetryAfter}, text{&w.Target}, text{&w.Reason})
		all = append(all, w)
		return err
	}, `SELECT `+workColumns+` `+rest, args...)
	return all, err
}

// Claim enters a file that is about to be taken, under the caller's lease, and
// gives it the next number of arrival. ID, Merchant, Name, Place, Kind and the
// lease are the caller's to give. ErrNotFound: no such merchant.
func (l *Ledger) Claim(ctx context.Context, w Work) (Work, error) {
	err := l.write(ctx, func(tx *tx) error {
		err := missing(tx.QueryRowContext(ctx, `UPDATE merchant SET files = files + 1 WHERE id = $1 RETURNING files`, w.Merchant).Scan(&w.Seq))
		if err != nil {
			return err
		}
		w.State, w.Claimed = FileClaimed, tx.now
		_, err = tx.ExecContext(ctx, `INSERT INTO file (merchant, id, seq, name, place, kind, sha256, bytes, state, lease_owner, lease_until, claimed)
			VALUES ($1, $2, $3, $4, $5, $6, '', 0, 'claimed', $7, $8, $9)`,
			w.Merchant, w.ID, w.Seq, w.Name, w.Place, string(w.Kind), null(w.LeaseOwner), stamp(w.LeaseUntil), tx.now.UnixMicro())
		return err
	})
	if err != nil {
		return Work{}, fmt.Errorf("claim %s of %s: %w", w.Name, w.Merchant, err)
	}
	return w, nil
}

// Work gives one file of the list, whatever its state. ErrNotFound.
func (l *Ledger) Work(ctx context.Context, merchant, id string) (Work, error) {
	found, err := l.worksWhere(ctx, `WHERE f.merchant = $1 AND f.id = $2`, merchant, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Work{}, fmt.Errorf("file %s: %w", id, err)
	}
	return found[0], nil
}

// WorkOf gives the file of a run. ErrNotFound.
func (l *Ledger) WorkOf(ctx context.Context, merchant, run string) (Work, error) {
	found, err := l.worksWhere(ctx, `WHERE f.merchant = $1 AND f.run = $2 ORDER BY f.seq`, merchant, run)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Work{}, fmt.Errorf("file of run %s: %w", run, err)
	}
	return found[0], nil
}

// Oldest gives of each merchant the oldest file with which something is still to
// be done.
func (l *Ledger) Oldest(ctx context.Context) ([]Work, error) {
	return l.worksWhere(ctx, `JOIN (SELECT merchant, min(seq) AS seq FROM file WHERE `+stillOpen+` GROUP BY merchant) AS o
		ON o.merchant = f.merchant AND o.seq = f.seq ORDER BY f.claimed, f.merchant`)
}

// Unfinished gives every file with which something is still to be done, by
// merchant, in the order of arrival.
func (l *Ledger) Unfinished(ctx context.Context) ([]Work, error) {
	return l.worksWhere(ctx, `WHERE `+stillOpen+` ORDER BY f.merchant, f.seq`)
}

// Kept gives a merchant's archived files that came before a moment and whose
// original is still kept, oldest first.
func (l *Ledger) Kept(ctx context.Context, merchant string, before time.Time) ([]Work, error) {
	return l.worksWhere(ctx, `WHERE f.merchant = $1 AND f.state = 'archived' AND f.place <> '' AND f.claimed < $2 ORDER BY f.claimed`,
		merchant, before.UnixMicro())
}

func (l *Ledger) worksWhere(ctx context.Context, rest string, args ...any) (all []Work, err error) {
	err = l.read(ctx, func(tx *tx) error {
		all, err = tx.works(ctx, rest, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("work list: %w", err)
	}
	return all, nil
}

// Lease takes a file in hand as it was seen, until a moment, and counts the
// attempt where it still has to be decided. ErrLost: somebody else was first.
func (l *Ledger) Lease(ctx context.Context, w Work, owner string, until time.Time) (Work, error) {
	begun := 0
	if w.State == FileClaimed {
		begun = 1
	}
	err := l.changeWork(ctx, `UPDATE file SET lease_owner = $1, lease_until = $2, attempts = attempts + $3
		WHERE merchant = $4 AND id = $5 AND state = $6 AND coalesce(lease_owner, '') = $7 AND coalesce(lease_until, 0) = $8 AND `+stillOpen,
		owner, until.UnixMicro(), begun, w.Merchant, w.ID, w.State, w.LeaseOwner, untilOf(w.LeaseUntil))
	if err != nil {
		return Work{}, fmt.Errorf("lease of %s: %w", w.ID, err)
	}
	w.LeaseOwner, w.LeaseUntil, w.Attempts = owner, micro(until), w.Attempts+begun
	return w, nil
}

func untilOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Renew keeps a lease for longer. ErrLost.
func (l *Ledger) Renew(ctx context.Context, w *Work, until time.Time) error {
	err := l.changeWork(ctx, `UPDATE file SET lease_until = $1 WHERE merchant = $2 AND id = $3 AND lease_owner = $4`,
		until.UnixMicro(), w.Merchant, w.ID, w.LeaseOwner)
	if err != nil {
		return fmt.Errorf("renew the lease of %s: %w", w.ID, err)
	}
	return nil
}

// HandBack gives a file back undone, as if it had not been begun. ErrLost.
func (l *Ledger) HandBack(ctx context.Context, w *Work) error {
	err := l.changeWork(ctx, `UPDATE file SET lease_owner = NULL, lease_until = NULL,
		attempts = CASE WHEN state = 'claimed' AND attempts > 0 THEN attempts - 1 ELSE attempts END
		WHERE merchant = $1 AND id = $2 AND lease_owner = $3`, w.Merchant, w.ID, w.LeaseOwner)
	if err != nil {
		return fmt.Errorf("hand back %s: %w", w.ID, err)
	}
	return nil
}

// Failed gives a file back after an attempt that came to nothing, to be tried
// again after a moment; counts says whether the failure was of the file or of
// the world around it. ErrLost.
func (l *Ledger) Failed(ctx context.Context, w *Work, counts bool, reason string, after time.Time) error {
	err := l.changeWork(ctx, `UPDATE file SET lease_owner = NULL, lease_until = NULL, retry_after = $1, failures = failures + $3,
		reason = CASE WHEN target IS NULL THEN $2 ELSE reason END,
		attempts = CASE WHEN state = 'claimed' AND attempts > 0 THEN attempts - 1 ELSE attempts END
		WHERE merchant = $4 AND id = $5 AND lease_owner = $6`,
		stamp(after), null(reason), bit(counts), w.Merchant, w.ID, w.LeaseOwner)
	if err != nil {
		return fmt.Errorf("note the failure of %s: %w", w.ID, err)
	}
	return nil
}

// Settle is the decision about a claimed file that changes nothing else: it is
// rejected, or archived because its bytes were taken before. The original is still to be moved to target; Settled says when it
// was. The lease stays. ErrLost.
func (l *Ledger) Settle(ctx context.Context, w *Work, state, target, reason string) error {
	err := l.changeWork(ctx, `UPDATE file SET state = $1, target = $2, reason = $3, kind = $4, sha256 = $5
		WHERE merchant = $6 AND id = $7 AND lease_owner = $8 AND state = 'claimed'`,
		state, target, null(reason), string(w.Kind), w.SHA256, w.Merchant, w.ID, w.LeaseOwner)
	if err != nil {
		return fmt.Errorf("settle %s: %w", w.ID, err)
	}
	w.State, w.Target, w.Reason = state, target, reason
	return nil
}

// Retarget names another place for the original, where the first was taken
// meanwhile. ErrLost.
func (l *Ledger) Retarget(ctx context.Context, w *Work, target string) error {
	err := l.changeWork(ctx, `UPDATE file SET target = $1 WHERE merchant = $2 AND id = $3 AND lease_owner = $4 AND target IS NOT NULL`,
		target, w.Merchant, w.ID, w.LeaseOwner)
	if err != nil {
		return fmt.Errorf("retarget %s: %w", w.ID, err)
	}
	w.Target = target
	return nil
}

// Settled says that the original of a settled file lies in its place. ErrLost.
func (l *Ledger) Settled(ctx context.Context, w *Work) error {
	err := l.changeWork(ctx, `UPDATE file SET place = target, target = NULL, lease_owner = NULL, lease_until = NULL
		WHERE merchant = $1 AND id = $2 AND lease_owner = $3 AND target IS NOT NULL`, w.Merchant, w.ID, w.LeaseOwner)
	if err != nil {
		return fmt.Errorf("settle %s: %w", w.ID, err)
	}
	return nil
}

// CloseClaim ends a claim of which nothing came: its file was never taken, or was
// put back. ErrLost.
func (l *Ledger) CloseClaim(ctx context.Context, w *Work, reason string) error {
	err := l.changeWork(ctx, `UPDATE file SET state = 'closed', reason = $1, lease_owner = NULL, lease_until = NULL
		WHERE merchant = $2 AND id = $3 AND lease_owner = $4 AND state = 'claimed'`, reason, w.Merchant, w.ID, w.LeaseOwner)
	if err != nil {
		return fmt.Errorf("close %s: %w", w.ID, err)
	}
	return nil
}

// Forget says that an archived file's original is no longer kept.
func (l *Ledger) Forget(ctx context.Context, w *Work) error {
	err := l.changeWork(ctx, `UPDATE file SET place = '' WHERE merchant = $1 AND id = $2 AND state = 'archived' AND target IS NULL`,
		w.Merchant, w.ID)
	if err != nil {
		return fmt.Errorf("forget %s: %w", w.ID, err)
	}
	return nil
}

// changeWork runs one statement that must change one file, else ErrLost.
func (l *Ledger) changeWork(ctx context.Context, query string, args ...any) error {
	return l.write(ctx, func(tx *tx) error {
		err := tx.one(ctx, query, args...)
		if errors.Is(err, ErrNotFound) {
			return ErrLost
		}
		return err
	})
}
