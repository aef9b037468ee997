package templates_test

import "strings"

// fact is one documented fact of a code with values that it may have. A fact
// that may be absent is optional.
type fact struct {
	name     string
	values   []string
	optional bool
}

// is and may make facts; the values stand for all that matters to a text.
func is(name string, values ...string) fact { return fact{name, values, false} }

func may(name string, values ...string) fact { return fact{name, values, true} }

func list(items ...string) string { return strings.Join(items, "\n") }

var (
	reasonHeadings = is("heading", "afn-fulfillable-quantity")
	fromFile       = []fact{may("file", "remove v2.xlsx"), may("date", "2026-11-18")}
	column         = may("column", "Säljar SKU")
)

// values are what the cell may hold; a code that is not here has none.
var values = map[string][]string{
	"cell_formula":            {"", "12"},
	"cell_error":              {"#REF!"},
	"text_damaged":            {"Sm\uFFFDrg\uFFFDs", "A\u0007B", "plain"},
	"placeholder_ignored":     {"N/A"},
	"order_id_too_long":       {strings.Repeat("ORDER-2026-", 5)},
	"order_id_used":           {"A-1"},
	"order_conflict":          {"Disposal"},
	"method_unknown":          {"Retrun", strings.Repeat("å", 41)},
	"method_not_allowed":      {"liquidate"},
	"address_too_long":        {strings.Repeat("Storgatan ", 7)},
	"address_country_unknown": {"Sverige"},
	"address_country_alias":   {"UK"},
	"address_postal_invalid":  {"1067"},
	"address_state_unknown":   {"Calif"},
	"address_phone_invalid":   {"12"},
	"address_po_box":          {"PO Box 12"},
	"sku_too_long":            {strings.Repeat("SKU ", 13)},
	"sku_unknown":             {"sku-0012", "SKU-OO12", "SKU-12", "SKU- 0012", "\u0405KU-0012", "SKU-\u200b0012", "Nothing like it"},
	"sku_is_fnsku":            {"X001ABCDEF"},
	"sku_is_asin":             {"B00ABCDEFG"},
	"sku_damaged":             {"1.23457E+11"},
	"quantity_negative":       {"-3", "-1.5"},
	"quantity_not_whole":      {"1.000", "ten"},
	"quantity_too_large":      {"7312345678901"},
	"row_duplicate":           {"SKU-0012"},
	"snapshot_row_bad":        {"1.5"},
	"input_row_bad":           {"x"},
}

