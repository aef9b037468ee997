package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/process"
)

// jobHousekeeping deletes what is past its retention.
const jobHousekeeping = "housekeeping"

func (a *app) runCommand() *cobra.Command {
	var rehearse bool
	c := &cobra.Command{
		Use: "run JOB", Short: a.t("cli.about.run"), Long: a.t("cli.about.run_long"), Args: a.wants(1, 1),
		Example: "  rensa run housekeeping --rehearse",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != jobHousekeeping {
				return usage("cli.err.job", "given", args[0]).near(args[0], []string{jobHousekeeping}).
					hint("cli.want.one_of", "words", jobHousekeeping)
			}
			return a.housekeeping(cmd.Context(), rehearse)
		},
	}
	c.Flags().BoolVar(&rehearse, "rehearse", false, a.t("cli.flag.rehearse"))
	return c
}

// jobRun is one run of a job as the answer of run has it.
type jobRun struct {
	Job          string        `json:"job"`
	Merchant     string        `json:"merchant"`
	ScheduledFor string        `json:"scheduled_for"`
	Status       string        `json:"status"`
	ReportDir    string        `json:"report_dir"`
	Counts       process.Swept `json:"counts"`
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
	defer ws.release(p)
	now := ws.now()
	keep := ws.config.Retention
	swept, err := p.Housekeeping(ctx, process.Retention{Archive: keep.Archive.duration(), Reports: keep.Reports.duration()}, rehearse)
	if err != nil {
		return err
	}
	status := "done"
	if rehearse {
		status = "rehearsed"
	}
	runs := []jobRun{}
	for _, s := range swept {
		runs = append(runs, jobRun{Job: jobHousekeeping, Merchant: s.Merchant, ScheduledFor: now.UTC().Format(time.RFC3339), Status: status, Counts: s})
		if !a.json {
			key := "cli.run.swept"
			if rehearse {
				key = "cli.run.would_sweep"
			}
			a.say(a.t(key, "merchant", s.Merchant, "originals", s.Originals, "reports", s.Reports, "kilobytes", (s.Bytes+1023)/1024))
		}
	}
	if a.json {
		return a.answer(map[string]any{"runs": runs})
	}
	return nil
}
