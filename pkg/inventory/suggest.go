package inventory

import (
	"bytes"
	"slices"

	"golang.org/x/text/unicode/norm"

	"rensa/pkg/removal"
)

// Suggestion says why an MSKU is not in the snapshot, and what was probably meant.
type Suggestion struct {
	Code       removal.Code // SKUIsFNSKU, SKUIsASIN, SKUDamaged or SKUUnknown
	Candidates []string     // MSKUs, best first, at most three
}

// WhyUnknown tells which code fits an MSKU that Lookup does not find. longNumber
// says that the value came from a number of more than 15 digits. It costs little;
// the candidates of a hint cost up to a tenth of a millisecond each.
func (s *Snapshot) WhyUnknown(sku []byte, longNumber bool) removal.Code {
	switch {
	case len(sku) > 0 && s.findFNSKU(sku) >= 0:
		return removal.SKUIsFNSKU
	case s.withASIN(sku, 1) != nil:
		return removal.SKUIsASIN
	}
	if _, ok := parseLost(sku, longNumber); ok {
		return removal.SKUDamaged
	}
	return removal.SKUUnknown
}

// Suggest is WhyUnknown with the MSKUs that a hint names. The answer depends on
// the snapshot and the value alone. The first call builds indexes (a
// fifteenth of a second and 23 MB for a million MSKUs); later ones are bounded in time.
func (s *Snapshot) Suggest(sku []byte, longNumber bool) Suggestion {
	if len(sku) > 0 {
		if p := s.findFNSKU(sku); p >= 0 {
			return Suggestion{removal.SKUIsFNSKU, s.names(s.itemsOf(p, maxCandidates))}
		}
	}
	if items := s.withASIN(sku, maxCandidates); items != nil {
		return Suggestion{removal.SKUIsASIN, s.names(items)}
	}
	if lost, ok := parseLost(sku, longNumber); ok {
		return Suggestion{removal.SKUDamaged, s.beginning(lost)}
	}
	// Some programs write letters and their accents apart.
	return Suggestion{removal.SKUUnknown, s.nearest(norm.NFC.Bytes(sku))}
}

func (s *Snapshot) names(items []int32) []string {
	var all []string
	for _, i := range items {
		all = append(all, string(s.SKU(i)))
	}
	return all
}

// withASIN gives the first items of an ASIN, nil where there is none.
func (s *Snapshot) withASIN(asin []byte, limit int) []int32 {
	if len(asin) == 0 || s.asinLens&(1<<min(len(asin), 63)) == 0 {
		return nil
	}
	x := s.asins.get(s.indexASINs)
	tag := tagOf(hashBytes(s.seed, asin))
	pos := tag >> x.shift
	var items []int32
	for {
		i, at := x.next(tag, pos)
		if i < 0 {
			break
		}
		has, _, err := s.side.get(i)
		s.fail(err)
		if err == nil && bytes.Equal(has, asin) {
			items = append(items, i)
		}
		pos = (at + 1) & x.mask()
	}
	slices.Sort(items)
	return items[:min(limit, len(items))]
}

func (s *Snapshot) indexASINs() *packedIndex {
	x := newPackedIndex(newIndexBits(s.items.n), s.items.n)
	s.fail(s.side.each(func(i int32, asin, _ []byte) bool {
		if len(asin) > 0 {
			x.add(hashBytes(s.seed, asin), i)
		}
		return true
	}))
	return &x
}
