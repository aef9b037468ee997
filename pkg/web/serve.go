package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultListen is where the page is where nothing else is said.
const DefaultListen = "127.0.0.1:8321"

// ErrExposed says that the server would be reachable from other machines without
// anything that keeps passwords from being read on the way.
var ErrExposed = errors.New("listening beyond this machine needs TLS or behind_proxy")

// ErrSetting says that the page cannot be opened as Listen, PublicURL, TLSCert and
// TLSKey have it.
var ErrSetting = errors.New("settings of the page")

// checkListen refuses to listen on other than loopback without TLS or a proxy.
func (o *Options) checkListen() error {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("%w: listen %s: %w", ErrSetting, o.Listen, err)
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		return fmt.Errorf("%w: tls_cert and tls_key belong together", ErrSetting)
	}
	if o.PublicURL != "" {
		u, err := url.Parse(o.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return fmt.Errorf("%w: public_url %q is not an address such as https://rensa.example.com", ErrSetting, o.PublicURL)
		}
	}
	if o.TLSCert != "" || o.BehindProxy || host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("listen %s: %w", o.Listen, ErrExposed)
	}
	return nil
}

// secure tells whether people reach the server by https.
func (o *Options) secure() bool { return o.TLSCert != "" || o.BehindProxy }

// Address is the server's address as people type it, without a slash at its end.
func (o *Options) Address() string {
	if o.PublicURL != "" {
		return strings.TrimRight(o.PublicURL, "/")
	}
	listen := o.Listen
	if listen == "" {
		listen = DefaultListen
	}
	if host, port, err := net.SplitHostPort(listen); err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		listen = net.JoinHostPort("localhost", port)
	}
	if o.TLSCert != "" {
		return "https://" + listen
	}
	return "http://" + listen
}

// Run serves until ctx ends, then lets requests end in order. started, where it is
// not nil, is called with the address once connections are accepted.
func (s *Server) Run(ctx context.Context, started func(net.Addr)) error {
	s.clearDeliveries(ctx)
	// What lasts as long as the page is open must end before the server can.
	live, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	server := &http.Server{
		Handler: s.handler,
		// No limit on a whole request: an upload of 512 MiB may take its time,
		// and so may events. Whoever sends nothing is let go by streams.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return live },
		ErrorLog:          stdlog.New(s.Log, "", 0),
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if s.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
		if err != nil {
			return fmt.Errorf("web: %w: %w", ErrSetting, err)
		}
		server.TLSConfig.Certificates = []tls.Certificate{pair}
	}
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("web: %w: %w", ErrSetting, err)
	}
	s.Log.Info().Str("address", listener.Addr().String()).Bool("tls", s.TLSCert != "").Msg("the page is open")
	if started != nil {
		started(listener.Addr())
	}
	ended := make(chan error, 1)
	go func() {
		if s.TLSCert != "" {
			ended <- server.ServeTLS(listener, "", "")
		} else {
			ended <- server.Serve(listener)
		}
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("web: %w", err)
	case <-ctx.Done():
	}
	s.ending()
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.StopWithin)
	defer cancel()
	err = server.Shutdown(late)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Log.Warn().Msg("requests were broken off")
		err = server.Close()
	}
	if closed := <-ended; !errors.Is(closed, http.ErrServerClosed) {
		err = errors.Join(err, closed)
	}
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}
