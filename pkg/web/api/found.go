package api

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/templates"
)

// Found is one problem of a file.
type Found struct {
	Row      int    `json:"row" doc:"as a spreadsheet shows it; 0 for the file itself"`
	Line     int    `json:"line" doc:"physical line of a text file; 0 where there is none"`
	Column   string `json:"column" doc:"heading as the user wrote it"`
	Cell     string `json:"cell" example:"C14"`
	Severity string `json:"severity" enum:"error,warning,info"`
	Code     string `json:"code" example:"sku_unknown"`
	Value    string `json:"value" doc:"of the cell, as typed"`
	Message  string `json:"message"`
	Hint     string `json:"hint"`
	OrderID  string `json:"order_id"`
	SKU      string `json:"sku"`
}

type foundInput struct {
	RunParam
	PageParams
	Code     []string `query:"code" maxItems:"50" doc:"only these codes"`
	Severity string   `query:"severity" enum:"error,warning,info"`
	Column   string   `query:"column" doc:"only in the column of this heading"`
	Order    string   `query:"order" doc:"only of the order of this id"`
	SKU      string   `query:"sku" doc:"only of rows with this SKU"`
	Row      int      `query:"row" minimum:"0" doc:"only of this row"`
}

type foundOutput struct {
	Body struct {
		Problems []Found `json:"problems" nullable:"false"`
		Next     string  `json:"next" doc:"the cursor of the next page; empty at the end"`
	}
}

// wants tells whether the filter lets a problem through.
func (in *foundInput) wants(p *Found) bool {
	return (len(in.Code) == 0 || slices.Contains(in.Code, p.Code)) && (in.Severity == "" || in.Severity == p.Severity) &&
		(in.Column == "" || strings.EqualFold(in.Column, p.Column)) && (in.Order == "" || in.Order == p.OrderID) &&
		(in.SKU == "" || in.SKU == p.SKU) && (in.Row == 0 || in.Row == p.Row)
}

// listProblems reads them from the run's errors.csv, which has place and value; the
// ledger has neither, and serves where the file was not written or is not kept.
func (a *API) listProblems(ctx context.Context, c *call, in *foundInput) (*foundOutput, error) {
	run, err := a.Ledger.Run(ctx, c.merchant.ID, in.Run)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	if in.Cursor != "" {
		if from, err = strconv.ParseInt(in.Cursor, 36, 64); err != nil || from <= 0 {
			return nil, ledger.ErrCursor
		}
	}
	p := &page{foundInput: in}
	p.out.Body.Problems = []Found{}
	f, err := a.openReport(&run, report.FileName(report.Errors))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoReport) {
		return &p.out, a.decidedProblems(ctx, &run, from, p)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for l, err := range report.ReadErrors(f, from) {
		if errors.Is(err, report.ErrErrorsFile) && from > 0 {
			return nil, ledger.ErrCursor
		}
		if err != nil {
			return nil, err
		}
		more := p.add(Found{l.Row, l.Line, l.Column, l.Cell, l.Severity, l.Code, l.Value, l.Message, l.Hint, l.OrderID, l.SKU}, l.End)
		if !more {
			break
		}
	}
	return &p.out, ctx.Err()
}

// page gathers problems until it is full.
type page struct {
	*foundInput
	out  foundOutput
	last int64 // where to go on after the last one that was taken
}

func (p *page) add(f Found, next int64) (more bool) {
	if !p.wants(&f) {
		return true
	}
	if len(p.out.Body.Problems) == p.Limit {
		p.out.Body.Next = strconv.FormatInt(p.last, 36)
		return false
	}
	p.out.Body.Problems, p.last = append(p.out.Body.Problems, f), next
	return true
}

