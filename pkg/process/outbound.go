package process

import (
	"io"
	"strconv"

	"rensa/pkg/removal"
	"rensa/pkg/upload"
)

// writeOrders writes orders in layout A, the order's values on its first row.
func writeOrders(w io.Writer, orders []removal.Order) error {
	out := upload.NewWriter(w)
	for i := range orders {
		for k := range orders[i].Lines {
			values := lineValues(&orders[i], k)
			if err := out.Write(&values); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

func lineValues(o *removal.Order, k int) (values [removal.NumFields]string) {
	l := &o.Lines[k]
	values[removal.FieldOrderID] = o.ID
	if k == 0 {
		values[removal.FieldMethod] = o.Method.String()
		for f := removal.FieldName; f <= removal.FieldPhone; f++ {
			values[f] = *o.Address.Part(f)
		}
		values[removal.FieldNotes] = o.Notes
	}
	values[removal.FieldSKU] = l.SKU
	values[removal.FieldSellable] = strconv.FormatInt(l.Sellable.Requested, 10)
	values[removal.FieldUnsellable] = strconv.FormatInt(l.Unsellable.Requested, 10)
	return values
}
