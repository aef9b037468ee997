package ledger

import (
	"context"
	"fmt"
	"strconv"
)

// WorkFilter says which files to list; what is zero does not matter.
type WorkFilter struct {
	Merchant string // always needed
	State    string // one of the File constants
	Open     bool   // only those with which something is still to be done
	Limit    int    // default 100
	Cursor   string // from the list before, "" for the first
}

// ListWork lists the files of a merchant, the last taken first, and gives the
// cursor under which the list goes on, "" at its end. ErrCursor: the cursor is none
// of this list's.
func (l *Ledger) ListWork(ctx context.Context, f WorkFilter) (list []Work, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	c := &conditions{}
	c.add("f.merchant = " + c.mark(f.Merchant))
	if f.State != "" {
		c.add("f.state = " + c.mark(f.State))
	}
	if f.Open {
		c.add(stillOpen)
	}
	if err := c.cursor("f.seq", f.Cursor); err != nil {
		return nil, "", fmt.Errorf("list files: %w", err)
	}
	list, err = l.worksWhere(ctx, `WHERE `+c.String()+` ORDER BY f.seq DESC LIMIT `+strconv.Itoa(f.Limit+1), c.args...)
	if err != nil {
		return nil, "", fmt.Errorf("list files: %w", err)
	}
	if len(list) > f.Limit {
		list = list[:f.Limit]
		next = cursorAt(list[f.Limit-1].Seq)
	}
	return list, next, nil
}
