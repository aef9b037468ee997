package web

import (
	"crypto/subtle"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

// maxForm is the most bytes of a form without files.
const maxForm = 1 << 20

// visit is what is known of a request once it was let in.
type visit struct {
	route    *route
	user     *ledger.User      // nil where nobody is signed in
	merchant *removal.Merchant // nil but for ofMerchant
	texts    *templates.Texts
	csrf     string // to stand in every form
	// parts is the form of a route whose body is aStream, past its first part.
	parts *multipart.Reader
}

// actor is who does something, as the history has it.
func (v *visit) actor() string {
	if v.user == nil {
		return "web"
	}
	return "user:" + v.user.ID
}

// admit lets a request in, or says why not: every check of every route is here.
func (s *Server) admit(rt *route) http.Handler {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{route: rt, texts: s.textsOf(r, nil, nil)}
		err := s.check(w, r, v)
		if err == nil {
			err = rt.handle(w, r, v)
		}
		if err != nil {
			s.fail(w, r, v, err)
		}
	})
	return s.sessions.LoadAndSave(inner)
}

func (s *Server) check(w http.ResponseWriter, r *http.Request, v *visit) error {
	var err error
	if v.user, err = s.signedIn(r); err != nil {
		return err
	}
	v.texts = s.textsOf(r, v.user, nil)
	if err := s.checkScope(r, v); err != nil {
		return err
	}
	v.texts = s.textsOf(r, v.user, v.merchant)
	v.csrf = s.formToken(w, r, v)
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	return s.checkForm(w, r, v)
}

// checkScope: is anybody signed in, is the merchant in scope, may the user do this?
func (s *Server) checkScope(r *http.Request, v *visit) error {
	rt := v.route
	if rt.scope == ofNobody {
		return nil
	}
	if v.user == nil {
		return errSignIn
	}
	switch rt.scope {
	case ofMerchant:
		id := r.PathValue("merchant")
		if !v.user.Sees(id) {
			return errNotFound // nor is it told that there is such a merchant
		}
		m, err := s.Ledger.Merchant(r.Context(), id)
		if errors.Is(err, ledger.ErrNotFound) {
			return errNotFound
		}
		if err != nil {
			return err
		}
		v.merchant = &m
	case ofAll:
		if !v.user.AllMerchants {
			return errForbidden
		}
	case ofUser, ofNobody:
	}
	if !v.user.Role.Covers(rt.role) {
		return errForbidden
	}
	return nil
}

// checkForm refuses forms that another site made, and bodies that are too large.
func (s *Server) checkForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	given := r.Header.Get("X-CSRF-Token")
	if v.route.body == aStream {
		if err := v.openForm(r, &given); err != nil {
			return err
		}
	} else {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			return badForm(err)
		}
		if given == "" {
			given = r.PostForm.Get("csrf")
		}
	}
	if v.csrf == "" || subtle.ConstantTimeCompare([]byte(given), []byte(v.csrf)) != 1 {
		return errForged
	}
	return nil
}

// openForm opens a form with a file in it. Its first part is the token, so that
// nothing is taken of a form that was forged.
func (v *visit) openForm(r *http.Request, token *string) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return badForm(err)
	}
	v.parts = parts
	if *token != "" {
		return nil
	}
	first, err := parts.NextPart()
	if err != nil {
		return badForm(err)
	}
	if first.FormName() != "csrf" {
		return errForged
	}
	text, err := io.ReadAll(io.LimitReader(first, 200))
	*token = string(text)
	if err != nil {
		return badForm(err)
	}
	return nil
}

func badForm(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refuse(http.StatusRequestEntityTooLarge, "web.err.form_large")
	}
	return refuse(http.StatusBadRequest, "web.err.form").because(err)
}

// next is a path of ours to go on to, from a form or an address; "" for any other.
func next(r *http.Request) string {
	u, err := url.Parse(r.FormValue("next"))
	if err != nil || u.IsAbs() || u.Host != "" || len(u.Path) < 2 || u.Path[0] != '/' || u.Path[1] == '/' || u.Path[1] == '\\' {
		return ""
	}
	return u.RequestURI()
}
