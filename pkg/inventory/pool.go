package inventory

import (
	"slices"
	"time"

	"rensa/pkg/removal"
)

// Facts of a pool: recalled units, then what Product says. A record is made only
// for pools of which the file says any.
const (
	factSize  = 48
	factShift = 14

	factRecalled = 0 // uint32 by condition
	factWeight   = 8 // uint32 grams; 0: unknown
	factSides    = 12
	factVolume   = 24
	factHazmat   = 28 // uint16, number + 1
	factRecall   = 30 // uint16, days since 1970 of a recall list; 0: none
	factExpiry   = 32 // days since 1970; 0: unknown
	factSince    = 36
	factReceived = 40
	factStranded = 44 // days since 1970; 0: not stranded
)

// Units are a pool's units of either condition.
func (s *Snapshot) Units(p int32) (sellable, unsellable int64) {
	rec := s.pools.at(p)
	return int64(u32(rec, 0)), int64(u32(rec, 4))
}

// HasProduct tells whether more is known of a pool than its units: what Product says,
// and which units are recalled.
func (s *Snapshot) HasProduct(p int32) bool { return u32(s.pools.at(p), 12) != 0 }

// UnitsOf are a pool's units of one condition.
func (s *Snapshot) UnitsOf(p int32, c removal.Condition) int64 {
	return int64(u32(s.pools.at(p), 4*int(c)))
}

// RecalledOf are those of a pool's units of one condition that are recalled.
func (s *Snapshot) RecalledOf(p int32, c removal.Condition) int64 {
	if f := s.fact(p); f != nil {
		return int64(u32(f, factRecalled+4*int(c)))
	}
	return 0
}

// fact is the facts' record of a pool, nil where there is none.
func (s *Snapshot) fact(p int32) []byte {
	n := u32(s.pools.at(p), 12)
	if n == 0 {
		return nil
	}
	return s.facts.at(int32(n - 1))
}

// OwnPool begins the key of a pool that has no FNSKU; the MSKU follows.
const OwnPool = "\x00"

// PoolKey is the FNSKU of a pool, or OwnPool and the MSKU where it has none.
func (s *Snapshot) PoolKey(p int32) string {
	sku, fnsku := s.keys(int32(u32(s.pools.at(p), 8)))
	if len(fnsku) > 0 {
		return string(fnsku)
	}
	return OwnPool + string(sku)
}

// AppendPoolKey is PoolKey without a string being made.
func (s *Snapshot) AppendPoolKey(dst []byte, p int32) []byte {
	sku, fnsku := s.keys(int32(u32(s.pools.at(p), 8)))
	if len(fnsku) > 0 {
		return append(dst, fnsku...)
	}
	return append(append(dst, OwnPool...), sku...)
}

// Pool gives all of a pool.
func (s *Snapshot) Pool(p int32) Pool {
	v := Pool{Key: s.PoolKey(p), Product: s.Product(p)}
	v.Sellable, v.Unsellable = s.Units(p)
	v.RecalledSellable = s.RecalledOf(p, removal.Sellable)
	v.RecalledUnsellable = s.RecalledOf(p, removal.Unsellable)
	return v
}

// Product gives what a pool's units are; it does not allocate.
func (s *Snapshot) Product(p int32) Product {
	f := s.fact(p)
	if f == nil {
		return Product{}
	}
	v := Product{
		WeightG:         int64(u32(f, factWeight)),
		LongestMM:       int64(u32(f, factSides)),
		MedianMM:        int64(u32(f, factSides+4)),
		ShortestMM:      int64(u32(f, factSides+8)),
		VolumeCM3:       int64(u32(f, factVolume)),
		Expiry:          dayTime(u32(f, factExpiry)),
		UnsellableSince: dayTime(u32(f, factSince)),
		Received:        dayTime(u32(f, factReceived)),
		StrandedSince:   dayTime(u32(f, factStranded)),
		RecalledSince:   dayTime(uint32(u16(f, factRecall))),
	}
	v.HasWeight = v.WeightG > 0
	v.HasSize = v.LongestMM > 0 && v.MedianMM > 0 && v.ShortestMM > 0
	if n := u16(f, factHazmat); n > 0 {
		v.HazmatClass = s.hazmat[n-1]
	}
	return v
}

