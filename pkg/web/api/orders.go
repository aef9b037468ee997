package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// OrderEntry is an order, or a draft of one, in a list.
type OrderEntry struct {
	ID              string  `json:"id"`
	Merchant        string  `json:"merchant"`
	State           string  `json:"state" enum:"draft,planning,pending,processing,completed,cancelled,refused"`
	Method          string  `json:"method" enum:"Return,Disposal"`
	Source          string  `json:"source" enum:"upload,draft,required,external"`
	Created         string  `json:"created" format:"date-time"`
	Lines           int     `json:"lines"`
	Sellable        int64   `json:"sellable"`
	Unsellable      int64   `json:"unsellable"`
	Fee             *string `json:"fee" doc:"estimate, a decimal; null where no line has a figure" example:"12.50"`
	Currency        string  `json:"currency"`
	CancelRequested bool    `json:"cancel_requested"`
}

// Units are the quantities of one condition.
type Units struct {
	Requested int64 `json:"requested"`
	Cancelled int64 `json:"cancelled"`
	Disposed  int64 `json:"disposed"`
	Shipped   int64 `json:"shipped"`
	InProcess int64 `json:"in_process"`
}

// OrderItem is one line of an order.
type OrderItem struct {
	SKU        string `json:"sku"`
	FNSKU      string `json:"fnsku"`
	Sellable   Units  `json:"sellable"`
	Unsellable Units  `json:"unsellable"`
}

// Event is one thing that happened to an order.
type Event struct {
	At    string `json:"at" format:"date-time"`
	Actor string `json:"actor"`
	What  string `json:"what"`
	From  string `json:"from"`
	To    string `json:"to"`
	Why   string `json:"why"`
	Run   string `json:"run"`
}

// Address is where the units of a return go.
type Address struct {
	Name       string `json:"name,omitempty" maxLength:"200"`
	Line1      string `json:"line1,omitempty" maxLength:"200"`
	Line2      string `json:"line2,omitempty" maxLength:"200"`
	Line3      string `json:"line3,omitempty" maxLength:"200"`
	City       string `json:"city,omitempty" maxLength:"200"`
	State      string `json:"state,omitempty" maxLength:"200"`
	PostalCode string `json:"postal_code,omitempty" maxLength:"200"`
	Country    string `json:"country,omitempty" maxLength:"200" example:"SE"`
	Phone      string `json:"phone,omitempty" maxLength:"200"`
}

// OrderDetails is an order, or a draft of one, with its lines.
type OrderDetails struct {
	OrderEntry
	Run     string      `json:"run" doc:"the run that made it; empty where no file did"`
	Family  string      `json:"family"`
	Notes   string      `json:"notes"`
	NoFee   string      `json:"no_fee_reason" doc:"why lines have no figure; empty where all have one"`
	Items   []OrderItem `json:"items" nullable:"false"`
	Address *Address    `json:"address,omitempty" doc:"absent for a disposal"`
	History []Event     `json:"history" nullable:"false"`
	Version int64       `json:"version,omitempty" doc:"of a draft; its ETag"`
}

type orderList struct {
	Orders []OrderEntry `json:"orders" nullable:"false"`
	Next   string       `json:"next" doc:"the cursor of the next page; empty at the end"`
}

func (a *API) orderOperations() {
	look, act := need{role: ledger.RoleViewer}, need{role: ledger.RoleOperator}
	add(a, operation(http.MethodGet, "/orders", "listOrders", "Orders", "Orders, the newest first",
		"Drafts stand before the orders, on the first page."), look, a.listOrders)
	add(a, operation(http.MethodGet, "/orders/{order}", "showOrder", "Orders", "One order, or a draft of one", ""), look, a.showOrder)
	add(a, operation(http.MethodPost, "/orders/{order}/cancel", "cancelOrder", "Orders", "Cancel an order, or one SKU of it",
		"At once in planning; later it is asked for with a cancel file, and a status file tells what came of it."), act, a.cancelOrder)
	add(a, operation(http.MethodPost, "/orders/{order}/status", "setOrderStatus", "Orders", "Tell that work on an order has begun",
		"From pending to processing; final states come from status files only."), act, a.setStatus)
}

type ordersInput struct {
	MerchantParam
	PageParams
	Status string    `query:"status" enum:"draft,planning,pending,processing,completed,cancelled,refused"`
	Method string    `query:"method" enum:"return,disposal"`
	SKU    string    `query:"sku" doc:"only orders with exactly this SKU"`
	ID     string    `query:"id" doc:"how the id begins"`
	File   string    `query:"file" doc:"only those made by a file of this name, or by the run of this id"`
	Since  time.Time `query:"since" doc:"only those made since"`
}

type ordersOutput struct{ Body orderList }

var methods = map[string]removal.Method{"": removal.MethodNone, "return": removal.Return, "disposal": removal.Disposal}

