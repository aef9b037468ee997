package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"rensa/pkg/ledger"
)

var pathValue = regexp.MustCompile(`\{[^}]*\}`)

// pathOf is a path that a route's pattern fits, of a merchant.
func pathOf(pattern, merchant string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	path = strings.ReplaceAll(path, "{merchant}", merchant)
	path = strings.TrimSuffix(path, "{$}")
	return method, pathValue.ReplaceAllString(path, "x")
}

// TestRoutesRefuse walks the table of routes: each is refused without a session,
// with too small a role, to those who see another merchant, and to forged forms.
// A route that is added is looked at without anybody thinking of it.
func TestRoutesRefuse(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	none := st.visitor()
	people := map[string]*client{}
	for _, name := range []string{viewer, operator, admin, boss, outsider} {
		people[name] = st.as(name)
	}
	below := map[ledger.Role]string{ledger.RoleOperator: viewer, ledger.RoleAdmin: operator}
	enough := map[ledger.Role]string{ledger.RoleViewer: viewer, ledger.RoleOperator: operator, ledger.RoleAdmin: admin}
	ask := func(c *client, rt *route, merchant, token string) reply {
		t.Helper()
		method, path := pathOf(rt.pattern, merchant)
		if method == http.MethodGet {
			return c.do(method, path, nil, nil)
		}
		if rt.body == aStream {
			body := "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n" + token + "\r\n--b--\r\n"
			return c.do(method, path, strings.NewReader(body), http.Header{"Content-Type": {"multipart/form-data; boundary=b"}})
		}
		return c.post(path, url.Values{"csrf": {token}})
	}
	looked := 0
	for i := range st.server.routes {
		rt := &st.server.routes[i]
		if rt.scope == ofNobody {
			continue
		}
		looked++
		get := strings.HasPrefix(rt.pattern, "GET ")
		r := ask(none, rt, shop, "any")
		switch {
		case get && (r.status != http.StatusSeeOther || !strings.HasPrefix(r.header.Get("Location"), "/sign-in?")):
			t.Errorf("%s without a session: %d to %q", rt.pattern, r.status, r.header.Get("Location"))
		case !get && r.status != http.StatusUnauthorized:
			t.Errorf("%s without a session: %d", rt.pattern, r.status)
		}
		if who := below[rt.role]; who != "" && rt.scope != ofAll {
			if r := ask(people[who], rt, shop, people[who].csrf); r.status != http.StatusForbidden {
				t.Errorf("%s as %s: %d", rt.pattern, who, r.status)
			}
		}
		switch rt.scope {
		case ofMerchant:
			for _, c := range []struct{ who, merchant string }{{outsider, shop}, {admin, stranger}, {boss, "nobody"}} {
				if r := ask(people[c.who], rt, c.merchant, people[c.who].csrf); r.status != http.StatusNotFound {
					t.Errorf("%s of %s as %s: %d", rt.pattern, c.merchant, c.who, r.status)
				}
			}
		case ofAll:
			if r := ask(people[admin], rt, shop, people[admin].csrf); r.status != http.StatusForbidden {
				t.Errorf("%s as an admin of one merchant: %d", rt.pattern, r.status)
			}
		case ofUser, ofNobody:
		}
		if get {
			continue
		}
		who := enough[rt.role]
		if rt.scope == ofAll {
			who = boss
		}
		for _, token := range []string{"", "forged", people[outsider].csrf} {
			form := token
			if form == "" {
				form = "-" // post would fill in the right one
			}
			if r := ask(people[who], rt, shop, form); r.status != http.StatusForbidden {
				t.Errorf("%s with the token %q: %d", rt.pattern, form, r.status)
			}
		}
		method, path := pathOf(rt.pattern, shop)
		from := http.Header{"Sec-Fetch-Site": {"cross-site"}, "X-CSRF-Token": {people[who].csrf}}
		if r := people[who].do(method, path, nil, from); r.status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", rt.pattern, r.status)
		}
	}
	if looked < 3 {
		t.Errorf("only %d routes were looked at", looked)
	}
}

// TestHeaders: every answer carries what keeps browsers from doing harm.
func TestHeaders(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	for _, path := range []string{"/", "/sign-in", "/healthz", "/nowhere", st.server.assets.paths["app.css"]} {
		r := st.visitor().open(path)
		for name, want := range map[string]string{
			"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s of %s is %q", name, path, got)
			}
		}
	}
	for _, bad := range []string{"unsafe", "*", "http:"} {
		if strings.Contains(contentPolicy, bad) {
			t.Errorf("the policy allows %s", bad)
		}
	}
}
