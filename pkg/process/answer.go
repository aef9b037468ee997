package process

import (
	"context"
	"encoding/json"
	"errors"

	"golang.org/x/sync/errgroup"

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
		RunID: u.run.ID, ExitCode: exitCode(&u.run), Summary: w.summary, Document: w.document, Problems: w.findings, More: w.more,
	}
	if u.j.Check {
		result.ReportDir, err = pl.give(u.j.OutDir)
		return result, err
	}
	c, err := u.commit(ctx, w, pl)
	if err != nil {
		return nil, err
	}
	// To let go of a large file takes as long as to give the others their places.
	var letGo errgroup.Group
	letGo.Go(u.d.spool.Close)
	result.ReportDir, err = u.p.publishNow(ctx, u.j, &c.Run)
	return result, errors.Join(err, letGo.Wait())
}

// written is what the second pass gives.
type written struct {
	orders    *ledger.PackedOrders
	movements *movementMaker
	outbound  []ledger.Outbound
	files     []report.File
	summary   *report.Summary
	document  json.RawMessage
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
	w := &written{}
	for i := range u.d.problems {
		w.add(u.p, u.j, u.d.problems[i])
	}
	var out *outgoing
	if u.j.firstState() == removal.StatePending {
		out = newOutgoing(u.j, &u.run, pl, u.d.spool, u.rules.Snapshot.Len(), u.rules.Store.MaxSKUsPerFile)
	}
	made := newOrderMaker(u.rules, u.d.orders.ranks, removal.Order{
		Merchant: u.j.Merchant, State: u.j.firstState(), Source: removal.SourceUpload,
		Run: u.run.ID, Created: u.j.started, Currency: u.rules.Store.Currency,
	}, out, u.d.spool)
	w.movements = u.newMovementMaker()
	err = u.parts(ctx, set, made.pack, func(b *batch) error {
		for i := range b.part.Rows {
			u.find(w, &b.part, i)
		}
		w.movements.take(b)
		return made.take(b)
	})
	w.outbound, err = out.end(errors.Join(err, w.movements.end()))
	if err == nil {
		w.orders, err = made.end()
	}
	if err != nil {
		return nil, errors.Join(err, set.Abort())
	}
	u.run.Finished = u.p.Now().UTC()
	if w.files, err = set.Finish(u.run.Finished, w.outbound); err != nil {
		return nil, err
	}
	w.summary = set.Summary()
	w.document, err = u.j.document(w.summary)
	return w, err
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
func (u *uploadRun) find(w *written, part *report.Part, i int) {
	for _, p := range part.Problems(i) {
		if p.Code.Severity() != removal.SeverityInfo {
			p.SKU = string(part.Rows[i].Row.Value(removal.FieldSKU))
			w.add(u.p, u.j, p)
		}
	}
}

// finding gives a problem its texts.
func (p *Processor) finding(j *job, problem removal.Problem) Finding {
	message, hint := report.Say(j.texts, p.Policy, &problem)
	return Finding{Problem: problem, Message: message, Hint: hint}
}
