package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/ledger"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

func (a *app) reportsCommand() *cobra.Command {
	return a.group("reports", "cli.about.reports", a.reportsList(), a.reportsGet(), a.reportsMake())
}

// parseReports reads a list of reports; "all" stands for all of them, "" is nil.
func parseReports(v string) ([]string, error) {
	if v == "" {
		return nil, nil
	}
	if v == "all" {
		return report.Names(), nil
	}
	var names []string
	for _, name := range strings.Split(v, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(report.Names(), name) {
			f := usage("cli.err.report_name", "given", name).near(name, report.Names())
			f.hints = append(f.hints, oneOf(append([]string{"all"}, report.Names()...)))
			return nil, f
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// joinReports writes what parseReports reads.
func joinReports(names []string) string {
	if len(names) == 0 || len(names) == len(report.Names()) {
		return "all"
	}
	return strings.Join(names, ",")
}

func (a *app) reportsList() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "list", Short: a.t("cli.about.reports_list"), Args: a.wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.listReports(cmd.Context(), limit)
		},
	}
	c.Flags().IntVar(&limit, "limit", 20, a.t("cli.flag.limit"))
	return c
}

// runEntry is a run in the answer of reports list.
type runEntry struct {
	RunID     string           `json:"run_id"`
	Merchant  string           `json:"merchant"`
	FileName  string           `json:"file_name"`
	Kind      string           `json:"kind"`
	Status    string           `json:"status"`
	Started   string           `json:"started"`
	Rows      report.RowCounts `json:"rows"`
	ReportDir string           `json:"report_dir"`
	Files     []string         `json:"files"`
}

func (a *app) listReports(ctx context.Context, limit int) error {
	if limit < 1 || limit > maxLimit {
		return usage("cli.err.limit", "max", maxLimit)
	}
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return err
	}
	runs, _, err := ws.ledger.Runs(ctx, ledger.RunFilter{Merchant: m.ID, Limit: limit})
	if err != nil {
		return err
	}
	entries := make([]runEntry, len(runs))
	for i := range runs {
		if entries[i], err = ws.entry(&runs[i], &m); err != nil {
			return err
		}
	}
	if a.json {
		return a.answer(map[string]any{"runs": entries})
	}
	if len(runs) == 0 {
		a.note("cli.reports.none")
		return nil
	}
	t := &table{}
	t.add(a.t("cli.col.run"), a.t("cli.col.file"), a.t("cli.col.kind"), ">"+a.t("cli.col.accepted"), ">"+a.t("cli.col.rejected"),
		">"+a.t("cli.col.seen"), a.t("cli.col.reports"))
	for _, e := range entries {
		t.add(e.RunID, printable(e.FileName), a.t("word.kind."+e.Kind), strconv.FormatInt(e.Rows.Accepted, 10),
			strconv.FormatInt(e.Rows.Rejected, 10), strconv.FormatInt(e.Rows.Seen, 10), strings.Join(shortNames(e.Files), " "))
	}
	a.show(t, "")
	return nil
}

// shortNames are the names by which reports can be asked for, "errors" for errors.csv.
func shortNames(files []string) []string {
	var names []string
	for _, n := range report.Names() {
		if slices.Contains(files, report.FileName(n)) {
			names = append(names, n)
		}
	}
	return names
}

func (ws *workspace) entry(run *ledger.Run, m *removal.Merchant) (runEntry, error) {
	e := runEntry{
		RunID: run.ID, Merchant: run.Merchant, FileName: run.FileName, Kind: string(run.Kind), Status: string(run.Status),
		Started: timeText(run.Started.In(zoneOf(m))), Files: []string{},
		Rows: report.RowCounts{
			Read: int64(run.Read), Accepted: int64(run.Accepted), Rejected: int64(run.Rejected), Seen: int64(run.Seen),
		},
	}
	for _, o := range run.Outputs {
		e.Files = append(e.Files, o.Name)
	}
	var err error
	e.ReportDir, err = ws.reportDir(run)
	return e, err
}

// reportDir is where the reports of a run lie, "" where they are gone.
func (ws *workspace) reportDir(run *ledger.Run) (string, error) {
	found, err := filepath.Glob(filepath.Join(globQuote(ws.dir), "reports", run.Merchant, "*", run.ID))
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}

// globQuote keeps the marks of a pattern in a path from meaning anything.
func globQuote(path string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(path)
}

