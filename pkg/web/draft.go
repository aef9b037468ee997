package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func (s *Server) draftRoutes() []route {
	see := func(pattern string, role ledger.Role, h handler) route {
		return route{pattern: "GET /m/{merchant}/" + pattern, scope: ofMerchant, role: role, handle: h}
	}
	do := func(pattern string, h handler) route {
		return route{pattern: "POST /m/{merchant}/" + pattern, scope: ofMerchant, role: ledger.RoleOperator, handle: h}
	}
	return []route{
		see("orders/new", ledger.RoleOperator, s.newDraft),
		see("draft", ledger.RoleViewer, s.editDraft),
		do("draft/new", s.createDraft),
		do("draft/save", s.saveDraft),
		do("draft/discard", s.discardDraft),
		see("draft/review", ledger.RoleViewer, s.reviewDraft),
		see("draft/upload", ledger.RoleViewer, s.draftUpload),
		do("draft/place", s.placeDraft),
	}
}

func draftPath(id string) string  { return "draft?" + url.Values{"id": {id}}.Encode() }
func reviewPath(id string) string { return "draft/review?" + url.Values{"id": {id}}.Encode() }

// addressParts are the parts of an address in the order in which a form asks for them.
var addressParts = []removal.Field{
	removal.FieldName, removal.FieldLine1, removal.FieldLine2, removal.FieldLine3, removal.FieldPostalCode,
	removal.FieldCity, removal.FieldCountry, removal.FieldState, removal.FieldPhone,
}

// addressNames are the parts' names in forms.
var addressNames = map[removal.Field]string{
	removal.FieldName: "name", removal.FieldLine1: "line1", removal.FieldLine2: "line2", removal.FieldLine3: "line3",
	removal.FieldPostalCode: "postal_code", removal.FieldCity: "city", removal.FieldState: "state",
	removal.FieldCountry: "country", removal.FieldPhone: "phone",
}

// draftForm is a draft as its page shows it: what is typed, with what is wrong with it.
type draftForm struct {
	ID      string // "" for one that is not made yet
	NewID   formField
	Seen    string // version of the draft that the form shows
	Method  removal.Method
	Methods []removal.Method
	Notes   string
	Address []formField
	// OwnAddress says that the address is the merchant's return address.
	OwnAddress bool
	Items      []itemField
	Search     *searchView
	Countries  []countryChoice
	// Wrong are what is wrong with the draft as a whole.
	Wrong   []string
	Changed time.Time
	By      string
}

// formField is one field of a form.
type formField struct {
	Name, Value, Wrong string
}

// itemField is one SKU of a draft in its form.
type itemField struct {
	SKU, Title           string
	Sellable, Unsellable string
	// What is available of it; Known is false for a SKU that is not in stock.
	HasSellable, HasUnsellable int64
	Known                      bool
	Wrong                      []string
}

// OverSellable tells whether more is asked for than there is, before the review says it.
func (f itemField) OverSellable() bool { return over(f.Sellable, f.HasSellable) }

// OverUnsellable is OverSellable for the other condition.
func (f itemField) OverUnsellable() bool { return over(f.Unsellable, f.HasUnsellable) }

func over(text string, has int64) bool {
	n, ok := quantity(text)
	return !ok || n > has
}

