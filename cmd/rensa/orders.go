package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// maxLimit is the most orders or runs that one call lists.
const maxLimit = 1000

func (a *app) ordersCommand() *cobra.Command {
	return a.group("orders", "cli.about.orders", a.ordersList(), a.ordersShow(), a.ordersCreate(), a.ordersEdit(),
		a.ordersPlace(), a.ordersDiscard(), a.ordersCancel(), a.ordersSetStatus())
}

type orderFlags struct {
	status, method, sku, since, cursor string
	id, file                           string
	limit                              int
}

func (a *app) ordersList() *cobra.Command {
	f := &orderFlags{}
	c := &cobra.Command{
		Use: "list", Short: a.t("cli.about.orders_list"), Args: a.wants(0, 0),
		Example: "  rensa orders list --status pending --since 2026-11-01",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.listOrders(cmd.Context(), f)
		},
	}
	c.Flags().StringVar(&f.status, "status", "", a.t("cli.flag.status"))
	c.Flags().StringVar(&f.method, "method", "", a.t("cli.flag.method"))
	c.Flags().StringVar(&f.sku, "sku", "", a.t("cli.flag.sku"))
	c.Flags().StringVar(&f.id, "id", "", a.t("cli.flag.order_prefix"))
	c.Flags().StringVar(&f.file, "file", "", a.t("cli.flag.order_file"))
	c.Flags().StringVar(&f.since, "since", "", a.t("cli.flag.since"))
	c.Flags().IntVar(&f.limit, "limit", 50, a.t("cli.flag.limit"))
	c.Flags().StringVar(&f.cursor, "cursor", "", a.t("cli.flag.cursor"))
	return c
}

// orderDocument is an order in the answer of orders list.
type orderDocument struct {
	ID              string          `json:"id"`
	Merchant        string          `json:"merchant"`
	State           removal.State   `json:"state"`
	Method          string          `json:"method"`
	Source          removal.Source  `json:"source"`
	Created         string          `json:"created"`
	Lines           int             `json:"lines"`
	Sellable        int64           `json:"sellable"`
	Unsellable      int64           `json:"unsellable"`
	Fee             *removal.Amount `json:"fee"` // null where no line has a figure
	Currency        string          `json:"currency"`
	CancelRequested bool            `json:"cancel_requested"`
}

// filter reads the flags for a merchant.
func (f *orderFlags) filter(m *removal.Merchant) (ledger.OrderFilter, error) {
	out := ledger.OrderFilter{Merchant: m.ID, SKU: f.sku, Prefix: f.id, File: f.file, Limit: f.limit, Cursor: f.cursor}
	states := []string{
		string(removal.StateDraft), string(removal.StatePlanning), string(removal.StatePending), string(removal.StateProcessing),
		string(removal.StateCompleted), string(removal.StateCancelled), string(removal.StateRefused),
	}
	word := ""
	if f.status != "" {
		if err := setWord(&word, "--status", f.status, states); err != nil {
			return out, err
		}
		out.State = removal.State(word)
	}
	if f.method != "" {
		if err := setWord(&word, "--method", f.method, methodWords()); err != nil {
			return out, err
		}
		out.Method = methodOf(word)
	}
	if f.limit < 1 || f.limit > maxLimit {
		return out, usage("cli.err.limit", "max", maxLimit)
	}
	var err error
	out.Since, err = parseTime(f.since, m.Profile.TimeZone, "--since")
	return out, err
}

