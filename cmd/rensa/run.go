package main

import (
	"context"

	"github.com/spf13/cobra"

	"rensa/pkg/removal"
)

// job is one kind of scheduled work, run by hand for one merchant.
type job func(ctx context.Context, o *office) (counts map[string]int64, err error)

// jobs are those that can be run, by name.
var jobs = map[string]job{"release": releaseJob}

// jobNames are the jobs as they are listed.
var jobNames = []string{"release"}

func (a *app) runCommand() *cobra.Command {
	return &cobra.Command{
		Use: "run JOB", Short: a.t("cli.about.run"), Long: a.t("cli.about.run_long"), Args: a.wants(1, 1), ValidArgs: jobNames,
		Example: "  rensa run release",
		RunE: func(cmd *cobra.Command, args []string) error {
			do, ok := jobs[args[0]]
			if !ok {
				f := usage("cli.err.job_unknown", "job", args[0]).near(args[0], jobNames)
				f.hints = append(f.hints, oneOf(jobNames))
				return f
			}
			return a.runJob(cmd.Context(), args[0], do)
		},
	}
}

// jobDocument is one run of a job in the answer of run.
type jobDocument struct {
	Job          string           `json:"job"`
	Merchant     string           `json:"merchant"`
	ScheduledFor string           `json:"scheduled_for"`
	Status       string           `json:"status"`
	ReportDir    string           `json:"report_dir"`
	Counts       map[string]int64 `json:"counts"`
}

// runJob runs a job for the merchant that is named, or for all.
func (a *app) runJob(ctx context.Context, name string, do job) error {
	merchants, err := a.jobMerchants(ctx)
	if err != nil {
		return err
	}
	runs := []jobDocument{}
	for i := range merchants {
		a.merchant = merchants[i].ID
		err := a.atDesk(ctx, func(o *office) error {
			counts, err := do(ctx, o)
			runs = append(runs, jobDocument{
				Job: name, Merchant: o.merchant.ID, ScheduledFor: timeText(o.now().In(zoneOf(&o.merchant))), Status: "done", Counts: counts,
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	if a.json {
		return a.answer(map[string]any{"runs": runs})
	}
	for _, r := range runs {
		a.say(a.t("cli.run.released", "merchant", r.Merchant, "orders", r.Counts["orders"], "files", r.Counts["files"]))
	}
	return nil
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

// releaseJob hands on the orders whose delay is over, and brings the table by which
// orders are found up to date.
func releaseJob(ctx context.Context, o *office) (map[string]int64, error) {
	r, err := o.desk.ReleaseDue(ctx, o.merchant.ID)
	if err != nil {
		return nil, err
	}
	return map[string]int64{"orders": int64(r.Orders), "files": int64(len(r.Files))}, o.ledger.IndexOrders(ctx, o.merchant.ID)
}
