package status

import (
	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// OrderDetail reads a Removal Order Detail report. Where the file leaves out what is in
// process, it is what remains.
func OrderDetail(sheet *decode.Sheet, heading int, headings []string, dates Dates) (*Read[removal.OrderDetailLine], error) {
	return some(each(&orderDetail, sheet, heading, headings, dates, func(r *row) removal.OrderDetailLine {
		l := removal.OrderDetailLine{
			Row: r.number(), Line: r.line(),
			RequestDate: r.moment(fieldRequestDate, false), OrderID: r.orderID(),
			Source: r.text(fieldSource), Type: r.text(fieldType), ServiceSpeed: r.text(fieldSpeed), Status: r.state(),
			LastUpdated: r.moment(fieldLastUpdated, true), SKU: r.sku(true), FNSKU: r.fnsku(), Condition: r.condition(),
			Requested: r.units(fieldRequested, true), Cancelled: r.units(fieldCancelled, false),
			Disposed: r.units(fieldDisposed, false), Shipped: r.units(fieldShipped, false),
			InProcess: r.units(fieldInProcess, false), Currency: r.currency(),
		}
		l.Fee, l.HasFee = r.fee()
		if r.value(fieldInProcess) == "" {
			l.InProcess = max(0, l.Requested-l.Cancelled-l.Disposed-l.Shipped)
		}
		return l
	}))
}

// ShipmentDetail reads a Removal Shipment Detail report.
func ShipmentDetail(sheet *decode.Sheet, heading int, headings []string, dates Dates) (*Read[removal.ShipmentLine], error) {
	return some(each(&shipmentDetail, sheet, heading, headings, dates, func(r *row) removal.ShipmentLine {
		return removal.ShipmentLine{
			Row: r.number(), Line: r.line(),
			RequestDate: r.moment(fieldRequestDate, false), OrderID: r.orderID(),
			ShipmentDate: r.moment(fieldShipmentDate, true), SKU: r.sku(true), FNSKU: r.fnsku(), Condition: r.condition(),
			Shipped: r.units(fieldShipped, true), Carrier: r.text(fieldCarrier), Tracking: r.text(fieldTracking),
			Type: r.text(fieldType),
		}
	}))
}

// CancelList reads a list of orders, or of SKUs of orders, that are to be
// cancelled. A row without a SKU means the whole order.
func CancelList(sheet *decode.Sheet, heading int, headings []string) (*Read[removal.CancelLine], error) {
	return some(each(&cancelList, sheet, heading, headings, Dates{}, func(r *row) removal.CancelLine {
		return removal.CancelLine{Row: r.number(), Line: r.line(), OrderID: r.orderID(), SKU: r.sku(false)}
	}))
}

// some refuses a file without a row.
func some[L any](read *Read[L], err error) (*Read[L], error) {
	if err == nil && read.Rows == 0 {
		return nil, removal.NewFileError(removal.FileEmpty)
	}
	return read, err
}
