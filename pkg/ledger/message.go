package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// The states of a message.
const (
	MessageQueued  = "queued"  // to be sent, or to be sent again
	MessageSent    = "sent"    // the mail server took it for one recipient at least
	MessageFailed  = "failed"  // it took it for none, and will not
	MessageWritten = "written" // written as a file, since no server is configured
)

// The states of a recipient.
const (
	RecipientQueued   = "queued"
	RecipientAccepted = "accepted"
	RecipientRefused  = "refused" // for good: not tried again
)

// Message is a row of the outbox: one mail to the merchant's addresses.
type Message struct {
	// ID tells the messages of a merchant apart, "notice-2026-11-23". MessageID is
	// the mail's own, without brackets, the same however often it is sent.
	Merchant, ID, MessageID string
	Kind                    string // what Data is: a removal.NoticeKind
	Language                string
	Created                 time.Time
	// Data is JSON of the one who wrote the message: a removal.Notice.
	Data        json.RawMessage
	Recipients  []Recipient
	Attachments []Attachment
	// What follows is the ledger's to give.
	State      string
	Attempts   int       // begun, those too that a crash ended
	RetryAfter time.Time // zero: at once
	AcceptedAt time.Time // by the mail server, for the first recipient; zero: never
	Finished   time.Time // when it left the state queued
	Place      string    // of the file, where it was written as one
	Reason     string    // what the last attempt failed for
}

// Recipient is one address of a message.
type Recipient struct {
	Address string
	State   string // RecipientQueued where it is ""
	At      time.Time
	Reason  string // the server's words
}

// Attachment is a file that goes with a message.
type Attachment struct {
	Name, MediaType string
	Body            []byte
}

// Attempt is what came of one sending of a message. Recipients that it does not
// name, or names as queued, are tried again unless it gives up.
type Attempt struct {
	At         time.Time
	Recipients []Recipient
	RetryAfter time.Time
	GiveUp     bool
	Reason     string
}

const messageColumns = `m.merchant, m.id, m.message_id, m.kind, m.language, m.created, m.state, m.attempts, m.retry_after,
	m.accepted_at, m.finished, m.place, m.reason, m.data FROM message AS m`