func dayTime(days uint32) time.Time {
	if days == 0 {
		return time.Time{}
	}
	return time.Unix(int64(days)*86400, 0).UTC()
}

// FindPool finds a pool by its key as Pool gives it; -1: not there.
func (s *Snapshot) FindPool(key string) int32 {
	if key == "" {
		return -1
	}
	if key[0] == 0 {
		i := s.Lookup([]byte(key[1:]))
		if i < 0 || len(s.FNSKU(i)) > 0 {
			return -1
		}
		return s.PoolOf(i)
	}
	return s.findFNSKU([]byte(key))
}

// FindPools is FindPool for each of keys, the answers in out, which must be as long.
// It is faster, as LookupAll is.
func (s *Snapshot) FindPools(keys []string, out []int32) {
	for len(keys) > 0 {
		n := min(LookupBatch, len(keys))
		s.fetchPools(keys[:n])
		for k, key := range keys[:n] {
			out[k] = s.FindPool(key)
		}
		keys, out = keys[n:], out[n:]
	}
}

// fetchPools brings what FindPool looks at for a batch of FNSKUs near: slots, then the
// pools that they name, then the items of these.
func (s *Snapshot) fetchPools(keys []string) {
	if !slices.ContainsFunc(keys, func(key string) bool { return key != "" && key[0] != 0 }) {
		return // the index need not be read for these
	}
	x := s.fnskuIndex()
	var pools, items [LookupBatch]int32
	for k, key := range keys {
		pools[k] = -1
		if key != "" && key[0] != 0 {
			tag := tagOf(hashBytes(s.seed, []byte(key)))
			pools[k], _ = x.next(tag, tag>>x.shift)
		}
	}
	for k := range keys {
		if items[k] = -1; pools[k] >= 0 {
			items[k] = int32(u32(s.pools.at(pools[k]), 8))
		}
	}
	touched := byte(0)
	for k := range keys {
		if items[k] >= 0 {
			touched |= s.items.at(items[k])[4]
		}
	}
	s.touched.Store(uint32(touched)) // so that it is not left out
}

func (s *Snapshot) findFNSKU(fnsku []byte) int32 {
	if s.fnskusBegin != nil && !s.fnskusBegin.has(fnsku) {
		return -1
	}
	x := s.fnskuIndex()
	tag := tagOf(hashBytes(s.seed, fnsku))
	pos := tag >> x.shift
	for {
		p, at := x.next(tag, pos)
		if p < 0 {
			return -1
		}
		if _, f := s.keys(int32(u32(s.pools.at(p), 8))); string(f) == string(fnsku) {
			return p
		}
		pos = (at + 1) & x.mask()
	}
}

func (s *Snapshot) fnskuIndex() *packedIndex { return s.fnskus.get(s.readFNSKUs) }

// readFNSKUs loads the index of pools. Should that part of the file be damaged,
// it is made anew from the items, which were checked when the file was opened.
func (s *Snapshot) readFNSKUs() *packedIndex {
	x, err := s.loadFNSKUs()
	if err == nil {
		return &x
	}
	s.fail(err)
	x = newPackedIndex(newIndexBits(s.pools.n), s.pools.n)
	for p := range int32(s.pools.n) {
		if _, f := s.keys(int32(u32(s.pools.at(p), 8))); len(f) > 0 {
			x.add(hashBytes(s.seed, f), p)
		}
	}
	return &x
}

// itemsOf gives at most limit items of a pool, in the file's order.
func (s *Snapshot) itemsOf(p int32, limit int) []int32 {
	chain := *s.chain.get(func() *[]int32 {
		chain, last := make([]int32, s.items.n), make([]int32, s.pools.n)
		for i := int32(s.items.n) - 1; i >= 0; i-- {
			q := s.PoolOf(i)
			chain[i], last[q] = last[q]-1, i+1
		}
		return &chain
	})
	var all []int32
	for i := int32(u32(s.pools.at(p), 8)); i >= 0 && len(all) < limit; i = chain[i] {
		all = append(all, i)
	}
	return all
}