// newDraft is the form of an order that is not begun yet.
func (s *Server) newDraft(w http.ResponseWriter, r *http.Request, v *visit) error {
	search, err := s.searchStock(r, v, r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	s.prepareSearch(r, v)
	return s.render(w, r, v, "draft.html", map[string]any{"Form": &draftForm{Search: search}})
}

// createDraft begins a draft with the quantities that a search's form has.
func (s *Server) createDraft(w http.ResponseWriter, r *http.Request, v *visit) error {
	items, wrong := addedItems(r.PostForm)
	if len(items) == 0 && wrong == "" && r.PostForm.Get("empty") == "" {
		wrong = "web.draft.nothing_added"
	}
	if wrong != "" {
		s.flash(r, v.texts.T(wrong))
		return goTo(w, r, v, "orders/new?"+url.Values{"q": {r.PostForm.Get("q")}}.Encode())
	}
	d, err := s.Desk.Create(r.Context(), desk.Draft{Merchant: v.merchant.ID, Actor: v.actor(), Items: items})
	if err != nil {
		return err
	}
	return goTo(w, r, v, draftPath(d.ID))
}

// searchOn is the page of a draft with a search on it still.
func searchOn(id, q string) string {
	at := draftPath(id)
	if q != "" {
		at += "&" + url.Values{"q": {q}}.Encode()
	}
	return at
}

// addedItems reads what a search's form adds; wrong is the text of what cannot be read.
func addedItems(form url.Values) (items []desk.Item, wrong string) {
	skus, sellable, unsellable := form["add_sku"], form["add_sellable"], form["add_unsellable"]
	for i, sku := range skus {
		if i >= len(sellable) || i >= len(unsellable) {
			return nil, "web.draft.quantity"
		}
		a, ok := quantity(sellable[i])
		b, good := quantity(unsellable[i])
		if !ok || !good {
			return nil, "web.draft.quantity"
		}
		if a > 0 || b > 0 {
			items = append(items, desk.Item{SKU: sku, Sellable: a, Unsellable: b})
		}
	}
	return items, ""
}

// quantity reads what is typed into a field: nothing is none.
func quantity(text string) (int64, bool) {
	if text = strings.TrimSpace(text); text == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && n <= desk.MaxQuantity
}

func (s *Server) editDraft(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	if !v.user.Role.Covers(ledger.RoleOperator) {
		return goTo(w, r, v, reviewPath(q.Get("id")))
	}
	d, err := s.Desk.Draft(r.Context(), v.merchant.ID, q.Get("id"))
	if errors.Is(err, ledger.ErrNotFound) {
		return s.placedMeanwhile(w, r, v, q.Get("id"), err)
	}
	if err != nil {
		return err
	}
	form, err := s.draftForm(r, v, &d, q.Get("q"))
	if err != nil {
		return err
	}
	if q.Get("check") != "" {
		if err := s.markProblems(r, v, form); err != nil {
			return err
		}
	}
	return s.render(w, r, v, "draft.html", map[string]any{"Form": form})
}

// placedMeanwhile leads to the order that a draft has become.
func (s *Server) placedMeanwhile(w http.ResponseWriter, r *http.Request, v *visit, id string, err error) error {
	found, failed := s.Ledger.Orders(r.Context(), v.merchant.ID, []string{id})
	if failed != nil {
		return failed
	}
	if len(found) == 0 {
		return err
	}
	s.flash(r, v.texts.T("web.draft.placed_already", "id", id))
	return goTo(w, r, v, orderPath(id))
}

// draftForm shows a draft as it is kept.
func (s *Server) draftForm(r *http.Request, v *visit, d *desk.Draft, q string) (*draftForm, error) {
	store, err := s.storeOf(v)
	if err != nil {
		return nil, err
	}
	f := &draftForm{
		ID: d.ID, NewID: formField{Name: "new_id", Value: d.ID}, Seen: versionOf(d), Method: d.Method, Methods: store.Methods,
		Notes: d.Notes, OwnAddress: d.Address == v.merchant.Profile.ReturnAddress && !d.Address.IsZero(),
		Changed: d.Updated, By: d.Actor, Countries: s.countries(v, &store),
	}
	shown := d.Address
	if shown.IsZero() {
		shown.Country = store.Country // most returns stay there
	}
	for _, part := range addressParts {
		f.Address = append(f.Address, formField{Name: addressNames[part], Value: *shown.Part(part)})
	}
	for _, it := range d.Items {
		field := itemField{SKU: it.SKU, Sellable: strconv.FormatInt(it.Sellable, 10), Unsellable: strconv.FormatInt(it.Unsellable, 10)}
		found, err := s.Desk.Item(r.Context(), v.merchant.ID, it.SKU)
		switch {
		case err == nil:
			has := &found.Items[0]
			field.Title, field.HasSellable, field.HasUnsellable, field.Known = has.Title, has.Sellable, has.Unsellable, true
		case !errors.Is(err, desk.ErrNoItem) && !errors.Is(err, desk.ErrNoSnapshot):
			return nil, err
		}
		f.Items = append(f.Items, field)
	}
	f.Search, err = s.searchStock(r, v, q)
	return f, err
}

// versionOf tells one state of a draft from the next.
func versionOf(d *desk.Draft) string { return strconv.FormatInt(d.Version(), 10) }

// errStale says that a draft was changed since the form was made.
var errStale = errors.New("the draft was changed meanwhile")

// saveDraft keeps what a draft's form has, and does what its button says: save,
// review, add what was found, or take a SKU off.
func (s *Server) saveDraft(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, form := r.PostForm.Get("id"), r.PostForm
	added, wrong := addedItems(form)
	if wrong != "" {
		return s.draftAgain(w, r, v, id, func(f *draftForm) { f.Wrong = append(f.Wrong, v.texts.T(wrong)) })
	}
	d, err := s.Desk.Edit(r.Context(), v.merchant.ID, id, v.actor(), "", func(d *desk.Draft) error {
		if versionOf(d) != form.Get("seen") {
			return errStale
		}
		return takeForm(d, form, added)
	})
	var bad *badQuantity
	switch {
	case errors.Is(err, errStale):
		return s.draftAgain(w, r, v, id, func(f *draftForm) {
			f.Wrong = append(f.Wrong, v.texts.T("web.draft.stale", "who", strings.TrimPrefix(f.By, "user:")))
		})
	case errors.As(err, &bad):
		return s.draftAgain(w, r, v, id, func(f *draftForm) {
			f.typed(form)
			for i := range f.Items {
				if f.Items[i].SKU == bad.sku {
					f.Items[i].Wrong = append(f.Items[i].Wrong, v.texts.T("web.draft.quantity"))
				}
			}
		})
	case errors.Is(err, ledger.ErrExists), errors.Is(err, desk.ErrValue):
		return s.draftAgain(w, r, v, id, func(f *draftForm) {
			f.typed(form)
			key := "web.draft.id_value"
			if errors.Is(err, ledger.ErrExists) {
				key = "web.draft.id_used"
			}
			f.NewID.Wrong = v.texts.T(key, "id", form.Get("new_id"))
		})
	case err != nil:
		return err
	}
	if form.Get("do") == "review" {
		return goTo(w, r, v, reviewPath(d.ID))
	}
	if form.Get("do") == "save" {
		s.flash(r, v.texts.T("web.draft.saved"))
	}
	if form.Get("do") != "search" {
		return goTo(w, r, v, draftPath(d.ID)) // what was found was added, or is not looked at
	}
	return goTo(w, r, v, searchOn(d.ID, form.Get("q")))
}

// badQuantity says for which SKU a quantity cannot be read.
type badQuantity struct{ sku string }

func (e *badQuantity) Error() string { return fmt.Sprintf("quantity of %.60q", e.sku) }

// takeForm changes a draft to what its form has.
func takeForm(d *desk.Draft, form url.Values, added []desk.Item) error {
	skus, sellable, unsellable := form["sku"], form["sellable"], form["unsellable"]
	for i, sku := range skus {
		if i >= len(sellable) || i >= len(unsellable) {
			return &badQuantity{sku}
		}
		a, ok := quantity(sellable[i])
		b, good := quantity(unsellable[i])
		if !ok || !good {
			return &badQuantity{sku}
		}
		if err := d.Change(desk.Item{SKU: sku, Sellable: a, Unsellable: b}); err != nil {
			return err
		}
	}
	if remove := form.Get("remove"); remove != "" {
		if err := d.Remove(remove); err != nil {
			return err
		}
	}
	if err := d.Add(added...); err != nil {
		return err
	}
	if m := methodOf(form.Get("method")); m != removal.MethodNone {
		d.Method = m
	}
	takeAddress(d, form)
	if _, ok := form["notes"]; ok {
		d.Notes = strings.TrimSpace(form.Get("notes"))
	}
	if id := strings.TrimSpace(form.Get("new_id")); id != "" {
		d.ID = id
	}
	return nil
}

// takeAddress changes the address to what the form has. A country alone, which the
// form begins with, is no address.
func takeAddress(d *desk.Draft, form url.Values) {
	address := d.Address
	for _, part := range addressParts {
		if values, ok := form["address_"+addressNames[part]]; ok && len(values) > 0 {
			*address.Part(part) = strings.TrimSpace(values[0])
		}
	}
	if address == (removal.Address{Country: address.Country}) && d.Address.IsZero() {
		return
	}
	d.Address = address
}

// draftAgain shows a draft's form again with what is wrong with it.
func (s *Server) draftAgain(w http.ResponseWriter, r *http.Request, v *visit, id string, mark func(*draftForm)) error {
	d, err := s.Desk.Draft(r.Context(), v.merchant.ID, id)
	if err != nil {
		return err
	}
	f, err := s.draftForm(r, v, &d, r.PostForm.Get("q"))
	if err != nil {
		return err
	}
	mark(f)
	return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "draft.html", map[string]any{"Form": f})
}

// typed puts what was typed in the place of what is kept.
func (f *draftForm) typed(form url.Values) {
	for i := range f.Items {
		for k, sku := range form["sku"] {
			if sku == f.Items[i].SKU && k < len(form["sellable"]) && k < len(form["unsellable"]) {
				f.Items[i].Sellable, f.Items[i].Unsellable = form["sellable"][k], form["unsellable"][k]
			}
		}
	}
	for i := range f.Address {
		if values, ok := form["address_"+f.Address[i].Name]; ok && len(values) > 0 {
			f.Address[i].Value = values[0]
		}
	}
	if m := methodOf(form.Get("method")); m != removal.MethodNone {
		f.Method = m
	}
	f.Notes, f.NewID.Value = form.Get("notes"), form.Get("new_id")
}

func (s *Server) discardDraft(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.PostForm.Get("id")
	if err := s.Desk.Discard(r.Context(), v.merchant.ID, id, v.actor()); err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.draft.discarded", "id", id))
	return goTo(w, r, v, "orders")
}
