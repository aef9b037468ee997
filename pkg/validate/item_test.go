package validate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

// A formula that came to an error has no result that could have been used.
func TestFormulaNotes(t *testing.T) {
	t.Parallel()
	row := removal.Row{Notes: []removal.CellNote{
		{Field: removal.FieldSKU, Col: 1, What: removal.NoteFormula},
		{Field: removal.FieldSKU, Col: 1, What: removal.NoteError},
		{Field: removal.FieldSellable, Col: 2, What: removal.NoteFormula},
	}}
	var c Checked
	c.notes(&row, 2)
	want := []removal.Problem{
		{Code: removal.CellError, Field: removal.FieldSKU}, {Code: removal.CellFormula, Field: removal.FieldSellable},
	}
	if diff := cmp.Diff(want, c.Problems); diff != "" {
		t.Error(diff)
	}
}
