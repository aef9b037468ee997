package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/ledger"
	"rensa/pkg/nightly"
	"rensa/pkg/removal"
	"rensa/pkg/schedule"
)

type runFlags struct {
	date     string
	rehearse bool
}

func (a *app) runCommand() *cobra.Command {
	f := &runFlags{}
	c := &cobra.Command{
		Use: "run JOB", Short: a.t("cli.about.run"), Long: a.t("cli.about.run_long"), Args: a.wants(1, 1), ValidArgs: jobNames,
		Example: "  rensa run release\n  rensa run notices --date 2026-12-24 --rehearse\n  rensa run housekeeping --rehearse",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(jobNames, args[0]) {
				f := usage("cli.err.job_unknown", "job", args[0]).near(args[0], jobNames)
				f.hints = append(f.hints, oneOf(jobNames))
				return f
			}
			return a.runJob(cmd.Context(), args[0], f)
		},
	}
	c.Flags().StringVar(&f.date, "date", "", a.t("cli.flag.date"))
	c.Flags().BoolVar(&f.rehearse, "rehearse", false, a.t("cli.flag.rehearse"))
	return c
}

// jobDocument is one run of a job in the answer of run.
type jobDocument struct {
	Job          string           `json:"job"`
	Merchant     string           `json:"merchant"`
	ScheduledFor string           `json:"scheduled_for"`
	Status       string           `json:"status"`
	ReportDir    string           `json:"report_dir"`
	Counts       map[string]int64 `json:"counts"`
	Error        string           `json:"error,omitempty"`
}

// statusRehearsed is the status of a rehearsal, which is no row of the ledger.
const statusRehearsed = "rehearsed"

// runJob does a job for the merchant that is named, or for all: each at its own
// moment, since noon comes at different times. What fails for one keeps nothing
// from the others.
func (a *app) runJob(ctx context.Context, job string, f *runFlags) error {
	merchants, err := a.jobMerchants(ctx)
	if err != nil {
		return err
	}
	runs, code := []jobDocument{}, exitOK
	for i := range merchants {
		d, err := a.runFor(ctx, job, &merchants[i], f)
		if d.Job == "" || ctx.Err() != nil {
			return err // nothing was begun, or it is to end
		}
		if err != nil {
			d.Status, d.Error = ledger.JobFailed, err.Error()
			told := a.fault(err)
			code = graver(code, told.exit)
			a.tell(told, d.Merchant+": ")
		}
		runs = append(runs, d)
		if !a.json && err == nil {
			a.sayJob(&d)
		}
	}
	if a.json {
		if err := a.answer(map[string]any{"runs": runs}); err != nil {
			return err
		}
	}
	if code != exitOK {
		return ended(code)
	}
	return nil
}

// runFor does a job for one merchant. The clock of everything in a run of the past
// stands at its moment; only the record of the run says when it really was.
func (a *app) runFor(ctx context.Context, job string, m *removal.Merchant, f *runFlags) (jobDocument, error) {
	clock := a.now
	at, ahead, err := jobMoment(clock(), m, f.date)
	if err != nil {
		return jobDocument{}, err
	}
	if !at.IsZero() {
		a.now = func() time.Time { return at }
		defer func() { a.now = clock }()
	}
	ws, err := a.open(ctx)
	if err != nil {
		return jobDocument{}, err
	}
	defer ws.Close()
	if !at.IsZero() {
		if _, err := ws.policy.Store(m.Profile.HomeStore, at, nil); err != nil {
			return jobDocument{}, usage("cli.err.date_policy", "given", f.date).because(err)
		}
	}
	p, err := ws.processor(nil)
	if err != nil {
		return jobDocument{}, err
	}
	s, err := ws.staff(p)
	if err != nil {
		return jobDocument{}, err
	}
	d := jobDocument{Job: job, Merchant: m.ID, ScheduledFor: timeText(ws.now().In(zoneOf(m))), Status: statusRehearsed}
	var out nightly.Outcome
	if f.rehearse || ahead {
		out, err = s.do(ctx, job, m.ID, ws.now(), true)
	} else {
		if sends(job) {
			s.tellMail(a)
		}
		var due *schedule.Scheduler
		if due, err = s.scheduler(clock, 0); err != nil {
			return jobDocument{}, err
		}
		var r ledger.JobRun
		r, err = due.ByHand(ctx, job, m.ID, at)
		out.ReportDir, out.Counts, d.Status = r.ReportDir, r.Counts, r.Status
		if errors.Is(err, ledger.ErrJobBusy) {
			err = (&fault{exit: exitTemporary, say: phrase{"cli.err.job_busy", []any{"job", job}}}).hint("cli.hint.again")
		}
	}
	if d.Counts = out.Counts; d.Counts == nil {
		d.Counts = map[string]int64{}
	}
	if out.ReportDir != "" {
		d.ReportDir = filepath.Join(ws.dir, filepath.FromSlash(out.ReportDir))
	}
	return d, err
}

// jobMoment is noon of a day in the merchant's zone; zero for the present, which
// today stands for too. ahead: it is a day to come.
func jobMoment(now time.Time, m *removal.Merchant, date string) (at time.Time, ahead bool, err error) {
	if date == "" {
		return time.Time{}, false, nil
	}
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}, false, usage("cli.err.date", "given", date).hint("cli.hint.date")
	}
	zone := zoneOf(m)
	today := now.In(zone).Format(time.DateOnly)
	if date == today {
		return time.Time{}, false, nil
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, zone), date > today, nil
}

// sayJob says in a line what a job did, and where its reports are.
func (a *app) sayJob(d *jobDocument) {
	n := func(name string) int64 { return d.Counts[name] }
	rehearsed := map[bool]string{true: "1"}[d.Status == statusRehearsed]
	facts := []any{"merchant", d.Merchant, "rehearsed", rehearsed}
	switch d.Job {
	case jobRelease:
		a.say(a.t("cli.run.released", append(facts, "orders", n("orders"), "files", n("files"))...))
	case jobHousekeeping:
		key := "cli.run.swept"
		if rehearsed != "" {
			key = "cli.run.would_sweep"
		}
		a.say(a.t(key, "merchant", d.Merchant, "originals", n("originals"), "reports", n("reports"), "kilobytes", (n("bytes")+1023)/1024))
	case jobRecommended:
		a.say(a.t("cli.run.recommended", append(facts, "snapshots", n("snapshots"), "pools", n("pools"), "units", n("units"))...))
	case jobNotices:
		a.say(a.t("cli.run.noticed", append(facts, "held", n("held"), "due", n("due"), "messages", n("messages"))...))
	case jobDispose:
		a.say(a.t("cli.run.disposed", append(facts, "past", n("past"), "orders", n("orders"), "units", n("units"))...))
	case jobReports:
		a.say(a.t("cli.run.reported", append(facts, "files", n("files"))...))
	}
	if n("mail_accepted")+n("mail_refused")+n("mail_waiting")+n("mail_written") > 0 {
		a.say("  " + a.t("cli.run.mailed", "accepted", n("mail_accepted"), "refused", n("mail_refused"), "waiting", n("mail_waiting"), "written", n("mail_written")))
	}
	if d.ReportDir != "" {
		a.say("  " + a.near(d.ReportDir))
	}
}

func (a *app) jobMerchants(ctx context.Context) ([]removal.Merchant, error) {
	ws, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	defer ws.Close()
	if a.merchant != "" {
		m, err := ws.merchant(ctx, a.merchant)
		return []removal.Merchant{m}, err
	}
	return ws.ledger.Merchants(ctx)
}
