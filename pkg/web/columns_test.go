package web

import (
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
)

// TestColumnChart: the drawing is well-formed, names what it shows, escapes what it is
// given, and its columns stand in proportion.
func TestColumnChart(t *testing.T) {
	t.Parallel()
	c := &columnChart{
		ID: "age", Title: `Age <of> "stock"`, Desc: "Units & days", Parts: []string{"sellable", "unsellable"},
		Columns: []chartColumn{{Label: "0–90", Parts: []int64{100, 50}}, {Label: "91–180", Parts: []int64{75, 0}, Tone: "bad"}, {Label: "181+", Parts: []int64{0, 0}}},
		Number:  func(n int64) string { return strconv.FormatInt(n, 10) },
	}
	svg := string(c.SVG())
	heights := map[string]float64{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		el, ok := tok.(xml.StartElement)
		if !ok || el.Name.Local != "rect" {
			continue
		}
		attr := map[string]string{}
		for _, a := range el.Attr {
			attr[a.Name.Local] = a.Value
		}
		if strings.HasPrefix(attr["class"], "part") {
			h, err := strconv.ParseFloat(attr["height"], 64)
			if err != nil {
				t.Fatal(err)
			}
			heights[attr["class"]+" "+attr["x"]] = h
		}
	}
	if len(heights) != 3 {
		t.Fatalf("%d parts are drawn, not 3: %v", len(heights), heights)
	}
	var first, second, bad float64
	for class, h := range heights {
		switch {
		case strings.Contains(class, "part bad"):
			bad = h
		case strings.HasPrefix(class, "part accent"):
			first = h
		default:
			second = h
		}
	}
	if first/second < 1.98 || first/second > 2.02 || bad/second < 1.48 || bad/second > 1.52 {
		t.Errorf("heights %v, %v and %v are not as 100, 50 and 75", first, second, bad)
	}
	if !strings.Contains(svg, "Age &lt;of&gt;") || !strings.Contains(svg, `aria-labelledby="age-title age-desc"`) || strings.Contains(svg, "style=") {
		t.Errorf("%s", svg)
	}
	if c.Empty() || !(&columnChart{Columns: []chartColumn{{Parts: []int64{0}}}}).Empty() {
		t.Error("whether there is something to draw")
	}
}

func TestNiceAbove(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]int64{1: 4, 4: 4, 5: 8, 9: 12, 13: 20, 21: 40, 41: 80, 150: 200, 1000: 1200, 1_999_999: 2_000_000} {
		got := niceAbove(n)
		if got != want || got%chartLines != 0 {
			t.Errorf("%d: %d, want %d", n, got, want)
		}
	}
}
