package main

import (
	"context"

	"github.com/spf13/cobra"

	"rensa/pkg/process"
	"rensa/pkg/removal"
)

// The kinds of scheduled work that can be done by hand.
const (
	jobRelease      = "release"      // hands on the orders whose delay is over
	jobHousekeeping = "housekeeping" // deletes what is past its retention
)

var jobNames = []string{jobRelease, jobHousekeeping}

func (a *app) runCommand() *cobra.Command {
	var rehearse bool
	c := &cobra.Command{
		Use: "run JOB", Short: a.t("cli.about.run"), Long: a.t("cli.about.run_long"), Args: a.wants(1, 1), ValidArgs: jobNames,
		Example: "  rensa run release\n  rensa run housekeeping --rehearse",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case args[0] == jobHousekeeping:
				return a.housekeeping(cmd.Context(), rehearse)
			case args[0] != jobRelease:
				f := usage("cli.err.job_unknown", "job", args[0]).near(args[0], jobNames)
				f.hints = append(f.hints, oneOf(jobNames))
				return f
			case rehearse:
				return usage("cli.err.rehearse")
			}
			return a.release(cmd.Context())
		},
	}
	c.Flags().BoolVar(&rehearse, "rehearse", false, a.t("cli.flag.rehearse"))
	return c
}

// jobDocument is one run of a job in the answer of run.
type jobDocument struct {
	Job          string `json:"job"`
	Merchant     string `json:"merchant"`
	ScheduledFor string `json:"scheduled_for"`
	Status       string `json:"status"`
	ReportDir    string `json:"report_dir"`
	Counts       any    `json:"counts"`
}

// release hands on the orders whose delay is over, for the merchant that is named
// or for all.
func (a *app) release(ctx context.Context) error {
	merchants, err := a.jobMerchants(ctx)
	if err != nil {
		return err
	}
	runs := []jobDocument{}
	for i := range merchants {
		a.merchant = merchants[i].ID
		err := a.atDesk(ctx, func(o *office) error {
			orders, files, err := releaseDue(ctx, o)
			runs = append(runs, jobDocument{
				Job: jobRelease, Merchant: o.merchant.ID, ScheduledFor: timeText(o.now().In(zoneOf(&o.merchant))),
				Status: "done", Counts: map[string]int{"orders": orders, "files": files},
			})
			if !a.json && err == nil {
				a.say(a.t("cli.run.released", "merchant", o.merchant.ID, "orders", orders, "files", files))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return a.answerJob(runs)
}

// releaseDue hands the orders on, and brings the table by which orders are found
// up to date.
func releaseDue(ctx context.Context, o *office) (orders, files int, err error) {
	r, err := o.desk.ReleaseDue(ctx, o.merchant.ID)
	if err != nil {
		return 0, 0, err
	}
	return int(r.Orders), len(r.Files), o.ledger.IndexOrders(ctx, o.merchant.ID)
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

func (a *app) housekeeping(ctx context.Context, rehearse bool) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	keep := ws.config.Retention
	swept, err := p.Housekeeping(ctx, process.Retention{Archive: keep.Archive.duration(), Reports: keep.Reports.duration()}, rehearse)
	if err != nil {
		return err
	}
	status, text := "done", "cli.run.swept"
	if rehearse {
		status, text = "rehearsed", "cli.run.would_sweep"
	}
	runs := []jobDocument{}
	for _, s := range swept {
		runs = append(runs, jobDocument{
			Job: jobHousekeeping, Merchant: s.Merchant, ScheduledFor: timeText(ws.now().UTC()), Status: status, Counts: s,
		})
		if !a.json {
			a.say(a.t(text, "merchant", s.Merchant, "originals", s.Originals, "reports", s.Reports, "kilobytes", (s.Bytes+1023)/1024))
		}
	}
	return a.answerJob(runs)
}

func (a *app) answerJob(runs []jobDocument) error {
	if !a.json {
		return nil
	}
	return a.answer(map[string]any{"runs": runs})
}
