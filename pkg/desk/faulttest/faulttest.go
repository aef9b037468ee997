// Package faulttest shows that tests find faults: it plants one in the product's
// source, as the compiler sees it, and wants the tests to fail. The source on disk
// stays as it is.
//
// To compile and run the tests for each fault takes minutes, so it is done with
// RENSA_FAULTS=all only; otherwise it is looked that each can still be planted.
package faulttest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Fault is a change of the product's source: New for Old, which stands in File
// once. File is seen from the folder of the tests.
type Fault struct{ Name, File, Old, New string }

var failed = regexp.MustCompile(`--- FAIL: (Test[^\s(]+).*`)

// Find plants the fault and wants one of the tests to fail that run names, a
// pattern as go test takes it. env is added to their environment.
func (f Fault) Find(t *testing.T, run string, env ...string) {
	t.Helper()
	source, err := os.ReadFile(f.File)
	must(t, err)
	if n := strings.Count(string(source), f.Old); n != 1 {
		t.Fatalf("%q stands in %s %d times", f.Old, f.File, n)
	}
	if os.Getenv("RENSA_FAULTS") != "all" {
		return
	}
	dir := t.TempDir()
	planted, overlay := filepath.Join(dir, "planted.go"), filepath.Join(dir, "overlay.json")
	must(t, os.WriteFile(planted, []byte(strings.Replace(string(source), f.Old, f.New, 1)), 0o600))
	path, err := filepath.Abs(f.File)
	must(t, err)
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: planted}})
	must(t, err)
	must(t, os.WriteFile(overlay, text, 0o600))
	c := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-run", run, ".")
	c.Env = append(append(os.Environ(), "RENSA_FAULTS="), env...)
	out, err := c.CombinedOutput()
	said := failed.Find(out)
	if err == nil || said == nil {
		t.Fatalf("not found: %s", out)
	}
	t.Logf("found: %s", said)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
