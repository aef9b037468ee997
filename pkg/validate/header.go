package validate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"rensa/pkg/policy"
	"rensa/pkg/removal"
)

// Header is the order-level part of a row, judged as if the row were the first
// of its order.
type Header struct {
	Method  removal.Method
	Country string // destination; "" for a disposal and where it is unknown
	Hash    uint64 // of method and address, as HeaderHash gives it
	// Problems are those of the order.
	Problems []removal.Problem

	raw string // all order values but the id, to compare rows by
}

// IsError tells whether a problem of the header refuses its order.
func (h *Header) IsError() bool { return hasError(h.Problems) }

func hasError(problems []removal.Problem) bool {
	for i := range problems {
		if problems[i].Code.IsError() {
			return true
		}
	}
	return false
}

// rawHeader joins the order-level values but the id; it is empty where all are blank.
func rawHeader(dst []byte, row *removal.Row) []byte {
	var length uint32
	for f := removal.FieldMethod; f <= removal.FieldNotes; f++ {
		length |= row.Spans[f].Len
	}
	if length == 0 {
		return dst[:0]
	}
	for f := removal.FieldMethod; f <= removal.FieldNotes; f++ {
		dst = append(append(dst, row.Value(f)...), 0)
	}
	return dst
}

// placeholders are what people and programs write into an address field for nothing.
var placeholders = map[string]bool{"n/a": true, "-": true, "none": true, "false": true, "null": true}

func isPlaceholder(v []byte) bool {
	return len(v) <= 5 && len(v) > 0 && placeholders[string(bytes.ToLower(v))]
}

// addressValue is the value of an address field, "" for a placeholder.
func addressValue(row *removal.Row, f removal.Field) string {
	if v := row.Value(f); !isPlaceholder(v) {
		return string(v)
	}
	return ""
}

// ReadAddress takes the address from a row, placeholders left out and the
// country's code put right. It judges nothing.
func (r *Rules) ReadAddress(row *removal.Row) removal.Address {
	var a removal.Address
	for f := removal.FieldName; f <= removal.FieldPhone; f++ {
		*a.Part(f) = addressValue(row, f)
	}
	a.Country = strings.ToUpper(a.Country)
	if code, ok := r.Policy.CountryAlias(a.Country); ok {
		a.Country = code
	}
	return a
}

