package removal

import (
	"encoding/json"
	"fmt"
)

// Code names one kind of problem. Its text form (lower_snake) is stable and is
// what users, scripts and reports see; its number is what packed outcomes hold,
// so codes are only ever added at the end of the table.
type Code uint8

// The catalogue. What each one means stands in the README's table of codes.
const (
	CodeNone Code = iota
	FileEmpty
	FileTooLarge
	FileFormatUnsupported
	FileEncodingInvalid
	FileKindUnknown
	FileHeaderMissing
	FileHeaderTwice
	FileQuoteOpen
	FileSheetTruncated
	FileSeen
	FileRefused
	SnapshotMissing
	SnapshotOlder
	SnapshotShrunk
	SnapshotBad
	SnapshotStale
	ColumnIgnored
	ColumnCount
	CellFormula
	CellError
	TextDamaged
	PlaceholderIgnored
	OrderIDTooLong
	OrderIDUsed
	RowSeen
	OrderContinued
	OrderConflict
	OrderScattered
	OrderRefused
	OrderHeaderMissing
	OrderSplit
	OrderTooManySKUs
	MethodUnknown
	MethodNotAllowed
	AddressFieldMissing
	AddressTooLong
	AddressCountryUnknown
	AddressCountryAlias
	AddressPostalInvalid
	AddressStateUnknown
	AddressPhoneInvalid
	AddressPOBox
	AddressFulfilmentCenter
	AddressOutsideStore
	AddressIgnored
	UploadRequired
	CustomerFulfilmentSuspected
	SKUMissing
	SKUTooLong
	SKUUnknown
	SKUIsFNSKU
	SKUIsASIN
	SKUDamaged
	QuantityMissing
	QuantityNegative
	QuantityNotWhole
	QuantityTooLarge
	QuantityOverStock
	QuantityReduced
	RowDuplicate
	NotReturnable
	PoolDisagrees
	SnapshotRowBad
	OrderMatched
	InputRowBad
	CancelForbidden
	CancelTooLate
	ReportUnmatched
	StatusExternalOrder
	StatusUnbalanced
	SheetIgnored

	codeEnd
)

type codeInfo struct {
	name     string
	scope    Scope
	severity Severity
	when     string
}

