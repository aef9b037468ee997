package web

import (
	"net/http"

	"rensa/pkg/ledger"
)

func (s *Server) homeRoutes() []route {
	return []route{
		{pattern: "GET /{$}", scope: ofUser, role: ledger.RoleViewer, handle: s.home},
		{pattern: "GET /m/{merchant}", scope: ofMerchant, role: ledger.RoleViewer, handle: s.merchantHome},
		{pattern: "GET /", bare: http.HandlerFunc(s.nowhere)},
	}
}

// home goes to the user's merchant, or lets choose among several.
func (s *Server) home(w http.ResponseWriter, r *http.Request, v *visit) error {
	links, err := s.merchantsOf(r, v)
	if err != nil {
		return err
	}
	if len(links) == 1 {
		return see(w, r, links[0].Path)
	}
	return s.render(w, r, v, "home.html", links)
}

func (s *Server) merchantHome(w http.ResponseWriter, r *http.Request, v *visit) error {
	return see(w, r, merchantPath(v.merchant.ID, "files"))
}

func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, &visit{texts: s.textsOf(r, nil, nil)}, errNotFound)
}
