package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/templates"
)

// problemsAtOnce is how many problems one page shows.
const problemsAtOnce = 50

// problemFilter says which problems of a run to show; "" does not matter.
type problemFilter struct{ Code, Severity, Column string }

func filterOf(q url.Values) problemFilter {
	return problemFilter{Code: q.Get("code"), Severity: q.Get("severity"), Column: q.Get("column")}
}

func (f problemFilter) lets(l *report.ErrorLine) bool {
	return (f.Code == "" || f.Code == l.Code) && (f.Severity == "" || f.Severity == l.Severity) && (f.Column == "" || f.Column == l.Column)
}

// query is the filter as a page's address has it.
func (f problemFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"code": f.Code, "severity": f.Severity, "column": f.Column} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// Any tells whether the filter leaves anything out.
func (f problemFilter) Any() bool { return f != problemFilter{} }

// shownProblem is a problem with what stands around it.
type shownProblem struct {
	report.ErrorLine
	// Around are the values of its row; nil where they are not kept.
	Around []aroundValue
	// Instead is the one SKU that the row's is probably meant to be; "" where
	// there is none, or several.
	Instead string
}

type aroundValue struct {
	Name, Value string
	Here        bool // the problem is of this value
}

// problemPage is a part of a run's problems.
type problemPage struct {
	Filter   problemFilter
	Problems []shownProblem
	Fixable  int // of those shown
	Next     string
	First    string
	Facets   *facets
	Path     string // of the run
	// Gone: the list of problems is no longer kept.
	Gone bool
}

