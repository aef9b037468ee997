package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// readmeTable gives the cells of a table of the README whose heading row begins so.
func readmeTable(t *testing.T, heading string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n"+heading)
	if !found {
		t.Fatalf("the README has no table that begins with %q", heading)
	}
	var rows [][]string
	for _, line := range strings.Split(after, "\n")[2:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		var cells []string
		for _, c := range strings.Split(strings.Trim(line, "|"), " | ") {
			cells = append(cells, strings.Trim(c, " `"))
		}
		rows = append(rows, cells)
	}
	return rows
}

func TestReadmeCodes(t *testing.T) {
	t.Parallel()
	var want, got [][]string
	for _, c := range removal.Codes() {
		want = append(want, []string{c.String(), c.Scope().String(), c.Severity().String()})
	}
	for _, row := range readmeTable(t, "| code | scope |") {
		got = append(got, row[:3])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("codes of the README (-catalogue +README):\n%s", diff)
	}
}

func TestReadmeSettings(t *testing.T) {
	t.Parallel()
	var listed []string
	for _, row := range readmeTable(t, "| key | default | values |") {
		// return_address.name, .line1, … stand in one row.
		for i, k := range strings.Split(row[0], ", ") {
			k = strings.Trim(k, "`")
			if i > 0 {
				k = "return_address" + k
			}
			listed = append(listed, k)
		}
	}
	slices.Sort(listed)
	keys := append(ledger.SettingKeys(), "policy.KEY")
	slices.Sort(keys)
	if diff := cmp.Diff(keys, listed); diff != "" {
		t.Errorf("settings of a merchant (-program +README):\n%s", diff)
	}
}

func TestReadmeReports(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, name := range report.Names() {
		want = append(want, report.FileName(name))
	}
	isFile := regexp.MustCompile(`^[a-z-]+\.[a-z]+$`)
	for _, row := range readmeTable(t, "| file | what is in it |") {
		if isFile.MatchString(row[0]) {
			got = append(got, row[0])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reports of an upload (-program +README):\n%s", diff)
	}
}

func TestReadmeWorkspaceSettings(t *testing.T) {
	t.Parallel()
	var want, got [][]string
	c := defaultConfig()
	for _, s := range c.settings() {
		value := strings.Trim(s.value.String(), `"`)
		if value == "" {
			value = "–"
		}
		want = append(want, []string{s.key, value})
	}
	for _, row := range readmeTable(t, "| key | default | meaning |") {
		value, _, _ := strings.Cut(row[1], "`")
		got = append(got, []string{row[0], value})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings of the workspace (-program +README):\n%s", diff)
	}
}
