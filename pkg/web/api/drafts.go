package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Item is one SKU of a draft with what is asked of it.
type Item struct {
	SKU        string `json:"sku" minLength:"1" maxLength:"200"`
	Sellable   int64  `json:"sellable,omitempty" minimum:"0" maximum:"1000000000"`
	Unsellable int64  `json:"unsellable,omitempty" minimum:"0" maximum:"1000000000"`
}

// NewDraft is what a draft is made of.
type NewDraft struct {
	ID      string   `json:"id,omitempty" maxLength:"40" doc:"empty: one is generated"`
	Method  string   `json:"method,omitempty" enum:"return,disposal" doc:"default: the merchant's"`
	Address *Address `json:"address,omitempty" doc:"of a return; default: the merchant's return address"`
	Notes   string   `json:"notes,omitempty" maxLength:"1000"`
	Items   []Item   `json:"items,omitempty" nullable:"false" maxItems:"100000"`
}

// DraftChange changes a draft: all of it, or nothing.
type DraftChange struct {
	ID      string   `json:"id,omitempty" maxLength:"40" doc:"another id"`
	Method  string   `json:"method,omitempty" enum:"return,disposal"`
	Address *Address `json:"address,omitempty" doc:"takes the place of the whole address"`
	Notes   *string  `json:"notes,omitempty" maxLength:"1000"`
	Add     []Item   `json:"add,omitempty" nullable:"false" maxItems:"100000" doc:"what is asked of a SKU that is there is added up"`
	Set     []Item   `json:"set,omitempty" nullable:"false" maxItems:"100000" doc:"changes what is asked of SKUs that are there"`
	Remove  []string `json:"remove,omitempty" nullable:"false" maxItems:"100000" doc:"SKUs"`
}

// Review is a draft as it would be placed now.
type Review struct {
	Placeable      bool         `json:"placeable"`
	UploadRequired bool         `json:"upload_required" doc:"only its destination stands in the way: it can be made by the file of upload_href"`
	UploadHref     string       `json:"upload_href" doc:"empty where there is no such file"`
	Items          []ReviewItem `json:"items" nullable:"false"`
	Fee            *string      `json:"fee" doc:"estimate, a decimal; null where no item has a figure"`
	Currency       string       `json:"currency"`
	NoFee          int          `json:"lines_without_figure"`
	NoFeeReason    string       `json:"no_fee_reason"`
	SnapshotDate   string       `json:"snapshot_date"`
	Shipping       Window       `json:"shipping"`
	Findings       []ItemFound  `json:"findings" nullable:"false"`
}

// ReviewItem is one item with what would be taken.
type ReviewItem struct {
	SKU     string     `json:"sku"`
	FNSKU   string     `json:"fnsku"`
	Title   string     `json:"title"`
	Asked   Conditions `json:"asked"`
	Taken   Conditions `json:"taken"`
	Fee     *string    `json:"fee" doc:"a decimal; null where there is no figure"`
	Refused bool       `json:"refused"`
}

// ItemFound is what was found about an item, or about the order where it has no SKU.
type ItemFound struct {
	SKU string `json:"sku"`
	Finding
}

// Window is when the units are expected to have left.
type Window struct {
	Speed   string `json:"speed" enum:"standard"`
	From    string `json:"from" format:"date"`
	To      string `json:"to" format:"date"`
	MinDays int    `json:"working_days_min"`
	MaxDays int    `json:"working_days_max"`
	Peak    bool   `json:"peak"`
}

// maxDraft bounds the body of a draft: a hundred thousand items fit.
const maxDraft = 16 << 20

