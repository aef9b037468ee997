package web

import (
	"bytes"
	"net/http"
)

// goTo sends the browser to another page of the merchant's, given by its path and
// query after /m/{merchant}/.
func goTo(w http.ResponseWriter, r *http.Request, v *visit, path string) error {
	return see(w, r, merchantPath(v.merchant.ID)+"/"+path)
}

// renderStatus is render with a status that says that something is not done.
func (s *Server) renderStatus(w http.ResponseWriter, r *http.Request, v *visit, status int, name string, data any) error {
	var b bytes.Buffer
	if err := s.execute(&b, r, v, name, "layout", data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := b.WriteTo(w); err != nil {
		s.Log.Debug().Err(err).Msg("the client went away")
	}
	return nil
}
