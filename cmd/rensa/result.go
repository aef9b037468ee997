package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// topProblems is how many problems the terminal shows of a file.
const topProblems = 5

// topOutbound is how many lines it has for the files that go out.
const topOutbound = 5

// showResult tells people what became of a file: what it is, counts, the first
// problems, and where the reports are.
func (r *filesRun) showResult(in input, result *process.Result) error {
	a := r.app
	if a.quiet {
		return nil
	}
	s := result.Summary
	if s == nil {
		s = &report.Summary{}
	}
	a.say(a.style.bold(printable(in.name)) + a.style.dim("  "+r.merchant.ID+"  "+result.RunID))
	t := &labels{app: a}
	switch {
	case result.Seen != nil:
		t.add("rows", a.style.yellow(a.t("cli.run.seen",
			"file", result.Seen.FileName, "date", a.moment(result.Seen.Finished, &r.merchant), "run", result.Seen.ID)))
	case result.FileProblem != nil:
		t.add("file", a.style.red(a.t("cli.run.refused")))
	default:
		r.counts(t, s, result)
	}
	t.show()
	r.problems(s, result)
	if result.ReportDir != "" {
		t := &labels{app: a}
		t.add("reports", a.near(result.ReportDir))
		if !r.flags.check && result.Seen == nil {
			r.outbound(t, s.Outbound)
		}
		t.show()
	}
	if r.flags.check {
		a.say("  " + a.style.dim(a.t("cli.run.checked")))
	}
	return nil
}

// outbound are the lines of the files that go out, of many the first.
func (r *filesRun) outbound(t *labels, files []report.OutboundSummary) {
	shown := len(files)
	if shown > topOutbound {
		shown = topOutbound - 1
	}
	for i := range files[:shown] {
		file := filepath.Join(r.ws.dir, "outbound", r.merchant.ID, files[i].File)
		t.add("outbound", r.app.t("cli.run.outbound", "file", r.app.near(file), "orders", files[i].Number()))
	}
	if rest := files[shown:]; len(rest) > 0 {
		orders := 0
		for i := range rest {
			orders += rest[i].Number()
		}
		t.add("outbound", r.app.t("cli.run.outbound_more", "files", len(rest), "orders", orders))
	}
}

// counts are the lines of a file that was taken in.
func (r *filesRun) counts(t *labels, s *report.Summary, result *process.Result) {
	a := t.app
	delimiter := ""
	if s.Delimiter != "" {
		delimiter = "cli.delimiter." + s.Delimiter
	}
	t.add("kind", a.t("cli.run.kind", "kind", s.Kind, "layout", s.Layout, "encoding", s.Encoding, "delimiter", delimiter, "sheet", s.Sheet))
	rows := a.t("cli.run.rows", "read", s.Rows.Read, "accepted", s.Rows.Accepted, "rejected", s.Rows.Rejected, "seen", s.Rows.Seen)
	if s.Rows.Rejected > 0 {
		rows = a.style.red(rows)
	} else {
		rows = a.style.green(rows)
	}
	t.add("rows", rows)
	if c := s.Changes; c != nil {
		t.add("orders", a.t("cli.run.changes", "orders", c.Orders, "external", some(c.External), "applied", c.Applied,
			"unchanged", some(c.Unchanged), "kept", some(c.Kept)))
	}
	if !removal.Kind(s.Kind).HasOutcomes() {
		return
	}
	t.add("orders", a.t("cli.run.orders", "accepted", s.Orders.Accepted, "refused", s.Orders.Refused))
	t.add("units", a.t("cli.run.units", "sellable", s.Units.Sellable.Accepted, "unsellable", s.Units.Unsellable.Accepted))
	without, why := s.Fees.LinesWithoutFigure, s.Fees.WhyNoFigure(a.texts)
	switch {
	case s.Rows.Accepted == 0:
	case s.Fees.Amount == 0 && without > 0:
		t.add("fees", a.t("cli.run.no_fees", "without", without, "why", why))
	default:
		t.add("fees", a.t("cli.run.fees", "amount", s.Fees.Amount, "currency", s.Fees.Currency, "without", without, "why", why))
	}
	if s.Snapshot != nil {
		t.add("snapshot", a.t("cli.run.snapshot", "date", s.Snapshot.Date))
	}
}

// some is a number that a text leaves out where it is 0.
func some(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// problems shows the first problems, errors before warnings, and says where the
// others stand.
func (r *filesRun) problems(s *report.Summary, result *process.Result) {
	a := r.app
	all := slices.Clone(result.Problems)
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(x, y process.Finding) int { return int(x.Code.Severity()) - int(y.Code.Severity()) })
	total := len(all) + result.More
	a.say("  " + a.t("cli.label.problems") + a.style.dim(" ("+codeCounts(s)+")"))
	for i := range all[:min(len(all), topProblems)] {
		a.problem(r.ws.policy, &all[i].Problem)
	}
	if more := total - topProblems; more > 0 {
		file := ""
		if slices.ContainsFunc(s.Files, func(f report.File) bool { return f.Name == "errors.csv" }) && result.ReportDir != "" {
			file = "errors.csv"
		}
		a.say("    " + a.style.dim(a.t("cli.run.more", "more", more, "file", file)))
	}
}

// problem shows one problem: place, code, message and hint.
func (a *app) problem(set *policy.Set, p *removal.Problem) {
	place := a.t("cli.problem.file")
	if p.Row > 0 {
		place = a.t("cli.problem.place", "row", p.Row, "cell", p.Cell)
	}
	if p.Column != "" {
		place += " " + printable(p.Column)
	}
	code := p.Code.String()
	if p.Code.IsError() {
		code = a.style.red(code)
	} else {
		code = a.style.yellow(code)
	}
	message, hint := report.Say(a.texts, set, p)
	a.say("    " + place + "  " + code)
	a.say("      " + printable(message))
	if hint != "" {
		a.say("      " + a.style.dim(a.t("cli.problem.hint", "hint", printable(hint))))
	}
}

// codeCounts lists the codes with their number, the most frequent first.
func codeCounts(s *report.Summary) string {
	names := slices.Sorted(maps.Keys(s.Problems))
	slices.SortStableFunc(names, func(a, b string) int { return s.Problems[b] - s.Problems[a] })
	parts := make([]string, len(names))
	for i, name := range names {
		parts[i] = fmt.Sprintf("%s %d", name, s.Problems[name])
	}
	return strings.Join(parts, ", ")
}

// labels are lines of a name and a value, the values below one another.
type labels struct {
	app   *app
	lines [][2]string
}

func (l *labels) add(label, value string) {
	l.lines = append(l.lines, [2]string{l.app.t("cli.label." + label), value})
}

func (l *labels) show() {
	width := 10
	for _, line := range l.lines {
		width = max(width, displayWidth(line[0]))
	}
	last := ""
	for _, line := range l.lines {
		name := line[0]
		if name == last {
			name = ""
		}
		last = line[0]
		l.app.say("  " + l.app.style.dim(pad(name, width, false)) + "  " + line[1])
	}
}
