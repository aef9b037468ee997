package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"rensa/pkg/inbox"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// book is a list of what was taken, in memory.
type book struct {
	merchants []string
	stock     bool
	taken     []string
	undone    []string
	begin     error
}

func (b *book) Merchants(context.Context) ([]string, error)    { return b.merchants, nil }
func (b *book) HasStock(context.Context, string) (bool, error) { return b.stock, nil }
func (b *book) Hold(context.Context, string) (func(), error)   { return func() {}, nil }
func (b *book) Taken(_ context.Context, t inbox.Ticket) error {
	b.taken = append(b.taken, t.ID)
	return nil
}
func (b *book) Undo(_ context.Context, t inbox.Ticket, _ string) error {
	b.undone = append(b.undone, t.ID)
	return nil
}

func (b *book) Kind(_ context.Context, _, file string) (removal.Kind, error) {
	content, err := os.ReadFile(file)
	return removal.Kind(strings.TrimSpace(string(content))), err
}

func (b *book) Begin(_ context.Context, merchant, name string, _ removal.Kind) (inbox.Ticket, error) {
	return inbox.Ticket{Merchant: merchant, ID: name, Place: "work/" + merchant + "/" + name}, b.begin
}

// hot is a hot folder under test, its clock in the test's hand.
type hot struct {
	*inbox.Inbox
	t    *testing.T
	root string
	book *book
	now  time.Time
	log  bytes.Buffer
}