func (a *app) listOrders(ctx context.Context, f *orderFlags) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return err
	}
	filter, err := f.filter(&m)
	if err != nil {
		return err
	}
	if f.sku != "" {
		if err := ws.ledger.IndexOrders(ctx, m.ID); err != nil {
			return err
		}
	}
	rows, next, err := ws.ledger.ListOrders(ctx, filter)
	if errors.Is(err, ledger.ErrCursor) {
		return usage("cli.err.cursor", "given", f.cursor)
	}
	if err != nil {
		return err
	}
	drafts, err := ws.listedDrafts(ctx, &m, &filter)
	if err != nil {
		return err
	}
	rows = append(drafts, rows...)
	if a.json {
		documents := make([]orderDocument, len(rows))
		for i := range rows {
			documents[i] = listedOrder(&rows[i], &m)
		}
		return a.answer(map[string]any{"orders": documents, "next": next})
	}
	if len(rows) == 0 {
		a.note("cli.orders.none")
		return nil
	}
	t := &table{}
	t.add(a.t("cli.col.order"), a.t("cli.col.state"), a.t("cli.col.method"), a.t("cli.col.created"), ">"+a.t("cli.col.lines"),
		">"+a.t("cli.col.sellable"), ">"+a.t("cli.col.unsellable"), ">"+a.t("cli.col.fee"))
	for i := range rows {
		d := listedOrder(&rows[i], &m)
		t.add(printable(d.ID), a.state(d.State, d.CancelRequested), a.t("word.method."+rows[i].Method.String()),
			a.moment(rows[i].Created, &m), strconv.Itoa(d.Lines), strconv.FormatInt(d.Sellable, 10),
			strconv.FormatInt(d.Unsellable, 10), a.fee(d.Fee, d.Currency))
	}
	a.show(t, "")
	if next != "" {
		a.note("cli.orders.next", "cursor", next)
	}
	return nil
}

// listedDrafts are the drafts that a filter lets through; they stand before the
// orders, on the first page.
func (ws *workspace) listedDrafts(ctx context.Context, m *removal.Merchant, f *ledger.OrderFilter) ([]ledger.OrderRow, error) {
	if f.Cursor != "" || f.File != "" || f.State != "" && f.State != removal.StateDraft {
		return nil, nil
	}
	store, err := ws.policy.Store(m.Profile.HomeStore, ws.now(), m.Profile.Policy)
	if err != nil {
		return nil, err
	}
	all, err := desk.New(desk.Options{Ledger: ws.ledger}).Drafts(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	var rows []ledger.OrderRow
	for i := range all {
		d := &all[i]
		holds := slices.ContainsFunc(d.Items, func(it desk.Item) bool { return it.SKU == f.SKU })
		if f.SKU != "" && !holds || f.Method != removal.MethodNone && d.Method != f.Method ||
			!strings.HasPrefix(d.ID, f.Prefix) || d.Created.Before(f.Since) {
			continue
		}
		sellable, unsellable := d.Units()
		rows = append(rows, ledger.OrderRow{
			ID: d.ID, Merchant: m.ID, State: removal.StateDraft, Method: d.Method, Source: removal.SourceDraft, Created: d.Created,
			Lines: len(d.Items), NoFee: len(d.Items), Currency: store.Currency,
			Sellable: removal.Units{Requested: sellable}, Unsellable: removal.Units{Requested: unsellable},
		})
	}
	return rows, nil
}

func listedOrder(o *ledger.OrderRow, m *removal.Merchant) orderDocument {
	d := orderDocument{
		ID: o.ID, Merchant: o.Merchant, State: o.State, Method: o.Method.String(), Source: o.Source,
		Created: timeText(o.Created.In(zoneOf(m))), Lines: o.Lines, Sellable: o.Sellable.Requested,
		Unsellable: o.Unsellable.Requested, Currency: o.Currency, CancelRequested: o.CancelRequested,
	}
	if o.NoFee < o.Lines {
		d.Fee = &o.Fee
	}
	return d
}

func (a *app) fee(amount *removal.Amount, currency string) string {
	if amount == nil {
		return a.t("cli.orders.no_fee")
	}
	return amount.String() + " " + currency
}

func (a *app) state(s removal.State, cancelRequested bool) string {
	text := a.t("word.state." + string(s))
	if cancelRequested {
		text += " (" + a.t("cli.orders.cancel_requested") + ")"
	}
	return text
}

// moment is a time as people of the merchant read it, to the minute.
func (a *app) moment(t time.Time, m *removal.Merchant) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zoneOf(m)).Format("2006-01-02 15:04")
}

// zoneOf is the merchant's time zone. It was checked when it was set; a machine
// that has lost it falls back to UTC.
func zoneOf(m *removal.Merchant) *time.Location {
	if zone, err := time.LoadLocation(m.Profile.TimeZone); err == nil {
		return zone
	}
	return time.UTC
}

func methodWords() []string { return []string{"return", "disposal"} }

func methodOf(word string) removal.Method {
	if word == "disposal" {
		return removal.Disposal
	}
	return removal.Return
}

func methodWord(m removal.Method) string { return strings.ToLower(m.String()) }
