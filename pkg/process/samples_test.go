package process_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/samples"
)

var update = flag.Bool("update", false, "record the outputs of the samples whose expectations hold")

// recorded is where a case's outputs lie.
func recorded(c *samples.Case) string { return filepath.Join("..", "..", "samples", c.Name, "out") }

// TestSamples takes the files of every sample. What is found must be what was
// written down by hand beside each file; the reports must be the recorded ones,
// byte for byte, and come out the same once more from the ledger.
func TestSamples(t *testing.T) {
	t.Parallel()
	all, err := samples.Cases()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		t.Run(all[i].Name, func(t *testing.T) {
			t.Parallel()
			runSample(t, &all[i])
		})
	}
}

// golden is one case while it is run.
type golden struct {
	*testing.T
	c       *samples.Case
	root    string
	ledger  *ledger.Ledger
	now     time.Time
	outputs map[string][]byte // by their place under out/
	*process.Processor
}

func runSample(t *testing.T, c *samples.Case) {
	g := openSample(t, c)
	for i := range c.Steps {
		g.step(&c.Steps[i])
	}
	g.outbound()
	if *update && !t.Failed() {
		g.record()
	}
	g.compare()
}

func openSample(t *testing.T, c *samples.Case) *golden {
	t.Helper()
	g := &golden{T: t, c: c, root: t.TempDir(), now: c.Now, outputs: map[string][]byte{}}
	clock := func() time.Time { return g.now }
	set, err := policy.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	g.ledger, err = ledger.Open(t.Context(), filepath.Join(g.root, "rensa.db"), ledger.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	p, err := sampleProfile(c, set)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.ledger.AddMerchant(t.Context(), removal.Merchant{ID: merchantID, Profile: p}); err != nil {
		t.Fatal(err)
	}
	g.Processor, err = process.New(process.Options{
		Ledger: g.ledger, Policy: set, Root: g.root, Now: clock, Limits: sampleLimits(c.Limits), Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(g.Close(), g.ledger.Close()); err != nil {
			t.Error(err)
		}
	})
	return g
}

// sampleProfile is a new merchant's profile with the settings of a case.
func sampleProfile(c *samples.Case, set *policy.Set) (removal.Profile, error) {
	p := profile()
	p.HomeStore = c.Profile["home_store"]
	store, err := set.Store(p.HomeStore, c.Now, nil)
	if err != nil {
		return p, err
	}
	p.TimeZone = store.TimeZone
	for key, v := range c.Profile {
		var err error
		switch key {
		case "home_store":
		case "name":
			p.Name = v
		case "language":
			p.Language = v
		case "acceptance":
			p.Acceptance = removal.Acceptance(v)
		case "resubmit":
			p.Resubmit = removal.Resubmit(v)
		case "partial":
			p.Partial, err = strconv.ParseBool(v)
		case "split":
			p.Split, err = strconv.ParseBool(v)
		case "csv_bom":
			p.CSVBOM, err = strconv.ParseBool(v)
		case "reports":
			p.Reports = strings.Split(v, ",")
		default:
			name, ok := strings.CutPrefix(key, "policy.")
			if !ok {
				return p, fmt.Errorf("a sample cannot set %s", key)
			}
			if p.Policy == nil {
				p.Policy = map[string]string{}
			}
			p.Policy[name] = v
		}
		if err != nil {
			return p, fmt.Errorf("%s: %w", key, err)
		}
	}
	_, err = set.Store(p.HomeStore, c.Now, p.Policy)
	return p, err
}

func sampleLimits(l samples.Limits) decode.Limits {
	d := decode.DefaultLimits()
	d.Bytes, d.Unpacked = cmp.Or(l.Bytes, d.Bytes), cmp.Or(l.Unpacked, d.Unpacked)
	d.Ratio, d.RatioFrom = cmp.Or(l.Ratio, d.Ratio), cmp.Or(l.RatioFrom, d.RatioFrom)
	d.Cell, d.Rows, d.Columns = cmp.Or(l.Cell, d.Cell), cmp.Or(l.Rows, d.Rows), cmp.Or(l.Columns, d.Columns)
	return d
}

// step takes one file and holds the answer against what is expected.
func (g *golden) step(s *samples.Step) {
	g.Helper()
	if !s.Now.IsZero() {
		g.now = s.Now
	}
	body, err := fs.ReadFile(g.c.FS, s.File)
	if err != nil {
		g.Fatal(err)
	}
	dropped := filepath.Join(g.TempDir(), "dropped")
	if err := os.WriteFile(dropped, body, 0o600); err != nil {
		g.Fatal(err)
	}
	r, err := g.Process(g.Context(), process.Request{
		Merchant: merchantID, Path: dropped, Name: s.Name(), AsOf: s.AsOf, Force: s.Force, Actor: "sample",
	})
	if err != nil {
		g.Fatalf("%s: %v", s.Name(), err)
	}
	if r.ExitCode != s.Exit {
		g.Errorf("%s: exit code %d, want %d", s.Name(), r.ExitCode, s.Exit)
	}
	g.expect(s, r)
	switch r.ExitCode {
	case process.ExitAccepted, process.ExitRejected:
		g.counts(s, r)
		g.reports(s, r)
	case process.ExitRefused:
		g.reportFiles(s, r)
		g.say(s, r)
	default:
		g.say(s, r)
	}
}

// expect holds the problems that were found against those written down by hand.
func (g *golden) expect(s *samples.Step, r *process.Result) {
	g.Helper()
	want, err := g.c.Expect(s)
	if err != nil {
		g.Fatal(err)
	}
	got := g.found(r)
	for _, e := range want {
		i := slices.IndexFunc(got, func(f said) bool {
			return f.row == e.Row && f.code == e.Code && (e.Cell == "" || f.cell == e.Cell)
		})
		if i < 0 {
			g.Errorf("%s: not found: %d %s %s", s.Name(), e.Row, e.Code, e.Cell)
			continue
		}
		for _, words := range e.Says {
			if !strings.Contains(got[i].text, words) {
				g.Errorf("%s: %d %s does not say %q:\n%s", s.Name(), e.Row, e.Code, words, got[i].text)
			}
		}
		got = slices.Delete(got, i, i+1)
	}
	for _, f := range got {
		g.Errorf("%s: not expected: %d %s %s\n%s", s.Name(), f.row, f.code, f.cell, f.text)
	}
}

// said is one problem that a user was told of.
type said struct {
	row        int
	code, cell string
	text       string // message and hint
}

// found lists all that was said about a file: errors.csv has the errors and
// warnings, result.csv the infos of an upload's rows, the result itself the others.
func (g *golden) found(r *process.Result) (all []said) {
	g.Helper()
	for _, p := range r.Problems {
		if r.FileProblem == nil && p.Code.Severity() == removal.SeverityInfo {
			all = append(all, said{row: p.Row, code: p.Code.String(), cell: p.Cell, text: p.Message + "\n" + p.Hint})
		}
	}
	if p := r.FileProblem; p != nil {
		all = append(all, said{code: p.Code.String(), text: p.Message + "\n" + p.Hint})
	}
	if r.ReportDir == "" || r.Seen != nil {
		return all
	}
	for _, line := range g.csv(r, "errors.csv") {
		f := said{row: g.number(line["row"]), code: line["code"], cell: line["cell"], text: line["message"] + "\n" + line["hint"]}
		if r.FileProblem == nil || f.row > 0 { // else had already
			all = append(all, f)
		}
	}
	for _, line := range g.csv(r, "result.csv") {
		for _, name := range strings.Fields(line["codes"]) {
			if code, ok := removal.ParseCode(name); !ok || code.Severity() == removal.SeverityInfo {
				all = append(all, said{row: g.number(line["row"]), code: name})
			}
		}
	}
	return all
}

func (g *golden) number(s string) int {
	g.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		g.Fatal(err)
	}
	return n
}

