package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"rensa/pkg/web/api"
)

// endless is a file of any length, of which nothing is held.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte('a' + i%23)
	}
	return len(p), nil
}

// lying are the files in a folder of the workspace, hidden ones too.
func (s *server) lying(folder string) (names []string) {
	s.t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.root, filepath.FromSlash(folder)))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestLargeFile: a file of the largest size that is taken does not enter memory,
// given as a body or in a form. What all requests of the test allocate together,
// the client's too, is a small part of it.
func TestLargeFile(t *testing.T) { //nolint:paralleltest // other tests would be counted
	s := newServer(t)
	const size = 512 << 20
	allocated := func(do func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	check := func(what string, size int64, body io.Reader, length int64, kind string) {
		r := s.request(operator, "POST", "/files?name=large.csv", body)
		r.ContentLength = length
		r.Header.Set("Content-Type", kind)
		var a *answer
		n := allocated(func() { a = s.send(r) })
		if a.status != http.StatusAccepted {
			t.Fatalf("%s: %d %s", what, a.status, a.body)
		}
		if n > 16<<20 {
			t.Errorf("%s: %d bytes were allocated for %d", what, n, size)
		}
		t.Logf("%s: %.1f MiB allocated for %d MiB", what, float64(n)/(1<<20), size>>20)
		info, err := os.Stat(filepath.Join(s.root, "work", "m", a.text("file_id")))
		if err != nil || info.Size() != size {
			t.Errorf("%s: %v, %v", what, info, err)
		}
		s.must(os.Remove(filepath.Join(s.root, "work", "m", a.text("file_id"))))
	}
	check("a body", size, io.LimitReader(endless{}, size), size, "application/octet-stream")

	head, tail := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"large.csv\"\r\n\r\n", "\r\n--b--\r\n"
	const smaller = 64 << 20
	form := io.MultiReader(strings.NewReader(head), io.LimitReader(endless{}, smaller), strings.NewReader(tail))
	check("a form", smaller, form, int64(smaller+len(head)+len(tail)), "multipart/form-data; boundary=b")
}

// A file past the limit is refused at once where its length is told, and nothing
// is left of one whose length is not.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *api.Options) { o.MaxFile = 1 << 20 })
	for name, length := range map[string]int64{"told": 1<<20 + 1, "not told": -1} {
		r := s.request(operator, "POST", "/files", io.LimitReader(endless{}, 1<<20+1))
		r.ContentLength = length
		if a := s.send(r); a.status != http.StatusRequestEntityTooLarge || a.text("code") != "file_too_large" || a.text("hint") == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	s.call(http.StatusAccepted, operator, "POST", "/files", io.LimitReader(endless{}, 1<<20))
	if left := s.lying("inbox/m"); len(left) > 0 {
		t.Errorf("there lie %v", left)
	}
	if files := s.lying("work/m"); len(files) != 2 { // the one file and the lock
		t.Errorf("taken: %v", files)
	}
}

// Nothing is left of a body that does not come to its end.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.http.URL, "http://"))
	s.must(err)
	_, err = fmt.Fprintf(conn, "POST /api/v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\nhalf of it", operator)
	s.must(err)
	for len(s.lying("inbox/m")) == 0 { // it is being received
		runtime.Gosched()
	}
	s.must(conn.Close())
	for len(s.lying("inbox/m")) > 0 {
		runtime.Gosched()
	}
	if n := s.call(http.StatusOK, viewer, "GET", "/files", nil).count("files"); n != 0 {
		t.Errorf("%d files", n)
	}
}

// A form has one file, called file; its name is the file's. Names that lead
// somewhere else lead nowhere.
func TestForm(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	send := func(parts ...string) *answer {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := 0; i+2 < len(parts); i += 3 {
			part, err := w.CreateFormFile(parts[i], parts[i+1])
			s.must(err)
			_, err = io.WriteString(part, parts[i+2])
			s.must(err)
		}
		s.must(w.Close())
		return s.do(operator, "POST", "/files", b.Bytes(), "Content-Type", w.FormDataContentType())
	}
	for given, want := range map[string]string{
		"stock.tsv": "stock.tsv", "../../etc/passwd": "passwd", `C:\Users\eva\lager 1.xlsx`: "lager 1.xlsx", "..": "file", ".hidden": "hidden",
		"a|b?.csv": "a_b_.csv", "a\u202evst.csv": "a_vst.csv", "a\u009bb.csv": "a_b.csv", strings.Repeat("å", 200) + ".tsv": strings.Repeat("å", 73) + ".tsv",
	} {
		if a := send("file", given, "sku\n"+given); a.status != http.StatusAccepted || a.text("name") != want {
			t.Errorf("%q: %d %s", given, a.status, a.body)
		}
	}
	for name, parts := range map[string][]string{
		"no file": {"other", "a.tsv", "x"}, "two files": {"file", "a.tsv", "x", "file", "b.tsv", "y"}, "nothing": {},
	} {
		if a := send(parts...); a.status != http.StatusUnprocessableEntity || a.text("code") != "form_file" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := s.do(operator, "POST", "/files", "no form", "Content-Type", "multipart/form-data; boundary=b"); a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", a.status, a.body)
	}
	if left := s.lying("inbox/m"); len(left) > 0 {
		t.Errorf("there lie %v", left)
	}
}

// Bytes that come again while they are being worked on are answered with their first
// run as soon as there is one.
func TestGivenTwiceAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.take("m", "demo", "lager.tsv")
	upload := content(t, "demo", "1-vinterlager.tsv")
	answers := make(chan *answer, 2)
	for range cap(answers) {
		r := s.request(operator, "POST", "/files?wait=30", upload)
		go func() { answers <- s.send(r) }()
	}
	for s.do(viewer, "GET", "/files?state=claimed", nil).count("files") < cap(answers) {
		runtime.Gosched()
	}
	s.work()
	first, second := <-answers, <-answers
	if first.status != http.StatusOK || second.status != http.StatusOK || first.text("run_id") != second.text("run_id") {
		t.Errorf("%d %s\n%d %s", first.status, first.body, second.status, second.body)
	}
}

// The date of an inventory that has none is that of as_of; a file that cannot be
// used is answered with why.
func TestAsOfAndRejected(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.work()
	s.call(http.StatusOK, operator, "POST", "/files?name=lager.tsv&wait=30&as_of=2026-01-02T03:04:05Z", content(t, "demo", "lager.tsv"))
	s.call(http.StatusOK, viewer, "GET", "/inventory", nil).is("snapshot.date", time.Date(2026, 1, 2, 4, 4, 5, 0, time.FixedZone("", 3600)).Format(time.RFC3339))
	a := s.call(http.StatusAccepted, operator, "POST", "/files?name=rubbish.csv&wait=30", "one,two\n1,2\n")
	a.is("state", "rejected", "reason", "file_kind_unknown")
	if !strings.Contains(a.text("note"), "file_kind_unknown") {
		t.Errorf("%s", a.body)
	}
	s.call(http.StatusOK, viewer, "GET", "/files?state=rejected", nil).is("files.0.reason", "file_kind_unknown")
}
