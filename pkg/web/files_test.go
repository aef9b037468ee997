package web

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
)

// form is a form with files in it, as a browser sends it: the token first.
func (c *client) form(files map[string]io.Reader) (io.Reader, http.Header) {
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() {
		err := m.WriteField("csrf", c.csrf)
		for name, body := range files {
			if err == nil {
				var part io.Writer
				if part, err = m.CreateFormFile("file", name); err == nil {
					_, err = io.Copy(part, body)
				}
			}
		}
		if err == nil { // what is broken off has no end
			err = m.Close()
		}
		w.CloseWithError(err)
	}()
	return r, http.Header{"Content-Type": {m.FormDataContentType()}}
}

func (c *client) upload(files map[string]io.Reader) reply {
	c.site.t.Helper()
	body, header := c.form(files)
	return c.do(http.MethodPost, "/m/shop/files", body, header)
}

// inInbox lists what lies in shop's folder, hidden names too.
func (st *site) inInbox() []string {
	st.t.Helper()
	entries, err := os.ReadDir(filepath.Join(st.root, inbox.Folder, shop))
	if err != nil {
		st.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestUpload: a file of a form is put on the list, and shown until it is answered.
func TestUpload(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.as(operator)
	r := c.upload(map[string]io.Reader{`C:\files\week 47.tsv`: strings.NewReader(faulty())})
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.header.Get("Location"), "/m/shop/files/") {
		t.Fatalf("uploaded: %d to %q", r.status, r.header.Get("Location"))
	}
	page := c.open(r.header.Get("Location"))
	if page.status != http.StatusOK || !strings.Contains(page.body, "week 47.tsv") || !strings.Contains(page.body, "Waits its turn") {
		t.Errorf("the page of the file: %d\n%s", page.status, page.body)
	}
	if list := c.open("/m/shop/files"); !strings.Contains(list.body, "week 47.tsv") {
		t.Error("the list does not have it")
	}
	if other := st.as(outsider).open(r.header.Get("Location")); other.status != http.StatusNotFound {
		t.Errorf("somebody else sees it: %d", other.status)
	}
	turned := c.open(c.upload(map[string]io.Reader{"week\u202evst.csv": strings.NewReader("x")}).header.Get("Location"))
	if turned.status != http.StatusOK || !strings.Contains(turned.body, "week_vst.csv") {
		t.Errorf("a name that turns the text round: %d\n%s", turned.status, turned.body)
	}
	if got := st.inInbox(); len(got) > 0 {
		t.Errorf("left in the inbox: %v", got)
	}
	if r := c.upload(nil); r.status != http.StatusUnprocessableEntity {
		t.Errorf("a form without a file: %d", r.status)
	}
}

// TestUploadOrder: of several files of one form the inventory goes first.
func TestUploadOrder(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.as(operator)
	files := map[string]io.Reader{"upload.tsv": strings.NewReader(faulty()), "stock.tsv": bytes.NewReader(demoFile(t, "lager.tsv"))}
	if r := c.upload(files); r.status != http.StatusSeeOther || r.header.Get("Location") != "/m/shop/files" {
		t.Fatalf("uploaded: %d to %q", r.status, r.header.Get("Location"))
	}
	open, err := st.ledger.Waiting(t.Context(), shop)
	if err != nil || len(open) != 2 || open[0].Name != "stock.tsv" {
		t.Errorf("on the list: %+v, %v", open, err)
	}
}

// TestUploadRefused: too large, broken off or forged, nothing of it stays.
func TestUploadRefused(t *testing.T) {
	t.Parallel()
	st := newSite(t, func(o *Options) { o.MaxUpload = 1 << 20 })
	c := st.as(operator)
	zeros := func(n int64) io.Reader { return io.LimitReader(zeroes{}, n) }
	if r := c.upload(map[string]io.Reader{"large.tsv": zeros(1<<20 + 1)}); r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", r.status)
	}
	body, header := c.form(map[string]io.Reader{"x.tsv": zeros(3 << 20)})
	all, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if r := c.do(http.MethodPost, "/m/shop/files", bytes.NewReader(all), header); r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large, and says so: %d", r.status)
	}
	body, header = c.form(map[string]io.Reader{"x.tsv": iotest.ErrReader(io.ErrUnexpectedEOF)})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, st.http.URL+"/m/shop/files", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	if answer, err := c.Do(request); err == nil {
		if err := answer.Body.Close(); err != nil || answer.StatusCode < 400 {
			t.Errorf("broken off: %d, %v", answer.StatusCode, err)
		}
	}
	c.csrf = "forged"
	if r := c.upload(map[string]io.Reader{"x.tsv": strings.NewReader("x")}); r.status != http.StatusForbidden {
		t.Errorf("forged: %d", r.status)
	}
	st.http.Close() // waits for what still clears away
	if got := st.inInbox(); len(got) > 0 {
		t.Errorf("left in the inbox: %v", got)
	}
	if open, err := st.ledger.Waiting(t.Context(), shop); err != nil || len(open) > 0 {
		t.Errorf("on the list: %+v, %v", open, err)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestUploadMemory: a large file passes through in memory that does not grow with it.
func TestUploadMemory(t *testing.T) {
	st := newSite(t, nil)
	c := st.as(operator)
	var most uint64
	size := int64(512 << 20)
	if testing.Short() {
		size = 64 << 20
	}
	seen := int64(0)
	watched := readerFunc(func(p []byte) (int, error) {
		clear(p)
		if seen += int64(len(p)); seen>>25 != (seen-int64(len(p)))>>25 { // every 32 MiB
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		return len(p), nil
	})
	r := c.upload(map[string]io.Reader{"large.bin": io.LimitReader(watched, size)})
	if r.status != http.StatusSeeOther {
		t.Fatalf("uploaded: %d", r.status)
	}
	if most == 0 || most > 96<<20 {
		t.Errorf("%d MiB of memory for %d MiB", most>>20, size>>20)
	}
	t.Logf("at most %d MiB of heap while %d MiB passed", most>>20, size>>20)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestDownloads: reports, outgoing files and the original of one's own runs, and
// of nobody else's; names do not lead elsewhere.
func TestDownloads(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	run := st.drop("week 47.tsv", []byte(faulty())).RunID
	c, base := st.as(viewer), "/m/shop/runs/"+run
	r := c.open(base + "/files/rejected.tsv")
	if r.status != http.StatusOK || !strings.Contains(r.body, strings.ToLower(goodSKU2)) {
		t.Errorf("rejected.tsv: %d\n%s", r.status, r.body)
	}
	if d := r.header.Get("Content-Disposition"); d != `attachment; filename="week 47 rejected.tsv"` {
		t.Errorf("it is called %s", d)
	}
	sent, err := st.ledger.Sent(t.Context(), shop, run)
	if err != nil || len(sent) != 1 {
		t.Fatalf("sent: %+v, %v", sent, err)
	}
	for path, want := range map[string]int{
		base + "/original": 200, base + "/outbound/" + sent[0].Name: 200, base + "/files/summary.json": 200,
		base + "/files/nothing.csv": 404, base + "/files/..%2f..%2f..%2f..%2frensa.db": 404,
		base + "/outbound/..%2f..%2frensa.db": 404, base + "/outbound/x": 404, "/m/shop/runs/x/original": 404, "/m/shop/runs/x": 404,
	} {
		if r := c.open(path); r.status != want {
			t.Errorf("%s: %d, want %d", path, r.status, want)
		}
	}
	for _, path := range []string{"/files/errors.csv", "/original", "", "/outbound/" + sent[0].Name} {
		if r := st.as(outsider).open("/m/stranger/runs/" + run + path); r.status != http.StatusNotFound {
			t.Errorf("another merchant's %s: %d", path, r.status)
		}
	}

	// What retention took away is made again while the original is there.
	if err := os.RemoveAll(filepath.Join(st.root, "reports")); err != nil {
		t.Fatal(err)
	}
	again := c.open(base + "/files/rejected.tsv")
	if again.status != http.StatusOK || again.body != r.body {
		t.Errorf("made again: %d\n%s", again.status, again.body)
	}
	if r := c.open(base); r.status != http.StatusOK || !strings.Contains(r.body, "no longer kept") {
		t.Errorf("the page without reports: %d", r.status)
	}
}

// TestProblems: filters leave out what they say, in the language of whoever looks.
func TestProblems(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	run := st.drop("week 47.tsv", []byte(faulty())).RunID
	c, page := st.as(viewer), "/m/shop/runs/"+run
	count := func(query string) int { return strings.Count(c.open(page+query).body, `<tr class="problem">`) }
	for query, want := range map[string]int{
		"": 6, "?code=sku_unknown": 3, "?severity=warning": 1, "?severity=error&column=AddressPostalCode": 1, "?code=none": 0, "?part=problems": 6,
	} {
		if got := count(query); got != want {
			t.Errorf("%q shows %d problems, want %d", query, got, want)
		}
	}
	for query, want := range map[string]int{"?from=zzzzzzzzzz": 400, "?from=5": 400, "?from=-1": 400, "?from=!": 400} {
		if r := c.open(page + query); r.status != want {
			t.Errorf("%q: %d, want %d", query, r.status, want)
		}
	}
	if strings.Contains(c.open(page).body, "Use this instead") {
		t.Error("a viewer is offered to drop a file")
	}
	german := c.do(http.MethodGet, page, nil, http.Header{"Accept-Language": {"de-AT,en;q=0.5"}})
	if !strings.Contains(german.body, "ist nicht im Lagerbestand") || strings.Contains(german.body, "is not in the inventory snapshot") {
		t.Errorf("in German:\n%s", german.body)
	}
	for _, sku := range []string{"Storgatan 1", "Växjö", ">3523<"} { // the rows' own values
		if !strings.Contains(german.body, sku) {
			t.Errorf("%s is not shown", sku)
		}
	}
}

// TestProblemPages: a long list goes on where it ended, without gaps or repeats.
func TestProblemPages(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	var b strings.Builder
	b.WriteString("MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n")
	for i := range 180 {
		b.WriteString("X\tDisposal\tNOTHING-" + strings.Repeat("Q", i%7) + string(rune('A'+i%26)) + "\t1\n")
	}
	run := st.drop("many.tsv", []byte(b.String())).RunID
	c := st.as(viewer)
	seen, pages := 0, 0
	for path := "/m/shop/runs/" + run + "?code=sku_unknown"; path != ""; pages++ {
		body := c.open(path).body
		seen += strings.Count(body, `<tr class="problem">`)
		_, rest, more := strings.Cut(body, `" rel="next"`)
		path = ""
		if more {
			before := body[:len(body)-len(rest)-len(`" rel="next"`)]
			path, _, _ = strings.Cut(before[strings.LastIndex(before, `href="`)+len(`href="`):], "#")
			path = strings.ReplaceAll(path, "&amp;", "&")
		}
	}
	if seen != 180 || pages != 4 {
		t.Errorf("%d problems on %d pages", seen, pages)
	}
}

// TestFix: the corrected file has the SKU that was meant in the rows asked for, and
// is what it was elsewhere.
func TestFix(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	run := st.drop("week 47.tsv", []byte(faulty())).RunID
	c, base := st.as(operator), "/m/shop/runs/"+run
	first := c.open(base + "/files/rejected.tsv").body
	one := c.open(base + "/corrected?row=3")
	if one.status != http.StatusOK || one.body != strings.Replace(first, strings.ToLower(goodSKU2), goodSKU2, 1) {
		t.Errorf("one row: %d\n%s", one.status, one.body)
	}
	both := c.open(base + "/corrected?all=1").body
	if both != strings.Replace(one.body, strings.ToLower(goodSKU3), goodSKU3, 1) {
		t.Errorf("all rows:\n%s", both)
	}
	for _, query := range []string{"?row=5", "?row=2", "?row=999", "", "?row=x"} {
		if r := c.open(base + "/corrected" + query); r.status != http.StatusUnprocessableEntity && r.status != http.StatusBadRequest {
			t.Errorf("%q: %d", query, r.status)
		}
	}
	if page := c.open(base + "/fix?row=3&row=4"); strings.Count(page.body, "<ins") != 2 {
		t.Errorf("the page of both: %d", page.status)
	}
	r := c.post(base+"/fix", url.Values{"all": {"1"}})
	if r.status != http.StatusSeeOther {
		t.Fatalf("dropped: %d", r.status)
	}
	open, err := st.ledger.Waiting(t.Context(), shop)
	if err != nil || len(open) != 1 || open[0].Name != "week 47 corrected.tsv" {
		t.Fatalf("on the list: %+v, %v", open, err)
	}
	lies, err := os.ReadFile(filepath.Join(st.root, open[0].Place))
	if err != nil || string(lies) != both {
		t.Errorf("what was dropped: %v\n%s", err, lies)
	}
}

// TestLive: progress is told as it happens, until the file is answered.
func TestLive(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.as(operator)
	to := c.upload(map[string]io.Reader{"week 47.tsv": strings.NewReader(faulty())}).header.Get("Location")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, st.http.URL+to+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("%d, %s", answer.StatusCode, got)
	}
	lines := bufio.NewScanner(answer.Body)
	var all strings.Builder
	worked := false
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if !worked && strings.Contains(lines.Text(), "Waits its turn") {
			worked = true
			st.live()
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if !worked || !strings.Contains(all.String(), "data-go") {
		t.Errorf("told:\n%s", all.String())
	}
}

// TestHealth: the three pages for machines.
func TestHealth(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	st.as(viewer)
	v := st.visitor()
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": `rensa_sign_ins_total{result="ok"} 1`,
	} {
		if r := v.open(path); r.status != http.StatusOK || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d\n%s", path, r.status, r.body)
		}
	}
	if m := v.open("/metrics").body; strings.Contains(m, shop) || !strings.Contains(m, `rensa_files_open{state="claimed"} 0`) {
		t.Errorf("metrics name a merchant, or not the list:\n%s", m)
	}
	if err := os.RemoveAll(filepath.Join(st.root, inbox.Folder)); err != nil {
		t.Fatal(err)
	}
	if r := v.open("/readyz"); r.status != http.StatusServiceUnavailable {
		t.Errorf("ready without an inbox: %d", r.status)
	}
}

// TestUsersPage: users and tokens are added, changed and taken away; nobody takes
// the rights away by which others get theirs.
func TestUsersPage(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.as(boss)
	c.open("/users")
	r := c.post("/users", url.Values{"name": {"Anna@Example.com"}, "role": {"operator"}, "merchants": {shop}})
	if r.status != http.StatusOK || !strings.Contains(r.body, "/welcome?link=") {
		t.Fatalf("added: %d", r.status)
	}
	for _, bad := range []url.Values{
		{"name": {"anna@example.com"}, "role": {"viewer"}, "all": {"1"}}, {"name": {"b c"}, "role": {"viewer"}, "all": {"1"}},
		{"name": {"bo"}, "role": {"king"}, "all": {"1"}}, {"name": {"bo"}, "role": {"viewer"}}, {"name": {"bo"}, "role": {"viewer"}, "merchants": {"nobody"}},
	} {
		if r := c.post("/users", bad); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, r.status)
		}
	}
	if r := c.post("/users/anna@example.com", url.Values{"role": {"admin"}, "all": {"1"}}); r.status != http.StatusSeeOther {
		t.Errorf("changed: %d", r.status)
	}
	u, err := st.ledger.User(t.Context(), "anna@example.com")
	if err != nil || !u.Everything() {
		t.Errorf("the user is %+v, %v", u, err)
	}
	for _, path := range []string{"/users/boss", "/users/boss/remove"} {
		if r := c.post(path, url.Values{"role": {"viewer"}, "all": {"1"}}); r.status != http.StatusConflict {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	victim := st.as(viewer)
	if r := c.post("/users/viewer/remove", nil); r.status != http.StatusSeeOther {
		t.Errorf("removed: %d", r.status)
	}
	if r := victim.open("/m/shop/files"); r.status != http.StatusSeeOther {
		t.Errorf("a removed user is still in: %d", r.status)
	}
	r = c.post("/tokens", url.Values{"name": {"connector"}, "role": {"operator"}, "merchants": {shop}, "expires": {"30"}})
	_, secret, _ := strings.Cut(r.body, `id="secret">`)
	secret, _, _ = strings.Cut(secret, "<")
	k, err := st.ledger.TokenOf(t.Context(), hashSecret(secret))
	if err != nil || k.Name != "connector" || k.Role != ledger.RoleOperator || k.User != boss {
		t.Fatalf("token %q: %+v, %v", secret, k, err)
	}
	if r := c.open("/users"); strings.Contains(r.body, secret) {
		t.Error("the secret is shown again")
	}
	if r := c.post("/tokens/"+k.ID+"/remove", nil); r.status != http.StatusSeeOther {
		t.Errorf("token removed: %d", r.status)
	}
	if r := c.open("/audit"); !strings.Contains(r.body, "token removed") || !strings.Contains(r.body, "user changed") {
		t.Errorf("audit: %d", r.status)
	}
}
