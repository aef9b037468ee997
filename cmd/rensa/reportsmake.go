package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/templates"
)

// The reports that are made of what the ledger holds now.
const (
	makeOrderDetail    = "order-detail"
	makeShipmentDetail = "shipment-detail"
	makeReconciliation = "reconciliation"
	makeInventory      = "inventory"
	makeDeadlines      = "deadlines"
)

func madeReports() []string {
	return []string{makeOrderDetail, makeShipmentDetail, makeReconciliation, makeInventory, makeDeadlines}
}

type makeFlags struct {
	out, since string
	force      bool
}

func (a *app) reportsMake() *cobra.Command {
	f := &makeFlags{}
	c := &cobra.Command{
		Use: "make REPORT", Short: a.t("cli.about.reports_make"), Long: a.t("cli.about.reports_make_long") + "\n\n" + a.t("cli.about.reports_make_deadlines"), Args: a.wants(1, 1),
		Example: "  rensa reports make order-detail --since 2026-11-01 --out orders.tsv\n  rensa reports make reconciliation --out reconciliation.xlsx",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.makeReport(cmd.Context(), args[0], f)
		},
	}
	c.Flags().StringVarP(&f.out, "out", "o", "", a.t("cli.flag.to"))
	c.Flags().StringVar(&f.since, "since", "", a.t("cli.flag.since"))
	c.Flags().BoolVar(&f.force, "force", false, a.t("cli.flag.overwrite"))
	c.ValidArgs = madeReports()
	return c
}

// maker makes one report of the ledger's present state.
type maker struct {
	ctx   context.Context
	ws    *workspace
	m     removal.Merchant
	app   *app
	since time.Time
}

// makeReport writes a report to a file or standard output, never a part of it.
func (a *app) makeReport(ctx context.Context, name string, f *makeFlags) (err error) {
	if !slices.Contains(madeReports(), name) {
		return usage("cli.err.report_made", "given", name).near(name, madeReports()).hint("cli.hint.report_made", "names", strings.Join(madeReports(), ", "))
	}
	workbook := strings.EqualFold(filepath.Ext(f.out), ".xlsx")
	if workbook && name != makeReconciliation && name != makeDeadlines {
		return usage("cli.err.report_form", "name", name).hint("cli.hint.report_form")
	}
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	k := &maker{ctx: ctx, ws: ws, app: a}
	if k.m, err = ws.merchant(ctx, a.merchant); err != nil {
		return err
	}
	if k.since, err = parseTime(f.since, k.m.Profile.TimeZone, "--since"); err != nil {
		return err
	}
	// A large report does not fit into memory; a part of one is no report.
	temp, err := os.CreateTemp("", "rensa-report-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, temp.Close(), os.Remove(temp.Name())) }()
	w := bufio.NewWriterSize(temp, 1<<16)
	if err := k.write(w, name, workbook); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if f.out == "" || f.out == "-" {
		_, err := io.Copy(a.out, temp)
		return err
	}
	if err := a.write(f.out, temp, f.force); err != nil {
		return err
	}
	if a.json {
		return a.answer(map[string]string{"file": f.out})
	}
	a.note("cli.reports.written", "file", f.out)
	return nil
}

func (k *maker) write(w io.Writer, name string, workbook bool) error {
	zone, orders := zoneOf(&k.m), report.OrderRecords(k.ctx, k.ws.ledger, k.m.ID, k.since)
	switch name {
	case makeOrderDetail:
		return report.OrderDetail(w, orders, zone)
	case makeShipmentDetail:
		return report.ShipmentDetail(w, report.Shipments(k.ctx, k.ws.ledger, k.m.ID, k.since), zone)
	case makeInventory:
		return k.stock(w)
	case makeDeadlines:
		return k.deadlines(w, workbook)
	}
	r, err := k.reconciliation()
	if err != nil {
		return err
	}
	if workbook {
		return r.XLSX(w, orders)
	}
	return r.CSV(w, orders)
}

func (k *maker) reconciliation() (*report.Reconciliation, error) {
	store, err := k.ws.policy.Store(k.m.Profile.HomeStore, k.ws.now(), k.m.Profile.Policy)
	if err != nil {
		return nil, err
	}
	texts := k.app.texts
	if !k.app.langGiven {
		texts = templates.Load(k.m.Profile.Language)
	}
	r := &report.Reconciliation{
		Texts: texts, Zone: zoneOf(&k.m), Now: k.ws.now(), ClaimDays: store.ClaimDays, CSVBOM: k.m.Profile.CSVBOM,
	}
	last, _, err := k.ws.ledger.Runs(k.ctx, ledger.RunFilter{Merchant: k.m.ID, Kind: removal.KindShipmentDetail, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(last) > 0 {
		r.Told = last[0].Started
	}
	return r, nil
}

// stock writes the current snapshot with what removals take of it.
func (k *maker) stock(w io.Writer) error {
	row, s, stock, err := k.ws.stock(k.ctx, k.m.ID)
	if err != nil {
		return err
	}
	rows := func(yield func(report.StockRow, error) bool) {
		for i := range int32(s.Len()) {
			item := s.Item(i)
			r := report.StockRow{SKU: string(item.SKU), FNSKU: string(item.FNSKU), ASIN: item.ASIN, Title: item.Title}
			r.Sellable, r.Unsellable = s.Units(item.Pool)
			r.OpenSellable, r.OpenUnsellable = stock.Taken(item.Pool)
			if !yield(r, nil) {
				return
			}
		}
	}
	if err := report.Stock(w, rows, report.Moment(row.Date, row.DateHasTime, zoneOf(&k.m)), k.m.Profile.CSVBOM); err != nil {
		return err
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("the current snapshot: %w", err)
	}
	return nil
}
