package nightly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/report"
)

// ErrNoReport says that there is no report of a name, or not in a form.
var ErrNoReport = errors.New("there is no such report")

// Made is a report that Make makes, with its forms.
type Made struct {
	Name  string
	Forms []string
}

// MadeReports are those that Make makes, in the order in which they are shown.
func MadeReports() []Made {
	return []Made{
		{"order-detail", []string{"tsv"}}, {"shipment-detail", []string{"tsv"}}, {"reconciliation", []string{"xlsx", "csv"}},
		{"inventory", []string{"csv"}}, {"deadlines", []string{"xlsx", "csv"}},
	}
}

// Make writes one report of all that is known at a moment. ErrNoReport;
// desk.ErrNoSnapshot for an inventory where there is none.
func (j *Jobs) Make(ctx context.Context, merchant, name, form string, at time.Time, w io.Writer) error {
	sc, err := j.scene(ctx, merchant, at)
	if err != nil {
		return err
	}
	orders := report.OrderRecords(ctx, j.Ledger, merchant, time.Time{})
	switch name + "." + form {
	case "order-detail.tsv":
		return report.OrderDetail(w, orders, sc.zone)
	case "shipment-detail.tsv":
		return report.ShipmentDetail(w, report.Shipments(ctx, j.Ledger, merchant, time.Time{}), sc.zone)
	case "reconciliation.csv", "reconciliation.xlsx":
		r, err := j.reconciliation(ctx, sc)
		if err != nil {
			return err
		}
		if form == "xlsx" {
			return r.XLSX(w, orders)
		}
		return r.CSV(w, orders)
	case "inventory.csv":
		row, s, err := j.Current(ctx, merchant)
		if err == nil && s == nil {
			err = desk.ErrNoSnapshot
		}
		if err != nil {
			return err
		}
		return j.inventory(ctx, w, sc, row, s)
	case "deadlines.csv", "deadlines.xlsx":
		list, err := j.Deadlines(ctx, merchant, at)
		if err != nil {
			return err
		}
		if form == "xlsx" {
			return list.XLSX(w)
		}
		return list.CSV(w)
	}
	return fmt.Errorf("%s.%s: %w", name, form, ErrNoReport)
}
