package desk

import (
	"context"
	"fmt"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// ApplyShipmentDetail applies the rows of a Removal Shipment Detail report. See
// PlanShipmentDetail.
func (d *Desk) ApplyShipmentDetail(ctx context.Context, merchant, run string, lines []removal.ShipmentLine) ([]removal.Problem, Counts, error) {
	return d.apply(ctx, merchant, run, func(m *removal.Merchant) (*Plan, error) { return d.PlanShipmentDetail(ctx, m, run, lines) })
}

// parcelKey tells parcels' contents apart.
type parcelKey struct {
	order, sku        string
	condition         removal.Condition
	at                int64
	tracking, carrier string
}

func keyOf(s *ledger.Shipment) parcelKey {
	return parcelKey{s.Order, s.SKU, s.Condition, s.At.UnixMicro(), s.Tracking, s.Carrier}
}

// PlanShipmentDetail decides what the rows of a Removal Shipment Detail report do,
// on the merchant's revision, and commits nothing. Parcels give dates, carriers
// and tracking numbers, never quantities of orders: how many units left is said by
// Order Detail alone. Parcels of orders that are not known yet are kept until it
// tells of them. The same rows again change nothing.
func (d *Desk) PlanShipmentDetail(ctx context.Context, m *removal.Merchant, run string, lines []removal.ShipmentLine) (*Plan, error) {
	ids := orderIDs(lines, func(l *removal.ShipmentLine) string { return l.OrderID })
	p, err := d.plan(ctx, m, run, "status file", ids)
	if err != nil {
		return nil, err
	}
	known, err := d.opt.Ledger.ShipmentsOf(ctx, m.ID, ids)
	if err != nil {
		return nil, err
	}
	p.Counts.Rows = int64(len(lines))
	told, rows := tellParcels(lines, run)
	fresh := map[string][]int{} // by order, of told
	place := map[parcelKey]int{}
	for _, parcels := range known {
		for i := range parcels {
			place[keyOf(&parcels[i])] = i
		}
	}
	for i := range told {
		before, there := place[keyOf(&told[i])]
		switch {
		case !there:
			known[told[i].Order] = append(known[told[i].Order], told[i])
		case known[told[i].Order][before].Units == told[i].Units:
			p.Counts.Unchanged += rows[i]
			continue
		default:
			known[told[i].Order][before] = told[i]
		}
		p.Change.Shipments = append(p.Change.Shipments, told[i])
		fresh[told[i].Order] = append(fresh[told[i].Order], i)
	}
	for _, id := range ids {
		if len(fresh[id]) == 0 {
			continue
		}
		r := p.records[id]
		for _, i := range fresh[id] {
			if r == nil {
				p.Counts.Kept += rows[i]
			} else {
				p.Counts.Applied += rows[i]
			}
		}
		if r != nil {
			p.shipped(r, known[id])
		}
		p.tellParcels(id, told, fresh[id])
	}
	p.finish()
	return &p.Plan, nil
}

// tellParcels gathers the rows by parcel and line, with how many rows each had.
func tellParcels(lines []removal.ShipmentLine, run string) (told []ledger.Shipment, rows []int64) {
	place := map[parcelKey]int{}
	for i := range lines {
		l := &lines[i]
		s := ledger.Shipment{
			Order: l.OrderID, SKU: l.SKU, FNSKU: l.FNSKU, Condition: l.Condition, At: micros(l.ShipmentDate), Units: l.Shipped,
			Carrier: l.Carrier, Tracking: l.Tracking, Type: l.Type, Run: run,
		}
		if !l.RequestDate.IsZero() {
			s.Requested = micros(l.RequestDate)
		}
		k, ok := place[keyOf(&s)]
		if !ok {
			place[keyOf(&s)] = len(told)
			told, rows = append(told, s), append(rows, 1)
			continue
		}
		told[k].Units += s.Units
		rows[k]++
	}
	return told, rows
}

// shipped gives the units of an order that left the dates of its parcels.
func (p *planner) shipped(r *ledger.Record, parcels []ledger.Shipment) {
	by := parcelsByLine(parcels)
	for i := range r.Lines {
		l := &r.Lines[i]
		for _, c := range []removal.Condition{removal.Sellable, removal.Unsellable} {
			if l.Units(c).Shipped == 0 {
				continue
			}
			if p.redate(r, l, c, by[lineKey{l.SKU, c}], p.now, 0) {
				p.touch(r)
			}
		}
	}
}

func (p *planner) tellParcels(id string, told []ledger.Shipment, which []int) {
	for _, i := range which {
		s := &told[i]
		p.Change.Events = append(p.Change.Events, ledger.Event{
			Actor: p.actor, Subject: ledger.SubjectOrder, ID: id, What: "shipment", Run: p.run,
			Why: fmt.Sprintf("%s: %d × %s, %s %s", s.At.Format("2006-01-02"), s.Units, s.SKU, s.Carrier, s.Tracking),
		})
	}
}
