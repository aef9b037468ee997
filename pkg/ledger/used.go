package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
)

// UsedIDs tells which of any number of ids are used: an order has the id or was
// made from it, and the marketplace did not refuse it. The answer for such an id
// is the ids of its whole family, in the order in which they were made.
func (l *Ledger) UsedIDs(ctx context.Context, merchant string, ids []string) (map[string][]string, error) {
	used, _, err := l.usedIDs(ctx, l.readAll(merchant), merchant, ids)
	return used, err
}

// reading is a way to a transaction that reads.
type reading func(context.Context, func(*tx) error) error

// readAll is readOrders for one merchant.
func (l *Ledger) readAll(merchant string) reading {
	return func(ctx context.Context, fn func(*tx) error) error { return l.readOrders(ctx, merchant, fn) }
}

// usedIDs is UsedIDs within a transaction of read. It gives the names of the families
// too.
func (l *Ledger) usedIDs(ctx context.Context, read reading, merchant string, ids []string) (used map[string][]string, names []string, err error) {
	type member struct {
		seq int64
		id  string
	}
	families := map[string][]member{}
	familyOf := map[string]string{}
	err = read(ctx, func(tx *tx) error {
		seen := map[int64]bool{}
		take := func(rows *sql.Rows) error {
			var m member
			var family string
			if err := rows.Scan(&m.seq, &m.id, text{&family}); err != nil {
				return err
			}
			if family == "" {
				family = m.id
			}
			familyOf[m.id] = family
			if !seen[m.seq] {
				seen[m.seq] = true
				families[family] = append(families[family], m)
			}
			return nil
		}
		byID := func(marks string) string {
			return `SELECT seq, id, family FROM removal_order WHERE merchant = $1 AND state <> 'refused' AND id IN (` + marks + `)`
		}
		byFamily := func(marks string) string {
			return `SELECT seq, id, family FROM removal_order WHERE merchant = $1 AND state <> 'refused' AND family IN (` + marks + `)`
		}
		if err := tx.probe(ctx, merchant, ids, byID, take); err != nil {
			return err
		}
		if err := tx.probe(ctx, merchant, ids, byFamily, take); err != nil {
			return err
		}
		// An id that is itself a part or a follow-up brings in its whole family.
		asked := make(map[string]bool, len(ids))
		for _, id := range ids {
			asked[id] = true
		}
		var more []string
		for family := range families {
			if !asked[family] {
				more = append(more, family)
			}
		}
		slices.Sort(more)
		if err := tx.probe(ctx, merchant, more, byID, take); err != nil {
			return err
		}
		return tx.probe(ctx, merchant, more, byFamily, take)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("used ids: %w", err)
	}
	used = map[string][]string{}
	for _, id := range ids {
		family, ok := familyOf[id]
		if !ok {
			family = id
		}
		members := families[family]
		if len(members) == 0 || used[id] != nil {
			continue
		}
		slices.SortFunc(members, func(a, b member) int { return int(a.seq - b.seq) })
		for _, m := range members {
			used[id] = append(used[id], m.id)
		}
	}
	return used, slices.Collect(maps.Keys(families)), nil
}
