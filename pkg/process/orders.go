package process

import (
	"rensa/pkg/removal"
	"rensa/pkg/validate"
)

// orderBuilder makes the accepted orders of an upload with their lines, from its
// rows and their outcomes.
type orderBuilder struct {
	rules    *validate.Rules
	outcomes []removal.OrderOutcome
	template removal.Order // what all orders of the run share
	made     [][]removal.Order
}

func newOrderBuilder(rules *validate.Rules, outcomes []removal.OrderOutcome, template removal.Order) *orderBuilder {
	return &orderBuilder{rules: rules, outcomes: outcomes, template: template, made: make([][]removal.Order, len(outcomes))}
}

// add takes the next row.
func (b *orderBuilder) add(row *removal.Row, o *removal.Outcome, fnsku []byte) {
	order := &b.outcomes[o.Order]
	if order.Accepted == 0 {
		return
	}
	if b.made[o.Order] == nil {
		b.made[o.Order] = b.begin(row, order)
	}
	if o.Status != removal.Accepted {
		return
	}
	part := &b.made[o.Order][0]
	if order.Parts != nil {
		part = &b.made[o.Order][o.Part]
	}
	part.Lines = append(part.Lines, removal.Line{
		SKU: string(row.Value(removal.FieldSKU)), FNSKU: string(fnsku),
		AskedSellable: o.Sellable, AskedUnsellable: o.Unsellable,
		Sellable:   removal.Units{Requested: o.TakenSellable},
		Unsellable: removal.Units{Requested: o.TakenUnsellable},
		Fee:        o.Fee, HasFee: o.HasFee,
	})
	part.Fee += o.Fee
	if !o.HasFee {
		part.NoFee++
		part.NoFeeReason = order.NoFeeReason
	}
}

// begin makes an order, or the parts of a split one, from its first row.
func (b *orderBuilder) begin(row *removal.Row, o *removal.OrderOutcome) []removal.Order {
	order := b.template
	order.ID, order.Family, order.Method, order.Row = o.ID, o.Family, o.Method, o.Row
	order.Generated = o.Given == ""
	order.HeaderHash = o.HeaderHash
	order.Notes = string(row.Value(removal.FieldNotes))
	if o.Method == removal.Return {
		order.Address = b.rules.ReadAddress(row)
	}
	if o.Parts == nil {
		order.Lines = make([]removal.Line, 0, o.Accepted)
		return []removal.Order{order}
	}
	parts := make([]removal.Order, len(o.Parts))
	for i, id := range o.Parts {
		parts[i] = order
		parts[i].ID = id
	}
	return parts
}

// orders gives what was made, in the order of the file.
func (b *orderBuilder) orders() []removal.Order {
	var all []removal.Order
	for _, parts := range b.made {
		for _, o := range parts {
			if len(o.Lines) > 0 {
				all = append(all, o)
			}
		}
	}
	return all
}
