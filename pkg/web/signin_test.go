package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rensa/pkg/ledger"
)

// TestSignIn: in with the password, out for good, and every try stands in the audit.
func TestSignIn(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.visitor()
	if r := c.open("/m/shop/files?x=1"); r.status != http.StatusSeeOther || r.header.Get("Location") != "/sign-in?next=%2Fm%2Fshop%2Ffiles%3Fx%3D1" {
		t.Errorf("a page without a session: %d to %s", r.status, r.header.Get("Location"))
	}
	c.open("/sign-in")
	for _, bad := range []url.Values{
		{"name": {viewer}, "password": {"wrong"}}, {"name": {"nobody"}, "password": {password}}, {"name": {"Not a Name!"}, "password": {password}},
	} {
		r := c.post("/sign-in", bad)
		if r.status != http.StatusUnauthorized || !strings.Contains(r.body, "is not right") {
			t.Errorf("%v: %d", bad, r.status)
		}
	}
	before := c.cookie("rensa")
	r := c.post("/sign-in", url.Values{"name": {" Viewer "}, "password": {password}, "next": {"/m/shop/files?x=1"}})
	if r.status != http.StatusSeeOther || r.header.Get("Location") != "/m/shop/files?x=1" {
		t.Fatalf("signed in: %d to %s", r.status, r.header.Get("Location"))
	}
	inside := c.cookie("rensa")
	if inside == "" || inside == before {
		t.Errorf("the session of before is still in use: %q", inside)
	}
	if r := c.open("/m/shop/files"); r.status != http.StatusOK {
		t.Fatalf("the page: %d", r.status)
	}
	if r := c.post("/sign-out", nil); r.status != http.StatusSeeOther {
		t.Fatalf("out: %d", r.status)
	}
	again := st.visitor()
	address, err := url.Parse(st.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	again.Jar.SetCookies(address, []*http.Cookie{{Name: "rensa", Value: inside}})
	if r := again.open("/m/shop/files"); r.status != http.StatusSeeOther {
		t.Errorf("the session lives after it was ended: %d", r.status)
	}
	notes, _, err := st.ledger.Notes(t.Context(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	var whats []string
	for _, n := range notes {
		whats = append(whats, n.What+" "+n.Subject)
		if n.Address == "" {
			t.Errorf("%s: no address", n.What)
		}
	}
	want := "signed out viewer; signed in viewer; sign-in refused ?; sign-in refused nobody; sign-in refused viewer"
	if got := strings.Join(whats, "; "); got != want {
		t.Errorf("audit: %s, want %s", got, want)
	}
}

// TestNext: only pages of ours are gone on to.
func TestNext(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"/m/shop/files": "/m/shop/files", "//evil.example": "", "https://evil.example/": "", `/\evil.example`: "", "": "", "/": "", "javascript:x": "",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/sign-in?"+url.Values{"next": {given}}.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := next(r); got != want {
			t.Errorf("%q leads to %q, want %q", given, got, want)
		}
	}
}

// TestSignInLimit: after a few tries a name has to wait, and a correct password
// gives the tries back.
func TestSignInLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	l := newLimiters(func() time.Time { return now })
	for i := range triesOfName {
		if ok, _ := l.try("anna", "1"); !ok {
			t.Fatalf("try %d was refused", i)
		}
	}
	ok, wait := l.try("anna", "1")
	if ok || wait <= 0 || wait > nameAgain {
		t.Errorf("one more: %t, %v", ok, wait)
	}
	if ok, _ := l.try("bo", "1"); !ok {
		t.Error("another name has to wait too")
	}
	now = now.Add(nameAgain)
	if ok, _ := l.try("anna", "1"); !ok {
		t.Error("refused after the wait")
	}
	l.passed("anna")
	for range triesOfName {
		if ok, _ := l.try("anna", "2"); !ok {
			t.Fatal("the tries were not given back")
		}
	}
	for range triesOfClient {
		l.try(newSecret(), "3")
	}
	if ok, _ := l.try("carl", "3"); ok {
		t.Error("one address may try any number of names")
	}
	for range 2 * maxLimiters {
		take(l.names, newSecret(), now, triesOfName, nameAgain)
	}
	if len(l.names) > maxLimiters {
		t.Errorf("%d names are remembered", len(l.names))
	}
}

