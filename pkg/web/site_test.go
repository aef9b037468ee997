package web

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
	"rensa/samples"
)

// The merchants and users of a site. Each user's password is password; those named
// for a role see the merchant shop alone, boss sees all.
const (
	shop     = "shop"
	stranger = "stranger"
	password = "three quiet herons"

	viewer   = "viewer"
	operator = "operator"
	admin    = "admin"
	boss     = "boss"
	outsider = "outsider" // an admin of stranger's
)

var passwordHash = sync.OnceValue(func() string { return HashPassword(password) })

// site is a workspace with the demo's stock in shop, served for a test.
type site struct {
	t         testing.TB
	root      string
	ledger    *ledger.Ledger
	processor *process.Processor
	dir       *storage.Dir
	policy    *policy.Set
	server    *Server
	http      *httptest.Server
}

// newSite makes a site; change may be nil.
func newSite(t testing.TB, change func(*Options)) *site {
	t.Helper()
	st := &site{t: t, root: t.TempDir()}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	st.ledger, err = ledger.Open(t.Context(), filepath.Join(st.root, "rensa.db"), ledger.Options{})
	must(err)
	set, err := policy.Load(nil)
	must(err)
	st.processor, err = process.New(process.Options{
		Ledger: st.ledger, Policy: set, Root: st.root, Now: time.Now, Limits: decode.DefaultLimits(), Log: zerolog.Nop(),
	})
	must(err)
	st.dir, err = storage.Open(st.root)
	must(err)
	must(st.dir.MakeDir(inbox.Folder + "/" + shop))
	must(st.dir.MakeDir(inbox.Folder + "/" + stranger))
	st.people(must)
	opt := Options{
		Ledger: st.ledger, Policy: set, Desk: st.processor.Desk(), Dir: st.dir, Snapshot: st.processor.Snapshot, Book: st.processor.Book(),
		Rebuild: st.processor.Rebuild, Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.ErrorLevel),
	}
	st.policy = set
	opt.Planned = st.planned()
	if change != nil {
		change(&opt)
	}
	st.server, err = New(opt)
	must(err)
	st.http = httptest.NewServer(st.server.Handler())
	t.Cleanup(func() {
		st.server.ending()
		st.http.Close()
		must(st.processor.Close())
		must(st.dir.Close())
		must(st.ledger.Close())
	})
	return st
}

// people adds merchants, the demo's inventory and users.
func (st *site) people(must func(error)) {
	st.t.Helper()
	ctx := st.t.Context()
	profile := ledger.DefaultProfile()
	profile.Language, profile.TimeZone = "en", "Europe/Stockholm"
	for key, value := range demo(st.t).Profile {
		must(ledger.SetSetting(&profile, key, value))
	}
	profile.Language = "en"
	profile.Name = "Nordic Shop"
	must(st.ledger.AddMerchant(ctx, removal.Merchant{ID: shop, Profile: profile}))
	profile.Name = "Somebody Else"
	must(st.ledger.AddMerchant(ctx, removal.Merchant{ID: stranger, Profile: profile}))
	for _, u := range []ledger.User{
		{ID: viewer, Access: ledger.Access{Role: ledger.RoleViewer, Merchants: []string{shop}}},
		{ID: operator, Access: ledger.Access{Role: ledger.RoleOperator, Merchants: []string{shop}}},
		{ID: admin, Access: ledger.Access{Role: ledger.RoleAdmin, Merchants: []string{shop}}},
		{ID: outsider, Access: ledger.Access{Role: ledger.RoleAdmin, Merchants: []string{stranger}}},
		{ID: boss, Access: ledger.Access{Role: ledger.RoleAdmin, AllMerchants: true}},
	} {
		u.Password = passwordHash()
		must(st.ledger.AddUser(ctx, u))
	}
	for _, name := range st.inputs() {
		if strings.Contains(name, "inventory") || strings.Contains(name, "lager") {
			st.drop(name, demoFile(st.t, name))
		}
	}
	if s, err := st.ledger.Snapshot(ctx, shop); err != nil || s == nil {
		st.t.Fatalf("the demo has no inventory among %v: %v", st.inputs(), err)
	}
}

