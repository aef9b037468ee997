package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// A file is given, answered with the work list, then with its run; the same bytes
// again are answered with the first run.
func TestGiveFile(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.work()
	stock := content(t, "demo", "lager.tsv")
	a := s.call(http.StatusAccepted, operator, "POST", "/files?name=lager.tsv", stock)
	a.is("name", "lager.tsv", "merchant", "m")
	if !strings.HasPrefix(a.header.Get("Location"), "/api/v1/files/"+a.text("file_id")) {
		t.Errorf("Location %q", a.header.Get("Location"))
	}
	upload := content(t, "demo", "1-vinterlager.tsv")
	run := s.call(http.StatusOK, operator, "POST", "/files?wait=30", upload,
		"Content-Disposition", `attachment; filename="1-vinterlager.tsv"`)
	run.is("file_name", "1-vinterlager.tsv", "kind", "removal_upload", "merchant", "m")
	if run.number("rows", "read") == 0 || run.number("rows", "accepted") == 0 || run.number("rows", "rejected") == 0 {
		t.Errorf("rows: %v", run.get("rows"))
	}
	again := s.call(http.StatusOK, operator, "POST", "/files?name=renamed.tsv", upload)
	again.is("run_id", run.text("run_id"), "file_name", "1-vinterlager.tsv")

	s.call(http.StatusOK, viewer, "GET", at("files", a.text("file_id")), nil).is("state", "archived", "kind", "rensa_inventory")
	list := s.call(http.StatusOK, viewer, "GET", "/files", nil)
	if n := list.count("files"); n != 2 {
		t.Errorf("%d files: %s", n, list.body)
	}
	s.call(http.StatusOK, viewer, "GET", at("runs", run.text("run_id")), nil).is("run_id", run.text("run_id"))
	runs := s.call(http.StatusOK, viewer, "GET", "/runs?kind=removal_upload", nil)
	runs.is("runs.0.run_id", run.text("run_id"))

	problems := s.call(http.StatusOK, viewer, "GET", at("runs", run.text("run_id"), "problems")+"?severity=error&limit=1", nil)
	if problems.count("problems") != 1 || problems.text("next") == "" {
		t.Errorf("%s", problems.body)
	}
	rest := s.call(http.StatusOK, viewer, "GET", at("runs", run.text("run_id"), "problems")+"?severity=error&cursor="+problems.text("next"), nil)
	if rest.text("problems", 0, "cell") == problems.text("problems", 0, "cell") {
		t.Errorf("%s", rest.body)
	}
	file := s.call(http.StatusOK, viewer, "GET", at("runs", run.text("run_id"), "files", "errors.csv"), nil)
	if !strings.HasPrefix(string(file.body), "row,line,column,cell") || !strings.HasPrefix(file.header.Get("Content-Type"), "text/csv") {
		t.Errorf("%v %.80s", file.header, file.body)
	}
	rebuilt := s.call(http.StatusOK, viewer, "GET", at("runs", run.text("run_id"), "files", "errors.csv")+"?rebuild=true", nil)
	if string(rebuilt.body) != string(file.body) {
		t.Error("made again it is another file")
	}
	out := s.call(http.StatusOK, viewer, "GET", "/outgoing", nil)
	sent := s.call(http.StatusOK, viewer, "GET", at("outgoing", out.text("files", 0, "name")), nil)
	if !strings.Contains(string(sent.body), "MerchantSKU") {
		t.Errorf("%.200s", sent.body)
	}
	s.call(http.StatusOK, viewer, "GET", "/inventory", nil).is("snapshot.kind", "rensa_inventory")
	found := s.call(http.StatusOK, viewer, "GET", "/inventory/skus?q=sovs%C3%A4ck", nil)
	s.call(http.StatusOK, viewer, "GET", at("inventory", "skus", found.text("skus", 0, "sku")), nil)
	s.call(http.StatusNotFound, viewer, "GET", at("inventory", "skus", "SOVS-OC-200"), nil).is("code", "sku_unknown")
	s.call(http.StatusOK, viewer, "GET", "/reports", nil)
	for _, path := range []string{"order-detail", "shipment-detail", "reconciliation", "reconciliation?form=xlsx", "inventory"} {
		if r := s.call(http.StatusOK, viewer, "GET", "/reports/"+path, nil); len(r.body) < 50 {
			t.Errorf("%s: %q", path, r.body)
		}
	}
	s.call(http.StatusOK, viewer, "GET", at("runs", run.text("run_id"), "rows", "3"), nil).is("row", 3)
}
