package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"rensa/pkg/ledger"
)

// TestAPIHangsIn: the API answers on the page's server, with tokens that the page
// and the command line make, and knows nothing of sessions.
func TestAPIHangsIn(t *testing.T) {
	t.Parallel()
	st := newSite(t, nil)
	_, secret, err := NewToken(t.Context(), st.ledger, ledger.Token{Name: "till", Access: ledger.Access{Role: ledger.RoleViewer, Merchants: []string{shop}}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(c *client, method, path, token string) (int, map[string]any) {
		t.Helper()
		header := http.Header{}
		if token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		r := c.do(method, path, nil, header)
		var body map[string]any
		if err := json.Unmarshal([]byte(r.body), &body); err != nil {
			t.Fatalf("%s %s: %d %.200s", method, path, r.status, r.body)
		}
		return r.status, body
	}
	none := st.visitor()
	if status, body := ask(none, "GET", "/api/v1/caller", secret); status != http.StatusOK || body["name"] != "till" {
		t.Errorf("%d %v", status, body)
	}
	for method, want := range map[string]int{"GET": http.StatusUnauthorized, "PUT": http.StatusMethodNotAllowed} {
		if status, body := ask(st.as(boss), method, "/api/v1/orders", ""); status != want || !strings.HasPrefix(body["type"].(string), "urn:rensa:problem:") {
			t.Errorf("%s with a session: %d %v", method, status, body)
		}
	}
	if status, body := ask(none, "GET", "/api/v1/openapi.json", ""); status != http.StatusOK || body["openapi"] == nil {
		t.Errorf("%d %v", status, body["openapi"])
	}
	if status, _ := ask(none, "GET", "/api/v1/nothing", secret); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
}
