package policy

import (
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"rensa/pkg/removal"
)

type agedCSV struct {
	Stores     string `csv:"stores"`
	AgeFrom    string `csv:"age_from_days"`
	AgeTo      string `csv:"age_to_days"`
	Rate       string `csv:"rate"`
	VolumeUnit string `csv:"volume_unit"`
	MinPerUnit string `csv:"min_per_unit"`
	Currency   string `csv:"currency"`
	From       string `csv:"effective_from"`
	To         string `csv:"effective_to"`
	Period     string `csv:"period"`
	Note       string `csv:"note"`
	Certainty  string `csv:"certainty"`
	Source     string `csv:"source"`
}

// agedRow is the surcharge of one range of ages on one period.
type agedRow struct {
	period
	place
	ageFrom, ageTo int
	known          bool // false: the charge exists, its rate is not public
	rate, perUnit  decimal.Decimal
	mm3            decimal.Decimal // volume that the rate is for
	currency       string
}

// StorageFee is the surcharge that one item line of aged stock is charged at a
// clean-up: the greater of volume × rate and units × the least fee per unit,
// rounded to the currency's smallest coin. Age is in days, the volume that of one
// unit in cubic millimetres. An age that is not charged costs 0. Without a
// figure ok is false and reason one of ReasonRate and ReasonSize.
func (s *Set) StorageFee(store Store, ageDays int, units, unitVolumeMM3 int64, on time.Time) (fee removal.Amount, ok bool, reason string) {
	d, inForce := dayOf(on), false
	for _, r := range s.aged[store.Code] {
		if !r.has(d) {
			continue
		}
		inForce = true
		if ageDays < r.ageFrom || ageDays > r.ageTo {
			continue
		}
		switch {
		case !r.known || r.currency != store.Currency:
			return 0, false, ReasonRate
		case units <= 0 || r.rate.IsZero() && r.perUnit.IsZero():
			return 0, true, ""
		case unitVolumeMM3 <= 0:
			return 0, false, ReasonSize
		}
		n := decimal.New(units, 0)
		charge := n.Mul(decimal.New(unitVolumeMM3, 0)).Mul(r.rate).DivRound(r.mm3, 12)
		charge = decimal.Max(charge, n.Mul(r.perUnit)).Round(minorPlaces(store.Currency))
		return removal.Amount(charge.Shift(4).IntPart()), true, ""
	}
	if !inForce {
		return 0, false, ReasonRate
	}
	return 0, true, ""
}

// minorPlaces are the decimals of a currency's smallest coin.
func minorPlaces(currency string) int32 {
	switch currency {
	case "JPY", "KRW", "VND", "CLP", "ISK":
		return 0
	}
	return 2
}

func (s *Set) loadAged(l *loader) error {
	base, own, missing, err := readTable[agedCSV](l, fileAged)
	if err != nil {
		return err
	}
	if err := needColumns(own, missing, "stores", "age_from_days", "rate", "volume_unit", "currency"); err != nil {
		return err
	}
	s.aged = map[string][]agedRow{}
	rows := append(own, base...)
	for _, e := range rows {
		r, err := parseAged(e)
		if err != nil {
			return err
		}
		stores, err := listOf(e.row.Stores, s.storeCodes)
		if err != nil || len(stores) == 0 {
			return e.bad("stores", e.row.Stores, errors.Join(err, missingIf(len(stores) == 0)))
		}
		for _, st := range stores {
			if err := s.addAged(st, r); err != nil {
				return err
			}
		}
	}
	enforce(l, fileAged, rows)
	return nil
}

// addAged adds a row where the user has none for the store; rows of one table
// never overlap in both age and period.
func (s *Set) addAged(store string, r agedRow) error {
	left := []period{r.period}
	for _, o := range s.aged[store] {
		switch {
		case o.own && !r.own:
			left = cut(left, o.period)
		case o.overlaps(r.period) && o.ageFrom <= r.ageTo && r.ageFrom <= o.ageTo:
			return r.bad("age_from_days", fmt.Sprint(r.ageFrom), fmt.Errorf("overlaps line %d for store %s", o.line, store))
		}
	}
	for _, p := range left {
		r.period = p
		s.aged[store] = append(s.aged[store], r)
	}
	return nil
}

func parseAged(e entry[agedCSV]) (agedRow, error) {
	r := agedRow{place: e.place, ageTo: maxAge, currency: e.row.Currency, known: e.row.Rate != ""}
	var err error
	if r.period, err = parsePeriod(e.place, e.row.From, e.row.To, e.row.Period); err != nil {
		return r, err
	}
	if r.ageFrom, err = parseInt(e.row.AgeFrom, 0, maxAge); err != nil {
		return r, e.bad("age_from_days", e.row.AgeFrom, err)
	}
	if e.row.AgeTo != "" {
		if r.ageTo, err = parseInt(e.row.AgeTo, r.ageFrom, maxAge); err != nil {
			return r, e.bad("age_to_days", e.row.AgeTo, err)
		}
	}
	if err := checkCurrency(r.currency); err != nil {
		return r, e.bad("currency", r.currency, err)
	}
	var ok bool
	if r.mm3, ok = mm3Per[e.row.VolumeUnit]; !ok {
		return r, e.bad("volume_unit", e.row.VolumeUnit, oneOf(e.row.VolumeUnit, unitWords(mm3Per)))
	}
	for _, c := range []struct {
		column, value string
		into          *decimal.Decimal
	}{{"rate", e.row.Rate, &r.rate}, {"min_per_unit", e.row.MinPerUnit, &r.perUnit}} {
		if c.value == "" {
			continue
		}
		if *c.into, err = parseDecimal(c.value); err != nil {
			return r, e.bad(c.column, c.value, err)
		}
	}
	return r, nil
}

// maxAge is beyond any age in days.
const maxAge = 100_000
