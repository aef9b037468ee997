package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/process"
	"rensa/templates"
)

// serve does by itself what came due since there is a merchant, once, though two
// of them serve; and what it writes is sent.
func TestServeSchedule(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	at := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	program := func() (*app, *bytes.Buffer) {
		said := &bytes.Buffer{}
		return &app{
			stdin: strings.NewReader(""), out: bufio.NewWriter(io.Discard), stderr: said, cwd: root, workspace: root, quiet: true,
			now: func() time.Time { return at }, texts: templates.Load("en"),
		}, said
	}
	a, _ := program()
	a.workspace = ""
	if err := a.initWorkspace(t.Context(), filepath.Join(root, "shop"), "acme", "SE", false); err != nil {
		t.Fatal(err)
	}
	root = filepath.Join(root, "shop")
	stock := filepath.Join(root, "stock.tsv")
	if err := os.WriteFile(stock, []byte("sku\tdisposition\tquantity\nA\tunsellable\t3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, _ = program()
	ws, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	p, err := ws.processor(nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := p.Process(t.Context(), process.Request{Merchant: "acme", Path: stock, Name: "stock.tsv", AsOf: at}); err != nil || r.ExitCode != 0 {
		t.Fatalf("%+v, %v", r, err)
	}

	at = time.Date(2026, 3, 29, 9, 0, 0, 0, time.UTC) // the clocks were put forward in the night
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	for range 2 {
		a, _ := program()
		go func() { ended <- a.serve(ctx, []string{roleSchedule}, time.Second) }()
	}
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for late := time.After(time.Minute); ; {
		all, err := ws.ledger.JobRuns(t.Context(), "acme", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, r := range all {
			if r.Status == ledger.JobDone {
				done++
			}
		}
		if done == len(jobNames) {
			break
		}
		select {
		case <-again.C:
		case err := <-ended:
			t.Fatalf("serve ended: %v", err)
		case <-late:
			t.Fatalf("not done: %+v", all)
		}
	}
	stop()
	for range 2 {
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	for _, job := range jobNames {
		all, err := ws.ledger.JobRuns(t.Context(), "acme", job, 100)
		if err != nil || len(all) != 1 || all[0].Attempts != 1 || all[0].ByHand {
			t.Errorf("%s ran as %+v, %v", job, all, err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "outbox", "acme", "notice-2026-03-29.eml")); err != nil {
		t.Error(err)
	}
}
