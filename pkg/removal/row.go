package removal

// Field is one column of a removal upload.
type Field uint8

// The fields in the order of the marketplace's template. Those up to FieldNotes
// belong to the order, the rest to the item.
const (
	FieldOrderID Field = iota
	FieldMethod
	FieldName
	FieldLine1
	FieldLine2
	FieldLine3
	FieldCity
	FieldCountry
	FieldState
	FieldPostalCode
	FieldPhone
	FieldNotes
	FieldSKU
	FieldSellable
	FieldUnsellable

	NumFields = iota
	// FieldNone stands for no single column.
	FieldNone Field = 255
)

var fieldNames = [NumFields]string{
	"MerchantRemovalOrderID", "RemovalDisposition", "AddressName", "AddressFieldOne",
	"AddressFieldTwo", "AddressFieldThree", "AddressCity", "AddressCountryCode",
	"AddressStateOrRegion", "AddressPostalCode", "ContactPhoneNumber", "ShippingNotes",
	"MerchantSKU", "SellableQuantity", "UnsellableQuantity",
}

// String is the field's canonical heading, as in "MerchantSKU".
func (f Field) String() string {
	if int(f) >= NumFields {
		return ""
	}
	return fieldNames[f]
}

// OfOrder tells whether the field's value belongs to the whole order.
func (f Field) OfOrder() bool { return f <= FieldNotes }

// OfAddress tells whether the field is a part of the address.
func (f Field) OfAddress() bool { return f >= FieldName && f <= FieldPhone }

// Span is a stretch of bytes in a buffer that many rows share.
type Span struct{ Off, Len uint32 }

// CellNote says something about one cell that its bytes do not.
type CellNote struct {
	Field Field // FieldNone for a cell of an unknown column
	Col   int   // column counted from 1
	What  NoteKind
}

// NoteKind is what a CellNote says.
type NoteKind uint8

// What can be noted about a cell.
const (
	NoteFormula    NoteKind = iota + 1 // a formula's cached value was read
	NoteError                          // an error value such as #REF!
	NoteLongNumber                     // a number of more than 15 digits: the last ones are lost
	NoteDamaged                        // U+FFFD or a control character
	NoteExtra                          // a cell beyond the last heading
)

// Row is one item row of an upload, or of a draft, as it was read. Its values are
// slices of a shared buffer and good only until that buffer is used again.
type Row struct {
	Data   []byte
	Spans  [NumFields]Span
	Notes  []CellNote // nil for nearly all rows
	Number int        // number that a spreadsheet shows
	Line   int        // physical line; 0 in a workbook
}

// Value is the trimmed value of a field, empty where it is blank or absent.
func (r *Row) Value(f Field) []byte {
	s := r.Spans[f]
	return r.Data[s.Off : s.Off+s.Len]
}

// Group says to which order of its file a row belongs.
type Group struct {
	Order int32 // counted from 0 in the order of their first rows
	First bool  // the order begins with this row
	Back  bool  // rows of other orders stand between this one and the order's last
}

// Status is what became of a row.
type Status uint8

// The statuses. Every row read has exactly one.
const (
	Rejected Status = iota
	Accepted
	Seen // accepted by an earlier file already: nothing is removed twice
)

func (s Status) String() string { return [...]string{"rejected", "accepted", "seen"}[s] }

// Outcome is what was decided about one row.
type Outcome struct {
	Row    int   // number that a spreadsheet shows
	Line   int   // physical line; 0 in a workbook
	Order  int32 // index into the run's OrderOutcomes
	Status Status
	// Part counts from 0 which part of the order the row is in, where it was split.
	Part int32
	// Item is the place of the MSKU in the snapshot; -1 where it is not there.
	Item int32
	// Sellable and Unsellable are the quantities as read; 0 where they were unusable.
	Sellable, Unsellable int64
	// TakenSellable and TakenUnsellable are what was accepted.
	TakenSellable, TakenUnsellable int64
	Fee                            Amount
	HasFee                         bool
	Problems                       []Problem // of scope row
}

// OrderOutcome is what was decided about one order of a file.
type OrderOutcome struct {
	// Given is the id as the file has it, "" where it gave none. ID is the one
	// under which rows were accepted; for a split order, its base.
	Given, ID string
	// Family is the earlier order that this one continues; ID where it is new.
	Family      string
	Method      Method
	Row         int // first row
	Refused     bool
	Continued   bool     // new lines of a used id: ID is a follow-up's
	Matched     bool     // recognised without an id
	Parts       []string // ids of the parts of a split order; nil: not split
	Rows        int      // item rows
	Accepted    int      // accepted rows
	Fee         Amount
	NoFee       int // accepted lines without a figure
	NoFeeReason string
	Problems    []Problem // of scope order
	// HeaderHash is a hash of method and address, by which orders without an
	// id are recognised.
	HeaderHash uint64
}

// AcceptedID is the id of an order, or of one part of a split order, counted from 0.
func (o *OrderOutcome) AcceptedID(part int32) string {
	if o.Parts != nil {
		return o.Parts[part]
	}
	return o.ID
}
