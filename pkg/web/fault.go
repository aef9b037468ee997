package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
)

// fault is an answer that refuses a request, told in the user's language.
type fault struct {
	status int
	key    string
	args   []any
	err    error // cause, for the log
}

// refuse makes a fault of a status and a text.
func refuse(status int, key string, args ...any) *fault {
	return &fault{status: status, key: key, args: args}
}

func (f *fault) because(err error) *fault {
	f.err = err
	return f
}

func (f *fault) Error() string {
	if f.err != nil {
		return fmt.Sprintf("%s: %v", f.key, f.err)
	}
	return f.key
}

func (f *fault) Unwrap() error { return f.err }

// What is refused wherever it comes up.
var (
	errSignIn    = refuse(http.StatusUnauthorized, "web.err.sign_in")
	errForbidden = refuse(http.StatusForbidden, "web.err.forbidden")
	errForged    = refuse(http.StatusForbidden, "web.err.forged")
	errNotFound  = refuse(http.StatusNotFound, "web.err.not_found")
	errInternal  = refuse(http.StatusInternalServerError, "web.err.internal")
)

// faultOf makes a fault of any error: what is not ours to tell is internal.
func faultOf(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return errNotFound
	case errors.Is(err, ledger.ErrCursor):
		return refuse(http.StatusBadRequest, "web.err.cursor")
	case errors.Is(err, ledger.ErrConflict), errors.Is(err, ledger.ErrExists):
		return refuse(http.StatusConflict, "web.err.conflict").because(err)
	case errors.Is(err, ledger.ErrBusy):
		return refuse(http.StatusServiceUnavailable, "web.err.busy").because(err)
	case errors.Is(err, ErrGone):
		return refuse(http.StatusGone, "web.err.gone")
	case errors.Is(err, desk.ErrState):
		return refuse(http.StatusConflict, "web.err.state").because(err)
	case errors.Is(err, desk.ErrNoSnapshot):
		return refuse(http.StatusConflict, "web.err.no_snapshot")
	case errors.Is(err, context.Canceled):
		return refuse(499, "web.err.cancelled").because(err) // nobody reads it
	}
	return refuse(http.StatusInternalServerError, "web.err.internal").because(err)
}

// fail tells the user that a request was refused or failed: the one place that
// turns an error into a page.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	f := faultOf(err)
	if f.status >= 500 {
		s.Log.Error().Err(err).Str("method", r.Method).Str("path", r.URL.Path).Msg("a request failed")
	}
	w.Header().Set("Cache-Control", "no-store")
	partial := r.Header.Get("HX-Request") != ""
	if f == errSignIn && r.Method == http.MethodGet && !partial && strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Redirect(w, r, "/sign-in?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	text := v.texts.T(f.key, f.args...)
	if wantsText(r) {
		http.Error(w, text, f.status)
		return
	}
	var b bytes.Buffer
	name := "problem.html"
	data := map[string]any{"Status": f.status, "Text": text, "Code": strings.TrimPrefix(f.key, "web.err.")}
	if partial {
		w.Header().Set("HX-Retarget", "#notice")
		w.Header().Set("HX-Reswap", "innerHTML")
		err = s.execute(&b, r, v, name, "notice", data)
	} else {
		err = s.execute(&b, r, v, name, "layout", data)
	}
	if err != nil {
		s.Log.Error().Err(err).Msg("the problem page")
		http.Error(w, text, f.status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(f.status)
	if _, err := b.WriteTo(w); err != nil {
		s.Log.Debug().Err(err).Msg("the client went away")
	}
}

// wantsText tells whether a request does not come from a page that shows HTML.
func wantsText(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return r.Header.Get("HX-Request") == "" && accept != "" && !strings.Contains(accept, "text/html") && !strings.Contains(accept, "*/*")
}
