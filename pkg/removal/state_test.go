package removal

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// picture draws the state machine as the README has it: a row a state, with the
// events that lead on from it.
func picture() string {
	states := []State{StateNone, StateDraft, StatePlanning, StatePending, StateProcessing, StateCompleted, StateCancelled, StateRefused}
	name := func(s State) string {
		if s == StateNone {
			return "–"
		}
		return string(s)
	}
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, from := range states {
		for _, t := range Transitions {
			if t.From != from {
				continue
			}
			a, z := name(t.From), name(t.To)
			if t.From == StateNone {
				a = "[*]"
			}
			if t.To == StateNone {
				z = "[*]"
			}
			label := strings.ReplaceAll(string(t.Event), "_", " ")
			if g := t.Guard.String(); g != "" {
				label += " [" + g + "]"
			}
			fmt.Fprintf(&b, "    %s --> %s: %s\n", a, z, label)
		}
	}
	for _, s := range states {
		if s.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	return b.String()
}

func TestPictureInREADME(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```mermaid\n(stateDiagram.*?)```").FindSubmatch(readme)
	if found == nil {
		t.Fatalf("the README has no picture of the states; it is:\n%s", picture())
	}
	if string(found[1]) != picture() {
		t.Errorf("the README's picture of the states is not the table's, which is:\n%s", picture())
	}
}

func TestTransitions(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, x := range Transitions {
		if x.From.Final() {
			t.Errorf("%s is final and leads to %s", x.From, x.To)
		}
		key := fmt.Sprint(x.From, x.Event, x.To)
		if seen[key] {
			t.Errorf("%v stands there twice", x)
		}
		seen[key] = true
		if x.To.Final() && x.To != StateRefused && x.Event != EventCancel && x.Guard != GuardNothingOpen {
			t.Errorf("%v finishes an order with open units", x)
		}
		to, guard, ok := Next(x.From, x.Event)
		if !ok || x.Event != EventDiscover && (to != x.To || guard != x.Guard) {
			t.Errorf("Next(%s, %s) is %s, %s, %t", x.From, x.Event, to, guard, ok)
		}
		if !Allowed(x.From, x.To) {
			t.Errorf("%v is not allowed", x)
		}
	}
	if _, _, ok := Next(StateCompleted, EventStop); ok || Allowed(StateCompleted, StateCancelled) {
		t.Error("a finished order moves")
	}
}

func TestCancellable(t *testing.T) {
	t.Parallel()
	in := []State{StatePlanning, StatePending}
	for _, c := range []struct {
		o    Order
		want bool
	}{
		{Order{State: StatePending, Source: SourceUpload}, true},
		{Order{State: StateProcessing, Source: SourceUpload}, false},
		{Order{State: StatePending, Source: SourceRequired}, false},
	} {
		if got := c.o.Cancellable(in); got != c.want {
			t.Errorf("%s, %s: %t", c.o.State, c.o.Source, got)
		}
	}
}

// TestWild: words as they stand in files.
func TestWild(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]State{
		"Pending": StatePending, "PLANNING": StatePending, " In-Process ": StateProcessing, "processing": StateProcessing,
		"Completed": StateCompleted, "Canceled": StateCancelled, "CANCELLED": StateCancelled,
	} {
		if got, ok := ParseOrderStatus(text); !ok || got != want {
			t.Errorf("%q is %q, %t", text, got, ok)
		}
	}
	if _, ok := ParseOrderStatus("lost"); ok {
		t.Error("lost is a status")
	}
	for text, want := range map[string]Condition{"Sellable": Sellable, "UNSELLABLE": Unsellable, "unfulfillable": Unsellable, "Customer Damaged": Unsellable} {
		if got, ok := ParseDisposition(text); !ok || got != want {
			t.Errorf("%q is %s, %t", text, got, ok)
		}
	}
	for text, want := range map[string]Source{
		"Seller-initiated Manual Removal": SourceExternal, "Seller-initiated Automatic Removal": SourceExternal,
		"Amazon-Initiated Removal": SourceRequired, "Required removal": SourceRequired, "": SourceExternal,
	} {
		if got := ParseOrderSource(text); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
	if ParseOrderType("Return") != Return || ParseOrderType("Liquidations") != Disposal {
		t.Error("types of orders")
	}
	lines := []ProcessingLine{{Type: "Error"}, {Type: ""}, {Type: "Warning"}, {Type: "Hinweis"}}
	if got := slices.IndexFunc(lines, func(l ProcessingLine) bool { return !l.IsError() }); got != 2 {
		t.Errorf("first line that refuses nothing is %d", got)
	}
}
