package inbox_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rensa/pkg/inbox"
	"rensa/pkg/storage"
)

// A file that is brought is put on the list at once; looks leave it alone until
// then.
func TestDeliver(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	dir, err := storage.Open(h.root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	d, err := inbox.Receive(dir, "m", "a.tsv", strings.NewReader("upload"))
	if err != nil {
		t.Fatal(err)
	}
	if d.Bytes != 6 || len(d.SHA256) != 64 {
		t.Errorf("%+v", d)
	}
	h.after(time.Hour)
	h.took()
	var asked string
	ticket, err := d.Take(t.Context(), h.book, func(t inbox.Ticket) error { asked = t.ID; return nil })
	if err != nil || ticket.ID != "a.tsv" || asked != ticket.ID {
		t.Fatalf("%+v, asked %q, %v", ticket, asked, err)
	}
	if err := d.Discard(); err != nil {
		t.Errorf("discarded after it was taken: %v", err)
	}
	h.took("a.tsv")
	left, err := dir.ListAll("inbox/m")
	if err != nil || len(left) != 0 {
		t.Errorf("there lie %+v, %v", left, err)
	}
}

// What cannot be received or taken leaves nothing behind, and its claim is undone.
func TestDeliverNothing(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	dir, err := storage.Open(h.root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	broken := errors.New("the line went dead")
	if _, err := inbox.Receive(dir, "m", "a.tsv", io.MultiReader(strings.NewReader("half"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("received: %v", err)
	}
	d, err := inbox.Receive(dir, "m", "b.tsv", strings.NewReader("upload"))
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("asked before")
	if _, err := d.Take(t.Context(), h.book, func(inbox.Ticket) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("taken: %v", err)
	}
	if err := d.Discard(); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.book.undone, []string{"b.tsv"}) {
		t.Errorf("undone: %v", h.book.undone)
	}
	h.took()
	if left, err := dir.ListAll("inbox/m"); err != nil || len(left) != 0 {
		t.Errorf("there lie %+v, %v", left, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// What a program that ended was being brought is cleared away once it is old;
// what others drop stays.
func TestClearDeliveries(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	dir, err := storage.Open(h.root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	old := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, name := range []string{".upload-old", ".upload-new", ".tmp-old", ".hidden", "a.tsv"} {
		h.put(name, name)
		if !strings.HasSuffix(name, "new") {
			if err := os.Chtimes(h.path(name), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := inbox.ClearDeliveries(dir, []string{"m", "never-seen"}, old.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(h.path("*"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range left {
		names = append(names, filepath.Base(f))
	}
	if want := []string{".hidden", ".upload-new", "a.tsv"}; !slices.Equal(names, want) {
		t.Errorf("left %v, want %v", names, want)
	}
}
