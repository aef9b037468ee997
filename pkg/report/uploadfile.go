package report

import (
	"io"
	"strconv"

	"rensa/pkg/removal"
	"rensa/pkg/upload"
)

// UploadFile writes orders in layout A, ready to be dropped or sent: the order's
// values on its first row.
func UploadFile(w io.Writer, orders []removal.Order) error {
	out := upload.NewWriter(w)
	for i := range orders {
		o := &orders[i]
		for k := range o.Lines {
			var values [removal.NumFields]string
			values[removal.FieldOrderID] = o.ID
			if k == 0 {
				values[removal.FieldMethod] = o.Method.String()
				for f := removal.FieldName; f <= removal.FieldPhone; f++ {
					values[f] = *o.Address.Part(f)
				}
				values[removal.FieldNotes] = o.Notes
			}
			l := &o.Lines[k]
			values[removal.FieldSKU] = l.SKU
			values[removal.FieldSellable] = strconv.FormatInt(l.Sellable.Requested, 10)
			values[removal.FieldUnsellable] = strconv.FormatInt(l.Unsellable.Requested, 10)
			if err := out.Write(&values); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}
