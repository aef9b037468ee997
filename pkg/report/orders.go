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
	w    *upload.Writer
}

func newOrders(open func() (io.Writer, error)) *orders { return &orders{open: open} }

func (r *orders) row(e *entry) error {
	o := e.Outcome
	if o.Status != removal.Accepted {
		return nil
	}
	if r.w == nil {
		w, err := r.open()
		if err != nil {
			return err
		}
		r.w = upload.NewWriter(w)
	}
	var values [removal.NumFields]string
	if h := e.headers.of(e); h.begins(o.Part) {
		acceptedHeader(&values, e.order, h)
	}
	values[removal.FieldOrderID] = acceptedID(e.order, o.Part)
	values[removal.FieldSKU] = view(e.Row.Row.Value(removal.FieldSKU))
	values[removal.FieldSellable] = strconv.FormatInt(o.TakenSellable, 10)
	values[removal.FieldUnsellable] = strconv.FormatInt(o.TakenUnsellable, 10)
	return r.w.Write(&values)
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

func (r *orders) close() error {
	if r.w == nil {
		return nil
	}
	return r.w.Flush()
}
