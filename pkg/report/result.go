package report

import (
	"io"

	"rensa/pkg/removal"
	"rensa/pkg/upload"
)

const resultHeading = "row,line,order_id,method,sku,fnsku,sellable_requested,unsellable_requested," +
	"sellable_accepted,unsellable_accepted,status,codes,fee,currency\r\n"

// result writes result.csv: a line for every item row, in input order.
type result struct {
	w        io.Writer
	currency string
	heading  []byte // until it is written
}

func newResult(in *Input, open func() (io.Writer, error)) (*result, error) {
	w, err := open()
	if err != nil {
		return nil, err
	}
	r := &result{w: w, currency: in.Currency}
	if in.Merchant.Profile.CSVBOM {
		r.heading = append(r.heading, bom...)
	}
	r.heading = append(r.heading, resultHeading...)
	return r, nil
}

func (r *result) format(p *Part) {
	p.result = p.result[:0]
	for i := range p.Rows {
		p.result = appendResult(p.result, p.at(i), r.currency)
	}
}

func (r *result) add(p *Part) error {
	if err := r.close(); err != nil {
		return err
	}
	_, err := r.w.Write(p.result)
	return err
}

func (r *result) close() error {
	if r.heading == nil {
		return nil
	}
	_, err := r.w.Write(r.heading)
	r.heading = nil
	return err
}

// appendResult formats one line. It is the hot path of an upload without faults:
// no string is made for a good row.
func appendResult(dst []byte, e *entry, currency string) []byte {
	o := e.Outcome
	dst = append(e.part.row.append(dst, o.Row), ',')
	if o.Line > 0 { // a workbook has none
		dst = e.part.line.append(dst, o.Line)
	}
	dst = append(appendCell(append(dst, ','), e.orderID()), ',')
	dst = append(append(dst, e.order.Method.String()...), ',')
	dst = append(appendCell(dst, e.Row.Row.Value(removal.FieldSKU)), ',')
	dst = append(appendCell(dst, e.FNSKU), ',')
	for _, n := range [...]int64{o.Sellable, o.Unsellable, o.TakenSellable, o.TakenUnsellable} {
		dst = append(upload.AppendQuantity(dst, n), ',')
	}
	dst = append(append(dst, o.Status.String()...), ',')
	dst = append(appendCodes(dst, e), ',')
	if o.HasFee {
		dst = append(dst, o.Fee.String()...)
		dst = append(dst, ',')
		dst = append(dst, currency...)
	} else {
		dst = append(dst, ',')
	}
	return append(dst, '\r', '\n')
}

// appendCodes lists the codes that concern a row: its own, the errors of its
// order on each of the order's rows, and the order's other problems on the first.
// Each code stands once.
func appendCodes(dst []byte, e *entry) []byte {
	own, order := e.Outcome.Problems, e.order.Problems
	if len(own) == 0 && len(order) == 0 {
		return dst
	}
	var given [256]bool
	start := len(dst)
	add := func(c removal.Code) {
		if given[c] {
			return
		}
		given[c] = true
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(dst, c.String()...)
	}
	for i := range own {
		add(own[i].Code)
	}
	for i := range order {
		if order[i].Code.IsError() {
			add(order[i].Code)
		}
	}
	for i := range order {
		if e.first {
			add(order[i].Code)
		}
	}
	return dst
}
