package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/report"
	"rensa/pkg/schedule"
)

// Planned is what the pages about scheduled work show and do. A page whose part is
// missing does not exist.
type Planned struct {
	// Recommend finds what should be removed before the next clean-up after a
	// moment; only gives the orders of chosen rows, SKUs with at most so many units.
	Recommend func(ctx context.Context, merchant string, at time.Time) (r *report.Recommended, only func(most map[string]int64) []desk.Batch, err error)
	// Deadlines lists what is held, and until when.
	Deadlines func(ctx context.Context, merchant string, at time.Time) (*report.Deadlines, error)
	// Scheduler lists scheduled work, and has it done now.
	Scheduler *schedule.Scheduler
	// Reports are those that can be made of what is known now, in the order in
	// which they are shown, and MakeReport makes one.
	Reports    []MadeReport
	MakeReport func(ctx context.Context, merchant, name, form string, w io.Writer) error
}

// MadeReport is a report that can be made, with the forms that it can have.
type MadeReport struct {
	Name  string
	Forms []string // "tsv", "csv", "xlsx"
}

func (s *Server) plannedRoutes() (all []route) {
	see := func(pattern string, h handler) {
		all = append(all, route{pattern: "GET /m/{merchant}/" + pattern, scope: ofMerchant, role: ledger.RoleViewer, handle: h})
	}
	do := func(pattern string, h handler) {
		all = append(all, route{pattern: "POST /m/{merchant}/" + pattern, scope: ofMerchant, role: ledger.RoleOperator, handle: h})
	}
	if s.Recommend != nil {
		see("recommended", s.recommendedPage)
		see("recommended/{name}", s.recommendedFile)
		do("recommended/start", s.startRecommended)
	}
	if s.Deadlines != nil {
		see("deadlines", s.deadlinesPage)
		see("deadlines/{name}", s.deadlinesFile)
		do("deadlines/start", s.startRequired)
	}
	if s.Scheduler != nil {
		see("schedule", s.schedulePage)
		do("schedule/run", s.runJob)
	}
	if s.MakeReport != nil {
		see("reports", s.reportsPage)
		see("reports/made/{name}", s.makeReport)
		see("reports/{day}/{folder}/{name}", s.reportFile)
	}
	return all
}

// startDrafts makes drafts and leads to them: to the review of one, to the list of
// several.
func (s *Server) startDrafts(w http.ResponseWriter, r *http.Request, v *visit, batches []desk.Batch, from string) error {
	if len(batches) == 0 {
		s.flash(r, v.texts.T("web.planned.nothing_chosen"))
		return goTo(w, r, v, from)
	}
	drafts, err := s.Desk.CreateAll(r.Context(), v.merchant.ID, v.actor(), batches)
	if err != nil {
		return err
	}
	if len(drafts) == 1 {
		return goTo(w, r, v, reviewPath(drafts[0].ID))
	}
	s.flash(r, v.texts.T("web.planned.drafts", "number", len(drafts)))
	return goTo(w, r, v, "orders?"+url.Values{"status": {"draft"}}.Encode())
}

// remembered is the recommendation of a merchant that was made last: it takes seconds
// for a large stock, and its page is looked at again and again.
type remembered struct {
	mu  sync.Mutex
	all map[string]recommendedOn
}

type recommendedOn struct {
	revision int64
	day      string
	report   *report.Recommended
}

// rememberedMost is of how many merchants a recommendation is kept.
const rememberedMost = 4

// recommendation gives the merchant's recommendation as of now. It is shared: nobody
// may change it.
func (s *Server) recommendation(ctx context.Context, v *visit) (*report.Recommended, error) {
	zone, err := time.LoadLocation(v.merchant.Profile.TimeZone)
	if err != nil {
		return nil, err
	}
	now, id := s.Now(), v.merchant.ID
	day := now.In(zone).Format(time.DateOnly)
	s.remembered.mu.Lock()
	kept, ok := s.remembered.all[id]
	s.remembered.mu.Unlock()
	if ok && kept.revision == v.merchant.Revision && kept.day == day {
		return kept.report, nil
	}
	made, _, err := s.Recommend(ctx, id, now)
	if err != nil {
		return nil, err
	}
	s.remembered.mu.Lock()
	defer s.remembered.mu.Unlock()
	if s.remembered.all == nil || len(s.remembered.all) >= rememberedMost {
		s.remembered.all = map[string]recommendedOn{}
	}
	s.remembered.all[id] = recommendedOn{v.merchant.Revision, day, made}
	return made, nil
}
