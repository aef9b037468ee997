// Command peers holds the program against tools that people could use instead: the
// same inventory and upload, from the project's own generator, the same counts of
// accepted and rejected rows, and the two commands in turn, A B A B. What it prints
// is the ratio of each pair's wall times, and the median of them.
//
// A tool that is not installed is left out, and said so. Where a tool does not
// accept and reject as many rows as the program does, the comparison fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
)

// options are the command's flags.
type options struct {
	rensa      string
	dir        string
	rows, skus int
	pairs      int
	slow, self bool
}

func main() {
	if len(os.Args) == 3 && (os.Args[1] == "read-excelize" || os.Args[1] == "read-rensa") {
		exit(readSheet(os.Args[1], os.Args[2]))
	}
	if len(os.Args) == 4 && os.Args[1] == "bytes-only" {
		exit(bytesOnly(os.Args[2], os.Args[3]))
	}
	var opt options
	flag.StringVar(&opt.rensa, "rensa", "../../bin/rensa", "the program")
	flag.StringVar(&opt.dir, "dir", filepath.Join(os.TempDir(), "rensa-peers"), "where inputs are made and kept for the next time")
	flag.IntVar(&opt.rows, "rows", 1_000_000, "rows of the upload")
	flag.IntVar(&opt.skus, "skus", 1_000_000, "SKUs of the inventory")
	flag.IntVar(&opt.pairs, "pairs", 5, "pairs of runs")
	flag.BoolVar(&opt.slow, "slow", true, "tools that take many seconds a run too")
	flag.BoolVar(&opt.self, "self", true, "the program with itself, with other inputs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := compare(ctx, opt)
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func compare(ctx context.Context, opt options) error {
	b, err := newBench(ctx, opt)
	if err != nil {
		return err
	}
	// A command's peak memory begins with what the one that starts it has in use.
	debug.FreeOSMemory()
	heading(os.Stdout, b.version)
	var errs []error
	for _, c := range b.contests() {
		if c.absent != "" {
			fmt.Fprintf(os.Stderr, "left out: %s: %s\n", c.what, c.absent)
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", c.what)
		r, err := c.run(ctx, opt.pairs)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.what, err))
			continue
		}
		r.print(os.Stdout)
	}
	return errors.Join(errs...)
}