// HeaderHash is a hash of a method and an address that does not change between
// runs: the same for addresses that differ in case, blanks or phone only.
func HeaderHash(m removal.Method, a removal.Address) uint64 {
	var b []byte
	b = append(b, byte(m))
	if m == removal.Return {
		for _, v := range []string{a.Name, a.Line1, a.Line2, a.Line3, a.City, a.State, a.PostalCode, a.Country} {
			b = append(append(b, strings.Join(strings.Fields(strings.ToLower(v)), " ")...), 0)
		}
	}
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// header judges the order-level values of a row.
func (r *Rules) header(row *removal.Row, raw []byte) *Header {
	h := &Header{raw: string(raw)}
	m, problem := r.method(row.Value(removal.FieldMethod))
	if problem != nil {
		h.Problems = append(h.Problems, *problem)
	}
	h.Method = m
	address := r.ReadAddress(row)
	h.Hash = HeaderHash(m, address)
	switch m {
	case removal.Return:
		h.Country = address.Country
		c := addressCheck{r: r, row: row, a: address, h: h}
		c.run()
	case removal.Disposal:
		if f, ok := firstAddressField(address); ok {
			h.add(removal.AddressIgnored, f, nil)
		}
	}
	return h
}

func (h *Header) add(code removal.Code, f removal.Field, args removal.Args) {
	h.Problems = append(h.Problems, removal.Problem{Code: code, Field: f, Args: args})
}

func firstAddressField(a removal.Address) (removal.Field, bool) {
	for _, p := range parts(&a) {
		if p.value != "" {
			return p.field, true
		}
	}
	return removal.FieldNone, false
}

type part struct {
	field removal.Field
	name  string
	value string
	max   int // characters
}

func parts(a *removal.Address) []part {
	return []part{
		{removal.FieldName, "name", a.Name, 50},
		{removal.FieldLine1, "line1", a.Line1, 60},
		{removal.FieldLine2, "line2", a.Line2, 60},
		{removal.FieldLine3, "line3", a.Line3, 60},
		{removal.FieldCity, "city", a.City, 50},
		{removal.FieldCountry, "country", a.Country, 0},
		{removal.FieldState, "state", a.State, 50},
		{removal.FieldPostalCode, "postal_code", a.PostalCode, 50},
		{removal.FieldPhone, "phone", a.Phone, 50},
	}
}

// addressCheck runs the rules of spec 3.2 over the address of a return.
type addressCheck struct {
	r   *Rules
	row *removal.Row
	a   removal.Address
	h   *Header
}

func (c *addressCheck) run() {
	country, known := c.country()
	for _, p := range parts(&c.a) {
		needed := p.name == "name" || p.name == "line1" || p.name == "city" || p.name == "country" ||
			known && (p.name == "postal_code" && country.PostalRequired || p.name == "state" && country.StateRequired)
		if p.value == "" {
			if needed {
				c.h.add(removal.AddressFieldMissing, p.field,
					removal.Args{}.Arg("field", p.name).Arg("country", c.a.Country))
			}
			continue
		}
		if n := utf8.RuneCountInString(p.value); p.max > 0 && n > p.max {
			c.h.add(removal.AddressTooLong, p.field, removal.Args{}.Arg("length", n).Arg("max", p.max))
		}
	}
	if known {
		c.inCountry(country)
		c.destination(country.Code)
	}
	if c.r.Store.PostBoxForbidden {
		c.postBox()
	}
	if id := c.r.centreAt(c.a); id != "" {
		c.h.add(removal.AddressFulfilmentCenter, removal.FieldLine1, removal.Args{}.Arg("centre", id))
	}
}

// country finds the country and says so where its code is none or a usual wrong one.
func (c *addressCheck) country() (policy.Country, bool) {
	if c.a.Country == "" {
		return policy.Country{}, false
	}
	country, ok := c.r.Policy.Country(c.a.Country)
	if !ok {
		c.h.add(removal.AddressCountryUnknown, removal.FieldCountry, nil)
		return country, false
	}
	if written := addressValue(c.row, removal.FieldCountry); !strings.EqualFold(written, country.Code) {
		c.h.add(removal.AddressCountryAlias, removal.FieldCountry, removal.Args{}.Arg("code", country.Code))
	}
	return country, true
}

func (c *addressCheck) inCountry(country policy.Country) {
	if c.a.PostalCode != "" && !country.PostalValid(c.a.PostalCode) {
		c.h.add(removal.AddressPostalInvalid, removal.FieldPostalCode,
			removal.Args{}.Arg("country", country.Code).Arg("example", country.PostalExample))
	}
	if c.a.State != "" && country.HasStates() {
		if _, ok := country.State(c.a.State); !ok {
			c.h.add(removal.AddressStateUnknown, removal.FieldState, removal.Args{}.Arg("country", country.Code))
		}
	}
	if c.a.Phone != "" && !policy.PhoneValid(country.Code, c.a.Phone) {
		c.h.add(removal.AddressPhoneInvalid, removal.FieldPhone, removal.Args{}.Arg("country", country.Code))
	}
}

// destination holds the country against what the home store allows.
func (c *addressCheck) destination(country string) {
	store := c.r.Store
	if country == store.Country {
		return
	}
	args := removal.Args{}.Arg("country", country).Arg("store", store.Code)
	switch {
	case store.CrossBorder == policy.CrossBorderNever:
		c.h.add(removal.AddressOutsideStore, removal.FieldCountry, args.Arg("policy", "never"))
	case store.CrossBorder == policy.CrossBorderUpload && !store.CrossBorderTo(country):
		c.h.add(removal.AddressOutsideStore, removal.FieldCountry, args.Arg("policy", "list"))
	case store.CrossBorder == policy.CrossBorderUpload && c.r.Draft:
		c.h.add(removal.UploadRequired, removal.FieldCountry, args)
	}
}

func (c *addressCheck) postBox() {
	for _, p := range parts(&c.a)[1:5] { // lines and city: "APO" stands as a city
		if policy.PostBox(p.value) {
			c.h.add(removal.AddressPOBox, p.field, removal.Args{}.Arg("store", c.r.Store.Code))
			return
		}
	}
}

// centreAt names the fulfilment centre that an address is, or "".
func (r *Rules) centreAt(a removal.Address) string {
	if len(r.centres) == 0 {
		return ""
	}
	for _, line := range []string{a.Line1, a.Line2, a.Line3} {
		if line == "" {
			continue
		}
		if id, ok := r.centres[placeKey(a.Country, a.PostalCode, line)]; ok {
			return id
		}
	}
	return ""
}

// placeKey is the same for one place however its parts are punctuated.
func placeKey(country, postalCode, line string) string {
	return strings.ToUpper(country) + "|" + lettersAndDigits(postalCode) + "|" + lettersAndDigits(line)
}