// findRun finds a run by its id, the beginning of one, or "last"; of a kind, or of
// any where kind is "".
func (ws *workspace) findRun(ctx context.Context, m *removal.Merchant, id string, kind removal.Kind) (ledger.Run, error) {
	run, err := ws.ledger.Run(ctx, m.ID, id)
	if err == nil || !errors.Is(err, ledger.ErrNotFound) {
		return run, err
	}
	runs, _, err := ws.ledger.Runs(ctx, ledger.RunFilter{Merchant: m.ID, Kind: kind, Limit: maxLimit})
	if err != nil {
		return run, err
	}
	if len(runs) == 0 {
		return run, usage("cli.err.no_runs")
	}
	if id == "last" {
		return runs[0], nil
	}
	var found []ledger.Run
	for _, r := range runs {
		if strings.HasPrefix(r.ID, id) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return run, usage("cli.err.run_unknown", "id", id).hint("cli.hint.runs")
	case 1:
		return found[0], nil
	}
	return run, usage("cli.err.run_several", "id", id).hint("cli.hint.runs")
}

type getFlags struct {
	out            string
	rebuild, force bool
}

func (a *app) reportsGet() *cobra.Command {
	f := &getFlags{}
	c := &cobra.Command{
		Use: "get RUN FILE", Short: a.t("cli.about.reports_get"), Long: a.t("cli.about.reports_get_long"), Args: a.wants(2, 2),
		Example: "  rensa reports get last errors.csv\n  rensa reports get last annotated.xlsx --out problems.xlsx",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.getReport(cmd.Context(), args[0], args[1], f)
		},
	}
	c.Flags().StringVarP(&f.out, "out", "o", "", a.t("cli.flag.to"))
	c.Flags().BoolVar(&f.rebuild, "rebuild", false, a.t("cli.flag.rebuild"))
	c.Flags().BoolVar(&f.force, "force", false, a.t("cli.flag.overwrite"))
	return c
}

// getReport writes one report to a file or standard output, never a part of it.
func (a *app) getReport(ctx context.Context, id, name string, f *getFlags) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return err
	}
	run, err := ws.findRun(ctx, &m, id, "")
	if err != nil {
		return err
	}
	if file := report.FileName(name); file != "" {
		name = file // "errors" for errors.csv
	}
	var b bytes.Buffer
	if f.rebuild {
		err = ws.rebuild(ctx, &run, name, &b)
	} else {
		err = ws.readReport(&run, &m, name, &b)
	}
	if err != nil {
		return err
	}
	if !sameAsFirst(&run, name, b.Bytes()) {
		a.note("cli.reports.differs", "file", name)
	}
	if f.out == "" || f.out == "-" {
		_, err := io.Copy(a.out, &b)
		return err
	}
	if err := a.write(f.out, &b, f.force); err != nil {
		return err
	}
	a.note("cli.reports.written", "file", f.out)
	return nil
}

func (ws *workspace) readReport(run *ledger.Run, m *removal.Merchant, name string, to *bytes.Buffer) error {
	e, err := ws.entry(run, m)
	if err != nil {
		return err
	}
	if !slices.Contains(e.Files, name) {
		return ws.noReport(run, name)
	}
	content, err := os.ReadFile(filepath.Join(e.ReportDir, name))
	if e.ReportDir == "" || errors.Is(err, fs.ErrNotExist) {
		return usage("cli.err.report_gone", "file", name).hint("cli.hint.rebuild")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	to.Write(content)
	return nil
}

// rebuild makes a report again from the ledger and the archived original.
func (ws *workspace) rebuild(ctx context.Context, run *ledger.Run, name string, to *bytes.Buffer) error {
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	err = p.Rebuild(ctx, run.Merchant, run.ID, name, to)
	switch {
	case errors.Is(err, process.ErrNoReport):
		return ws.noReport(run, name)
	case errors.Is(err, process.ErrOriginalGone):
		return usage("cli.err.original_gone")
	case err != nil:
		return err
	}
	return nil
}

func (ws *workspace) noReport(run *ledger.Run, name string) error {
	files := make([]string, len(run.Outputs))
	for i, o := range run.Outputs {
		files[i] = o.Name
	}
	return usage("cli.err.report_unknown", "run", run.ID, "file", name).
		near(name, files).hint("cli.hint.report_files", "files", strings.Join(files, ", "))
}

// sameAsFirst tells whether a report has the bytes that it had when its run was
// committed.
func sameAsFirst(run *ledger.Run, name string, content []byte) bool {
	sum := sha256.Sum256(content)
	return slices.ContainsFunc(run.Outputs, func(o ledger.Output) bool {
		return o.Name == name && o.SHA256 == hex.EncodeToString(sum[:])
	})
}
