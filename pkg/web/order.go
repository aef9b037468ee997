package web

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// orderView is an order as its page shows it.
type orderView struct {
	removal.Order
	Lines     []orderLine
	Address   []string
	History   []ledger.Event
	Files     []ledger.Outgoing
	Shipments []ledger.Shipment
	// Release is when an order in planning is handed on; zero for any other.
	Release time.Time
	// Cancel tells what a cancellation would be: "now", "request", "asked" where it
	// was asked for already, "" where the order cannot be cancelled.
	Cancel string
	// Start tells whether work on it can be said to have begun.
	Start bool
	// HasFee tells whether any line has a figure.
	HasFee bool
}

// orderLine is one condition of one line.
type orderLine struct {
	SKU, FNSKU string
	// First tells whether it is the first of its SKU, which names it for both.
	First     bool
	Condition removal.Condition
	removal.Units
	Cancellable bool
}

func (s *Server) orderPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.URL.Query().Get("id")
	o, err := s.order(r, v, id)
	if err != nil {
		return err
	}
	if o == nil {
		return goTo(w, r, v, "draft?"+url.Values{"id": {id}}.Encode())
	}
	return s.render(w, r, v, "order.html", map[string]any{"Order": o})
}

// order gives an order with all that belongs to it; nil where the id is a draft's.
func (s *Server) order(r *http.Request, v *visit, id string) (*orderView, error) {
	ctx, merchant := r.Context(), v.merchant.ID
	found, err := s.Ledger.Orders(ctx, merchant, []string{id})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || found[0].State == removal.StateRefused {
		_, err := s.Desk.Draft(ctx, merchant, id)
		if err == nil || len(found) == 0 {
			return nil, err
		}
		if !errors.Is(err, ledger.ErrNotFound) {
			return nil, err
		}
	}
	o := &orderView{Order: found[0], Address: addressLines(found[0].Address)}
	if o.History, err = s.Ledger.History(ctx, merchant, id); err != nil {
		return nil, err
	}
	if o.Files, err = s.Ledger.SentOrder(ctx, merchant, id, o.Created.Add(-time.Second)); err != nil {
		return nil, err
	}
	parcels, err := s.Ledger.ShipmentsOf(ctx, merchant, []string{id})
	if err != nil {
		return nil, err
	}
	o.Shipments = parcels[id]
	return o, s.orderActions(v, o)
}

// orderActions finds out what can be done with an order now.
func (s *Server) orderActions(v *visit, o *orderView) error {
	store, err := s.storeOf(v)
	if err != nil {
		return err
	}
	if o.State == removal.StatePlanning {
		o.Release = o.Created.Add(v.merchant.Profile.ReleaseDelay)
	}
	o.Start = o.State == removal.StatePending
	o.HasFee = o.NoFee < len(o.Order.Lines)
	cancellable := o.Cancellable(store.CancelIn)
	switch {
	case o.CancelRequested:
		o.Cancel = "asked"
	case cancellable && o.State == removal.StatePlanning:
		o.Cancel = "now"
	case cancellable:
		o.Cancel = "request"
	}
	for i := range o.Order.Lines {
		l := &o.Order.Lines[i]
		first := true
		for c, u := range []removal.Units{l.Sellable, l.Unsellable} {
			if u.Requested > 0 {
				o.Lines = append(o.Lines, orderLine{
					SKU: l.SKU, FNSKU: l.FNSKU, First: first, Condition: removal.Condition(c), Units: u,
					Cancellable: first && cancellable && len(o.Order.Lines) > 1 && l.Sellable.InProcess()+l.Unsellable.InProcess() > 0,
				})
				first = false
			}
		}
	}
	return nil
}

// addressLines are an address as it is written on a parcel.
func addressLines(a removal.Address) []string {
	var lines []string
	for _, line := range []string{
		a.Name, a.Line1, a.Line2, a.Line3, strings.Join(strings.Fields(a.PostalCode+" "+a.City+" "+a.State), " "), a.Country, a.Phone,
	} {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// cancelOrder cancels an order or one SKU of it, and tells what came of it.
func (s *Server) cancelOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.PostForm.Get("id")
	result, err := s.Desk.Cancel(r.Context(), v.merchant.ID, desk.CancelRequest{Order: id, SKU: r.PostForm.Get("sku"), Actor: v.actor()})
	if errors.Is(err, desk.ErrNoItem) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	text := v.texts.T("web.order.cancel."+string(result.Outcome), "id", id, "units", result.Units, "left", result.Left, "file", result.File)
	if result.Problem != nil {
		message, hint := report.Say(v.texts, s.Policy, result.Problem)
		if result.Outcome == desk.CancelForbidden || result.Outcome == desk.CancelTooLate {
			text = message
		}
		if hint != "" {
			text += " – " + hint
		}
	}
	s.flash(r, text)
	return goTo(w, r, v, orderPath(id))
}

// startOrder tells by hand that work on an order has begun.
func (s *Server) startOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.PostForm.Get("id")
	if err := s.Desk.SetStatus(r.Context(), v.merchant.ID, id, removal.StateProcessing, v.actor()); err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.order.started", "id", id))
	return goTo(w, r, v, orderPath(id))
}

// outboundFile gives a file that was handed on.
func (s *Server) outboundFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	// A path is made only of a name that the ledger knows.
	list, _, err := s.Ledger.ListSent(r.Context(), ledger.SentFilter{Merchant: v.merchant.ID, Name: r.PathValue("name")})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errNotFound
	}
	return s.sendFile(w, r, path.Join("outbound", v.merchant.ID, list[0].Name), list[0].Name)
}

func orderPath(id string) string { return "order?" + url.Values{"id": {id}}.Encode() }
