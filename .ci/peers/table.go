package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// heading begins the table, which has the form of the README's.
func heading(w io.Writer, versions string) {
	fmt.Fprintf(w, "%s, %s, %s\n\n", time.Now().UTC().Format(time.DateOnly), machine(), versions)
	fmt.Fprintln(w, "| work | rensa | other | rensa / other | peak memory |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- |")
}

// print adds a contest to the table. The ratio is the median of the pairs' ratios.
func (r *result) print(w io.Writer) {
	fmt.Fprintf(w, "| %s | %.2f s | %s: %.2f s | %.2f | %d MiB / %d MiB |\n",
		r.what, r.aWall.Seconds(), r.b, r.bWall.Seconds(), r.ratio, r.aPeak>>20, r.bPeak>>20)
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
