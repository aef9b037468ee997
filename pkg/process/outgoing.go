package process

import (
	"encoding/json"
	"errors"

	"golang.org/x/sync/errgroup"

	"rensa/pkg/ledger"
	"rensa/pkg/storage"
	"rensa/pkg/upload"
)

// outgoing shares the accepted orders of an upload out over the files in which they
// are handed on, as desk.Shares does: each order in exactly one file, no file with
// more SKUs than the policy allows but for an order that has more by itself. Full
// files are written while the next is being filled.
type outgoing struct {
	j   *job
	run *ledger.Run
	pl  *place
	// spool has the lists of orders of the files that are full.
	spool *storage.Spool
	most  int // distinct SKUs a file

	ids  []string
	body []byte
	skus int
	// mark says by SKU in which file, from 1, it was last.
	mark  []int32
	files []*ledger.Outbound

	writing errgroup.Group
	spare   chan []byte // of files that are written
}

// writers is how many files are synced at once.
const writers = 2

func newOutgoing(j *job, run *ledger.Run, pl *place, spool *storage.Spool, skus, most int) *outgoing {
	o := &outgoing{j: j, run: run, pl: pl, spool: spool, most: most, mark: make([]int32, skus), spare: make(chan []byte, writers)}
	o.writing.SetLimit(writers)
	return o
}

// add takes the next order.
func (o *outgoing) add(id string, made *madeOrder) error {
	file, fresh := int32(len(o.files)+1), 0
	for _, item := range made.items {
		if o.mark[item] != file {
			fresh++
		}
	}
	if len(o.ids) > 0 && o.skus+fresh > o.most {
		if err := o.close(); err != nil {
			return err
		}
		file, fresh = file+1, len(made.items)
	}
	for _, item := range made.items {
		o.mark[item] = file
	}
	if len(o.ids) == 0 {
		select {
		case o.body = <-o.spare:
		default:
		}
		o.body = upload.AppendHeadings(o.body[:0])
	}
	o.ids = append(o.ids, id)
	o.body = append(grow(o.body, len(made.rows)), made.rows...)
	o.skus += fresh
	return nil
}

// close hands the file at hand over to be written.
func (o *outgoing) close() error {
	if len(o.ids) == 0 {
		return nil
	}
	file, body := outboundOf(o.j, o.run, len(o.files)+1), o.body
	list, err := json.Marshal(o.ids)
	if err != nil {
		return err
	}
	ref, err := o.spool.Append(list)
	if err != nil {
		return err
	}
	file.Listed = len(o.ids)
	spool := o.spool // and nothing else of o is kept by the list
	file.List = func() ([]byte, error) { return spool.Read(nil, ref) }
	o.files = append(o.files, &file)
	o.ids, o.skus = o.ids[:0], 0
	if o.pl.outgoing == nil {
		return nil // a check hands nothing on
	}
	o.body = nil
	o.writing.Go(func() error {
		err := o.pl.putOutbound(o.j, &file, body)
		select {
		case o.spare <- body:
		default:
		}
		return err
	})
	return nil
}

// end closes the last file and waits for all of them. It adds to the error that
// ended the rows. A nil receiver hands nothing on.
func (o *outgoing) end(failed error) ([]ledger.Outbound, error) {
	if o == nil {
		return nil, failed
	}
	if failed == nil {
		failed = o.close()
	}
	if err := errors.Join(failed, o.writing.Wait()); err != nil {
		return nil, err
	}
	files := make([]ledger.Outbound, len(o.files))
	for i, f := range o.files {
		files[i] = *f
	}
	return files, nil
}
