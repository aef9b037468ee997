package upload_test

import (
	"strings"
	"testing"

	"rensa/pkg/upload"
)

// Each row is "id/method"; the answer beside it is the order's number, with * on
// its first row and < where it comes back.
func TestGrouper(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string]string{
		"Adjacent":           "A/Return=0* A/=0 B/Disposal=1* B/=1",
		"Scattered":          "A/Return=0* B/Return=1* A/=0< A/=0 B/=1<",
		"BlankContinues":     "A/Return=0* /=0 /=0 B/Return=1* /=1",
		"BlankStarts":        "/Return=0* /=0 /Return=1* /=1 A/Return=2*",
		"BlankFirst":         "/=0* /=0",
		"BlankAfterScatter":  "A/Return=0* B/Return=1* A/=0< /=0",
		"IDAfterBlank":       "A/Return=0* /Return=1* A/=0<",
		"RepeatedHeaderRows": "A/Return=0* A/Return=0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := upload.NewGrouper()
			ids := map[string]bool{"": false, "Z": false}
			for _, row := range strings.Fields(rows) {
				cell, want, _ := strings.Cut(row, "=")
				id, method, _ := strings.Cut(cell, "/")
				if id != "" {
					ids[id] = true
				}
				group := g.Add([]byte(id), []byte(method))
				got := string(rune('0' + group.Order))
				if group.First {
					got += "*"
				}
				if group.Back {
					got += "<"
				}
				if got != want {
					t.Errorf("%s: got %s", row, got)
				}
			}
			for id, want := range ids {
				if got := g.Has(id); got != want {
					t.Errorf("has %q: %v", id, got)
				}
			}
		})
	}
}
