package nightly

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// The files that holds lead to.
const (
	DeadlinesFile    = "deadlines.xlsx"
	DeadlinesCSV     = "deadlines.csv"
	RequiredUpload   = "upload-required.tsv"
	workbookType     = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	uploadType       = "text/tab-separated-values; charset=utf-8"
	maxAttempts      = 50
	messageIDSegment = 12
)

// holding is a merchant's holds at a job's moment: settled on the orders and the
// snapshot as they are, and not committed.
type holding struct {
	*scene
	// today is midnight UTC of the day in storeZone, by which holds count.
	today     time.Time
	storeZone *time.Location
	snapshot  *inventory.Snapshot
	plan      *desk.HoldPlan
	made      []byte // the workbook
	policy    *policy.Set
}

// holding settles the holds. Without a snapshot there are none.
func (j *Jobs) holding(ctx context.Context, merchant string, at time.Time) (*holding, error) {
	h, err := j.holder(ctx, merchant, at)
	if err != nil {
		return nil, err
	}
	h.plan, err = desk.PlanHolds(ctx, j.Ledger, &h.merchant, h.store, h.snapshot, nil, at)
	return h, err
}

// holder is holding without the holds.
func (j *Jobs) holder(ctx context.Context, merchant string, at time.Time) (*holding, error) {
	sc, err := j.scene(ctx, merchant, at)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(sc.store.TimeZone)
	if err != nil {
		return nil, err
	}
	h := &holding{scene: sc, today: desk.Day(at, zone), storeZone: zone, policy: j.Policy}
	_, h.snapshot, err = j.Current(ctx, merchant)
	return h, err
}

