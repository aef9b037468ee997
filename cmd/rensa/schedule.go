package main

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/ledger"
	"rensa/pkg/schedule"
)

func (a *app) scheduleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schedule", Short: a.t("cli.about.schedule"), Long: a.t("cli.about.schedule_long"), Args: a.wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.showSchedule(cmd.Context()) },
	}
}

// scheduleDocument is a job of a merchant in the answer of schedule.
type scheduleDocument struct {
	Job      string           `json:"job"`
	Merchant string           `json:"merchant"`
	Cron     string           `json:"cron"`
	Zone     string           `json:"zone"`
	Last     *lastRunDocument `json:"last"` // null where it never ran
	Next     []string         `json:"next"`
}

type lastRunDocument struct {
	ScheduledFor string           `json:"scheduled_for"`
	ByHand       bool             `json:"by_hand"`
	Started      string           `json:"started"`
	Finished     string           `json:"finished"` // "" while it runs
	Status       string           `json:"status"`
	Attempts     int              `json:"attempts"`
	ReportDir    string           `json:"report_dir"`
	Counts       map[string]int64 `json:"counts"`
	Error        string           `json:"error"`
	RetryAfter   string           `json:"retry_after"` // "" where it is not tried again
}

func (a *app) showSchedule(ctx context.Context) error {
	merchants, err := a.jobMerchants(ctx)
	if err != nil {
		return err
	}
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	s, err := ws.staff(p)
	if err != nil {
		return err
	}
	due, err := s.scheduler(ws.now, 0)
	if err != nil {
		return err
	}
	entries, err := due.List(ctx, merchants)
	if err != nil {
		return err
	}
	if a.json {
		documents := make([]scheduleDocument, len(entries))
		for i := range entries {
			documents[i] = ws.scheduleEntry(&entries[i])
		}
		return a.answer(map[string]any{"jobs": documents})
	}
	t := &table{}
	t.add(a.t("cli.col.merchant"), a.t("cli.col.job"), a.t("cli.col.plan"), a.t("cli.col.zone"), a.t("cli.col.last"), a.t("cli.col.result"), a.t("cli.col.next"))
	for i := range entries {
		e := &entries[i]
		last, result := a.t("cli.schedule.never"), ""
		if e.Last != nil {
			last, result = shortTime(e.Last.Started.In(e.Zone)), a.t("cli.schedule."+e.Last.Status)
			if e.Last.Error != "" {
				result += ": " + cutLine(e.Last.Error, 60)
			}
		}
		var next []string
		for _, at := range e.Next {
			next = append(next, shortTime(at))
		}
		t.add(e.Merchant, e.Job, e.Plan.String(), e.Zone.String(), last, result, strings.Join(next, ", "))
	}
	a.show(t, "")
	return nil
}

func (ws *workspace) scheduleEntry(e *schedule.Entry) scheduleDocument {
	d := scheduleDocument{Job: e.Job, Merchant: e.Merchant, Cron: e.Plan.String(), Zone: e.Zone.String(), Next: []string{}}
	for _, at := range e.Next {
		d.Next = append(d.Next, timeText(at))
	}
	if e.Last != nil {
		d.Last = ws.lastRun(e.Last, e.Zone)
	}
	return d
}

func (ws *workspace) lastRun(r *ledger.JobRun, zone *time.Location) *lastRunDocument {
	in := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return timeText(t.In(zone))
	}
	d := &lastRunDocument{
		ScheduledFor: in(r.ScheduledFor), ByHand: r.ByHand, Started: in(r.Started), Finished: in(r.Finished), Status: r.Status,
		Attempts: r.Attempts, Counts: r.Counts, Error: r.Error, RetryAfter: in(r.RetryAfter),
	}
	if d.Counts == nil {
		d.Counts = map[string]int64{}
	}
	if r.ReportDir != "" {
		d.ReportDir = filepath.Join(ws.dir, filepath.FromSlash(r.ReportDir))
	}
	return d
}

func shortTime(t time.Time) string { return t.Format("2006-01-02 15:04") }

// cutLine makes one short line of a text.
func cutLine(text string, most int) string {
	r := []rune(printable(text))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}
