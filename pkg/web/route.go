package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"rensa/pkg/ledger"
)

// scope is what a route shows something of.
type scope int

const (
	// ofNobody: anyone may ask, signed in or not.
	ofNobody scope = iota
	// ofUser: what concerns whoever is signed in.
	ofUser
	// ofMerchant: what is one merchant's. The path has {merchant} in it.
	ofMerchant
	// ofAll: what concerns every merchant; for those who see them all.
	ofAll
)

// body is what a request of a route brings.
type body int

const (
	aForm   body = iota // a small form, or nothing
	aStream             // a form with a file in it, which the handler reads part by part
)

// route is one thing that can be asked for. The table of them is the one place
// that says who may.
type route struct {
	pattern string // of http.ServeMux
	scope   scope
	role    ledger.Role // at least; "" for ofNobody
	handle  handler
	body    body
	// live: the answer lasts as long as the page is open.
	live bool
	// bare: the route looks after itself: no session, no form of ours.
	bare http.Handler
}

// handler answers a request that was let in. What it returns is told to the user;
// it must not have written then.
type handler func(w http.ResponseWriter, r *http.Request, v *visit) error

// table is all routes. Each group stands beside its handlers.
func (s *Server) table() []route {
	return slices.Concat(
		s.staticRoutes(),
		s.healthRoutes(),
		s.signInRoutes(),
		s.homeRoutes(),
		s.fileRoutes(),
		s.orderRoutes(),
		s.draftRoutes(),
		s.stockRoutes(),
		s.plannedRoutes(),
		s.settingRoutes(),
	)
}

// build makes the handler of all routes.
func (s *Server) build() (http.Handler, error) {
	mux := http.NewServeMux()
	s.patterns = map[string]bool{}
	for i := range s.routes {
		rt := &s.routes[i]
		if strings.Contains(rt.pattern, "{merchant}") != (rt.scope == ofMerchant) {
			return nil, fmt.Errorf("web: route %s: its path and its scope disagree", rt.pattern)
		}
		if (rt.scope == ofNobody) != (rt.role == "") || rt.scope != ofNobody && !rt.role.Known() {
			return nil, fmt.Errorf("web: route %s: its scope and its role disagree", rt.pattern)
		}
		if s.patterns[rt.pattern] {
			return nil, fmt.Errorf("web: route %s stands twice", rt.pattern)
		}
		s.patterns[rt.pattern] = true
		if rt.bare != nil {
			mux.Handle(rt.pattern, rt.bare)
		} else {
			mux.Handle(rt.pattern, s.admit(rt))
		}
	}
	return s.outer(mux), nil
}

// has tells whether a page exists, by its pattern without the method.
func (s *Server) has(path string) bool { return s.patterns["GET "+path] }
