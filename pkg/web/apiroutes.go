package web

import (
	"context"
	"net/http"
	"time"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/web/api"
)

// apiRoutes hangs the API in. It looks after itself: tokens instead of sessions, its
// own limits, its own answers.
func (s *Server) apiRoutes() []route {
	var all []route
	// By method, since the page's own paths are.
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
		all = append(all, route{pattern: method + " " + api.Prefix + "/", bare: s.api})
	}
	return all
}

func (s *Server) newAPI() (*api.API, error) {
	return api.New(api.Options{
		Ledger: s.Ledger, Policy: s.Policy, Desk: s.Desk, Dir: s.Dir, Book: s.Book, Log: s.Log, Now: s.Now, MaxFile: s.MaxUpload,
		Version: s.Version, Client: s.client, Settle: s.Settle, AddMerchant: s.AddMerchant, Rebuild: s.Rebuild, Wake: s.Wake, Recommend: s.Recommend, Deadlines: s.Deadlines, Scheduler: s.Scheduler,
		Token: func(ctx context.Context, secret string) (ledger.Token, error) {
			return s.Ledger.TokenOf(ctx, hashSecret(secret))
		},
		NewToken: func(ctx context.Context, k ledger.Token, actor string) (ledger.Token, string, error) {
			return NewToken(ctx, s.Ledger, k, actor)
		},
		NewLink: func(ctx context.Context, user, actor string) (string, error) {
			return NewLink(ctx, s.Ledger, user, actor, s.Now())
		},
		UserName: UserName,
	})
}

// forgottenAfter is after what time nobody brings a file any more.
const forgottenAfter = 24 * time.Hour

// clearDeliveries takes away what was being brought when a program ended.
func (s *Server) clearDeliveries(ctx context.Context) {
	all, err := s.Ledger.Merchants(ctx)
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	if err == nil {
		err = inbox.ClearDeliveries(s.Dir, ids, s.Now().Add(-forgottenAfter))
	}
	if err != nil {
		s.Log.Warn().Err(err).Msg("what was being brought and never came whole cannot be cleared away")
	}
}
