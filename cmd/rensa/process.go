package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/inbox"
	"rensa/pkg/process"
	"rensa/pkg/removal"
)

// fileFlags are the flags of process and check.
type fileFlags struct {
	asOf    string
	force   bool
	reports string
	out     string // check only
	check   bool
}

func (a *app) processCommand() *cobra.Command {
	f := &fileFlags{}
	c := &cobra.Command{
		Use: "process FILE…", Short: a.t("cli.about.process"), Long: a.t("cli.about.process_long"), Args: a.wants(1, -1),
		Example: "  rensa process inventory.tsv removals.xlsx\n  rensa process --as-of 2026-11-20T06:00 inventory.tsv",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.files(cmd.Context(), args, f)
		},
	}
	f.add(c, a)
	c.Flags().StringVar(&f.reports, "reports", "", a.t("cli.flag.reports"))
	return c
}

func (f *fileFlags) add(c *cobra.Command, a *app) {
	c.Flags().StringVar(&f.asOf, "as-of", "", a.t("cli.flag.as_of"))
	c.Flags().BoolVar(&f.force, "force", false, a.t("cli.flag.force"))
}

// input is one file that was named on the command line.
type input struct {
	path string // where its bytes are
	name string // what the user called it
	kind removal.Kind
}

// filesRun is the work of one process or check command.
type filesRun struct {
	app       *app
	ws        *workspace
	processor *process.Processor
	merchant  removal.Merchant
	flags     *fileFlags
	asOf      time.Time
	reports   []string
	several   bool
	progress  *progress
	code      int
	runs      []json.RawMessage
}

// files processes or checks files: inventory first, each on its own, so that a
// bad one does not stop the others.
func (a *app) files(ctx context.Context, args []string, flags *fileFlags) error {
	r := &filesRun{app: a, flags: flags, several: len(args) > 1, progress: a.newProgress(), runs: []json.RawMessage{}}
	var err error
	if r.reports, err = parseReports(flags.reports); err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "rensa-")
	if err != nil {
		return fmt.Errorf("a folder for the time being: %w", err)
	}
	defer func() {
		if err := os.RemoveAll(temp); err != nil {
			a.complain(err.Error())
		}
	}()
	inputs, err := a.inputs(args, temp)
	if err != nil {
		return err
	}
	if r.ws, err = a.open(ctx); err != nil {
		return err
	}
	defer r.ws.Close()
	if r.merchant, err = r.ws.merchant(ctx, a.merchant); err != nil {
		return err
	}
	if r.asOf, err = parseTime(flags.asOf, r.merchant.Profile.TimeZone, "--as-of"); err != nil {
		return err
	}
	if r.asOf.After(r.ws.now()) {
		return usage("cli.err.future", "flag", "--as-of", "given", flags.asOf)
	}
	if r.processor, err = r.ws.processor(r.progress.update); err != nil {
		return err
	}
	defer r.processor.Ahead(ctx, r.merchant.ID)()
	if !flags.check {
		if err := r.processor.Recover(ctx); err != nil {
			return err
		}
		if _, err := r.processor.Desk().ReleaseDue(ctx, r.merchant.ID); err != nil {
			return err
		}
	}
	return r.all(ctx, inputs)
}

func (r *filesRun) all(ctx context.Context, inputs []input) error {
	if err := r.order(ctx, inputs); err != nil {
		return err
	}
	for i, in := range inputs {
		if i > 0 && !r.app.json {
			r.app.say("")
		}
		if err := r.one(ctx, in, i == len(inputs)-1); err != nil {
			return err
		}
		if err := r.app.out.Flush(); err != nil {
			return fmt.Errorf("standard output: %w", err)
		}
	}
	if r.app.json {
		if err := r.app.answer(map[string]any{"runs": r.runs}); err != nil {
			return err
		}
	}
	if r.code != exitOK {
		return ended(r.code)
	}
	return nil
}

// order puts inventory first, then what tells of orders, then cancel lists, then
// uploads; within a kind the user's order stays. A
// file that is no known kind is told so when its turn comes.
func (r *filesRun) order(ctx context.Context, inputs []input) error {
	if len(inputs) == 1 {
		return nil
	}
	for i := range inputs {
		kind, err := r.processor.Kind(ctx, r.merchant.ID, inputs[i].path)
		if _, bad := errors.AsType[*removal.FileError](err); err != nil && !bad {
			return fmt.Errorf("%s: %w", inputs[i].name, err)
		}
		inputs[i].kind = kind
	}
	slices.SortStableFunc(inputs, func(a, b input) int { return cmp.Compare(inbox.Turn(a.kind), inbox.Turn(b.kind)) })
	return nil
}

