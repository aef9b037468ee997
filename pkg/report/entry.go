package report

import (
	"strconv"
	"unsafe"

	"rensa/pkg/policy"
	"rensa/pkg/removal"
	"rensa/templates"
)

// entry is one row with its order and its problems, as all outputs see it.
type entry struct {
	*Row
	order *removal.OrderOutcome
	first bool // the order begins with this row
	// problems are those that stand on this row, with place and value: noted of
	// the part from from on.
	problems []removal.Problem
	from     int
	part     *Part
}

type said struct{ message, hint string }

// placed gives a problem of the row its place and value.
func (e *entry) placed(in *Input, p removal.Problem) removal.Problem {
	if p.OrderID == "" {
		p.OrderID = e.orderID()
		if p.Code.Scope() == removal.ScopeOrder {
			p.OrderID = ownID(e.order)
		}
	}
	if p.Row == 0 {
		p.Row, p.Line = e.Row.Row.Number, e.Row.Row.Line
	}
	if in.Locate != nil {
		in.Locate(&p, e.Row.Row)
	} else {
		in.locate(&p, e.Row.Row)
	}
	return p
}

// locate is for layout A, where every value stands in the row under its heading.
func (in *Input) locate(p *removal.Problem, r *removal.Row) {
	p.Sheet = in.Run.Sheet
	if p.Col == 0 && p.Field < removal.NumFields {
		p.Col = in.FieldColumns[p.Field]
		p.Value = string(r.Value(p.Field))
	}
	if p.Code == removal.ColumnCount && p.Col == 0 {
		p.Col = len(in.Headings) + 1
	}
	if p.Col == 0 {
		return
	}
	if p.Col <= len(in.Headings) {
		p.Column = in.Headings[p.Col-1]
	}
	p.Cell = removal.CellName(p.Col, p.Row)
}

func (e *entry) orderID() string { return OrderID(e.Outcome, e.order) }

// OrderID is the id under which people find a row's order: of an accepted row
// the accepted one, of a row seen before that of the earlier order, else the one
// that stands in the file, or was made where none did.
func OrderID(o *removal.Outcome, order *removal.OrderOutcome) string {
	switch o.Status {
	case removal.Accepted:
		return order.AcceptedID(o.Part)
	case removal.Seen:
		for i := range o.Problems {
			if p := &o.Problems[i]; p.Code == removal.RowSeen && p.Args.Get("order") != "" {
				return p.Args.Get("order")
			}
		}
	case removal.Rejected:
	}
	return ownID(order)
}

// ownID is the id that the file gave, else that of the earlier order that it was
// recognised as, else the one that was made.
func ownID(o *removal.OrderOutcome) string {
	switch {
	case o.Given != "":
		return o.Given
	case o.Matched:
		return o.Family
	}
	return o.ID
}

// say gives message and hint of the row's i-th problem.
func (e *entry) say(i int) said { return e.part.say(e.from + i) }

// renderer makes sentences of problems in the language of the report.
type renderer struct {
	in    *Input
	texts *templates.Texts
}

func newRenderer(in *Input) *renderer { return &renderer{in: in, texts: in.Texts} }

// facts are a problem's arguments with those that its place and value give.
type facts struct {
	problem *removal.Problem
	suggest string
}

func (f facts) Get(name string) string {
	switch name {
	case "column":
		return f.problem.Column
	case "suggest":
		return f.suggest
	}
	if v := f.problem.Args.Get(name); v != "" {
		return v
	}
	switch name {
	case "field":
		return f.problem.Field.String()
	case "order":
		return f.problem.OrderID
	case "sku":
		return f.problem.SKU
	case "at_line":
		return ordinal(f.problem.Line)
	case "at_row":
		return ordinal(f.problem.Row)
	}
	return ""
}

// ordinal is a line or row; "" where there is none.
func ordinal(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (r *renderer) say(p *removal.Problem) said {
	message, hint := Say(r.texts, r.in.Policy, p)
	return said{message, hint}
}

// Say gives message and hint of a problem in a language. The policy, which may be
// nil, helps where a hint is made of the value.
func Say(texts *templates.Texts, set *policy.Set, p *removal.Problem) (message, hint string) {
	f := facts{problem: p}
	if set != nil && p.Value != "" {
		f.suggest = suggest(set, p)
	}
	return texts.Render(p.Code.String(), p.Value, f)
}

// suggest answers a wrong part of an address with the right one. It is not kept
// with the decision, since no address value is.
func suggest(set *policy.Set, p *removal.Problem) string {
	switch p.Code {
	case removal.AddressCountryUnknown:
		code, _ := set.CountryByName(p.Value)
		return code
	case removal.AddressPostalInvalid:
		if c, ok := set.Country(p.Args.Get("country")); ok {
			return c.SuggestPostal(p.Value)
		}
	case removal.AddressStateUnknown:
		if c, ok := set.Country(p.Args.Get("country")); ok {
			return c.NearestState(p.Value)
		}
	}
	return ""
}

// view shows bytes as a string without copying them: for callees that keep nothing.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
