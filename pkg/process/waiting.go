package process

import (
	"rensa/pkg/ledger"
	"rensa/pkg/storage"
)

// waiting are packed blocks that wait for the commit, in their order.
type waiting struct {
	spool *storage.Spool
	refs  []storage.Ref
}

func (w *waiting) add(block []byte) error {
	ref, err := w.spool.Append(block)
	w.refs = append(w.refs, ref)
	return err
}

// each gives the blocks that are not empty, one after another in the same memory.
func (w *waiting) each(yield func(block []byte) error) (err error) {
	var b []byte
	for _, ref := range w.refs {
		if ref.Len == 0 {
			continue
		}
		if b, err = w.spool.Read(b, ref); err != nil {
			return err
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

// waitingOrders are blocks of packed orders: of each the orders and their ids.
type waitingOrders struct {
	waiting
	entries []int
}

func (w *waitingOrders) put(b ledger.OrderBlock) error {
	if err := w.add(b.Orders); err != nil {
		return err
	}
	w.entries = append(w.entries, b.Entries)
	return w.add(b.IDs)
}

func (w *waitingOrders) blocks(yield func(ledger.OrderBlock) error) error {
	var b ledger.OrderBlock
	var err error
	for i, n := range w.entries {
		b.Entries = n
		if b.Orders, err = w.spool.Read(b.Orders, w.refs[2*i]); err != nil {
			return err
		}
		if b.IDs, err = w.spool.Read(b.IDs, w.refs[2*i+1]); err != nil {
			return err
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}
