package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/report"
)

// Recommended is what should be removed before the next clean-up.
type Recommended struct {
	CleanUp  string            `json:"clean_up" format:"date"`
	FromDays int               `json:"charged_from_days" doc:"the age that is charged"`
	Snapshot string            `json:"snapshot_date"`
	Currency string            `json:"currency"`
	SKUs     int               `json:"skus" doc:"rows of the whole list"`
	Units    int64             `json:"units" doc:"to remove, of the whole list"`
	Rows     []RecommendedItem `json:"rows" nullable:"false"`
	Next     string            `json:"next" doc:"the cursor of the next page; empty at the end"`
}

// RecommendedItem is one SKU that will be charged.
type RecommendedItem struct {
	SKU         string  `json:"sku"`
	FNSKU       string  `json:"fnsku"`
	ASIN        string  `json:"asin"`
	Title       string  `json:"title"`
	Sellable    int64   `json:"sellable"`
	Unsellable  int64   `json:"unsellable"`
	Aged        int64   `json:"aged" doc:"units that will be charged"`
	AtLeast     bool    `json:"at_least" doc:"there may be more"`
	Basis       string  `json:"basis" doc:"what the age is known from"`
	Open        int64   `json:"open" doc:"units of them that removals take already"`
	Remove      int64   `json:"remove"`
	Surcharge   *string `json:"surcharge" doc:"that removing them avoids, a decimal; null where no rate is known"`
	ReturnFee   *string `json:"return_fee" doc:"null where no rate is known"`
	DisposalFee *string `json:"disposal_fee" doc:"null where no rate is known"`
	Expected    *int64  `json:"expected_sales" doc:"units that will be sold before the clean-up; null where that is not known"`
	CoverDays   *int64  `json:"cover_days" doc:"how long the stock lasts; null where that is not known"`
	Cheaper     string  `json:"cheaper" enum:"unknown,keep,return,disposal"`
}

// Hold is units that wait to be disposed of.
type Hold struct {
	ID          int64    `json:"hold"`
	SKU         string   `json:"sku"`
	FNSKU       string   `json:"fnsku"`
	Title       string   `json:"title"`
	Condition   string   `json:"condition" enum:"sellable,unsellable"`
	Units       int64    `json:"units"`
	Reason      string   `json:"reason"`
	Since       string   `json:"since" format:"date"`
	Deadline    string   `json:"deadline" format:"date"`
	DaysLeft    int      `json:"days_left" doc:"below zero when the deadline is past"`
	Notices     []Notice `json:"notices" nullable:"false"`
	Covered     int64    `json:"covered_units"`
	CoveredBy   []string `json:"covered_by" nullable:"false" doc:"orders that take units of it"`
	Fee         *string  `json:"fee" doc:"if nothing is done; null where no rate is known"`
	NoFeeReason string   `json:"no_fee_reason"`
}

// Notice is a step that was told of.
type Notice struct {
	Step     string `json:"step"`
	Day      string `json:"day" format:"date"`
	Accepted string `json:"accepted_at" doc:"by the mail server; empty while it was not"`
}

