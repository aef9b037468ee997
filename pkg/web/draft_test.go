package web

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"rensa/pkg/desk"
	"rensa/pkg/removal"
)

// draft makes a draft in shop at the desk.
func (st *site) draft(d desk.Draft) desk.Draft {
	st.t.Helper()
	d.Merchant = shop
	made, err := st.server.Desk.Create(st.t.Context(), d)
	if err != nil {
		st.t.Fatal(err)
	}
	return made
}

var seenField = regexp.MustCompile(`name="seen" value="([^"]*)"`)

// TestPlacedAtOnce: of two people who place the last units one wins, and the other is
// shown what stands in the way now.
func TestPlacedAtOnce(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	ids := []string{"ONE", "TWO"}
	for _, id := range ids {
		st.draft(desk.Draft{ID: id, Method: removal.Disposal, Items: []desk.Item{{SKU: "TERMOS-1L", Sellable: 30}}})
	}
	people := []*client{st.as(operator), st.as(admin)}
	var replies [2]reply
	var both sync.WaitGroup
	for i := range ids {
		both.Go(func() { replies[i] = people[i].post("/m/shop/draft/place", url.Values{"id": {ids[i]}}) })
	}
	both.Wait()
	winner, loser := 0, 1
	if replies[1].status == http.StatusSeeOther {
		winner, loser = 1, 0
	}
	if r := replies[winner]; r.status != http.StatusSeeOther || r.header.Get("Location") != "/m/shop/order?id="+ids[winner] {
		t.Errorf("the winner: %d to %s", r.status, r.header.Get("Location"))
	}
	if r := replies[loser]; r.status != http.StatusConflict || !strings.Contains(r.body, "It was not placed") || !strings.Contains(r.body, "quantity_over_stock") {
		t.Errorf("the loser: %d %s", r.status, r.body)
	}
	// Placed twice: the second is led to the order.
	if r := people[loser].post("/m/shop/draft/place", url.Values{"id": {ids[winner]}}); r.header.Get("Location") != "/m/shop/order?id="+ids[winner] {
		t.Errorf("the second placing: %d to %s", r.status, r.header.Get("Location"))
	}
}

// TestDraftStale: a form that was made before somebody else's change keeps nothing.
func TestDraftStale(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	st.draft(desk.Draft{ID: "D", Method: removal.Disposal, Items: []desk.Item{{SKU: "TERMOS-1L", Sellable: 1}}})
	c := st.as(operator)
	page := c.open("/m/shop/draft?id=D")
	seen := seenField.FindStringSubmatch(page.body)[1]
	if _, err := st.server.Desk.ChangeItem(t.Context(), shop, "D", "user:anna", desk.Item{SKU: "TERMOS-1L", Sellable: 5}); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"id": {"D"}, "seen": {seen}, "sku": {"TERMOS-1L"}, "sellable": {"9"}, "unsellable": {"0"}, "do": {"save"}}
	if r := c.post("/m/shop/draft/save", form); r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "changed meanwhile by anna") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if d, err := st.server.Desk.Draft(t.Context(), shop, "D"); err != nil || d.Items[0].Sellable != 5 {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestDraftForm: what cannot be read is shown beside its field, as it was typed, and
// nothing of the form is kept.
func TestDraftForm(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	st.draft(desk.Draft{ID: "D", Items: []desk.Item{{SKU: "TERMOS-1L", Sellable: 1}}})
	st.draft(desk.Draft{ID: "OTHER"})
	c := st.as(operator)
	save := func(change url.Values) reply {
		page := c.open("/m/shop/draft?id=D")
		form := url.Values{
			"id": {"D"}, "seen": {seenField.FindStringSubmatch(page.body)[1]}, "sku": {"TERMOS-1L"}, "sellable": {"2"}, "unsellable": {"0"},
			"notes": {"as typed"}, "do": {"save"},
		}
		for k, v := range change {
			form[k] = v
		}
		return c.post("/m/shop/draft/save", form)
	}
	for name, bad := range map[string]struct {
		change url.Values
		want   string
	}{
		"quantity":       {url.Values{"sellable": {"two"}}, "A quantity is a whole number"},
		"large quantity": {url.Values{"sellable": {"9999999"}}, "A quantity is a whole number"},
		"used id":        {url.Values{"new_id": {"OTHER"}}, "has an order or a draft already"},
		"long id":        {url.Values{"new_id": {strings.Repeat("x", 41)}}, "cannot be an order id"},
		"short form":     {url.Values{"sellable": {}}, "A quantity is a whole number"},
		"bad addition":   {url.Values{"add_sku": {"PANN-300LM"}, "add_sellable": {"-1"}, "add_unsellable": {""}}, "A quantity is a whole number"},
	} {
		r := save(bad.change)
		if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, bad.want) {
			t.Errorf("%s: %d, without %q", name, r.status, bad.want)
		}
		if d, err := st.server.Desk.Draft(t.Context(), shop, "D"); err != nil || d.Items[0].Sellable != 1 || d.Notes != "" {
			t.Errorf("%s: kept %+v, %v", name, d, err)
		}
	}
	if r := save(url.Values{"add_sku": {"PANN-300LM"}, "add_sellable": {"3"}, "add_unsellable": {""}, "do": {"add"}}); r.status != http.StatusSeeOther {
		t.Errorf("adding: %d %s", r.status, r.body)
	}
	if r := save(url.Values{"remove": {"TERMOS-1L"}, "do": {""}, "new_id": {"D/2 ?#"}}); r.header.Get("Location") != "/m/shop/draft?id=D%2F2+%3F%23" {
		t.Errorf("removing: %d to %s", r.status, r.header.Get("Location"))
	}
	d, err := st.server.Desk.Draft(t.Context(), shop, "D/2 ?#")
	if err != nil || len(d.Items) != 1 || d.Items[0] != (desk.Item{SKU: "PANN-300LM", Sellable: 3}) {
		t.Errorf("%+v, %v", d, err)
	}
	if r := c.open("/m/shop/draft?id=D%2F2+%3F%23"); r.status != http.StatusOK {
		t.Errorf("a draft of an odd id: %d", r.status)
	}
}

