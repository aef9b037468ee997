package ledger

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/removal"
)

// TestSettings: a profile written out and set again is the same.
func TestSettings(t *testing.T) {
	t.Parallel()
	full := removal.Profile{
		Name: "Acme", HomeStore: "DE", Language: "de", TimeZone: "Europe/Berlin", Notify: []string{"a@example.com", "b@example.com"},
		ReturnAddress: removal.Address{Name: "N", Line1: "1", Line2: "2", Line3: "3", City: "C", State: "S", PostalCode: "P", Country: "DE", Phone: "T"},
		DefaultMethod: removal.Disposal, Acceptance: removal.AcceptOrder, Partial: true, Resubmit: removal.ResubmitRefuse,
		CSVBOM: true, ShiftJIS: true, Reports: []string{"result", "errors"}, Policy: map[string]string{"hold_days": "45", "a": "b=c"},
	}
	for _, want := range []removal.Profile{full, DefaultProfile()} {
		got := removal.Profile{Name: "other", Split: !want.Split, Reports: []string{"x"}}
		for _, s := range Settings(want) {
			if err := SetSetting(&got, s.Key, s.Value); err != nil {
				t.Error(err)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

func TestSetSetting(t *testing.T) {
	t.Parallel()
	p := DefaultProfile()
	for _, ok := range []Setting{{"acceptance", " Order "}, {"default_method", "Disposal"}, {"partial", "TRUE"},
		{"notify", " a@example.com , ,b@example.com"}, {"policy.hold_days", "45"}, {"policy.x", "1"}, {"policy.x", ""}} {
		if err := SetSetting(&p, ok.Key, ok.Value); err != nil {
			t.Error(err)
		}
	}
	want := DefaultProfile()
	want.Acceptance, want.DefaultMethod, want.Partial = removal.AcceptOrder, removal.Disposal, true
	want.Notify, want.Policy = []string{"a@example.com", "b@example.com"}, map[string]string{"hold_days": "45"}
	if d := cmp.Diff(want, p); d != "" {
		t.Error(d)
	}
	copied := p
	if err := SetSetting(&copied, "policy.y", "1"); err != nil || len(p.Policy) != 1 {
		t.Errorf("setting a copy changed the profile: %v, %v", p.Policy, err)
	}
	for _, wrong := range []Setting{{"acceptance", "some"}, {"split", "perhaps"}, {"resubmit", ""}} {
		if err := SetSetting(&p, wrong.Key, wrong.Value); err == nil || errors.Is(err, ErrUnknownSetting) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	if err := SetSetting(&p, "aceptance", "row"); !errors.Is(err, ErrUnknownSetting) || !strings.Contains(err.Error(), "acceptance?") {
		t.Errorf("unknown key: %v", err)
	}
	if err := SetSetting(&p, "policy.", "row"); !errors.Is(err, ErrUnknownSetting) {
		t.Errorf("unknown key: %v", err)
	}
}
