// Package api is what programs do with Rensa over HTTP: everything that the page
// and the commands do, under /api/v1, described by an OpenAPI 3.1 document.
//
// Who calls is told by a bearer token. One middleware decides about every
// operation: token, rate, role and merchant, in that order; an operation cannot be
// added without saying what it needs, and gets a merchant that the token may see or
// is not called. Faults are problem documents of RFC 9457 with the codes of the
// catalogue, or with one of this package's own, in the caller's language.
//
// Files come and go in memory that does not grow with them; every other body is
// limited. It decides nothing about files and orders: files are put on the work
// list, and orders go through the desk.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/rs/zerolog"

	"rensa/pkg/desk"
	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/report"
	"rensa/pkg/schedule"
	"rensa/pkg/storage"
	"rensa/templates"
)

// Prefix begins the paths of all operations.
const Prefix = "/api/v1"

// ErrGone says that a report cannot be made again: its original is no longer kept.
var ErrGone = errors.New("no longer kept")

// errNoReport says that a run has no report of a name.
var errNoReport = errors.New("the run has no such report")

// Explainer is an error that can tell people what is wrong and what to do.
type Explainer interface {
	error
	Explain(t *templates.Texts) (message string, hints []string)
}

// Options is what an API works with; all is required but what names a default.
type Options struct {
	Ledger *ledger.Ledger
	Policy *policy.Set
	Desk   *desk.Desk
	Dir    *storage.Dir // the workspace
	Book   inbox.Book   // the work list
	// Token gives the token of a secret. ledger.ErrNotFound: it is none, or no
	// longer good.
	Token func(ctx context.Context, secret string) (ledger.Token, error)
	// NewToken adds a token and gives its secret.
	NewToken func(ctx context.Context, k ledger.Token, actor string) (ledger.Token, string, error)
	// NewLink gives a user a one-time link to choose a password, as a path; UserName
	// the form in which a name to sign in with is kept.
	NewLink  func(ctx context.Context, user, actor string) (string, error)
	UserName func(string) (string, error)
	// Settle changes settings of a merchant, each as KEY=VALUE, and AddMerchant adds
	// one; what is wrong with a value is an Explainer. Default: neither can be done.
	Settle      func(ctx context.Context, actor, merchant string, assignments []string) ([]ledger.Event, error)
	AddMerchant func(ctx context.Context, actor, merchant, store string, assignments []string) error
	// Rebuild makes a report of a run again. ErrGone. Default: it cannot.
	Rebuild func(ctx context.Context, merchant, run, name string, w io.Writer) error
	// What is known of scheduled work; what is nil is not offered.
	Recommend func(ctx context.Context, merchant string, at time.Time) (r *report.Recommended, only func(most map[string]int64) []desk.Batch, err error)
	Deadlines func(ctx context.Context, merchant string, at time.Time) (*report.Deadlines, error)
	Scheduler *schedule.Scheduler
	// Wake tells whoever works the list off that there is something on it. Default:
	// nobody is told, and finds it by itself.
	Wake func()
	Log  zerolog.Logger
	// Now is the clock; default time.Now.
	Now func() time.Time
	// MaxFile is how long a file may be; default 512 MiB.
	MaxFile int64
	// Client is the address that a request came from; default its own.
	Client func(*http.Request) string
	// Rate is how many requests a second a token may make on end, Burst how many at
	// once; default 50 and 100. Requests without a good token: a tenth of it for each
	// address that they come from.
	Rate  float64
	Burst int
	// Version is the program's, for the document; default "development".
	Version string
}

