package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// The first collection brings the usual pace back; whoever sets a pace by
// environment has it from the start. It changes what the whole process shares, so
// nothing runs beside it.
func TestCollectLate(t *testing.T) {
	pace := func() int {
		p := debug.SetGCPercent(-1)
		debug.SetGCPercent(p)
		return p
	}
	usual := pace()
	collectLate(nil, []string{"GOGC=50"})
	if got := pace(); got != usual {
		t.Errorf("the environment sets the pace, and it is %d, not %d", got, usual)
	}
	collectLate(nil, nil)
	if got, limit := pace(), debug.SetMemoryLimit(-1); got != startPace || limit != startMemory {
		t.Errorf("at the start the pace is %d and the limit %d", got, limit)
	}
	for pace() != usual { // what the collection finds is cleaned up beside it
		runtime.GC()
	}
	for debug.SetMemoryLimit(-1) != math.MaxInt64 {
		runtime.Gosched()
	}
	collectLate([]string{"-w", "shop", "run", "recommended"}, nil)
	for pace() != jobPace {
		runtime.GC()
	}
	for debug.SetMemoryLimit(-1) != math.MaxInt64 {
		runtime.Gosched()
	}
	debug.SetGCPercent(usual)
}
