// Package web is the page that people open and the API that programs call.
//
// Pages are rendered here and work without JavaScript; scripts make them quicker.
// Every route stands in one table with the scope and the role that it needs, and
// is checked in one place before its handler runs: session, merchant, role, forged
// forms, size of the body. A handler is one file; it reads the ledger, and changes
// orders through the desk alone. A dropped file is streamed into the merchant's
// inbox, never held in memory, and put on the list; whoever works it off answers it.
//
// Nothing is loaded from elsewhere, no script or style stands inside a page.
// Without TLS or a proxy that has it, it listens on this machine alone.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/rs/zerolog"

	"rensa/pkg/desk"
	"rensa/pkg/inbox"
	"rensa/pkg/inventory"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/storage"
	"rensa/pkg/web/api"
	"rensa/templates"
)

// Options is what a Server works with. Ledger, Policy, Desk, Dir, Book and Snapshot
// are required.
type Options struct {
	Ledger *ledger.Ledger
	Policy *policy.Set
	Desk   *desk.Desk
	Dir    *storage.Dir // the workspace
	// Book is the list of files that are to be answered.
	Book inbox.Book
	// Wake is called when a file was put on it, for whoever works it off in this
	// process. Default: it is found a little later.
	Wake func()
	// Snapshot opens the merchant's current snapshot; nil, nil where there is
	// none. It stays the giver's to close.
	Snapshot func(ctx context.Context, merchant string) (*inventory.Snapshot, error)
	// Settle changes settings of a merchant, each as KEY=VALUE, and AddMerchant
	// adds one; what is wrong with a value is an Explainer. Default: neither can
	// be done.
	Settle      func(ctx context.Context, actor, merchant string, assignments []string) ([]ledger.Event, error)
	AddMerchant func(ctx context.Context, actor, merchant, store string, assignments []string) error
	// Rebuild makes a report again whose file is no longer there; ErrGone where
	// that cannot be done. Default: it cannot.
	Rebuild func(ctx context.Context, merchant, run, file string, w io.Writer) error
	Planned

	// Listen is HOST:PORT; default 127.0.0.1:8321.
	Listen string
	// TLSCert and TLSKey are PEM files; both or none.
	TLSCert, TLSKey string
	// BehindProxy says that a proxy with TLS stands before this server and sets
	// X-Forwarded-For.
	BehindProxy bool
	// PublicURL is the address that people use, "https://rensa.example.com";
	// default: made from Listen.
	PublicURL string
	// MaxUpload is the largest file, in bytes; default 512 MiB.
	MaxUpload int64
	// StopWithin is how long requests may take to end; default 10 s.
	StopWithin time.Duration
	// Now is the clock; default time.Now. After gives a timer; default time.After.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
	Log   zerolog.Logger
	// Version of the program, for /metrics.
	Version string
}

// ErrGone says that something was there and is no longer kept.
var ErrGone = api.ErrGone

// Explainer is an error that can tell people what is wrong and what to do.
type Explainer interface {
	error
	Explain(t *templates.Texts) (message string, hints []string)
}

// Server answers requests. Handler may be called by any number of goroutines.
type Server struct {
	Options
	sessions *scs.SessionManager
	verify   *verifier
	limits   *limiters
	facets   facetCache
	metrics  *metrics
	api      *api.API
	pages    map[string]map[string]*page // by language and name
	assets   *assets
	routes   []route
	patterns map[string]bool // of all routes
	handler  http.Handler
	remembered
	stopping chan struct{} // closed when live answers have to end
	ending   func()
}

// New parses every template, so that a broken one is found at the start.
func New(opt Options) (*Server, error) {
	s := &Server{Options: opt, stopping: make(chan struct{})}
	s.ending = sync.OnceFunc(func() { close(s.stopping) })
	if err := s.validate(); err != nil {
		return nil, err
	}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.pages, err = s.parsePages(); err != nil {
		return nil, err
	}
	s.verify, s.limits = newVerifier(), newLimiters(s.Now)
	s.metrics = newMetrics(s.Version)
	s.facets.runs = map[string]*facets{}
	s.sessions = s.newSessions()
	if s.api, err = s.newAPI(); err != nil {
		return nil, err
	}
	s.routes = s.table()
	if s.handler, err = s.build(); err != nil {
		return nil, err
	}
	return s, nil
}

// validate sets defaults and names what cannot be.
func (o *Options) validate() error {
	if o.Ledger == nil || o.Policy == nil || o.Desk == nil || o.Dir == nil || o.Book == nil || o.Snapshot == nil {
		return errors.New("web: Ledger, Policy, Desk, Dir, Book and Snapshot are required")
	}
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.MaxUpload <= 0 {
		o.MaxUpload = 512 << 20
	}
	if o.StopWithin <= 0 {
		o.StopWithin = 10 * time.Second
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if err := o.checkListen(); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}

// Handler answers all requests.
func (s *Server) Handler() http.Handler { return s.handler }
