package policy

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/nyaruka/phonenumbers"
)

// PhoneValid tells whether phone can be dialled from or to the country: written
// nationally or with + and any country's code, of a length that exists there.
// It does not ask whether the number is in use.
func PhoneValid(country, phone string) bool {
	var buf [20]byte
	digits, plus, plain := phoneDigits(buf[:0], phone)
	if len(digits) > 4 && uniform(digits) {
		return false
	}
	if plain && phoneCertain(country, digits, plus) {
		return true
	}
	n, err := phonenumbers.Parse(phone, country)
	return err == nil && phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE
}

// phoneCertain is true only where the library would say so too.
func phoneCertain(country string, digits []byte, plus bool) bool {
	rule := phoneRuleOf(country)
	if plus {
		rule = phoneRuleAbroad(digits, rule)
	}
	return rule.certain(digits, plus)
}

func uniform(digits []byte) bool {
	for _, d := range digits[1:] {
		if d != digits[0] {
			return false
		}
	}
	return true
}

// phoneDigits takes the digits out of a number, as many as into has room for; plain is false where it holds
// anything that only the library can read.
func phoneDigits(into []byte, phone string) (digits []byte, plus, plain bool) {
	digits, plain = into, true
	for i := range len(phone) {
		switch b := phone[i]; {
		case b >= '0' && b <= '9' && len(digits) < cap(digits):
			digits = append(digits, b)
		case b == '+' && i == 0:
			plus = true
		case b == ' ', b == '-':
		case (b == '(' || b == ')') && !plus:
		default:
			plain = false
		}
	}
	return digits, plus, plain
}

// phoneRule is what is needed to recognise the usual forms of a country's
// numbers without parsing them, which the library takes 25 µs for.
type phoneRule struct {
	code     string // calling code; "" where the country has none
	national bool   // national forms may be judged too
	trunk    bool   // national numbers are written with a 0 in front
	lengths  uint32 // bit n: a national number may have n digits
}

// certain is true only where the library would say so too.
func (r *phoneRule) certain(digits []byte, plus bool) bool {
	if r.code == "" {
		return false
	}
	switch {
	case plus:
		if len(digits) <= len(r.code) || string(digits[:len(r.code)]) != r.code {
			return false
		}
		digits = digits[len(r.code):]
	case !r.national:
		return false
	case r.trunk:
		if len(digits) == 0 || digits[0] != '0' {
			return false
		}
		digits = digits[1:]
	}
	// A zero in front may be part of the number, or a second trunk digit.
	return len(digits) >= 5 && digits[0] != '0' && digits[0] != '1' && r.lengths>>len(digits)&1 == 1
}

// plainTrunk are countries where a leading 0 is the trunk prefix and nothing
// else: in others it may be a part of the number or of a carrier's code.
var plainTrunk = strings.Fields("AT AU BE BG CH DE FI FR GB HR IE IN JP NL RO RS SE SI SK TR ZA")

var phoneRules [26 * 26]atomic.Pointer[phoneRule]

func phoneRuleOf(country string) *phoneRule {
	i := codeIndex(country)
	if i < 0 {
		return &phoneRule{}
	}
	if r := phoneRules[i].Load(); r != nil {
		return r
	}
	r := newPhoneRule(country)
	phoneRules[i].Store(r)
	return r
}

var phoneCodes [1000]atomic.Pointer[phoneRule]

// phoneRuleAbroad is the rule of the country whose calling code a number with +
// begins with; own is tried first.
func phoneRuleAbroad(digits []byte, own *phoneRule) *phoneRule {
	if own.code != "" && strings.HasPrefix(string(digits), own.code) {
		return own
	}
	code := 0
	for _, d := range digits[:min(3, len(digits))] {
		code = 10*code + int(d-'0')
		r := phoneCodes[code].Load()
		if r == nil {
			r = &phoneRule{}
			// Codes of no country, as of satellites, are left to the library.
			if region := phonenumbers.GetRegionCodeForCountryCode(code); codeIndex(region) >= 0 && region != "ZZ" {
				r = phoneRuleOf(region)
			}
			phoneCodes[code].Store(r)
		}
		if r.code != "" {
			return r
		}
	}
	return own
}

func newPhoneRule(country string) *phoneRule {
	code := phonenumbers.GetCountryCodeForRegion(country)
	// A code that several countries share has the lengths of its main one.
	if code == 0 || phonenumbers.GetRegionCodeForCountryCode(code) != country {
		return &phoneRule{}
	}
	r := &phoneRule{code: strconv.Itoa(code)}
	ndd := phonenumbers.GetNddPrefixForRegion(country, true)
	r.trunk = ndd == "0" && slices.Contains(plainTrunk, country)
	r.national = r.trunk || ndd == "" || ndd == "1"
	number := uint64(2)
	for n := 1; n <= 15; n++ {
		country32 := int32(code)
		if phonenumbers.IsPossibleNumberWithReason(&phonenumbers.PhoneNumber{CountryCode: &country32, NationalNumber: &number}) == phonenumbers.IS_POSSIBLE {
			r.lengths |= 1 << n
		}
		number = number*10 + 2
	}
	return r
}
