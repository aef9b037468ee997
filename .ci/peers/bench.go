package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"rensa/pkg/removal"
)

//go:embed scripts
var scripts embed.FS

// bench is what all contests share.
type bench struct {
	options
	inputs
	version string // of the program and the tools
	duckdb  string // the command; "" where it could not be built
	whyNot  string
	stocked string // a workspace that has taken the inventory
	later   string // the same, and orders are handed on later, not by the run
	empty   string // one that has not
	made    string // the list of what a run makes, for bytesOnly

	others
	// Workspaces with the small inventory, with that of shared FNSKUs, and one with all
	// orders of the upload open.
	smallStock, sharedStock, busy string
}

func newBench(ctx context.Context, opt options) (_ *bench, err error) {
	b := &bench{options: opt}
	if b.rensa, err = filepath.Abs(opt.rensa); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opt.dir, 0o755); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "making the inputs ...")
	if b.inputs, err = generate(opt.dir, opt.skus, opt.rows); err != nil {
		return nil, err
	}
	versions := []string{first(ctx, b.rensa, "version")}
	b.duckdb = filepath.Join(opt.dir, "duckdb")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.duckdb, "./duckdb")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		b.duckdb, b.whyNot = "", "DuckDB's Go module cannot be built: "+lastOf(string(out))
	} else {
		versions = append(versions, "DuckDB "+first(ctx, b.duckdb, "version"))
	}
	if sqlite, err := exec.LookPath("sqlite3"); err == nil {
		version, _, _ := strings.Cut(first(ctx, sqlite, "--version"), " ")
		versions = append(versions, "sqlite3 "+version)
	}
	if awk, err := exec.LookPath("mawk"); err == nil {
		versions = append(versions, first(ctx, awk, "-Wversion"))
	}
	b.version = strings.Join(versions, ", ")
	b.empty, b.stocked = filepath.Join(opt.dir, "empty"), filepath.Join(opt.dir, "stocked")
	b.later, b.made = filepath.Join(opt.dir, "later"), filepath.Join(opt.dir, "made.txt")
	err = errors.Join(workspaceOf(b.rensa, b.empty), stockedWith(ctx, b.rensa, b.stocked, b.inventory))
	if err == nil {
		err = errors.Join(b.handOnLater(ctx), b.listMade(ctx))
	}
	if err == nil && b.self {
		err = b.prepareOthers(ctx)
	}
	return b, err
}

func (b *bench) prepareOthers(ctx context.Context) (err error) {
	if b.others, err = generateOthers(b.dir, b.skus, b.rows); err != nil {
		return err
	}
	at := func(name string) string { return filepath.Join(b.dir, name) }
	b.smallStock, b.sharedStock, b.busy = at("small"), at("shared"), at("busy")
	return errors.Join(
		stockedWith(ctx, b.rensa, b.smallStock, b.small.inventory),
		stockedWith(ctx, b.rensa, b.sharedStock, b.shared),
		stockedWith(ctx, b.rensa, b.busy, b.inventory, b.csv),
	)
}

// textReports are all but the workbook.
const textReports = "result,errors,rejected,orders,summary"