func (a *API) listOrders(ctx context.Context, c *call, in *ordersInput) (*ordersOutput, error) {
	f := ledger.OrderFilter{
		Merchant: c.merchant.ID, State: removal.State(in.Status), Method: methods[in.Method], SKU: in.SKU, Prefix: in.ID, File: in.File,
		Since: in.Since, Limit: in.Limit, Cursor: in.Cursor,
	}
	drafts, err := a.drafts(ctx, c, &f)
	if err != nil {
		return nil, err
	}
	out := &ordersOutput{Body: orderList{Orders: []OrderEntry{}}}
	if f.State == removal.StateDraft {
		return out, pageOfDrafts(&out.Body, drafts, in.Limit, in.Cursor)
	}
	rows, next, err := a.Ledger.ListOrders(ctx, f)
	if err != nil {
		return nil, err
	}
	out.Body.Next = next
	out.Body.Orders = append(out.Body.Orders, drafts...)
	for i := range rows {
		out.Body.Orders = append(out.Body.Orders, c.orderEntry(&rows[i]))
	}
	return out, nil
}

// pageOfDrafts gives one page of a list that is whole in memory: a merchant has few
// drafts.
func pageOfDrafts(to *orderList, drafts []OrderEntry, limit int, cursor string) error {
	from := 0
	if cursor != "" {
		n, err := strconv.ParseInt(cursor, 36, 32)
		if err != nil || n <= 0 || int(n) > len(drafts) {
			return ledger.ErrCursor
		}
		from = int(n)
	}
	end := min(from+limit, len(drafts))
	if to.Orders = append(to.Orders, drafts[from:end]...); end < len(drafts) {
		to.Next = strconv.FormatInt(int64(end), 36)
	}
	return nil
}

// drafts are those that a filter lets through: on the first page of a list, or all
// where only drafts are wanted.
func (a *API) drafts(ctx context.Context, c *call, f *ledger.OrderFilter) ([]OrderEntry, error) {
	only := f.State == removal.StateDraft
	if f.File != "" || !only && (f.Cursor != "" || f.State != "") {
		return nil, nil
	}
	currency, err := a.currency(c)
	if err != nil {
		return nil, err
	}
	all, err := a.Desk.Drafts(ctx, c.merchant.ID)
	if err != nil {
		return nil, err
	}
	var list []OrderEntry
	for i := range all {
		d := &all[i]
		holds := slices.ContainsFunc(d.Items, func(it desk.Item) bool { return it.SKU == f.SKU })
		if f.SKU != "" && !holds || f.Method != removal.MethodNone && d.Method != f.Method ||
			!strings.HasPrefix(d.ID, f.Prefix) || d.Created.Before(f.Since) {
			continue
		}
		list = append(list, c.draftDetails(d, currency).OrderEntry)
	}
	return list, nil
}

// currency is that of the merchant's store.
func (a *API) currency(c *call) (string, error) {
	store, err := a.Policy.Store(c.merchant.Profile.HomeStore, a.Now().In(c.zone), c.merchant.Profile.Policy)
	return store.Currency, err
}

func (c *call) orderEntry(o *ledger.OrderRow) OrderEntry {
	e := OrderEntry{
		ID: o.ID, Merchant: o.Merchant, State: string(o.State), Method: o.Method.String(), Source: string(o.Source), Created: c.time(o.Created),
		Lines: o.Lines, Sellable: o.Sellable.Requested, Unsellable: o.Unsellable.Requested, Currency: o.Currency, CancelRequested: o.CancelRequested,
	}
	if o.NoFee < o.Lines {
		e.Fee = amount(o.Fee)
	}
	return e
}

// OrderParam is the order that a request is about.
type OrderParam struct {
	MerchantParam
	Order string `path:"order" doc:"id of the order"`
}

type orderOutput struct {
	ETag string `header:"ETag" doc:"of a draft: what If-Match takes"`
	Body OrderDetails
}

func (a *API) showOrder(ctx context.Context, c *call, in *OrderParam) (*orderOutput, error) {
	d, err := a.orderDetails(ctx, c, in.Order)
	if err != nil {
		return nil, err
	}
	return &orderOutput{ETag: etag(d.Version), Body: *d}, nil
}

// orderDetails finds an order, or the draft of that id where there is no order, or
// only one that the marketplace refused.
func (a *API) orderDetails(ctx context.Context, c *call, id string) (*OrderDetails, error) {
	orders, err := a.Ledger.Orders(ctx, c.merchant.ID, []string{id})
	if err != nil {
		return nil, err
	}
	if len(orders) == 0 || orders[0].State == removal.StateRefused {
		draft, err := a.Desk.Draft(ctx, c.merchant.ID, id)
		if err == nil {
			return a.showDraft(ctx, c, &draft)
		}
		if !errors.Is(err, ledger.ErrNotFound) {
			return nil, err
		}
	}
	if len(orders) == 0 {
		return nil, refuse(http.StatusNotFound, "order_unknown", "id", id)
	}
	d := c.orderDetails(&orders[0])
	d.History, err = a.history(ctx, c, id)
	return d, err
}

