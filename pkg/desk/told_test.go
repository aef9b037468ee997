package desk_test

import (
	"fmt"
	"testing"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// TestTold: what the desk keeps of an order is known again, to be said in another
// language, with all its facts.
func TestTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(p *removal.Profile) { p.ReleaseDelay = time.Hour })
	o.inventory(false, "A|X1|10|0")
	_, err := o.Create(t.Context(), desk.Draft{Merchant: merchantID, ID: "O", Method: removal.Disposal, Items: []desk.Item{{SKU: "A", Sellable: 6}}})
	must(t, err)
	_, err = o.Place(t.Context(), merchantID, "O", "tester")
	must(t, err)
	o.detail(row(o, "O", removal.StateProcessing, 6, 1, 2, 0, 3))
	o.wait(time.Hour)
	o.detail(row(o, "O", removal.StateProcessing, 6, 1, 1, 1, 1))
	o.detail(row(o, "E", removal.StateCompleted, 2, 0, 2, 0, 0))
	o.wait(time.Hour)
	o.detail(row(o, "E", removal.StateCompleted, 2, 1, 1, 0, 0))
	_, err = o.Create(t.Context(), desk.Draft{Merchant: merchantID, ID: "P", Method: removal.Disposal, Items: []desk.Item{{SKU: "A", Sellable: 1}}})
	must(t, err)
	_, err = o.Place(t.Context(), merchantID, "P", "tester")
	must(t, err)
	_, err = o.Cancel(t.Context(), merchantID, desk.CancelRequest{Order: "P", Actor: "tester", File: "stop it.txt"})
	must(t, err)
	day := o.now().Format(time.DateOnly)
	found := map[string]string{}
	for _, id := range []string{"O", "E", "P"} {
		history, err := o.ledger.History(t.Context(), merchantID, id)
		must(t, err)
		for i := range history {
			if key, facts := desk.Told(&history[i]); key != "" {
				found[id+" "+history[i].What] = fmt.Sprint(append([]any{key}, facts...)...)
			}
		}
	}
	for event, want := range map[string][]any{
		"O placed":            {"fee", "fee", "", "without", "", "part", ""},
		"O status":            {"units", "cancelled", "1", "disposed", "2", "shipped", "0", "in_process", "3"},
		"O status_unbalanced": {"row", "day", day, "sku", "A", "condition", "sellable", "requested", "6", "cancelled", "1", "disposed", "1", "shipped", "1", "in_process", "1"},
		"E external":          {"units", "cancelled", "0", "disposed", "2", "shipped", "0", "in_process", "0"},
		"E status_late":       {"row", "day", day, "sku", "A", "condition", "sellable", "requested", "2", "cancelled", "1", "disposed", "1", "shipped", "0", "in_process", "0"},
		"P placed":            {"fee", "fee", "", "without", "", "part", ""},
		"P cancelled":         {"cancelled", "units", "1", "file", "stop it.txt"},
	} {
		if got := found[event]; got != fmt.Sprint(want...) {
			t.Errorf("%s: %s, want %s", event, got, fmt.Sprint(want...))
		}
		delete(found, event)
	}
	if len(found) > 0 {
		t.Errorf("found too: %v", found)
	}
	for why, want := range map[string][]any{
		"deadline past on 2026-11-01; fee without a figure":                            {"required", "day", "2026-11-01", "fee", "", "without", "", "part", ""},
		"deadline past on 2026-11-01; fee 12.50 SEK, 2 without a figure, part of R1-X": {"required", "day", "2026-11-01", "fee", "12.50 SEK", "without", "2", "part", "R1-X"},
		"somebody's own words": nil,
	} {
		key, facts := desk.Told(&ledger.Event{What: "required", Why: why})
		if key != "" {
			facts = append([]any{key}, facts...)
		}
		if fmt.Sprint(facts...) != fmt.Sprint(want...) {
			t.Errorf("%s: %v", why, facts)
		}
	}
}
