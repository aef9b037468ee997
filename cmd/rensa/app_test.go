package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rensa/templates"
)

// call runs the program in this process.
func call(ctx context.Context, stdin io.Reader, args ...string) (code int, stdout, stderr string) {
	var out, talk bytes.Buffer
	code = run(ctx, args, stdin, &out, &talk, nil)
	return code, out.String(), talk.String()
}

func newShop(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	if code, _, talk := call(t.Context(), nil, "init", dir); code != exitOK {
		t.Fatalf("init ended with %d: %s", code, talk)
	}
	return dir
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	dir := newShop(t)
	file := filepath.Join(t.TempDir(), "inventory.tsv")
	if err := os.WriteFile(file, []byte("sku\tdisposition\tquantity\nA\tsellable\t1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, out, talk := call(ctx, nil, "-w", dir, "process", file)
	if code != exitInterrupted || out != "" || talk != "rensa: interrupted\n" {
		t.Errorf("ended with %d, said %q and %q", code, out, talk)
	}
	if code, _, talk := call(t.Context(), nil, "-w", dir, "inventory", "show"); code != exitUsage {
		t.Errorf("something was kept: %d, %s", code, talk)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("a fault of ours") }

// A panic must not end with Go's own exit code, 2: that one means usage.
func TestPanicIsInternal(t *testing.T) {
	t.Parallel()
	dir := newShop(t)
	code, _, talk := call(t.Context(), panicking{}, "-w", dir, "process", "-")
	if code != exitInternal || !strings.HasPrefix(talk, "rensa: internal error: a fault of ours\n") {
		t.Errorf("ended with %d, said %q", code, talk)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestStandardOutputFull(t *testing.T) {
	t.Parallel()
	var talk bytes.Buffer
	if code := run(t.Context(), []string{"version"}, nil, full{}, &talk, nil); code != exitInternal {
		t.Errorf("ended with %d", code)
	}
	if !strings.Contains(talk.String(), errFull.Error()) {
		t.Errorf("said %q", talk.String())
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, environ []string
		want          string
		given         bool
	}{
		{nil, nil, "en", false},
		{nil, []string{"LANG=sv_SE.UTF-8"}, "sv", false},
		{nil, []string{"LANG=sv_SE.UTF-8", "LC_ALL=de_AT"}, "de", false},
		{nil, []string{"LANG=C.UTF-8"}, "en", false},
		{nil, []string{"LANG=ja_JP"}, "en", false},
		{[]string{"orders", "--lang", "de"}, []string{"LANG=sv_SE"}, "de", true},
		{[]string{"--lang=sv", "orders"}, nil, "sv", true},
		{[]string{"process", "--", "--lang=sv"}, nil, "en", false},
	} {
		lang, given := language(tt.args, tt.environ)
		if got := templates.Load(lang).Lang(); got != tt.want || given != tt.given {
			t.Errorf("%v %v: %s, given %t; want %s, %t", tt.args, tt.environ, got, given, tt.want, tt.given)
		}
	}
}

// Columns stand under one another however wide their letters are.
func TestTable(t *testing.T) {
	t.Parallel()
	tab := &table{}
	tab.add("sku", ">units", "note")
	tab.add("TÄLT-2P", "12", "a\u0308") // a with a combining mark
	tab.add("返送-1", "1234567", "ö")
	want := []string{
		"  sku        units  note",
		"  TÄLT-2P       12  a\u0308",
		"  返送-1   1234567  ö",
	}
	got := tab.lines("  ", style{})
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	if got := printable("a\x1b[31mb\u009bc å\t\u202e1-\u2067"); got != "a\ufffd[31mb\ufffdc å\ufffd\ufffd1-\ufffd" {
		t.Errorf("got %q", got)
	}
}

// The bar comes for long work only, and goes when the work is done.
func TestProgress(t *testing.T) {
	t.Parallel()
	var talk bytes.Buffer
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	p := &progress{app: &app{stderr: &talk, now: func() time.Time { return now }}, shown: true}
	p.start("removals.tsv")
	now = now.Add(patience / 2)
	p.update(10, 100)
	if talk.Len() > 0 {
		t.Errorf("after half a second: %q", talk.String())
	}
	now = now.Add(patience)
	p.update(50, 100)
	if !strings.Contains(talk.String(), "removals.tsv") || !strings.Contains(talk.String(), "50%") {
		t.Errorf("after one and a half: %q", talk.String())
	}
	p.stop()
	talk.Reset()
	p.update(60, 100)
	if talk.Len() > 0 {
		t.Errorf("after the end: %q", talk.String())
	}
	p.shown = false
	p.start("other.tsv")
	now = now.Add(patience * 2)
	p.update(1, 2)
	if talk.Len() > 0 {
		t.Errorf("without a terminal: %q", talk.String())
	}
}

// A disk that takes nothing more, or a folder that is another's, is told once, and is
// no failure of the program.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	var talk bytes.Buffer
	a := &app{stderr: &talk, texts: templates.Load("en")}
	for cause, want := range map[error]struct {
		exit int
		says string
	}{
		syscall.ENOSPC: {exitTemporary, "rensa: the disk is full: one: "},
		syscall.EDQUOT: {exitTemporary, "rensa: the disk is full: one: "},
		syscall.EROFS:  {exitTemporary, "rensa: the disk is read-only: one: "},
		syscall.EACCES: {exitUsage, "rensa: a file may not be read or written: one: "},
	} {
		talk.Reset()
		f := a.fault(errors.Join(fmt.Errorf("one: %w", cause), fmt.Errorf("two: %w", cause)))
		if a.tell(f, ""); f.exit != want.exit || !strings.HasPrefix(talk.String(), want.says) || strings.Contains(talk.String(), "two") {
			t.Errorf("%v: exit code %d: %s", cause, f.exit, talk.String())
		}
	}
}