func (t *tx) messages(ctx context.Context, rest string, args ...any) (all []Message, err error) {
	err = t.each(ctx, func(rows *sql.Rows) error {
		var m Message
		var data string
		err := rows.Scan(&m.Merchant, &m.ID, &m.MessageID, &m.Kind, &m.Language, moment{&m.Created}, &m.State, &m.Attempts,
			moment{&m.RetryAfter}, moment{&m.AcceptedAt}, moment{&m.Finished}, &m.Place, &m.Reason, &data)
		m.Data = json.RawMessage(data)
		all = append(all, m)
		return err
	}, `SELECT `+messageColumns+` `+rest, args...)
	if err != nil {
		return nil, err
	}
	for i := range all {
		m := &all[i]
		err := t.each(ctx, func(rows *sql.Rows) error {
			var r Recipient
			err := rows.Scan(&r.Address, &r.State, moment{&r.At}, &r.Reason)
			m.Recipients = append(m.Recipients, r)
			return err
		}, `SELECT address, state, at, reason FROM message_recipient WHERE merchant = $1 AND message = $2 ORDER BY ord`, m.Merchant, m.ID)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// DueMessages gives queued messages of all merchants that may be tried at a
// moment and that nobody has in hand, the oldest first, without attachments.
func (l *Ledger) DueMessages(ctx context.Context, now time.Time, limit int) (due []Message, err error) {
	err = l.read(ctx, func(tx *tx) error {
		due, err = tx.messages(ctx, `WHERE m.state = 'queued' AND (m.retry_after IS NULL OR m.retry_after <= $1)
			AND (m.lease_until IS NULL OR m.lease_until <= $1) ORDER BY m.created, m.merchant, m.id LIMIT `+strconv.Itoa(limit), now.UnixMicro())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("messages that are due: %w", err)
	}
	return due, nil
}

// Message gives one message with its attachments. ErrNotFound.
func (l *Ledger) Message(ctx context.Context, merchant, id string) (m Message, err error) {
	err = l.read(ctx, func(tx *tx) error {
		m, err = tx.message(ctx, merchant, id)
		return err
	})
	if err != nil {
		return Message{}, fmt.Errorf("message %s: %w", id, err)
	}
	return m, nil
}

func (t *tx) message(ctx context.Context, merchant, id string) (Message, error) {
	found, err := t.messages(ctx, `WHERE m.merchant = $1 AND m.id = $2`, merchant, id)
	if err != nil {
		return Message{}, err
	}
	if len(found) == 0 {
		return Message{}, ErrNotFound
	}
	m := found[0]
	return m, t.each(ctx, func(rows *sql.Rows) error {
		var a Attachment
		err := rows.Scan(&a.Name, &a.MediaType, &a.Body)
		m.Attachments = append(m.Attachments, a)
		return err
	}, `SELECT name, media_type, body FROM message_attachment WHERE merchant = $1 AND message = $2 ORDER BY ord`, merchant, id)
}

// Messages lists a merchant's messages, the newest first, without attachments.
func (l *Ledger) Messages(ctx context.Context, merchant string, limit int) (all []Message, err error) {
	err = l.read(ctx, func(tx *tx) error {
		all, err = tx.messages(ctx, `WHERE m.merchant = $1 ORDER BY m.created DESC, m.id DESC LIMIT `+strconv.Itoa(limit), merchant)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	return all, nil
}

// HasMessage tells whether there is a message of an id.
func (l *Ledger) HasMessage(ctx context.Context, merchant, id string) (there bool, err error) {
	err = l.read(ctx, func(tx *tx) error {
		return tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM message WHERE merchant = $1 AND id = $2)`, merchant, id).Scan(&there)
	})
	if err != nil {
		return false, fmt.Errorf("message %s: %w", id, err)
	}
	return there, nil
}

// TakeMessage gives a queued message with its attachments into somebody's hand
// until a moment, so that two senders do not send it side by side, and counts the
// attempt. ErrLost: it is in other hands, or queued no longer.
func (l *Ledger) TakeMessage(ctx context.Context, merchant, id, owner string, now, until time.Time) (m Message, err error) {
	err = l.write(ctx, func(tx *tx) error {
		err := tx.one(ctx, `UPDATE message SET attempts = attempts + 1, lease_owner = $1, lease_until = $2
			WHERE merchant = $3 AND id = $4 AND state = 'queued' AND (lease_until IS NULL OR lease_until <= $5 OR lease_owner = $1)`,
			owner, until.UnixMicro(), merchant, id, now.UnixMicro())
		if errors.Is(err, ErrNotFound) {
			return ErrLost
		}
		if err != nil {
			return err
		}
		m, err = tx.message(ctx, merchant, id)
		return err
	})
	if err != nil {
		return Message{}, fmt.Errorf("take message %s: %w", id, err)
	}
	return m, nil
}

// MarkTried records what came of a sending: accepted and refused recipients stay
// so. With nobody left to try the message is sent, or failed where no recipient
// was accepted. ErrLost: it is queued no longer. ErrNotFound: an address that it
// does not have.
func (l *Ledger) MarkTried(ctx context.Context, merchant, id string, a Attempt) error {
	err := l.write(ctx, func(tx *tx) error {
		var state string
		err := tx.QueryRowContext(ctx, `SELECT state FROM message WHERE merchant = $1 AND id = $2`, merchant, id).Scan(&state)
		if err != nil {
			return missing(err)
		}
		if state != MessageQueued {
			return ErrLost
		}
		for _, r := range a.Recipients {
			if r.At.IsZero() {
				r.At = a.At
			}
			if r.State == "" {
				r.State = RecipientQueued
			}
			err := tx.one(ctx, `UPDATE message_recipient SET
				at = CASE WHEN state = 'accepted' THEN at ELSE $1 END, reason = CASE WHEN state = 'accepted' THEN reason ELSE $2 END,
				state = CASE WHEN state = 'accepted' THEN state ELSE $3 END
				WHERE merchant = $4 AND message = $5 AND address = $6`,
				r.At.UnixMicro(), r.Reason, r.State, merchant, id, r.Address)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Address, err)
			}
		}
		return tx.settleMessage(ctx, merchant, id, a)
	})
	if err != nil {
		return fmt.Errorf("message %s: %w", id, err)
	}
	return nil
}

func (t *tx) settleMessage(ctx context.Context, merchant, id string, a Attempt) error {
	var queued, accepted int
	var at time.Time
	err := t.QueryRowContext(ctx, `SELECT count(CASE WHEN state = 'queued' THEN 1 END), count(CASE WHEN state = 'accepted' THEN 1 END),
		min(CASE WHEN state = 'accepted' THEN at END) FROM message_recipient WHERE merchant = $1 AND message = $2`, merchant, id).
		Scan(&queued, &accepted, moment{&at})
	if err != nil {
		return err
	}
	state, finished := MessageQueued, time.Time{}
	if queued == 0 || a.GiveUp {
		state, finished = MessageFailed, a.At
		if accepted > 0 {
			state = MessageSent
		}
		a.RetryAfter = time.Time{}
	}
	return t.one(ctx, `UPDATE message SET state = $1, retry_after = $2, accepted_at = $3, finished = $4, reason = $5,
		lease_owner = NULL, lease_until = NULL WHERE merchant = $6 AND id = $7`,
		state, stamp(a.RetryAfter), stamp(at), stamp(finished), a.Reason, merchant, id)
}

// MarkMessageWritten records that a message was written as a file instead of
// being sent. ErrLost: it is queued no longer.
func (l *Ledger) MarkMessageWritten(ctx context.Context, merchant, id, place string, at time.Time) error {
	err := l.write(ctx, func(tx *tx) error {
		// What a server took of it before counts: then it was sent.
		err := tx.one(ctx, `UPDATE message SET state = CASE WHEN accepted_at IS NULL THEN 'written' ELSE 'sent' END, place = $1, finished = $2,
			retry_after = NULL, lease_owner = NULL, lease_until = NULL WHERE merchant = $3 AND id = $4 AND state = 'queued'`,
			place, at.UnixMicro(), merchant, id)
		if errors.Is(err, ErrNotFound) {
			return ErrLost
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("message %s: %w", id, err)
	}
	return nil
}

// putMessages queues messages.
func (t *tx) putMessages(ctx context.Context, merchant string, all []Message) error {
	for i := range all {
		m := &all[i]
		if m.Created.IsZero() {
			m.Created = t.now
		}
		_, err := t.ExecContext(ctx, `INSERT INTO message (merchant, id, message_id, kind, language, created, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, merchant, m.ID, m.MessageID, m.Kind, m.Language, m.Created.UnixMicro(), string(m.Data))
		if err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
		for k, r := range m.Recipients {
			_, err := t.ExecContext(ctx, `INSERT INTO message_recipient (merchant, message, ord, address) VALUES ($1, $2, $3, $4)`,
				merchant, m.ID, k, r.Address)
			if err != nil {
				return fmt.Errorf("message %s to %s: %w", m.ID, r.Address, err)
			}
		}
		for k, a := range m.Attachments {
			_, err := t.ExecContext(ctx, `INSERT INTO message_attachment (merchant, message, ord, name, media_type, body)
				VALUES ($1, $2, $3, $4, $5, $6)`, merchant, m.ID, k, a.Name, a.MediaType, a.Body)
			if err != nil {
				return fmt.Errorf("message %s, attachment %s: %w", m.ID, a.Name, err)
			}
		}
	}
	return nil
}