// TestAcrossTheBorder: a return to another country is answered with the file by which
// it can be ordered, and the draft is gone once that file is taken in.
func TestAcrossTheBorder(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	st.draft(desk.Draft{ID: "DE-1", Method: removal.Return, Items: []desk.Item{{SKU: "TERMOS-1L", Sellable: 2}}, Address: removal.Address{
		Name: "Lager", Line1: "Hauptstraße 1", PostalCode: "10115", City: "Berlin", Country: "DE",
	}})
	c := st.as(operator)
	review := c.open("/m/shop/draft/review?id=DE-1")
	if !strings.Contains(review.body, "upload file only") || strings.Contains(review.body, "/draft/place") {
		t.Errorf("the review: %s", review.body)
	}
	if r := c.post("/m/shop/draft/place", url.Values{"id": {"DE-1"}}); r.status != http.StatusConflict {
		t.Errorf("placed all the same: %d", r.status)
	}
	file := c.open("/m/shop/draft/upload?id=DE-1")
	if file.status != http.StatusOK || !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment; filename=upload-DE-1.tsv") {
		t.Fatalf("%d %s", file.status, file.header.Get("Content-Disposition"))
	}
	if r := st.drop("back.tsv", []byte(file.body)); r.ExitCode != 0 {
		t.Fatalf("the file: exit code %d, %+v", r.ExitCode, r.Problems)
	}
	if r := c.open("/m/shop/draft?id=DE-1"); r.header.Get("Location") != "/m/shop/order?id=DE-1" {
		t.Errorf("the draft is still there: %d to %s", r.status, r.header.Get("Location"))
	}
	if r := c.open("/m/shop/order?id=DE-1"); r.status != http.StatusOK || !strings.Contains(r.body, "Berlin") {
		t.Errorf("the order: %d", r.status)
	}
}

// TestOrderPages: what a viewer sees of an order, its files and a list of orders.
func TestOrderPages(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	st.draft(desk.Draft{ID: "A", Method: removal.Disposal, Items: []desk.Item{{SKU: "TERMOS-1L", Sellable: 2}, {SKU: "PANN-300LM", Unsellable: 1}}})
	st.draft(desk.Draft{ID: "B", Method: removal.Return})
	if r := st.as(operator).post("/m/shop/draft/place", url.Values{"id": {"A"}}); r.status != http.StatusSeeOther {
		t.Fatalf("%d %s", r.status, r.body)
	}
	c := st.as(viewer)
	for address, want := range map[string]string{
		"orders":                           "A B",
		"orders?status=draft":              "B",
		"orders?status=pending":            "A",
		"orders?status=completed":          "",
		"orders?method=return":             "B",
		"orders?q=A":                       "A",
		"orders?q=PANN-300LM":              "A",
		"orders?q=PANN":                    "",
		"orders?q=PANN-300LM&method=RETUR": "A", // a method that is none does not matter
	} {
		r := c.open("/m/shop/" + address)
		got := ""
		for _, id := range []string{"A", "B"} {
			if strings.Contains(r.body, `?id=`+id+`"`) {
				got = strings.TrimSpace(got + " " + id)
			}
		}
		if got != want || r.status != http.StatusOK {
			t.Errorf("%s: %d %q, want %q", address, r.status, got, want)
		}
	}
	if r := c.open("/m/shop/orders?cursor=x!"); r.status != http.StatusBadRequest {
		t.Errorf("no cursor: %d", r.status)
	}
	page := c.open("/m/shop/order?id=A")
	if strings.Contains(page.body, "/order/cancel") || !strings.Contains(page.body, "TERMOS-1L") {
		t.Errorf("a viewer's order: %s", page.body)
	}
	name := regexp.MustCompile(`/m/shop/outbound/([^"]+)"`).FindStringSubmatch(page.body)[1]
	if r := c.open("/m/shop/outbound/" + name); r.status != http.StatusOK || !strings.Contains(r.body, "PANN-300LM") ||
		r.header.Get("Content-Type") != "text/tab-separated-values; charset=utf-8" {
		t.Errorf("the file: %d %s", r.status, r.header.Get("Content-Type"))
	}
	for _, at := range []string{
		"order?id=none", "order", "draft/review?id=none", "draft/upload?id=B", "inventory/sku?sku=none", "outbound/none.tsv",
		"outbound/..%2f..%2frensa.db", "outbound/%2e%2e", "outbound/.hidden", "outbound/%00", "outbound/" + strings.Repeat("x", 300),
	} {
		if r := c.open("/m/shop/" + at); r.status != http.StatusNotFound && r.status != http.StatusConflict {
			t.Errorf("%s: %d", at, r.status)
		}
	}
	if r := st.as(outsider).open("/m/stranger/order?id=A"); r.status != http.StatusNotFound {
		t.Errorf("another merchant's order: %d", r.status)
	}
	if r := st.as(outsider).open("/m/stranger/outbound/" + name); r.status != http.StatusNotFound {
		t.Errorf("another merchant's file: %d", r.status)
	}
}

