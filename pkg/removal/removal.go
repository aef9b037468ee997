// Package removal is the domain: removal orders and their lines, the rows of an
// upload and what was decided about each, and the catalogue of problems.
//
// It imports the standard library only and does no I/O. Everything here is a
// plain value: the rules stand in package validate, durable state in ledger,
// texts in templates.
package removal

import "time"

// Kind names what a file is. It is recognised by content, never by name.
type Kind string

// The kinds of file that are read.
const (
	KindUpload    Kind = "removal_upload"
	KindManageFBA Kind = "manage_fba_inventory"
	KindAFN       Kind = "afn_inventory"
	KindInventory Kind = "rensa_inventory"
	KindCentres   Kind = "fulfilment_centres"
	// What says more about stock that a snapshot holds.
	KindPlanning   Kind = "inventory_planning"
	KindHealth     Kind = "inventory_health"
	KindStranded   Kind = "stranded_inventory"
	KindReserved   Kind = "reserved_inventory"
	KindStorageFee Kind = "monthly_storage_fee"
	KindRecallList Kind = "recall_list"
	// What became of orders, and what is to become of them.
	KindOrderDetail      Kind = "removal_order_detail"
	KindShipmentDetail   Kind = "removal_shipment_detail"
	KindProcessingReport Kind = "processing_report"
	KindCancelList       Kind = "cancel_list"
	// KindRecommended is known, and answered with what it is: Rensa makes its own.
	KindRecommended Kind = "recommended_removal"
)

// MakesOrders tells whether a file of this kind makes or changes orders, so that
// the same bytes must not be processed twice. A processing report is none of
// them: two files that were handed on may get the same answer, byte for byte.
func (k Kind) MakesOrders() bool {
	return k == KindUpload || k == KindOrderDetail || k == KindShipmentDetail || k == KindCancelList
}

// OfOrders tells whether a file of this kind says what became of orders, or what
// is to become of them.
func (k Kind) OfOrders() bool {
	return k == KindOrderDetail || k == KindShipmentDetail || k == KindCancelList || k == KindProcessingReport
}

// HasOutcomes tells whether something is decided about each row of a file of
// this kind by itself, and kept, so that the row can be explained.
func (k Kind) HasOutcomes() bool { return k == KindUpload }

// IsInventory tells whether a file of this kind brings a snapshot.
func (k Kind) IsInventory() bool {
	return k == KindManageFBA || k == KindAFN || k == KindInventory
}

// AddsFacts tells whether a file of this kind says more about the stock that the
// current snapshot holds, and leaves its quantities as they are.
func (k Kind) AddsFacts() bool {
	switch k {
	case KindPlanning, KindHealth, KindStranded, KindReserved, KindStorageFee, KindRecallList:
		return true
	}
	return false
}

// Method is what happens to the units of an order.
type Method uint8

// The methods. Every order has exactly one.
const (
	MethodNone Method = iota
	Return
	Disposal
)

// String is the value as an upload's RemovalDisposition column has it.
func (m Method) String() string { return [...]string{"", "Return", "Disposal"}[m] }

// ParseMethod reads what String writes; anything else is MethodNone. The
// spellings that users write are read in package validate.
func ParseMethod(s string) Method {
	switch s {
	case "Return":
		return Return
	case "Disposal":
		return Disposal
	}
	return MethodNone
}

// Condition is the state that units of stock are in.
type Condition uint8

// The two conditions. Stock of one never serves for the other.
const (
	Sellable Condition = iota
	Unsellable
)

func (c Condition) String() string { return [...]string{"sellable", "unsellable"}[c] }

// State is where an order stands between its making and its end.
type State string

// The states in the order in which an order passes them; the last three are final.
const (
	StateDraft      State = "draft"
	StatePlanning   State = "planning"
	StatePending    State = "pending"
	StateProcessing State = "processing"
	StateCompleted  State = "completed"
	StateCancelled  State = "cancelled"
	StateRefused    State = "refused"
)

