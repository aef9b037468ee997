package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Draft is an order that a person is making. It reserves nothing, and its id is
// not used until it is placed. Version counts its changes.
type Draft struct {
	Merchant, ID     string
	Version          int64
	Created, Updated time.Time
	Actor            string
	// Body is JSON of the caller's.
	Body json.RawMessage
}

// AddDraft adds a draft. ErrExists: there is a draft of that id. ErrNotFound: no
// such merchant.
func (l *Ledger) AddDraft(ctx context.Context, d Draft, events ...Event) error {
	err := l.write(ctx, func(tx *tx) error {
		if err := tx.tell(ctx, d.Merchant, events); err != nil {
			return err
		}
		return tx.addDraft(ctx, &d)
	})
	if err != nil {
		return fmt.Errorf("add draft %s: %w", d.ID, err)
	}
	return nil
}

// tell writes events of something that moves no revision, since it changes neither
// stock nor orders. ErrNotFound: no such merchant.
func (t *tx) tell(ctx context.Context, merchant string, events []Event) error {
	h := &merchantHead{id: merchant}
	if err := t.QueryRowContext(ctx, `SELECT events FROM merchant WHERE id = $1`, merchant).Scan(&h.events); err != nil {
		return missing(err)
	}
	if err := t.putEvents(ctx, h, "", events); err != nil {
		return err
	}
	return t.saveHead(ctx, h)
}

func (t *tx) addDraft(ctx context.Context, d *Draft) error {
	created := d.Created
	if created.IsZero() {
		created = t.now
	}
	_, err := t.ExecContext(ctx, `INSERT INTO draft (merchant, id, version, created, updated, actor, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		d.Merchant, d.ID, d.Version+1, created.UnixMicro(), t.now.UnixMicro(), d.Actor, string(d.Body))
	return err
}

// SetDraft replaces a draft by a changed one, under the same id or another.
// ErrConflict: it changed meanwhile or is gone. ErrExists: the new id has a draft.
func (l *Ledger) SetDraft(ctx context.Context, before, after Draft, events ...Event) error {
	err := l.write(ctx, func(tx *tx) error {
		if err := tx.tell(ctx, before.Merchant, events); err != nil {
			return err
		}
		err := tx.one(ctx, `DELETE FROM draft WHERE merchant = $1 AND id = $2 AND version = $3`, before.Merchant, before.ID, before.Version)
		if errors.Is(err, ErrNotFound) {
			return ErrConflict
		}
		if err != nil {
			return err
		}
		if after.ID != before.ID { // its history goes with it
			_, err := tx.ExecContext(ctx, `UPDATE event SET id = $1 WHERE merchant = $2 AND subject = 'order' AND id = $3 AND at >= $4`,
				after.ID, before.Merchant, before.ID, before.Created.UnixMicro())
			if err != nil {
				return err
			}
		}
		after.Merchant, after.Version, after.Created = before.Merchant, before.Version, before.Created
		return tx.addDraft(ctx, &after)
	})
	if err != nil {
		return fmt.Errorf("change draft %s: %w", before.ID, err)
	}
	return nil
}

// DropDraft takes a draft away. ErrConflict: it changed meanwhile or is gone.
func (l *Ledger) DropDraft(ctx context.Context, d Draft, events ...Event) error {
	err := l.write(ctx, func(tx *tx) error {
		if err := tx.tell(ctx, d.Merchant, events); err != nil {
			return err
		}
		err := tx.one(ctx, `DELETE FROM draft WHERE merchant = $1 AND id = $2 AND version = $3`, d.Merchant, d.ID, d.Version)
		if errors.Is(err, ErrNotFound) {
			return ErrConflict
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("drop draft %s: %w", d.ID, err)
	}
	return nil
}

// Draft gives one draft. ErrNotFound.
func (l *Ledger) Draft(ctx context.Context, merchant, id string) (Draft, error) {
	found, err := l.drafts(ctx, `merchant = $1 AND id = $2`, merchant, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Draft{}, fmt.Errorf("draft %s: %w", id, err)
	}
	return found[0], nil
}

// Drafts gives all drafts of a merchant, the newest first.
func (l *Ledger) Drafts(ctx context.Context, merchant string) ([]Draft, error) {
	found, err := l.drafts(ctx, `merchant = $1`, merchant)
	if err != nil {
		return nil, fmt.Errorf("drafts: %w", err)
	}
	return found, nil
}

func (l *Ledger) drafts(ctx context.Context, condition string, args ...any) (all []Draft, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var d Draft
			var body string
			err := rows.Scan(&d.Merchant, &d.ID, &d.Version, moment{&d.Created}, moment{&d.Updated}, &d.Actor, &body)
			d.Body = json.RawMessage(body)
			all = append(all, d)
			return err
		}, `SELECT merchant, id, version, created, updated, actor, body FROM draft WHERE `+condition+` ORDER BY created DESC, id`, args...)
	})
	return all, err
}

// dropUploaded takes away the drafts that were just ordered by an upload file.
func (t *tx) dropUploaded(ctx context.Context, merchant, run string) error {
	_, err := t.ExecContext(ctx, `DELETE FROM draft WHERE merchant = $1 AND (
		EXISTS (SELECT 1 FROM removal_order AS o WHERE o.merchant = $1 AND o.state <> 'refused' AND o.id = draft.id AND o.run = $2)
		OR EXISTS (SELECT 1 FROM removal_order AS o WHERE o.merchant = $1 AND o.family IS NOT NULL AND o.family = draft.id AND o.run = $2))`,
		merchant, run)
	return err
}