func (a *API) draftOperations() {
	look, act := need{role: ledger.RoleViewer}, need{role: ledger.RoleOperator}
	create := operation(http.MethodPost, "/orders", "createDraft", "Orders", "Begin a draft",
		"It reserves nothing until it is placed. What is wrong with items and address stands in its review. A request with an "+
			"`Idempotency-Key` that was sent before is answered with the draft that the first one made.")
	create.DefaultStatus, create.MaxBodyBytes = http.StatusCreated, maxDraft
	add(a, create, act, a.createDraft)
	edit := operation(http.MethodPatch, "/orders/{order}", "editDraft", "Orders", "Change a draft",
		"All of it or nothing. With `If-Match` only the version that it names is changed.")
	edit.MaxBodyBytes = maxDraft
	add(a, edit, act, a.editDraft)
	add(a, operation(http.MethodDelete, "/orders/{order}", "discardDraft", "Orders", "Throw a draft away", ""), act, a.discardDraft)
	add(a, operation(http.MethodGet, "/orders/{order}/review", "reviewDraft", "Orders", "What placing a draft would do",
		"Stock, fees, shipping window and problems, as they are now."), look, a.reviewDraft)
	add(a, operation(http.MethodPost, "/orders/{order}/place", "placeDraft", "Orders", "Place a draft",
		"Stock is looked at again and reserved, the fees are accepted. A draft that cannot be placed is answered with 409 and its review. "+
			"Of an id that was placed before the orders are given again."), act, a.placeDraft)
	file := operation(http.MethodGet, "/orders/{order}/upload-file", "getUploadFile", "Orders", "Download a draft as an upload file",
		"For a return across the border, which can be ordered by file only. Once the file was taken, the draft is gone.")
	file.Parameters = []*huma.Param{inPath("order", "id of the draft"), merchantQuery()}
	file.Responses = download("text/tab-separated-values")
	a.addRaw(file, look, a.getUploadFile)
}

// etag is how a draft's version stands in headers; "" for what is no draft.
func etag(version int64) string {
	if version == 0 {
		return ""
	}
	return `"` + strconv.FormatInt(version, 10) + `"`
}

func (a *API) showDraft(ctx context.Context, c *call, draft *desk.Draft) (*OrderDetails, error) {
	currency, err := a.currency(c)
	if err != nil {
		return nil, err
	}
	d := c.draftDetails(draft, currency)
	d.History, err = a.history(ctx, c, draft.ID)
	return d, err
}

// draftDetails shows a draft as the order that it would be.
func (c *call) draftDetails(d *desk.Draft, currency string) *OrderDetails {
	o := &removal.Order{
		Merchant: d.Merchant, ID: d.ID, Family: d.ID, State: removal.StateDraft, Method: d.Method, Source: removal.SourceDraft,
		Created: d.Created, Address: d.Address, Notes: d.Notes, Currency: currency, NoFee: len(d.Items),
	}
	for _, it := range d.Items {
		o.Lines = append(o.Lines, removal.Line{
			SKU: it.SKU, Sellable: removal.Units{Requested: it.Sellable}, Unsellable: removal.Units{Requested: it.Unsellable},
		})
	}
	details := c.orderDetails(o)
	details.Version = d.Version()
	return details
}

