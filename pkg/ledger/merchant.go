package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rensa/pkg/removal"
)

// AddMerchant adds a merchant with its profile, at revision 0. Without events
// one is written that says "added". ErrExists: the id is in use.
func (l *Ledger) AddMerchant(ctx context.Context, m removal.Merchant, events ...Event) error {
	err := l.write(ctx, func(tx *tx) error {
		if m.Created.IsZero() {
			m.Created = tx.now
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO merchant (id, created) VALUES ($1, $2)`, m.ID, stamp(m.Created))
		if err != nil {
			return err
		}
		if err := tx.putProfile(ctx, m.ID, m.Profile); err != nil {
			return err
		}
		if len(events) == 0 {
			events = []Event{{Subject: SubjectMerchant, ID: m.ID, What: "added"}}
		}
		head := &merchantHead{id: m.ID}
		if err := tx.putEvents(ctx, head, "", events); err != nil {
			return err
		}
		return tx.saveHead(ctx, head)
	})
	if err != nil {
		return fmt.Errorf("add merchant %s: %w", m.ID, err)
	}
	return nil
}

// SetMerchant replaces the profile of a merchant. ErrConflict: its revision is
// not the given one. ErrNotFound.
func (l *Ledger) SetMerchant(ctx context.Context, id string, revision int64, p removal.Profile, events ...Event) error {
	err := l.write(ctx, func(tx *tx) error {
		head, err := tx.head(ctx, id, revision)
		if err != nil {
			return err
		}
		if err := tx.putProfile(ctx, id, p); err != nil {
			return err
		}
		if err := tx.putEvents(ctx, head, "", events); err != nil {
			return err
		}
		return tx.moveHead(ctx, head)
	})
	if err != nil {
		return fmt.Errorf("set merchant %s: %w", id, err)
	}
	return nil
}

// Merchant gives a merchant with its profile and revision. ErrNotFound.
func (l *Ledger) Merchant(ctx context.Context, id string) (m removal.Merchant, err error) {
	err = l.read(ctx, func(tx *tx) error {
		found, err := tx.merchants(ctx, `m.id = $1`, id)
		if err == nil && len(found) == 0 {
			err = ErrNotFound
		}
		if err == nil {
			m = found[0]
		}
		return err
	})
	if err != nil {
		return removal.Merchant{}, fmt.Errorf("merchant %s: %w", id, err)
	}
	return m, nil
}

// Merchants gives all merchants in the order of their ids.
func (l *Ledger) Merchants(ctx context.Context) (all []removal.Merchant, err error) {
	err = l.read(ctx, func(tx *tx) error {
		all, err = tx.merchants(ctx, `true`)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("merchants: %w", err)
	}
	return all, nil
}

// merchants reads those merchants that a condition on their id lets through.
func (t *tx) merchants(ctx context.Context, condition string, args ...any) (all []removal.Merchant, err error) {
	place := map[string]int{}
	err = t.each(ctx, func(rows *sql.Rows) error {
		m := removal.Merchant{Profile: DefaultProfile()}
		err := rows.Scan(&m.ID, &m.Revision, moment{&m.Created})
		place[m.ID] = len(all)
		all = append(all, m)
		return err
	}, `SELECT m.id, m.revision, m.created FROM merchant AS m WHERE `+condition+` ORDER BY m.id`, args...)
	if err != nil {
		return nil, err
	}
	return all, t.each(ctx, func(rows *sql.Rows) error {
		var id, key, value string
		if err := rows.Scan(&id, &key, &value); err != nil {
			return err
		}
		// A key of a newer program says nothing to this one.
		if err := SetSetting(&all[place[id]].Profile, key, value); err != nil && !errors.Is(err, ErrUnknownSetting) {
			return fmt.Errorf("profile of %s: %w", id, err)
		}
		return nil
	}, `SELECT m.id, s.key, s.value FROM merchant AS m JOIN merchant_setting AS s ON s.merchant = m.id
		WHERE `+condition+` ORDER BY m.id, s.key`, args...)
}

// missing gives ErrNotFound for a query that found no row.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// merchantHead is the row that every change of a merchant goes through: its
// revision, and the numbers given last.
type merchantHead struct {
	id                          string
	revision                    int64
	snapshot                    string // "" where there is none
	orders, events, runs, files int64
}

// head reads the merchant's row and compares the revision: ErrConflict early
// saves writing what could not be committed.
func (t *tx) head(ctx context.Context, id string, revision int64) (*merchantHead, error) {
	h := &merchantHead{id: id}
	err := t.QueryRowContext(ctx, `SELECT revision, snapshot, orders, events, runs, files FROM merchant WHERE id = $1`, id).
		Scan(&h.revision, text{&h.snapshot}, &h.orders, &h.events, &h.runs, &h.files)
	if err != nil {
		return nil, missing(err)
	}
	if h.revision != revision {
		return nil, ErrConflict
	}
	return h, nil
}

// moveHead ends a change: the revision moves on, or the change is refused.
func (t *tx) moveHead(ctx context.Context, h *merchantHead) error {
	err := t.one(ctx, `UPDATE merchant SET revision = revision + 1, snapshot = $1, orders = $2, events = $3, runs = $4, files = $5
		WHERE id = $6 AND revision = $7`, null(h.snapshot), h.orders, h.events, h.runs, h.files, h.id, h.revision)
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}

// saveHead keeps the numbers of a merchant that nobody else knows of yet.
func (t *tx) saveHead(ctx context.Context, h *merchantHead) error {
	return t.one(ctx, `UPDATE merchant SET events = $1 WHERE id = $2`, h.events, h.id)
}
