package web

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"rensa/pkg/desk"
	"rensa/pkg/report"
)

// deadlinesView is the page of what is held.
type deadlinesView struct {
	*report.Deadlines
	Shown []deadlineRow
	Left  int // rows that the page does not show
	Units int64
	Chart *columnChart
	// Auto says that Rensa disposes of what is held after its deadline.
	Auto bool
}

// deadlineRow is one hold with how near its end is.
type deadlineRow struct {
	report.Deadline
	Tone string
	// Part is how much of a month is left, in hundredths.
	Part int
}

// deadlinesShown is how many holds a page shows, the earliest deadlines first.
const deadlinesShown = 500

func (s *Server) deadlinesPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := s.Deadlines(r.Context(), v.merchant.ID, s.Now())
	if errors.Is(err, desk.ErrNoSnapshot) {
		return s.render(w, r, v, "deadlines.html", map[string]any{})
	}
	if err != nil {
		return err
	}
	view := &deadlinesView{Deadlines: list, Chart: deadlineChart(v, list), Auto: v.merchant.Profile.AutoDispose}
	for i := range list.Rows {
		row := &list.Rows[i]
		if view.Units += row.Units; i >= deadlinesShown {
			view.Left++
			continue
		}
		view.Shown = append(view.Shown, deadlineRow{*row, deadlineTone(row.DaysLeft), min(max(row.DaysLeft, 0), 30) * 100 / 30})
	}
	return s.render(w, r, v, "deadlines.html", map[string]any{"List": view})
}

func deadlineTone(days int) string {
	switch {
	case days <= 3:
		return "bad"
	case days <= 7:
		return "warn"
	}
	return "good"
}

// deadlineSpans are the columns of the chart: up to how many days, and the text's key.
var deadlineSpans = []struct {
	upTo int
	key  string
}{{-1, "past"}, {3, "3"}, {7, "7"}, {14, "14"}, {1 << 30, "more"}}

func deadlineChart(v *visit, list *report.Deadlines) *columnChart {
	t := v.texts
	c := &columnChart{
		ID: "days", Title: t.T("web.deadlines.chart"), Desc: t.T("web.deadlines.chart_about"),
		Parts: []string{t.T("web.deadlines.units")}, Number: func(n int64) string { return t.T("web.number", "n", n) },
	}
	for _, span := range deadlineSpans {
		c.Columns = append(c.Columns, chartColumn{Label: t.T("web.deadlines.in." + span.key), Parts: []int64{0}, Tone: deadlineTone(span.upTo)})
	}
	for i := range list.Rows {
		for k, span := range deadlineSpans {
			if list.Rows[i].DaysLeft <= span.upTo {
				c.Columns[k].Parts[0] += list.Rows[i].Units
				break
			}
		}
	}
	return c
}

func (s *Server) deadlinesFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	name := r.PathValue("name")
	if name != "deadlines.csv" && name != "deadlines.xlsx" {
		return errNotFound
	}
	list, err := s.Deadlines(r.Context(), v.merchant.ID, s.Now())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	write := list.CSV
	if name == "deadlines.xlsx" {
		write = list.XLSX
	}
	if err := write(&b); err != nil {
		return err
	}
	return s.sendBytes(w, r, name, bytes.NewReader(b.Bytes()))
}

// startRequired makes drafts of what is held, or of the holds that were chosen.
func (s *Server) startRequired(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := s.Deadlines(r.Context(), v.merchant.ID, s.Now())
	if err != nil {
		return err
	}
	chosen := map[string]bool{}
	for _, id := range r.PostForm["hold"] {
		chosen[id] = true
	}
	all := r.PostForm.Get("all") != ""
	var items []desk.Item
	place := map[string]int{}
	for i := range list.Rows {
		row := &list.Rows[i]
		if row.Units == 0 || !all && !chosen[strconv.FormatInt(row.Hold, 10)] {
			continue
		}
		k, ok := place[row.SKU]
		if !ok {
			k = len(items)
			place[row.SKU] = k
			items = append(items, desk.Item{SKU: row.SKU})
		}
		if row.Condition == "sellable" {
			items[k].Sellable += row.Units
		} else {
			items[k].Unsellable += row.Units
		}
	}
	store, err := s.storeOf(v)
	if err != nil {
		return err
	}
	stock, err := s.Snapshot(r.Context(), v.merchant.ID)
	if err != nil {
		return err
	}
	if stock == nil {
		return desk.ErrNoSnapshot
	}
	return s.startDrafts(w, r, v, desk.Batches(v.merchant, store, stock, items), "deadlines")
}
