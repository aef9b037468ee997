package web

import (
	"net/http"
	"net/url"
	"strings"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func (s *Server) orderRoutes() []route {
	view := func(pattern string, h handler) route {
		return route{pattern: "GET /m/{merchant}/" + pattern, scope: ofMerchant, role: ledger.RoleViewer, handle: h}
	}
	do := func(pattern string, h handler) route {
		return route{pattern: "POST /m/{merchant}/" + pattern, scope: ofMerchant, role: ledger.RoleOperator, handle: h}
	}
	return []route{
		view("orders", s.orderList),
		// Ids stand in the query: one may be "..", or hold a slash.
		view("order", s.orderPage),
		do("order/cancel", s.cancelOrder),
		do("order/start", s.startOrder),
		view("outbound/{name}", s.outboundFile),
	}
}

// orderPageSize is how many orders a page of the list shows.
const orderPageSize = 50

// orderStates are the states by which the list can be filtered, in their order.
var orderStates = []removal.State{
	removal.StateDraft, removal.StatePlanning, removal.StatePending, removal.StateProcessing,
	removal.StateCompleted, removal.StateCancelled, removal.StateRefused,
}

// orderFilter is what a list of orders is narrowed by, as its address has it.
type orderFilter struct {
	State  removal.State
	Method removal.Method
	Query  string
	// By tells how the query was understood, for the pages that follow: "id" or "sku".
	By     string
	Cursor string
}

func orderFilterOf(q url.Values) orderFilter {
	f := orderFilter{Query: strings.TrimSpace(q.Get("q")), By: q.Get("by"), Cursor: q.Get("cursor")}
	for _, s := range orderStates {
		if q.Get("status") == string(s) {
			f.State = s
		}
	}
	f.Method = methodOf(q.Get("method"))
	return f
}

// methodOf reads a method as forms and addresses have it.
func methodOf(text string) removal.Method {
	for _, m := range []removal.Method{removal.Return, removal.Disposal} {
		if strings.EqualFold(text, m.String()) {
			return m
		}
	}
	return removal.MethodNone
}

// Set tells whether the list is narrowed at all.
func (f orderFilter) Set() bool {
	return f.State != "" || f.Method != removal.MethodNone || f.Query != ""
}

// With gives the address of the same list with one thing changed, from its start.
func (f orderFilter) With(key, value string) string {
	q := url.Values{}
	for k, v := range map[string]string{"status": string(f.State), "method": strings.ToLower(f.Method.String()), "q": f.Query} {
		if k == key {
			v = value
		}
		if v != "" {
			q.Set(k, v)
		}
	}
	if key == "cursor" && value != "" {
		q.Set("cursor", value)
		if f.By != "" {
			q.Set("by", f.By)
		}
	}
	if len(q) == 0 {
		return "orders"
	}
	return "orders?" + q.Encode()
}

// orderList shows drafts and orders, the newest first.
func (s *Server) orderList(w http.ResponseWriter, r *http.Request, v *visit) error {
	f := orderFilterOf(r.URL.Query())
	drafts, err := s.draftsFor(r, v, f)
	if err != nil {
		return err
	}
	var rows []ledger.OrderRow
	next := ""
	if f.State != removal.StateDraft {
		if rows, next, err = s.ordersFor(r, v, &f); err != nil {
			return err
		}
	}
	return s.render(w, r, v, "orders.html", map[string]any{
		"Filter": f, "Drafts": drafts, "Orders": rows, "Next": next, "States": orderStates,
	})
}

// ordersFor finds the orders of a list: a query is the beginning of an id, or where
// no id begins so, a SKU.
func (s *Server) ordersFor(r *http.Request, v *visit, f *orderFilter) ([]ledger.OrderRow, string, error) {
	q := ledger.OrderFilter{Merchant: v.merchant.ID, State: f.State, Method: f.Method, Limit: orderPageSize, Cursor: f.Cursor}
	if f.Query == "" {
		return s.Ledger.ListOrders(r.Context(), q)
	}
	if f.By != "sku" {
		byID := q
		byID.Prefix = f.Query
		rows, next, err := s.Ledger.ListOrders(r.Context(), byID)
		if err != nil || len(rows) > 0 || f.By == "id" {
			f.By = "id"
			return rows, next, err
		}
	}
	f.By, q.SKU = "sku", f.Query
	return s.Ledger.ListOrders(r.Context(), q)
}

// draftsFor gives the drafts that stand above the first page of the orders.
func (s *Server) draftsFor(r *http.Request, v *visit, f orderFilter) ([]desk.Draft, error) {
	if f.Cursor != "" || f.State != "" && f.State != removal.StateDraft {
		return nil, nil
	}
	all, err := s.Desk.Drafts(r.Context(), v.merchant.ID)
	if err != nil {
		return nil, err
	}
	var kept []desk.Draft
	for i := range all {
		if d := &all[i]; (f.Method == removal.MethodNone || d.Method == f.Method) && draftHas(d, f.Query) {
			kept = append(kept, *d)
		}
	}
	return kept, nil
}

// draftHas tells whether a draft's id begins with a query, or a SKU of it is one.
func draftHas(d *desk.Draft, query string) bool {
	if query == "" || strings.HasPrefix(d.ID, query) {
		return true
	}
	for _, it := range d.Items {
		if it.SKU == query {
			return true
		}
	}
	return false
}
