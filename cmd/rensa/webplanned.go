package main

import (
	"context"
	"io"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/nightly"
	"rensa/pkg/report"
	"rensa/pkg/schedule"
	"rensa/pkg/web"
)

// planned is what the page shows and does of scheduled work.
func (s *staff) planned(scheduler *schedule.Scheduler) web.Planned {
	p := web.Planned{
		Scheduler: scheduler,
		Recommend: func(ctx context.Context, merchant string, at time.Time) (*report.Recommended, func(map[string]int64) []desk.Batch, error) {
			defer s.p.Using(merchant)()
			r, err := s.jobs.Recommend(ctx, merchant, at)
			if err != nil {
				return nil, nil, err
			}
			return &r.Recommended, func(most map[string]int64) []desk.Batch {
				defer s.p.Using(merchant)()
				return r.Only(most)
			}, nil
		},
		Deadlines: func(ctx context.Context, merchant string, at time.Time) (*report.Deadlines, error) {
			defer s.p.Using(merchant)()
			return s.jobs.Deadlines(ctx, merchant, at)
		},
		MakeReport: func(ctx context.Context, merchant, name, form string, w io.Writer) error {
			defer s.p.Using(merchant)()
			return s.jobs.Make(ctx, merchant, name, form, s.ws.now(), w)
		},
	}
	for _, m := range nightly.MadeReports() {
		p.Reports = append(p.Reports, web.MadeReport(m))
	}
	return p
}
