package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Release is what one call of ReleaseDue handed on.
type Release struct {
	Orders int
	Files  []ledger.Outbound
}

// ReleaseDue hands on the orders whose delay in planning is over: they become
// pending, each in exactly one outgoing file of at most the policy's MSKUs. It also
// writes outgoing files that an earlier call decided and could not write.
func (d *Desk) ReleaseDue(ctx context.Context, merchant string) (r Release, err error) {
	err = d.decide(ctx, merchant, func(m *removal.Merchant) error {
		r = Release{}
		c, err := d.due(ctx, m)
		if err != nil {
			return err
		}
		for i := range c.Outgoing {
			r.Files = append(r.Files, c.Outgoing[i].Outbound)
		}
		r.Orders = len(c.Changed)
		return d.change(ctx, m, c)
	})
	if err != nil {
		return Release{}, err
	}
	return r, d.FlushOutgoing(ctx, merchant)
}

func (d *Desk) due(ctx context.Context, m *removal.Merchant) (*ledger.Change, error) {
	c := &ledger.Change{}
	if any, err := d.opt.Ledger.HasState(ctx, m.ID, removal.StatePlanning); err != nil || !any {
		return c, err
	}
	store, err := d.store(m)
	if err != nil {
		return nil, err
	}
	waiting, err := d.opt.Ledger.RecordsIn(ctx, m.ID, removal.StatePlanning)
	if err != nil {
		return nil, err
	}
	now := d.now()
	var out []removal.Order
	for i := range waiting {
		r := waiting[i]
		if r.Created.Add(m.Profile.ReleaseDelay).After(now) {
			continue
		}
		r.State = removal.StatePending
		c.Changed = append(c.Changed, r)
		out = append(out, remaining(&r.Order))
	}
	for n, share := range Shares(out, store.MaxSKUsPerFile) {
		f, err := d.outgoing(m, "removal", n+1, share, now)
		if err != nil {
			return nil, err
		}
		c.Outgoing = append(c.Outgoing, f)
		for _, id := range f.Orders {
			c.Events = append(c.Events, ledger.Event{
				Actor: "rensa", Subject: ledger.SubjectOrder, ID: id, What: "released",
				From: string(removal.StatePlanning), To: string(removal.StatePending), Why: f.Name,
			})
		}
	}
	return c, nil
}

// remaining is an order as it goes out: what was cancelled before never does.
func remaining(o *removal.Order) removal.Order {
	out := *o
	out.Lines = nil
	for _, l := range o.Lines {
		s, u := l.Sellable.InProcess(), l.Unsellable.InProcess()
		if s+u == 0 {
			continue
		}
		l.Sellable, l.Unsellable = removal.Units{Requested: s}, removal.Units{Requested: u}
		out.Lines = append(out.Lines, l)
	}
	return out
}

// Shares cuts orders into files of at most so many distinct MSKUs, every order in
// exactly one, in their order.
func Shares(orders []removal.Order, most int) [][]removal.Order {
	var files [][]removal.Order
	begin, skus := 0, map[string]bool{}
	for i := range orders {
		fresh := 0
		for _, l := range orders[i].Lines {
			if !skus[l.SKU] {
				fresh++
			}
		}
		if i > begin && len(skus)+fresh > most {
			files = append(files, orders[begin:i])
			begin = i
			clear(skus)
		}
		for _, l := range orders[i].Lines {
			skus[l.SKU] = true
		}
	}
	if begin < len(orders) {
		files = append(files, orders[begin:])
	}
	return files
}

func (d *Desk) outgoing(m *removal.Merchant, word string, n int, orders []removal.Order, now time.Time) (ledger.Outgoing, error) {
	body, err := d.opt.Write(orders)
	if err != nil {
		return ledger.Outgoing{}, err
	}
	ids := make([]string, len(orders))
	for i := range orders {
		ids[i] = orders[i].ID
	}
	return outgoingFile(m, word, n, ids, body, ledger.OutboundOrders, now), nil
}

// outgoingFile names a file by its moment, so that names sort, and a hash, so that
// two of one moment differ.
func outgoingFile(m *removal.Merchant, word string, n int, ids []string, body []byte, kind string, now time.Time) ledger.Outgoing {
	zone, err := time.LoadLocation(m.Profile.TimeZone)
	if err != nil {
		zone = time.UTC // it only names a file
	}
	mark := sha256.Sum256([]byte(fmt.Sprintf("%s\x00%d\x00%s\x00%d", m.ID, m.Revision, strings.Join(ids, "\x00"), now.UnixNano())))
	sum := sha256.Sum256(body)
	return ledger.Outgoing{
		Kind: kind, Body: body,
		Outbound: ledger.Outbound{
			Merchant: m.ID, Name: fmt.Sprintf("%s-%s-%s-%d.tsv", word, now.In(zone).Format("20060102-150405"), hex.EncodeToString(mark[:4]), n),
			SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(body)), Orders: ids, Created: now,
		},
	}
}

// FlushOutgoing writes the outgoing files that were decided and are not in their
// place yet, as after a crash.
func (d *Desk) FlushOutgoing(ctx context.Context, merchant string) error {
	files, err := d.opt.Ledger.Unwritten(ctx, merchant)
	if err != nil {
		return err
	}
	for i := range files {
		if err := d.opt.Put(ctx, &files[i]); err != nil {
			return fmt.Errorf("outgoing file %s: %w", files[i].Name, err)
		}
		if err := d.opt.Ledger.MarkWritten(ctx, merchant, files[i].Name); err != nil {
			return err
		}
	}
	return nil
}

// fileName is an order id as a part of a file's name.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|. `, r) {
			return '_'
		}
		return r
	}, id)
}
