package report

import (
	"io"
	"strconv"
	"strings"

	"rensa/pkg/removal"
	"rensa/pkg/upload"
)

// orders writes orders.tsv: what was accepted, in layout A, with the ids, the
// method, the address and the quantities as they were accepted. It is never made
// where nothing was.
type orders struct {
	open func() (io.Writer, error)
	w    io.Writer
}

func newOrders(open func() (io.Writer, error)) *orders { return &orders{open: open} }

func (r *orders) add(p *Part) (err error) {
	if len(p.orders) > 0 && r.w == nil {
		if r.w, err = r.open(); err != nil {
			return err
		}
		if _, err := r.w.Write(upload.AppendHeadings(nil)); err != nil {
			return err
		}
	}
	if r.w == nil {
		return nil
	}
	_, err = r.w.Write(p.orders)
	return err
}

func (r *orders) close() error { return nil }

// appendAccepted adds an accepted row with the order values where it is to show
// them.
func appendAccepted(dst []byte, p *Part, e *entry, i int) []byte {
	o := e.Outcome
	id, sku := e.order.AcceptedID(o.Part), view(e.Row.Row.Value(removal.FieldSKU))
	if p.links[i] == noLink {
		return upload.AppendItem(dst, id, sku, o.TakenSellable, o.TakenUnsellable)
	}
	var values [removal.NumFields]string
	var own header
	acceptedHeader(&values, e.order, p.header(p.links[i], &own))
	values[removal.FieldOrderID], values[removal.FieldSKU] = id, sku
	values[removal.FieldSellable] = strconv.FormatInt(o.TakenSellable, 10)
	values[removal.FieldUnsellable] = strconv.FormatInt(o.TakenUnsellable, 10)
	return upload.AppendRow(dst, &values)
}

// acceptedHeader gives the order values as they were understood.
func acceptedHeader(values *[removal.NumFields]string, o *removal.OrderOutcome, h *header) {
	values[removal.FieldMethod] = o.Method.String()
	values[removal.FieldNotes] = h.values[removal.FieldNotes]
	if o.Method != removal.Return {
		return
	}
	for f := removal.Field(0); f.OfOrder(); f++ {
		if f.OfAddress() && !h.blank[f] {
			values[f] = h.values[f]
		}
	}
	values[removal.FieldCountry] = strings.ToUpper(values[removal.FieldCountry])
	for i := range o.Problems {
		if p := &o.Problems[i]; p.Code == removal.AddressCountryAlias && p.Args.Get("code") != "" {
			values[removal.FieldCountry] = p.Args.Get("code")
		}
	}
}
