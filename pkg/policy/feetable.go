package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"rensa/pkg/removal"
)

type feeRow struct {
	Card        string `csv:"card"`
	Stores      string `csv:"stores"`
	Methods     string `csv:"methods"`
	Destination string `csv:"destination"`
	SizeClass   string `csv:"size_class"`
	WeightOver  string `csv:"weight_over"`
	WeightUpTo  string `csv:"weight_up_to"`
	WeightUnit  string `csv:"weight_unit"`
	Fee         string `csv:"fee"`
	ExtraFee    string `csv:"extra_fee"`
	ExtraPer    string `csv:"extra_per"`
	ExtraOver   string `csv:"extra_over"`
	RoundTo     string `csv:"round_to"`
	RoundBelow  string `csv:"round_below"`
	Currency    string `csv:"currency"`
	From        string `csv:"effective_from"`
	To          string `csv:"effective_to"`
	Period      string `csv:"period"`
	Use         string `csv:"use"`
	Note        string `csv:"note"`
	Certainty   string `csv:"certainty"`
	Source      string `csv:"source"`
}

// sameCard is what all rows of one card and class have in common.
func (r feeRow) sameCard() feeRow {
	r.WeightOver, r.WeightUpTo, r.Fee, r.ExtraFee, r.ExtraPer, r.ExtraOver = "", "", "", "", "", ""
	r.Note, r.Certainty, r.Source = "", "", ""
	return r
}

func (s *Set) loadFees(l *loader) error {
	base, own, missing, err := readTable[feeRow](l, fileFees)
	if err != nil {
		return err
	}
	if err := needColumns(own, missing, "stores", "methods", "weight_unit", "fee", "currency"); err != nil {
		return err
	}
	s.schedules = map[string][]*schedule{}
	rows := append(own, base...)
	for i := 0; i < len(rows); {
		to := i + 1
		for to < len(rows) && rows[to].own == rows[i].own && rows[to].row.sameCard() == rows[i].row.sameCard() {
			to++
		}
		if err := s.addCard(rows[i:to]); err != nil {
			return err
		}
		i = to
	}
	enforce(l, fileFees, rows)
	return nil
}

