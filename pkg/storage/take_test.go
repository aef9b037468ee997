package storage_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rensa/pkg/storage"
)

func writeSource(t *testing.T, size int) (path string, data []byte) {
	t.Helper()
	data = make([]byte, size)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	path = filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, data
}

func TestTake(t *testing.T) {
	t.Parallel()
	const block = 512 << 10
	for _, size := range []int{0, 1, block - 1, block, block + 1, 7*block + 5} {
		source, data := writeSource(t, size)
		d, err := storage.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Take("a/original", source)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if want := (storage.File{Name: "a/original", SHA256: hex.EncodeToString(sum[:]), Bytes: int64(size)}); got.File != want {
			t.Errorf("%d bytes: %+v, want %+v", size, got.File, want)
		}
		copied, err := os.ReadFile(filepath.Join(d.Path(), "a/original"))
		if err != nil || !bytes.Equal(copied, data) {
			t.Errorf("%d bytes: the copy differs, %v", size, err)
		}
		if err := got.Sync(); err != nil {
			t.Error(err)
		}
		if _, err := d.Take("a/original", source); !errors.Is(err, fs.ErrExist) {
			t.Errorf("taken over a file: %v", err)
		}
		if left, err := d.ListAll("a"); err != nil || len(left) != 1 {
			t.Errorf("there lie %+v, %v", left, err)
		}
	}
}

// Whatever act fails, Take or Sync tells of it, and nothing half lies there.
func TestTakeFails(t *testing.T) {
	t.Parallel()
	source, data := writeSource(t, 3<<20)
	full := errors.New("disk full")
	for n := 1; ; n++ {
		d, err := storage.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		asked, failed := 0, ""
		d.SetWatch(func(op storage.Op, name string) error {
			mu.Lock()
			defer mu.Unlock()
			if asked++; asked == n {
				failed = fmt.Sprintf("%s %s", op, name)
				return full
			}
			return nil
		})
		taken, err := d.Take("a/original", source)
		if err == nil {
			err = taken.Sync()
		}
		if failed == "" {
			if err != nil {
				t.Fatalf("nothing failed, and yet: %v", err)
			}
			if n < 10 {
				t.Errorf("only %d acts", n-1)
			}
			return
		}
		if !errors.Is(err, full) {
			t.Errorf("%s failed, and the answer is %v", failed, err)
		}
		if f, err := d.Stat("a/original"); err == nil && f.Bytes != int64(len(data)) {
			t.Errorf("%s failed: %+v lies there", failed, f)
		}
		if err := d.Delete("a"); err != nil {
			t.Errorf("%s failed once, and then: %v", failed, err)
		}
	}
}
