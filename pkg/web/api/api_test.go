package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
	"rensa/pkg/web/api"
	"rensa/samples"
)

// server is a workspace of two merchants, m and other, served by the API over a
// real connection. Its answers are held against the document.
type server struct {
	t      testing.TB
	root   string
	ledger *ledger.Ledger
	*process.Processor
	api       *api.API
	http      *httptest.Server
	validator validator.Validator
	log       bytes.Buffer
	seen      map[string]bool // operations of the document that were answered well
	// tick is added to the clock.
	tick time.Duration
}

const (
	viewer   = "viewer-of-m"
	operator = "operator-of-m"
	admin    = "admin-of-m"
	stranger = "operator-of-other"
	everyone = "admin-of-all"
	expired  = "expired"
)

func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (s *server) now() time.Time { return time.Now().Add(s.tick) }

func newServer(t testing.TB, change ...func(*api.Options)) *server {
	t.Helper()
	s := &server{t: t, root: t.TempDir(), seen: map[string]bool{}}
	set, err := policy.Load(nil)
	s.must(err)
	s.ledger, err = ledger.Open(t.Context(), filepath.Join(s.root, "rensa.db"), ledger.Options{Now: s.now})
	s.must(err)
	for _, id := range []string{"m", "other"} {
		s.must(s.ledger.AddMerchant(t.Context(), removal.Merchant{ID: id, Profile: removal.Profile{
			Name: id, HomeStore: "SE", Language: "en", TimeZone: "Europe/Stockholm", DefaultMethod: removal.Return,
			Acceptance: removal.AcceptRow, Split: true, Resubmit: removal.ResubmitContinue,
			ReturnAddress: removal.Address{Name: "Granåsens Fritid AB", Line1: "Lagergatan 14", City: "Östersund", PostalCode: "831 37", Country: "SE"},
		}}))
	}
	s.tokens()
	log := zerolog.New(&s.log)
	s.Processor, err = process.New(process.Options{
		Ledger: s.ledger, Policy: set, Root: s.root, Now: s.now, Limits: decode.DefaultLimits(), Log: zerolog.Nop(),
	})
	s.must(err)
	dir, err := storage.Open(s.root)
	s.must(err)
	opt := api.Options{
		Ledger: s.ledger, Policy: set, Desk: s.Desk(), Dir: dir, Book: s.Book(), Log: log, Now: s.now, Rate: 1000, Burst: 10000,
		Token: func(ctx context.Context, secret string) (ledger.Token, error) {
			return s.ledger.TokenOf(ctx, hashed(secret))
		},
		Rebuild: func(ctx context.Context, merchant, run, name string, w io.Writer) error {
			err := s.Rebuild(ctx, merchant, run, name, w)
			if errors.Is(err, process.ErrOriginalGone) {
				return api.ErrGone
			}
			return err
		},
	}
	opt.NewToken = func(ctx context.Context, k ledger.Token, _ string) (ledger.Token, string, error) {
		k.ID, k.Hash = "made", hashed("secret of "+k.Name)
		return k, "secret of " + k.Name, s.ledger.AddToken(ctx, k)
	}
	opt.NewLink = func(_ context.Context, user, _ string) (string, error) { return "/welcome?link=" + user, nil }
	opt.UserName = func(name string) (string, error) { return strings.ToLower(name), nil }
	s.planned(&opt)
	for _, c := range change {
		c(&opt)
	}
	s.api, err = api.New(opt)
	s.must(err)
	s.http = httptest.NewServer(s.api)
	t.Cleanup(func() {
		s.http.Close()
		s.must(errors.Join(s.Processor.Close(), dir.Close(), s.ledger.Close()))
	})
	return s
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) tokens() {
	s.t.Helper()
	of := func(role ledger.Role, merchants ...string) ledger.Access {
		return ledger.Access{Role: role, Merchants: merchants, AllMerchants: len(merchants) == 0}
	}
	for secret, access := range map[string]ledger.Access{
		viewer: of(ledger.RoleViewer, "m"), operator: of(ledger.RoleOperator, "m"), admin: of(ledger.RoleAdmin, "m"),
		stranger: of(ledger.RoleOperator, "other"), everyone: of(ledger.RoleAdmin), expired: of(ledger.RoleAdmin),
	} {
		k := ledger.Token{ID: secret, Name: secret, Hash: hashed(secret), Access: access}
		if secret == expired {
			k.Expires = s.now().Add(-time.Minute)
		}
		s.must(s.ledger.AddToken(s.t.Context(), k))
	}
}

// work works the list off in the background until the test ends.
func (s *server) work() {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Work(ctx, nil, process.WorkOptions{StopWithin: 5 * time.Second}) }()
	s.t.Cleanup(func() {
		stop()
		s.must(<-done)
	})
}

// take processes a sample's file for a merchant, now.
func (s *server) take(merchant, sample, name string) *process.Result {
	s.t.Helper()
	r, err := s.Process(s.t.Context(), process.Request{Merchant: merchant, Path: s.sample(sample, name), Name: name})
	s.must(err)
	return r
}

// sample writes a sample's file out.
func (s *server) sample(sample, name string) string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), name)
	s.must(os.WriteFile(file, content(s.t, sample, name), 0o600))
	return file
}

