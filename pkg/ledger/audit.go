package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"
)

// Note is one thing that was done and concerns no merchant: somebody signed in,
// failed to, or changed a user or a token.
type Note struct {
	At      time.Time // the ledger's to give
	Actor   string
	What    string // "signed in", "sign-in refused", "user added" …
	Subject string // the user or token that it was done to
	Detail  string
	Address string // where the request came from
}

// AddNote writes notes.
func (l *Ledger) AddNote(ctx context.Context, notes ...Note) error {
	if err := l.write(ctx, func(tx *tx) error { return tx.putNotes(ctx, notes) }); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

func (t *tx) putNotes(ctx context.Context, notes []Note) error {
	for _, n := range notes {
		_, err := t.ExecContext(ctx, `INSERT INTO audit (at, actor, what, subject, detail, address) VALUES ($1, $2, $3, $4, $5, $6)`,
			t.now.UnixMicro(), n.Actor, n.What, n.Subject, n.Detail, n.Address)
		if err != nil {
			return fmt.Errorf("note %s: %w", n.What, err)
		}
	}
	return nil
}

// Notes lists notes, newest first, and gives the cursor under which the list goes
// on, "" at its end. limit <= 0: 100. ErrCursor.
func (l *Ledger) Notes(ctx context.Context, limit int, cursor string) (list []Note, next string, err error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	c := &conditions{}
	c.add("true")
	if err := c.cursor("seq", cursor); err != nil {
		return nil, "", fmt.Errorf("audit: %w", err)
	}
	var seqs []int64
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			var seq int64
			var n Note
			err := rows.Scan(&seq, moment{&n.At}, &n.Actor, &n.What, &n.Subject, &n.Detail, &n.Address)
			list, seqs = append(list, n), append(seqs, seq)
			return err
		}, `SELECT seq, at, actor, what, subject, detail, address FROM audit WHERE `+c.String()+` ORDER BY seq DESC LIMIT `+strconv.Itoa(limit+1), c.args...)
	})
	if err != nil {
		return nil, "", fmt.Errorf("audit: %w", err)
	}
	if len(list) > limit {
		list, next = list[:limit], cursorAt(seqs[limit-1])
	}
	return list, next, nil
}
