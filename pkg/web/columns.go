package web

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// columnChart is quantities drawn as columns side by side, each stacked of the same
// parts. It is an SVG without style of its own: the stylesheet colours its classes,
// so that it is readable in light and dark. The same figures stand in a table
// beside it, which the page makes of the same value.
type columnChart struct {
	ID          string // unique on its page
	Title, Desc string
	Parts       []string // names of the parts, from the bottom up
	Columns     []chartColumn
	Number      func(int64) string // how a quantity is written; required
}

// chartColumn is one column. Tone is a class for the whole column where its place
// and not its parts is what is coloured: "bad", "warn", "good" or "".
type chartColumn struct {
	Label string
	Parts []int64
	Tone  string
}

// Total is the quantity of the whole column.
func (c chartColumn) Total() (sum int64) {
	for _, n := range c.Parts {
		sum += n
	}
	return sum
}

// Empty tells whether there is nothing to draw.
func (c *columnChart) Empty() bool {
	for _, col := range c.Columns {
		if col.Total() > 0 {
			return false
		}
	}
	return true
}

// The measures of a chart, in its own units: narrow enough to stay readable on a
// phone, where it is drawn a little smaller.
const (
	chartWidth  = 440
	chartHeight = 220
	chartLeft   = 44
	chartRight  = 8
	chartTop    = 22
	chartBottom = 30
	chartLines  = 4
)

// SVG draws the chart.
func (c *columnChart) SVG() template.HTML {
	var b strings.Builder
	e := html.EscapeString
	fmt.Fprintf(&b, `<svg class="chart columns-chart" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-title %s-desc">`, chartWidth, chartHeight, e(c.ID), e(c.ID))
	fmt.Fprintf(&b, `<title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`, e(c.ID), e(c.Title), e(c.ID), e(c.Desc))
	fmt.Fprintf(&b, `<defs><pattern id="%s-hatch" class="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6"/><path d="M0 0V6"/></pattern></defs>`, e(c.ID))
	var most int64 = 1
	for _, col := range c.Columns {
		most = max(most, col.Total())
	}
	top := niceAbove(most)
	height := float64(chartHeight - chartTop - chartBottom)
	y := func(n int64) float64 { return float64(chartHeight-chartBottom) - height*float64(n)/float64(top) }
	for k := range int64(chartLines + 1) {
		n := top * k / chartLines
		fmt.Fprintf(&b, `<path class="rule" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`,
			chartLeft, y(n), chartWidth-chartRight, chartLeft-6, y(n)+4, e(c.Number(n)))
	}
	step := float64(chartWidth-chartLeft-chartRight) / float64(max(1, len(c.Columns)))
	wide := min(step*0.62, 64)
	for i, col := range c.Columns {
		middle := float64(chartLeft) + step*(float64(i)+0.5)
		c.column(&b, col, middle-wide/2, wide, y)
		fmt.Fprintf(&b, `<text class="value" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, middle, y(col.Total())-6, e(c.Number(col.Total())))
		fmt.Fprintf(&b, `<text class="label" x="%.1f" y="%d" text-anchor="middle">%s</text>`, middle, chartHeight-10, e(col.Label))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// column draws the parts of one column, from the bottom up.
func (c *columnChart) column(b *strings.Builder, col chartColumn, x, wide float64, y func(int64) float64) {
	var below int64
	for k, n := range col.Parts {
		if n <= 0 {
			continue
		}
		class, fill := "part accent", ""
		switch {
		case k > 0: // told apart without colours too
			class, fill = "part", fmt.Sprintf(` fill="url(#%s-hatch)"`, html.EscapeString(c.ID))
		case col.Tone != "":
			class = "part " + html.EscapeString(col.Tone)
		}
		from, to := y(below), y(below+n)
		fmt.Fprintf(b, `<rect class="%s"%s x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`, class, fill, x, to, wide, max(1, from-to))
		below += n
	}
}

// niceAbove is a round number that is at least n, four times a whole one.
func niceAbove(n int64) int64 {
	for unit := int64(1); ; unit *= 10 {
		for _, k := range []int64{4, 8, 12, 20, 40} {
			if k*unit >= n {
				return k * unit
			}
		}
	}
}