// addCard takes in the rows of one class of a card, for each of its stores,
// methods and destinations. The user's come first and take precedence.
func (s *Set) addCard(rows []entry[feeRow]) error {
	e := rows[0]
	if e.row.Use != "" || !e.own {
		use, err := parseBool(e.row.Use)
		if err != nil {
			return e.bad("use", e.row.Use, err)
		}
		if !use {
			return nil // kept for the record: the source gives no whole card
		}
	}
	model, err := parseSchedule(rows)
	if err != nil {
		return err
	}
	stores, err := listOf(e.row.Stores, s.storeCodes)
	if err != nil || len(stores) == 0 {
		return e.bad("stores", e.row.Stores, errors.Join(err, missingIf(len(stores) == 0)))
	}
	methods, err := listOf(e.row.Methods, []string{"return", "disposal"})
	if err != nil || len(methods) == 0 {
		return e.bad("methods", e.row.Methods, errors.Join(err, missingIf(len(methods) == 0)))
	}
	destinations, err := s.destinations(e.row.Destination)
	if err != nil {
		return e.bad("destination", e.row.Destination, err)
	}
	for _, st := range stores {
		for _, m := range methods {
			for _, d := range destinations {
				x := model
				x.store, x.method, x.destination = st, methodOf(m), d
				if err := s.addSchedule(x); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Set) destinations(v string) ([]string, error) {
	switch v {
	case "", toHome:
		return []string{toHome}, nil
	case toAbroad:
		return []string{toAbroad}, nil
	}
	codes, err := s.knownCountries(v)
	if err != nil && len(list(v)) == 1 {
		return nil, &badValue{reason: "is not home, abroad or a list of countries' codes", near: removal.Nearest(v, []string{toHome, toAbroad})}
	}
	return codes, err
}

// rivals tells whether two schedules would answer the same question.
func (x *schedule) rivals(y *schedule) bool {
	return x.method == y.method && x.destination == y.destination &&
		(x.class == y.class || x.class == classAny || y.class == classAny)
}

// addSchedule adds x where the user's own cards leave room; two of one table
// never overlap.
func (s *Set) addSchedule(x schedule) error {
	left := []period{x.period}
	for _, y := range s.schedules[x.store] {
		switch {
		case !x.rivals(y):
		case y.own && !x.own:
			left = cut(left, y.period)
		case y.overlaps(x.period):
			return x.bad("effective_from", x.from.String(),
				fmt.Errorf("the period overlaps that of line %d for store %s, %s, %s", y.line, x.store, x.method, x.class))
		}
	}
	for _, p := range left {
		part := x
		part.period = p
		s.schedules[x.store] = append(s.schedules[x.store], &part)
	}
	return nil
}

func parseSchedule(rows []entry[feeRow]) (schedule, error) {
	e := rows[0]
	r := e.row
	x := schedule{place: e.place, currency: r.Currency}
	size := r.SizeClass
	if size == "" && e.own {
		size = classAny.String()
	}
	if err := oneOf(size, classWords); err != nil {
		return x, e.bad("size_class", r.SizeClass, err)
	}
	x.class = class(slices.Index(classWords, size))
	if err := checkCurrency(r.Currency); err != nil {
		return x, e.bad("currency", r.Currency, err)
	}
	var err error
	if x.period, err = parsePeriod(e.place, r.From, r.To, r.Period); err != nil {
		return x, err
	}
	x.card = Card{Name: r.Card, From: r.From, To: r.To, Period: r.Period, Own: e.own, Class: size, Certainty: r.Certainty, Source: r.Source}
	if (r.RoundTo == "") != (r.RoundBelow == "") {
		return x, e.bad("round_to", r.RoundTo, errors.New("needs round_below beside it, and that needs round_to"))
	}
	if r.RoundTo != "" {
		if x.roundTo, err = weightOf(e, "round_to", r.RoundTo); err != nil {
			return x, err
		}
		if x.roundBelow, err = weightOf(e, "round_below", r.RoundBelow); err != nil {
			return x, err
		}
		if x.roundTo == 0 {
			return x, e.bad("round_to", r.RoundTo, errors.New("is zero"))
		}
	}
	end := int64(0)
	for _, e := range rows {
		if end == noLimit {
			return x, e.bad("weight_over", e.row.WeightOver, errors.New("follows a step without an end"))
		}
		over := int64(0)
		if e.row.WeightOver != "" {
			if over, err = weightOf(e, "weight_over", e.row.WeightOver); err != nil {
				return x, err
			}
		}
		if over != end {
			return x, e.bad("weight_over", e.row.WeightOver, errors.New("is not where the step before ends, or the first step's is not 0"))
		}
		st, err := parseStep(e)
		if err != nil {
			return x, err
		}
		if end = st.upTo; end <= over {
			return x, e.bad("weight_up_to", e.row.WeightUpTo, errors.New("is not above weight_over"))
		}
		x.steps = append(x.steps, st)
	}
	return x, nil
}

func parseStep(e entry[feeRow]) (step, error) {
	r, st := e.row, step{upTo: noLimit}
	var err error
	if st.fee, err = rateOf(e, "fee", r.Fee); err != nil {
		return st, err
	}
	if r.WeightUpTo != "" {
		if st.upTo, err = weightOf(e, "weight_up_to", r.WeightUpTo); err != nil {
			return st, err
		}
	}
	if r.ExtraFee == "" {
		if r.ExtraPer != "" || r.ExtraOver != "" {
			return st, e.bad("extra_fee", "", errors.New("is missing beside extra_per or extra_over"))
		}
		return st, nil
	}
	if st.extra, err = rateOf(e, "extra_fee", r.ExtraFee); err != nil {
		return st, err
	}
	if st.per, err = weightOf(e, "extra_per", r.ExtraPer); err != nil {
		return st, err
	}
	if st.per == 0 {
		return st, e.bad("extra_per", r.ExtraPer, errors.New("is zero"))
	}
	st.over, err = weightOf(e, "extra_over", r.ExtraOver)
	return st, err
}

func rateOf(e entry[feeRow], column, v string) (removal.Amount, error) {
	d, err := parseDecimal(v)
	if err == nil {
		var a removal.Amount
		if a, err = amountOf(d); err == nil {
			return a, nil
		}
	}
	return 0, e.bad(column, v, err)
}

// weightOf reads a weight of the row's unit, in millionths of a gram.
func weightOf(e entry[feeRow], column, v string) (int64, error) {
	per, ok := gramsPer[e.row.WeightUnit]
	if !ok {
		return 0, e.bad("weight_unit", e.row.WeightUnit, oneOf(e.row.WeightUnit, unitWords(gramsPer)))
	}
	d, err := parseDecimal(v)
	if err != nil {
		return 0, e.bad(column, v, err)
	}
	grams := d.Mul(per)
	if grams.GreaterThan(decimal.New(maxGrams, 0)) {
		return 0, e.bad(column, v, errors.New("is too heavy"))
	}
	return grams.Shift(6).Round(0).IntPart(), nil
}