var codes = [codeEnd]codeInfo{
	FileEmpty:                   {"file_empty", ScopeFile, SeverityError, "no bytes or no data row"},
	FileTooLarge:                {"file_too_large", ScopeFile, SeverityError, "a size limit was passed (bytes; unpacked bytes; ratio; cell; rows; columns); the limit is named"},
	FileFormatUnsupported:       {"file_format_unsupported", ScopeFile, SeverityError, "xls; xlsb; ods; encrypted or password-protected workbook; several files in one archive; binary rubbish"},
	FileEncodingInvalid:         {"file_encoding_invalid", ScopeFile, SeverityError, "bytes that are valid in none of the accepted encodings"},
	FileKindUnknown:             {"file_kind_unknown", ScopeFile, SeverityError, "headings match no kind or two kinds"},
	FileHeaderMissing:           {"file_header_missing", ScopeFile, SeverityError, "a required heading is missing; the hint lists those found and the nearest"},
	FileHeaderTwice:             {"file_header_twice", ScopeFile, SeverityError, "one heading stands twice"},
	FileQuoteOpen:               {"file_quote_open", ScopeFile, SeverityError, "a quote that never closes; names the line where it opens"},
	FileSheetTruncated:          {"file_sheet_truncated", ScopeFile, SeverityError, "the sheet's XML or the archive ends early"},
	FileSeen:                    {"file_seen", ScopeFile, SeverityInfo, "the same bytes made or changed orders before; names the first run"},
	FileRefused:                 {"file_refused", ScopeRow, SeverityError, "the row is good but acceptance is file and another row is bad"},
	SnapshotMissing:             {"snapshot_missing", ScopeFile, SeverityError, "the merchant has no inventory snapshot"},
	SnapshotOlder:               {"snapshot_older", ScopeFile, SeverityInfo, "an inventory file older than the current snapshot; kept as history"},
	SnapshotShrunk:              {"snapshot_shrunk", ScopeFile, SeverityError, "a full inventory file with fewer than half of the current SKUs"},
	SnapshotBad:                 {"snapshot_bad", ScopeFile, SeverityError, "too many bad rows in an inventory file"},
	SnapshotStale:               {"snapshot_stale", ScopeFile, SeverityWarning, "the snapshot is older than the policy's days"},
	ColumnIgnored:               {"column_ignored", ScopeFile, SeverityWarning, "a column that the kind does not know"},
	ColumnCount:                 {"column_count", ScopeRow, SeverityError, "more cells than headings"},
	CellFormula:                 {"cell_formula", ScopeRow, SeverityWarning, "a formula's cached value was used"},
	CellError:                   {"cell_error", ScopeRow, SeverityError, "#REF! #N/A and the like"},
	TextDamaged:                 {"text_damaged", ScopeRow, SeverityError, "U+FFFD or a control character in an identifier or an address field"},
	PlaceholderIgnored:          {"placeholder_ignored", ScopeRow, SeverityWarning, "N/A; -; None; False; null in an address field counted as blank"},
	OrderIDTooLong:              {"order_id_too_long", ScopeRow, SeverityError, "over 40 characters"},
	OrderIDUsed:                 {"order_id_used", ScopeRow, SeverityError, "the id was used before: other method or address; or other quantities of the SKU; or the profile refuses resubmission"},
	RowSeen:                     {"row_seen", ScopeRow, SeverityInfo, "the line was accepted before under this order id"},
	OrderContinued:              {"order_continued", ScopeOrder, SeverityWarning, "new lines of a used id went into a follow-up order"},
	OrderConflict:               {"order_conflict", ScopeRow, SeverityError, "an order-level value differs from the one on the order's first row"},
	OrderScattered:              {"order_scattered", ScopeOrder, SeverityWarning, "rows of one order are not adjacent"},
	OrderRefused:                {"order_refused", ScopeRow, SeverityError, "the row is good but acceptance is order and another row of the order is bad"},
	OrderHeaderMissing:          {"order_header_missing", ScopeOrder, SeverityError, "the first row of an order has no disposition"},
	OrderSplit:                  {"order_split", ScopeOrder, SeverityWarning, "the order passes the outgoing limit and was split"},
	OrderTooManySKUs:            {"order_too_many_skus", ScopeOrder, SeverityError, "the order passes the outgoing limit and the profile forbids splitting"},
	MethodUnknown:               {"method_unknown", ScopeOrder, SeverityError, "not a disposition that is known"},
	MethodNotAllowed:            {"method_not_allowed", ScopeOrder, SeverityError, "known but not allowed in the home store"},
	AddressFieldMissing:         {"address_field_missing", ScopeOrder, SeverityError, "a part that the destination country needs; one problem a part"},
	AddressTooLong:              {"address_too_long", ScopeOrder, SeverityError, "a part over its length"},
	AddressCountryUnknown:       {"address_country_unknown", ScopeOrder, SeverityError, "not an ISO 3166-1 alpha-2 code"},
	AddressCountryAlias:         {"address_country_alias", ScopeOrder, SeverityWarning, "a usual wrong code was read as the right one (UK as GB)"},
	AddressPostalInvalid:        {"address_postal_invalid", ScopeOrder, SeverityError, "does not fit the country's pattern"},
	AddressStateUnknown:         {"address_state_unknown", ScopeOrder, SeverityError, "country with a closed list of states; not on it"},
	AddressPhoneInvalid:         {"address_phone_invalid", ScopeOrder, SeverityWarning, "not a phone number"},
	AddressPOBox:                {"address_po_box", ScopeOrder, SeverityError, "post box where the policy forbids it"},
	AddressFulfilmentCenter:     {"address_fulfilment_center", ScopeOrder, SeverityError, "the destination is a fulfilment centre"},
	AddressOutsideStore:         {"address_outside_store", ScopeOrder, SeverityError, "cross-border where the store's policy is never; or a country outside the policy's list"},
	AddressIgnored:              {"address_ignored", ScopeOrder, SeverityWarning, "an address on a disposal order"},
	UploadRequired:              {"upload_required", ScopeOrder, SeverityError, "cross-border order made otherwise than by upload file"},
	CustomerFulfilmentSuspected: {"customer_fulfilment_suspected", ScopeFile, SeverityWarning, "many recipients with few units each"},
	SKUMissing:                  {"sku_missing", ScopeRow, SeverityError, "no MSKU"},
	SKUTooLong:                  {"sku_too_long", ScopeRow, SeverityError, "over 40 bytes"},
	SKUUnknown:                  {"sku_unknown", ScopeRow, SeverityError, "not in the snapshot; the hint holds the best candidates"},
	SKUIsFNSKU:                  {"sku_is_fnsku", ScopeRow, SeverityError, "the value is the FNSKU of a MSKU"},
	SKUIsASIN:                   {"sku_is_asin", ScopeRow, SeverityError, "the value is the ASIN of one or more MSKUs"},
	SKUDamaged:                  {"sku_damaged", ScopeRow, SeverityError, "exponent form or lost digits from a spreadsheet"},
	QuantityMissing:             {"quantity_missing", ScopeRow, SeverityError, "both quantities blank or zero"},
	QuantityNegative:            {"quantity_negative", ScopeRow, SeverityError, "below zero"},
	QuantityNotWhole:            {"quantity_not_whole", ScopeRow, SeverityError, "not a whole number or ambiguous (1.000)"},
	QuantityTooLarge:            {"quantity_too_large", ScopeRow, SeverityError, "over 1000000"},
	QuantityOverStock:           {"quantity_over_stock", ScopeRow, SeverityError, "more than is available in that condition; the hint holds the arithmetic"},
	QuantityReduced:             {"quantity_reduced", ScopeRow, SeverityWarning, "partial profile: less was taken than asked"},
	RowDuplicate:                {"row_duplicate", ScopeRow, SeverityError, "the MSKU stands on an earlier row of the same order"},
	NotReturnable:               {"not_returnable", ScopeRow, SeverityError, "dangerous goods or recalled units that may only be disposed of"},
	PoolDisagrees:               {"pool_disagrees", ScopeRow, SeverityWarning, "inventory: rows of one FNSKU give different quantities; the smallest counts"},
	SnapshotRowBad:              {"snapshot_row_bad", ScopeRow, SeverityError, "inventory: a row left out because a required value is unusable"},
	OrderMatched:                {"order_matched", ScopeOrder, SeverityWarning, "an order without an id was recognised as an open one with a generated id"},
	InputRowBad:                 {"input_row_bad", ScopeRow, SeverityError, "status; cancel; recall or address file: a value that cannot be used"},
	CancelForbidden:             {"cancel_forbidden", ScopeRow, SeverityError, "cancel list: the state or the source does not allow it"},
	CancelTooLate:               {"cancel_too_late", ScopeRow, SeverityWarning, "cancel list: units had left already"},
	ReportUnmatched:             {"report_unmatched", ScopeFile, SeverityWarning, "a processing report that belongs to no outgoing file"},
	StatusExternalOrder:         {"status_external_order", ScopeRow, SeverityInfo, "status file: an order that was not made here; taken in with source external"},
	StatusUnbalanced:            {"status_unbalanced", ScopeRow, SeverityWarning, "status file: requested is not cancelled + disposed + shipped + in process; kept as an event and not applied"},
	SheetIgnored:                {"sheet_ignored", ScopeFile, SeverityWarning, "another sheet of the workbook with the same headings; one is read"},
}

