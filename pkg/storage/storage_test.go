package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func mustOpen(tb testing.TB) *Dir {
	tb.Helper()
	d, err := Open(filepath.Join(tb.TempDir(), "files"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

func mustRead(tb testing.TB, d *Dir, name string) string {
	tb.Helper()
	f, err := d.Get(name)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func names(tb testing.TB, d *Dir, folder string) []string {
	tb.Helper()
	list, err := d.List(folder)
	if err != nil {
		tb.Fatal(err)
	}
	var all []string
	for _, e := range list {
		all = append(all, e.Name)
	}
	return all
}

// onDisk lists everything, hidden names too.
func onDisk(tb testing.TB, d *Dir) []string {
	tb.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(d.Path()), ".", func(p string, _ fs.DirEntry, err error) error {
		if p != "." {
			all = append(all, p)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func TestPutGetListDelete(t *testing.T) {
	t.Parallel()
	d := mustOpen(t)
	got, err := d.Put("a/b/one.txt", strings.NewReader("one"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(File{Name: "a/b/one.txt", SHA256: sum("one"), Bytes: 3}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := d.Put("a/b/one.txt", strings.NewReader("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("put over a file: %v", err)
	}
	if got := mustRead(t, d, "a/b/one.txt"); got != "one" {
		t.Errorf("after a refused put: %q", got)
	}
	if _, err := d.Replace("a/b/one.txt", strings.NewReader("three")); err != nil {
		t.Fatal(err)
	}
	if got := mustRead(t, d, "a/b/one.txt"); got != "three" {
		t.Errorf("after replace: %q", got)
	}
	source := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(source, []byte("from outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutFile("a/b/0.txt", source); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/b/0.txt", "a/b/one.txt"}, names(t, d, "a/b")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "a/b", "a/b/0.txt", "a/b/one.txt"}, onDisk(t, d)); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
	for range 2 { // the second time it is gone already
		if err := d.Delete("a/b/one.txt"); err != nil {
			t.Fatal(err)
		}
	}
	if ok, err := d.Exists("a/b/one.txt"); ok || err != nil {
		t.Errorf("exists after delete: %v %v", ok, err)
	}
	if list := names(t, d, "nowhere"); list != nil {
		t.Errorf("a folder that is not there: %v", list)
	}
	if _, err := d.Get("a"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("get of a folder: %v", err)
	}
}

func TestNamesCannotLeadOut(t *testing.T) {
	t.Parallel()
	d := mustOpen(t)
	if err := os.Symlink(os.TempDir(), filepath.Join(d.Path(), "out")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "out/x", "/tmp/x", "a/../../x"} {
		if _, err := d.Put(name, strings.NewReader("x")); err == nil {
			t.Errorf("put %q was let through", name)
		}
		if _, err := d.Get(name); err == nil {
			t.Errorf("get %q was let through", name)
		}
	}
	if err := d.Delete("."); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("delete of all: %v", err)
	}
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	d := mustOpen(t)
	torn := errors.New("the source broke off")
	r := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(torn))
	if _, err := d.Put("x.txt", r); !errors.Is(err, torn) {
		t.Errorf("put: %v", err)
	}
	if _, err := d.Replace("x.txt", iotest.ErrReader(torn)); !errors.Is(err, torn) {
		t.Errorf("replace: %v", err)
	}
	if _, err := d.Put("x.txt/below", strings.NewReader("")); err != nil {
		t.Errorf("the name is free: %v", err)
	}
	if _, err := d.Put("x.txt", strings.NewReader("")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("put over a folder: %v", err)
	}
	if diff := cmp.Diff([]string{"x.txt", "x.txt/below"}, onDisk(t, d)); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}

func mustFullDevice(t *testing.T) *os.File {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no device that is always full here: ", err)
	}
	return full
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	if _, err := mustOpen(t).fill(mustFullDevice(t), "x", strings.NewReader("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("fill: %v", err)
	}
	d := mustOpen(t)
	st, err := d.Stage(".stage")
	if err != nil {
		t.Fatal(err)
	}
	w, err := st.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	sf := w.(*stageFile)
	if err := sf.f.Close(); err != nil {
		t.Fatal(err)
	}
	sf.f = mustFullDevice(t)
	sf.hashing = newHashing(sf.f)
	if _, err := w.Write([]byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write: %v", err)
	}
	if err := w.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("close: %v", err)
	}
	if _, err := st.Commit("final"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("commit of a torn file: %v", err)
	}
	if err := st.Discard(); err != nil {
		t.Error(err)
	}
	if left := onDisk(t, d); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	d := readOnly(t)
	// A folder without the right to write, or on a file system without it.
	refused := func(err error) bool { return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) }
	if _, err := d.Put("x", strings.NewReader("x")); !refused(err) {
		t.Errorf("put: %v", err)
	}
	if _, err := d.Stage(".stage"); !refused(err) {
		t.Errorf("stage: %v", err)
	}
}

// readOnly gives a folder that nobody may write to, the superuser included.
func readOnly(t *testing.T) *Dir {
	t.Helper()
	if os.Geteuid() != 0 {
		d := mustOpen(t)
		if err := os.Chmod(d.Path(), 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := os.Chmod(d.Path(), 0o755); err != nil {
				t.Error(err)
			}
		})
		return d
	}
	d, err := Open("/sys")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestStage(t *testing.T) {
	t.Parallel()
	d := mustOpen(t)
	st, err := d.Stage("m/.stage-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Stage("m/.stage-1"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the same stage twice: %v", err)
	}
	write := func(name, text string) io.WriteCloser {
		w, err := st.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		return w
	}
	b := write("b.txt", "second")
	if err := st.Sync(); err == nil {
		t.Error("sync with an open file")
	}
	if err := errors.Join(b.Close(), write("a.txt", "first").Close()); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "../x", "a/b", ".hidden"} {
		if _, err := st.Create(bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("create %q: %v", bad, err)
		}
	}
	if _, err := st.Create("a.txt"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name twice: %v", err)
	}
	if list := names(t, d, "m"); list != nil {
		t.Errorf("shown before the commit: %v", list)
	}
	if _, err := d.Put("m/day/run/x", strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Commit("m/day/run"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("commit over a folder: %v", err)
	}
	files, err := st.Commit("m/day/run2")
	if err != nil {
		t.Fatal(err)
	}
	want := []File{{"a.txt", sum("first"), 5}, {"b.txt", sum("second"), 6}}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	if err := st.Discard(); err != nil { // as a deferred call would
		t.Error(err)
	}
	if got := mustRead(t, d, "m/day/run2/a.txt"); got != "first" {
		t.Errorf("after commit: %q", got)
	}
	if _, err := st.Create("late"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("create after commit: %v", err)
	}
}

// A large file comes out whole; one that is given up while it is written goes.
func TestStageLargeFile(t *testing.T) {
	t.Parallel()
	d := mustOpen(t)
	st, err := d.Stage("m/.stage-1")
	if err != nil {
		t.Fatal(err)
	}
	const large = 48 << 20
	piece := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var all []io.WriteCloser
	for _, name := range []string{"large", "left open"} {
		w, err := st.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		for range large/len(piece) + 1 {
			if _, err := w.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, w)
	}
	if err := all[0].Close(); err != nil {
		t.Fatal(err)
	}
	want := File{"large", sum(strings.Repeat(string(piece), large/len(piece)+1)), int64(large + len(piece))}
	if diff := cmp.Diff([]File{want}, st.Files()); diff != "" {
		t.Error(diff)
	}
	if err := st.Discard(); err != nil {
		t.Error(err)
	}
	if left := onDisk(t, d); len(left) != 1 {
		t.Errorf("there lie %v", left)
	}
}

// A file that the disk did not take is found by Sync, which waits for it.
func TestStageSyncFails(t *testing.T) {
	t.Parallel()
	st, err := mustOpen(t).Stage(".stage")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"good", "bad"} {
		w, err := st.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "bad" {
			if err := w.(*stageFile).f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
			t.Error(err)
		}
	}
	for range 2 {
		if err := st.Sync(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("sync: %v", err)
		}
	}
	if _, err := st.Commit("final"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("commit: %v", err)
	}
	if list := st.Files(); len(list) != 1 || list[0].Name != "good" {
		t.Errorf("files are %v", list)
	}
	if err := st.Discard(); err != nil {
		t.Error(err)
	}
}

func TestStageDiscard(t *testing.T) {
	t.Parallel()
	d := mustOpen(t)
	st, err := d.Stage(".stage")
	if err != nil {
		t.Fatal(err)
	}
	w, err := st.Create("open")
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Discard(); err != nil {
		t.Fatal(err)
	}
	if left := onDisk(t, d); left != nil {
		t.Errorf("left behind: %v", left)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write after discard: %v", err)
	}
}

// Of many writers of one name exactly one wins, and its bytes stand.
func TestOneWinner(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*Dir, string, string) error{
		"kernel":  (*Dir).Move,
		"checked": (*Dir).moveChecked,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustOpen(t)
			const writers = 16
			won := make([]bool, writers)
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() {
					mine := strconv.Itoa(i)
					if _, err := d.Put(mine, bytes.NewReader([]byte(mine))); err != nil {
						t.Error(err)
						return
					}
					err := move(d, mine, "target")
					if won[i] = err == nil; err != nil && !errors.Is(err, fs.ErrExist) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			winner := -1
			for i, w := range won {
				if w && winner >= 0 {
					t.Errorf("both %d and %d won", winner, i)
				}
				if w {
					winner = i
				}
			}
			if got := mustRead(t, d, "target"); got != strconv.Itoa(winner) {
				t.Errorf("target holds %q, winner is %d", got, winner)
			}
			if n := len(names(t, d, ".")); n != writers {
				t.Errorf("%d files, want %d: a loser keeps its own", n, writers)
			}
		})
	}
}

func TestMoveCheckedFolder(t *testing.T) {
	t.Parallel()
	d := mustOpen(t)
	for _, name := range []string{"from/x", "taken/y"} {
		if _, err := d.Put(name, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.moveChecked("from", "taken"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a folder: %v", err)
	}
	if err := d.moveChecked("nowhere", "to"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("from nowhere: %v", err)
	}
	if err := d.moveChecked("from", "to"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"taken", "taken/y", "to", "to/x"}, onDisk(t, d)); diff != "" {
		t.Error(diff)
	}
}