func demo(t testing.TB) *samples.Case {
	t.Helper()
	all, err := samples.Cases()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(c samples.Case) bool { return c.Demo })
	return &all[i]
}

func (st *site) inputs() []string {
	st.t.Helper()
	names, err := demo(st.t).Inputs()
	if err != nil {
		st.t.Fatal(err)
	}
	return names
}

func demoFile(t testing.TB, name string) []byte {
	t.Helper()
	body, err := fs.ReadFile(demo(t).FS, name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// drop takes a file of shop's in at once and gives its run.
func (st *site) drop(name string, content []byte) *process.Result {
	st.t.Helper()
	path := filepath.Join(st.t.TempDir(), "dropped")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		st.t.Fatal(err)
	}
	r, err := st.processor.Process(context.WithoutCancel(st.t.Context()), process.Request{
		Merchant: shop, Path: path, Name: name, AsOf: time.Now(), Actor: "tester",
	})
	if err != nil {
		st.t.Fatalf("%s: %v", name, err)
	}
	return r
}

// live lets inbox and work run until the test ends, as serve does.
func (st *site) live() {
	st.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(st.t.Context()))
	wake := make(chan struct{}, 1)
	var all sync.WaitGroup
	all.Go(func() {
		if err := st.processor.Work(ctx, wake, process.WorkOptions{}); err != nil {
			st.t.Error(err)
		}
	})
	in := inbox.New(inbox.Options{Dir: st.dir, Book: st.processor.Book(), Log: zerolog.Nop()})
	all.Go(func() {
		if err := in.Run(ctx, func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		}); err != nil {
			st.t.Error(err)
		}
	})
	st.t.Cleanup(func() {
		cancel()
		all.Wait()
	})
}

// client is a browser without scripts. It does not follow redirects.
type client struct {
	*http.Client
	site *site
	csrf string
}

// visitor is a client that has not signed in.
func (st *site) visitor() *client {
	st.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		st.t.Fatal(err)
	}
	return &client{site: st, Client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// as is a client that has signed in.
func (st *site) as(user string) *client {
	st.t.Helper()
	c := st.visitor()
	c.open("/sign-in")
	if r := c.post("/sign-in", url.Values{"name": {user}, "password": {password}}); r.status != http.StatusSeeOther {
		st.t.Fatalf("%s could not sign in: %d", user, r.status)
	}
	c.open("/me")
	return c
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

var formToken = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// open gets a page and keeps the token of its forms.
func (c *client) open(path string) reply {
	c.site.t.Helper()
	r := c.do(http.MethodGet, path, nil, nil)
	if m := formToken.FindStringSubmatch(r.body); m != nil {
		c.csrf = m[1]
	}
	return r
}

// post sends a form as the page last opened would.
func (c *client) post(path string, form url.Values) reply {
	c.site.t.Helper()
	form = maps.Clone(form)
	if form == nil {
		form = url.Values{}
	}
	if form.Get("csrf") == "" {
		form.Set("csrf", c.csrf)
	}
	return c.do(http.MethodPost, path, strings.NewReader(form.Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
}

func (c *client) do(method, path string, body io.Reader, header http.Header) reply {
	c.site.t.Helper()
	r, err := http.NewRequestWithContext(c.site.t.Context(), method, c.site.http.URL+path, body)
	if err != nil {
		c.site.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	maps.Copy(r.Header, header)
	resp, err := c.Do(r)
	if err != nil {
		c.site.t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		c.site.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, b.String()}
}

// SKUs of the demo's inventory.
const (
	goodSKU  = "LIGGU-185"
	goodSKU2 = "PANN-300LM"
	goodSKU3 = "STORM-4P"
)

// file writes a file that a browser can choose.
func (st *site) file(name, content string) string {
	st.t.Helper()
	path := filepath.Join(st.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		st.t.Fatal(err)
	}
	return path
}
