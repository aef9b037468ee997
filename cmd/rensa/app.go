package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rensa/pkg/ledger"
	"rensa/templates"
)

// app is one call of the program: its streams, its environment and the flags that
// every command knows.
type app struct {
	stdin   io.Reader
	out     *bufio.Writer // standard output: data
	stderr  io.Writer     // talk
	environ []string
	cwd     string
	now     func() time.Time
	texts   *templates.Texts
	style   style // of standard output

	workspace, merchant string
	json, quiet         bool
	// langGiven tells that --lang asked for the language.
	langGiven bool
}

// ended is the error by which a command that has said all there is to say ends
// with an exit code.
type ended int

func (e ended) Error() string { return fmt.Sprintf("ended with exit code %d", int(e)) }

// run is the whole program: it returns the exit code and never exits itself.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) (code int) {
	a := &app{
		stdin: stdin, out: bufio.NewWriter(stdout), stderr: stderr, environ: environ,
		now: time.Now, style: newStyle(stdout, args, environ),
	}
	lang, given := language(args, environ)
	a.texts, a.langGiven = templates.Load(lang), given
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(stderr, "rensa: %s: %v\n%s", a.t("cli.err.internal"), p, debug.Stack())
			code = exitInternal
		}
	}()
	cwd, err := os.Getwd()
	if err == nil {
		a.cwd = cwd
		root := a.root()
		root.SetArgs(args)
		err = root.ExecuteContext(ctx)
	}
	return a.end(ctx, err)
}

// end tells how the command ended and gives its exit code.
func (a *app) end(ctx context.Context, err error) int {
	if flushed := a.out.Flush(); err == nil && flushed != nil {
		err = fmt.Errorf("standard output: %w", flushed)
	}
	if err == nil {
		return exitOK
	}
	if code, ok := errors.AsType[ended](err); ok {
		return int(code)
	}
	f := a.fault(err)
	if ctx.Err() != nil && f.exit == exitInternal { // whatever broke off, that is why
		a.complain(a.t("cli.err.interrupted"))
		return exitInterrupted
	}
	a.tell(f, "")
	return f.exit
}

// tell says what is wrong and what to do about it; about whom stands before it.
func (a *app) tell(f *fault, about string) {
	line := about + a.t(f.say.key, f.say.args...)
	if f.err != nil {
		line += ": " + f.err.Error()
	}
	a.complain(line)
	for _, h := range f.hints {
		fmt.Fprintln(a.stderr, a.t("cli.problem.hint", "hint", a.t(h.key, h.args...)))
	}
}

// fault makes of any error one that can be told: ours as it is, everything else as
// an internal failure.
func (a *app) fault(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	first, _, _ := strings.Cut(err.Error(), "\n") // each file that could not be written has a line
	if key := diskFault(err); key != "" {
		return (&fault{exit: exitTemporary, say: phrase{key, nil}, err: errors.New(first)}).hint("cli.hint.disk")
	}
	if errors.Is(err, fs.ErrPermission) {
		return usage("cli.err.permission").because(errors.New(first)).hint("cli.hint.permission")
	}
	if isTemporary(err) {
		return (&fault{exit: exitTemporary, say: phrase{"cli.err.temporary", nil}, err: err}).hint("cli.hint.again")
	}
	f := &fault{exit: exitInternal, say: phrase{"cli.err.internal", nil}, err: err}
	if errors.Is(err, ledger.ErrDamaged) {
		return f.hint("cli.hint.damaged")
	}
	return f
}

// diskFault is the text for a disk that takes nothing more; "" for any other error.
func diskFault(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "cli.err.disk_full"
	case errors.Is(err, syscall.EROFS):
		return "cli.err.read_only"
	}
	return ""
}

// flagFault tells what is wrong with a command's flags in our words.
func flagFault(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		flag := dashes(e.GetSpecifiedName())
		return usage("cli.err.flag_unknown", "flag", flag).near(flag, known).hint("cli.hint.help", "command", cmd.CommandPath())
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usage("cli.err.flag_value_missing", "flag", dashes(e.GetSpecifiedName()))
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usage("cli.err.flag_value", "flag", dashes(e.GetFlag().Name), "given", e.GetValue())
	}
	if e, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return usage("cli.err.flag_unknown", "flag", e.GetSpecifiedFlag()).hint("cli.hint.help", "command", cmd.CommandPath())
	}
	return usage("cli.err.flags").because(err)
}

func dashes(flag string) string {
	if len(flag) == 1 {
		return "-" + flag
	}
	return "--" + flag
}

// t gives a text in the user's language.
func (a *app) t(key string, args ...any) string { return a.texts.T(key, args...) }

// complain writes a line of what is wrong, in the manner of the whole program:
// prefix, no capital, no full stop.
func (a *app) complain(line string) { fmt.Fprintf(a.stderr, "rensa: %s\n", line) }

// note tells something by the way; -q silences it.
func (a *app) note(key string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.stderr, a.t(key, args...))
	}
}

// say writes a line of the answer, which -q silences too.
func (a *app) say(line string) {
	if !a.quiet {
		fmt.Fprintln(a.out, strings.TrimRight(line, " "))
	}
}

// language is that of --lang, which is then given, else of the environment's
// locale, else English. It is needed before the flags are read, since the help is
// written in it.
func language(args, environ []string) (lang string, given bool) {
	if v, ok := flagValue(args, "--lang"); ok {
		return v, true
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v, _ := lookup(environ, name); v != "" {
			return v, false
		}
	}
	return "en", false
}

func flagValue(args []string, name string) (string, bool) {
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if v, ok := strings.CutPrefix(arg, name+"="); ok {
			return v, true
		}
		if arg == name && i+1 < len(args) {
			return args[i+1], true
		}
	}
	return "", false
}

// wants says how many arguments a command takes; most < 0: any number.
func (a *app) wants(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		_, form, _ := strings.Cut(cmd.UseLine(), " ")
		if len(args) < least {
			return usage("cli.err.args_few", "command", cmd.CommandPath()).hint("cli.hint.usage", "usage", "rensa "+form)
		}
		if most >= 0 && len(args) > most {
			return usage("cli.err.args_many", "arg", args[most]).hint("cli.hint.usage", "usage", "rensa "+form)
		}
		return nil
	}
}