// first is the first line that a command prints.
func first(ctx context.Context, words ...string) string {
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput()
	if err != nil {
		return "?"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}

func lastOf(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}

// contests are all comparisons, those with the quickest tools first.
func (b *bench) contests() []contest {
	upload := b.process("", b.stocked, b.csv)
	all := []contest{
		{what: fmt.Sprintf("taking in an inventory of %s SKUs", thousands(b.skus)), absent: b.whyNot,
			a: b.process("", b.empty, b.inventory), b: b.duck("DuckDB, read_csv into a table", "duckdb-load.sql", false)},
		{what: fmt.Sprintf("%s CSV rows, inventory taken in before; reports and durable commit / the bare check", thousands(b.rows)), absent: b.whyNot,
			a: b.process("", b.later, b.csv), b: b.duck("DuckDB", "duckdb-check.sql", false)},
		{what: "the same, outgoing files too / the bare check", absent: b.whyNot,
			a: upload, b: b.duck("DuckDB", "duckdb-check.sql", false)},
		{what: "the same / answers kept in its own database file", absent: b.whyNot,
			a: upload, b: b.duck("DuckDB", "duckdb-check.sql", true)},
		{what: "the same / its bytes alone copied, written, hashed, synced and committed", unlike: true,
			a: upload, b: b.bytesOnly()},
		{what: "the same rows as XLSX / as CSV", a: b.process("", b.stocked, b.book), b: b.process("rensa, CSV", b.stocked, b.csv)},
	}
	if b.self {
		all = append(all, b.itself(upload)...)
	}
	if b.slow {
		all = append(all,
			contest{what: "reading the XLSX / excelize's Rows", a: b.read("read-rensa", "rensa"), b: b.read("read-excelize", "excelize")},
			b.script("sqlite3", upload, "sqlite3, in memory", func(script string) []string {
				return []string{"sqlite3", ":memory:", ".read " + script}
			}, "sqlite-check.sql"),
		)
		for _, awk := range []string{"mawk", "gawk"} {
			all = append(all, b.script(awk, b.process("", b.stocked, b.tsv), awk, func(script string) []string {
				return []string{awk, "-F\t", "-v", "out=" + b.out(), "-f", script, b.inventory, b.tsv}
			}, "check.awk"))
		}
	}
	for i := range all {
		// The table has the inventory's count of rows, which DuckDB gives too.
		if all[i].a.name == "" {
			all[i].a.name = "rensa"
		}
	}
	return all
}

// itself holds the program against itself with other inputs.
func (b *bench) itself(upload side) []contest {
	whole := b.process("the workbook too", b.smallStock, b.small.csv)
	reports := whole.command()
	for i := range reports {
		if reports[i] == textReports {
			reports[i] += ",annotated"
		}
	}
	whole.command = func() []string { return reports }
	small := fmt.Sprintf("%s rows against %s SKUs, text reports / workbook", thousands(b.rows/100), thousands(b.skus/10))
	upload.name = "rensa, " + thousands(b.rows) + " plain rows"
	large := b.inputs
	large.csv = b.large
	return []contest{
		{what: small, a: b.process("", b.smallStock, b.small.csv), b: whole},
		{what: "scattered orders, contended pools, shared FNSKUs, random ids / plain", unlike: true,
			a: b.process("", b.sharedStock, b.hard), b: upload},
		{what: "other orders with random ids, all those of the upload being open / plain", unlike: true,
			a: b.process("", b.busy, b.again), b: upload},
		{what: fmt.Sprintf("%s rows / %s", thousands(5*b.rows), thousands(b.rows)), unlike: true,
			a: b.process("", b.stocked, b.large), b: upload},
		{what: fmt.Sprintf("%s rows / the bare check", thousands(5*b.rows)), absent: b.whyNot,
			a: b.process("", b.stocked, b.large), b: b.duckWith(large, "DuckDB", "duckdb-check.sql", false)},
	}
}

// work is the workspace that the program works in.
func (b *bench) work() string { return filepath.Join(b.dir, "work") }

func (b *bench) out() string { return filepath.Join(b.dir, "out") }

// clear takes the outputs of the other tools away.
func (b *bench) clear() error {
	old, err := filepath.Glob(b.out() + "*")
	for _, name := range old {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// process is the program's way with a file, with all reports but the workbook.
func (b *bench) process(name, from, file string) side {
	return side{
		name: name, counts: rowsOf, okExit: okExit,
		prepare: func() error { return again(from, b.work()) },
		command: func() []string {
			return []string{b.rensa, "-w", b.work(), "process", "--reports", textReports, file}
		},
	}
}

func (b *bench) duck(name, script string, keep bool) side {
	return b.duckWith(b.inputs, name, script, keep)
}

func (b *bench) duckWith(in inputs, name, script string, keep bool) side {
	return side{
		name: name, counts: lastLine,
		prepare: func() error { return errors.Join(b.clear(), b.write(in, script, keep)) },
		command: func() []string { return []string{b.duckdb, filepath.Join(b.dir, script)} },
	}
}

func (b *bench) read(how, name string) side {
	self, err := os.Executable()
	return side{
		name: name, counts: lastLine,
		prepare: func() error { return err },
		command: func() []string { return []string{self, how, b.book} },
	}
}

// script is a contest with a tool that runs one of the scripts.
func (b *bench) script(tool string, a side, name string, command func(script string) []string, script string) contest {
	c := contest{what: fmt.Sprintf("%s rows / %s, inventory read each time", thousands(b.rows), tool), a: a, b: side{
		name: name, counts: lastLine,
		prepare: func() error { return errors.Join(b.clear(), b.write(b.inputs, script, false)) },
		command: func() []string { return command(filepath.Join(b.dir, script)) },
	}}
	if _, err := exec.LookPath(tool); err != nil {
		c.absent = "not installed"
	}
	return c
}

// write fills a script in.
func (b *bench) write(in inputs, script string, keep bool) error {
	t, err := template.ParseFS(scripts, "scripts/"+script)
	if err != nil {
		return err
	}
	var columns []string
	for f := range removal.Field(removal.NumFields) {
		columns = append(columns, fmt.Sprintf("'%s': 'VARCHAR'", f))
	}
	f, err := os.Create(filepath.Join(b.dir, script))
	if err != nil {
		return err
	}
	return errors.Join(t.Execute(f, map[string]any{
		"Dir": b.dir, "Out": b.out(), "Inventory": in.inventory, "Upload": in.csv, "Columns": strings.Join(columns, ", "), "Keep": keep,
	}), f.Close())
}

// thousands writes 1000000 as 1,000,000.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
