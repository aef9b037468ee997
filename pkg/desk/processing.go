package desk

import (
	"context"
	"path"
	"strings"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// ApplyProcessingReport applies a feed processing report. See PlanProcessingReport.
func (d *Desk) ApplyProcessingReport(ctx context.Context, merchant, run string, report removal.ProcessingReport) ([]removal.Problem, Counts, error) {
	return d.apply(ctx, merchant, run, func(m *removal.Merchant) (*Plan, error) { return d.PlanProcessingReport(ctx, m, run, report) })
}

// PlanProcessingReport decides what a feed processing report does, on the
// merchant's revision, and commits nothing. It belongs to the outgoing file that
// it is named after, else to the only one that has no answer, else it is kept with
// the problem report_unmatched. An order that it refuses becomes refused with the
// marketplace's words: the one named by a row, or all of the file where a refusal
// names none. A refused order's open units count as cancelled.
func (d *Desk) PlanProcessingReport(ctx context.Context, m *removal.Merchant, run string, report removal.ProcessingReport) (*Plan, error) {
	file, err := d.answered(ctx, m.ID, report.FileName)
	if err != nil {
		return nil, err
	}
	var ids []string
	if file != nil {
		ids = file.Orders
	}
	p, err := d.plan(ctx, m, run, "marketplace", ids)
	if err != nil {
		return nil, err
	}
	p.Counts.Rows = int64(len(report.Lines))
	if file == nil {
		p.Counts.Kept = p.Counts.Rows
		p.Problems = []removal.Problem{{Code: removal.ReportUnmatched, Field: removal.FieldNone}}
		p.Change.Events = []ledger.Event{{
			Actor: p.actor, Subject: ledger.SubjectRun, ID: run, What: "report_unmatched", Why: report.FileName, Run: run,
		}}
		return &p.Plan, nil
	}
	p.Change.Answered = []string{file.Name}
	rows := p.sentRows(file)
	errors := 0
	for i := range report.Lines {
		l := &report.Lines[i]
		if !l.IsError() {
			p.Counts.Unchanged++
			continue
		}
		errors++
		named := named(l, rows, file.Orders)
		switch {
		case named == nil && namesSKU(l) && report.Successful != 0:
			p.Counts.Kept++ // it is about something that this file did not hold
			continue
		case named == nil:
			named = file.Orders
		}
		if p.refuseAll(named, strings.TrimSpace(l.Code+" "+l.Message)) {
			p.Counts.Applied++
		} else {
			p.Counts.Unchanged++
		}
	}
	if errors == 0 && report.Successful == 0 && report.Processed > 0 {
		p.refuseAll(file.Orders, report.FileName)
	}
	p.finish()
	return &p.Plan, nil
}

// answered finds the outgoing file that a report answers, nil for none.
func (d *Desk) answered(ctx context.Context, merchant, name string) (*ledger.Outbound, error) {
	all, err := d.opt.Ledger.OrderFiles(ctx, merchant, false)
	if err != nil {
		return nil, err
	}
	var best *ledger.Outbound
	for i := range all {
		stem := strings.TrimSuffix(all[i].Name, path.Ext(all[i].Name))
		// "…-1" stands in "…-12" too: the longest name is meant.
		if strings.Contains(name, stem) && (best == nil || len(all[i].Name) > len(best.Name)) {
			best = &all[i]
		}
	}
	if best != nil {
		return best, nil
	}
	open, err := d.opt.Ledger.OrderFiles(ctx, merchant, true)
	if err != nil || len(open) != 1 {
		return nil, err
	}
	return &open[0], nil
}

// sentRow is one item row of an outgoing file.
type sentRow struct{ order, sku string }

// sentRows are the item rows of an outgoing file, as it was written.
func (p *planner) sentRows(file *ledger.Outbound) []sentRow {
	var rows []sentRow
	for _, id := range file.Orders {
		r := p.records[id]
		if r == nil {
			continue
		}
		before := map[string]int64{} // cancelled units that never went out
		for _, x := range r.Progress.Lines {
			before[x.SKU] += x.Before
		}
		for i := range r.Lines {
			l := &r.Lines[i]
			if l.Sellable.Requested+l.Unsellable.Requested > before[l.SKU] {
				rows = append(rows, sentRow{id, l.SKU})
			}
		}
	}
	return rows
}

// named finds the orders that a row of a report is about: by its record number if
// the SKU there is the row's, with headings counted or not; by an order id in the
// message; by the SKU. nil: it names none.
func named(l *removal.ProcessingLine, rows []sentRow, orders []string) []string {
	sku := ""
	if namesSKU(l) {
		sku = strings.TrimSpace(l.SKU)
	}
	for _, i := range []int{l.RecordNumber - 1, l.RecordNumber - 2} {
		if i >= 0 && i < len(rows) && (rows[i].sku == sku || sku == "" && i == l.RecordNumber-1) {
			return []string{rows[i].order}
		}
	}
	for _, id := range orders {
		if containsWord(l.Message, id) {
			return []string{id}
		}
	}
	if sku == "" {
		return nil
	}
	var found []string
	for _, r := range rows {
		if r.sku == sku {
			found = append(found, r.order)
		}
	}
	return found
}

// namesSKU tells whether a row of a report is about one SKU.
func namesSKU(l *removal.ProcessingLine) bool {
	sku := strings.TrimSpace(l.SKU)
	return sku != "" && sku != "-"
}

// containsWord tells whether text holds a word that no letter or digit continues.
func containsWord(text, word string) bool {
	for rest := text; word != ""; {
		i := strings.Index(rest, word)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(word):]
		if !joins(before, len(before)-1) && !joins(after, 0) {
			return true
		}
		rest = after
	}
	return false
}

func joins(s string, at int) bool {
	if at < 0 || at >= len(s) {
		return false
	}
	c := s[at]
	return c == '-' || c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// refuseAll refuses orders; false where none was left to be refused.
func (p *planner) refuseAll(ids []string, why string) (any bool) {
	for _, id := range ids {
		r := p.records[id]
		if r == nil {
			continue
		}
		from := r.State
		to, _, ok := removal.Next(from, removal.EventRefuse)
		if !ok {
			continue
		}
		for i := range r.Lines {
			l := &r.Lines[i]
			for _, c := range []removal.Condition{removal.Sellable, removal.Unsellable} {
				u := l.Units(c)
				n := u.InProcess()
				u.Cancelled += n
				p.move(ledger.MovementOpened, p.now, r, l, c, -n, 0)
			}
		}
		r.State, r.CancelRequested, any = to, false, true
		p.touch(r)
		p.tell(r, "refused", string(from), string(to), why)
	}
	return any
}
