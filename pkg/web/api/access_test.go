package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/web/api"
	"rensa/templates"
)

// route is one operation of the document.
type route struct {
	method, path string
	role         string // least that may
	body         any
}

// routes reads all operations from the document, with ids of things of merchant m
// in their paths.
func (s *server) routes(ids map[string]string) (all []route) {
	s.t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		}
	}
	s.must(json.Unmarshal(s.do("", "GET", "/openapi.json", nil).body, &doc))
	for path, operations := range doc.Paths {
		for name, id := range ids {
			path = strings.ReplaceAll(path, "{"+name+"}", id)
		}
		if strings.Contains(path, "{") {
			s.t.Fatalf("no id for %s", path)
		}
		for method, op := range operations {
			r := route{method: strings.ToUpper(method), path: path, role: "viewer"}
			switch {
			case adminOperations[op.OperationID]:
				r.role = "admin"
			case r.method != "GET":
				r.role = "operator"
			}
			if r.method == "POST" || r.method == "PATCH" {
				r.body = object{}
			}
			all = append(all, r)
		}
	}
	return all
}

// takesMerchant tells whether an operation is about a merchant that a parameter names.
func (s *server) takesMerchant(r route) bool {
	for _, begin := range []string{"/merchants", "/caller", "/tokens", "/users"} {
		if strings.HasPrefix(r.path, begin) {
			return false
		}
	}
	return true
}

// adminOperations are those that only admins may.
var adminOperations = map[string]bool{
	"setMerchant": true, "addMerchant": true, "listTokens": true, "addToken": true, "removeToken": true,
	"listUsers": true, "addUser": true, "removeUser": true, "linkUser": true,
}

// TestRefusals tries every operation without a token, with one that is not known or
// has expired, with a role that is too low, and with another merchant's things.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *api.Options) { o.Burst, o.Rate = 100000, 100000 })
	s.take("m", "demo", "lager.tsv")
	run := s.take("m", "demo", "1-vinterlager.tsv").RunID
	s.call(http.StatusCreated, operator, "POST", "/orders", object{"id": "DRAFT", "items": []object{{"sku": "LIGGU-185", "sellable": 1}}})
	file := s.call(http.StatusAccepted, operator, "POST", "/files", "rubbish").text("file_id")
	sent := s.call(http.StatusOK, viewer, "GET", "/outgoing", nil).text("files", 0, "name")
	ids := map[string]string{
		"merchant": "m", "run": run, "file": file, "order": "DRAFT", "name": "errors.csv", "row": "2", "sku": "LIGGU-185", "report": "order-detail",
		"token": viewer, "user": "somebody", "job": "release",
	}
	all := s.routes(ids)
	if len(all) < 25 {
		t.Fatalf("%d operations", len(all))
	}
	below := map[string][]string{"operator": {viewer}, "admin": {viewer, operator}}
	for _, r := range all {
		path := r.path
		if strings.HasPrefix(path, "/outgoing/") {
			path = "/outgoing/" + sent
		}
		for _, token := range []string{"", "nonsense", expired} {
			a := s.do(token, r.method, path, r.body)
			if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" || a.text("code") != "unauthorized" {
				t.Errorf("%s %s with token %q: %d %s", r.method, path, token, a.status, a.body)
			}
		}
		for _, token := range below[r.role] {
			if a := s.do(token, r.method, path, r.body); a.status != http.StatusForbidden || a.text("code") != "forbidden" {
				t.Errorf("%s %s as %s: %d %s", r.method, path, token, a.status, a.body)
			}
		}
		// The other merchant's token: with m named it is told that there is no m, and
		// with itself named nothing of m's is found.
		named := path + "?merchant=m"
		if !s.takesMerchant(r) {
			named = path
		}
		a := s.do(stranger, r.method, named, r.body)
		if strings.Contains(string(a.body), "LIGGU") || strings.Contains(string(a.body), run) {
			t.Errorf("%s %s shows a stranger %s", r.method, named, a.body)
		}
		if named != path && (a.status != http.StatusNotFound || a.text("code") != "merchant_unknown") {
			t.Errorf("%s %s for a stranger: %d %s", r.method, named, a.status, a.body)
		}
		if named != path && path != r.path || strings.Contains(path, run) || strings.Contains(path, file) || strings.Contains(path, "DRAFT") {
			body := r.body
			if strings.HasSuffix(path, "/status") {
				body = object{"status": "processing"}
			}
			if a := s.do(stranger, r.method, path, body); a.status != http.StatusNotFound {
				t.Errorf("%s %s of another merchant: %d %s", r.method, path, a.status, a.body)
			}
		}
	}
	for _, r := range all {
		if r.role == "admin" && !strings.HasPrefix(r.path, "/merchants/") { // concerns all merchants
			if a := s.do(admin, r.method, r.path, r.body); a.status != http.StatusForbidden || a.text("code") != "forbidden_scope" {
				t.Errorf("%s %s for an admin of one merchant: %d %s", r.method, r.path, a.status, a.body)
			}
		}
	}
	if a := s.call(http.StatusOK, stranger, "GET", "/merchants", nil); strings.Contains(string(a.body), `"m"`) {
		t.Errorf("%s", a.body)
	}
	s.call(http.StatusNotFound, stranger, "GET", "/merchants/m", nil).is("code", "merchant_unknown")
	s.call(http.StatusOK, viewer, "GET", "/orders/DRAFT", nil).is("state", "draft") // nothing was done to it
}

