package validate

import (
	"strings"
	"testing"

	"rensa/pkg/removal"
)

func TestQuantity(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                     "0",
		"0":                    "0",
		"12":                   "12",
		"007":                  "7",
		"12.0":                 "12",
		"0.0":                  "0",
		"1000000":              "1000000",
		"1000001":              "quantity_too_large",
		"99999999999999999999": "quantity_too_large",
		"-3":                   "quantity_negative",
		"−3":                   "quantity_negative",
		"-1.5":                 "quantity_negative",
		"-":                    "quantity_not_whole",
		"1.5":                  "quantity_not_whole",
		"ten":                  "quantity_not_whole",
		"12.00":                "quantity_not_whole 12",
		"12,0":                 "quantity_not_whole 12",
		"1.000":                "quantity_not_whole 1 1000",
		"1,000":                "quantity_not_whole 1 1000",
		"1.500":                "quantity_not_whole 1500",
		"1 000":                "quantity_not_whole 1000",
		"1\u00a0000":           "quantity_not_whole 1000",
		"12'500":               "quantity_not_whole 12500",
		"7 pcs":                "quantity_not_whole 7",
		"7x":                   "quantity_not_whole 7",
		"1e3":                  "quantity_not_whole 1000",
		"1E+3":                 "quantity_not_whole 1000",
		".0":                   "quantity_not_whole",
		"1.0.0":                "quantity_not_whole",
	} {
		n, code, args := quantity([]byte(in))
		got := removal.Amount(n * 10000).String()
		got = strings.TrimSuffix(got, ".00")
		if code != removal.CodeNone {
			got = strings.TrimSpace(code.String() + " " + strings.ReplaceAll(args.Get("readings"), "\n", " "))
		}
		if got != want {
			t.Errorf("quantity(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestParseMethod(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]removal.Method{
		"Return": removal.Return, " RETURN ": removal.Return, "returnera": removal.Return,
		"Rücksendung": removal.Return, "RÜCKSENDUNG": removal.Return,
		"Disposal": removal.Disposal, "dispose": removal.Disposal, "Bortskaffa": removal.Disposal,
		"ENTSORGUNG": removal.Disposal, "Liquidate": removal.MethodNone, "": removal.MethodNone, "retrun": removal.MethodNone,
	} {
		if got := ParseMethod([]byte(in)); got != want {
			t.Errorf("ParseMethod(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestNearestMethod(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"retrun": "Return", "destroy": "Disposal", "retur": "Return", "bortskafa": "Disposal", "hold": "",
	} {
		if got := nearestMethod(in).Get("nearest"); got != want {
			t.Errorf("nearestMethod(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGeneratedID(t *testing.T) {
	t.Parallel()
	a := GeneratedID("261120", "m", "hash", 1, 0)
	if len(a) != len("R261120-12345678") || !strings.HasPrefix(a, "R261120-") {
		t.Errorf("id %q has another form", a)
	}
	if b := GeneratedID("261120", "m", "hash", 1, 0); a != b {
		t.Errorf("the same order got %q and %q", a, b)
	}
	others := map[string]bool{a: true}
	for _, id := range []string{
		GeneratedID("261120", "m", "hash", 2, 0), GeneratedID("261120", "m", "hash", 1, 1),
		GeneratedID("261120", "n", "hash", 1, 0), GeneratedID("261120", "m", "hasi", 1, 0),
	} {
		if others[id] {
			t.Errorf("id %q came out twice", id)
		}
		others[id] = true
	}
}

func TestSuffixed(t *testing.T) {
	t.Parallel()
	if got := suffixed("A-1", "-r1"); got != "A-1-r1" {
		t.Errorf("got %q", got)
	}
	long := strings.Repeat("å", MaxOrderID)
	a, b := suffixed(long, "-r12"), suffixed(strings.Repeat("å", MaxOrderID-1)+"b", "-r12")
	for _, id := range []string{a, b} {
		if n := len([]rune(id)); n != MaxOrderID || !strings.HasSuffix(id, "-r12") {
			t.Errorf("%q has %d characters", id, n)
		}
	}
	if a == b {
		t.Errorf("two long ids became one: %q", a)
	}
}
