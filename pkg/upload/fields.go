package upload

import (
	"maps"
	"slices"

	"rensa/pkg/decode"
	"rensa/pkg/removal"
)

// headings are the accepted headings of each field beside the canonical one,
// Swedish then German, as the marketplace's own pages in those languages name them.
var headings = [removal.NumFields][2]string{
	removal.FieldOrderID:    {"Order-ID", "Auftrags-ID"},
	removal.FieldMethod:     {"Borttagningsmetod", "Remissionsart"},
	removal.FieldName:       {"Namn", "Name"},
	removal.FieldLine1:      {"Adressrad 1", "Adresszeile 1"},
	removal.FieldLine2:      {"Adressrad 2", "Adresszeile 2"},
	removal.FieldLine3:      {"Adressrad 3", "Adresszeile 3"},
	removal.FieldCity:       {"Ort", "Ort"},
	removal.FieldCountry:    {"Landskod", "Ländercode"},
	removal.FieldState:      {"Län eller region", "Bundesland oder Region"},
	removal.FieldPostalCode: {"Postnummer", "Postleitzahl"},
	removal.FieldPhone:      {"Telefonnummer", "Telefonnummer"},
	removal.FieldNotes:      {"Leveransanvisning", "Versandhinweis"},
	removal.FieldSKU:        {"Säljar-SKU", "Händler-SKU"},
	removal.FieldSellable:   {"Levererbart antal", "Verkaufbare Menge"},
	removal.FieldUnsellable: {"Olevererbart antal", "Unverkaufbare Menge"},
}

// byHeading finds a field by a heading in its normal form.
var byHeading = func() map[string]removal.Field {
	m := make(map[string]removal.Field, 3*removal.NumFields)
	for f := range removal.Field(removal.NumFields) {
		m[decode.Heading(f.String())] = f
		for _, h := range headings[f] {
			m[decode.Heading(h)] = f
		}
	}
	return m
}()

// FieldOf finds the field that a heading names, in any of the accepted languages
// and spellings.
func FieldOf(heading string) (removal.Field, bool) {
	f, ok := byHeading[decode.Heading(heading)]
	return f, ok
}

// HeadingIn is the heading of a field in a language ("sv", "de"; canonical for any other).
func HeadingIn(f removal.Field, lang string) string {
	switch lang {
	case "sv":
		return headings[f][0]
	case "de":
		return headings[f][1]
	}
	return f.String()
}

// nearestHeading is the canonical heading that an unknown one was probably meant to be.
func nearestHeading(heading string) string {
	if near := removal.Nearest(decode.Heading(heading), slices.Sorted(maps.Keys(byHeading))); near != "" {
		return byHeading[near].String()
	}
	return ""
}

func alternatives(fields ...removal.Field) []string {
	var all []string
	for _, f := range fields {
		all = append(all, decode.Heading(f.String()))
		for _, h := range headings[f] {
			all = append(all, decode.Heading(h))
		}
	}
	return all
}

// Signatures are those of the two layouts: A, a table, and B, one order as lines
// of key and value with a table of its items below.
func Signatures() []decode.Signature {
	known := make([]string, 0, len(byHeading))
	for h := range byHeading {
		known = append(known, h)
	}
	required := [][]string{
		alternatives(removal.FieldMethod),
		alternatives(removal.FieldSKU),
		alternatives(removal.FieldSellable, removal.FieldUnsellable),
	}
	names := []string{
		removal.FieldMethod.String(), removal.FieldSKU.String(),
		removal.FieldSellable.String() + " / " + removal.FieldUnsellable.String(),
	}
	return []decode.Signature{
		{Kind: removal.KindUpload, Required: required, Known: known, Names: names},
		{Kind: removal.KindUpload, Required: required[1:], Known: known, Names: names[1:], KeyValue: true},
	}
}
