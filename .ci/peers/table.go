package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// table is the answer, in the form of the README.
type table struct {
	machine, version string
	rows             []result
}

func (t *table) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s\n\n", time.Now().UTC().Format(time.DateOnly), t.machine, t.version)
	fmt.Fprintln(w, "| work | rensa | other | rensa / other | peak memory |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- |")
	for _, r := range t.rows {
		fmt.Fprintf(w, "| %s | %.2f s | %s: %.2f s | %.2f | %d MiB / %d MiB |\n",
			r.what, r.aWall.Seconds(), r.b, r.bWall.Seconds(), r.ratio, r.aPeak>>20, r.bPeak>>20)
	}
}

func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores %s, %s", runtime.NumCPU(), model, runtime.GOOS)
}
