package process

import (
	"context"
	"encoding/json"
	"fmt"
	"path"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// reportVersion changes when the same decision would be written in other bytes.
const reportVersion = 2

// run begins the record of a run with what is known of its file.
func (p *Processor) run(j *job, f *decode.File, what *found) ledger.Run {
	format := f.Format()
	return ledger.Run{
		ID: j.runID, Merchant: j.Merchant, Kind: what.sign.Kind, FileName: j.Name, SHA256: j.sha256, Bytes: j.bytes,
		Encoding: format.Encoding, Delimiter: format.Delimiter, Container: format.Container, Sheet: what.sheet.Name(),
		PolicyVersion: p.Policy.Version(), Acceptance: j.merchant.Profile.Acceptance, Started: j.started,
		Language: j.merchant.Profile.Language, ReportVersion: reportVersion, Status: ledger.RunCommitted,
	}
}

// reports are the files that are to be written; nil: all.
func (j *job) reports() []string {
	if j.Reports != nil {
		return j.Reports
	}
	return j.merchant.Profile.Reports
}

// commit completes what a run changes and commits it, once the original and all that
// c.Durable waits for is durable.
func (p *Processor) commit(ctx context.Context, j *job, run *ledger.Run, files []report.File, problems []removal.Problem, c *ledger.Commit) error {
	run.Archive = path.Join("archive", j.Merchant, run.ID+"_"+safeName(j.Name))
	stored, err := json.Marshal(problems)
	if err != nil {
		return err
	}
	profile := &j.merchant.Profile
	run.Detail, err = json.Marshal(detail{
		Folder: j.folder, Original: j.place(), Zone: j.zone.String(), HomeStore: profile.HomeStore, Policy: profile.Policy,
		ShiftJIS: profile.ShiftJIS, CSVBOM: profile.CSVBOM, Reports: j.reports(), Limits: j.limits, Plain: j.plain,
		Problems: stored, Changes: j.changes,
	})
	if err != nil {
		return err
	}
	for _, f := range files {
		run.Outputs = append(run.Outputs, ledger.Output{Name: f.Name, SHA256: f.SHA256, Bytes: f.Bytes})
	}
	if run.Read != run.Accepted+run.Rejected+run.Seen {
		return fmt.Errorf("run %s: %d rows read, but %d accepted, %d rejected and %d seen: %w",
			run.ID, run.Read, run.Accepted, run.Rejected, run.Seen, ledger.ErrUnbalanced)
	}
	staged := c.Durable
	c.Durable = func() error {
		if err := j.durable(); err != nil || staged == nil {
			return err
		}
		return staged()
	}
	c.Merchant, c.Revision, c.Run = j.Merchant, j.merchant.Revision, *run
	if c.File, err = p.fileOf(j); err != nil {
		return err
	}
	c.Events = append(c.Events, ledger.Event{
		Actor: j.Actor, Subject: ledger.SubjectRun, ID: run.ID, What: "processed", Why: j.Name,
	})
	if err := j.unchanged(); err != nil {
		return err
	}
	p.step("before commit")
	if err := p.Ledger.Commit(ctx, c); err != nil {
		return err
	}
	p.step("committed")
	p.Log.Info().Str("run", run.ID).Str("merchant", run.Merchant).Str("kind", string(run.Kind)).
		Int64("read", run.Read).Int64("accepted", run.Accepted).Int64("rejected", run.Rejected).Int64("seen", run.Seen).
		Int64("orders", run.OrdersAccepted).Dur("took", p.Now().Sub(j.started)).Msg("committed")
	j.committed = true
	return nil
}

// commit commits the decision about an upload.
func (u *uploadRun) commit(ctx context.Context, w *written, pl *place) (*ledger.Commit, error) {
	c := &ledger.Commit{
		Packed: w.orders, PackedMovements: w.movements.blocks, Outcomes: u.d.packed.each, OrderOutcomes: u.d.packedOrders.each,
		Outbound: w.outbound, Durable: pl.sync, Last: u.j.Last,
	}
	if w.orders.Count > 0 {
		c.Events = []ledger.Event{
			{Actor: u.j.Actor, Subject: ledger.SubjectRun, ID: u.run.ID, What: "accepted",
				To: string(removal.StatePlanning), Why: u.j.Name, EachOrder: true},
		}
	}
	if len(w.outbound) > 0 {
		c.Events = append(c.Events, ledger.Event{
			Actor: u.j.Actor, Subject: ledger.SubjectRun, ID: u.run.ID, What: "released",
			From: string(removal.StatePlanning), To: string(removal.StatePending), EachOrder: true,
		})
	}
	return c, u.p.commit(ctx, u.j, &u.run, w.files, u.d.problems, c)
}

// refused answers a file that cannot be used, of which no more is known than its
// bytes.
func (p *Processor) refused(j *job, bad *removal.FileError) (*Result, error) {
	return p.refusedRun(j, ledger.Run{
		ID: j.runID, Merchant: j.Merchant, FileName: j.Name, SHA256: j.sha256, Bytes: j.bytes, Started: j.started,
		PolicyVersion: p.Policy.Version(), Acceptance: j.merchant.Profile.Acceptance,
		Language: j.merchant.Profile.Language, ReportVersion: reportVersion,
	}, bad)
}

// refusedRun answers a file that cannot be used. Nothing of it is committed.
func (p *Processor) refusedRun(j *job, run ledger.Run, bad *removal.FileError) (_ *Result, err error) {
	problem := bad.Problem()
	run.Finished = p.Now().UTC()
	finding := p.finding(j, problem)
	result := &Result{RunID: run.ID, ExitCode: ExitRefused, FileProblem: &finding, Problems: []Finding{finding}}
	result.Summary, result.Document, err = p.summaryOf(j, &run, []removal.Problem{problem})
	return result, err
}
