package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"rensa/pkg/ledger"
)

// welcomeForm is the page behind a one-time link: it asks for a new password.
type welcomeForm struct {
	Link, User, Problem string
	Least               int
}

// welcomePage only looks at the link, so that a mail program that opens it does
// not use it up.
func (s *Server) welcomePage(w http.ResponseWriter, r *http.Request, v *visit) error {
	form := &welcomeForm{Link: r.URL.Query().Get("link"), Least: minPassword}
	u, err := s.Ledger.Link(r.Context(), hashSecret(form.Link))
	if errors.Is(err, ledger.ErrNotFound) {
		return refuse(http.StatusNotFound, "web.err.link")
	}
	if err != nil {
		return err
	}
	form.User = u.ID
	return s.render(w, r, v, "welcome.html", form)
}

func (s *Server) welcome(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx := r.Context()
	form := &welcomeForm{Link: r.PostForm.Get("link"), Least: minPassword}
	if ok, wait := s.limits.try("a link", s.client(r)); !ok {
		w.Header().Set("Retry-After", retryAfter(wait))
		return refuse(http.StatusTooManyRequests, "web.sign_in.limited", "seconds", int(wait.Seconds())+1)
	}
	u, err := s.Ledger.Link(ctx, hashSecret(form.Link))
	if errors.Is(err, ledger.ErrNotFound) {
		return refuse(http.StatusNotFound, "web.err.link")
	}
	if err != nil {
		return err
	}
	s.limits.passed("a link")
	form.User = u.ID
	password := r.PostForm.Get("password")
	switch {
	case CheckPassword(u.ID, password) != nil:
		form.Problem = v.texts.T("web.password.bad", "least", minPassword)
	case password != r.PostForm.Get("again"):
		form.Problem = v.texts.T("web.password.differ")
	}
	if form.Problem != "" {
		return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "welcome.html", form)
	}
	u, err = s.Ledger.UseLink(ctx, hashSecret(form.Link), HashPassword(password), func(user string) ledger.Note {
		return ledger.Note{Actor: "user:" + user, What: "password set", Subject: user, Detail: "by link", Address: s.client(r)}
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return refuse(http.StatusNotFound, "web.err.link")
	}
	if err != nil {
		return err
	}
	return s.letIn(w, r, &u, "")
}

// retryAfter is a span as the header of that name has it.
func retryAfter(d time.Duration) string { return strconv.Itoa(int(d.Seconds()) + 1) }