// csv reads a report as rows of heading and value; none where it is absent.
func (g *golden) csv(r *process.Result, name string) (rows []map[string]string) {
	g.Helper()
	text, err := os.ReadFile(filepath.Join(r.ReportDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		g.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))).ReadAll()
	if err != nil || len(all) == 0 {
		g.Fatalf("%s: %d rows, %v", name, len(all), err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, h := range all[0] {
			row[h] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func (g *golden) counts(s *samples.Step, r *process.Result) {
	g.Helper()
	run, err := g.ledger.Run(g.Context(), merchantID, r.RunID)
	if err != nil {
		g.Fatal(err)
	}
	if got := (samples.Counts{Read: run.Read, Accepted: run.Accepted, Rejected: run.Rejected, Seen: run.Seen}); s.Counts != nil && got != *s.Counts {
		g.Errorf("%s: counts %+v, want %+v", s.Name(), got, *s.Counts)
	}
	// Every row is accounted for, and rows of text have a line.
	var inResult samples.Counts
	lines := g.csv(r, "result.csv")
	for _, line := range lines {
		inResult.Read++
		switch line["status"] {
		case removal.Accepted.String():
			inResult.Accepted++
		case removal.Rejected.String():
			inResult.Rejected++
		case removal.Seen.String():
			inResult.Seen++
		}
	}
	if s.Counts != nil && lines != nil && inResult != *s.Counts {
		g.Errorf("%s: result.csv has %+v, want %+v", s.Name(), inResult, *s.Counts)
	}
	for _, line := range append(lines, g.csv(r, "errors.csv")...) {
		if isText := run.Sheet == ""; line["row"] != "0" && isText != (line["line"] != "") {
			g.Errorf("%s: row %s has the line %q (%s)", s.Name(), line["row"], line["line"], line["code"])
		}
	}
}

// reportFiles collects a run's reports under out/, and returns their names.
func (g *golden) reportFiles(s *samples.Step, r *process.Result) (names []string) {
	g.Helper()
	if r.ReportDir == "" {
		return nil
	}
	entries, err := os.ReadDir(r.ReportDir)
	if err != nil {
		g.Fatal(err)
	}
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(r.ReportDir, e.Name()))
		if err != nil {
			g.Fatal(err)
		}
		g.outputs[s.Name()+"/"+e.Name()] = body
		names = append(names, e.Name())
	}
	return names
}

// reports collects a run's reports and makes each again from the ledger.
func (g *golden) reports(s *samples.Step, r *process.Result) {
	g.Helper()
	for _, name := range g.reportFiles(s, r) {
		var again bytes.Buffer
		if err := g.Rebuild(g.Context(), merchantID, r.RunID, name, &again); err != nil {
			g.Errorf("%s: %s again: %v", s.Name(), name, err)
			continue
		}
		if first := g.outputs[s.Name()+"/"+name]; !bytes.Equal(again.Bytes(), first) {
			g.Errorf("%s: %s comes out different from the ledger:\n%s", s.Name(), name, difference(first, again.Bytes()))
		}
	}
}

// say collects what a user is told about a file that was not taken.
func (g *golden) say(s *samples.Step, r *process.Result) {
	g.Helper()
	var b strings.Builder
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "%s: %s\n", p.Code, p.Message)
		if p.Hint != "" {
			fmt.Fprintf(&b, "hint: %s\n", p.Hint)
		}
	}
	g.outputs[s.Name()+"/answer.txt"] = []byte(b.String())
}