func (o *Options) defaults() {
	if o.Wake == nil {
		o.Wake = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxFile <= 0 {
		o.MaxFile = 512 << 20
	}
	if o.Rate <= 0 {
		o.Rate = 50
	}
	if o.Burst <= 0 {
		o.Burst = 100
	}
	if o.Client == nil {
		o.Client = func(r *http.Request) string { return r.RemoteAddr }
	}
	if o.Version == "" {
		o.Version = "development"
	}
}

// API answers requests. It may be used by several goroutines.
type API struct {
	Options
	huma    huma.API
	mux     *http.ServeMux
	callers *limits // by token
	unknown *limits // by address, for requests without a good token
}

// New makes an API.
func New(opt Options) (*API, error) {
	opt.defaults()
	a := &API{
		Options: opt, mux: http.NewServeMux(),
		callers: newLimits(opt.Rate, opt.Burst, opt.Now),
		unknown: newLimits(opt.Rate/10, max(1, opt.Burst/10), opt.Now),
	}
	a.huma = humago.NewWithPrefix(a.mux, Prefix, a.config())
	a.huma.UseMiddleware(a.access)
	for _, add := range []func(){
		a.fileOperations, a.runOperations, a.orderOperations, a.draftOperations, a.stockOperations,
		a.reportOperations, a.outgoingOperations, a.merchantOperations, a.settingOperations, a.peopleOperations, a.plannedOperations,
	} {
		add()
	}
	if err := a.serveDocument(); err != nil {
		return nil, err
	}
	a.mux.HandleFunc(Prefix+"/", a.nothingThere)
	return a, nil
}

// config is huma's, without what it would add by itself: pages that ask other
// hosts for scripts, and links to schemas in every answer.
func (a *API) config() huma.Config {
	c := huma.DefaultConfig("Rensa", a.Version)
	c.CreateHooks, c.OpenAPIPath, c.DocsPath, c.SchemasPath = nil, "", "", ""
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{a.transform}
	c.Info.Description = about
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "a token of `rensa tokens add`"},
	}
	c.Security = []map[string][]string{{"token": {}}}
	c.Tags = []*huma.Tag{
		{Name: "Files", Description: "Files that are given to Rensa, and where they stand."},
		{Name: "Runs", Description: "Files that were processed, with what was found and the reports."},
		{Name: "Orders", Description: "Removal orders, and drafts of them."},
		{Name: "Inventory", Description: "The current stock and what is available of it."},
		{Name: "Reports", Description: "Reports of orders and stock as they are now."},
		{Name: "Outgoing", Description: "Files that are to be handed on to the marketplace or the warehouse."},
		{Name: "Planned", Description: "Scheduled work, what is recommended, and what waits to be disposed of."},
		{Name: "Merchants", Description: "Merchants and their settings."},
		{Name: "Access", Description: "Who may use the page and the API; for admins who see all merchants."},
	}
	return c
}

const about = "Removal orders by file and by hand. A token sees the merchants of its scope; where it sees " +
	"several, `merchant` says which is meant. Lists are given page by page: `next` of one answer is the `cursor` of the " +
	"following request, and empty at the end. Faults are problem documents (RFC 9457); their `code` is stable."

// serveDocument serves the OpenAPI document.
func (a *API) serveDocument() error {
	document, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return fmt.Errorf("OpenAPI document: %w", err)
	}
	a.mux.HandleFunc("GET "+Prefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write(document); err != nil {
			a.Log.Debug().Err(err).Msg("the document was not fetched to its end")
		}
	})
	return nil
}

// ServeHTTP answers a request. A panic is an internal fault of this one request.
func (a *API) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	w := &onceWriter{ResponseWriter: to}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		if w.begun {
			a.Log.Error().Err(err).Msg("an answer was broken off")
			panic(http.ErrAbortHandler)
		}
		a.fail(humago.NewContext(&huma.Operation{}, r, w), err)
	}()
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	a.mux.ServeHTTP(w, r)
}

// onceWriter gives an answer one status, whoever else wants to.
type onceWriter struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader counts once.
func (w *onceWriter) WriteHeader(status int) {
	if !w.begun {
		w.begun = true
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *onceWriter) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (w *onceWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// nothingThere answers for paths that are none of the API's, and for methods that
// a path does not have.
func (a *API) nothingThere(w http.ResponseWriter, r *http.Request) {
	c := humago.NewContext(&huma.Operation{}, r, w)
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := a.mux.Handler(other); pattern != Prefix+"/" {
			w.Header().Add("Allow", method)
		}
	}
	if w.Header().Get("Allow") != "" {
		a.fail(c, refuse(http.StatusMethodNotAllowed, "method_not_allowed", "method", r.Method))
		return
	}
	a.fail(c, refuse(http.StatusNotFound, "not_found", "what", r.URL.Path))
}
