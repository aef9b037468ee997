package main

import (
	"runtime"
	"runtime/debug"
	"slices"

	"rensa/pkg/policy"
)

// startMemory is how large the program may get before memory is collected for the
// first time. Most calls end before: a process of 10,000 rows spends a third of
// its time collecting the few megabytes of its start otherwise.
const startMemory = 96 << 20

// startPace lets startMemory alone decide, however little is in use. To switch the
// collector off would wait for the collection that has begun while packages were
// initialised.
const startPace = 10_000

// jobPace is how much may be added to what is in use before it is collected again,
// in percent, by calls that hold the whole stock of a merchant.
const jobPace = 20

// collectLate puts the first collection off until startMemory is in use; then the
// usual pace begins, or for files and jobs by hand a closer one, since most of what
// they hold is of use to their end (1,000,000 rows: 202 MiB instead of 254, for a
// twentieth more processor time, one run each). Who sets the pace by environment keeps it.
func collectLate(args, environ []string) {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if _, given := lookup(environ, name); given {
			return
		}
	}
	percent, limit := debug.SetGCPercent(startPace), debug.SetMemoryLimit(startMemory)
	if slices.ContainsFunc(args, func(a string) bool { return a == "run" || a == "process" || a == "check" }) {
		percent = jobPace
	}
	// The first collection finds it unreachable.
	runtime.AddCleanup(new([64]byte), func(pace int) {
		debug.SetGCPercent(pace)
		debug.SetMemoryLimit(limit)
	}, percent)
}

// ahead begins what the command that is called will need, beside the reading of
// texts and flags. Nobody waits for it but who needs it.
func ahead(args []string) {
	if slices.Contains(args, "process") || slices.Contains(args, "check") || slices.Contains(args, "serve") {
		go func() {
			// Whoever loads the tables later gets the same answer, and tells of it.
			if _, err := policy.Load(nil); err != nil {
				return
			}
		}()
	}
}
