package report

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// TestList holds lists put into objects against encoding/json.
func TestList(t *testing.T) {
	t.Parallel()
	type object struct {
		Name string   `json:"name"`
		IDs  []string `json:"ids"`
	}
	text := rapid.StringOf(rapid.SampledFrom([]rune{'a', '"', '\\', ',', '[', ']', '\n', '<', 'å', '\u2028', ' '}))
	rapid.Check(t, func(t *rapid.T) {
		o := object{Name: text.Draw(t, "name"), IDs: rapid.SliceOf(text).Draw(t, "ids")}
		indent := rapid.SampledFrom([]string{"", "  ", "    "}).Draw(t, "indent")
		want, err := json.MarshalIndent(o, indent, "  ")
		if err != nil {
			t.Fatal(err)
		}
		list, err := json.Marshal(o.IDs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := List(list).Object(object{Name: o.Name, IDs: []string{}}, indent)
		if err != nil || string(got) != string(want) {
			t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
		}
	})
}
