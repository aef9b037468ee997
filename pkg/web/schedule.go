package web

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

// jobCount is one figure of a run.
type jobCount struct {
	Name string
	N    int64
}

// jobView is one job of a merchant.
type jobView struct {
	schedule.Entry
	Counts []jobCount
}

func (s *Server) schedulePage(w http.ResponseWriter, r *http.Request, v *visit) error {
	list, err := s.Scheduler.List(r.Context(), []removal.Merchant{*v.merchant})
	if err != nil {
		return err
	}
	jobs := make([]jobView, len(list))
	for i := range list {
		jobs[i].Entry = list[i]
		if last := list[i].Last; last != nil {
			for name, n := range last.Counts {
				jobs[i].Counts = append(jobs[i].Counts, jobCount{name, n})
			}
			slices.SortFunc(jobs[i].Counts, func(a, b jobCount) int {
				if a.Name < b.Name {
					return -1
				}
				return 1
			})
		}
	}
	return s.render(w, r, v, "schedule.html", map[string]any{"Jobs": jobs})
}

// runPatience is how long a page waits for a job that was begun by hand.
const runPatience = 3 * time.Second

// runJob has a job done now. What takes long goes on behind the answer.
func (s *Server) runJob(w http.ResponseWriter, r *http.Request, v *visit) error {
	name, merchant := r.PostForm.Get("job"), v.merchant.ID
	if !slices.ContainsFunc(s.Scheduler.Jobs, func(j schedule.Job) bool { return j.Name == name }) {
		return errNotFound
	}
	done := make(chan error, 1)
	ctx := context.WithoutCancel(r.Context())
	go func() {
		_, err := s.Scheduler.ByHand(ctx, name, merchant, time.Time{})
		done <- err
	}()
	what, text := v.texts.T("web.schedule.job."+name), "web.schedule.begun"
	select {
	case err := <-done:
		switch {
		case errors.Is(err, ledger.ErrJobBusy):
			text = "web.schedule.busy"
		case err != nil: // it is recorded with the run, and logged
			text = "web.schedule.went_wrong"
		default:
			text = "web.schedule.made"
		}
	case <-s.After(runPatience):
	}
	s.flash(r, v.texts.T(text, "job", what))
	return goTo(w, r, v, "schedule")
}
