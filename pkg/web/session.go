package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"rensa/pkg/ledger"
)

// What a session holds.
const (
	keyUser  = "user"
	keyEpoch = "epoch"
	keyCSRF  = "csrf"
	keyFlash = "flash"
)

func (s *Server) newSessions() *scs.SessionManager {
	m := scs.New()
	m.Store = &sessionStore{s.Ledger}
	m.Lifetime = sessionFor // and no IdleTimeout, which writes at every request
	m.HashTokenInStore = true
	m.Cookie.Name = "rensa"
	if s.secure() {
		m.Cookie.Name = "__Host-rensa"
	}
	m.Cookie.HttpOnly, m.Cookie.Secure, m.Cookie.SameSite = true, s.secure(), http.SameSiteLaxMode
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		s.fail(w, r, &visit{texts: s.textsOf(r, nil, nil)}, err)
	}
	return m
}

// signedIn gives the user of the request's session, nil where there is none or
// the session was begun before the user's password or scope changed.
func (s *Server) signedIn(r *http.Request) (*ledger.User, error) {
	ctx := r.Context()
	id := s.sessions.GetString(ctx, keyUser)
	if id == "" {
		return nil, nil
	}
	u, err := s.Ledger.User(ctx, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.sessions.GetInt64(ctx, keyEpoch) != u.Epoch || u.Password == "" {
		return nil, nil
	}
	return &u, nil
}

// begin makes a session of the user's under a new token, so that one that was
// known before is worth nothing.
func (s *Server) begin(ctx context.Context, u *ledger.User) error {
	if err := s.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return err
	}
	s.sessions.Put(ctx, keyUser, u.ID)
	s.sessions.Put(ctx, keyEpoch, u.Epoch)
	s.sessions.Put(ctx, keyCSRF, newSecret())
	return nil
}

// formToken is what every form of the page has to bring: the session's, or for
// somebody who is not signed in the one of a cookie that other sites cannot set.
func (s *Server) formToken(w http.ResponseWriter, r *http.Request, v *visit) string {
	if v.user != nil {
		return s.sessions.GetString(r.Context(), keyCSRF)
	}
	name := "rensa_form"
	if s.secure() {
		name = "__Host-rensa_form"
	}
	if c, err := r.Cookie(name); err == nil && len(c.Value) >= 26 {
		return c.Value
	}
	if v.route.scope != ofNobody {
		return ""
	}
	token := newSecret()
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: token, Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteStrictMode,
	})
	return token
}

// flash keeps a text for the next page that is shown.
func (s *Server) flash(r *http.Request, text string) { s.sessions.Put(r.Context(), keyFlash, text) }

// see sends the browser on to a page after something was done.
func see(w http.ResponseWriter, r *http.Request, path string) error {
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", path)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// sessionStore keeps sessions in the ledger.
type sessionStore struct{ ledger *ledger.Ledger }

var errNoContext = errors.New("sessions are kept with a context")

// FindCtx and the two below are scs.CtxStore, which scs prefers.
func (st *sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	data, err := st.ledger.Session(ctx, token)
	return data, data != nil, err
}

// CommitCtx keeps a session.
func (st *sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expires time.Time) error {
	return st.ledger.PutSession(ctx, token, data, expires)
}

// DeleteCtx ends a session.
func (st *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return st.ledger.DropSession(ctx, token)
}

// Find and the two below are scs.Store, which scs asks for and does not use.
func (st *sessionStore) Find(string) ([]byte, bool, error) { return nil, false, errNoContext }

// Commit is not used.
func (st *sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }

// Delete is not used.
func (st *sessionStore) Delete(string) error { return errNoContext }
