package policy

import (
	"errors"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Product is what a fee depends on. Weight is in whole grams, sides in whole
// millimetres, both rounded to the nearest; the limits of the tables are rounded
// alike before they are compared, so that a product measured at a limit is
// within it in any unit.
type Product struct {
	WeightG                         int64
	HasWeight                       bool
	LongestMM, MedianMM, ShortestMM int64
	HasSize                         bool
}

// weight is the usable weight in grams; 0 where there is none.
func (p *Product) weight() int64 {
	if !p.HasWeight || p.WeightG < 0 {
		return 0
	}
	return p.WeightG
}

// sides are the usable sides, longest first.
func (p *Product) sides() (a, b, c int64, ok bool) {
	a, b, c = p.LongestMM, p.MedianMM, p.ShortestMM
	if a < b {
		a, b = b, a
	}
	if b < c {
		b, c = c, b
	}
	if a < b {
		a, b = b, a
	}
	return a, b, c, p.HasSize && c > 0
}

// class is a size class of the fee tables.
type class uint8

const (
	classAny class = iota // for cards that do not ask for the size
	classSmall
	classStandard
	classOversize
	numClasses
)

var classWords = []string{"any", "small", "standard", "oversize"}

func (c class) String() string { return classWords[c] }

// sizeRegions are where the same tiers hold.
var sizeRegions = []string{"EU", "GB", "US", "JP", "CA", "MX", "AU", "IN", "BR"}

type tierRow struct {
	Region       string `csv:"region"`
	Tier         string `csv:"tier"`
	Class        string `csv:"class"`
	MaxWeight    string `csv:"max_weight"`
	MaxDimWeight string `csv:"max_dim_weight"`
	WeightUnit   string `csv:"weight_unit"`
	Longest      string `csv:"longest"`
	Median       string `csv:"median"`
	Shortest     string `csv:"shortest"`
	DimUnit      string `csv:"dim_unit"`
	GirthMax     string `csv:"length_plus_girth_max"`
	SumMax       string `csv:"sum_of_sides_max"`
	From         string `csv:"effective_from"`
	To           string `csv:"effective_to"`
	Period       string `csv:"period"`
	Note         string `csv:"note"`
	Certainty    string `csv:"certainty"`
	Source       string `csv:"source"`
}

// tier is one size tier with its limits in grams and millimetres. A product is
// of the first tier of its region that takes it.
type tier struct {
	period
	place
	name  string
	class class
	// noLimit where there is none.
	weight, dimWeight, longest, median, shortest, girth, sum int64
}

const noLimit = 1 << 62

// takes tells whether the tier takes a product; sized is false where only the
// weight is known, and then true means "may take".
func (t *tier) takes(weight, a, b, c int64, sized bool) bool {
	if weight > t.weight {
		return false
	}
	return !sized || a <= t.longest && b <= t.median && c <= t.shortest &&
		a+2*(b+c) <= t.girth && a+b+c <= t.sum && dimWeight(a, b, c) <= t.dimWeight
}

// maxSide keeps products of three sides within an int64: a hundred metres.
const maxSide = 100_000

// dimWeight is the dimensional weight in grams, at 5000 cm³ a kg.
func dimWeight(a, b, c int64) int64 { return a * b * c / 5000 }

// sizeOf finds the tier of a product. Where its size is not known, the class is
// still certain if every tier that may take its weight has the same one; tier is
// nil then.
func sizeOf(tiers []tier, on day, p *Product) (t *tier, c class, ok bool) {
	weight := p.weight()
	a, b, d, sized := p.sides()
	if weight == 0 || a > maxSide {
		return nil, 0, false
	}
	for i := range tiers {
		x := &tiers[i]
		if !x.has(on) || !x.takes(weight, a, b, d, sized) {
			continue
		}
		if sized {
			return x, x.class, true
		}
		if ok && x.class != c {
			return nil, 0, false
		}
		c, ok = x.class, true
	}
	return nil, c, ok
}

// SizeTier is the size tier of a product in a store on a day, and the class
// that its removal fee goes by ("standard", "oversize", "small"). It needs size
// and weight; where only the weight is known and allows but one class, tier is "".
func (s *Set) SizeTier(store Store, p Product, on time.Time) (tier, class string, ok bool) {
	t, c, ok := sizeOf(s.tiers[store.SizeRegion], dayOf(on), &p)
	if !ok {
		return "", "", false
	}
	if t != nil {
		tier = t.name
	}
	return tier, c.String(), true
}

func (s *Set) loadTiers(l *loader) error {
	base, own, missing, err := readTable[tierRow](l, fileTiers)
	if err != nil {
		return err
	}
	if err := needColumns(own, missing, "region", "tier", "class"); err != nil {
		return err
	}
	s.tiers = map[string][]tier{}
	for _, e := range append(own, base...) {
		t, err := parseTier(e)
		if err != nil {
			return err
		}
		regions, err := listOf(e.row.Region, sizeRegions)
		if err != nil || len(regions) == 0 {
			return e.bad("region", e.row.Region, errors.Join(err, missingIf(len(regions) == 0)))
		}
		for _, r := range regions {
			for _, p := range s.tierGaps(r, t) {
				t.period = p
				s.tiers[r] = append(s.tiers[r], t)
			}
		}
	}
	enforce(l, fileTiers, append(own, base...))
	return nil
}

// tierGaps are the parts of an embedded tier's period for which the user has no
// tiers of the region.
func (s *Set) tierGaps(region string, t tier) []period {
	left := []period{t.period}
	if t.own {
		return left
	}
	for _, mine := range s.tiers[region] {
		if mine.own {
			left = cut(left, mine.period)
		}
	}
	return left
}

// cut takes a period out of several.
func cut(from []period, p period) []period {
	var left []period
	for _, f := range from {
		left = append(left, f.without(p)...)
	}
	return left
}

func parseTier(e entry[tierRow]) (tier, error) {
	r, t := e.row, tier{place: e.place, name: e.row.Tier}
	if r.Tier == "" {
		return t, e.bad("tier", "", missingIf(true))
	}
	if err := oneOf(r.Class, classWords[1:]); err != nil {
		return t, e.bad("class", r.Class, err)
	}
	t.class = class(slices.Index(classWords, r.Class))
	var err error
	if t.period, err = parsePeriod(e.place, r.From, r.To, r.Period); err != nil {
		return t, err
	}
	for _, c := range []struct {
		column, value string
		into          *int64
		units         map[string]decimal.Decimal
		unitColumn    string
		unit          string
	}{
		{"max_weight", r.MaxWeight, &t.weight, gramsPer, "weight_unit", r.WeightUnit},
		{"max_dim_weight", r.MaxDimWeight, &t.dimWeight, gramsPer, "weight_unit", r.WeightUnit},
		{"longest", r.Longest, &t.longest, millimetresPer, "dim_unit", r.DimUnit},
		{"median", r.Median, &t.median, millimetresPer, "dim_unit", r.DimUnit},
		{"shortest", r.Shortest, &t.shortest, millimetresPer, "dim_unit", r.DimUnit},
		{"length_plus_girth_max", r.GirthMax, &t.girth, millimetresPer, "dim_unit", r.DimUnit},
		{"sum_of_sides_max", r.SumMax, &t.sum, millimetresPer, "dim_unit", r.DimUnit},
	} {
		*c.into = noLimit
		if c.value == "" {
			continue
		}
		d, err := parseDecimal(c.value)
		if err != nil {
			return t, e.bad(c.column, c.value, err)
		}
		factor, ok := c.units[c.unit]
		if !ok {
			return t, e.bad(c.unitColumn, c.unit, oneOf(c.unit, unitWords(c.units)))
		}
		*c.into = d.Mul(factor).Round(0).IntPart()
	}
	return t, nil
}

var (
	gramsPer = map[string]decimal.Decimal{
		"g": decimal.New(1, 0), "kg": decimal.New(1000, 0),
		"lb": decimal.New(45359237, -5), "oz": decimal.New(28349523125, -9),
	}
	millimetresPer = map[string]decimal.Decimal{
		"mm": decimal.New(1, 0), "cm": decimal.New(10, 0), "in": decimal.New(254, -1),
	}
	mm3Per = map[string]decimal.Decimal{
		"m3": decimal.New(1, 9), "ft3": decimal.New(28316846592, -3),
	}
)

func unitWords(units map[string]decimal.Decimal) []string {
	words := make([]string, 0, len(units))
	for u := range units {
		words = append(words, u)
	}
	slices.Sort(words)
	return words
}

func missingIf(lacks bool) error {
	if lacks {
		return errors.New("is missing")
	}
	return nil
}

// needColumns checks the columns that a user's table cannot do without.
func needColumns[T any](own []entry[T], missing []string, names ...string) error {
	for _, n := range names {
		if len(own) > 0 && slices.Contains(missing, n) {
			return own[0].bad(n, "", missingIf(true))
		}
	}
	return nil
}