// One that sees several merchants says which is meant.
func TestWhichMerchant(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.call(http.StatusUnprocessableEntity, everyone, "GET", "/orders", nil).is("code", "merchant_missing")
	s.call(http.StatusOK, everyone, "GET", "/orders?merchant=other", nil)
	s.call(http.StatusNotFound, everyone, "GET", "/orders?merchant=none", nil).is("code", "merchant_unknown")
	s.call(http.StatusOK, everyone, "GET", "/caller", nil).is("role", "admin", "all_merchants", true, "merchants.1", "other")
	s.call(http.StatusOK, everyone, "GET", "/merchants", nil).is("merchants.0.id", "m")
	s.call(http.StatusOK, viewer, "GET", "/merchants/m", nil).is("settings.home_store", "SE")
}

// Requests that do not fit the document, or nothing at all, are told so.
func TestNonsense(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, c := range []struct {
		status       int
		method, path string
		body         any
		code         string
	}{
		{404, "GET", "/nothing", nil, "not_found"},
		{405, "PUT", "/orders", nil, "method_not_allowed"},
		{405, "DELETE", "/runs", nil, "method_not_allowed"},
		{422, "GET", "/orders?stat=pending", nil, "request_invalid"},
		{422, "GET", "/orders?limit=0", nil, "request_invalid"},
		{422, "GET", "/orders?cursor=%21", nil, "cursor_invalid"},
		{422, "GET", "/runs?cursor=-1", nil, "cursor_invalid"},
		{422, "GET", "/files?cursor=x%20y", nil, "cursor_invalid"},
		{422, "GET", "/outgoing?cursor=zz", nil, "cursor_invalid"},
		{404, "GET", "/runs/none", nil, "not_found"},
		{404, "GET", "/runs/none/problems", nil, "not_found"},
		{404, "GET", "/files/none", nil, "not_found"},
		{404, "GET", "/orders/none", nil, "order_unknown"},
		{404, "GET", "/reports/none", nil, "report_unknown"},
		{422, "GET", "/reports/inventory?form=xlsx", nil, "request_invalid"},
		{422, "GET", "/reports/inventory?since=2026-01-01T00:00:00Z", nil, "request_invalid"},
		{422, "GET", "/reports/order-detail?sinse=2026-01-01T00:00:00Z", nil, "request_invalid"},
		{409, "GET", "/inventory", nil, "no_snapshot"},
		{409, "GET", "/inventory/skus?q=x", nil, "no_snapshot"},
		{422, "POST", "/orders", object{"items": []object{{"sku": "A", "sellable": -1}}}, "request_invalid"},
		{422, "POST", "/orders", object{"itmes": []object{}}, "request_invalid"},
		{422, "POST", "/orders", object{"id": " A"}, "value_invalid"},
		{422, "POST", "/files?wait=61", "x", "request_invalid"},
		{422, "POST", "/files?as_of=yesterday", "x", "request_invalid"},
		{422, "POST", "/files", "", "file_empty"},
		{404, "POST", "/orders/none/place", nil, "order_unknown"},
	} {
		a := s.do(operator, c.method, c.path, c.body)
		if a.status != c.status || a.text("code") != c.code || a.text("type") != "urn:rensa:problem:"+c.code ||
			a.header.Get("Content-Type") != "application/problem+json" || a.text("title") == "" {
			t.Errorf("%s %s: %d %s %s", c.method, c.path, a.status, a.header.Get("Content-Type"), a.body)
		}
	}
	if a := s.do(operator, "POST", "/orders", "{", "Content-Type", "application/json"); a.status != 400 && a.status != 422 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.do(operator, "POST", "/orders/X/cancel", object{"sku": strings.Repeat("x", 2<<20)}); a.status != 413 || a.text("code") != "request_too_large" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if s.log.Len() > 0 && strings.Contains(s.log.String(), `"level":"error"`) {
		t.Errorf("%s", s.log.String())
	}
}

