package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"rensa/pkg/ledger"
	"rensa/pkg/report"
)

// runView is the page of one file that was answered.
type runView struct {
	Run      ledger.Run
	Summary  *report.Summary // nil where it is no longer there
	Sent     []ledger.Outbound
	Problems *problemPage
	Bars     []codeBar
	Reports  []ledger.Output
	// Why no fee could be estimated; "".
	Why      string
	Original bool
	Back     string
}

// codeBar is one code with how often it was found, and a bar to compare it by.
type codeBar struct {
	facet
	Meaning string
	Path    string
	Here    bool
	Bar     template.HTML
}

func (s *Server) runPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	run, err := s.Ledger.Run(r.Context(), v.merchant.ID, r.PathValue("run"))
	if err != nil {
		return err
	}
	d := &runView{Run: run, Reports: run.Outputs}
	if d.Problems, err = s.problems(r, v, &run); err != nil {
		return err
	}
	d.Bars = s.bars(v, d.Problems)
	if r.URL.Query().Get("part") == "problems" {
		return s.renderPart(w, r, v, "run.html", "problems", d)
	}
	if d.Summary, err = s.summaryOf(v, &run); err != nil {
		return err
	}
	if d.Summary != nil {
		d.Why = d.Summary.Fees.WhyNoFigure(v.texts)
	}
	if d.Sent, err = s.Ledger.Sent(r.Context(), run.Merchant, run.ID); err != nil {
		return err
	}
	if run.Archive != "" {
		if d.Original, err = s.Dir.Exists(run.Archive); err != nil {
			return err
		}
	}
	return s.render(w, r, v, "run.html", d)
}

// summaryOf reads a run's summary.json; nil where it is gone or was not wanted.
func (s *Server) summaryOf(v *visit, run *ledger.Run) (*report.Summary, error) {
	f, err := s.openReport(v.merchant, run, report.FileName(report.Summaries))
	if errors.Is(err, ErrGone) || errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var sum report.Summary
	if err := json.NewDecoder(f).Decode(&sum); err != nil {
		return nil, fmt.Errorf("summary of run %s: %w", run.ID, err)
	}
	return &sum, nil
}

// bars are the codes of a run's problems with their frequency drawn.
func (s *Server) bars(v *visit, p *problemPage) []codeBar {
	if p.Facets == nil {
		return nil
	}
	most := 1
	for _, f := range p.Facets.Codes {
		most = max(most, f.Count)
	}
	var all []codeBar
	for _, f := range p.Facets.Codes {
		b := codeBar{facet: f, Meaning: meaning(v.texts, f.Name), Here: p.Filter.Code == f.Name}
		if !b.Here { // chosen again it is taken back
			b.Path = p.Path + "?" + problemFilter{Code: f.Name}.query().Encode() + "#problems"
		} else {
			b.Path = p.Path + "#problems"
		}
		b.Bar = bar(f.Count, most, tone(f.Severity), v.texts.T("web.run.bar", "code", f.Name, "count", f.Count))
		all = append(all, b)
	}
	return all
}

// bar draws one quantity beside the greatest. The figure stands beside it as text.
func bar(n, most int, tone, title string) template.HTML {
	const width, height = 240, 10
	long := max(3, float64(width)*float64(n)/float64(max(1, most)))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart bars" viewBox="0 0 %d %d" preserveAspectRatio="none" role="img"><title>%s</title>`, width, height, html.EscapeString(title))
	fmt.Fprintf(&b, `<rect class="track" width="%d" height="%d" rx="3"/><rect class="%s" width="%.1f" height="%d" rx="3"/></svg>`, width, height, tone, long, height)
	return template.HTML(b.String())
}

// tone is the class of a severity.
func tone(severity string) string {
	switch severity {
	case "error":
		return "bad"
	case "warning":
		return "warn"
	}
	return "info"
}

// Has tells whether the run has a report of a name.
func (d *runView) Has(name string) bool {
	return slices.ContainsFunc(d.Reports, func(o ledger.Output) bool { return o.Name == name })
}