// documented are the facts of every code, as their producers set them.
var documented = map[string][]fact{
	"file_empty":              nil,
	"file_too_large":          {is("limit", "bytes"), is("max", "536870912"), may("found", "734003200")},
	"file_format_unsupported": {is("format", "xls", "xlsb", "ods", "encrypted", "archive", "binary"), may("files", "0", "1", "3")},
	"file_encoding_invalid":   {is("encoding", "utf-8", "utf-16le", "utf-32le", "windows-1252", "shift-jis"), is("offset", "18273")},
	"file_kind_unknown": {
		may("nearest", list("removal_upload: RemovalDisposition, MerchantSKU", "manage_fba_inventory: afn-fulfillable-quantity")),
		may("two", list("removal_upload", "rensa_inventory"))},
	"file_header_missing": {is("kind", "removal_upload"), is("missing", "MerchantSKU", list("MerchantSKU", "RemovalDisposition")),
		may("found", list("Seller Sku Code", "SellableQuantity")), may("nearest", "MerchantSKU ~ Seller Sku Code")},
	"file_header_twice":    {is("heading", "MerchantSKU"), is("first", "C1"), is("again", "H1")},
	"file_quote_open":      {is("line", "14")},
	"file_sheet_truncated": {may("sheet", "Orders")},
	"file_seen":            append([]fact{is("run", "R-20261118-0007"), may("kind", "cancel_list")}, fromFile...),
	"file_refused":         nil,
	"snapshot_missing":     {is("merchant", "nordic")},
	"snapshot_older":       {is("date", "2026-11-18"), is("current", "2026-11-20T06:00:00+01:00")},
	"snapshot_shrunk":      {is("new", "1", "4100"), is("current", "12000")},
	"snapshot_bad":         {is("bad", "151"), is("rows", "12000")},
	"snapshot_stale":       {is("date", "2026-11-15"), is("days", "8"), is("max", "3")},
	"column_ignored":       {is("heading", "Merchant Sku Code"), may("near", "MerchantSKU")},
	"column_count":         {is("cells", "17"), is("headings", "15"), may("at_line", "18")},
	"cell_formula":         {column},
	"cell_error":           {column},
	"text_damaged":         {column},
	"placeholder_ignored":  {column},
	"order_id_too_long":    {is("length", "55"), is("max", "40"), column},
	"order_id_used": {is("reason", "header", "quantity", "cancelled", "refused_profile"), is("file", "remove.tsv"), is("date", "2026-11-18"),
		may("order", "A-1"), may("was_sellable", "5"), may("was_unsellable", "0"), may("asked_sellable", "7"), may("asked_unsellable", "0")},
	"row_seen":              append([]fact{is("order", "A-1")}, fromFile...),
	"order_continued":       append([]fact{is("order", "A-1"), is("new", "A-1-r1")}, fromFile...),
	"order_conflict":        {is("first_row", "12"), may("expected", "Return"), column},
	"order_scattered":       {is("row", "14"), is("order", "A-1")},
	"order_refused":         nil,
	"order_header_missing":  {may("order", "A-1"), may("column", "Borttagningsmetod")},
	"order_split":           {is("parts", "3"), is("max", "10000"), is("ids", list("A-1-1", "A-1-2", "A-1-3"))},
	"order_too_many_skus":   {is("skus", "23000"), is("max", "10000")},
	"method_unknown":        {may("nearest", "Return", "Disposal"), column},
	"method_not_allowed":    {is("method", "Liquidate"), is("store", "SE"), column},
	"address_field_missing": {is("field", "name", "line1", "city", "country", "postal_code", "state"), may("country", "DE", "US"), may("column", "Ship to")},
	"address_too_long":      {is("length", "70"), is("max", "60"), may("field", "AddressFieldOne", "AddressCity"), may("column", "Adressrad 1")},
	"address_country_unknown": {may("suggest", "SE"),
		column},
	"address_country_alias":         {is("code", "GB"), column},
	"address_postal_invalid":        {is("country", "DE"), may("example", "10115"), may("suggest", "01067"), column},
	"address_state_unknown":         {is("country", "US"), may("suggest", "CA"), column},
	"address_phone_invalid":         {may("country", "SE"), column},
	"address_po_box":                {is("store", "US"), column},
	"address_fulfilment_center":     {may("centre", "ARN1"), column},
	"address_outside_store":         {is("country", "CA"), is("store", "US"), is("policy", "never"), column},
	"address_ignored":               {column},
	"upload_required":               {is("country", "DE"), is("store", "SE")},
	"customer_fulfilment_suspected": {is("recipients", "12"), is("units", "1", "2")},
	"sku_missing":                   {column},
	"sku_too_long":                  {is("bytes", "52"), is("max", "40"), column},
	"sku_unknown":                   {may("candidates", "SKU-0012", list("SKU-0012", "SKU 0012"), list("SKU-0012", "SKU-0013", "SKU-0112")), column},
	"sku_is_fnsku":                  {may("candidates", "SKU-0012", list("SKU-0012", "SKU-0013")), column},
	"sku_is_asin":                   {may("candidates", "SKU-0012", list("SKU-0012", "SKU-0013")), column},
	"sku_damaged":                   {may("candidates", "123456789012", list("123456789012", "123457000001", "123457000002")), column},
	"quantity_missing":              nil,
	"quantity_negative":             {column},
	"quantity_not_whole":            {may("readings", "1", list("1", "1000")), column},
	"quantity_too_large":            {is("max", "1000000"), column},
	"quantity_over_stock": {is("condition", "sellable", "unsellable"), is("asked", "14", "1"), is("snapshot", "12"), is("date", "2026-11-20"),
		is("taken", "9"), is("left", "3"),
		may("takers", list("order\tA-1\t4", "row\t7\t5"), list("order\tA-1\t1", "order\tB\t1", "order\tC\t1", "row\t7\t1", "row\t8\t1", "more\t\t12345")), column},
	"quantity_reduced": {is("condition", "sellable", "unsellable"), is("asked", "14"), is("taken", "3"), is("snapshot", "12"),
		is("date", "2026-11-20"), is("left", "0"), column},
	"row_duplicate":  {is("row", "4"), may("sku", "SKU-0012"), column},
	"not_returnable": {is("reason", "hazmat", "recalled"), may("class", "3"), column},
	"pool_disagrees": {is("fnsku", "X001ABCDEF"), is("kept", "5"), is("other", "7"), may("row", "12"), is("condition", "sellable", "unsellable"), column},
	"snapshot_row_bad": {reasonHeadings,
		is("reason", "missing", "not_whole", "negative", "too_large", "damaged", "too_long", "disposition", "date", "not_valid"), column},
	"order_matched": append([]fact{is("order", "R261118-7K2M9QXA")}, fromFile...),
	"input_row_bad": {reasonHeadings, is("reason", "missing", "not_valid", "damaged", "too_long", "not_whole", "negative",
		"too_large", "disposition", "date", "status", "digits", "unknown", "not_in_stock"), column},
	"cancel_forbidden":      {is("order", "A-1"), is("state", "draft", "processing", "completed", "cancelled")},
	"cancel_too_late":       {is("order", "A-1")},
	"report_unmatched":      {may("order", "A-1")},
	"status_external_order": {is("order", "A-1")},
	"status_unbalanced":     {is("order", "A-1")},
	"sheet_ignored":         {is("sheet", "Mars"), is("read", "April")},
}

