package policy

import (
	"time"

	"rensa/pkg/removal"
)

// The reasons for which there is no figure. They are stable words; their texts
// stand in templates.
const (
	ReasonRate        = "rate_unknown"
	ReasonWeight      = "weight_unknown"
	ReasonSize        = "size_unknown"
	ReasonDisposal    = "disposal_rate_unknown"
	ReasonCrossBorder = "cross_border_rate_unknown"
)

// Card tells which fee card gave a figure.
type Card struct {
	Name     string
	From, To string // days, both included; "" is open
	// Period says how much of the period the source states: stated, assumed,
	// start assumed, end assumed.
	Period            string
	Own               bool // of the workspace's own table
	Class             string
	Certainty, Source string
}

// schedule is one size class of a fee card, for one store and method and one
// destination, on its period.
type schedule struct {
	period
	place
	store, currency string
	method          removal.Method
	destination     string // toHome, toAbroad or a country's code
	class           class
	card            Card
	roundTo         int64 // below roundBelow, weights are rounded up to it; 0: not
	roundBelow      int64
	steps           []step // by rising weight
}

// step is one line of a fee card. Weights are in millionths of a gram, in which
// pounds and their tenths are whole too.
type step struct {
	upTo  int64 // noLimit for the last one
	fee   removal.Amount
	extra removal.Amount // for each started per above over
	per   int64
	over  int64
}

const (
	toHome   = "home"
	toAbroad = "abroad"

	microgram = 1_000_000 // of one gram
)

// fee is the rate of one unit. A weight in whole grams stands for whatever
// rounds to it, so it is taken at its lower end: 454 g is a pound, not more.
func (s *schedule) fee(grams int64) (removal.Amount, bool) {
	w := grams*microgram - microgram/2
	if s.roundTo > 0 && w < s.roundBelow {
		w = started(w, s.roundTo) * s.roundTo
	}
	for i := range s.steps {
		st := &s.steps[i]
		if w > st.upTo {
			continue
		}
		fee := st.fee
		if st.per > 0 && w > st.over {
			fee += st.extra * removal.Amount(started(w-st.over, st.per))
		}
		return fee, true
	}
	return 0, false
}

// started counts the parts of a size that are begun.
func started(w, part int64) int64 { return (w + part - 1) / part }

// maxGrams is more than any product weighs; above it, arithmetic could overflow.
const maxGrams = 1_000_000_000

// rates are the schedules of one method and destination by class.
type rates [numClasses]*schedule

func (r *rates) none() bool { return *r == rates{} }

// FeeCard answers the removal fees of one store on one day. It is made once and
// asked for every line: Fee reads no table and allocates nothing. It may be used
// from any number of goroutines.
type FeeCard struct {
	country string
	on      day
	tiers   []tier
	home    [removal.Disposal + 1]rates
	abroad  [removal.Disposal + 1]map[string]*rates
	missing [removal.Disposal + 1]string // reason where home has none
}

// Fee is the estimate for one unit: its rate for the method, the destination
// country ("" at home and for a disposal) and the product's class and weight.
// Without a figure ok is false and reason one of the words above.
func (c *FeeCard) Fee(m removal.Method, country string, p Product) (perUnit removal.Amount, ok bool, reason string) {
	s, reason := c.schedule(m, country, &p)
	if s == nil {
		return 0, false, reason
	}
	if perUnit, ok = s.fee(p.weight()); !ok {
		return 0, false, ReasonRate
	}
	return perUnit, true, ""
}

// Card tells which card Fee takes; ok is false where there is no figure.
func (c *FeeCard) Card(m removal.Method, country string, p Product) (Card, bool) {
	s, _ := c.schedule(m, country, &p)
	if s == nil {
		return Card{}, false
	}
	if _, ok := s.fee(p.weight()); !ok {
		return Card{}, false
	}
	return s.card, true
}

func (c *FeeCard) schedule(m removal.Method, country string, p *Product) (*schedule, string) {
	if m != removal.Return && m != removal.Disposal {
		return nil, ReasonRate
	}
	r := &c.home[m]
	if m == removal.Return && country != "" && country != c.country {
		if r = c.abroad[m][country]; r == nil {
			if r = c.abroad[m][toAbroad]; r == nil {
				return nil, ReasonCrossBorder
			}
		}
	} else if r.none() {
		return nil, c.missing[m]
	}
	if w := p.weight(); w == 0 || w > maxGrams {
		return nil, ReasonWeight
	}
	if s := r[classAny]; s != nil {
		return s, ""
	}
	_, size, ok := sizeOf(c.tiers, c.on, p)
	if !ok {
		return nil, ReasonSize
	}
	if r[size] == nil {
		return nil, ReasonRate
	}
	return r[size], ""
}

// cardKey is all of a Store that its fees depend on.
type cardKey struct {
	code, country, currency, region string
	on                              day
}

// FeeCard gives the fees of a store on the calendar day of on. A card in another
// currency than the store's is not used: nothing is converted.
func (s *Set) FeeCard(store Store, on time.Time) *FeeCard {
	key := cardKey{store.Code, store.Country, store.Currency, store.SizeRegion, dayOf(on)}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cards[key]
	if c == nil {
		if len(s.cards) >= 256 {
			clear(s.cards)
		}
		c = s.newFeeCard(key)
		s.cards[key] = c
	}
	return c
}

func (s *Set) newFeeCard(key cardKey) *FeeCard {
	c := &FeeCard{country: key.country, on: key.on, tiers: s.tiers[key.region]}
	var has [removal.Disposal + 1]bool
	for _, x := range s.schedules[key.code] {
		has[x.method] = has[x.method] || x.destination == toHome
		if !x.has(key.on) || x.currency != key.currency {
			continue
		}
		r := &c.home[x.method]
		if x.destination != toHome {
			if c.abroad[x.method] == nil {
				c.abroad[x.method] = map[string]*rates{}
			}
			if r = c.abroad[x.method][x.destination]; r == nil {
				r = &rates{}
				c.abroad[x.method][x.destination] = r
			}
		}
		r[x.class] = x
	}
	c.missing[removal.Return], c.missing[removal.Disposal] = ReasonRate, ReasonRate
	if has[removal.Return] && !has[removal.Disposal] {
		c.missing[removal.Disposal] = ReasonDisposal
	}
	return c
}

// RemovalFee is FeeCard.Fee for a single question.
func (s *Set) RemovalFee(store Store, m removal.Method, country string, p Product, on time.Time) (perUnit removal.Amount, ok bool, reason string) {
	return s.FeeCard(store, on).Fee(m, country, p)
}
