package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// SentRow is an outgoing file in a list.
type SentRow struct {
	Outbound
	Kind string // OutboundOrders or OutboundCancel
	// Answered is the run of the processing report that answered it, "" while none has.
	Answered string
	// Written is false until the file is known to be in its place.
	Written bool
}

// SentFilter says which outgoing files to list; what is zero does not matter.
type SentFilter struct {
	Merchant   string // always needed
	Kind       string
	Unanswered bool   // only files of orders that no processing report has answered
	Name       string // only the file of this name
	Limit      int    // default 100
	Cursor     string // from the list before, "" for the first
}

// ListSent lists outgoing files, the newest first, and gives the cursor under
// which the list goes on, "" at its end. ErrCursor: the cursor is none of this
// list's.
func (l *Ledger) ListSent(ctx context.Context, f SentFilter) (list []SentRow, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	c := &conditions{}
	c.add("o.merchant = " + c.mark(f.Merchant))
	if f.Kind != "" {
		c.add("o.kind = " + c.mark(f.Kind))
	}
	if f.Unanswered {
		c.add("o.kind = 'orders' AND o.answered IS NULL")
	}
	if f.Name != "" {
		c.add("o.name = " + c.mark(f.Name))
	}
	if f.Cursor != "" {
		// Several files are made at one moment: those of one are told apart by name.
		at, name, ok := strings.Cut(f.Cursor, ".")
		created, err := strconv.ParseInt(at, 36, 64)
		if !ok || err != nil || name == "" {
			return nil, "", fmt.Errorf("list outgoing files: %w", ErrCursor)
		}
		moment := c.mark(created)
		c.add("(o.created < " + moment + " OR o.created = " + moment + " AND o.name < " + c.mark(name) + ")")
	}
	err = l.read(ctx, func(tx *tx) error {
		return tx.each(ctx, func(rows *sql.Rows) error {
			r := SentRow{Outbound: Outbound{Merchant: f.Merchant}}
			var orders string
			if err := rows.Scan(&r.Name, &r.SHA256, &r.Bytes, &r.Run, moment{&r.Created}, &orders, &r.Kind, text{&r.Answered}, &r.Written); err != nil {
				return err
			}
			err := json.Unmarshal([]byte(orders), &r.Orders)
			list = append(list, r)
			return err
		}, `SELECT o.name, o.sha256, o.bytes, o.run, o.created, o.orders, o.kind, o.answered,
			NOT EXISTS (SELECT 1 FROM outbound_body AS b WHERE b.merchant = o.merchant AND b.name = o.name)
			FROM outbound AS o WHERE `+c.String()+` ORDER BY o.created DESC, o.name DESC LIMIT `+strconv.Itoa(f.Limit+1), c.args...)
	})
	if err != nil {
		return nil, "", fmt.Errorf("list outgoing files: %w", err)
	}
	if len(list) > f.Limit {
		list = list[:f.Limit]
		last := &list[f.Limit-1]
		next = strconv.FormatInt(last.Created.UnixMicro(), 36) + "." + last.Name
	}
	return list, next, nil
}
