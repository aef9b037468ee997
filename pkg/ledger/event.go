package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// What an event is about.
const (
	SubjectOrder    = "order"
	SubjectMerchant = "merchant"
	SubjectFile     = "file"
	SubjectRun      = "run"
)

// Event is one change: who, when, what, from, to, why, by which file.
type Event struct {
	At      time.Time // the transaction's time where it is zero
	Actor   string
	Subject string // one of the Subject constants
	ID      string // of the subject
	What    string
	From    string
	To      string
	Why     string
	Run     string // run that did it; in a Commit the commit's own
	// EachOrder says that the event happened to every order that Run made: it
	// stands in the history of each, as one row.
	EachOrder bool
}

const eventColumns = `e.at, e.actor, e.subject, e.id, e.what, e.from_value, e.to_value, e.why, e.run, e.each_order`

func (t *tx) putEvents(ctx context.Context, h *merchantHead, run string, events []Event) error {
	for _, e := range events {
		if e.At.IsZero() {
			e.At = t.now
		}
		if e.Run == "" {
			e.Run = run
		}
		h.events++
		_, err := t.ExecContext(ctx, `INSERT INTO event (merchant, seq, at, actor, subject, id, what, from_value, to_value, why, run, each_order)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			h.id, h.events, e.At.UnixMicro(), e.Actor, e.Subject, e.ID, e.What, e.From, e.To, e.Why, e.Run, bit(e.EachOrder))
		if err != nil {
			return fmt.Errorf("event %s: %w", e.What, err)
		}
	}
	return nil
}

// History gives what happened to an order, oldest first: its own events and
// those that happened to every order of the run that made it. Where an id was
// refused and used again, it is the history of both.
func (l *Ledger) History(ctx context.Context, merchant, orderID string) ([]Event, error) {
	if err := l.readOrders(ctx, merchant, func(*tx) error { return nil }); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return l.events(ctx, `SELECT `+eventColumns+` FROM event AS e WHERE e.merchant = $1 AND e.seq IN (
		SELECT seq FROM event WHERE merchant = $1 AND subject = 'order' AND id = $2
		UNION ALL
		SELECT seq FROM event WHERE merchant = $1 AND each_order = 1 AND run IN (
			SELECT run FROM removal_order WHERE merchant = $1 AND id = $2 AND state <> 'refused'
			UNION ALL
			SELECT run FROM removal_order WHERE merchant = $1 AND id = $2 AND state = 'refused'))
		ORDER BY e.seq`, merchant, orderID)
}

// Events gives what happened to one subject that is not an order, oldest first.
func (l *Ledger) Events(ctx context.Context, merchant, subject, id string) ([]Event, error) {
	return l.events(ctx, `SELECT `+eventColumns+` FROM event AS e
		WHERE e.merchant = $1 AND e.subject = $2 AND e.id = $3 ORDER BY e.seq`, merchant, subject, id)
}

func (l *Ledger) events(ctx context.Context, query string, args ...any) (all []Event, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var e Event
			err := rows.Scan(moment{&e.At}, &e.Actor, &e.Subject, &e.ID, &e.What, &e.From, &e.To, &e.Why, &e.Run, &e.EachOrder)
			all = append(all, e)
			return err
		}, query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return all, nil
}