func content(t testing.TB, sample, name string) []byte {
	t.Helper()
	f, err := samples.Files.Open(sample + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	body, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// document is the OpenAPI document, validated.
func (s *server) document() validator.Validator {
	s.t.Helper()
	if s.validator != nil {
		return s.validator
	}
	text := s.do(everyone, "GET", "/openapi.json", nil).body
	doc, err := libopenapi.NewDocument(text)
	s.must(err)
	v, errs := validator.NewValidator(doc)
	s.must(errors.Join(errs...))
	if ok, faults := v.ValidateDocument(); !ok {
		for _, f := range faults {
			s.t.Errorf("the document: %s: %s: %+v", f.Message, f.Reason, f.SchemaValidationErrors)
		}
		s.t.FailNow()
	}
	s.validator = v
	return v
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// do makes a request and looks at nothing of its answer.
func (s *server) do(token, method, path string, body any, header ...string) *answer {
	s.t.Helper()
	return s.send(s.request(token, method, path, body, header...))
}

func (s *server) request(token, method, path string, body any, header ...string) *http.Request {
	s.t.Helper()
	var from io.Reader
	kind := ""
	switch body := body.(type) {
	case nil:
	case string:
		from, kind = strings.NewReader(body), "application/octet-stream"
	case []byte:
		from, kind = bytes.NewReader(body), "application/octet-stream"
	case io.Reader:
		from, kind = body, "application/octet-stream"
	default:
		text, err := json.Marshal(body)
		s.must(err)
		from, kind = bytes.NewReader(text), "application/json"
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+api.Prefix+path, from)
	s.must(err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (s *server) send(r *http.Request) *answer {
	s.t.Helper()
	got, err := s.http.Client().Do(r)
	s.must(err)
	defer got.Body.Close()
	a := &answer{t: s.t, status: got.StatusCode, header: got.Header}
	a.body, err = io.ReadAll(got.Body)
	s.must(err)
	return a
}

// call makes a request whose answer is to have a status, and holds the answer
// against the document.
func (s *server) call(want int, token, method, path string, body any, header ...string) *answer {
	s.t.Helper()
	v := s.document()
	r := s.request(token, method, path, body, header...)
	a := s.send(r)
	if a.status != want {
		s.t.Fatalf("%s %s: %d, want %d: %s\n%s", method, path, a.status, want, a.body, s.log.String())
	}
	s.fits(v, r, a)
	return a
}

// fits tells where an answer is not what the document says.
func (s *server) fits(v validator.Validator, r *http.Request, a *answer) {
	s.t.Helper()
	if a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotFound && strings.Contains(string(a.body), "problem:not_found") {
		return // of no operation
	}
	kind := a.header.Get("Content-Type")
	if kind != "" && !strings.Contains(kind, "json") {
		return // files are not documents
	}
	ok, faults := v.ValidateHttpResponse(r, &http.Response{
		StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r,
	})
	if !ok {
		for _, f := range faults {
			s.t.Errorf("%s %s does not fit the document: %s: %s", r.Method, r.URL, f.Message, f.Reason)
			for _, e := range f.SchemaValidationErrors {
				s.t.Errorf("  %s at %s", e.Reason, e.FieldPath)
			}
		}
		s.t.Logf("%s", a.body)
	}
}

// get reads a part of the answer, named by keys and numbers.
func (a *answer) get(path ...any) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			if !ok {
				a.t.Fatalf("no %v in %s", path, a.body)
			}
			v = object[step]
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				a.t.Fatalf("no %v in %s", path, a.body)
			}
			v = list[step]
		}
	}
	return v
}

func (a *answer) text(path ...any) string {
	a.t.Helper()
	s, ok := a.get(path...).(string)
	if !ok {
		a.t.Fatalf("%v is no text: %s", path, a.body)
	}
	return s
}

func (a *answer) number(path ...any) int {
	a.t.Helper()
	n, ok := a.get(path...).(float64)
	if !ok {
		a.t.Fatalf("%v is no number: %s", path, a.body)
	}
	return int(n)
}

func (a *answer) count(path ...any) int {
	a.t.Helper()
	list, ok := a.get(path...).([]any)
	if !ok {
		a.t.Fatalf("%v is no list: %s", path, a.body)
	}
	return len(list)
}

// is wants parts of the answer: a path with dots, and its value, in turn.
func (a *answer) is(want ...any) *answer {
	a.t.Helper()
	for i := 0; i+1 < len(want); i += 2 {
		var path []any
		for step := range strings.SplitSeq(want[i].(string), ".") {
			if len(step) > 0 && step[0] >= '0' && step[0] <= '9' {
				path = append(path, int(step[0]-'0'))
				continue
			}
			path = append(path, step)
		}
		got := a.get(path...)
		if n, ok := want[i+1].(int); ok {
			want[i+1] = float64(n)
		}
		if got != want[i+1] {
			a.t.Errorf("%s is %v, want %v: %s", want[i], got, want[i+1], a.body)
		}
	}
	return a
}

// at is a path with its parts escaped.
func at(parts ...string) string {
	path := ""
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}
