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
