package process

import (
	"context"
	"encoding/json"
	"errors"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// shown is how many problems a result holds itself.
const shown = 20

// answer writes the reports of a decided upload beside their places, commits the
// decision, and gives everything its place.
func (u *uploadRun) answer(ctx context.Context) (_ *Result, err error) {
	pl, err := u.p.stage(u.j)
	if err != nil {
		return nil, err
	}
	defer func() {
		if !u.j.committed {
			err = errors.Join(err, pl.discard())
		}
	}()
	w, err := u.write(ctx, pl)
	if errors.Is(err, report.ErrOriginal) {
		u.p.Log.Warn().Err(err).Str("run", u.run.ID).Msg("the annotated workbook is made of the rows alone")
		if err := pl.discard(); err != nil {
			return nil, err
		}
		if pl, err = u.p.stage(u.j); err != nil {
			return nil, err
		}
		u.j.plain = true
		w, err = u.write(ctx, pl)
	}
	if err != nil {
		return nil, err
	}
	result := &Result{
		RunID: u.run.ID, ExitCode: exitCode(&u.run), Summary: w.summary, Problems: w.findings, More: w.more,
	}
	if u.j.Check {
		result.ReportDir, err = pl.give(u.j.OutDir)
		return result, err
	}
	if err := pl.sync(); err != nil {
		return nil, err
	}
	c, err := u.commit(ctx, w)
	if err != nil {
		return nil, err
	}
	result.ReportDir, err = u.p.publishNow(ctx, u.j, &c.Run)
	return result, err
}

// written is what the second pass gives.
type written struct {
	orders    []removal.Order
	movements []ledger.Movement
	outbound  []ledger.Outbound
	files     []report.File
	summary   json.RawMessage
	findings  []Finding
	more      int
}

// write is the second pass: it writes the reports of an upload, makes its
// accepted orders and writes the files in which they are handed on.
func (u *uploadRun) write(ctx context.Context, pl *place) (_ *written, err error) {
	which := u.j.reports()
	if u.j.Check && u.j.OutDir == "" {
		which = []string{report.Summaries}
	}
	set, err := report.NewSet(u.input(), pl.reports, which)
	if err != nil {
		return nil, err
	}
	w := &written{movements: make([]ledger.Movement, 0, u.d.counts.Accepted)}
	for i := range u.d.problems {
		w.add(u.p, u.j, u.d.problems[i])
	}
	builder := newOrderBuilder(u.rules, u.d.orders, removal.Order{
		Merchant: u.j.Merchant, State: u.j.firstState(), Source: removal.SourceUpload,
		Run: u.run.ID, Created: u.j.started, Currency: u.rules.Store.Currency,
	})
	if err := u.rows(ctx, func(r *report.Row) error {
		u.find(w, r)
		builder.add(r.Row, r.Outcome, r.FNSKU)
		if r.Outcome.Status == removal.Accepted {
			w.movements = append(w.movements, u.movement(r.Outcome))
		}
		return set.Row(r)
	}); err != nil {
		return nil, errors.Join(err, set.Abort())
	}
	w.orders = builder.orders()
	if w.outbound, err = pl.writeOutbound(u.j, &u.run, u.j.handedOn(w.orders), u.rules.Store.MaxSKUsPerFile); err != nil {
		return nil, errors.Join(err, set.Abort())
	}
	u.run.Finished = u.p.Now().UTC()
	if w.files, err = set.Finish(u.run.Finished, w.outbound); err != nil {
		return nil, err
	}
	w.summary, err = json.Marshal(set.Summary())
	return w, err
}

// movement is what an accepted row takes of its pool.
func (u *uploadRun) movement(o *removal.Outcome) ledger.Movement {
	order := &u.d.orders[o.Order]
	id := order.ID
	if order.Parts != nil {
		id = order.Parts[o.Part]
	}
	return ledger.Movement{
		At: u.j.started, PoolKey: u.rules.Snapshot.PoolKey(u.rules.Snapshot.PoolOf(o.Item)),
		Order: id, Row: o.Row, Sellable: o.TakenSellable, Unsellable: o.TakenUnsellable,
	}
}

// add keeps a problem for the result itself, if it is among the first.
func (w *written) add(p *Processor, j *job, problem removal.Problem) {
	if len(w.findings) == shown {
		w.more++
		return
	}
	w.findings = append(w.findings, p.finding(j, problem))
}

// find keeps the first problems of the rows for the result itself.
func (u *uploadRun) find(w *written, r *report.Row) {
	order := &u.d.orders[r.Outcome.Order]
	each := func(problems []removal.Problem) {
		for _, p := range problems {
			if p.Code.Severity() == removal.SeverityInfo {
				continue
			}
			u.up.Locate(&p, r.Row)
			p.SKU = string(r.Row.Value(removal.FieldSKU))
			w.add(u.p, u.j, p)
		}
	}
	if r.Outcome.Row == order.Row {
		each(order.Problems)
	}
	each(r.Outcome.Problems)
}

// finding gives a problem its texts.
func (p *Processor) finding(j *job, problem removal.Problem) Finding {
	message, hint := report.Say(j.texts, p.Policy, &problem)
	return Finding{Problem: problem, Message: message, Hint: hint}
}
