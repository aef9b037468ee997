package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
)

func (s *Server) stockRoutes() []route {
	see := func(pattern string, h handler) route {
		return route{pattern: "GET /m/{merchant}/" + pattern, scope: ofMerchant, role: ledger.RoleViewer, handle: h}
	}
	return []route{
		see("inventory", s.inventoryPage),
		see("inventory/sku", s.skuPage),
		see("inventory/search", s.searchPart),
	}
}

// How many SKUs are shown of a search and on a page of the stock.
const (
	searchShown = 12
	stockShown  = 50
)

// searchView is what a search of the stock found, for an order to be made from.
type searchView struct {
	Query string
	Items []desk.Found
	Total int
	// NoStock says that there is no inventory yet.
	NoStock bool
	Date    time.Time
}

// searchStock looks for a text in the stock; an empty one finds nothing.
func (s *Server) searchStock(r *http.Request, v *visit, q string) (*searchView, error) {
	view := &searchView{Query: strings.TrimSpace(q)}
	if view.Query == "" {
		has, err := s.Ledger.Snapshot(r.Context(), v.merchant.ID)
		view.NoStock = has == nil
		return view, err
	}
	found, err := s.Desk.Find(r.Context(), v.merchant.ID, view.Query, 0, searchShown)
	if errors.Is(err, desk.ErrNoSnapshot) {
		view.NoStock = true
		return view, nil
	}
	if err != nil {
		return nil, err
	}
	view.Items, view.Total, view.Date = found.Items, found.Total, found.Snapshot
	return view, nil
}

// prepareSearch makes what the first search would wait for, while people still type.
func (s *Server) prepareSearch(r *http.Request, v *visit) {
	ctx, merchant := context.WithoutCancel(r.Context()), v.merchant.ID
	go func() {
		if err := s.Desk.Prepare(ctx, merchant); err != nil && !errors.Is(err, desk.ErrNoSnapshot) {
			s.Log.Error().Err(err).Str("merchant", merchant).Msg("the index of the stock cannot be made")
		}
	}()
}

// searchPart is the list of what was found, for the page to be put into as one types.
func (s *Server) searchPart(w http.ResponseWriter, r *http.Request, v *visit) error {
	search, err := s.searchStock(r, v, r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.renderPart(w, r, v, "draft.html", "found", search)
}

// stockPage is the stock, searched or page by page.
type stockPage struct {
	Query  string
	Totals *desk.StockTotals
	Items  []desk.Found
	Total  int
	// From and To are the numbers of the first and last item shown, from 1.
	From, To int
	// Before and Next are the addresses of the pages beside this one, or "".
	Before, Next string
	// Ages are the whole stock by age; nil where nothing is known of it.
	Ages *columnChart
}

func (s *Server) inventoryPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := &stockPage{Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	totals, err := s.Desk.Totals(r.Context(), v.merchant.ID)
	if errors.Is(err, desk.ErrNoSnapshot) {
		return s.render(w, r, v, "inventory.html", map[string]any{"Stock": p})
	}
	if err != nil {
		return err
	}
	p.Totals = totals
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil || from < 0 || p.Query != "" {
		from = 0
	}
	found, err := s.Desk.Find(r.Context(), v.merchant.ID, p.Query, from, stockShown)
	if err != nil {
		return err
	}
	p.Items, p.Total, p.From, p.To = found.Items, found.Total, from+1, from+len(found.Items)
	if p.Query == "" {
		if from > 0 {
			p.Before = "inventory?" + url.Values{"from": {strconv.Itoa(max(0, from-stockShown))}}.Encode()
		}
		if from+len(found.Items) < found.Total {
			p.Next = "inventory?" + url.Values{"from": {strconv.Itoa(from + stockShown)}}.Encode()
		}
	}
	if p.Query == "" && from == 0 && s.Recommend != nil {
		made, err := s.recommendation(r.Context(), v)
		if err != nil {
			return err
		}
		if chart := s.ageChart(v, "ages", &made.Ageing); !chart.Empty() {
			p.Ages = chart
		}
	}
	return s.render(w, r, v, "inventory.html", map[string]any{"Stock": p})
}

func (s *Server) skuPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	sku := r.URL.Query().Get("sku")
	found, err := s.Desk.Item(r.Context(), v.merchant.ID, sku)
	if errors.Is(err, desk.ErrNoItem) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	open, _, err := s.Ledger.ListOrders(r.Context(), ledger.OrderFilter{Merchant: v.merchant.ID, SKU: sku, Limit: 20})
	if err != nil {
		return err
	}
	stock, err := s.Snapshot(r.Context(), v.merchant.ID)
	if err != nil {
		return err
	}
	more := &skuMore{}
	if stock != nil {
		if more, err = s.skuMoreOf(r.Context(), v, stock, sku); err != nil {
			return err
		}
	}
	return s.render(w, r, v, "sku.html", map[string]any{"Item": found.Items[0], "Stock": found, "Orders": open, "More": more})
}

// storeOf is the policy of the merchant's store now.
func (s *Server) storeOf(v *visit) (policy.Store, error) {
	p := &v.merchant.Profile
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return policy.Store{}, err
	}
	return s.Policy.Store(p.HomeStore, s.Now().In(zone), p.Policy)
}

// countries are those that a return can go to, the store's own first and then by
// name; none where the policy has no list of them.
func (s *Server) countries(v *visit, store *policy.Store) []countryChoice {
	if store.CrossBorder == policy.CrossBorderAny {
		return nil
	}
	codes := []string{store.Country}
	if store.CrossBorder == policy.CrossBorderUpload {
		codes = append(codes, store.CrossBorderCountries...)
	}
	var all []countryChoice
	seen := map[string]bool{}
	for _, code := range codes {
		if c, ok := s.Policy.Country(code); ok && !seen[c.Code] {
			seen[c.Code] = true
			all = append(all, countryChoice{c.Code, c.NameIn(v.texts.Lang())})
		}
	}
	order := collate.New(language.Make(v.texts.Lang()))
	slices.SortStableFunc(all[min(1, len(all)):], func(a, b countryChoice) int { return order.CompareString(a.Name, b.Name) })
	return all
}

// countryChoice is a country in a list to choose from.
type countryChoice struct{ Code, Name string }
