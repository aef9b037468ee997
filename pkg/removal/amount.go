package removal

import (
	"errors"
	"strconv"
	"strings"
)

// Amount is money as a decimal of four places: 12300 is 1.23. The currency
// stands beside it. It is exact under addition; rates are multiplied in package
// policy with full decimals and rounded to a currency's unit there.
type Amount int64

// amountScale is how many of an Amount make one unit of the currency.
const amountScale = 10000

// String writes the amount with two places, or four where it needs them.
func (a Amount) String() string {
	sign, v := "", int64(a)
	if v < 0 {
		sign, v = "-", -v
	}
	frac := strconv.FormatInt(amountScale+v%amountScale, 10)[1:]
	if strings.HasSuffix(frac, "00") {
		frac = frac[:2]
	}
	return sign + strconv.FormatInt(v/amountScale, 10) + "." + frac
}

// MarshalJSON writes the amount as a string, so that no reader makes a float of it.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(`"` + a.String() + `"`), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(b []byte) error {
	v, err := ParseAmount(strings.Trim(string(b), `"`))
	*a = v
	return err
}

// ErrAmount is what ParseAmount answers to text that is no decimal of at most four places.
var ErrAmount = errors.New("not a decimal of at most four places")

// ParseAmount reads a plain decimal, "4.25".
func ParseAmount(s string) (Amount, error) {
	neg := strings.HasPrefix(s, "-")
	whole, frac, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || len(frac) > 4 {
		return 0, ErrAmount
	}
	w, err := strconv.ParseUint(whole, 10, 48)
	if err != nil {
		return 0, ErrAmount
	}
	f, err := strconv.ParseUint((frac + "0000")[:4], 10, 16)
	if err != nil {
		return 0, ErrAmount
	}
	v := Amount(w*amountScale + f)
	if neg {
		v = -v
	}
	return v, nil
}
