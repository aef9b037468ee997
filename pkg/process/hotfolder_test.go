package process_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/process"
)

// running is a machine on a workspace of its own, with hands in what happens.
type running struct {
	*machine
	t    *testing.T
	root string
	hear events // nil: nothing happens
	mu   sync.Mutex
}

func newRunning(t *testing.T, hear events) *running {
	t.Helper()
	r := &running{t: t, root: copied(t, fixture(t, merchantID)), hear: hear}
	var err error
	r.machine, err = startMachine(t.Context(), r.root, func() time.Time { return noon }, func(name string) error {
		r.mu.Lock()
		hear := r.hear
		r.mu.Unlock()
		if hear == nil {
			return nil
		}
		return hear(name)
	}, inbox.Options{Now: advancing()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// on does something at the n-th event that begins so, once.
func on(begin string, n int, do func() error) events {
	return func(name string) error {
		if strings.HasPrefix(name, begin) {
			if n--; n == 0 {
				return do()
			}
		}
		return nil
	}
}

func (r *running) work(want bool) {
	r.t.Helper()
	if done, err := r.settle(r.t.Context()); err != nil || done != want {
		r.t.Fatalf("all done: %t, %v", done, err)
	}
}

// names are the files of a folder, plain.
func (r *running) names(folder string) []string {
	r.t.Helper()
	all, err := filepath.Glob(filepath.Join(r.root, folder, "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	names := []string{}
	for _, name := range all {
		names = append(names, plain(filepath.Base(name)))
	}
	slices.Sort(names)
	return names
}

func (r *running) want(folder string, want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), r.names(folder)); diff != "" {
		r.t.Errorf("%s (-want +got):\n%s", folder, diff)
	}
}

func oneRow(id, sku string) []byte {
	return []byte("MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n" + id + "\tDisposal\t" + sku + "\t1\n")
}

// A file that fails five times ends in rejected with the reason, and the next
// follows.
func TestPoison(t *testing.T) {
	t.Parallel()
	poison := errors.New("a fault in the program")
	var mu sync.Mutex
	failed := 0
	r := newRunning(t, func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		if name == "commit" || name == "committed" || !strings.HasPrefix(name, "create work/m/.run/reports") || failed >= 5 {
			return nil
		}
		failed++
		return poison
	})
	dropFile(t, r.root, merchantID, "a.tsv", oneRow("A", "SCARCE"))
	dropFile(t, r.root, merchantID, "b.tsv", oneRow("B", "SCARCE"))
	r.work(true)
	r.want("rejected/m", "a.tsv", "a.tsv.problems.txt")
	note, err := os.ReadFile(filepath.Join(r.root, "rejected/m/a.tsv.problems.txt"))
	if err != nil || !strings.Contains(string(note), poison.Error()) {
		t.Errorf("the note is %q, %v", note, err)
	}
	r.want("archive/m", "RUN_b.tsv", "RUN_inventory.txt")
	if failed != 5 {
		t.Errorf("failed %d times", failed)
	}
}

// What is wrong with the world is nobody's fault: however long the disk is full,
// no file is given up.
func TestFullForLong(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	var mu sync.Mutex
	failed := 0
	r.hear = func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(name, "write work/m/.run/reports") && failed < 12 {
			failed++
			return syscall.ENOSPC
		}
		return nil
	}
	dropFile(t, r.root, merchantID, "a.tsv", oneRow("A", "SCARCE"))
	r.work(true)
	r.want("archive/m", "RUN_a.tsv", "RUN_inventory.txt")
	r.want("rejected/m")
	if failed != 12 {
		t.Errorf("failed %d times", failed)
	}
}

// A file that is written to while it is decided is decided anew.
func TestChangedWhileDecided(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	r.hear = on("step: kind known", 1, func() error { return appendTo(r.root, "work/m/????????????????", "B\tDisposal\tSCARCE\t1\n") })
	dropFile(t, r.root, merchantID, "a.tsv", oneRow("A", "SCARCE"))
	r.work(true)
	r.want("archive/m", "RUN_a.tsv", "RUN_inventory.txt")
	if got := r.orders(); got != "A B" {
		t.Errorf("orders: %s", got)
	}
}

// One that is written to after it was decided stands as it was decided, and comes
// again as a new file.
func TestChangedAfterwards(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	r.hear = on("step: committed", 1, func() error { return appendTo(r.root, "work/m/????????????????", "B\tDisposal\tSCARCE\t1\n") })
	dropFile(t, r.root, merchantID, "a.tsv", oneRow("A", "SCARCE"))
	r.work(true)
	r.want("inbox/m", "a.tsv")
	if got := r.orders(); got != "A" {
		t.Errorf("orders: %s", got)
	}
	r.work(true)
	if got := r.orders(); got != "A B" {
		t.Errorf("orders: %s", got)
	}
}

func appendTo(root, pattern, text string) error {
	found, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%s: %v, %w", pattern, found, err)
	}
	f, err := os.OpenFile(found[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func (r *running) orders() string {
	r.t.Helper()
	list, _, err := r.ledger.ListOrders(r.t.Context(), ledger.OrderFilter{Merchant: merchantID})
	if err != nil {
		r.t.Fatal(err)
	}
	var ids []string
	for i := len(list) - 1; i >= 0; i-- {
		ids = append(ids, list[i].ID)
	}
	return strings.Join(ids, " ")
}

// A rejected file never takes the place of another of its name.
func TestRejectedTwice(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	for range 2 {
		dropFile(t, r.root, merchantID, "letter.txt", []byte("Dear Sirs,\n"))
		r.work(true)
	}
	r.want("rejected/m", "letter-2.txt", "letter-2.txt.problems.txt", "letter.txt", "letter.txt.problems.txt")
}

// What lies in the work folder without being on the list goes back.
func TestOrphan(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	for name, content := range map[string]string{"work/m/orphan": "x", "work/m/.run-aaaa-bb/original": "x", "work/.owner-aaaa": ""} {
		path := filepath.Join(r.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := r.processor.Leftovers(t.Context()); err != nil || len(left) != 3 {
		t.Errorf("leftovers are %+v, %v", left, err)
	}
	if err := r.processor.Drain(t.Context(), process.WorkOptions{}); err != nil {
		t.Fatal(err)
	}
	r.want("inbox/m", "orphan")
	if left, err := r.processor.Leftovers(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("leftovers are %+v, %v", left, err)
	}
}

// A file in other hands is left alone while they live.
func TestLeases(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	other, err := startMachine(t.Context(), r.root, func() time.Time { return noon }, func(string) error { return nil }, inbox.Options{Now: advancing()})
	if err != nil {
		t.Fatal(err)
	}
	dropFile(t, r.root, merchantID, "a.tsv", oneRow("A", "SCARCE"))
	for range 2 {
		if _, err := r.inbox.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// The other has it in hand, and its hand stops there.
	stopped, on := make(chan struct{}), make(chan struct{})
	r.hear = func(name string) error {
		if name == "step: hashed" {
			close(stopped)
			<-on
		}
		return nil
	}
	ended := make(chan error)
	go func() { ended <- r.processor.Drain(context.WithoutCancel(t.Context()), process.WorkOptions{}) }()
	<-stopped
	if err := other.processor.Drain(t.Context(), process.WorkOptions{}); err != nil {
		t.Error(err)
	}
	if got := r.orders(); got != "" {
		t.Errorf("a file in other hands was decided: %s", got)
	}
	close(on)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := r.orders(); got != "A" {
		t.Errorf("orders: %s", got)
	}
	if err := other.close(); err != nil {
		t.Error(err)
	}
}

// A backup that is made while files are worked on is one state of the workspace.
func TestBackupWhileServing(t *testing.T) {
	t.Parallel()
	r := newRunning(t, nil)
	const files = 12
	for i := range files {
		dropFile(t, r.root, merchantID, fmt.Sprintf("%02d.tsv", i), oneRow(fmt.Sprintf("O-%02d", i), "SCARCE"))
	}
	begun, once := make(chan struct{}), sync.Once{}
	r.hear = func(name string) error {
		if name == "step: committed" {
			once.Do(func() { close(begun) })
		}
		return nil
	}
	ended := make(chan error)
	go func() {
		_, err := r.settle(context.WithoutCancel(t.Context()))
		ended <- err
	}()
	<-begun
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	done, err := r.processor.Backup(t.Context(), z)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files in the backup, work stood still for %s", done.Files, done.Held)
	// A workspace of the command has one; that of this test has none.
	var whole io.Reader = &packed
	to := t.TempDir()
	unzipped, err := gzip.NewReader(whole)
	if err != nil {
		t.Fatal(err)
	}
	_, err = process.Restore(t.Context(), unzipped, to, func(string) (string, error) { return filepath.Join(to, "rensa.db"), nil })
	if !errors.Is(err, process.ErrBackup) {
		t.Fatalf("restored without a configuration: %v", err)
	}
	m, err := startMachine(t.Context(), to, func() time.Time { return noon }, func(string) error { return nil }, inbox.Options{Now: advancing()})
	if err != nil {
		t.Fatal(err)
	}
	if left, err := m.processor.Leftovers(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("leftovers in the restored workspace: %+v, %v", left, err)
	}
	for range 2 {
		if _, err := m.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	// Worked on from where the backup stood, it ends where the first one did.
	want, got := state(t, r.root), state(t, to)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-first +restored):\n%s", diff)
	}
}
