package inventory

import (
	"bytes"
	"math"
	"strings"
	"time"

	"rensa/pkg/removal"
)

// reasonUnknown: the row names goods that the snapshot does not have.
const reasonUnknown = "not_in_stock"

// Units as reports write them, in the form of decode.Heading.
var (
	lengthUnits = map[string]float64{ // millimetres
		"millimeter": 1, "millimeters": 1, "mm": 1, "centimeter": 10, "centimeters": 10, "cm": 10, "meter": 1000, "meters": 1000,
		"inch": 25.4, "inches": 25.4, "in": 25.4, "feet": 304.8, "foot": 304.8,
	}
	weightUnits = map[string]float64{ // grams
		"gram": 1, "grams": 1, "g": 1, "kilogram": 1000, "kilograms": 1000, "kg": 1000,
		"pound": 453.59237, "pounds": 453.59237, "lb": 453.59237, "lbs": 453.59237, "ounce": 28.349523125, "ounces": 28.349523125, "oz": 28.349523125,
	}
	volumeUnits = map[string]float64{ // cubic millimetres
		"cubicmillimeter": 1, "cubicmillimeters": 1, "cubiccentimeter": 1e3, "cubiccentimeters": 1e3, "cubicmeter": 1e9, "cubicmeters": 1e9,
		"cubicdecimeter": 1e6, "liter": 1e6, "liters": 1e6,
		"cubicinch": 16387.064, "cubicinches": 16387.064, "cubicfoot": 28316846.592, "cubicfeet": 28316846.592,
	}
)

// pointed is a decimal with a point, also where it was written with a comma.
func pointed(v []byte) []byte {
	if bytes.Count(v, []byte(",")) == 1 && !bytes.Contains(v, []byte(".")) {
		return bytes.ReplaceAll(v, []byte(","), []byte("."))
	}
	return v
}

// roundUp is as measure has it.
func roundUp(v float64) int64 { return int64(math.Ceil(v - 1e-6)) }

// hazmatUnnamed is the class of goods of which only that they are dangerous is
// known; no policy lists it.
const hazmatUnnamed = "?"

// parse reads the facts of the row at hand.
func (r *factRows) parse(f *factRow) {
	switch r.kind {
	case removal.KindRecallList:
		if r.keyless() {
			r.problem(r.keyColumn(), reasonMissing)
		}
		f.since = r.dayOf(fieldRecalledSince, true)
		return
	case removal.KindStorageFee:
		if len(r.value(fieldFNSKU)) == 0 {
			r.problem(r.col[fieldFNSKU], reasonMissing)
		}
	default:
		if len(r.value(fieldSKU)) == 0 {
			r.problem(r.col[fieldSKU], reasonMissing)
		}
	}
	if r.col[fieldDate] >= 0 {
		r.snapshotDate()
	}
	switch r.kind {
	case removal.KindPlanning, removal.KindHealth:
		r.ages(f)
	case removal.KindStranded:
		f.units, f.tellsUnits = r.count(fieldAvailable), true
		f.since = r.dayOf(fieldStrandedSince, false)
	case removal.KindReserved:
		f.units, f.tellsUnits = r.count(fieldReserved), true
	case removal.KindStorageFee:
		for k := range f.sides {
			f.sides[k] = uint32(min(r.decimal(fieldLongest+field(k), fieldSizeUnit, lengthUnits), maxQuantity))
		}
		f.weight = uint32(min(r.decimal(fieldWeight, fieldWeightUnit, weightUnits), maxQuantity))
		r.volume(f)
	}
}

func (r *factRows) keyless() bool {
	return len(r.value(fieldSKU)) == 0 && len(r.value(fieldFNSKU)) == 0 && len(r.value(fieldASIN)) == 0
}

// count is a number of which blank is none.
func (r *factRows) count(f field) int64 { return max(r.number(f), 0) }

// ages reads what the two reports about ages have.
func (r *factRows) ages(f *factRow) {
	f.units, f.tellsUnits, f.tellsAge = r.count(fieldAvailable), true, true
	f.t30, f.t90 = r.number(fieldShipped30), r.number(fieldShipped90)
	f.charge = r.number(fieldCharge12)
	if c, old := r.number(fieldCharge366), r.number(fieldCharge456); c >= 0 || old >= 0 {
		f.charge, f.charge456 = max(c, 0)+max(old, 0), max(old, 0)
	}
	r.bands(&f.bands)
	r.volume(f)
	if v := r.value(fieldIsHazmat); !placeholder(v) {
		dangerous, ok := yes(v)
		if !ok {
			r.problem(r.col[fieldIsHazmat], reasonNotValid)
		}
		if f.hazmatTold = true; dangerous {
			f.hazmat = hazmatUnnamed
		}
	}
}

// bands reads the counts by age, the narrow bands where they add up to the wide
// ones.
func (r *factRows) bands(b *Bands) {
	y, m, k := r.number(fieldAge0to30), r.number(fieldAge31to60), r.number(fieldAge61to90)
	young, a91, a181 := r.number(fieldAge0to90), r.number(fieldAge91to180), r.number(fieldAge181to270)
	a271, a331 := r.number(fieldAge271to365), r.number(fieldAge331to365)
	a366, a456, over := r.number(fieldAge366to455), r.number(fieldAge456), r.number(fieldAge366)
	narrow := y >= 0 && m >= 0 && k >= 0 && (young < 0 || y+m+k == young)
	oldest := a366 >= 0 && a456 >= 0
	if !narrow && young < 0 || a91 < 0 || a181 < 0 || a271 < 0 || !oldest && over < 0 {
		return
	}
	if narrow {
		b.set(0, y)
		b.set(1, m)
		b.set(2, k)
	} else {
		b.set(0, young)
	}
	b.set(3, a91)
	b.set(4, a181)
	if a331 >= 0 && a331 <= a271 {
		b.set(5, a271-a331)
		b.set(6, a331)
	} else {
		b.set(5, a271)
	}
	if oldest {
		b.set(7, a366)
		b.set(8, a456)
	} else {
		b.set(7, over)
	}
}

func (r *factRows) volume(f *factRow) {
	if r.col[fieldVolume] >= 0 && r.col[fieldVolumeUnit] >= 0 {
		f.volumeMM3 = r.decimal(fieldVolume, fieldVolumeUnit, volumeUnits)
	}
}

// dayOf reads a day; 0: blank.
func (r *factRows) dayOf(f field, required bool) Day {
	v := string(r.value(f))
	if placeholder([]byte(v)) {
		if required {
			r.problem(r.col[f], reasonMissing)
		}
		return 0
	}
	t, _, ok := moment(v, r.zone)
	if !ok {
		r.problem(r.col[f], reasonDate)
		return 0
	}
	return DayOf(t.In(r.zone))
}

// snapshotDate reads the date of the whole file. Of several the latest is taken:
// a fee report has one for each month.
func (r *factRows) snapshotDate() {
	v := strings.TrimSpace(string(r.value(fieldDate)))
	if placeholder([]byte(v)) {
		return
	}
	t, hasTime, ok := moment(v, r.zone)
	if !ok {
		// A month: what it says held at its end.
		month, err := time.ParseInLocation("2006-01", v, r.zone)
		if err != nil {
			r.problem(r.col[fieldDate], reasonDate)
			return
		}
		t = month.AddDate(0, 1, -1)
	} else if !r.latest.IsZero() && t.After(r.latest) {
		r.problem(r.col[fieldDate], reasonFuture)
		return
	}
	if t.After(r.told) {
		r.told, r.toldTime = t, hasTime
	}
}
