package web

import (
	"net/http"
	"slices"

	"rensa/pkg/ledger"
	"rensa/templates"
)

// myForm is the page of a user's own settings.
type myForm struct {
	Languages []string
	Themes    []string
	Problem   string
	Least     int
}

func newMyForm() *myForm {
	return &myForm{Languages: templates.Languages(), Themes: []string{"light", "dark"}, Least: minPassword}
}

func (s *Server) mePage(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.render(w, r, v, "me.html", newMyForm())
}

// setMe changes how the page looks to whoever is signed in.
func (s *Server) setMe(w http.ResponseWriter, r *http.Request, v *visit) error {
	u := *v.user
	u.Name, u.Language, u.Theme = r.PostForm.Get("name"), r.PostForm.Get("language"), r.PostForm.Get("theme")
	known := func(value string, of []string) bool { return value == "" || slices.Contains(of, value) }
	form := newMyForm()
	if !known(u.Language, form.Languages) || !known(u.Theme, form.Themes) || len(u.Name) > 100 {
		return refuse(http.StatusBadRequest, "web.err.form")
	}
	if err := s.Ledger.SetUser(r.Context(), u); err != nil {
		return err
	}
	s.flash(r, s.textsOf(r, &u, nil).T("web.saved"))
	return see(w, r, "/me")
}

// setPassword needs the old password, and ends the user's other sessions.
func (s *Server) setPassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	ctx := r.Context()
	form := newMyForm()
	password := r.PostForm.Get("password")
	ok, wait := s.limits.try(v.user.ID, s.client(r))
	if !ok {
		w.Header().Set("Retry-After", retryAfter(wait))
		return refuse(http.StatusTooManyRequests, "web.sign_in.limited", "seconds", int(wait.Seconds())+1)
	}
	ok, err := s.verify.matches(ctx, v.user.Password, r.PostForm.Get("old"))
	if err != nil {
		return err
	}
	switch {
	case !ok:
		form.Problem = v.texts.T("web.me.old_wrong")
	case CheckPassword(v.user.ID, password) != nil:
		form.Problem = v.texts.T("web.password.bad", "least", minPassword)
	case password != r.PostForm.Get("again"):
		form.Problem = v.texts.T("web.password.differ")
	}
	if form.Problem != "" {
		return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "me.html", form)
	}
	s.limits.passed(v.user.ID)
	note := ledger.Note{Actor: v.actor(), What: "password set", Subject: v.user.ID, Address: s.client(r)}
	if err := s.Ledger.SetPassword(ctx, v.user.ID, HashPassword(password), note); err != nil {
		return err
	}
	u, err := s.Ledger.User(ctx, v.user.ID)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, &u); err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.me.password_set"))
	return see(w, r, "/me")
}
