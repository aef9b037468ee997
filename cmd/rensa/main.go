// Command rensa takes a seller's stock out of fulfilment centres: it checks files
// of removal orders against an inventory snapshot, row by row, and writes what was
// accepted, what was not and why.
//
// One file holds one command. What a command needs is built in wiring.go from the
// workspace's configuration; the work itself stands in package process. Data goes
// to standard output, talk to standard error; how a command ended stands in its
// exit code (exit.go).
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	collectLate(os.Args[1:], os.Environ())
	ahead(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first interruption lets the work end in order; the second one kills.
	context.AfterFunc(ctx, stop)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	stop()
	os.Exit(code)
}