// Final tells whether nothing more can happen to an order in this state.
func (s State) Final() bool {
	return s == StateCompleted || s == StateCancelled || s == StateRefused
}

// Acceptance is how far a bad row spreads.
type Acceptance string

// The ways of acceptance: good rows go, or whole orders only, or the whole file.
const (
	AcceptRow   Acceptance = "row"
	AcceptOrder Acceptance = "order"
	AcceptFile  Acceptance = "file"
)

// Source says who made an order.
type Source string

// The sources of orders.
const (
	SourceUpload   Source = "upload"
	SourceDraft    Source = "draft"
	SourceRequired Source = "required"
	SourceExternal Source = "external"
)

// Address is where the units of a return go.
type Address struct {
	Name       string `json:"name"`
	Line1      string `json:"line1"`
	Line2      string `json:"line2,omitempty"`
	Line3      string `json:"line3,omitempty"`
	City       string `json:"city"`
	State      string `json:"state,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country"`
	Phone      string `json:"phone,omitempty"`
}

// IsZero tells whether no part of the address is given.
func (a Address) IsZero() bool { return a == Address{} }

// Part is the part of the address that a field of an upload holds; nil for a field
// of another thing.
func (a *Address) Part(f Field) *string {
	switch f {
	case FieldName:
		return &a.Name
	case FieldLine1:
		return &a.Line1
	case FieldLine2:
		return &a.Line2
	case FieldLine3:
		return &a.Line3
	case FieldCity:
		return &a.City
	case FieldCountry:
		return &a.Country
	case FieldState:
		return &a.State
	case FieldPostalCode:
		return &a.PostalCode
	case FieldPhone:
		return &a.Phone
	}
	return nil
}

// Units are the quantities of one condition of a line: Requested is always the
// sum of the other three and of what is still in process.
type Units struct {
	Requested, Cancelled, Disposed, Shipped int64
}

// InProcess is what neither left nor was cancelled.
func (u Units) InProcess() int64 { return u.Requested - u.Cancelled - u.Disposed - u.Shipped }

// Line is one MSKU of an order.
type Line struct {
	SKU, FNSKU string
	// AskedSellable and AskedUnsellable are what the uploaded row said; a
	// profile that allows partial removal may have requested less.
	AskedSellable, AskedUnsellable int64
	Sellable, Unsellable           Units
	// Fee is the estimate for the whole line; HasFee is false where there is no figure.
	Fee    Amount
	HasFee bool
}

// Order is one removal order as it was accepted.
type Order struct {
	Merchant string
	ID       string
	// Family is the id under which the orders that were made from one another
	// are found together: the id of the first of them.
	Family  string
	State   State
	Method  Method
	Source  Source
	Run     string // run that made it; "" where no file did
	Row     int    // first row of the order in that run's file
	Created time.Time
	// Generated is true where Rensa made the id because the file gave none.
	Generated bool
	Address   Address // zero for a disposal
	Notes     string  // shipping notes
	Lines     []Line
	Fee       Amount // sum over the lines that have a figure
	Currency  string
	// NoFee counts the lines without a figure, for the reason NoFeeReason.
	NoFee           int
	NoFeeReason     string
	CancelRequested bool
	// HeaderHash is a hash of method and address, by which orders without an id
	// are recognised and an id that is used again is compared.
	HeaderHash uint64
}

// Totals sums the lines by condition.
func (o *Order) Totals() (sellable, unsellable Units) {
	for i := range o.Lines {
		add(&sellable, o.Lines[i].Sellable)
		add(&unsellable, o.Lines[i].Unsellable)
	}
	return sellable, unsellable
}

func add(sum *Units, u Units) {
	sum.Requested += u.Requested
	sum.Cancelled += u.Cancelled
	sum.Disposed += u.Disposed
	sum.Shipped += u.Shipped
}

// Centre is a fulfilment centre with its address; no return may go there.
type Centre struct {
	ID         string
	Name       string
	Line1      string
	City       string
	Country    string
	PostalCode string
}
