package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// side is one of two ways to do a work: a command, run anew each time.
type side struct {
	name    string
	prepare func() error // not timed: takes away what the run before left
	command func() []string
	// counts reads accepted and rejected rows from what the command printed.
	counts func(output string) (string, error)
	okExit int // beside 0
}

// contest holds two sides against each other.
type contest struct {
	what   string
	absent string // why it cannot be run
	a, b   side
	// unlike: the two have other inputs, whose counts are not the same.
	unlike bool
}

// result is what a contest came to: medians over the pairs.
type result struct {
	what, b      string
	aWall, bWall time.Duration
	aPeak, bPeak int64 // bytes
	ratio        float64
}

type taken struct {
	wall   time.Duration
	peak   int64
	counts string
}

// run runs both sides in turn, after one pair that is not counted.
func (c *contest) run(ctx context.Context, pairs int) (result, error) {
	var as, bs []taken
	var ratios []float64
	for n := range pairs + 1 {
		a, err := c.a.run(ctx)
		if err != nil {
			return result{}, err
		}
		b, err := c.b.run(ctx)
		if err != nil {
			return result{}, err
		}
		if a.counts != b.counts && !c.unlike {
			return result{}, fmt.Errorf("%s accepts and rejects %s rows, %s %s", c.a.name, a.counts, c.b.name, b.counts)
		}
		if n > 0 {
			as, bs = append(as, a), append(bs, b)
			ratios = append(ratios, float64(a.wall)/float64(b.wall))
		}
	}
	return result{
		what: c.what, b: c.b.name, ratio: median(ratios),
		aWall: median(walls(as)), bWall: median(walls(bs)), aPeak: median(peaks(as)), bPeak: median(peaks(bs)),
	}, nil
}

func (s *side) run(ctx context.Context) (taken, error) {
	if err := s.prepare(); err != nil {
		return taken{}, err
	}
	words := s.command()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	begun := time.Now()
	err := cmd.Run()
	t := taken{wall: time.Since(begun)}
	if err != nil && (cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != s.okExit) {
		return t, fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(errs.String()))
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.peak = usage.Maxrss << 10
	}
	t.counts, err = s.counts(out.String())
	return t, err
}

func median[T cmp.Ordered](v []T) T {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

func walls(all []taken) (v []time.Duration) {
	for _, t := range all {
		v = append(v, t.wall)
	}
	return v
}

func peaks(all []taken) (v []int64) {
	for _, t := range all {
		v = append(v, t.peak)
	}
	return v
}