// TestReportFiles: what scheduled work wrote is got by the merchant's people alone,
// and nothing else of the workspace is.
func TestReportFiles(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.as(operator)
	if r := c.post("/m/shop/schedule/run", url.Values{"job": {"reports"}}); r.status != http.StatusSeeOther {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := c.post("/m/shop/schedule/run", url.Values{"job": {"none"}}); r.status != http.StatusNotFound {
		t.Errorf("a job that is none: %d", r.status)
	}
	page := c.open("/m/shop/reports")
	at := regexp.MustCompile(`/m/shop/(reports/2[^"]+/inventory\.csv)"`).FindStringSubmatch(page.body)
	if at == nil {
		t.Fatalf("no inventory among %s", page.body)
	}
	if r := c.open("/m/shop/" + at[1]); r.status != http.StatusOK || !strings.Contains(r.body, "TERMOS-1L") {
		t.Errorf("%s: %d", at[1], r.status)
	}
	if r := st.as(outsider).open("/m/stranger/" + at[1]); r.status != http.StatusNotFound {
		t.Errorf("as another merchant's: %d", r.status)
	}
	for _, bad := range []string{
		path.Dir(at[1]) + "/none.csv", path.Dir(at[1]) + "/..%2f..%2f..%2f..%2frensa.db", path.Dir(at[1]) + "/.summary",
		"reports/..%2f..%2fstranger/x/y", "reports/made/none.csv", "reports/made/inventory.exe", "reports/made/inventory",
	} {
		if r := c.open("/m/shop/" + bad); r.status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
	for _, m := range st.server.Reports {
		for _, form := range m.Forms {
			if r := c.open("/m/shop/reports/made/" + m.Name + "." + form); r.status != http.StatusOK || len(r.body) < 20 {
				t.Errorf("%s.%s: %d, %d bytes", m.Name, form, r.status, len(r.body))
			}
		}
	}
	for _, name := range []string{"recommended/recommended.tsv", "recommended/recommended.xlsx", "deadlines/deadlines.csv", "deadlines/deadlines.xlsx"} {
		if r := c.open("/m/shop/" + name); r.status != http.StatusOK || len(r.body) < 100 {
			t.Errorf("%s: %d, %d bytes", name, r.status, len(r.body))
		}
	}
}

// TestStartRemoval: a list as drafts, of which each is one method's.
func TestStartRemoval(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	c := st.as(operator)
	r := c.post("/m/shop/recommended/start", url.Values{"all": {"1"}})
	drafts, err := st.server.Desk.Drafts(t.Context(), shop)
	if err != nil || len(drafts) != 2 || r.header.Get("Location") != "/m/shop/orders?status=draft" {
		t.Fatalf("%d to %s: %d drafts, %v", r.status, r.header.Get("Location"), len(drafts), err)
	}
	for _, d := range drafts { // gas cannot be returned
		gas := false
		for _, it := range d.Items {
			gas = gas || it.SKU == "GASB-230"
		}
		if gas != (d.Method == removal.Disposal) {
			t.Errorf("%s: %+v", d.Method, d.Items)
		}
	}
	if r := c.post("/m/shop/recommended/start", url.Values{"sku": {"STORM-4P", "none"}}); !strings.HasPrefix(r.header.Get("Location"), "/m/shop/draft/review?id=") {
		t.Errorf("one row: %d to %s", r.status, r.header.Get("Location"))
	}
	for _, at := range []string{"recommended", "deadlines"} {
		if r := c.post("/m/shop/"+at+"/start", nil); r.header.Get("Location") != "/m/shop/"+at {
			t.Errorf("%s, nothing chosen: %d to %s", at, r.status, r.header.Get("Location"))
		}
	}
}
