package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The summary is written as if it were encoded at once.
func TestSummaryWrite(t *testing.T) {
	t.Parallel()
	for n := range 4 {
		s := &Summary{FileName: "a\n  \"outbound\": [.csv", Changes: &Changes{Applied: 1}, Outbound: []OutboundSummary{}}
		for i := range n {
			o := OutboundSummary{File: fmt.Sprintf("f-%d.tsv", i), Orders: []string{"<A&B>", "å\u2028"}}
			if i == 1 {
				o.Orders, o.Listed = nil, 2
				o.List = func() ([]byte, error) { return json.Marshal([]string{"X-1", "X-2"}) }
			}
			s.Outbound = append(s.Outbound, o)
		}
		want, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := s.write(&got); err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want)+"\n" {
			t.Errorf("%d files:\n%s\nwant\n%s", n, got.String(), want)
		}
		if n > 1 && !strings.Contains(got.String(), `"X-2"`) {
			t.Errorf("%s: the list is missing", got.String())
		}
	}
}
