package main

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func (a *app) ordersShow() *cobra.Command {
	review := false
	c := &cobra.Command{
		Use: "show ID", Short: a.t("cli.about.orders_show"), Args: a.wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if review {
				return a.atDesk(cmd.Context(), func(o *office) error { return o.reviewDraft(cmd.Context(), args[0]) })
			}
			return a.showOrder(cmd.Context(), args[0])
		},
	}
	c.Flags().BoolVar(&review, "review", false, a.t("cli.flag.review"))
	return c
}

// unitsDocument are the quantities of one condition in an answer.
type unitsDocument struct {
	Requested int64 `json:"requested"`
	Cancelled int64 `json:"cancelled"`
	Disposed  int64 `json:"disposed"`
	Shipped   int64 `json:"shipped"`
	InProcess int64 `json:"in_process"`
}

type itemDocument struct {
	SKU        string        `json:"sku"`
	FNSKU      string        `json:"fnsku"`
	Sellable   unitsDocument `json:"sellable"`
	Unsellable unitsDocument `json:"unsellable"`
}

type eventDocument struct {
	At    string `json:"at"`
	Actor string `json:"actor"`
	What  string `json:"what"`
	From  string `json:"from"`
	To    string `json:"to"`
	Why   string `json:"why"`
	Run   string `json:"run"`
}

// orderDetails is an order in the answer of orders show.
type orderDetails struct {
	orderDocument
	Run     string           `json:"run"`
	Family  string           `json:"family"`
	Notes   string           `json:"notes"`
	NoFee   string           `json:"no_fee_reason"`
	Items   []itemDocument   `json:"items"`
	Address *removal.Address `json:"address"`
	History []eventDocument  `json:"history"`
}

func (a *app) showOrder(ctx context.Context, id string) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return err
	}
	return a.showOrderOf(ctx, ws, &m, id)
}

