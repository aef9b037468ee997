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
		values[removal.FieldName] = o.Address.Name
		values[removal.FieldLine1] = o.Address.Line1
		values[removal.FieldLine2] = o.Address.Line2
		values[removal.FieldLine3] = o.Address.Line3
		values[removal.FieldCity] = o.Address.City
		values[removal.FieldCountry] = o.Address.Country
		values[removal.FieldState] = o.Address.State
		values[removal.FieldPostalCode] = o.Address.PostalCode
		values[removal.FieldPhone] = o.Address.Phone
		values[removal.FieldNotes] = o.Notes
	}
	values[removal.FieldSKU] = l.SKU
	values[removal.FieldSellable] = strconv.FormatInt(l.Sellable.Requested, 10)
	values[removal.FieldUnsellable] = strconv.FormatInt(l.Unsellable.Requested, 10)
	return values
}
