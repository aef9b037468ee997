package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/desk"
	"rensa/pkg/nightly"
	"rensa/pkg/report"
	"rensa/pkg/schedule"
	"rensa/pkg/web/api"
)

// planned is scheduled work, as serve has it.
func (s *server) planned(o *api.Options) {
	s.t.Helper()
	jobs := nightly.New(nightly.Options{
		Ledger: o.Ledger, Policy: o.Policy, Desk: o.Desk, Storage: o.Dir, Current: s.Current, Deleting: s.Deleting,
	})
	plan, err := schedule.Parse("@every 5m")
	s.must(err)
	o.Scheduler = schedule.New(schedule.Options{Ledger: o.Ledger, Now: s.now, Log: zerolog.Nop(), Jobs: []schedule.Job{{
		Name: "release", Plan: plan, Do: func(ctx context.Context, merchant string, at time.Time) (schedule.Result, error) {
			out, err := jobs.Release(ctx, merchant, at, false)
			return schedule.Result{ReportDir: out.ReportDir, Counts: out.Counts}, err
		},
	}}})
	o.Recommend = func(ctx context.Context, merchant string, at time.Time) (*report.Recommended, func(map[string]int64) []desk.Batch, error) {
		r, err := jobs.Recommend(ctx, merchant, at)
		if err != nil {
			return nil, nil, err
		}
		return &r.Recommended, r.Only, nil
	}
	o.Deadlines = jobs.Deadlines
}

const aged = "sku\tfnsku\tdisposition\tquantity\treceived-date\tunsellable-since\tunit-weight-g\n" +
	"OLD\tX000000001\tsellable\t7\t2020-01-02\t\t500\nNEW\tX000000002\tsellable\t5\t2999-01-01\t\t500\nBAD\tX000000003\tunsellable\t3\t2020-01-02\t2020-02-02\t500\n"

// What is recommended, and what waits to be disposed of, become drafts; jobs are
// listed and done.
func TestPlanned(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.call(http.StatusConflict, viewer, "GET", "/recommended", nil).is("code", "no_snapshot")
	s.work()
	s.call(http.StatusOK, operator, "POST", "/files?name=aged.tsv&wait=30", aged)
	s.call(http.StatusOK, viewer, "GET", "/recommended", nil).is("rows.0.sku", "OLD", "rows.0.remove", 7, "units", 7)
	tsv := s.call(http.StatusOK, viewer, "GET", "/recommended/recommended.tsv", nil)
	if !strings.Contains(string(tsv.body), "OLD") {
		t.Errorf("%s", tsv.body)
	}
	s.call(http.StatusConflict, operator, "POST", "/recommended/start", object{"skus": []string{"NEW"}}).is("code", "not_listed")
	s.call(http.StatusConflict, operator, "POST", "/recommended/start", object{}).is("code", "nothing_to_start")
	s.call(http.StatusCreated, operator, "POST", "/recommended/start", object{"skus": []string{"OLD"}}).is("drafts.0.sellable", 7)

	holds := s.call(http.StatusOK, viewer, "GET", "/deadlines", nil)
	holds.is("holds.0.sku", "BAD", "holds.0.units", 3, "holds.0.condition", "unsellable")
	s.call(http.StatusConflict, operator, "POST", "/deadlines/start", object{}).is("code", "nothing_to_start")
	s.call(http.StatusCreated, operator, "POST", "/deadlines/start", object{"holds": []any{holds.get("holds", 0, "hold")}}).is("drafts.0.unsellable", 3)
	for _, form := range []string{"csv", "xlsx"} {
		if r := s.call(http.StatusOK, viewer, "GET", "/reports/deadlines?form="+form, nil); len(r.body) < 50 {
			t.Errorf("%q", r.body)
		}
	}

	s.call(http.StatusOK, viewer, "GET", "/schedule", nil).is("jobs.0.job", "release", "jobs.0.cron", "@every 5m")
	s.call(http.StatusOK, operator, "POST", "/schedule/release/run", nil).is("runs.0.job", "release", "runs.0.status", "done", "runs.0.by_hand", true)
	s.call(http.StatusNotFound, operator, "POST", "/schedule/nothing/run", nil).is("code", "not_found")
}
