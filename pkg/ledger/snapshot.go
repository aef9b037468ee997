package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"rensa/pkg/removal"
)

// Snapshot is one state of a merchant's stock: the facts about it, and where its
// immutable file lies.
type Snapshot struct {
	ID, Merchant string
	Date         time.Time
	// DateHasTime is false where only the day is known.
	DateHasTime bool
	Kind        removal.Kind
	Run         string
	SHA256      string // of the file that it was read from
	Path        string // of the compact file
	// SKUs and Pools are how many there are, the others sums of units.
	SKUs, Pools, Sellable, Unsellable int64
	Created                           time.Time
	Current                           bool
}

const snapshotColumns = `s.id, s.merchant, s.date, s.date_has_time, s.kind, s.run, s.sha256, s.path,
	s.skus, s.pools, s.sellable, s.unsellable, s.created, coalesce(m.snapshot = s.id, false)
	FROM snapshot AS s JOIN merchant AS m ON m.id = s.merchant`

func scanSnapshot(row interface{ Scan(...any) error }) (*Snapshot, error) {
	s := &Snapshot{}
	err := row.Scan(&s.ID, &s.Merchant, moment{&s.Date}, &s.DateHasTime, &s.Kind, &s.Run, &s.SHA256, &s.Path,
		&s.SKUs, &s.Pools, &s.Sellable, &s.Unsellable, moment{&s.Created}, &s.Current)
	if err != nil {
		return nil, missing(err)
	}
	return s, nil
}

// Snapshot gives the merchant's current snapshot, nil where there is none yet.
func (l *Ledger) Snapshot(ctx context.Context, merchant string) (s *Snapshot, err error) {
	err = l.read(ctx, func(tx *tx) error {
		s, err = scanSnapshot(tx.QueryRowContext(ctx, `SELECT `+snapshotColumns+` WHERE m.id = $1 AND s.id = m.snapshot`, merchant))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("current snapshot: %w", err)
	}
	return s, nil
}

// SnapshotByID gives one snapshot, current or superseded. ErrNotFound.
func (l *Ledger) SnapshotByID(ctx context.Context, merchant, id string) (s *Snapshot, err error) {
	err = l.read(ctx, func(tx *tx) error {
		s, err = scanSnapshot(tx.QueryRowContext(ctx, `SELECT `+snapshotColumns+` WHERE s.merchant = $1 AND s.id = $2`, merchant, id))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", id, err)
	}
	return s, nil
}

// Snapshots gives all snapshots of a merchant, newest date first.
func (l *Ledger) Snapshots(ctx context.Context, merchant string) (all []Snapshot, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			s, err := scanSnapshot(rows)
			if err == nil {
				all = append(all, *s)
			}
			return err
		}, `SELECT `+snapshotColumns+` WHERE s.merchant = $1 ORDER BY s.date DESC, s.created DESC, s.id`, merchant)
	})
	if err != nil {
		return nil, fmt.Errorf("snapshots: %w", err)
	}
	return all, nil
}

func (t *tx) putSnapshot(ctx context.Context, h *merchantHead, s *Snapshot) error {
	_, err := t.ExecContext(ctx, `INSERT INTO snapshot (merchant, id, date, date_has_time, kind, run, sha256, path,
		skus, pools, sellable, unsellable, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		h.id, s.ID, s.Date.UnixMicro(), bit(s.DateHasTime), string(s.Kind), s.Run, s.SHA256, s.Path,
		s.SKUs, s.Pools, s.Sellable, s.Unsellable, t.now.UnixMicro())
	if err != nil {
		return fmt.Errorf("snapshot %s: %w", s.ID, err)
	}
	if s.Current {
		h.snapshot = s.ID
	}
	return nil
}