// outbound collects what was handed on.
func (g *golden) outbound() {
	g.Helper()
	dir := filepath.Join(g.root, "outbound", merchantID)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.Fatal(err)
	}
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			g.Fatal(err)
		}
		g.outputs["outbound/"+e.Name()] = body
	}
}

// isKept tells whether an output is recorded itself. A workbook cannot be read in
// a difference, so only the demo's are, to be looked at; of the others the
// recorded summary.json has the hash, which is the same guard.
func (g *golden) isKept(name string) bool { return g.c.Demo || filepath.Ext(name) != ".xlsx" }

func (g *golden) record() {
	g.Helper()
	dir := recorded(g.c)
	if err := os.RemoveAll(dir); err != nil {
		g.Fatal(err)
	}
	for name, body := range g.outputs {
		if !g.isKept(name) {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, body, 0o644)); err != nil {
			g.Fatal(err)
		}
	}
}

// compare holds the outputs against the recorded ones, in both directions.
func (g *golden) compare() {
	g.Helper()
	dir := recorded(g.c)
	there := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		there[filepath.ToSlash(rel)] = true
		return err
	})
	if err != nil {
		g.Fatalf("%v; go test ./pkg/process -run TestSamples -update records the outputs", err)
	}
	for name, got := range g.outputs {
		if !g.isKept(name) {
			continue
		}
		want, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		switch {
		case err != nil:
			g.Errorf("not recorded: %v", err)
		case !bytes.Equal(got, want):
			g.Errorf("%s is not as recorded:\n%s", name, difference(want, got))
		}
		delete(there, name)
	}
	for name := range there {
		g.Errorf("recorded, but not made: %s", name)
	}
}

// difference shows the first line that differs.
func difference(want, got []byte) string {
	a, b := bytes.SplitAfter(want, []byte("\n")), bytes.SplitAfter(got, []byte("\n"))
	for i := range max(len(a), len(b)) {
		var x, y []byte
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if !bytes.Equal(x, y) {
			return fmt.Sprintf("line %d\nwant %.300q\ngot  %.300q", i+1, x, y)
		}
	}
	return "no line differs"
}