// one takes one file. Only an interruption is an error: a failure of ours is told
// and counted, and the next file gets its chance.
func (r *filesRun) one(ctx context.Context, in input, last bool) error {
	r.progress.start(in.name)
	result, err := r.processor.Process(ctx, process.Request{
		Merchant: r.merchant.ID, Path: in.path, Name: in.name, AsOf: r.asOf, Force: r.flags.force,
		Reports: r.reports, Check: r.flags.check, OutDir: r.outDir(in), Actor: r.ws.actor, Document: r.app.json, Last: last,
	})
	r.progress.stop()
	if err != nil {
		return r.failed(ctx, in, err)
	}
	r.code = graver(r.code, result.ExitCode)
	if r.app.json {
		run, err := runDocument(result)
		r.runs = append(r.runs, run)
		return err
	}
	return r.showResult(in, result)
}

// outDir is where a check's reports go: the folder itself for one file, a folder
// for each of several.
func (r *filesRun) outDir(in input) string {
	if r.flags.out == "" || !r.several {
		return r.flags.out
	}
	return filepath.Join(r.flags.out, in.name)
}

func (r *filesRun) failed(ctx context.Context, in input, err error) error {
	if ctx.Err() != nil {
		return err
	}
	f := r.app.fault(err)
	r.code = graver(r.code, f.exit)
	line := r.app.t(f.say.key, f.say.args...)
	if f.err != nil {
		line += ": " + f.err.Error()
	}
	r.app.complain(in.name + ": " + line)
	if r.app.json {
		run, err := json.Marshal(map[string]any{
			"merchant": r.merchant.ID, "file": in.name, "error": line, "report_dir": "", "exit_code": f.exit,
		})
		r.runs = append(r.runs, run)
		return err
	}
	return nil
}

// runDocument is the run's summary with where its reports are and how it ended.
func runDocument(result *process.Result) (json.RawMessage, error) {
	tail, err := json.Marshal(struct {
		ReportDir string `json:"report_dir"`
		ExitCode  int    `json:"exit_code"`
	}{result.ReportDir, result.ExitCode})
	if err != nil {
		return nil, err
	}
	head := bytes.TrimSpace(result.Document)
	if len(head) < 2 || head[len(head)-1] != '}' {
		return tail, nil
	}
	head = bytes.TrimSpace(head[:len(head)-1])
	document := slices.Clone(head)
	if len(head) > 1 {
		document = append(document, ',')
	}
	return append(document, tail[1:]...), nil
}

// inputs looks every file up before anything is done. "-" is standard input,
// taken into a file first.
func (a *app) inputs(args []string, temp string) ([]input, error) {
	all, stdin := make([]input, 0, len(args)), false
	for _, arg := range args {
		if arg == "-" {
			if stdin {
				return nil, usage("cli.err.stdin_twice")
			}
			stdin = true
			path := filepath.Join(temp, "stdin")
			if err := spool(path, a.stdin); err != nil {
				return nil, err
			}
			all = append(all, input{path: path, name: "stdin"})
			continue
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
			return nil, usage("cli.err.file").because(err)
		case info.IsDir():
			return nil, usage("cli.err.file_is_folder", "file", arg).hint("cli.hint.file_is_folder", "file", arg)
		case !info.Mode().IsRegular():
			return nil, usage("cli.err.file_kind", "file", arg).hint("cli.hint.stdin")
		}
		if err := readable(arg); err != nil {
			return nil, err
		}
		all = append(all, input{path: arg, name: filepath.Base(arg)})
	}
	return all, nil
}

// readable tells beforehand that a file cannot be opened.
func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return usage("cli.err.file").because(err)
	}
	return f.Close()
}

func spool(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	return nil
}

// parseTime reads a time as users write it; one without an offset is local to zone.
// A date alone is the start of that day.
func parseTime(v, zone, flag string) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("the merchant's time zone: %w", err)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, v, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("cli.err.time", "flag", flag, "given", v).hint("cli.hint.time")
}