// further are the facts of a code in other forms, whose values belong together.
var further = map[string][][]fact{
	"file_too_large": {
		{is("limit", "unpacked"), is("max", "4294967296"), may("found", "4294967297")},
		{is("limit", "ratio"), is("max", "200"), may("found", "1000")},
		{is("limit", "cell"), is("max", "32768"), may("at_line", "18"), may("at_row", "7")},
		{is("limit", "rows"), is("max", "5000000"), may("found", "5000001")},
		{is("limit", "columns"), is("max", "256"), may("found", "300")},
		{is("limit", "sheets"), is("max", "1024")},
	},
	"file_kind_unknown":       {{is("is", "recommended_removal")}, {is("own", "20261120-090000-a1b2c3")}},
	"file_format_unsupported": {{is("format", "archive"), may("files", "1", "3")}},
	"address_outside_store":   {{is("country", "JP"), is("store", "SE"), is("policy", "list"), column}},
	"address_postal_invalid":  {{is("country", "SE"), is("example", "114 55"), may("suggest", "114 55"), column}},
	"quantity_over_stock": {
		{is("condition", "sellable"), is("asked", "1"), is("snapshot", "0"), is("date", "2026-11-20"), is("taken", "0"), is("left", "0"), column},
		{is("condition", "unsellable"), is("asked", "12000"), is("snapshot", "10000"), is("date", "2026-11-20T06:00:00+01:00"),
			is("taken", "0"), is("left", "10000"), column},
		{is("condition", "unsellable"), is("asked", "2"), is("snapshot", "2"), is("date", "2026-11-20"), is("taken", "1"),
			is("left", "1"), is("takers", "order\tA-1\t1"), column},
	},
	"quantity_reduced": {
		{is("condition", "sellable"), is("asked", "14"), is("taken", "12"), is("snapshot", "12"), is("date", "2026-11-20"), is("left", "12"), column},
	},
	"snapshot_row_bad": {
		{is("heading", "fnsku"), is("reason", "conflict"), may("fnsku", "X001ABCDEF"), may("row", "12"), column},
	},
}

func variants(code string) [][]fact { return append([][]fact{documented[code]}, further[code]...) }

// combinations calls visit with every choice of values; of the facts that may be
// left out, also without each.
func combinations(facts []fact, leaveOut func(fact) bool, visit func(map[string]string)) {
	args := map[string]string{}
	var choose func(i int)
	choose = func(i int) {
		if i == len(facts) {
			visit(args)
			return
		}
		f := facts[i]
		for _, v := range f.values {
			args[f.name] = v
			choose(i + 1)
		}
		delete(args, f.name)
		if leaveOut(f) {
			choose(i + 1)
		}
	}
	choose(0)
}

func valuesOf(code string) []string {
	if v := values[code]; v != nil {
		return v
	}
	return []string{""}
}
