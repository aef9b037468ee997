package api_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the README's examples of the API as they stand there, in a shell.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is needed: %v", program, err)
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## The API\n")
	_, script, _ := strings.Cut(section, "\n```sh\n")
	script, _, ok := strings.Cut(script, "\n```\n")
	if !ok {
		t.Fatal("the README has no examples of the API")
	}
	s := newServer(t)
	s.work()
	dir := t.TempDir()
	for name, sample := range map[string]string{"inventory.tsv": "lager.tsv", "removals.tsv": "1-vinterlager.tsv"} {
		s.must(os.WriteFile(filepath.Join(dir, name), content(t, "demo", sample), 0o600))
	}
	// Every command says what it did: each answer on a line of its own.
	script = "set -e\ncurl() { command curl \"$@\" -w '\\n%{http_code}\\n'; }\n" + strings.ReplaceAll(script, "$(curl", "$(command curl")
	c := exec.CommandContext(t.Context(), "bash", "-c", script)
	c.Dir = dir
	c.Env = append(os.Environ(), "TOKEN="+operator, "RENSA="+s.http.URL)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var statuses []string
	for line := range strings.SplitSeq(string(out), "\n") {
		switch {
		case line == "":
		case strings.HasPrefix(line, "{"):
			if !json.Valid([]byte(line)) || strings.Contains(line, "urn:rensa:problem:") {
				t.Errorf("%s", line)
			}
		default:
			statuses = append(statuses, line)
		}
	}
	if want := "200 200 200 200 200 201 200 200 200 200 200"; strings.Join(statuses, " ") != want {
		t.Errorf("the examples were answered with %v, want %s\n%s", statuses, want, out)
	}
	for _, name := range []string{"rejected.tsv", "reconciliation.xlsx"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