// Who asks too often is told to wait, and nobody else for it.
func TestRate(t *testing.T) {
	t.Parallel()
	var at atomic.Int64
	at.Store(time.Now().Unix())
	s := newServer(t, func(o *api.Options) {
		o.Rate, o.Burst, o.Now = 1, 20, func() time.Time { return time.Unix(at.Load(), 0) }
	})
	for range 20 {
		if a := s.do(viewer, "GET", "/caller", nil); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	a := s.do(viewer, "GET", "/caller", nil)
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || a.text("code") != "rate_limited" {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	if a := s.do(stranger, "GET", "/caller", nil); a.status != 200 {
		t.Errorf("somebody else: %d", a.status)
	}
	at.Add(2)
	if a := s.do(viewer, "GET", "/caller", nil); a.status != 200 {
		t.Errorf("after two seconds: %d", a.status)
	}
	guesses := map[int]int{}
	for range 4 {
		guesses[s.do("guess", "GET", "/caller", nil).status]++
	}
	if guesses[401] != 2 || guesses[429] != 2 {
		t.Errorf("tokens that are none: %v", guesses)
	}
	if a := s.do(stranger, "GET", "/caller", nil); a.status != 200 {
		t.Errorf("a good token from the same address: %d", a.status)
	}
}

// Settings are changed, and merchants, users and tokens added, by admins.
func TestAdmin(t *testing.T) {
	t.Parallel()
	var said []string
	s := newServer(t, func(o *api.Options) {
		o.Settle = func(_ context.Context, actor, merchant string, assignments []string) ([]ledger.Event, error) {
			said = append(said, actor+" "+merchant+" "+strings.Join(assignments, " "))
			if strings.Contains(assignments[0], "XX") {
				return nil, explained{}
			}
			return nil, nil
		}
		o.AddMerchant = func(ctx context.Context, _, merchant, store string, assignments []string) error {
			said = append(said, merchant+" "+store+" "+strings.Join(assignments, " "))
			return o.Ledger.AddMerchant(ctx, removal.Merchant{ID: merchant, Profile: ledger.DefaultProfile()})
		}
	})
	s.call(http.StatusOK, admin, "PATCH", "/merchants/m", object{"settings": object{"language": "de", "home_store": "DE"}}).is("id", "m")
	s.call(http.StatusUnprocessableEntity, admin, "PATCH", "/merchants/m", object{"settings": object{"home_store": "XX"}}).
		is("code", "settings_invalid", "detail", "no such store", "hint", "SE; DE")
	s.call(http.StatusCreated, everyone, "POST", "/merchants", object{"id": "new", "home_store": "GB"}).is("id", "new")
	s.call(http.StatusConflict, everyone, "POST", "/merchants", object{"id": "new", "home_store": "GB"}).is("code", "merchant_exists")
	want := []string{"api:" + admin + " m home_store=DE language=de", "api:" + admin + " m home_store=XX", "new GB "}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}

	made := s.call(http.StatusCreated, everyone, "POST", "/tokens", object{"name": "till", "role": "viewer", "merchants": []string{"m"}})
	s.call(http.StatusOK, made.text("secret"), "GET", "/caller", nil).is("role", "viewer", "merchants.0", "m")
	s.call(http.StatusOK, everyone, "GET", "/tokens", nil)
	s.call(http.StatusNoContent, everyone, "DELETE", at("tokens", made.text("id")), nil)
	s.call(http.StatusUnauthorized, made.text("secret"), "GET", "/caller", nil)
	s.call(http.StatusUnprocessableEntity, everyone, "POST", "/tokens", object{"name": "x", "role": "viewer", "merchants": []string{"none"}})
	s.call(http.StatusUnprocessableEntity, everyone, "POST", "/tokens", object{"name": "x", "role": "viewer"})
	s.call(http.StatusUnprocessableEntity, everyone, "POST", "/tokens", object{"name": "x", "role": "viewer", "all_merchants": true, "expires": "2020-01-01T00:00:00Z"})

	s.call(http.StatusCreated, everyone, "POST", "/users", object{"id": "Eva", "role": "operator", "merchants": []string{"m"}}).is("user", "eva", "link", "/welcome?link=eva")
	s.call(http.StatusConflict, everyone, "POST", "/users", object{"id": "eva", "role": "operator", "merchants": []string{"m"}}).is("code", "user_exists")
	s.call(http.StatusOK, everyone, "GET", "/users", nil).is("users.0.id", "eva", "users.0.has_password", false)
	s.call(http.StatusCreated, everyone, "POST", "/users/eva/link", nil)
	s.call(http.StatusNoContent, everyone, "DELETE", "/users/eva", nil)
	s.call(http.StatusNotFound, everyone, "DELETE", "/users/eva", nil)
}

type explained struct{ error }

func (explained) Explain(*templates.Texts) (string, []string) {
	return "no such store", []string{"SE", "DE"}
}
