package process

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"rensa/pkg/decode"
	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/status"
)

// told is a file about orders that was read: what the desk is to decide about it,
// and where the problems that it finds stand.
type told struct {
	rows, bad int
	problems  []removal.Problem
	plan      func(m *removal.Merchant) (*desk.Plan, error)
	locate    func(p *removal.Problem)
}

// status takes a file that tells what became of orders, or asks to cancel some.
// What it changes is decided by the desk and committed with the run.
func (p *Processor) status(ctx context.Context, j *job, f *decode.File, what *found) (*Result, error) {
	t, err := p.readStatus(ctx, j, what)
	if err != nil {
		return nil, err
	}
	if seen, err := p.answeredBefore(ctx, j, what.sign.Kind); seen != nil || err != nil {
		return seen, err
	}
	for range maxAttempts {
		result, err := p.tryStatus(ctx, j, f, what, t)
		if errors.Is(err, ledger.ErrConflict) {
			continue
		}
		if errors.Is(err, ledger.ErrSeen) {
			return p.seenBefore(ctx, j)
		}
		return result, err
	}
	return nil, fmt.Errorf("decided %d times: %w", maxAttempts, ledger.ErrConflict)
}

// readStatus reads the rows by the kind of the file.
func (p *Processor) readStatus(ctx context.Context, j *job, what *found) (*told, error) {
	zone, err := p.storeZone(j)
	if err != nil {
		return nil, err
	}
	dates := status.Dates{Zone: zone, Latest: j.latest()}
	d, heading, headings := p.Desk(), what.row.Number, what.row.Cells
	switch what.sign.Kind {
	case removal.KindOrderDetail:
		read, err := status.OrderDetail(what.sheet, heading, headings, dates)
		return toldOf(read, err, func(m *removal.Merchant) (*desk.Plan, error) {
			return d.PlanOrderDetail(ctx, m, j.runID, read.Lines)
		})
	case removal.KindShipmentDetail:
		read, err := status.ShipmentDetail(what.sheet, heading, headings, dates)
		return toldOf(read, err, func(m *removal.Merchant) (*desk.Plan, error) {
			return d.PlanShipmentDetail(ctx, m, j.runID, read.Lines)
		})
	case removal.KindCancelList:
		read, err := status.CancelList(what.sheet, heading, headings)
		return toldOf(read, err, func(m *removal.Merchant) (*desk.Plan, error) {
			return d.PlanCancels(ctx, m, j.runID, j.Actor, j.Name, read.Lines)
		})
	}
	answer, err := status.ProcessingReport(what.sheet, what.head, heading, headings)
	if err != nil {
		return nil, err
	}
	answer.FileName = j.Name
	if answer.Table != nil {
		// Our own answer to an upload has the same form, but is no word of the marketplace's
		// about what was handed on. One that is good throughout cannot be told from theirs.
		run, err := p.Ledger.MadeBy(ctx, j.Merchant, j.sha256)
		if err != nil {
			return nil, err
		}
		if run != "" {
			return nil, removal.NewFileError(removal.FileKindUnknown, "own", run)
		}
	}
	plan := func(m *removal.Merchant) (*desk.Plan, error) {
		return d.PlanProcessingReport(ctx, m, j.runID, answer.ProcessingReport)
	}
	if answer.Table == nil {
		return &told{plan: plan, locate: func(*removal.Problem) {}}, nil
	}
	return toldOf(answer.Table, nil, plan)
}

func toldOf[L any](read *status.Read[L], err error, plan func(m *removal.Merchant) (*desk.Plan, error)) (*told, error) {
	if err != nil {
		return nil, err
	}
	return &told{rows: read.Rows, bad: read.Bad, problems: read.Problems, plan: plan, locate: read.Locate}, nil
}

// storeZone is where a date without an offset is.
func (p *Processor) storeZone(j *job) (*time.Location, error) {
	store, err := p.Policy.Store(j.merchant.Profile.HomeStore, j.today(), j.merchant.Profile.Policy)
	if err != nil {
		return nil, err
	}
	return time.LoadLocation(store.TimeZone)
}

func (p *Processor) tryStatus(ctx context.Context, j *job, f *decode.File, what *found, t *told) (_ *Result, err error) {
	if j.merchant, err = p.Ledger.Merchant(ctx, j.Merchant); err != nil {
		return nil, err
	}
	plan, err := t.plan(&j.merchant)
	if err != nil {
		return nil, err
	}
	n := plan.Counts
	j.changes = &report.Changes{Applied: n.Applied, Unchanged: n.Unchanged, Kept: n.Kept, Orders: n.Orders, External: n.External}
	problems := slices.Clone(t.problems)
	refused := map[int]bool{}
	for _, problem := range plan.Problems {
		if problem.Row > 0 {
			t.locate(&problem)
			if problem.Code.IsError() {
				refused[problem.Row] = true
			}
		}
		problems = append(problems, problem)
	}
	slices.SortStableFunc(problems, func(a, b removal.Problem) int { return cmp.Compare(a.Row, b.Row) })
	run := p.run(j, f, what)
	run.Heading = what.row.Number
	run.Read, run.Rejected = int64(t.rows), int64(t.bad+len(refused))
	run.Accepted = run.Read - run.Rejected
	return p.answerOther(ctx, j, &run, problems, &ledger.Commit{Change: &plan.Change})
}

// answeredBefore gives the first run's answer to a processing report that was
// applied before. Two outgoing files may get the same answer, byte for byte: under
// the name of another of them the bytes are news.
func (p *Processor) answeredBefore(ctx context.Context, j *job, kind removal.Kind) (*Result, error) {
	if kind != removal.KindProcessingReport || j.Check {
		return nil, nil
	}
	runs, _, err := p.Ledger.Runs(ctx, ledger.RunFilter{Merchant: j.Merchant, Kind: kind, SHA256: j.sha256})
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	named, err := p.namesOutgoing(ctx, j)
	if err != nil {
		return nil, err
	}
	for i := len(runs) - 1; i >= 0; i-- { // the first of them comes last
		matched, err := wasMatched(&runs[i])
		if err != nil {
			return nil, err
		}
		if matched && (!named || runs[i].FileName == j.Name) {
			return p.seenAs(j, &runs[i])
		}
	}
	return nil, nil
}

// namesOutgoing tells whether a file is named after one that was handed on.
func (p *Processor) namesOutgoing(ctx context.Context, j *job) (bool, error) {
	files, err := p.Ledger.OrderFiles(ctx, j.Merchant, false)
	return slices.ContainsFunc(files, func(o ledger.Outbound) bool {
		return strings.Contains(j.Name, strings.TrimSuffix(o.Name, path.Ext(o.Name)))
	}), err
}

// wasMatched tells whether a processing report found its outgoing file.
func wasMatched(run *ledger.Run) (bool, error) {
	d, err := detailOf(run)
	if err != nil {
		return false, err
	}
	var problems []removal.Problem
	if err := json.Unmarshal(d.Problems, &problems); err != nil {
		return false, err
	}
	return !slices.ContainsFunc(problems, func(p removal.Problem) bool { return p.Code == removal.ReportUnmatched }), nil
}
