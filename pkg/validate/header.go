package validate

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"unicode"
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

const longestPlaceholder = 5

func isPlaceholder[T string | []byte](v T) bool {
	if len(v) == 0 || len(v) > longestPlaceholder {
		return false
	}
	var lower [longestPlaceholder]byte
	for i := range len(v) {
		if lower[i] = v[i]; 'A' <= v[i] && v[i] <= 'Z' {
			lower[i] += 'a' - 'A'
		}
	}
	return placeholders[string(lower[:len(v)])]
}

// ReadAddress takes the address from a row, placeholders left out and the
// country's code put right; text makes strings of values. It judges nothing.
func (r *Rules) ReadAddress(row *removal.Row, text func([]byte) string) removal.Address {
	return r.address(func(f removal.Field) string { return text(row.Value(f)) })
}

// address is made of values that are asked for in the order of the fields.
func (r *Rules) address(value func(removal.Field) string) removal.Address {
	var a removal.Address
	for f := removal.FieldName; f <= removal.FieldPhone; f++ {
		if v := value(f); !isPlaceholder(v) {
			*a.Part(f) = v
		}
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
	var room [256]byte
	b := append(room[:0], byte(m))
	if m == removal.Return {
		for _, v := range [...]string{a.Name, a.Line1, a.Line2, a.Line3, a.City, a.State, a.PostalCode, a.Country} {
			b = append(appendFolded(b, v), 0)
		}
	}
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// appendFolded appends the words of a text in lower case, with one blank between.
func appendFolded(dst []byte, v string) []byte {
	from := len(dst)
	for i := 0; i < len(v); {
		r, size := rune(v[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(v[i:])
		}
		i += size
		switch {
		case r == ' ' || '\t' <= r && r <= '\r' || size > 1 && unicode.IsSpace(r):
			if n := len(dst); n > from && dst[n-1] != ' ' {
				dst = append(dst, ' ')
			}
		case 'A' <= r && r <= 'Z':
			dst = append(dst, byte(r)+'a'-'A')
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
	}
	if n := len(dst); n > from && dst[n-1] == ' ' {
		dst = dst[:n-1]
	}
	return dst
}

// header judges the order-level values of a row.
func (r *Rules) header(row *removal.Row, raw []byte) *Header {
	h := &Header{raw: string(raw)}
	m, problem := r.method(row.Value(removal.FieldMethod))
	if problem != nil {
		h.Problems = append(h.Problems, *problem)
	}
	h.Method = m
	_, rest, _ := strings.Cut(h.raw, "\x00") // the method
	address := r.address(func(removal.Field) (v string) {
		v, rest, _ = strings.Cut(rest, "\x00")
		return v
	})
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
	for i := range addressParts {
		if f := addressParts[i].field; *a.Part(f) != "" {
			return f, true
		}
	}
	return removal.FieldNone, false
}

// addressParts are the parts of an address with their names in problems and how many
// characters each may have, 0 for a code.
var addressParts = [...]struct {
	field  removal.Field
	name   string
	most   int
	needed bool // everywhere
}{
	{removal.FieldName, "name", 50, true},
	{removal.FieldLine1, "line1", 60, true},
	{removal.FieldLine2, "line2", 60, false},
	{removal.FieldLine3, "line3", 60, false},
	{removal.FieldCity, "city", 50, true},
	{removal.FieldCountry, "country", 0, true},
	{removal.FieldState, "state", 50, false},
	{removal.FieldPostalCode, "postal_code", 50, false},
	{removal.FieldPhone, "phone", 50, false},
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
	for i := range addressParts {
		p := &addressParts[i]
		value := *c.a.Part(p.field)
		if value == "" {
			if p.needed || known && (p.field == removal.FieldPostalCode && country.PostalRequired ||
				p.field == removal.FieldState && country.StateRequired) {
				c.h.add(removal.AddressFieldMissing, p.field,
					removal.Args{}.Arg("field", p.name).Arg("country", c.a.Country))
			}
			continue
		}
		if p.most == 0 || len(value) <= p.most {
			continue
		}
		if n := utf8.RuneCountInString(value); n > p.most {
			c.h.add(removal.AddressTooLong, p.field, removal.Args{}.Arg("length", n).Arg("max", p.most))
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
	if written := c.row.Value(removal.FieldCountry); !strings.EqualFold(string(written), country.Code) {
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
	args := func() removal.Args { return removal.Args{}.Arg("country", country).Arg("store", store.Code) }
	switch {
	case store.CrossBorder == policy.CrossBorderNever:
		c.h.add(removal.AddressOutsideStore, removal.FieldCountry, args().Arg("policy", "never"))
	case store.CrossBorder == policy.CrossBorderUpload && !store.CrossBorderTo(country):
		c.h.add(removal.AddressOutsideStore, removal.FieldCountry, args().Arg("policy", "list"))
	case store.CrossBorder == policy.CrossBorderUpload && c.r.Draft:
		c.h.add(removal.UploadRequired, removal.FieldCountry, args())
	}
}

func (c *addressCheck) postBox() {
	for f := removal.FieldLine1; f <= removal.FieldCity; f++ { // "APO" stands as a city
		if policy.PostBox(*c.a.Part(f)) {
			c.h.add(removal.AddressPOBox, f, removal.Args{}.Arg("store", c.r.Store.Code))
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
