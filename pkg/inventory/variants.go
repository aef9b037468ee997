package inventory

import (
	"strings"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// field is what a column of an inventory file means to a snapshot.
type field uint8

const (
	fieldNone field = iota // known heading, kept out
	fieldSKU
	fieldFNSKU
	fieldASIN
	fieldTitle
	fieldSellable
	fieldUnsellable
	fieldDisposition
	fieldQuantity
	fieldDate
	fieldReceived
	fieldSince
	fieldRecalled
	fieldExpiry
	fieldWeight
	fieldLongest
	fieldMedian
	fieldShortest
	fieldVolume
	fieldHazmat
	fieldOpenExcluded

	fieldCentre
	fieldName
	fieldLine1
	fieldCity
	fieldCountry
	fieldPostalCode

	// What adds to the stock that is there, see factvariants.go.
	fieldAvailable
	fieldAge0to30
	fieldAge31to60
	fieldAge61to90
	fieldAge91to180
	fieldAge181to270
	fieldAge271to365
	fieldAge331to365
	fieldAge366to455
	fieldAge456
	fieldAge0to90
	fieldAge366
	fieldCharge12
	fieldCharge366
	fieldCharge456
	fieldShipped30
	fieldShipped90
	fieldSizeUnit
	fieldWeightUnit
	fieldVolumeUnit
	fieldIsHazmat
	fieldStrandedSince
	fieldReserved
	fieldRecalledSince

	numFields
)

// shape is how the rows of a variant give quantities.
type shape uint8

const (
	// bothFigures: a row has the pool's figure of either condition, and every
	// row of the pool repeats it.
	bothFigures shape = iota
	// oneFigure: a row has the pool's figure of the condition it names.
	oneFigure
	// lots: a row is a lot of its own, and the lots of a pool are added.
	lots
)

// column is one column of a variant, with the spellings of its heading.
type column struct {
	field    field
	required bool
	headings []string
}

func need(f field, headings ...string) column  { return column{f, true, headings} }
func maybe(f field, headings ...string) column { return column{f, false, headings} }

// kept-out headings, one column each, as a list with bars between them
func known(list string) []column {
	var all []column
	for _, h := range strings.Split(list, "|") {
		all = append(all, maybe(fieldNone, h))
	}
	return all
}

// variant is one layout of an inventory file. A further one is a further entry
// of the table variants, or a further spelling in it.
type variant struct {
	kind  removal.Kind
	shape shape
	only  bool // no other headings allowed
	// anyKey: one of MSKU, FNSKU and ASIN is enough, whichever it is.
	anyKey  bool
	columns []column
}

var variants = []variant{
	{kind: removal.KindManageFBA, shape: bothFigures, columns: append([]column{
		need(fieldSKU, "sku", "Merchant SKU"),
		maybe(fieldFNSKU, "fnsku", "Fulfillment Network SKU", "Fulfilment Network SKU"),
		maybe(fieldASIN, "asin"),
		maybe(fieldTitle, "product-name", "Title"),
		need(fieldSellable, "afn-fulfillable-quantity", "AFN Fulfillable Qty", "AFN Fulfilable Qty"),
		need(fieldUnsellable, "afn-unsellable-quantity", "AFN Unsellable Qty"),
	}, known("condition|your-price|Price|mfn-listing-exists|mfn-fulfillable-quantity|MFN Fulfillable Qty|"+
		"afn-listing-exists|afn-warehouse-quantity|AFN Warehouse Qty|afn-reserved-quantity|AFN Encumbered Qty|AFN Reserved Qty|"+
		"afn-total-quantity|AFN Total Qty|per-unit-volume|Volume|"+
		"afn-inbound-working-quantity|AFN Inbound Working Qty|afn-inbound-shipped-quantity|AFN Inbound Shipped Qty|"+
		"afn-inbound-receiving-quantity|AFN Inbound Receiving Qty|afn-researching-quantity|AFN Researching Qty|"+
		"afn-reserved-future-supply|afn-future-supply-buyable|afn-fc-transfer-quantity|afn-onhand-buyable-quantity|store|"+
		"afn-fulfillable-quantity-local|afn-fulfillable-quantity-remote")...)},

	{kind: removal.KindAFN, shape: oneFigure, columns: append([]column{
		need(fieldSKU, "seller-sku"),
		maybe(fieldFNSKU, "fulfillment-channel-sku", "fulfilment-channel-sku"),
		maybe(fieldASIN, "asin"),
		need(fieldDisposition, "Warehouse-Condition-code"),
		need(fieldQuantity, "Quantity Available"),
	}, known("condition-type")...)},

	{kind: removal.KindInventory, shape: lots, columns: append([]column{
		need(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		maybe(fieldASIN, "asin"),
		maybe(fieldTitle, "product-name"),
		need(fieldDisposition, "disposition"),
		need(fieldQuantity, "quantity"),
		maybe(fieldDate, "snapshot-date"),
		maybe(fieldReceived, "received-date"),
		maybe(fieldSince, "unsellable-since"),
		maybe(fieldRecalled, "recalled"),
		maybe(fieldExpiry, "expiry-date"),
		maybe(fieldWeight, "unit-weight-g"),
		maybe(fieldLongest, "longest-side-cm"),
		maybe(fieldMedian, "median-side-cm"),
		maybe(fieldShortest, "shortest-side-cm"),
		maybe(fieldVolume, "unit-volume-cm3"),
		maybe(fieldHazmat, "hazmat-class"),
		maybe(fieldOpenExcluded, "open-removals-excluded"),
	}, known("condition|fulfillment-center-id|fulfilment-center-id|fulfilment-centre-id")...)},
}

// centreVariant is the list of fulfilment centres' addresses. It says where no
// return may go, so it is taken only where nothing else stands beside.
var centreVariant = variant{kind: removal.KindCentres, only: true, columns: []column{
	need(fieldCentre, "fulfillment-center-id", "fulfilment-center-id", "fulfilment-centre-id"),
	maybe(fieldName, "name"),
	need(fieldLine1, "line1"),
	maybe(fieldCity, "city"),
	need(fieldCountry, "country-code"),
	need(fieldPostalCode, "postal-code"),
}}

func variantOf(kind removal.Kind) *variant {
	for i := range variants {
		if variants[i].kind == kind {
			return &variants[i]
		}
	}
	for i := range factVariants {
		if factVariants[i].kind == kind {
			return &factVariants[i]
		}
	}
	return nil
}

func (v *variant) signature() decode.Signature {
	s := decode.Signature{Kind: v.kind, Only: v.only}
	for _, c := range v.columns {
		s.Column(c.required, c.headings...)
	}
	if v.anyKey {
		s.Required = append(s.Required, []string{"sku", "fnsku", "asin"})
		s.Names = append(s.Names, "sku")
	}
	return s
}

// mapping says which column of a file holds which field.
type mapping struct {
	sheet    string
	headings []string
	col      [numFields]int // counted from 0; -1: absent
	field    []field        // by column
	ignored  []int          // columns the variant does not know
}

// mapColumns finds the fields of a variant under a file's headings.
func (v *variant) mapColumns(sheet string, heading int, headings []string) (*mapping, error) {
	m := &mapping{sheet: sheet, headings: headings, field: make([]field, len(headings))}
	for f := range m.col {
		m.col[f] = -1
	}
	for i, h := range headings {
		norm := decode.Heading(h)
		if norm == "" {
			continue
		}
		f, ok := v.find(norm)
		if !ok {
			m.ignored = append(m.ignored, i)
			continue
		}
		if f == fieldNone {
			continue
		}
		if first := m.col[f]; first >= 0 {
			return nil, removal.NewFileError(removal.FileHeaderTwice, "heading", h,
				"first", removal.CellName(first+1, heading), "again", removal.CellName(i+1, heading))
		}
		m.col[f], m.field[i] = i, f
	}
	return m, v.complete(m)
}

// complete tells which required columns are missing: a guard for callers that
// come here without having recognised the kind.
func (v *variant) complete(m *mapping) error {
	var missing []string
	for _, c := range v.columns {
		if c.required && m.col[c.field] < 0 {
			missing = append(missing, c.headings[0])
		}
	}
	if missing == nil {
		return nil
	}
	return removal.NewFileError(removal.FileHeaderMissing, "kind", string(v.kind),
		"missing", strings.Join(missing, "\n"), "found", strings.Join(m.headings, "\n"))
}

func (v *variant) find(norm string) (field, bool) {
	for _, c := range v.columns {
		for _, h := range c.headings {
			if decode.Heading(h) == norm {
				return c.field, true
			}
		}
	}
	return fieldNone, false
}

// nearest is the heading, still absent, that an unknown one was probably meant
// to be; "": none.
func (v *variant) nearest(m *mapping, heading string) string {
	best, found := 3, ""
	norm := []rune(decode.Heading(heading))
	for _, c := range v.columns {
		if c.field == fieldNone || m.col[c.field] >= 0 {
			continue
		}
		for _, h := range c.headings {
			if d := distance(norm, []rune(decode.Heading(h)), 2); d < best {
				best, found = d, h
			}
		}
	}
	return found
}

// heading is the field's heading as the user wrote it.
func (m *mapping) heading(f field) string {
	if c := m.col[f]; c >= 0 {
		return m.headings[c]
	}
	return ""
}

// place is where a row's column stands; col is counted from 0, -1: the whole row.
func (m *mapping) place(row, line, col int) removal.Place {
	return decode.CellPlace(m.sheet, m.headings, row, line, col)
}
