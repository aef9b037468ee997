package web

import (
	"errors"
	"net/http"
	"time"

	"rensa/pkg/ledger"
)

func (s *Server) signInRoutes() []route {
	return []route{
		{pattern: "GET /sign-in", scope: ofNobody, handle: s.signInPage},
		{pattern: "POST /sign-in", scope: ofNobody, handle: s.signIn},
		{pattern: "GET /welcome", scope: ofNobody, handle: s.welcomePage},
		{pattern: "POST /welcome", scope: ofNobody, handle: s.welcome},
		{pattern: "POST /sign-out", scope: ofUser, role: ledger.RoleViewer, handle: s.signOut},
	}
}

// signInForm is what the page to sign in shows.
type signInForm struct {
	Name, Next, Problem string
	Wait                time.Duration
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.user != nil {
		return see(w, r, "/")
	}
	return s.render(w, r, v, "sign_in.html", &signInForm{Next: next(r)})
}

// signIn looks at the password, as often as the limits allow. An unknown name
// takes as long and gets the same answer as a wrong password.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx := r.Context()
	form := &signInForm{Name: r.PostForm.Get("name"), Next: next(r)}
	refused := func(status int, what, key string) error {
		s.metrics.signIns.WithLabelValues(what).Inc()
		form.Problem = v.texts.T(key, "seconds", int(form.Wait.Seconds())+1)
		return s.renderStatus(w, r, v, status, "sign_in.html", form)
	}
	name, err := UserName(form.Name)
	if err != nil {
		name = "?"
	}
	ok, wait := s.limits.try(name, s.client(r))
	if !ok {
		form.Wait = wait
		w.Header().Set("Retry-After", retryAfter(wait))
		return refused(http.StatusTooManyRequests, "limited", "web.sign_in.limited")
	}
	u, err := s.Ledger.User(ctx, name)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return err
	}
	if ok, err = s.verify.matches(ctx, u.Password, r.PostForm.Get("password")); err != nil {
		return err
	}
	note := ledger.Note{Actor: "web", What: "sign-in refused", Subject: name, Address: s.client(r)}
	if !ok {
		if err := s.Ledger.AddNote(ctx, note); err != nil {
			return err
		}
		return refused(http.StatusUnauthorized, "refused", "web.sign_in.wrong")
	}
	s.limits.passed(name)
	return s.letIn(w, r, &u, form.Next)
}

// letIn begins a session and goes to where the user wanted.
func (s *Server) letIn(w http.ResponseWriter, r *http.Request, u *ledger.User, to string) error {
	if err := s.begin(r.Context(), u); err != nil {
		return err
	}
	s.metrics.signIns.WithLabelValues("ok").Inc()
	note := ledger.Note{Actor: "user:" + u.ID, What: "signed in", Subject: u.ID, Address: s.client(r)}
	if err := s.Ledger.AddNote(r.Context(), note); err != nil {
		return err
	}
	if to == "" {
		to = "/"
	}
	return see(w, r, to)
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	note := ledger.Note{Actor: v.actor(), What: "signed out", Subject: v.user.ID, Address: s.client(r)}
	if err := s.Ledger.AddNote(r.Context(), note); err != nil {
		return err
	}
	return see(w, r, "/sign-in")
}