// plannedOperations are those of scheduled work; what the server has no part for is
// not offered.
func (a *API) plannedOperations() {
	look, act := need{role: ledger.RoleViewer}, need{role: ledger.RoleOperator}
	start := func(path, id, summary string) huma.Operation {
		o := operation(http.MethodPost, path, id, "Planned", summary, "Drafts to be reviewed and placed; nothing is reserved yet.")
		o.DefaultStatus = http.StatusCreated
		return o
	}
	if a.Recommend != nil {
		add(a, operation(http.MethodGet, "/recommended", "showRecommended", "Planned", "What should be removed before the next clean-up", ""), look, a.showRecommended)
		get := operation(http.MethodGet, "/recommended/{name}", "getRecommended", "Planned", "Download the Recommended Removal report", "")
		name := inPath("name", "which form")
		name.Schema = text("recommended.tsv", "recommended.xlsx")
		get.Parameters = []*huma.Param{name, merchantQuery()}
		get.Responses = download("text/tab-separated-values", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		a.addRaw(get, look, a.getRecommended)
		add(a, start("/recommended/start", "startRecommended", "Make drafts of what is recommended"), act, a.startRecommended)
	}
	if a.Deadlines != nil {
		add(a, operation(http.MethodGet, "/deadlines", "listDeadlines", "Planned", "What waits to be disposed of, the earliest deadline first", ""), look, a.listDeadlines)
		add(a, start("/deadlines/start", "startRequired", "Make drafts of what waits to be disposed of"), act, a.startRequired)
	}
	if a.Scheduler != nil {
		a.jobOperations(look, act)
	}
}

// window gives one page of a list that is whole in memory.
func window(n int, in *PageParams) (from, to int, next string, err error) {
	if in.Cursor != "" {
		at, err := strconv.ParseInt(in.Cursor, 36, 32)
		if err != nil || at <= 0 || int(at) > n {
			return 0, 0, "", ledger.ErrCursor
		}
		from = int(at)
	}
	if to = min(from+in.Limit, n); to < n {
		next = strconv.FormatInt(int64(to), 36)
	}
	return from, to, next, nil
}

type pageInput struct {
	MerchantParam
	PageParams
}

type recommendedOutput struct{ Body Recommended }

func (a *API) showRecommended(ctx context.Context, c *call, in *pageInput) (*recommendedOutput, error) {
	r, _, err := a.Recommend(ctx, c.merchant.ID, a.Now())
	if err != nil {
		return nil, err
	}
	from, to, next, err := window(len(r.Rows), &in.PageParams)
	if err != nil {
		return nil, err
	}
	totals := r.Totals()
	out := &recommendedOutput{Body: Recommended{
		CleanUp: r.CleanUp.Format(time.DateOnly), FromDays: r.FromDays, Snapshot: report.Moment(r.Snapshot, r.SnapshotHasTime, c.zone),
		Currency: r.Currency, SKUs: len(r.Rows), Units: totals.Units, Rows: []RecommendedItem{}, Next: next,
	}}
	for i := from; i < to; i++ {
		row := &r.Rows[i]
		out.Body.Rows = append(out.Body.Rows, RecommendedItem{
			SKU: row.SKU, FNSKU: row.FNSKU, ASIN: row.ASIN, Title: row.Title, Sellable: row.Sellable, Unsellable: row.Unsellable,
			Aged: row.Aged, AtLeast: row.AtLeast, Basis: row.Basis, Open: row.Open, Remove: row.Remove,
			Surcharge: figure(row.Surcharge), ReturnFee: figure(row.ReturnFee), DisposalFee: figure(row.DisposalFee),
			Expected: known(row.Expected), CoverDays: known(row.CoverDays), Cheaper: string(row.Cheaper),
		})
	}
	return out, nil
}

func figure(f report.Figure) *string {
	if !f.Known {
		return nil
	}
	return amount(f.Amount)
}

// known is a number that is below zero where it is not known.
func known(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

func (a *API) getRecommended(w http.ResponseWriter, r *http.Request, c *call) error {
	made, _, err := a.Recommend(r.Context(), c.merchant.ID, a.Now())
	if err != nil {
		return err
	}
	var write func(io.Writer) error
	name := r.PathValue("name")
	switch name {
	case "recommended.tsv":
		write = made.TSV
	case "recommended.xlsx":
		write = made.XLSX
	default:
		return refuse(http.StatusNotFound, "report_unknown")
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	send(w, r, name, bytes.NewReader(b.Bytes()))
	return nil
}

type startOutput struct {
	Body struct {
		Drafts []OrderEntry `json:"drafts" nullable:"false"`
	}
}

type startInput struct {
	MerchantParam
	Body struct {
		All  bool     `json:"all,omitempty" doc:"the whole list"`
		SKUs []string `json:"skus,omitempty" nullable:"false" maxItems:"100000" doc:"rows of the list"`
	}
}

// startRecommended makes drafts of rows: of each no more than is recommended now.
func (a *API) startRecommended(ctx context.Context, c *call, in *startInput) (*startOutput, error) {
	ctx = context.WithoutCancel(ctx)
	r, only, err := a.Recommend(ctx, c.merchant.ID, a.Now())
	if err != nil {
		return nil, err
	}
	units := map[string]int64{}
	for i := range r.Rows {
		units[r.Rows[i].SKU] = r.Rows[i].Remove
	}
	most := units
	if !in.Body.All {
		most = map[string]int64{}
		for _, sku := range in.Body.SKUs {
			n, ok := units[sku]
			if !ok {
				return nil, refuse(http.StatusConflict, "not_listed", "what", sku)
			}
			most[sku] = n
		}
	}
	return a.startDrafts(ctx, c, only(most))
}

func (a *API) startDrafts(ctx context.Context, c *call, batches []desk.Batch) (*startOutput, error) {
	if len(batches) == 0 {
		return nil, refuse(http.StatusConflict, "nothing_to_start")
	}
	drafts, err := a.Desk.CreateAll(ctx, c.merchant.ID, c.actor(), batches)
	if err != nil {
		return nil, err
	}
	currency, err := a.currency(c)
	out := &startOutput{}
	out.Body.Drafts = []OrderEntry{}
	for i := range drafts {
		out.Body.Drafts = append(out.Body.Drafts, c.draftDetails(&drafts[i], currency).OrderEntry)
	}
	return out, err
}

type deadlinesOutput struct {
	Body struct {
		Date     string `json:"date" format:"date"`
		Currency string `json:"currency"`
		Holds    []Hold `json:"holds" nullable:"false"`
		Next     string `json:"next" doc:"the cursor of the next page; empty at the end"`
	}
}

func (a *API) listDeadlines(ctx context.Context, c *call, in *pageInput) (*deadlinesOutput, error) {
	list, err := a.Deadlines(ctx, c.merchant.ID, a.Now())
	if err != nil {
		return nil, err
	}
	out := &deadlinesOutput{}
	b := &out.Body
	from, to, next, err := window(len(list.Rows), &in.PageParams)
	b.Date, b.Currency, b.Holds, b.Next = list.Date.Format(time.DateOnly), list.Currency, []Hold{}, next
	for i := from; i < to; i++ {
		b.Holds = append(b.Holds, c.hold(&list.Rows[i]))
	}
	return out, err
}

func (c *call) hold(d *report.Deadline) Hold {
	h := Hold{
		ID: d.Hold, SKU: d.SKU, FNSKU: d.FNSKU, Title: d.Title, Condition: d.Condition, Units: d.Units, Reason: string(d.Reason),
		Since: d.Since.Format(time.DateOnly), Deadline: d.Deadline.Format(time.DateOnly), DaysLeft: d.DaysLeft, Notices: []Notice{},
		Covered: d.Covered, CoveredBy: append([]string{}, d.CoveredBy...), NoFeeReason: d.NoFeeReason,
	}
	if d.HasFee {
		h.Fee = amount(d.Fee)
	}
	for _, s := range d.Steps {
		h.Notices = append(h.Notices, Notice{s.Step, s.Day.Format(time.DateOnly), c.time(s.AcceptedAt)})
	}
	return h
}

type startHoldsInput struct {
	MerchantParam
	Body struct {
		All   bool    `json:"all,omitempty" doc:"the whole list"`
		Holds []int64 `json:"holds,omitempty" nullable:"false" maxItems:"100000" doc:"holds of the list"`
	}
}

// startRequired makes drafts of what is held, in the way of the merchant's profile.
func (a *API) startRequired(ctx context.Context, c *call, in *startHoldsInput) (*startOutput, error) {
	ctx = context.WithoutCancel(ctx)
	list, err := a.Deadlines(ctx, c.merchant.ID, a.Now())
	if err != nil {
		return nil, err
	}
	chosen := map[int64]bool{}
	for _, id := range in.Body.Holds {
		chosen[id] = true
	}
	var draft desk.Draft
	for i := range list.Rows {
		row := &list.Rows[i]
		if row.Units == 0 || !in.Body.All && !chosen[row.Hold] {
			continue
		}
		it := desk.Item{SKU: row.SKU, Unsellable: row.Units}
		if row.Condition == "sellable" {
			it = desk.Item{SKU: row.SKU, Sellable: row.Units}
		}
		if err := draft.Add(it); err != nil {
			return nil, err
		}
	}
	if len(draft.Items) == 0 {
		return nil, refuse(http.StatusConflict, "nothing_to_start")
	}
	batches, err := a.Desk.Share(ctx, c.merchant.ID, draft.Items)
	if err != nil {
		return nil, err
	}
	return a.startDrafts(ctx, c, batches)
}
