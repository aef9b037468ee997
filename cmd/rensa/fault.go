package main

import (
	"fmt"
	"strings"

	"rensa/pkg/removal"
)

// phrase is a text by its key and facts, put into words when it is shown.
type phrase struct {
	key  string
	args []any // name, value …
}

// fault is an error that ends a command and is told to the user in the user's
// language: what is wrong, what to do, and the exit code.
type fault struct {
	exit  int
	say   phrase
	hints []phrase
	err   error // cause, shown after the text; nil where the text says all
}

// usage is a fault of how the command was called or configured.
func usage(key string, args ...any) *fault {
	return &fault{exit: exitUsage, say: phrase{key, args}}
}

// hint adds a line of what to do.
func (f *fault) hint(key string, args ...any) *fault {
	f.hints = append(f.hints, phrase{key, args})
	return f
}

// because adds the cause.
func (f *fault) because(err error) *fault {
	f.err = err
	return f
}

// near adds the hint "did you mean …?" where a known word is near enough.
func (f *fault) near(word string, known []string) *fault {
	if n := removal.Nearest(word, known); n != "" {
		return f.hint("cli.hint.did_you_mean", "name", n)
	}
	return f
}

func (f *fault) Unwrap() error { return f.err }

// Error is for logs and tests; the user is shown the text.
func (f *fault) Error() string {
	var b strings.Builder
	b.WriteString(strings.TrimPrefix(f.say.key, "cli.err."))
	for i := 0; i+1 < len(f.say.args); i += 2 {
		fmt.Fprintf(&b, " %v=%q", f.say.args[i], fmt.Sprint(f.say.args[i+1]))
	}
	if f.err != nil {
		fmt.Fprintf(&b, ": %v", f.err)
	}
	return b.String()
}
