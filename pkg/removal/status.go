package removal

import (
	"strings"
	"time"
	"unicode"
)

// OrderDetailLine is one row of a Removal Order Detail report: what became of one
// SKU of an order, in one condition.
type OrderDetailLine struct {
	Row, Line int // place in the file
	// RequestDate is when the order was made there, LastUpdated as of when the
	// figures hold. A date without a time is the start of its day in the store's zone.
	RequestDate, LastUpdated time.Time
	OrderID                  string
	Source                   string // as written: who made the order
	Type                     string // as written: Return, Disposal, Liquidations …
	Status                   State  // pending, processing, completed or cancelled
	ServiceSpeed             string
	SKU, FNSKU               string
	Condition                Condition
	Requested, Cancelled     int64
	Disposed, Shipped        int64
	InProcess                int64
	Fee                      Amount
	HasFee                   bool
	Currency                 string
}

// Balanced tells whether the quantities add up.
func (l *OrderDetailLine) Balanced() bool {
	return l.Requested == l.Cancelled+l.Disposed+l.Shipped+l.InProcess &&
		min(l.Requested, l.Cancelled, l.Disposed, l.Shipped, l.InProcess) >= 0
}

// ShipmentLine is one row of a Removal Shipment Detail report: units of one SKU
// in one parcel. It brings dates, carriers and tracking numbers, never quantities
// of orders.
type ShipmentLine struct {
	Row, Line         int
	RequestDate       time.Time
	OrderID           string
	ShipmentDate      time.Time
	SKU, FNSKU        string
	Condition         Condition
	Shipped           int64
	Carrier, Tracking string
	Type              string // as written
}

// CancelLine is one row of a cancel list.
type CancelLine struct {
	Row, Line int
	OrderID   string
	SKU       string // "" for the whole order
}

// ProcessingReport is the marketplace's answer to one outgoing file.
type ProcessingReport struct {
	FileName              string // as the report was named when it came
	Processed, Successful int    // as the summary says; -1 where it does not
	Lines                 []ProcessingLine
}

// ProcessingLine is one row of a processing report's table.
type ProcessingLine struct {
	Row, Line    int
	RecordNumber int    // item row of the outgoing file, from 1; may match none
	SKU          string // "" or "-" where the row names none
	Code         string
	Type         string // "Error" refuses, "Warning" does not
	Message      string // in the marketplace's words
}

// IsError tells whether the row refuses something.
func (l *ProcessingLine) IsError() bool {
	switch words(l.Type) {
	case "warning", "warn", "info", "information", "varning", "warnung", "hinweis":
		return false
	}
	return true
}

// words is text as it is compared: lower case, letters and digits only.
func words(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// ParseOrderStatus reads the status of an order as found in the wild, in any case
// and spelling.
func ParseOrderStatus(s string) (State, bool) {
	switch words(s) {
	case "pending", "planning", "planned", "new", "submitted", "received", "väntande", "planering", "ausstehend":
		return StatePending, true
	case "processing", "inprocess", "inprogress", "partiallycompleted", "partiallyshipped",
		"bearbetning", "inbearbeitung":
		return StateProcessing, true
	case "completed", "complete", "shipped", "disposed", "done", "closed":
		return StateCompleted, true
	case "cancelled", "canceled", "cancel", "partiallycancelled", "partiallycanceled":
		return StateCancelled, true
	}
	return StateNone, false
}

// ParseDisposition reads the condition of units as found in the wild.
func ParseDisposition(s string) (Condition, bool) {
	switch words(s) {
	case "sellable", "fulfillable", "fulfilable", "new", "levererbar", "verkaufbar":
		return Sellable, true
	case "unsellable", "unfulfillable", "unfulfilable", "defective", "customerdamaged", "damaged", "olevererbar", "nichtverkaufbar",
		"carrierdamaged", "warehousedamaged", "distributordamaged", "expired":
		return Unsellable, true
	}
	return Sellable, false
}

// ParseOrderType reads the kind of an order as found in the wild. What leaves the
// stock otherwise than to an address, as a liquidation, counts as a disposal.
func ParseOrderType(s string) Method {
	switch words(s) {
	case "return", "returns", "retur", "rücksendung":
		return Return
	}
	return Disposal
}

// ParseOrderSource tells whether an order that was not made here was made by a
// person, or is required and cannot be cancelled.
func ParseOrderSource(s string) Source {
	w := words(s)
	for _, part := range []string{"required", "automat", "systeminitiated", "amazoninitiated", "marketplaceinitiated"} {
		if strings.Contains(w, part) && !strings.Contains(w, "seller") {
			return SourceRequired
		}
	}
	return SourceExternal
}

// Progress is what status files and cancellations told of an order, beside the
// quantities of its lines.
type Progress struct {
	// Requested is when the order was made at the marketplace, as a status
	// file has it; zero where none has confirmed the order.
	Requested time.Time
	// Updated is as of when the newest row about the order held.
	Updated time.Time
	Lines   []LineProgress
	// CancelAll says that the cancellation of the whole order was asked for.
	CancelAll bool
}

// LineProgress is the progress of one line in one condition.
type LineProgress struct {
	SKU       string
	Condition Condition
	Updated   time.Time // of the row that was applied last
	// Before is what was cancelled before the order was handed on: the
	// marketplace never heard of those units.
	Before int64
	// CancelAsked says that the cancellation of the line was asked for.
	CancelAsked bool
	Left        []Left
}

// Left is units that left the stock at one moment.
type Left struct {
	At    time.Time
	Units int64
	// Disposed tells disposed units from shipped ones.
	Disposed bool
	// Dated is true where a shipment gave the date, and false where it is only
	// the date of the status row.
	Dated bool
}

// Line finds the progress of a line, or adds it.
func (p *Progress) Line(sku string, c Condition) *LineProgress {
	for i := range p.Lines {
		if p.Lines[i].SKU == sku && p.Lines[i].Condition == c {
			return &p.Lines[i]
		}
	}
	p.Lines = append(p.Lines, LineProgress{SKU: sku, Condition: c})
	return &p.Lines[len(p.Lines)-1]
}

// Units gives the quantities of a condition, to read or change.
func (l *Line) Units(c Condition) *Units {
	if c == Unsellable {
		return &l.Unsellable
	}
	return &l.Sellable
}
