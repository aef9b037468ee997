package report

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"rensa/pkg/removal"
)

// OrderRecord is an order with what was told of it since it was accepted.
type OrderRecord struct {
	Order    *removal.Order
	Progress *removal.Progress
	// Parcels are the shipments that are known of it.
	Parcels []removal.ShipmentLine
}

// orderDetailHeadings are the 17 columns of the newest variant, in its order.
var orderDetailHeadings = strings.Split("request-date|order-id|order-source|order-type|service-speed|order-status|"+
	"last-updated-date|sku|fnsku|disposition|requested-quantity|cancelled-quantity|disposed-quantity|shipped-quantity|"+
	"in-process-quantity|removal-fee|currency", "|")

// serviceSpeed is the only one that orders have.
const serviceSpeed = "Standard"

// OrderDetail writes a Removal Order Detail report as the marketplace does: a row
// for every line and condition of every order, in the order in which they come.
// Refused orders are left out: the marketplace has none. zone is that of the times.
func OrderDetail(w io.Writer, orders iter.Seq2[OrderRecord, error], zone *time.Location) error {
	t, err := newTSV(w, orderDetailHeadings)
	if err != nil {
		return fmt.Errorf("order detail: %w", err)
	}
	for record, err := range orders {
		if err != nil {
			return err
		}
		for l := range detailLines(record) {
			if err := t.row(l.detail(zone)); err != nil {
				return fmt.Errorf("order detail: %w", err)
			}
		}
	}
	if err := t.flush(); err != nil {
		return fmt.Errorf("order detail: %w", err)
	}
	return nil
}

// detailLine is one line of an order in one condition.
type detailLine struct {
	OrderRecord
	line      *removal.Line
	condition removal.Condition
	units     removal.Units
	updated   time.Time
}

// detailLines gives the lines of an order, each condition of which units were
// asked by itself; none of a refused order or a draft.
func detailLines(r OrderRecord) iter.Seq[*detailLine] {
	return func(yield func(*detailLine) bool) {
		if r.Order.State == removal.StateRefused || r.Order.State == removal.StateDraft {
			return
		}
		for i := range r.Order.Lines {
			line := &r.Order.Lines[i]
			for _, c := range []removal.Condition{removal.Sellable, removal.Unsellable} {
				l := &detailLine{OrderRecord: r, line: line, condition: c, units: *line.Units(c)}
				if l.units.Requested == 0 {
					continue
				}
				l.updated = l.lastUpdated()
				if !yield(l) {
					return
				}
			}
		}
	}
}

// progress is what is known of the line itself; nil: nothing.
func (l *detailLine) progress() *removal.LineProgress {
	for i := range l.Progress.Lines {
		if p := &l.Progress.Lines[i]; p.SKU == l.line.SKU && p.Condition == l.condition {
			return p
		}
	}
	return nil
}

// requested is when the order was made, by the marketplace's clock where that is
// known.
func (l *detailLine) requested() time.Time {
	if !l.Progress.Requested.IsZero() {
		return l.Progress.Requested
	}
	return l.Order.Created
}

func (l *detailLine) lastUpdated() time.Time {
	if p := l.progress(); p != nil && !p.Updated.IsZero() {
		return p.Updated
	}
	if !l.Progress.Updated.IsZero() {
		return l.Progress.Updated
	}
	return l.Order.Created
}

// fee is the condition's share of the line's estimate: units of both cost the same.
func (l *detailLine) fee() (amount removal.Amount, ok bool) {
	sellable, all := l.line.Sellable.Requested, l.line.Sellable.Requested+l.line.Unsellable.Requested
	if !l.line.HasFee || all == 0 {
		return 0, false
	}
	amount = removal.Amount(int64(l.line.Fee) * sellable / all)
	if l.condition == removal.Unsellable {
		amount = l.line.Fee - amount
	}
	return amount, true
}

func (l *detailLine) detail(zone *time.Location) []string {
	fee, currency := "", ""
	if amount, ok := l.fee(); ok {
		fee, currency = amount.String(), l.Order.Currency
	}
	u := &l.units
	return []string{
		stamp(l.requested(), zone), l.Order.ID, string(l.Order.Source), l.Order.Method.String(), serviceSpeed,
		title(string(l.Order.State)), stamp(l.updated, zone), l.line.SKU, l.line.FNSKU, title(l.condition.String()),
		number(u.Requested), number(u.Cancelled), number(u.Disposed), number(u.Shipped), number(u.InProcess()), fee, currency,
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// title writes one of our own words as the marketplace does, "Pending".
func title(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// shipmentDetailHeadings are the 10 columns of the newest variant, in its order.
var shipmentDetailHeadings = strings.Split("request-date|order-id|shipment-date|sku|fnsku|disposition|shipped-quantity|"+
	"carrier|tracking-number|removal-order-type", "|")

// ShipmentDetail writes a Removal Shipment Detail report as the marketplace does,
// a row for each SKU and condition in each parcel. zone is that of the times.
func ShipmentDetail(w io.Writer, shipments iter.Seq2[removal.ShipmentLine, error], zone *time.Location) error {
	t, err := newTSV(w, shipmentDetailHeadings)
	if err != nil {
		return fmt.Errorf("shipment detail: %w", err)
	}
	for s, err := range shipments {
		if err != nil {
			return err
		}
		err := t.row([]string{
			stamp(s.RequestDate, zone), s.OrderID, stamp(s.ShipmentDate, zone), s.SKU, s.FNSKU, title(s.Condition.String()),
			number(s.Shipped), s.Carrier, s.Tracking, s.Type,
		})
		if err != nil {
			return fmt.Errorf("shipment detail: %w", err)
		}
	}
	if err := t.flush(); err != nil {
		return fmt.Errorf("shipment detail: %w", err)
	}
	return nil
}
