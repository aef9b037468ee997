package api

import (
	"context"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/templates"
)

// The reports that are made of what the ledger holds now, with their forms, the
// first being the default.
var made = []struct {
	name  string
	forms []string
	since bool // can be limited to what came since a moment
}{
	{"order-detail", []string{"tsv"}, true},
	{"shipment-detail", []string{"tsv"}, true},
	{"reconciliation", []string{"csv", "xlsx"}, true},
	{"inventory", []string{"csv"}, false},
	{"deadlines", []string{"csv", "xlsx"}, false},
}

// ReportKind is one report that can be made.
type ReportKind struct {
	Name  string   `json:"name"`
	Forms []string `json:"forms" nullable:"false"`
	Href  string   `json:"href" format:"uri-reference"`
}

func (a *API) reportOperations() {
	look := need{role: ledger.RoleViewer}
	add(a, operation(http.MethodGet, "/reports", "listReports", "Reports", "Which reports can be made",
		"The reports of files that were processed stand with their runs."), look, a.listReports)
	var names []any
	for _, m := range made {
		names = append(names, m.name)
	}
	get := operation(http.MethodGet, "/reports/{report}", "makeReport", "Reports", "Make a report and download it",
		"Of orders and stock as they are now.")
	report := inPath("report", "which")
	report.Schema = text(names...)
	get.Parameters = []*huma.Param{
		report, merchantQuery(), query("form", "default: the first of its forms", text("tsv", "csv", "xlsx")),
		query("since", "only what came since; of orders and parcels only", &huma.Schema{Type: huma.TypeString, Format: "date-time"}),
	}
	get.Responses = download("text/csv", "text/tab-separated-values", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	a.addRaw(get, look, a.makeReport)
}

type reportsInput struct{ MerchantParam }

type reportsOutput struct {
	Body struct {
		Reports []ReportKind `json:"reports" nullable:"false"`
	}
}

func (a *API) listReports(_ context.Context, c *call, _ *reportsInput) (*reportsOutput, error) {
	out := &reportsOutput{}
	for _, m := range made {
		if m.name == "deadlines" && a.Deadlines == nil {
			continue
		}
		out.Body.Reports = append(out.Body.Reports, ReportKind{m.name, m.forms, c.href("reports", m.name)})
	}
	return out, nil
}

func (a *API) makeReport(w http.ResponseWriter, r *http.Request, c *call) error {
	name, form, since := r.PathValue("report"), r.URL.Query().Get("form"), time.Time{}
	for _, m := range made {
		if m.name != name || name == "deadlines" && a.Deadlines == nil {
			continue
		}
		if form == "" {
			form = m.forms[0]
		}
		if v := r.URL.Query().Get("since"); v != "" {
			var err error
			if since, err = time.Parse(time.RFC3339, v); err != nil || !m.since {
				return badParam("query.since", "a time as 2026-11-20T06:00:00+01:00, of a report of orders or parcels")
			}
		}
		for _, known := range m.forms {
			if known == form {
				k := &maker{a, r.Context(), c, since}
				return a.sendMade(w, name+"."+form, func(to io.Writer) error { return k.write(to, name, form) })
			}
		}
		return badParam("query.form", "one of the report's forms")
	}
	return refuse(http.StatusNotFound, "report_unknown")
}

// maker makes one report of the ledger's present state.
type maker struct {
	*API
	ctx   context.Context
	c     *call
	since time.Time
}

func (k *maker) write(w io.Writer, name, form string) error {
	id := k.c.merchant.ID
	orders := report.OrderRecords(k.ctx, k.Ledger, id, k.since)
	switch name {
	case "order-detail":
		return report.OrderDetail(w, orders, k.c.zone)
	case "shipment-detail":
		return report.ShipmentDetail(w, report.Shipments(k.ctx, k.Ledger, id, k.since), k.c.zone)
	case "inventory":
		return k.stock(w)
	case "deadlines":
		list, err := k.Deadlines(k.ctx, id, k.Now())
		if err != nil {
			return err
		}
		if form == "xlsx" {
			return list.XLSX(w)
		}
		return list.CSV(w)
	}
	r, err := k.reconciliation()
	if err != nil {
		return err
	}
	if form == "xlsx" {
		return r.XLSX(w, orders)
	}
	return r.CSV(w, orders)
}

func (k *maker) reconciliation() (*report.Reconciliation, error) {
	m := &k.c.merchant
	store, err := k.Policy.Store(m.Profile.HomeStore, k.Now().In(k.c.zone), m.Profile.Policy)
	if err != nil {
		return nil, err
	}
	r := &report.Reconciliation{
		Texts: templates.Load(m.Profile.Language), Zone: k.c.zone, Now: k.Now(), ClaimDays: store.ClaimDays, CSVBOM: m.Profile.CSVBOM,
	}
	last, _, err := k.Ledger.Runs(k.ctx, ledger.RunFilter{Merchant: m.ID, Kind: removal.KindShipmentDetail, Limit: 1})
	if len(last) > 0 {
		r.Told = last[0].Started
	}
	return r, err
}

// stockAtOnce is how many SKUs are asked for at a time.
const stockAtOnce = 10000

// stock writes the current snapshot with what removals take of it.
func (k *maker) stock(w io.Writer) error {
	totals, err := k.Desk.Totals(k.ctx, k.c.merchant.ID)
	if err != nil {
		return err
	}
	date := report.Moment(totals.Snapshot, !totals.DateOnly, k.c.zone)
	return report.Stock(w, k.stockRows(), date, k.c.merchant.Profile.CSVBOM)
}

func (k *maker) stockRows() iter.Seq2[report.StockRow, error] {
	return func(yield func(report.StockRow, error) bool) {
		for from := 0; ; from += stockAtOnce {
			f, err := k.Desk.Find(k.ctx, k.c.merchant.ID, "", from, stockAtOnce)
			if err != nil {
				yield(report.StockRow{}, err)
				return
			}
			for i := range f.Items {
				s := &f.Items[i]
				row := report.StockRow{
					SKU: s.SKU, FNSKU: s.FNSKU, ASIN: s.ASIN, Title: s.Title, Sellable: s.PoolSellable, Unsellable: s.PoolUnsellable,
					OpenSellable: s.OpenSellable, OpenUnsellable: s.OpenUnsellable,
				}
				if !yield(row, nil) {
					return
				}
			}
			if len(f.Items) < stockAtOnce {
				return
			}
		}
	}
}
