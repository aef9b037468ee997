package inbox_test

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"rensa/pkg/inbox"
	"rensa/pkg/storage"
)

func TestPut(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir, err := storage.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	now := time.Now()
	put := func(name string, r io.Reader) (string, error) {
		f, err := inbox.Put(dir, "acme", name, now, r)
		return path.Base(f.Name), err
	}
	for _, c := range []struct{ given, want string }{
		{"a.tsv", "a.tsv"}, {"a.tsv", "a (2).tsv"}, {"a.tsv", "a (3).tsv"},
		{`C:\files\b.xlsx`, "b.xlsx"}, {"../../etc/passwd", "passwd"}, {"", "file"}, {"...", "file (2)"},
		{".hidden", "hidden"}, {"x.part", "x.part.file"}, {"y.ready", "y.ready.file"}, {"~$open.xlsx", "$open.xlsx"},
		{"Thumbs.db", "Thumbs.db.file"}, {"r\x00n\n.csv", "r_n_.csv"}, {"dot.", "dot"},
	} {
		got, err := put(c.given, strings.NewReader("x"))
		if err != nil || got != c.want {
			t.Errorf("%q became %q, want %q: %v", c.given, got, c.want, err)
		}
	}
	long, err := put(strings.Repeat("å", 400)+".tsv", strings.NewReader("x"))
	if err != nil || len(long) > 124 || !strings.HasSuffix(long, "å.tsv") {
		t.Errorf("a long name became %q: %v", long, err)
	}

	// A sentinel that was left behind is not said of the next file.
	if err := os.WriteFile(filepath.Join(root, "inbox/acme/old.tsv.ready"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := put("old.tsv", strings.NewReader("x")); err != nil || got != "old (2).tsv" {
		t.Errorf("beside a sentinel it became %q: %v", got, err)
	}

	before := len(names(t, root))
	if _, err := put("broken.tsv", iotest.ErrReader(io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a broken upload: %v", err)
	}
	if after := names(t, root); len(after) != before {
		t.Errorf("a broken upload left something: %v", after)
	}

	for name, age := range map[string]time.Duration{".put-old": 25 * time.Hour, ".put-new": time.Hour} {
		file := filepath.Join(root, "inbox/acme", name)
		if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Chtimes(file, now.Add(-age), now.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := put("last.tsv", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(names(t, root), " ")
	if strings.Contains(all, ".put-old") || !strings.Contains(all, ".put-new") {
		t.Errorf("what a crash left: %s", all)
	}
	f, err := inbox.Put(dir, "acme", "ready.tsv", now, strings.NewReader("x"))
	if err == nil {
		err = errors.Join(inbox.Ready(dir, f), inbox.Ready(dir, f))
	}
	if err != nil || !strings.Contains(strings.Join(names(t, root), " "), "ready.tsv.ready") {
		t.Errorf("ready: %v", err)
	}
}

func names(t *testing.T, root string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, "inbox/acme"))
	if err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.Name()
	}
	return all
}