type createInput struct {
	MerchantParam
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"what the caller calls this request"`
	Body NewDraft
}

type createOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     OrderDetails
}

func (a *API) createDraft(ctx context.Context, c *call, in *createInput) (*createOutput, error) {
	ctx = context.WithoutCancel(ctx)
	draft := desk.Draft{
		Merchant: c.merchant.ID, ID: in.Body.ID, Method: methods[in.Body.Method], Notes: in.Body.Notes, Actor: c.actor(), Items: items(in.Body.Items),
	}
	if in.Body.Address != nil {
		draft.Address = in.Body.Address.domain()
	}
	id, err := a.once(ctx, c, in, func() (string, error) {
		made, err := a.Desk.Create(ctx, draft)
		return made.ID, err
	})
	if err != nil {
		return nil, err
	}
	d, err := a.orderDetails(ctx, c, id)
	if err != nil {
		return nil, err
	}
	return &createOutput{ETag: etag(d.Version), Location: c.href("orders", id), Body: *d}, nil
}

func items(list []Item) []desk.Item {
	all := make([]desk.Item, len(list))
	for i, it := range list {
		all[i] = desk.Item(it)
	}
	return all
}

// once does what a request with a key asks for, or gives the id of what came of it
// the first time.
func (a *API) once(ctx context.Context, c *call, in *createInput, do func() (id string, err error)) (string, error) {
	if in.Key == "" {
		return do()
	}
	body, err := json.Marshal(in.Body)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	k := ledger.RequestKey{Merchant: c.merchant.ID, Scope: ledger.KeyOrder, Key: in.Key, SHA256: hex.EncodeToString(sum[:])}
	first, kept, err := a.Ledger.KeepKey(ctx, k)
	if err != nil {
		return "", err
	}
	if !kept {
		if err := sameRequest(&first, k.SHA256, nil); err != nil {
			return "", err
		}
		if first.Answer == "" {
			f := refuse(http.StatusConflict, "key_in_use", "key", in.Key)
			f.header = http.Header{"Retry-After": {"1"}}
			return "", f
		}
		return first.Answer, nil
	}
	id, err := do()
	if err != nil {
		id = ""
	}
	return id, errors.Join(err, a.Ledger.AnswerKey(ctx, k, id))
}

type editInput struct {
	OrderParam
	IfMatch string `header:"If-Match" maxLength:"100" doc:"the ETag of the version that is to be changed"`
	Body    DraftChange
}

func (a *API) editDraft(ctx context.Context, c *call, in *editInput) (*orderOutput, error) {
	b := &in.Body
	what := b.what()
	draft, err := a.Desk.Edit(context.WithoutCancel(ctx), c.merchant.ID, in.Order, c.actor(), what, func(d *desk.Draft) error {
		if in.IfMatch != "" && !matches(in.IfMatch, etag(d.Version())) {
			f := refuse(http.StatusPreconditionFailed, "changed", "id", d.ID)
			f.header = http.Header{"Etag": {etag(d.Version())}}
			return f
		}
		return b.apply(d, &c.merchant.Profile)
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, a.noDraft(ctx, c, in.Order)
	}
	if err != nil {
		return nil, err
	}
	d, err := a.showDraft(ctx, c, &draft)
	if err != nil {
		return nil, err
	}
	return &orderOutput{ETag: etag(d.Version), Body: *d}, nil
}

func matches(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || one == tag {
			return true
		}
	}
	return false
}

// what names for the history what is changed.
func (b *DraftChange) what() string {
	var what []string
	for _, part := range []struct {
		name string
		is   bool
	}{
		{"add", b.Add != nil}, {"set", b.Set != nil}, {"remove", b.Remove != nil}, {"method", b.Method != ""},
		{"address", b.Address != nil}, {"notes", b.Notes != nil}, {"id", b.ID != ""},
	} {
		if part.is {
			what = append(what, part.name)
		}
	}
	return strings.Join(what, ", ")
}

func (b *DraftChange) apply(d *desk.Draft, profile *removal.Profile) error {
	if err := d.Add(items(b.Add)...); err != nil {
		return err
	}
	if err := d.Change(items(b.Set)...); err != nil {
		return err
	}
	if err := d.Remove(b.Remove...); err != nil {
		return err
	}
	if b.Method != "" {
		d.Method = methods[b.Method]
	}
	if b.Address != nil {
		d.Address = b.Address.domain()
	} else if d.Method == removal.Return && d.Address.IsZero() && b.Method != "" {
		d.Address = profile.ReturnAddress
	}
	if b.Notes != nil {
		d.Notes = *b.Notes
	}
	d.ID = cmp.Or(b.ID, d.ID)
	return nil
}

// noDraft tells an id that nothing has from that of an order.
func (a *API) noDraft(ctx context.Context, c *call, id string) error {
	orders, err := a.Ledger.Orders(ctx, c.merchant.ID, []string{id})
	switch {
	case err != nil:
		return err
	case len(orders) > 0:
		return refuse(http.StatusConflict, "order_no_draft", "id", id, "state", orders[0].State)
	}
	return refuse(http.StatusNotFound, "order_unknown", "id", id)
}

func (a *API) discardDraft(ctx context.Context, c *call, in *OrderParam) (*struct{}, error) {
	err := a.Desk.Discard(context.WithoutCancel(ctx), c.merchant.ID, in.Order, c.actor())
	if errors.Is(err, ledger.ErrNotFound) {
		err = a.noDraft(ctx, c, in.Order)
	}
	return nil, err
}

type reviewOutput struct{ Body Review }

func (a *API) reviewDraft(ctx context.Context, c *call, in *OrderParam) (*reviewOutput, error) {
	r, err := a.Desk.Review(ctx, c.merchant.ID, in.Order)
	if errors.Is(err, ledger.ErrNotFound) {
		err = a.noDraft(ctx, c, in.Order)
	}
	if err != nil {
		return nil, err
	}
	return &reviewOutput{Body: *a.review(c, r)}, nil
}

func (a *API) review(c *call, r *desk.Review) *Review {
	d := &Review{
		Placeable: r.Placeable, UploadRequired: r.UploadRequired, Currency: r.Currency, NoFee: r.NoFee, NoFeeReason: r.NoFeeReason,
		SnapshotDate: c.time(r.Snapshot), Items: []ReviewItem{}, Findings: []ItemFound{},
		Shipping: Window{
			"standard", r.Window.From.Format("2006-01-02"), r.Window.To.Format("2006-01-02"), r.Window.MinDays, r.Window.MaxDays, r.Window.Peak,
		},
	}
	if r.UploadRequired {
		d.UploadHref = c.href("orders", r.ID, "upload-file")
	}
	if r.HasFee() {
		d.Fee = amount(r.Fee)
	}
	for i := range r.Items {
		it := &r.Items[i]
		item := ReviewItem{
			SKU: it.SKU, FNSKU: it.FNSKU, Title: it.Title, Refused: it.Refused,
			Asked: Conditions{it.Sellable, it.Unsellable}, Taken: Conditions{it.TakenSellable, it.TakenUnsellable},
		}
		if it.HasFee {
			item.Fee = amount(it.Fee)
		}
		d.Items = append(d.Items, item)
	}
	for i := range r.Problems {
		f := a.finding(c.texts, &r.Problems[i])
		if desk.SpeaksOfFile(r.Problems[i].Code) {
			f.Hint = ""
		}
		d.Findings = append(d.Findings, ItemFound{r.Problems[i].SKU, f})
	}
	return d
}

type placeOutput struct {
	Body struct {
		Orders []OrderEntry `json:"orders" nullable:"false" doc:"several where the order had to be split"`
	}
}

func (a *API) placeDraft(ctx context.Context, c *call, in *OrderParam) (*placeOutput, error) {
	ctx = context.WithoutCancel(ctx)
	placed, err := a.Desk.Place(ctx, c.merchant.ID, in.Order, c.actor())
	if not, ok := errors.AsType[*desk.NotPlaced](err); ok {
		f := refuse(http.StatusConflict, "not_placed", "id", in.Order)
		f.review = a.review(c, not.Review)
		return nil, f
	}
	if errors.Is(err, ledger.ErrNotFound) {
		placed, err = a.placedBefore(ctx, c, in.Order)
	}
	if err != nil {
		return nil, err
	}
	if c.merchant.Profile.ReleaseDelay == 0 {
		// It is placed; what cannot be handed on now is, by the worker's next sweep.
		if _, err := a.Desk.ReleaseDue(ctx, c.merchant.ID); err != nil {
			a.Log.Error().Err(err).Str("merchant", c.merchant.ID).Msg("orders cannot be handed on; it is tried again")
		}
	}
	out := &placeOutput{}
	out.Body.Orders = []OrderEntry{}
	ids := make([]string, len(placed))
	for i := range placed {
		ids[i] = placed[i].ID
	}
	now, err := a.Ledger.Orders(ctx, c.merchant.ID, ids)
	for i := range now {
		out.Body.Orders = append(out.Body.Orders, c.orderDetails(&now[i]).OrderEntry)
	}
	return out, err
}

// placedBefore gives the orders that a draft of this id has become.
func (a *API) placedBefore(ctx context.Context, c *call, id string) ([]removal.Order, error) {
	used, err := a.Ledger.UsedIDs(ctx, c.merchant.ID, []string{id})
	if err != nil {
		return nil, err
	}
	orders, err := a.Ledger.Orders(ctx, c.merchant.ID, append([]string{id}, used[id]...))
	if err != nil {
		return nil, err
	}
	var placed []removal.Order
	for i := range orders {
		if orders[i].Source == removal.SourceDraft && !orders[i].State.Final() {
			placed = append(placed, orders[i])
		}
	}
	if len(placed) == 0 {
		return nil, a.noDraft(ctx, c, id)
	}
	return placed, nil
}

func (a *API) getUploadFile(w http.ResponseWriter, r *http.Request, c *call) error {
	id := r.PathValue("order")
	review, err := a.Desk.Review(r.Context(), c.merchant.ID, id)
	if errors.Is(err, ledger.ErrNotFound) {
		err = a.noDraft(r.Context(), c, id)
	}
	if err != nil {
		return err
	}
	if !review.UploadRequired {
		f := refuse(http.StatusConflict, "upload_not_needed", "id", id)
		f.review = a.review(c, review)
		return f
	}
	send(w, r, review.UploadName, bytes.NewReader(review.Upload))
	return nil
}
