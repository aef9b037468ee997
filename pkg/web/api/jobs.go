package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/schedule"
)

// Job is a job of a merchant that is done on a schedule.
type Job struct {
	Job      string   `json:"job"`
	Merchant string   `json:"merchant"`
	Cron     string   `json:"cron"`
	Zone     string   `json:"zone"`
	Last     *JobRun  `json:"last,omitempty" doc:"absent where it never ran"`
	Next     []string `json:"next" nullable:"false" doc:"the next three times"`
}

// JobRun is one run of a job.
type JobRun struct {
	Job          string           `json:"job"`
	Merchant     string           `json:"merchant"`
	ScheduledFor string           `json:"scheduled_for" format:"date-time"`
	ByHand       bool             `json:"by_hand"`
	Started      string           `json:"started"`
	Finished     string           `json:"finished" doc:"empty while it runs"`
	Status       string           `json:"status" doc:"running, done or failed"`
	Attempts     int              `json:"attempts"`
	ReportDir    string           `json:"report_dir" doc:"in the workspace; empty where it wrote none"`
	Counts       map[string]int64 `json:"counts"`
	Error        string           `json:"error" doc:"why it failed"`
}

func (a *API) jobOperations(look, act need) {
	add(a, operation(http.MethodGet, "/schedule", "showSchedule", "Planned", "Scheduled jobs with their last run and next times", ""), look, a.showSchedule)
	run := operation(http.MethodPost, "/schedule/{job}/run", "runJob", "Planned", "Have a job done now",
		"Answered when it is done, or after half a minute, while it goes on: its schedule then tells what came of it.")
	add(a, run, act, a.runJob)
}

type scheduleInput struct{ MerchantParam }

type scheduleOutput struct {
	Body struct {
		Jobs []Job `json:"jobs" nullable:"false"`
	}
}

func (a *API) showSchedule(ctx context.Context, c *call, _ *scheduleInput) (*scheduleOutput, error) {
	list, err := a.Scheduler.List(ctx, []removal.Merchant{c.merchant})
	if err != nil {
		return nil, err
	}
	out := &scheduleOutput{}
	out.Body.Jobs = []Job{}
	for i := range list {
		e := &list[i]
		j := Job{Job: e.Job, Merchant: e.Merchant, Cron: e.Plan.String(), Zone: e.Zone.String(), Next: []string{}}
		if e.Last != nil {
			last := c.jobRun(e.Last)
			j.Last = &last
		}
		for _, at := range e.Next {
			j.Next = append(j.Next, at.Format(time.RFC3339))
		}
		out.Body.Jobs = append(out.Body.Jobs, j)
	}
	return out, nil
}

func (c *call) jobRun(r *ledger.JobRun) JobRun {
	run := JobRun{
		Job: r.Job, Merchant: r.Merchant, ScheduledFor: c.time(r.ScheduledFor), ByHand: r.ByHand, Started: c.time(r.Started), Finished: c.time(r.Finished),
		Status: r.Status, Attempts: r.Attempts, ReportDir: r.ReportDir, Counts: map[string]int64{}, Error: r.Error,
	}
	for name, n := range r.Counts {
		run.Counts[name] = n
	}
	return run
}

type jobInput struct {
	MerchantParam
	Job string `path:"job" doc:"name of the job"`
}

type jobOutput struct {
	Body struct {
		Runs []JobRun `json:"runs" nullable:"false" doc:"empty while it still runs"`
	}
}

// jobPatience is how long a request waits for a job.
const jobPatience = 30 * time.Second

// runJob has a job done. One that fails is answered too: its run says why.
func (a *API) runJob(ctx context.Context, c *call, in *jobInput) (*jobOutput, error) {
	if !slices.ContainsFunc(a.Scheduler.Jobs, func(j schedule.Job) bool { return j.Name == in.Job }) {
		return nil, refuse(http.StatusNotFound, "not_found", "what", in.Job)
	}
	type ended struct {
		run ledger.JobRun
		err error
	}
	done := make(chan ended, 1)
	go func() {
		run, err := a.Scheduler.ByHand(context.WithoutCancel(ctx), in.Job, c.merchant.ID, time.Time{})
		done <- ended{run, err}
	}()
	out := &jobOutput{}
	out.Body.Runs = []JobRun{}
	timer := time.NewTimer(jobPatience)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case e := <-done:
		if errors.Is(e.err, ledger.ErrJobBusy) {
			return nil, refuse(http.StatusConflict, "job_busy")
		}
		if e.err != nil && e.run.Status != ledger.JobFailed {
			return nil, e.err
		}
		out.Body.Runs = append(out.Body.Runs, c.jobRun(&e.run))
	}
	return out, nil
}