// showOrderOf shows an order, or a draft of that id.
func (a *app) showOrderOf(ctx context.Context, ws *workspace, m *removal.Merchant, id string) error {
	orders, err := ws.ledger.Orders(ctx, m.ID, []string{id})
	if err != nil {
		return err
	}
	// A draft may have the id of an order that the marketplace refused.
	if len(orders) == 0 || orders[0].State == removal.StateRefused {
		draft, err := desk.New(desk.Options{Ledger: ws.ledger}).Draft(ctx, m.ID, id)
		if err == nil {
			return (&office{workspace: ws, app: a, merchant: *m}).showDraft(ctx, &draft)
		}
		if !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	if len(orders) == 0 {
		return usage("cli.err.order_unknown", "id", id).hint("cli.hint.orders")
	}
	o := &orders[0]
	for i := range orders {
		// An id that was refused may have been used again: that order is meant.
		if orders[i].State != removal.StateRefused {
			o = &orders[i]
		}
	}
	history, err := ws.ledger.History(ctx, m.ID, id)
	if err != nil {
		return err
	}
	if a.json {
		return a.answer(detailsOf(o, history, m))
	}
	a.orderText(o, history, m)
	return nil
}

func documentOf(o *removal.Order, m *removal.Merchant) orderDocument {
	sellable, unsellable := o.Totals()
	d := orderDocument{
		ID: o.ID, Merchant: m.ID, State: o.State, Method: o.Method.String(), Source: o.Source,
		Created: timeText(o.Created.In(zoneOf(m))), Lines: len(o.Lines),
		Sellable: sellable.Requested, Unsellable: unsellable.Requested, Currency: o.Currency, CancelRequested: o.CancelRequested,
	}
	if o.NoFee < len(o.Lines) {
		d.Fee = &o.Fee
	}
	return d
}

func detailsOf(o *removal.Order, history []ledger.Event, m *removal.Merchant) orderDetails {
	d := orderDetails{
		orderDocument: documentOf(o, m), Run: o.Run, Family: o.Family, Notes: o.Notes, NoFee: o.NoFeeReason,
		Items: make([]itemDocument, len(o.Lines)), History: make([]eventDocument, len(history)),
	}
	if !o.Address.IsZero() {
		d.Address = &o.Address
	}
	for i, l := range o.Lines {
		d.Items[i] = itemDocument{SKU: l.SKU, FNSKU: l.FNSKU, Sellable: unitsOf(l.Sellable), Unsellable: unitsOf(l.Unsellable)}
	}
	for i, e := range history {
		d.History[i] = eventDocument{
			At: timeText(e.At.In(zoneOf(m))), Actor: e.Actor, What: e.What, From: e.From, To: e.To, Why: e.Why, Run: e.Run,
		}
	}
	return d
}

func unitsOf(u removal.Units) unitsDocument {
	return unitsDocument{u.Requested, u.Cancelled, u.Disposed, u.Shipped, u.InProcess()}
}

// orderText shows an order to people.
func (a *app) orderText(o *removal.Order, history []ledger.Event, m *removal.Merchant) {
	d := documentOf(o, m)
	a.say(a.style.bold(printable(o.ID)))
	l := &labels{app: a}
	l.add("state", a.state(o.State, o.CancelRequested))
	l.add("method", a.t("word.method."+o.Method.String()))
	l.add("created", a.moment(o.Created, m))
	if o.Family != "" && o.Family != o.ID {
		l.add("family", printable(o.Family))
	}
	if o.Run != "" {
		l.add("run", o.Run)
	}
	fee := a.fee(d.Fee, o.Currency)
	if o.NoFee > 0 {
		why := ""
		if o.NoFeeReason != "" {
			why = a.t("word.nofee." + o.NoFeeReason)
		}
		fee = a.t("cli.run.no_fees", "without", o.NoFee, "why", why)
		if d.Fee != nil {
			fee = a.t("cli.run.fees", "amount", o.Fee, "currency", o.Currency, "without", o.NoFee, "why", why)
		}
	}
	l.add("fee", fee)
	for _, line := range addressLines(o.Address) {
		l.add("address", printable(line))
	}
	if o.Notes != "" {
		l.add("notes", printable(o.Notes))
	}
	l.show()
	a.say("")
	t := &table{}
	t.add(a.t("cli.col.sku"), "FNSKU", a.t("cli.col.condition"), ">"+a.t("cli.col.requested"), ">"+a.t("cli.col.cancelled"),
		">"+a.t("cli.col.disposed"), ">"+a.t("cli.col.shipped"), ">"+a.t("cli.col.in_process"))
	for _, line := range o.Lines {
		sku, fnsku := printable(line.SKU), printable(line.FNSKU)
		for c, u := range []removal.Units{line.Sellable, line.Unsellable} {
			if u.Requested > 0 {
				t.add(sku, fnsku, a.t("word.condition."+removal.Condition(c).String()), number(u.Requested), number(u.Cancelled), number(u.Disposed),
					number(u.Shipped), number(u.InProcess()))
			}
		}
	}
	a.show(t, "  ")
	a.say("")
	t = &table{}
	t.add(a.t("cli.col.when"), a.t("cli.col.who"), a.t("cli.col.what"), a.t("cli.col.from"), a.t("cli.col.to"))
	for _, e := range history {
		why := e.Why
		if key, facts := desk.Told(&e); key != "" {
			why = a.t("word.told."+key, facts...)
		}
		what := strings.TrimSpace(a.named("event", e.What) + " " + why)
		t.add(a.moment(e.At, m), a.named("actor", cmp.Or(e.Actor, e.Run)), printable(what), a.named("state", e.From), a.named("state", e.To))
	}
	a.show(t, "  ")
}

// named gives what something of a group is called.
func (a *app) named(group, what string) string { return printable(a.texts.Word(group, what)) }

func number(n int64) string { return strconv.FormatInt(n, 10) }

// addressLines are an address as it is written on a parcel.
func addressLines(a removal.Address) []string {
	var lines []string
	for _, line := range []string{
		a.Name, a.Line1, a.Line2, a.Line3, strings.TrimSpace(strings.Join([]string{a.PostalCode, a.City, a.State}, " ")), a.Country, a.Phone,
	} {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