// decidedProblems gives what was decided about orders and rows, without the place
// in the row and the value, from the n-th on.
func (a *API) decidedProblems(ctx context.Context, run *ledger.Run, from int64, p *page) error {
	texts := templates.Load(run.Language)
	orders, err := a.Ledger.OrderOutcomes(ctx, run.Merchant, run.ID)
	if err != nil {
		return err
	}
	n := int64(0)
	take := func(problem removal.Problem, row, line int, order *removal.OrderOutcome) bool {
		if n++; n <= from || problem.Code.Severity() == removal.SeverityInfo {
			return true
		}
		message, hint := report.Say(texts, a.Policy, &problem)
		id := order.Given
		if id == "" {
			id = order.ID
		}
		return p.add(Found{
			Row: row, Line: line, Column: problem.Field.String(), Severity: problem.Code.Severity().String(), Code: problem.Code.String(),
			Message: message, Hint: hint, OrderID: id, SKU: problem.SKU,
		}, n)
	}
	for rows, err := range a.Ledger.Outcomes(ctx, run.Merchant, run.ID) {
		if err != nil {
			return err
		}
		for i := range rows {
			o := &rows[i]
			order := &orders[o.Order]
			var all []removal.Problem
			if o.Row == order.Row {
				all = append(all, order.Problems...)
			}
			for _, problem := range append(all, o.Problems...) {
				if !take(problem, o.Row, o.Line, order) {
					return nil
				}
			}
		}
	}
	return nil
}

// Explanation says why a row was accepted or refused.
type Explanation struct {
	Run           string     `json:"run_id"`
	Row           int        `json:"row"`
	Line          int        `json:"line"`
	Status        string     `json:"status" enum:"accepted,rejected,seen"`
	OrderID       string     `json:"order_id"`
	Method        string     `json:"method" enum:",Return,Disposal"`
	Asked         Conditions `json:"asked"`
	Accepted      Conditions `json:"accepted"`
	Fee           *string    `json:"fee" doc:"a decimal; null where there is no figure"`
	Snapshot      string     `json:"snapshot_id"`
	PolicyVersion string     `json:"policy_version"`
	Findings      []Finding  `json:"findings" nullable:"false" doc:"what was found wrong with its order and with itself"`
}

// Finding is one thing that was found about a row or an order.
type Finding struct {
	Scope    string            `json:"scope" enum:"row,order,file"`
	Severity string            `json:"severity" enum:"error,warning,info"`
	Code     string            `json:"code"`
	Field    string            `json:"field"`
	Message  string            `json:"message"`
	Hint     string            `json:"hint"`
	Facts    map[string]string `json:"facts" doc:"from which it was decided"`
}

type rowInput struct {
	RunParam
	Row int `path:"row" minimum:"1" doc:"as a spreadsheet shows it"`
}

type rowOutput struct{ Body Explanation }

func (a *API) explainRow(ctx context.Context, c *call, in *rowInput) (*rowOutput, error) {
	run, err := a.Ledger.Run(ctx, c.merchant.ID, in.Run)
	if err != nil {
		return nil, err
	}
	o, err := a.Ledger.OutcomeOf(ctx, c.merchant.ID, run.ID, in.Row)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, refuse(http.StatusNotFound, "row_unknown", "row", in.Row, "run", run.ID)
	}
	if err != nil {
		return nil, err
	}
	orders, err := a.Ledger.OrderOutcomes(ctx, c.merchant.ID, run.ID)
	if err != nil {
		return nil, err
	}
	order := &orders[o.Order]
	e := Explanation{
		Run: run.ID, Row: o.Row, Line: o.Line, Status: o.Status.String(), OrderID: order.ID, Method: order.Method.String(),
		Asked: Conditions{o.Sellable, o.Unsellable}, Accepted: Conditions{o.TakenSellable, o.TakenUnsellable},
		Snapshot: run.SnapshotID, PolicyVersion: run.PolicyVersion, Findings: []Finding{},
	}
	switch {
	case o.Status == removal.Accepted && order.Parts != nil:
		e.OrderID = order.Parts[o.Part]
	case o.Status != removal.Accepted && order.Given != "":
		e.OrderID = order.Given
	}
	if o.HasFee {
		e.Fee = amount(o.Fee)
	}
	for _, problems := range [][]removal.Problem{order.Problems, o.Problems} {
		for i := range problems {
			e.Findings = append(e.Findings, a.finding(c.texts, &problems[i]))
		}
	}
	return &rowOutput{Body: e}, nil
}

func (a *API) finding(texts *templates.Texts, p *removal.Problem) Finding {
	f := Finding{
		Scope: p.Code.Scope().String(), Severity: p.Code.Severity().String(), Code: p.Code.String(), Field: p.Field.String(), Facts: map[string]string{},
	}
	f.Message, f.Hint = report.Say(texts, a.Policy, p)
	for _, fact := range p.Args {
		f.Facts[fact.Name] = fact.Value
	}
	return f
}

func amount(a removal.Amount) *string {
	s := a.String()
	return &s
}
