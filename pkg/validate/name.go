package validate

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"unicode/utf8"

	"rensa/pkg/removal"
)

// crockford is the base 32 without letters that are mistaken for digits.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// GeneratedID makes the id of an order that was given none. The same merchant,
// source, ordinal (from 1) and attempt (from 0) always give the same id.
func GeneratedID(date, merchant, source string, ordinal, attempt int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%d", merchant, source, ordinal, attempt))
	return "R" + date + "-" + crockford.EncodeToString(sum[:5])
}

// suffixed puts a suffix on an id; a base too long for it is cut and gets four
// characters of its hash, so that two long ids stay two.
func suffixed(base, suffix string) string {
	if utf8.RuneCountInString(base)+len(suffix) <= MaxOrderID {
		return base + suffix
	}
	sum := sha256.Sum256([]byte(base))
	mark := crockford.EncodeToString(sum[:5])[:4]
	return string([]rune(base)[:MaxOrderID-len(suffix)-len(mark)]) + mark + suffix
}

// naming is an id that is being looked for: attempt n makes the n-th candidate.
type naming struct {
	candidate func(n int) string
	set       func(id string)
	n         int
}

// namedAtOnce is for how many orders names are looked for together: used ids are
// asked for in batches.
const namedAtOnce = 512

// namer gives ids to the orders without one, to follow-ups and to parts. An id that
// stands anywhere in the file or was used before is passed over.
type namer struct {
	d     *Decider
	given func(id string) bool
	made  map[uint64]bool // hashes of the ids that it made; one that is as another is passed over too
}

func (n *namer) taken(id string) bool { return n.given(id) || n.made[maphash.String(n.d.seed, id)] }

func (n *namer) take(id string) { n.made[maphash.String(n.d.seed, id)] = true }

// name names the next orders of the file.
func (n *namer) name(orders []*order) error {
	var names []*naming
	for _, o := range orders {
		if x := n.d.naming(o); x != nil {
			names = append(names, x)
		}
	}
	if err := n.settle(names); err != nil {
		return err
	}
	for _, o := range orders {
		if err := n.parts(o); err != nil {
			return err
		}
		n.d.tell(o)
	}
	return nil
}

// naming says how the id of an order is found; nil where it needs none.
func (d *Decider) naming(o *order) *naming {
	o.ID, o.Family = o.Given, o.Given
	if o.past != nil {
		o.ID, o.Family = o.past.ID, o.past.Base
	}
	if o.Accepted == 0 {
		return nil
	}
	switch {
	case o.past != nil:
		o.Continued = true
		return &naming{
			candidate: func(n int) string { return suffixed(o.past.ID, "-r"+strconv.Itoa(n+1)) },
			set:       func(id string) { o.ID = id },
		}
	case o.Given == "":
		date := d.r.Now.In(d.r.location).Format("060102")
		return &naming{
			candidate: func(n int) string {
				return GeneratedID(date, d.r.Merchant.ID, d.r.Source, int(o.n)+1, n)
			},
			set: func(id string) { o.ID, o.Family = id, id },
		}
	}
	return nil
}

// parts numbers the parts of a large order, passing over numbers that are used.
func (n *namer) parts(o *order) error {
	most := n.d.r.Store.MaxSKUsPerFile
	parts := (o.accepted + most - 1) / most
	if parts < 2 {
		return nil
	}
	for number := 1; len(o.Parts) < parts; {
		ids := make([]string, parts)
		for i := range ids {
			ids[i] = suffixed(o.ID, "-"+strconv.Itoa(number))
			number++
		}
		used, err := n.d.past.Used(ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if len(o.Parts) < parts && !used[id] && !n.taken(id) {
				n.take(id)
				o.Parts = append(o.Parts, id)
			}
		}
	}
	return nil
}

// settle tries candidates until none is taken.
func (n *namer) settle(names []*naming) error {
	for len(names) > 0 {
		ids := make([]string, len(names))
		for i, x := range names {
			ids[i] = x.candidate(x.n)
		}
		used, err := n.d.past.Used(ids)
		if err != nil {
			return err
		}
		var again []*naming
		for i, x := range names {
			if used[ids[i]] || n.taken(ids[i]) {
				x.n++
				again = append(again, x)
				continue
			}
			n.take(ids[i])
			x.set(ids[i])
		}
		names = again
	}
	return nil
}

// tell adds the warnings that name the ids.
func (d *Decider) tell(o *order) {
	if o.Continued {
		o.problem(removal.OrderContinued, removal.FieldOrderID,
			append(removal.Args{}.Arg("order", o.past.ID).Arg("new", o.ID), d.pastArgs(o.past, o.past.asked)...))
	}
	if o.Parts != nil {
		o.problem(removal.OrderSplit, removal.FieldNone, removal.Args{}.Arg("parts", len(o.Parts)).
			Arg("max", d.r.Store.MaxSKUsPerFile).Arg("ids", strings.Join(o.Parts, "\n")))
	}
}
