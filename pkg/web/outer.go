package web

import (
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// policy of what a page may load: only what lies here, and nothing inside the page.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// outer is what happens to every request, whatever its route.
func (s *Server) outer(mux *http.ServeMux) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &visit{texts: s.textsOf(r, nil, nil)}, errForged)
	}))
	if s.PublicURL != "" {
		// checkListen has looked at it; a proxy may give another Host.
		if err := cross.AddTrustedOrigin(s.Address()); err != nil {
			s.Log.Warn().Err(err).Msg("public_url is not trusted as an origin")
		}
	}
	inner := cross.Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		if s.secure() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		watched := &watchedWriter{ResponseWriter: w}
		begun := s.Now()
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http panics with the very value
					panic(p)
				}
				s.Log.Error().Str("path", r.URL.Path).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("a request failed")
				if watched.status == 0 {
					s.fail(watched, r, &visit{texts: s.textsOf(r, nil, nil)}, errInternal)
				}
			}
			_, pattern := mux.Handler(r)
			s.metrics.request(pattern, r.Method, watched.status, s.Now().Sub(begun))
			s.Log.Debug().Str("method", r.Method).Str("route", pattern).Int("status", watched.status).
				Dur("took", s.Now().Sub(begun)).Msg("request")
		}()
		inner.ServeHTTP(watched, r)
	})
}

// watchedWriter remembers the status of an answer.
type watchedWriter struct {
	http.ResponseWriter
	status int
}

func (w *watchedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// client is the address that a request came from. Behind a proxy it is what the
// proxy says, which is the last entry: those before it are anybody's.
func (s *Server) client(r *http.Request) string {
	if s.BehindProxy {
		all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if ip := net.ParseIP(strings.TrimSpace(all[len(all)-1])); ip != nil {
			return ip.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// patience is how long a client that sends a file may send nothing.
const patience = time.Minute
