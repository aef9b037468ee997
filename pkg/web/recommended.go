package web

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"rensa/pkg/desk"
	"rensa/pkg/report"
)

// recommendedShown is how many rows of the list a page shows.
const recommendedShown = 200

// recommendedView is the page of what should be removed.
type recommendedView struct {
	*report.Recommended
	Shown        []report.RecommendedRow
	Totals       report.RecommendedTotals
	Chart        *columnChart
	From, To     int
	Before, Next string
}

func (s *Server) recommendedPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	made, err := s.recommendation(r.Context(), v)
	if errors.Is(err, desk.ErrNoSnapshot) {
		return s.render(w, r, v, "recommended.html", map[string]any{})
	}
	if err != nil {
		return err
	}
	view := &recommendedView{Recommended: made, Totals: made.Totals(), Chart: s.ageChart(v, "ages", &made.Ageing)}
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil || from < 0 || from > len(made.Rows) {
		from = 0
	}
	to := min(from+recommendedShown, len(made.Rows))
	view.Shown, view.From, view.To = made.Rows[from:to], from+1, to
	if from > 0 {
		view.Before = "recommended?" + url.Values{"from": {strconv.Itoa(max(0, from-recommendedShown))}}.Encode()
	}
	if to < len(made.Rows) {
		view.Next = "recommended?" + url.Values{"from": {strconv.Itoa(to)}}.Encode()
	}
	return s.render(w, r, v, "recommended.html", map[string]any{"List": view})
}

// ageChart draws a stock by age, and of each age what will be charged.
func (s *Server) ageChart(v *visit, id string, a *report.Ageing) *columnChart {
	t := v.texts
	c := &columnChart{
		ID: id, Title: t.T("web.age.title"), Desc: t.T("web.age.about"),
		Parts:  []string{t.T("web.age.kept"), t.T("web.age.charged")},
		Number: func(n int64) string { return t.T("web.number", "n", n) },
	}
	for i := range a.Units {
		col := chartColumn{Label: t.T("report.recommended.band_" + strconv.Itoa(i)), Parts: []int64{a.Units[i] - a.Charged[i], a.Charged[i]}}
		c.Columns = append(c.Columns, col)
	}
	return c
}

// recommendedFile gives the list as the marketplace does, or as a workbook.
func (s *Server) recommendedFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	name := r.PathValue("name")
	if name != "recommended.tsv" && name != "recommended.xlsx" {
		return errNotFound
	}
	made, err := s.recommendation(r.Context(), v)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	write := made.TSV
	if name == "recommended.xlsx" {
		write = made.XLSX
	}
	if err := write(&b); err != nil {
		return err
	}
	return s.sendBytes(w, r, name, bytes.NewReader(b.Bytes()))
}

// startRecommended makes drafts of the rows that were chosen, or of the whole list.
// What is recommended now counts, and of each row no more than was shown.
func (s *Server) startRecommended(w http.ResponseWriter, r *http.Request, v *visit) error {
	made, only, err := s.Recommend(r.Context(), v.merchant.ID, s.Now())
	if err != nil {
		return err
	}
	most := map[string]int64{}
	if r.PostForm.Get("all") != "" {
		for i := range made.Rows {
			most[made.Rows[i].SKU] = made.Rows[i].Remove
		}
	}
	units := map[string]int64{}
	for i := range made.Rows {
		units[made.Rows[i].SKU] = made.Rows[i].Remove
	}
	for _, sku := range r.PostForm["sku"] {
		most[sku] = units[sku]
	}
	return s.startDrafts(w, r, v, only(most), "recommended")
}
