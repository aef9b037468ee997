package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"rensa/pkg/removal"
)

// openLarge opens a ledger of one merchant, of which nobody closes it but the caller.
func openLarge(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Merchant(t.Context(), "acme"); err == nil {
		return l
	}
	if err := l.AddMerchant(t.Context(), removal.Merchant{ID: "acme", Profile: DefaultProfile()}); err != nil {
		t.Fatal(err)
	}
	return l
}

// large is a commit of more than the writer has room for in memory.
func large(run string, revision int64, ms []Movement, last bool, durable func() error) *Commit {
	return &Commit{Merchant: "acme", Revision: revision, PackedMovements: inBlocks(ms, 50_000), Last: last,
		Run: Run{ID: run, Read: largeFile, Rejected: largeFile}, Durable: durable}
}

// mode asks how the ledger keeps what a transaction changes.
func (l *Ledger) mode(t *testing.T) (mode string) {
	t.Helper()
	if err := l.writer.QueryRow(`PRAGMA journal_mode`).Scan(&mode); err != nil {
		t.Fatal(err)
	}
	return mode
}

// TestLargeCommit: what a large commit wrote is in the ledger itself once it is closed,
// and small ones go on as ever; one that fails leaves nothing.
func TestLargeCommit(t *testing.T) {
	t.Parallel()
	ms := movementsOf(200_000)
	for _, last := range []bool{false, true} {
		t.Run(fmt.Sprintf("last=%t", last), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "ledger.db")
			l := openLarge(t, path)
			journal := func() bool {
				info, err := os.Stat(path + "-journal")
				return err == nil && info.Size() > 0
			}
			full := errors.New("disk full")
			err := l.Commit(t.Context(), large("failed", 0, ms, last, func() error {
				if journal() != last {
					t.Errorf("within the transaction there is a journal to undo it: %t", !last)
				}
				return full
			}))
			if !errors.Is(err, full) {
				t.Errorf("not durable, and the answer is %v", err)
			}
			if mode := l.mode(t); mode != "wal" || journal() {
				t.Errorf("after a failure the mode is %s", mode)
			}
			if err := l.Commit(t.Context(), large("large", 0, ms, last, func() error { return nil })); err != nil {
				t.Fatal(err)
			}
			var pages int
			if err := l.writer.QueryRow(`PRAGMA wal_autocheckpoint`).Scan(&pages); err != nil || pages != 1000 {
				t.Errorf("pages are carried over after %d, %v", pages, err)
			}
			if mode := l.mode(t); mode != "wal" {
				t.Errorf("afterwards the mode is %s", mode)
			}
			for i := range int64(3) {
				if err := l.Change(t.Context(), &Change{Merchant: "acme", Revision: 1 + i, Movements: ms[:1]}); err != nil {
					t.Fatal(err)
				}
			}
			l.beside.Wait()
			info, err := os.Stat(path)
			if err != nil || info.Size() < 1<<20 {
				t.Errorf("the ledger has %v, %v", info, err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			for _, end := range []string{"-wal", "-journal"} {
				if _, err := os.Stat(path + end); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a journal is left: %s, %v", end, err)
				}
			}
			l = openLarge(t, path)
			if got := takenOf(t, l); len(got) != len(ms)+3 {
				t.Errorf("%d movements", len(got))
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestLargeBesideOthers: where another program has the ledger open, the last commit of
// one neither waits for it nor keeps it out.
func TestLargeBesideOthers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	a := openLarge(t, path)
	b := openLarge(t, path)
	ms := movementsOf(50_000)
	err := a.Commit(t.Context(), large("beside", 0, ms, true, func() error {
		if _, err := os.Stat(path + "-journal"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the other program's pages are written over: %v", err)
		}
		_, err := b.Merchant(t.Context(), "acme")
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := takenOf(t, b); len(got) != len(ms) {
		t.Errorf("the other program sees %d movements", len(got))
	}
	if err := errors.Join(b.Close(), a.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestLargeAndComers: whoever opens the ledger while it is kept waits until the
// transaction is over, and neither of the two hears that it is busy.
func TestLargeAndComers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	ms := movementsOf(20_000)
	come := func() error {
		l, err := Open(t.Context(), path, Options{})
		if err == nil {
			_, err = l.Merchant(t.Context(), "acme")
			err = errors.Join(err, l.Close())
		}
		return err
	}
	for i := range int64(20) {
		l := openLarge(t, path)
		var comers errgroup.Group
		err := l.Commit(t.Context(), large(fmt.Sprint("run", i), i, ms, true, func() error {
			if _, err := os.Stat(path + "-journal"); err != nil {
				t.Errorf("%d: the ledger is not kept: %v", i, err)
			}
			for range 3 {
				comers.Go(come)
			}
			return nil
		}))
		if err == nil {
			_, err = l.OutboundNames(t.Context(), "acme", "run0")
		}
		if err := errors.Join(err, comers.Wait(), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

const killedPath = "RENSA_TEST_KILLED_LEDGER"

// TestLargeKilled kills a program within its last, large commit, when pages are in their
// places already: the next one finds the ledger as it was before.
func TestLargeKilled(t *testing.T) {
	t.Parallel()
	ms := movementsOf(800_000)
	if path := os.Getenv(killedPath); path != "" {
		l := openLarge(t, path)
		t.Fatal(l.Commit(t.Context(), large("killed", 0, ms, true, func() error {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		})))
	}
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := openLarge(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestLargeKilled$")
	child.Env = append(os.Environ(), killedPath+"="+path)
	out, err := child.CombinedOutput()
	if killed, ok := errors.AsType[*exec.ExitError](err); !ok || killed.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v\n%s", err, out)
	}
	half, err := os.Stat(path)
	if err != nil || half.Size() <= before.Size() {
		t.Fatalf("nothing was in its place yet: %d bytes, %v", half.Size(), err)
	}
	l := openLarge(t, path)
	if got := takenOf(t, l); len(got) != 0 {
		t.Errorf("%d movements of a commit that was killed", len(got))
	}
	var whole string
	if err := l.writer.QueryRow(`PRAGMA integrity_check`).Scan(&whole); err != nil || whole != "ok" {
		t.Errorf("the ledger is %s, %v", whole, err)
	}
	if err := l.Commit(t.Context(), large("again", 0, ms, true, func() error { return nil })); err != nil {
		t.Error(err)
	}
	if got := takenOf(t, l); len(got) != len(ms) {
		t.Errorf("%d movements", len(got))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}
