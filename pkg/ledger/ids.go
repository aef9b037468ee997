package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"rensa/pkg/removal"
)

// IDs tells of the ids of a file which are used, as of the merchant's revision when it
// was made: most are new, and that is told without asking the database. It may be used
// by several goroutines.
type IDs struct {
	ledger   *Ledger
	merchant string
	filter   *idFilter
	waiting  []uint64 // hashes of ids and families of orders that wait in blocks, sorted
	unsure   bool     // of some of them the hashes are not known
}

// IDs reads what is needed to tell used ids of a merchant from new ones.
func (l *Ledger) IDs(ctx context.Context, merchant string) (*IDs, error) {
	var x *IDs
	read := func(tx *tx) error {
		x = &IDs{ledger: l, merchant: merchant}
		var orders int64
		err := tx.QueryRowContext(ctx, `SELECT orders FROM merchant WHERE id = $1`, merchant).Scan(&orders)
		if err != nil {
			return missing(err)
		}
		if x.filter, err = tx.filter(ctx, merchant); err != nil {
			return err
		}
		if err := tx.catchUp(ctx, merchant, x.filter, orders); err != nil {
			return err
		}
		return tx.each(ctx, x.wait, `SELECT ids FROM order_block WHERE merchant = $1`, merchant)
	}
	err := l.read(ctx, read)
	if err == nil && x.filter.anew {
		err = l.readOrders(ctx, merchant, read)
	}
	if err != nil {
		return nil, fmt.Errorf("ids: %w", err)
	}
	slices.Sort(x.waiting)
	return x, nil
}

func (x *IDs) wait(rows *sql.Rows) error {
	var block []byte
	if err := rows.Scan(&block); err != nil {
		return err
	}
	// Without its hashes a block costs time, and nothing else.
	var err error
	x.waiting, err = decodeHashes(x.waiting, block)
	x.unsure = x.unsure || err != nil
	return nil
}

// Maybe is a quick test: false means that the id is certainly unused, true that Used
// has to be asked.
func (x *IDs) Maybe(id []byte) bool { return x.filter.has(hashID(id)) }

// Used is UsedIDs for ids that Maybe does not know to be new. Of the blocks of orders
// that wait only those are entered that may have one of the ids, or of its family.
func (x *IDs) Used(ctx context.Context, ids []string) (map[string][]string, error) {
	asked := map[string]bool{}
	for ask := ids; ; {
		for _, id := range ask {
			asked[id] = true
		}
		if x.mayWait(ask) {
			if err := x.ledger.enterOrdersOf(ctx, x.merchant, ask); err != nil {
				return nil, fmt.Errorf("used ids: %w", err)
			}
		}
		used, families, err := x.ledger.usedIDs(ctx, x.ledger.read, x.merchant, ids)
		if err != nil {
			return nil, err
		}
		// Others of a family may wait.
		if ask = slices.DeleteFunc(families, func(id string) bool { return asked[id] }); !x.mayWait(ask) {
			return used, nil
		}
	}
}

// Orders is Ledger.Orders for ids that Used gave: orders that wait stay where they are.
func (x *IDs) Orders(ctx context.Context, ids []string) ([]removal.Order, error) {
	return x.ledger.orders(ctx, x.ledger.read, x.merchant, ids)
}

func (x *IDs) mayWait(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		_, found := slices.BinarySearch(x.waiting, hashID(id))
		return found || x.unsure
	})
}

func encodeHashes(hashes []uint64) []byte {
	w := &writer{b: openFrame(make([]byte, 0, frameSize+8*len(hashes)), blockHashes)}
	for _, h := range hashes {
		w.fixed64(h)
	}
	closeFrame(w.b)
	return w.b
}

// decodeHashes appends the hashes of a block. The errors are ErrDamaged and ErrNewer.
func decodeHashes(dst []uint64, block []byte) ([]uint64, error) {
	r, err := payload(block, blockHashes)
	if err != nil {
		return dst, err
	}
	for len(r.b) > 0 {
		dst = append(dst, r.fixed64())
	}
	return dst, r.end()
}