// decide runs one decision until it is committed on the revision it was made on.
func (j *Jobs) decide(ctx context.Context, once func() error) error {
	for range maxAttempts {
		if err := once(); !errors.Is(err, ledger.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("decided %d times: %w", maxAttempts, ledger.ErrConflict)
}

// commit makes what was decided durable; nothing decided, nothing written.
func (j *Jobs) commit(ctx context.Context, h *holding, c *ledger.Change) error {
	c.Merchant, c.Revision, c.Holds = h.merchant.ID, h.merchant.Revision, &h.plan.Change
	if c.Empty() {
		return nil
	}
	return j.Ledger.Change(ctx, c)
}

// days counts from today to a day; below zero when it is past.
func (h *holding) days(to time.Time) int { return int(to.Sub(h.today) / (24 * time.Hour)) }

// row is a hold as a message and the list of deadlines show it.
func (h *holding) row(x *removal.Hold) removal.NoticeRow {
	r := removal.NoticeRow{
		Hold: x.ID, FNSKU: x.FNSKU, SKU: x.SKU, Title: x.Title, Condition: x.Condition.String(), Units: x.Units,
		Reason: x.Reason, Since: x.Since, Deadline: x.Deadline, DaysLeft: h.days(x.Deadline), Covered: x.Covered,
	}
	for _, c := range x.Covers {
		if c.Covered > 0 {
			r.CoveredBy = append(r.CoveredBy, c.Order)
		}
	}
	if x.Units > 0 {
		perUnit, ok, reason := h.fee(x)
		r.Fee, r.HasFee, r.NoFeeReason = perUnit*removal.Amount(x.Units), ok, reason
	}
	return r
}

// fee is what the disposal of one unit of a hold costs on the day after its
// deadline, or today where that is past.
func (h *holding) fee(x *removal.Hold) (removal.Amount, bool, string) {
	var p inventory.Product
	if pool := h.pool(x); pool >= 0 {
		p = h.snapshot.Product(pool)
	}
	on := x.Deadline.AddDate(0, 0, 1)
	if on.Before(h.today) {
		on = h.today
	}
	return h.policy.FeeCard(h.store, on).Fee(removal.Disposal, "", policy.Product{
		WeightG: p.WeightG, HasWeight: p.HasWeight, HasSize: p.HasSize,
		LongestMM: p.LongestMM, MedianMM: p.MedianMM, ShortestMM: p.ShortestMM,
	})
}

// pool is where a hold's units are in the snapshot, below zero for nowhere.
func (h *holding) pool(x *removal.Hold) int32 {
	if h.snapshot == nil {
		return -1
	}
	return h.snapshot.FindPool(x.Pool)
}

// notice begins a message with the rows of some holds, the earliest deadline first.
func (h *holding) notice(kind removal.NoticeKind, rows []removal.NoticeRow) *removal.Notice {
	p := &h.merchant.Profile
	n := &removal.Notice{
		Kind: kind, Merchant: h.merchant.ID, MerchantName: p.Name, Store: p.HomeStore, Language: p.Language, Date: h.today,
		Currency: h.store.Currency, AutoDispose: p.AutoDispose, Holds: len(rows),
	}
	slices.SortStableFunc(rows, func(a, b removal.NoticeRow) int {
		return cmp.Or(a.Deadline.Compare(b.Deadline), cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Hold, b.Hold))
	})
	for i := range rows {
		r := &rows[i]
		n.Units += r.Units
		n.Fee += r.Fee
		if !r.HasFee {
			n.NoFee += r.Units
			n.NoFeeReason = cmp.Or(n.NoFeeReason, r.NoFeeReason)
		}
	}
	if len(rows) > 0 {
		n.First = rows[0].Deadline
	}
	n.Rows = rows[:min(len(rows), removal.MaxNoticeRows)]
	n.More = len(rows) - len(n.Rows)
	return n
}

// message puts a notice into the outbox. Its mail id is fixed with it: what tells
// two workspaces of one merchant apart is what they say and when.
func (h *holding) message(id string, n *removal.Notice, attachments []ledger.Attachment) (ledger.Message, error) {
	data, err := json.Marshal(n)
	if err != nil {
		return ledger.Message{}, err
	}
	mark := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s", h.merchant.ID, id, h.at.UnixNano(), data))
	m := ledger.Message{
		Merchant: h.merchant.ID, ID: id, MessageID: fmt.Sprintf("%s.%s@rensa.invalid", id, hex.EncodeToString(mark[:messageIDSegment])),
		Kind: string(n.Kind), Language: n.Language, Created: h.at.UTC().Truncate(time.Microsecond), Data: data, Attachments: attachments,
	}
	for _, address := range h.merchant.Profile.Notify {
		if !slices.ContainsFunc(m.Recipients, func(r ledger.Recipient) bool { return r.Address == address }) {
			m.Recipients = append(m.Recipients, ledger.Recipient{Address: address})
		}
	}
	return m, nil
}

// workbook is the list of deadlines as a workbook, made once.
func (h *holding) workbook() ([]byte, error) {
	if h.made == nil {
		var book bytes.Buffer
		if err := h.deadlines().XLSX(&book); err != nil {
			return nil, err
		}
		h.made = book.Bytes()
	}
	return h.made, nil
}

// deadlines is the list of all that is held or covered.
func (h *holding) deadlines() *report.Deadlines {
	d := &report.Deadlines{Language: h.merchant.Profile.Language, Date: h.today, Currency: h.store.Currency, CSVBOM: h.merchant.Profile.CSVBOM}
	for i := range h.plan.Live {
		x := &h.plan.Live[i]
		if x.Units+x.Covered > 0 {
			d.Rows = append(d.Rows, report.Deadline{NoticeRow: h.row(x), Pool: x.Pool, Steps: x.Steps})
		}
	}
	d.Sort()
	return d
}

// Deadlines gives the list of what is held, and until when, as it is at a moment.
// Nothing is written.
func (j *Jobs) Deadlines(ctx context.Context, merchant string, at time.Time) (*report.Deadlines, error) {
	h, err := j.holding(ctx, merchant, at)
	if err != nil {
		return nil, err
	}
	return h.deadlines(), nil
}

// DeadlinesOf is Deadlines for one pool of the merchant's current snapshot, by its
// key: to settle a million others takes ten seconds.
func (j *Jobs) DeadlinesOf(ctx context.Context, merchant, key string, at time.Time) (*report.Deadlines, error) {
	h, err := j.holder(ctx, merchant, at)
	if err != nil {
		return nil, err
	}
	h.plan = &desk.HoldPlan{}
	if h.snapshot != nil {
		if pool := h.snapshot.FindPool(key); pool >= 0 {
			h.plan, err = desk.PlanPool(ctx, j.Ledger, &h.merchant, h.store, h.snapshot, pool, at)
		}
	}
	if err != nil {
		return nil, err
	}
	return h.deadlines(), nil
}

// upload makes a file that takes all that is held, ready to be dropped: by the
// profile's method, but disposal for what must not be returned. Where a return
// has no address there is none, and reason says so.
func (j *Jobs) upload(h *holding) (body []byte, reason string, err error) {
	p := &h.merchant.Profile
	returned := removal.Order{Method: removal.Return, Address: p.ReturnAddress}
	disposed := removal.Order{Method: removal.Disposal}
	place := map[string]int{}
	for i := range h.plan.Live {
		x := &h.plan.Live[i]
		if x.Units == 0 {
			continue
		}
		o := &returned
		if p.DefaultMethod == removal.Disposal || !h.returnable(x) {
			o = &disposed
		}
		key := o.Method.String() + "\x00" + x.SKU
		k, ok := place[key]
		if !ok {
			k = len(o.Lines)
			place[key] = k
			o.Lines = append(o.Lines, removal.Line{SKU: x.SKU, FNSKU: x.FNSKU})
		}
		o.Lines[k].Units(x.Condition).Requested += x.Units
	}
	if len(returned.Lines) > 0 && p.ReturnAddress.IsZero() {
		return nil, removal.NoUploadAddress, nil
	}
	var orders []removal.Order
	for _, o := range []removal.Order{returned, disposed} {
		if len(o.Lines) > 0 {
			orders = append(orders, o)
		}
	}
	if len(orders) == 0 {
		return nil, "", nil
	}
	body, err = j.Desk.Upload(orders)
	return body, "", err
}

// returnable tells whether the units of a hold may be returned at all.
func (h *holding) returnable(x *removal.Hold) bool {
	pool := h.pool(x)
	if pool < 0 {
		return true
	}
	return h.store.HazmatReturnable(h.snapshot.Product(pool).HazmatClass) &&
		(h.store.RecalledReturnable || h.snapshot.RecalledOf(pool, x.Condition) == 0)
}

// attachments are the list of deadlines and the ready upload.
func (j *Jobs) attachments(h *holding, n *removal.Notice) ([]ledger.Attachment, error) {
	book, err := h.workbook()
	if err != nil {
		return nil, err
	}
	all := []ledger.Attachment{{Name: DeadlinesFile, MediaType: workbookType, Body: book}}
	body, reason, err := j.upload(h)
	if err != nil {
		return nil, err
	}
	n.Method, n.NoUpload = h.merchant.Profile.DefaultMethod.String(), reason
	if body != nil {
		all = append(all, ledger.Attachment{Name: RequiredUpload, MediaType: uploadType, Body: body})
	}
	return all, nil
}

// write writes the list of deadlines and the ready upload into a report folder of
// the job.
func (j *Jobs) write(h *holding, job string, rehearse bool) (dir string, err error) {
	if rehearse {
		job += "-rehearsal"
	}
	book, err := h.workbook()
	if err != nil {
		return "", err
	}
	body, _, err := j.upload(h)
	if err != nil {
		return "", err
	}
	put := func(b []byte) func(io.Writer) error {
		return func(w io.Writer) error {
			_, err := w.Write(b)
			return err
		}
	}
	files := []output{{DeadlinesFile, put(book)}, {DeadlinesCSV, h.deadlines().CSV}}
	if body != nil {
		files = append(files, output{RequiredUpload, put(body)})
	}
	return j.folder(h.scene, job, files)
}

func hiddenName(dir string) string { return path.Join(path.Dir(dir), "."+path.Base(dir)) }