// problems reads a page of a run's problems from its errors.csv, in the user's
// language and with the values of their rows.
func (s *Server) problems(r *http.Request, v *visit, run *ledger.Run) (*problemPage, error) {
	q := r.URL.Query()
	p := &problemPage{Filter: filterOf(q), Path: merchantPath(run.Merchant, "runs", run.ID)}
	f, err := s.openReport(v.merchant, run, report.FileName(report.Errors))
	if errors.Is(err, ErrGone) || errors.Is(err, errNotFound) {
		p.Gone = true
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if p.Facets, err = s.facetsOf(f, run); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from, err := strconv.ParseInt(cmp.Or(q.Get("from"), "0"), 36, 64)
	if err != nil || from < 0 || from > info.Size() {
		return nil, ledger.ErrCursor
	}
	if from > 0 {
		p.First = p.Path + "?" + p.Filter.query().Encode() + "#problems"
	}
	end := from
	for line, err := range report.ReadErrors(f, from) {
		if errors.Is(err, report.ErrErrorsFile) && from > 0 {
			return nil, ledger.ErrCursor
		}
		if err != nil {
			return nil, err
		}
		if !p.Filter.lets(&line) {
			continue
		}
		if len(p.Problems) == problemsAtOnce {
			next := p.Filter.query()
			next.Set("from", strconv.FormatInt(end, 36))
			p.Next = p.Path + "?" + next.Encode() + "#problems"
			break
		}
		p.Problems, end = append(p.Problems, shownProblem{ErrorLine: line}), line.End
	}
	if err := s.explain(r.Context(), v, run, p.Problems); err != nil {
		return nil, err
	}
	for i := range p.Problems {
		if p.Problems[i].Instead != "" {
			p.Fixable++
		}
	}
	return p, nil
}

// explain gives problems the texts of the user's language and their rows' values.
func (s *Server) explain(ctx context.Context, v *visit, run *ledger.Run, all []shownProblem) error {
	known, err := run.FileProblems()
	if err != nil {
		return err
	}
	var outcomes map[int]ledger.RowOutcome
	var orders []removal.OrderOutcome
	if run.Kind.HasOutcomes() {
		var rows []int
		for i := range all {
			if all[i].Row > 0 {
				rows = append(rows, all[i].Row)
			}
		}
		if outcomes, err = s.Ledger.OutcomesOf(ctx, run.Merchant, run.ID, rows); err != nil {
			return err
		}
		if run.Language != v.texts.Lang() { // their texts are in errors.csv otherwise
			if orders, err = s.Ledger.OrderOutcomes(ctx, run.Merchant, run.ID); err != nil {
				return err
			}
		}
	}
	values, err := s.rejectedValues(v, run, outcomes)
	if err != nil {
		return err
	}
	m := &matcher{used: map[*removal.Problem]bool{}}
	for i := range all {
		p := &all[i]
		o, ok := outcomes[p.Row]
		var found *removal.Problem
		if ok {
			if found = m.find(o.Problems, &p.ErrorLine); found == nil && orders != nil && int(o.Order) < len(orders) {
				found = m.find(orders[o.Order].Problems, &p.ErrorLine)
			}
			p.Around = around(v.texts.Lang(), &p.ErrorLine, &o.Outcome, values[p.Row], found)
		} else {
			found = m.find(known, &p.ErrorLine)
		}
		if found == nil {
			continue
		}
		if ok && o.Status == removal.Rejected && values[p.Row] != nil {
			p.Instead = instead(found)
		}
		if run.Language != v.texts.Lang() {
			full := *found
			full.Value, full.Column, full.OrderID, full.SKU = p.Value, p.Column, p.OrderID, p.SKU
			p.Message, p.Hint = report.Say(v.texts, s.Policy, &full)
		}
	}
	return nil
}

// matcher finds the decided problem that a line of errors.csv tells of. Those of
// one row and code stand in the same order in both.
type matcher struct{ used map[*removal.Problem]bool }

func (m *matcher) find(among []removal.Problem, l *report.ErrorLine) *removal.Problem {
	for i := range among {
		p := &among[i]
		if p.Code.String() != l.Code || m.used[p] || p.Row != 0 && l.Row != 0 && p.Row != l.Row {
			continue
		}
		m.used[p] = true
		return p
	}
	return nil
}

// instead is the one SKU that a row's is probably meant to be.
func instead(p *removal.Problem) string {
	switch p.Code {
	case removal.SKUUnknown, removal.SKUIsFNSKU, removal.SKUIsASIN:
		if c := p.Args.Get("candidates"); c != "" && !strings.Contains(c, "\n") {
			return c
		}
	}
	return ""
}

// rejectedValues reads the values of rejected rows from rejected.tsv, by row.
func (s *Server) rejectedValues(v *visit, run *ledger.Run, outcomes map[int]ledger.RowOutcome) (map[int]*[removal.NumFields]string, error) {
	places := map[int64]int{}
	var last int64 = -1
	for row, o := range outcomes {
		if o.Status == removal.Rejected {
			places[o.RejectedBefore] = row
			last = max(last, o.RejectedBefore)
		}
	}
	if last < 0 {
		return nil, nil
	}
	f, err := s.openReport(v.merchant, run, report.FileName(report.Rejected))
	if errors.Is(err, ErrGone) || errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	values := map[int]*[removal.NumFields]string{}
	wanted := func(place int64) bool { _, ok := places[place]; return ok }
	for row, err := range report.ReadRejected(f, wanted) {
		if err != nil {
			return nil, err
		}
		values[places[row.Place]] = &row.Values
		if row.Place == last {
			break
		}
	}
	return values, nil
}

// around lists the values of a problem's row that are not blank, the one that it is
// about marked. Of a row that was accepted what was decided is all that is known.
func around(lang string, l *report.ErrorLine, o *removal.Outcome, values *[removal.NumFields]string, p *removal.Problem) []aroundValue {
	var all []aroundValue
	add := func(f removal.Field, value string) {
		here := p != nil && p.Field == f || p == nil && l.Value != "" && l.Value == value
		if value != "" || here {
			all = append(all, aroundValue{report.Heading(f, lang), value, here})
		}
	}
	if values != nil {
		for f, value := range values {
			add(removal.Field(f), value)
		}
		return all
	}
	add(removal.FieldOrderID, l.OrderID)
	add(removal.FieldSKU, l.SKU)
	if o.Sellable != 0 {
		add(removal.FieldSellable, strconv.FormatInt(o.Sellable, 10))
	}
	if o.Unsellable != 0 {
		add(removal.FieldUnsellable, strconv.FormatInt(o.Unsellable, 10))
	}
	return all
}

// facets counts the problems of a run by what they can be filtered by.
type facets struct {
	Total      int
	Codes      []facet
	Severities []facet
	Columns    []facet
}

type facet struct {
	Name     string
	Severity string // of a code
	Count    int
}

// facetCache remembers the counts of runs, which never change.
type facetCache struct {
	mu   sync.Mutex
	runs map[string]*facets
}

// maxFacets is how many runs' counts are remembered.
const maxFacets = 200

func (s *Server) facetsOf(f io.ReadSeeker, run *ledger.Run) (*facets, error) {
	key := run.Merchant + "/" + run.ID
	s.facets.mu.Lock()
	known := s.facets.runs[key]
	s.facets.mu.Unlock()
	if known != nil {
		return known, nil
	}
	codes, severities, columns := map[string]*facet{}, map[string]*facet{}, map[string]*facet{}
	count := func(of map[string]*facet, name, severity string) {
		if name == "" {
			return
		}
		if of[name] == nil {
			of[name] = &facet{Name: name, Severity: severity}
		}
		of[name].Count++
	}
	all := &facets{}
	for line, err := range report.ReadErrors(f, 0) {
		if err != nil {
			return nil, err
		}
		all.Total++
		count(codes, line.Code, line.Severity)
		count(severities, line.Severity, line.Severity)
		count(columns, line.Column, "")
	}
	all.Codes, all.Severities, all.Columns = sorted(codes), sorted(severities), sorted(columns)
	s.facets.mu.Lock()
	defer s.facets.mu.Unlock()
	if len(s.facets.runs) >= maxFacets {
		clear(s.facets.runs)
	}
	s.facets.runs[key] = all
	return all, nil
}

// sorted gives facets, errors first, then the most frequent.
func sorted(of map[string]*facet) []facet {
	all := make([]facet, 0, len(of))
	for _, f := range slices.Collect(maps.Values(of)) {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b facet) int {
		return cmp.Or(strings.Compare(a.Severity, b.Severity), b.Count-a.Count, strings.Compare(a.Name, b.Name))
	})
	return all
}

// meaning is what a code means in a few words.
func meaning(t *templates.Texts, code string) string { return t.T("report.code." + code) }
