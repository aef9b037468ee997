package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rensa/pkg/ledger"
	"rensa/templates"
)

// wrongZone is what is told of a time zone that there is not.
type wrongZone struct{}

func (wrongZone) Error() string { return "zone" }

func (wrongZone) Explain(*templates.Texts) (string, []string) {
	return "no such time zone", []string{"such as Europe/Stockholm"}
}

// recordSettings remembers what is to be changed, and refuses zones on Mars.
func recordSettings(to *[]string) func(context.Context, string, string, []string) ([]ledger.Event, error) {
	return func(_ context.Context, _, _ string, assignments []string) ([]ledger.Event, error) {
		if slices.ContainsFunc(assignments, func(a string) bool { return strings.HasPrefix(a, "time_zone=Mars") }) {
			return nil, wrongZone{}
		}
		*to = append(*to, assignments...)
		return nil, nil
	}
}

// TestSettings: only what differs is changed, and a fault keeps what was typed.
func TestSettings(t *testing.T) {
	t.Parallel()
	var asked []string
	st := newSite(t, func(o *Options) { o.Settle = recordSettings(&asked) })
	m, err := st.ledger.Merchant(t.Context(), shop)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"reports": {"result", "errors"}, "policy": {"snapshot_max_age_days = 5\n\nhold_days=40\n"}, "split": {"on"}}
	for _, s := range ledger.Settings(m.Profile) {
		if !slices.Contains(switches, s.Key) && s.Key != "reports" {
			form.Set(s.Key, s.Value)
		}
	}
	form.Set("name", " Nordic Outdoor ")
	c := st.as(admin)
	if r := c.post("/m/shop/settings", form); r.status != http.StatusSeeOther {
		t.Fatalf("changed: %d", r.status)
	}
	want := "name=Nordic Outdoor|reports=result,errors|policy.hold_days=40|policy.snapshot_max_age_days=5"
	if got := strings.Join(asked, "|"); got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	asked = nil
	form.Set("time_zone", "Mars/Olympus")
	r := c.post("/m/shop/settings", form)
	if r.status != http.StatusUnprocessableEntity || !strings.Contains(r.body, "no such time zone") || !strings.Contains(r.body, "Mars/Olympus") || len(asked) > 0 {
		t.Errorf("a wrong zone: %d, %v", r.status, asked)
	}
	if r := st.as(viewer).open("/m/shop/settings"); r.status != http.StatusOK || !strings.Contains(r.body, "<fieldset class=\"stack wide\" disabled") {
		t.Errorf("a viewer's page: %d", r.status)
	}
}
