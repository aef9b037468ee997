package web

import (
	"context"
	"io"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/desk"
	"rensa/pkg/nightly"
	"rensa/pkg/report"
	"rensa/pkg/schedule"
)

// planned is scheduled work on a site, as serve has it.
func (st *site) planned() Planned {
	st.t.Helper()
	jobs := nightly.New(nightly.Options{
		Ledger: st.ledger, Policy: st.policy, Desk: st.processor.Desk(), Storage: st.dir, Current: st.processor.Current, Deleting: st.processor.Deleting,
	})
	work := func(name, plan string, do func(context.Context, string, time.Time, bool) (nightly.Outcome, error)) schedule.Job {
		p, err := schedule.Parse(plan)
		if err != nil {
			st.t.Fatal(err)
		}
		return schedule.Job{Name: name, Plan: p, Do: func(ctx context.Context, merchant string, at time.Time) (schedule.Result, error) {
			out, err := do(ctx, merchant, at, false)
			return schedule.Result{ReportDir: out.ReportDir, Counts: out.Counts}, err
		}}
	}
	p := Planned{
		Scheduler: schedule.New(schedule.Options{Ledger: st.ledger, Now: time.Now, Log: zerolog.Nop(), Jobs: []schedule.Job{
			work("release", "@every 5m", jobs.Release), work("recommended", "10 4 * * *", jobs.Recommended), work("reports", "0 6 * * *", jobs.Reports),
		}}),
		Recommend: func(ctx context.Context, merchant string, at time.Time) (*report.Recommended, func(map[string]int64) []desk.Batch, error) {
			r, err := jobs.Recommend(ctx, merchant, at)
			if err != nil {
				return nil, nil, err
			}
			return &r.Recommended, r.Only, nil
		},
		Deadlines: jobs.Deadlines,
		MakeReport: func(ctx context.Context, merchant, name, form string, w io.Writer) error {
			return jobs.Make(ctx, merchant, name, form, time.Now(), w)
		},
	}
	for _, m := range nightly.MadeReports() {
		p.Reports = append(p.Reports, MadeReport(m))
	}
	return p
}