// TestWelcome: the first link lets one person in, once.
func TestWelcome(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	ctx := t.Context()
	if err := st.ledger.AddUser(ctx, ledger.User{ID: "new", Access: ledger.Access{Role: ledger.RoleViewer, Merchants: []string{shop}}}); err != nil {
		t.Fatal(err)
	}
	path, err := NewLink(ctx, st.ledger, "new", "cli", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c := st.visitor()
	for range 2 { // looking at it does not use it up
		if r := c.open(path); r.status != http.StatusOK {
			t.Fatalf("the link: %d", r.status)
		}
	}
	link := strings.TrimPrefix(path, "/welcome?link=")
	for _, bad := range []url.Values{
		{"password": {"short"}, "again": {"short"}}, {"password": {password}, "again": {"other words here"}},
	} {
		bad.Set("link", link)
		if r := c.post("/welcome", bad); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, r.status)
		}
	}
	good := url.Values{"link": {link}, "password": {password}, "again": {password}}
	if r := c.post("/welcome", good); r.status != http.StatusSeeOther {
		t.Fatalf("the password was not taken: %d", r.status)
	}
	if r := c.open("/m/shop/files"); r.status != http.StatusOK {
		t.Errorf("not signed in: %d", r.status)
	}
	other := st.visitor()
	other.open("/sign-in")
	if r := other.post("/welcome", good); r.status != http.StatusNotFound {
		t.Errorf("the link works twice: %d", r.status)
	}
	if got, err := FirstLink(ctx, st.ledger, time.Now()); err != nil || got != "" {
		t.Errorf("a first link although there are users: %q, %v", got, err)
	}
}

// TestPasswordChangeEndsSessions: whoever had the old one is out.
func TestPasswordChangeEndsSessions(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.as(operator)
	if err := st.ledger.SetPassword(t.Context(), operator, passwordHash()); err != nil {
		t.Fatal(err)
	}
	if r := c.open("/m/shop/files"); r.status != http.StatusSeeOther {
		t.Errorf("still in: %d", r.status)
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	hash := HashPassword("ett två tre")
	for given, want := range map[string]bool{"ett två tre": true, "ett två tr": false, "": false} {
		if ok, err := passwordMatches(hash, given); err != nil || ok != want {
			t.Errorf("%q: %t, %v", given, ok, err)
		}
	}
	if hash == HashPassword("ett två tre") {
		t.Error("two hashes of one password are the same")
	}
	for _, bad := range []string{"", "x", strings.Replace(hash, "argon2id", "argon2i", 1), strings.Replace(hash, "v=19", "v=18", 1), hash[:40]} {
		if ok, err := passwordMatches(bad, "ett två tre"); ok || err == nil {
			t.Errorf("%q: %t, %v", bad, ok, err)
		}
	}
}

// TestExposed: without TLS or a proxy only this machine is served.
func TestExposed(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]bool{
		"127.0.0.1:8321": true, "[::1]:8321": true, "localhost:0": true, "0.0.0.0:8321": false, ":8321": false, "192.168.1.4:80": false, "nonsense": false,
	} {
		o := Options{Listen: listen}
		if err := o.checkListen(); (err == nil) != want {
			t.Errorf("%s: %v", listen, err)
		}
		o = Options{Listen: listen, BehindProxy: true}
		if err := o.checkListen(); (err == nil) != (listen != "nonsense") {
			t.Errorf("%s behind a proxy: %v", listen, err)
		}
	}
}

// cookie is the value of a cookie that the client has.
func (c *client) cookie(name string) string {
	c.site.t.Helper()
	address, err := url.Parse(c.site.http.URL)
	if err != nil {
		c.site.t.Fatal(err)
	}
	for _, k := range c.Jar.Cookies(address) {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}