// Scope says what a problem is about: a row, a whole order or the whole file.
type Scope uint8

// The scopes, narrowest first.
const (
	ScopeRow Scope = iota
	ScopeOrder
	ScopeFile
)

func (s Scope) String() string { return [...]string{"row", "order", "file"}[s] }

// Severity says what a problem does: an error refuses, a warning and an info never do.
type Severity uint8

// The severities, gravest first.
const (
	SeverityError Severity = iota
	SeverityWarning
	SeverityInfo
)

func (s Severity) String() string { return [...]string{"error", "warning", "info"}[s] }

// Codes returns the whole catalogue in its order.
func Codes() []Code {
	all := make([]Code, 0, codeEnd-1)
	for c := CodeNone + 1; c < codeEnd; c++ {
		all = append(all, c)
	}
	return all
}

// ParseCode finds a code by its text form.
func ParseCode(name string) (Code, bool) {
	for c := CodeNone + 1; c < codeEnd; c++ {
		if codes[c].name == name {
			return c, true
		}
	}
	return CodeNone, false
}

// Valid tells whether c stands in the catalogue: false for a number read from
// a newer program's block.
func (c Code) Valid() bool { return c > CodeNone && c < codeEnd }

func (c Code) info() codeInfo {
	if !c.Valid() {
		return codeInfo{name: fmt.Sprintf("code_%d", uint8(c))}
	}
	return codes[c]
}

// String is the stable text form, as in "sku_unknown".
func (c Code) String() string { return c.info().name }

// Scope says what the code is about.
func (c Code) Scope() Scope { return c.info().scope }

// Severity says whether the code refuses.
func (c Code) Severity() Severity { return c.info().severity }

// IsError tells whether a problem of this code refuses its row, order or file.
func (c Code) IsError() bool { return c.info().severity == SeverityError }

// When is the catalogue's one-line description, in English.
func (c Code) When() string { return c.info().when }

// MarshalJSON writes the text form.
func (c Code) MarshalJSON() ([]byte, error) { return json.Marshal(c.String()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Code) UnmarshalJSON(b []byte) error {
	var name string
	if err := json.Unmarshal(b, &name); err != nil {
		return err
	}
	code, ok := ParseCode(name)
	if !ok {
		return fmt.Errorf("%q is no problem code", name)
	}
	*c = code
	return nil
}
