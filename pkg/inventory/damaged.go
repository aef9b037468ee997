package inventory

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// lost is what a spreadsheet left of an MSKU that it took for a number.
type lost struct {
	digits []byte // that survived, without leading zeros; the last may be rounded
	length int    // digits of the whole number; 0: not known
}

// maxExponent bounds the length of a number that could have been an MSKU.
const maxExponent = 100

// exactDigits is how many digits of a number a spreadsheet keeps.
const exactDigits = 15

// parseLost reads an exponent form (1.23E+11, 1,23E+11, 1E5) or a number of more
// than 15 digits; not ok: the value is neither.
func parseLost(v []byte, longNumber bool) (lost, bool) {
	mantissa, exp, found := cutExponent(v)
	if !found {
		if !longNumber {
			return lost{}, false
		}
		digits := bytes.TrimLeft(v, "0")
		if !allDigits(digits) {
			return lost{}, true
		}
		return lost{digits[:min(exactDigits, len(digits))], len(digits)}, true
	}
	whole, frac := mantissa, []byte(nil)
	if at := bytes.IndexAny(mantissa, ".,"); at >= 0 {
		whole, frac = mantissa[:at], mantissa[at+1:]
		if len(frac) == 0 || !allDigits(frac) {
			return lost{}, longNumber
		}
	}
	if len(whole) == 0 || !allDigits(whole) {
		return lost{}, longNumber
	}
	digits := bytes.TrimLeft(append(slices.Clone(whole), frac...), "0")
	l := lost{digits: digits[:min(exactDigits, len(digits))]}
	if n := len(bytes.TrimLeft(whole, "0")); n > 0 && exp > 0 {
		l.length = n + exp
	}
	return l, true
}

// cutExponent splits a value at its E; the exponent must be a number.
func cutExponent(v []byte) (mantissa []byte, exp int, ok bool) {
	at := bytes.IndexAny(v, "eE")
	if at <= 0 {
		return nil, 0, false
	}
	e, sign := v[at+1:], 1
	if len(e) > 0 && (e[0] == '+' || e[0] == '-') {
		if e[0] == '-' {
			sign = -1
		}
		e = e[1:]
	}
	if len(e) == 0 || !allDigits(e) {
		return nil, 0, false
	}
	for _, c := range e {
		exp = min(exp*10+int(c-'0'), maxExponent)
	}
	return v[:at], sign * exp, true
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// digitKey is an item whose MSKU begins with a digit, sorted by the MSKU without
// its leading zeros, which a spreadsheet drops too; key is the first 8 bytes of it.
type digitKey struct {
	key  uint64
	item int32
}

func withoutZeros(sku []byte) []byte { return bytes.TrimLeft(sku, "0") }

// digitIndex holds all of them.
type digitIndex struct {
	s    *Snapshot
	keys []digitKey
}

func (s *Snapshot) indexDigits() *digitIndex {
	d := &digitIndex{s: s}
	for i := range int32(s.items.n) {
		if sku := s.SKU(i); len(sku) > 0 && sku[0] >= '0' && sku[0] <= '9' {
			var k [8]byte
			copy(k[:], withoutZeros(sku))
			d.keys = append(d.keys, digitKey{binary.BigEndian.Uint64(k[:]), i})
		}
	}
	slices.SortFunc(d.keys, func(a, b digitKey) int {
		if a.key != b.key {
			return cmp.Compare(a.key, b.key)
		}
		x, y := s.SKU(a.item), s.SKU(b.item)
		return cmp.Or(bytes.Compare(withoutZeros(x), withoutZeros(y)), bytes.Compare(x, y))
	})
	return d
}

// maxBegins bounds how many MSKUs of one beginning are looked at.
const maxBegins = 4096

// beginning gives the MSKUs that the lost digits may stand for: first those of
// the right length, also where the last digit was rounded, then all others that
// begin so.
func (s *Snapshot) beginning(l lost) []string {
	if len(l.digits) == 0 {
		return nil
	}
	digits := s.digits.get(s.indexDigits)
	var best []match
	keep := func(i int32, rank int) {
		best = append(best, match{item: i, near: rank, sku: s.SKU(i)})
	}
	digits.begins(bytes.TrimRight(l.digits, "0"), func(i int32, sku []byte) {
		if sameNumber(sku, l) {
			keep(i, 0)
		}
	})
	digits.begins(l.digits, func(i int32, sku []byte) {
		switch {
		case sameNumber(sku, l):
		case allDigits(sku) && (len(sku) == l.length || l.length == 0):
			keep(i, 1)
		default:
			keep(i, 3)
		}
	})
	if n := len(l.digits); n > 1 {
		digits.begins(l.digits[:n-1], func(i int32, sku []byte) {
			if len(sku) == l.length && allDigits(sku) && rounds(sku, l.digits) {
				keep(i, 2)
			}
		})
	}
	slices.SortFunc(best, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.near, b.near), bytes.Compare(a.sku, b.sku))
	})
	var all []string
	for _, m := range best[:min(maxCandidates, len(best))] {
		all = append(all, string(m.sku))
	}
	return all
}

// begins visits the items whose MSKU, without leading zeros, begins with prefix.
func (d *digitIndex) begins(prefix []byte, visit func(i int32, sku []byte)) {
	at := sort.Search(len(d.keys), func(k int) bool {
		return bytes.Compare(withoutZeros(d.s.SKU(d.keys[k].item)), prefix) >= 0
	})
	for k := at; k < min(len(d.keys), at+maxBegins); k++ {
		sku := withoutZeros(d.s.SKU(d.keys[k].item))
		if !bytes.HasPrefix(sku, prefix) {
			return
		}
		visit(d.keys[k].item, sku)
	}
}

// sameNumber tells whether an MSKU such as 12E4 is itself an exponent form of
// the same number, as it was before a spreadsheet wrote it in its own way.
func sameNumber(sku []byte, l lost) bool {
	o, ok := parseLost(sku, false)
	return ok && o.length == l.length && bytes.Equal(bytes.TrimRight(o.digits, "0"), bytes.TrimRight(l.digits, "0"))
}

// rounds tells whether a longer number gives digits when it is rounded up.
func rounds(sku, digits []byte) bool {
	n := len(digits)
	if len(sku) <= n || sku[n] < '5' {
		return false
	}
	up := slices.Clone(sku[:n])
	for k := n - 1; k >= 0; k-- {
		if up[k] < '9' {
			up[k]++
			return bytes.Equal(up, digits)
		}
		up[k] = '0'
	}
	return false
}