func newHot(t *testing.T, b *book) *hot {
	t.Helper()
	h := &hot{t: t, root: t.TempDir(), book: b, now: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
	if b.merchants == nil {
		b.merchants = []string{"m"}
	}
	dir, err := storage.Open(h.root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	h.Inbox = inbox.New(inbox.Options{Dir: dir, Book: b, Log: zerolog.New(&h.log).Level(zerolog.InfoLevel), Now: func() time.Time { return h.now }})
	h.look() // the folders are made
	return h
}

func (h *hot) path(name string) string { return filepath.Join(h.root, "inbox", "m", name) }

func (h *hot) put(name, content string) {
	h.t.Helper()
	if err := os.WriteFile(h.path(name), []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hot) look() inbox.Looked {
	h.t.Helper()
	l, err := h.Look(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

// after lets time pass and looks.
func (h *hot) after(d time.Duration) inbox.Looked {
	h.t.Helper()
	h.now = h.now.Add(d)
	return h.look()
}

// took checks what was taken since the last time, in order.
func (h *hot) took(want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.book.taken); diff != "" && len(want)+len(h.book.taken) > 0 {
		h.t.Errorf("taken (-want +got):\n%s", diff)
	}
	for _, name := range h.book.taken {
		if _, err := os.Stat(filepath.Join(h.root, "work", "m", name)); err != nil {
			h.t.Errorf("taken, and not in its place: %v", err)
		}
	}
	h.book.taken = nil
}

func (h *hot) told(text string) int { return strings.Count(h.log.String(), text) }

// A file is taken when its size and time have rested for two seconds.
func TestRest(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	h.put("a.tsv", "half")
	if l := h.look(); l.Next != 2*time.Second {
		t.Errorf("next look after %s", l.Next)
	}
	h.after(1900 * time.Millisecond)
	h.put("a.tsv", "half and half")
	h.after(100 * time.Millisecond)
	h.after(1900 * time.Millisecond)
	h.took()
	// Of the same size, but written anew.
	later := h.now
	if err := os.Chtimes(h.path("a.tsv"), later, later); err != nil {
		t.Fatal(err)
	}
	h.after(200 * time.Millisecond)
	h.took()
	if l := h.after(2 * time.Second); l.Taken != 1 {
		t.Errorf("%d taken", l.Taken)
	}
	h.took("a.tsv")
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	h.put("b.tsv.ready", "")
	h.look()
	h.took()
	h.put("b.tsv", "x")
	h.look()
	h.took("b.tsv")
	if _, err := os.Stat(h.path("b.tsv.ready")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the sentinel is still there: %v", err)
	}
	h.put("b.tsv", "the next of this name")
	h.look()
	h.took()
}

func TestIgnored(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	names := []string{".hidden", "a.tmp", "a.PART", "a.crdownload", "a.filepart", "a.tsv~", "~$book.xlsx", "Thumbs.db", "desktop.ini"}
	for _, name := range names {
		h.put(name, "x")
	}
	h.put("a.tsv", "x")
	h.look()
	h.after(time.Hour)
	h.took("a.tsv")
	if h.log.Len() > 0 && h.told("left alone") > 0 {
		t.Errorf("told: %s", h.log.String())
	}
	for _, name := range names {
		if _, err := os.Stat(h.path(name)); err != nil {
			t.Error(err)
		}
	}
}

// Links, sockets and folders are left alone and told of once.
func TestNoFiles(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	if err := os.Symlink("/etc/passwd", h.path("link.tsv")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(h.path("folder"), 0o750); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", h.path("s"))
	if err != nil {
		t.Skip("no sockets here: ", err)
	}
	defer socket.Close()
	for range 3 {
		h.after(time.Hour)
	}
	h.took()
	if n := h.told("left alone"); n != 3 {
		t.Errorf("told %d times: %s", n, h.log.String())
	}
}

func TestStrays(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	if err := os.Mkdir(filepath.Join(h.root, "inbox", "nobody"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.root, "inbox", "a.tsv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.after(time.Hour)
	h.after(time.Hour)
	if h.told("there is no such merchant") != 1 || h.told("belong into the folder of a merchant") != 1 {
		t.Errorf("told: %s", h.log.String())
	}
}

// Within one look inventory goes first and uploads last.
func TestOrder(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{})
	h.put("a.tsv", string(removal.KindUpload))
	h.put("b.tsv", string(removal.KindCentres))
	h.put("c.tsv", string(removal.KindAFN))
	h.put("d.tsv", "")
	h.look()
	h.after(2 * time.Second)
	h.took("c.tsv", "b.tsv", "a.tsv", "d.tsv")
}

// An upload of a merchant without inventory waits for it, up to a minute.
func TestPatience(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{})
	h.put("a.tsv", string(removal.KindUpload))
	h.look()
	if l := h.after(2 * time.Second); l.Next != time.Minute {
		t.Errorf("next look after %s", l.Next)
	}
	h.after(59 * time.Second)
	h.took()
	h.after(time.Second)
	h.took("a.tsv")
	h.put("b.tsv", string(removal.KindUpload))
	h.look()
	h.after(2 * time.Second)
	h.took()
	h.book.stock = true
	h.look()
	h.took("b.tsv")
	if n := h.told("waits for it a while"); n != 2 {
		t.Errorf("told %d times", n)
	}
}

// A folder that is gone is told of once, and when it is back its files are taken.
func TestVanishing(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	for _, folder := range []string{"inbox", "inbox/m"} {
		place, aside := filepath.Join(h.root, folder), filepath.Join(h.root, "aside")
		name := filepath.Base(folder) + ".tsv"
		h.put(name, "x")
		h.look()
		if err := os.Rename(place, aside); err != nil {
			t.Fatal(err)
		}
		h.after(time.Minute)
		h.after(time.Minute)
		h.took()
		if err := os.Rename(aside, place); err != nil {
			t.Fatal(err)
		}
		h.look()
		h.after(2 * time.Second)
		h.took(name)
	}
	if h.told("the inbox is gone") != 1 || h.told("the inbox is back") != 1 ||
		h.told("the folder cannot be read") != 1 || h.told("the folder can be read again") != 1 {
		t.Errorf("told: %s", h.log.String())
	}
}

// A file whose place is taken stays where it is, and blocks no other.
func TestTakenPlace(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	if err := os.MkdirAll(filepath.Join(h.root, "work", "m", "a.tsv"), 0o750); err != nil {
		t.Fatal(err)
	}
	h.put("a.tsv", "x")
	h.put("b.tsv", "x")
	h.look()
	h.after(2 * time.Second)
	h.took() // for one look the file behind keeps its turn
	h.look()
	h.took("b.tsv")
	if _, err := os.Stat(h.path("a.tsv")); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"a.tsv"}, h.book.undone); diff != "" {
		t.Errorf("undone: %s", diff)
	}
}

// A rename that cannot work is told of once and tried again, later and later.
func TestNoWorkFolder(t *testing.T) {
	t.Parallel()
	h := newHot(t, &book{stock: true})
	// A file where a folder must be made: the rename cannot work.
	if err := os.WriteFile(filepath.Join(h.root, "work"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h.put("a.tsv", "x")
	h.look()
	waits := []time.Duration{}
	h.now = h.now.Add(time.Second)
	for range 8 {
		wait := h.after(time.Second).Next
		waits = append(waits, wait)
		h.now = h.now.Add(wait - time.Second)
	}
	h.took()
	if got := fmt.Sprint(waits); got != "[1s 2s 4s 8s 16s 32s 1m0s 1m0s]" {
		t.Errorf("tried again after %s", got)
	}
	if n := h.told("the file cannot be taken"); n != 1 || len(h.book.undone) != 8 {
		t.Errorf("told %d times, %d claims undone", n, len(h.book.undone))
	}
	if err := os.Remove(filepath.Join(h.root, "work")); err != nil {
		t.Fatal(err)
	}
	h.after(time.Minute)
	h.took("a.tsv")
}

// Run hears of a file by an event, or finds it on its timer.
func TestRun(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir, err := storage.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	in := inbox.New(inbox.Options{Dir: dir, Book: &book{merchants: []string{"m"}, stock: true}, Log: zerolog.Nop(), Rest: time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	taken, ended := make(chan struct{}, 10), make(chan error)
	if err := dir.MakeDir("inbox/m"); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- in.Run(ctx, func() { taken <- struct{}{} }) }()
	for i := range 3 {
		if err := os.WriteFile(filepath.Join(root, "inbox", "m", fmt.Sprint(i)), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		<-taken
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
