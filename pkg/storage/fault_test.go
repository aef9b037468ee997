package storage_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"rensa/pkg/storage"
)

// Whatever act on the disk fails, a name is there whole or not at all, and the
// same put works once the disk does.
func TestEveryActFails(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for n := 1; ; n++ {
		d, err := storage.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		var failed string
		d.SetWatch(func(op storage.Op, name string) error {
			if asked++; asked == n {
				failed = fmt.Sprintf("%s %s", op, name)
				return full
			}
			return nil
		})
		_, err = d.Put("a/b/c.txt", strings.NewReader("whole"))
		if failed == "" {
			if err != nil {
				t.Fatalf("nothing failed, and yet: %v", err)
			}
			t.Logf("%d acts of one put, each of which failed once", n-1)
			if n < 8 {
				t.Errorf("only %d acts", n-1)
			}
			break
		}
		if !errors.Is(err, full) {
			t.Errorf("%s failed, and the answer is %v", failed, err)
		}
		f, err := d.Stat("a/b/c.txt")
		if err == nil && f.Bytes != 5 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s failed: %+v, %v", failed, f, err)
		}
		if _, err := d.Replace("a/b/c.txt", strings.NewReader("whole")); err != nil {
			t.Errorf("%s failed once, and then: %v", failed, err)
		}
		if left, err := d.ListAll("a/b"); err != nil || len(left) != 1 || !left[0].Regular {
			t.Errorf("%s failed: there lie %+v, %v", failed, left, err)
		}
	}
}

// Whatever act of a move fails, no file is lost, and the same call completes it;
// the folders are synced by a call that succeeds even where nothing was left to move.
func TestMoveFails(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(d *storage.Dir, from, to string, files []string) error{
		"all": (*storage.Dir).MoveAll,
		"once": func(d *storage.Dir, from, to string, files []string) error {
			for _, f := range files {
				if err := d.MoveOnce(from+"/"+f, to+"/"+f); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) { testMoveFails(t, move) })
	}
}

func testMoveFails(t *testing.T, move func(d *storage.Dir, from, to string, files []string) error) {
	full := errors.New("disk full")
	files := []string{"one.manifest.json", "one.tsv", "two.tsv"}
	for n, failed := 1, true; failed; n++ {
		d, err := storage.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		st, err := d.Stage("run/out")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			f, err := st.Put(name, []byte(name))
			if err != nil || f.Name != name || f.Bytes != int64(len(name)) {
				t.Fatalf("put %s: %+v, %v", name, f, err)
			}
		}
		if err := st.Sync(); err != nil {
			t.Fatal(err)
		}
		asked := 0
		failed = false
		d.SetWatch(func(storage.Op, string) error {
			if asked++; asked == n {
				failed = true
				return full
			}
			return nil
		})
		if err := move(d, "run/out", "outbound/m", files); failed != errors.Is(err, full) || !failed && err != nil {
			t.Errorf("act %d failed: %t, and the answer is %v", n, failed, err)
		}
		synced := 0
		d.SetWatch(func(op storage.Op, _ string) error {
			if op == storage.OpSyncFolder {
				synced++
			}
			return nil
		})
		if err := move(d, "run/out", "outbound/m", files); err != nil || synced < 2 {
			t.Errorf("act %d failed once, and then: %v, %d folders synced", n, err, synced)
		}
		there, err := d.ListAll("outbound/m")
		if err != nil || len(there) != len(files) {
			t.Errorf("act %d failed: there lie %+v, %v", n, there, err)
		}
	}
	d, err := storage.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := move(d, "nowhere", "to", []string{"x"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("from nowhere: %v", err)
	}
}
