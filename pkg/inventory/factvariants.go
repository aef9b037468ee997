package inventory

import "rensa/pkg/removal"

// factVariants are the layouts of files that add facts to the stock of a
// snapshot and bring no quantities of their own. They list a part of the stock.
var factVariants = []variant{
	{kind: removal.KindPlanning, columns: append([]column{
		need(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		maybe(fieldDate, "snapshot-date"),
		need(fieldAvailable, "available"),
		maybe(fieldAge0to90, "inv-age-0-to-90-days"),
		maybe(fieldAge0to30, "inv-age-0-to-30-days"),
		maybe(fieldAge31to60, "inv-age-31-to-60-days"),
		maybe(fieldAge61to90, "inv-age-61-to-90-days"),
		need(fieldAge91to180, "inv-age-91-to-180-days"),
		need(fieldAge181to270, "inv-age-181-to-270-days"),
		need(fieldAge271to365, "inv-age-271-to-365-days"),
		maybe(fieldAge331to365, "inv-age-331-to-365-days"),
		maybe(fieldAge366, "inv-age-365-plus-days"),
		maybe(fieldAge366to455, "inv-age-366-to-455-days"),
		maybe(fieldAge456, "inv-age-456-plus-days"),
		maybe(fieldCharge12, "qty-to-be-charged-ltsf-12-mo"),
		maybe(fieldCharge366, "quantity-to-be-charged-ais-366-455-days"),
		maybe(fieldCharge456, "quantity-to-be-charged-ais-456-plus-days"),
		maybe(fieldShipped30, "units-shipped-t30"),
		maybe(fieldShipped90, "units-shipped-t90"),
		maybe(fieldVolume, "item-volume"),
		maybe(fieldVolumeUnit, "volume-unit-measurement"),
	}, known("asin|product-name|condition|pending-removal-quantity|currency|qty-to-be-charged-ltsf-11-mo|projected-ltsf-11-mo|"+
		"estimated-ltsf-next-charge|units-shipped-t7|units-shipped-t60|alert|your-price|sales-price|lowest-price-new-plus-shipping|"+
		"lowest-price-used|recommended-action|healthy-inventory-level|DEPRECATED healthy-inventory-level|recommended-sales-price|"+
		"recommended-sale-duration-days|recommended-removal-quantity|estimated-cost-savings-of-recommended-actions|sell-through|"+
		"storage-type|storage-volume|marketplace|product-group|sales-rank|days-of-supply|estimated-excess-quantity|"+
		"weeks-of-cover-t30|weeks-of-cover-t90|featuredoffer-price|sales-shipped-last-7-days|sales-shipped-last-30-days|"+
		"sales-shipped-last-60-days|sales-shipped-last-90-days|inv-age-181-to-330-days|estimated-storage-cost-next-month|"+
		"inbound-quantity|inbound-working|inbound-shipped|inbound-received|no-sale-last-6-months|reserved-quantity|"+
		"Total Reserved Quantity|unfulfillable-quantity|fc-transfer|"+
		"quantity-to-be-charged-ais-181-210-days|estimated-ais-181-210-days|quantity-to-be-charged-ais-211-240-days|"+
		"estimated-ais-211-240-days|quantity-to-be-charged-ais-241-270-days|estimated-ais-241-270-days|"+
		"quantity-to-be-charged-ais-271-300-days|estimated-ais-271-300-days|quantity-to-be-charged-ais-301-330-days|"+
		"estimated-ais-301-330-days|quantity-to-be-charged-ais-331-365-days|estimated-ais-331-365-days|"+
		"estimated-ais-366-455-days|estimated-ais-456-plus-days|historical-days-of-supply|fba-minimum-inventory-level|"+
		"fba-inventory-level-health-status|Recommended ship-in quantity|Recommended ship-in date|"+
		"Last updated date for Historical Days of Supply|Exempted from Low-Inventory-Level fee?|"+
		"Low-Inventory-Level fee applied in current week?|Short term historical days of supply|"+
		"Long term historical days of supply|Inventory age snapshot date|Inventory Supply at FBA|Reserved FC Processing|"+
		"Reserved Customer Order|Reserved Staging|Total Days of Supply (including units from open shipments)|supplier|"+
		"is-seasonal-in-next-3-months|season-name|season-start-date|season-end-date|Fulfillment Service and Programs")...)},

	{kind: removal.KindHealth, columns: append([]column{
		need(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		maybe(fieldDate, "snapshot-date"),
		need(fieldAvailable, "sellable-quantity"),
		need(fieldAge0to90, "inv-age-0-to-90-days"),
		need(fieldAge91to180, "inv-age-91-to-180-days"),
		need(fieldAge181to270, "inv-age-181-to-270-days"),
		need(fieldAge271to365, "inv-age-271-to-365-days"),
		need(fieldAge366, "inv-age-365-plus-days"),
		maybe(fieldCharge12, "qty-to-be-charged-ltsf-12-mo"),
		maybe(fieldShipped30, "units-shipped-last-30-days"),
		maybe(fieldShipped90, "units-shipped-last-90-days"),
		maybe(fieldIsHazmat, "is-hazmat"),
		// per-unit-volume is kept out: the report does not say in which unit.
	}, known("asin|product-name|condition|sales-rank|product-group|total-quantity|unsellable-quantity|"+
		"units-shipped-last-24-hrs|units-shipped-last-7-days|units-shipped-last-180-days|units-shipped-last-365-days|"+
		"weeks-of-cover-t7|weeks-of-cover-t30|weeks-of-cover-t90|weeks-of-cover-t180|weeks-of-cover-t365|"+
		"num-afn-new-sellers|num-afn-used-sellers|currency|your-price|sales-price|lowest-afn-new-price|lowest-afn-used-price|"+
		"lowest-mfn-new-price|lowest-mfn-used-price|qty-in-long-term-storage-program|qty-with-removals-in-progress|"+
		"projected-ltsf-12-mo|per-unit-volume|in-bound-quantity|asin-limit|inbound-recommend-quantity|"+
		"qty-to-be-charged-ltsf-6-mo|projected-ltsf-6-mo")...)},

	{kind: removal.KindStranded, columns: append([]column{
		need(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		need(fieldStrandedSince, "date-stranded"),
		need(fieldAvailable, "fulfillable-qty"),
	}, known("primary-action|Date-to-take-auto-removal|status-primary|status-secondary|error-message|stranded-reason|asin|"+
		"product-name|condition|fulfilled-by|your-price|unfulfillable-qty|reserved-quantity|inbound-shipped-qty|program")...)},

	{kind: removal.KindReserved, columns: append([]column{
		need(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		need(fieldReserved, "reserved_qty"),
	}, known("asin|product-name|reserved_customerorders|reserved_fc-transfers|reserved_fc-processing|reserved_staging|program")...)},

	{kind: removal.KindStorageFee, columns: append([]column{
		need(fieldFNSKU, "fnsku"),
		maybe(fieldDate, "month-of-charge"),
		need(fieldLongest, "longest-side"),
		need(fieldMedian, "median-side"),
		need(fieldShortest, "shortest-side"),
		need(fieldSizeUnit, "measurement-units"),
		need(fieldWeight, "weight"),
		need(fieldWeightUnit, "weight-units"),
		maybe(fieldVolume, "item-volume"),
		maybe(fieldVolumeUnit, "volume-units"),
	}, known("asin|product-name|fulfillment-center|country-code|average-quantity-on-hand|average-quantity-pending-removal|"+
		"estimated-total-item-volume|storage-rate|currency|estimated-monthly-storage-fee")...)},

	// A recall list keeps goods from being returned, so nothing else may stand in it.
	{kind: removal.KindRecallList, only: true, anyKey: true, columns: []column{
		maybe(fieldSKU, "sku"),
		maybe(fieldFNSKU, "fnsku"),
		maybe(fieldASIN, "asin"),
		need(fieldRecalledSince, "recalled-since"),
	}},
}