func (a *API) history(ctx context.Context, c *call, id string) ([]Event, error) {
	events, err := a.Ledger.History(ctx, c.merchant.ID, id)
	all := make([]Event, len(events))
	for i, e := range events {
		all[i] = Event{c.time(e.At), e.Actor, e.What, e.From, e.To, e.Why, e.Run}
	}
	return all, err
}

func (c *call) orderDetails(o *removal.Order) *OrderDetails {
	sellable, unsellable := o.Totals()
	d := &OrderDetails{
		OrderEntry: OrderEntry{
			ID: o.ID, Merchant: o.Merchant, State: string(o.State), Method: o.Method.String(), Source: string(o.Source), Created: c.time(o.Created),
			Lines: len(o.Lines), Sellable: sellable.Requested, Unsellable: unsellable.Requested, Currency: o.Currency, CancelRequested: o.CancelRequested,
		},
		Run: o.Run, Family: o.Family, Notes: o.Notes, NoFee: o.NoFeeReason, Items: make([]OrderItem, len(o.Lines)), History: []Event{},
	}
	if o.NoFee < len(o.Lines) {
		d.Fee = amount(o.Fee)
	}
	if !o.Address.IsZero() {
		d.Address = addressOf(o.Address)
	}
	for i, l := range o.Lines {
		d.Items[i] = OrderItem{SKU: l.SKU, FNSKU: l.FNSKU, Sellable: unitsOf(l.Sellable), Unsellable: unitsOf(l.Unsellable)}
	}
	return d
}

func unitsOf(u removal.Units) Units {
	return Units{u.Requested, u.Cancelled, u.Disposed, u.Shipped, u.InProcess()}
}

func addressOf(a removal.Address) *Address {
	return &Address{a.Name, a.Line1, a.Line2, a.Line3, a.City, a.State, a.PostalCode, a.Country, a.Phone}
}

func (a *Address) domain() removal.Address {
	return removal.Address{
		Name: a.Name, Line1: a.Line1, Line2: a.Line2, Line3: a.Line3, City: a.City, State: a.State,
		PostalCode: a.PostalCode, Country: a.Country, Phone: a.Phone,
	}
}

// Cancelled says what became of a request to cancel.
type Cancelled struct {
	ID      string   `json:"id"`
	SKU     string   `json:"sku"`
	Outcome string   `json:"outcome" enum:"cancelled,requested,partly,already,too_late,forbidden" doc:"cancelled: nobody else knew of the units yet; requested: a cancel file goes out; partly: as requested, but some units have left; too_late, forbidden: nothing was done"`
	State   string   `json:"state"`
	Units   int64    `json:"units" doc:"cancelled, or asked to be"`
	Left    int64    `json:"left" doc:"that have left already"`
	File    string   `json:"file" doc:"the cancel file; empty for none"`
	Finding *Finding `json:"finding,omitempty" doc:"why it was not done, or not wholly; absent where it was"`
}

type cancelInput struct {
	OrderParam
	Body *struct {
		SKU string `json:"sku,omitempty" doc:"one SKU of the order; empty for all of it"`
	}
}

type cancelOutput struct{ Body Cancelled }

func (a *API) cancelOrder(ctx context.Context, c *call, in *cancelInput) (*cancelOutput, error) {
	req := desk.CancelRequest{Order: in.Order, Actor: c.actor()}
	if in.Body != nil {
		req.SKU = in.Body.SKU
	}
	r, err := a.Desk.Cancel(context.WithoutCancel(ctx), c.merchant.ID, req)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, a.unknownOrder(ctx, c, in.Order)
	}
	if err != nil {
		return nil, err
	}
	out := &cancelOutput{Body: Cancelled{
		ID: r.Order, SKU: r.SKU, Outcome: string(r.Outcome), State: string(r.State), Units: r.Units, Left: r.Left, File: r.File,
	}}
	if r.Problem != nil {
		f := a.finding(c.texts, r.Problem)
		out.Body.Finding = &f
	}
	return out, nil
}

// unknownOrder tells an id that nothing has from that of a draft.
func (a *API) unknownOrder(ctx context.Context, c *call, id string) error {
	_, err := a.Desk.Draft(ctx, c.merchant.ID, id)
	switch {
	case err == nil:
		return refuse(http.StatusConflict, "order_is_draft", "id", id)
	case errors.Is(err, ledger.ErrNotFound):
		return refuse(http.StatusNotFound, "order_unknown", "id", id)
	}
	return err
}

type statusInput struct {
	OrderParam
	Body struct {
		Status string `json:"status" enum:"processing"`
	}
}

func (a *API) setStatus(ctx context.Context, c *call, in *statusInput) (*orderOutput, error) {
	err := a.Desk.SetStatus(context.WithoutCancel(ctx), c.merchant.ID, in.Order, removal.State(in.Body.Status), c.actor())
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, a.unknownOrder(ctx, c, in.Order)
	}
	if err != nil {
		return nil, err
	}
	return a.showOrder(ctx, c, &in.OrderParam)
}
