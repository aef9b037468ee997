package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"rensa/pkg/inbox"
)

func (s *Server) healthRoutes() []route {
	return []route{
		{pattern: "GET /healthz", bare: http.HandlerFunc(s.healthz)},
		{pattern: "GET /readyz", bare: http.HandlerFunc(s.readyz)},
		{pattern: "GET /metrics", bare: s.metrics.handler(s)},
	}
}

// healthz: the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

// readyz: the ledger can be read and the inbox is there.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.Ledger.Merchants(ctx); err != nil {
		s.Log.Warn().Err(err).Msg("not ready: the ledger")
		plain(w, http.StatusServiceUnavailable, "the ledger cannot be read\n")
		return
	}
	if there, err := s.Dir.Exists(inbox.Folder); err != nil || !there {
		s.Log.Warn().Err(err).Msg("not ready: the inbox")
		plain(w, http.StatusServiceUnavailable, "the inbox is not there\n")
		return
	}
	select {
	case <-s.stopping:
		plain(w, http.StatusServiceUnavailable, "stopping\n")
	default:
		plain(w, http.StatusOK, "ready\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // whoever asked is gone
}
