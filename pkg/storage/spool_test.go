package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"rensa/pkg/storage"
)

// piece gives n bytes that no other piece has.
func piece(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewPCG(seed, 1)
	for i := 0; i < n; i += 8 {
		v := r.Uint64()
		for k := i; k < min(i+8, n); k++ {
			b[k], v = byte(v), v>>8
		}
	}
	return b
}

func newSpool(tb testing.TB, dir string) *storage.Spool {
	tb.Helper()
	s := storage.NewSpool(dir)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func noFiles(tb testing.TB, dir string) {
	tb.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		tb.Errorf("there lie %v, %v", left, err)
	}
}

// A spool gives what a list of pieces gives, in whatever order they are read, while
// more are appended, and whatever writes fail meanwhile.
func TestSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	full := errors.New("disk full")
	rapid.Check(t, func(t *rapid.T) {
		s := storage.NewSpool(dir)
		fail := false
		s.SetWatch(func(storage.Op, string) error {
			if fail {
				return full
			}
			return nil
		})
		var refs []storage.Ref
		var list [][]byte
		var dst []byte
		read := func(i int) {
			got, err := s.Read(dst, refs[i])
			if err != nil || !bytes.Equal(got, list[i]) {
				t.Fatalf("piece %d at %v: %d bytes, %v", i, refs[i], len(got), err)
			}
			dst = got
		}
		size := rapid.OneOf(rapid.IntRange(0, 400), rapid.IntRange(0, 20_000), rapid.SampledFrom([]int{100, 250_000, 300_000, 1_100_000}))
		for n := range uint64(rapid.IntRange(1, 20).Draw(t, "steps")) {
			fail = rapid.IntRange(0, 9).Draw(t, "fail") == 0
			for range rapid.IntRange(0, 10).Draw(t, "appends") {
				b := piece(n<<32|uint64(len(list)), size.Draw(t, "size"))
				r, err := s.Append(b)
				if err != nil && (!fail || !errors.Is(err, full)) {
					t.Fatalf("append %d bytes: %v", len(b), err)
				}
				if err == nil {
					refs, list = append(refs, r), append(list, b)
				}
			}
			if len(list) == 0 {
				continue
			}
			from := rapid.IntRange(0, len(list)-1).Draw(t, "from")
			for i := from; i < min(from+30, len(list)); i++ {
				read(i)
			}
			for range 5 {
				read(rapid.IntRange(0, len(list)-1).Draw(t, "at"))
			}
		}
		for i := range list {
			read(i)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	noFiles(t, dir)
}

// What a small job spools makes no file.
func TestSpoolSmall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newSpool(t, dir)
	s.SetWatch(func(op storage.Op, _ string) error { return fmt.Errorf("%s of a small spool", op) })
	for i := range uint64(1000) {
		if _, err := s.Append(piece(i, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	noFiles(t, dir)
}

// Whatever act fails, what was appended is still there, and the same call works
// once the disk does.
func TestSpoolFails(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for n, failed := 1, true; failed; n++ {
		dir := t.TempDir()
		s := newSpool(t, dir)
		asked := 0
		failed = false
		s.SetWatch(func(storage.Op, string) error {
			if asked++; asked == n {
				failed = true
				return full
			}
			return nil
		})
		var refs []storage.Ref
		for i := range uint64(30) {
			b := piece(i, 100_000)
			r, err := s.Append(b)
			if err != nil {
				if !errors.Is(err, full) {
					t.Fatal(err)
				}
				r, err = s.Append(b)
			}
			if err != nil {
				t.Fatalf("act %d failed once, and then: %v", n, err)
			}
			refs = append(refs, r)
		}
		for i, r := range refs {
			if got, err := s.Read(nil, r); err != nil || !bytes.Equal(got, piece(uint64(i), 100_000)) {
				t.Errorf("act %d failed: piece %d: %d bytes, %v", n, i, len(got), err)
			}
		}
		noFiles(t, dir)
		if !failed && n < 8 {
			t.Errorf("only %d acts", n)
		}
	}
}

// A folder that is not there is an error, and loses nothing.
func TestSpoolNowhere(t *testing.T) {
	t.Parallel()
	s := newSpool(t, t.TempDir()+"/gone")
	first, err := s.Append(piece(1, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(piece(2, 1<<20)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("append: %v", err)
	}
	if got, err := s.Read(nil, first); err != nil || !bytes.Equal(got, piece(1, 1<<20)) {
		t.Errorf("read: %v", err)
	}
}

func TestSpoolMisused(t *testing.T) {
	t.Parallel()
	s := storage.NewSpool(t.TempDir())
	for i := range uint64(3) {
		if _, err := s.Append(piece(i, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []storage.Ref{{Off: -1, Len: 1}, {Off: 0, Len: -1}, {Off: 3 << 20, Len: 1}, {Off: 1<<20 - 1, Len: 2}} {
		if _, err := s.Read(nil, r); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("read %v: %v", r, err)
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Append(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("append: %v", err)
	}
	if _, err := s.Read(nil, storage.Ref{}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

// Several append and read at once.
func TestSpoolConcurrently(t *testing.T) {
	t.Parallel()
	s := newSpool(t, t.TempDir())
	var all sync.WaitGroup
	for g := range uint64(6) {
		all.Go(func() {
			refs := make([]storage.Ref, 600)
			var dst []byte
			for i := range refs {
				var err error
				if refs[i], err = s.Append(piece(g<<32|uint64(i), 1+i*7%3000)); err != nil {
					t.Error(err)
					return
				}
				k := i * 13 % (i + 1)
				if dst, err = s.Read(dst, refs[k]); err != nil || !bytes.Equal(dst, piece(g<<32|uint64(k), 1+k*7%3000)) {
					t.Errorf("piece %d of %d: %d bytes, %v", k, g, len(dst), err)
					return
				}
			}
			for i, r := range refs {
				var err error
				if dst, err = s.Read(dst, r); err != nil || !bytes.Equal(dst, piece(g<<32|uint64(i), int(r.Len))) {
					t.Errorf("piece %d of %d: %d bytes, %v", i, g, len(dst), err)
					return
				}
			}
		})
	}
	all.Wait()
}

// Small pieces that are read one after another, and here and there.
func BenchmarkSpoolRead(b *testing.B) {
	s := newSpool(b, b.TempDir())
	refs := make([]storage.Ref, 100_000)
	for i := range refs {
		var err error
		if refs[i], err = s.Append(piece(uint64(i), 200)); err != nil {
			b.Fatal(err)
		}
	}
	for name, step := range map[string]int{"in order": 1, "scattered": 7919} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for i := range b.N {
				var err error
				if dst, err = s.Read(dst, refs[i*step%len(refs)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
