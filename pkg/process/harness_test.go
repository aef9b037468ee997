package process_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"rensa/pkg/decode"
	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/policy"
	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/storage"
)

// The test binary is also the program that the harness kills: with harnessDir set
// it works on that workspace.
const (
	harnessDir    = "RENSA_HARNESS_DIR"
	harnessKill   = "RENSA_HARNESS_KILL"   // the name of the event before which it dies
	harnessEvents = "RENSA_HARNESS_EVENTS" // the file in which events are noted
	harnessServe  = "RENSA_HARNESS_SERVE"  // serve until told to stop
	// harnessFull, set to anything, kills before every single event and not only
	// before the first of each name.
	harnessFull = "RENSA_HARNESS_FULL"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(harnessDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := child(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// machine is everything that serve has, with hands in its clock and its disk.
type machine struct {
	ledger    *ledger.Ledger
	processor *process.Processor
	inbox     *inbox.Inbox
	dir       *storage.Dir
}

// events is asked before every step, act on the disk and commit.
type events func(name string) error

func startMachine(ctx context.Context, root string, now func() time.Time, hear events, opt inbox.Options) (*machine, error) {
	m := &machine{}
	var err error
	m.ledger, err = ledger.Open(ctx, filepath.Join(root, "rensa.db"), ledger.Options{Now: now, Watch: hear})
	if err != nil {
		return nil, err
	}
	set, err := policy.Load(nil)
	if err != nil {
		return nil, err
	}
	log := zerolog.New(zerolog.ConsoleWriter{Out: os.Stderr, NoColor: true}).Level(harnessLevel()).With().Timestamp().Logger()
	watch := func(op storage.Op, name string) error { return hear(string(op) + " " + plain(name)) }
	m.processor, err = process.New(process.Options{
		Ledger: m.ledger, Policy: set, Root: root, Now: now, Limits: decode.DefaultLimits(), Log: log, Watch: watch,
		Step: func(name string) {
			if err := hear("step: " + name); err != nil {
				panic(err) // a step cannot fail, only the program can end there
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if m.dir, err = storage.Open(root); err != nil {
		return nil, err
	}
	m.dir.SetWatch(watch)
	opt.Dir, opt.Book, opt.Log = m.dir, m.processor.Book(), log
	m.inbox = inbox.New(opt)
	return m, nil
}

func harnessLevel() zerolog.Level {
	level, err := zerolog.ParseLevel(os.Getenv("RENSA_HARNESS_LOG"))
	if err != nil || level == zerolog.NoLevel {
		return zerolog.Disabled
	}
	return level
}

func (m *machine) close() error {
	return firstError(m.processor.Close(), m.dir.Close(), m.ledger.Close())
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// settle takes and works off what lies there, and tells whether all is done. The
// inbox's clock runs, so that the second look finds the files rested.
func (m *machine) settle(ctx context.Context) (bool, error) {
	for range 2 {
		if _, err := m.inbox.Look(ctx); err != nil {
			return false, err
		}
	}
	if err := m.processor.Drain(ctx, process.WorkOptions{Backoff: func(int) time.Duration { return 0 }}); err != nil {
		return false, err
	}
	open, err := m.ledger.Unfinished(ctx)
	return len(open) == 0, err
}

// What differs from run to run in names and values.
var variable = []struct {
	is *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`\d{8}-\d{6}-[0-9a-f]{6}`), "RUN"},
	{regexp.MustCompile(`\.run-[a-z2-7-]+`), ".run"},
	{regexp.MustCompile(`\b[a-z2-7]{16}\b`), "CLAIM"},
	{regexp.MustCompile(`[a-z2-7]{16}_`), "CLAIM_"},
	{regexp.MustCompile(`[0-9a-f]{20}\.snap`), "HASH.snap"},
}

func plain(name string) string {
	for _, v := range variable {
		name = v.is.ReplaceAllString(name, v.as)
	}
	return name
}

// child is the program under the harness.
func child(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if os.Getenv(harnessServe) != "" {
		return serveChild(ctx, dir)
	}
	var mu sync.Mutex
	var heard []string
	seen := map[string]int{}
	hear := func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		seen[name]++
		id := fmt.Sprintf("%s #%d", name, seen[name])
		if id == os.Getenv(harnessKill) {
			if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
				return err
			}
			select {}
		}
		heard = append(heard, id)
		return nil
	}
	m, err := startMachine(ctx, dir, func() time.Time { return noon }, hear, inbox.Options{Now: advancing()})
	if err != nil {
		return err
	}
	for range 20 {
		done, err := m.settle(ctx)
		if err != nil {
			return err
		}
		if done && len(heard) > 0 && nothingIn(dir) {
			break
		}
	}
	if err := m.close(); err != nil {
		return err
	}
	if file := os.Getenv(harnessEvents); file != "" {
		return os.WriteFile(file, []byte(strings.Join(heard, "\n")), 0o600)
	}
	return nil
}

// advancing is a clock that is a minute later each time.
func advancing() func() time.Time {
	now := noon
	return func() time.Time {
		now = now.Add(time.Minute)
		return now
	}
}

// nothingIn tells whether the inboxes of a workspace are empty.
func nothingIn(root string) bool {
	left, err := filepath.Glob(filepath.Join(root, "inbox", "*", "*"))
	return err == nil && len(left) == 0
}

// fixture is a workspace whose merchants have their snapshots, to be copied.
func fixture(t *testing.T, merchants ...string) string {
	t.Helper()
	root := t.TempDir()
	m, err := startMachine(t.Context(), root, func() time.Time { return noon }, func(string) error { return nil }, inbox.Options{Now: advancing()})
	if err != nil {
		t.Fatal(err)
	}
	inventory, _ := grid(100)
	inventory += "SCARCE\tXSCARCE\tBSCARCE\t40\t0\n"
	for _, id := range merchants {
		if err := m.ledger.AddMerchant(t.Context(), removal.Merchant{ID: id, Profile: profile()}); err != nil {
			t.Fatal(err)
		}
		dropFile(t, root, id, "inventory.txt", []byte(inventory))
	}
	if done, err := m.settle(t.Context()); err != nil || !done {
		t.Fatalf("the inventories: %t, %v", done, err)
	}
	if err := m.close(); err != nil {
		t.Fatal(err)
	}
	return root
}

// copied is a workspace like another.
func copied(t *testing.T, root string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	// The time of a file is when its inventory holds.
	dropped, err := filepath.Glob(filepath.Join(to, "inbox", "*", "*"))
	for _, name := range dropped {
		err = firstError(err, os.Chtimes(name, noon, noon))
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// dropFile puts a file into an inbox.
func dropFile(t *testing.T, root, merchant, name string, content []byte) {
	t.Helper()
	folder := filepath.Join(root, "inbox", merchant)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(folder, name), content, 0o600),
		os.Chtimes(filepath.Join(folder, name), noon, noon),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// dropDay puts a day's files into the inbox of "m": an upload with good and bad
// rows, a renamed copy of it, its corrected form, a file that is nothing, and a new
// inventory.
func dropDay(t *testing.T, root string) {
	t.Helper()
	inventory, rows := grid(40)
	dropFile(t, root, merchantID, "a upload.tsv", tabs(rows))
	dropFile(t, root, merchantID, "b copy.tsv", tabs(rows))
	corrected := slices.Clone(rows)
	last := slices.Clone(rows[len(rows)-1])
	last[removal.FieldOrderID], last[removal.FieldMethod] = "NEW-1", "Disposal"
	dropFile(t, root, merchantID, "c corrected.tsv", tabs(append(corrected, last)))
	dropFile(t, root, merchantID, "d letter.txt", []byte("Dear Sirs,\nplease remove everything.\n"))
	dropFile(t, root, merchantID, "e inventory.txt", []byte(inventory+"SKU-NEW\tXNEW\tBNEW\t5\t0\n"))
}

// state is everything that matters of a workspace: its files and its ledger.
func state(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range []string{"reports", "outbound", "archive", "rejected", "inbox", "work"} {
		top := filepath.Join(root, folder)
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || folder == "work" && strings.HasPrefix(d.Name(), ".") && !strings.HasPrefix(d.Name(), ".tmp") {
				return err
			}
			content, err := os.ReadFile(path)
			all[plain(folder+strings.TrimPrefix(path, top))] = string(content)
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(root, "rensa.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for name, query := range map[string]string{
		"runs": `SELECT merchant, id, seq, kind, file_name, sha256, bytes, layout, encoding, heading, snapshot, started, finished, rows_read,
			rows_accepted, rows_rejected, rows_seen, orders_accepted, orders_refused, order_after, order_last, status, archive, detail FROM run`,
		"outputs":   `SELECT * FROM output`,
		"orders":    `SELECT * FROM removal_order`,
		"addresses": `SELECT * FROM address`,
		"movements": `SELECT * FROM movement`,
		"outcomes":  `SELECT * FROM outcome`,
		"events":    `SELECT * FROM event`,
		"outbound":  `SELECT * FROM outbound`,
		"snapshots": `SELECT * FROM snapshot`,
		"merchants": `SELECT id, revision, snapshot, orders, events, runs FROM merchant`,
		// A claim that a crash interrupted before its rename is closed and made anew,
		// and a file that was done remembers how it failed before.
		"files": `SELECT merchant, name, kind, sha256, bytes, state, run, place, lease_owner, target,
			CASE WHEN state = 'rejected' OR reason = 'file_seen' THEN reason END FROM file
			WHERE state <> 'closed' ORDER BY merchant, name`,
	} {
		all["ledger: "+name] = plain(table(t, db, query))
	}
	return all
}

func table(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%q\n", fmt.Sprintf("%v", values))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// runChild runs the program on a workspace to its end.
func runChild(t *testing.T, root string, environ ...string) error {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(environ, harnessDir+"="+root)...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// Killed at any step and started again, the program ends with the files and the
// ledger that it would have had undisturbed.
func TestKilledAtEveryStep(t *testing.T) {
	t.Parallel()
	start := fixture(t, merchantID)
	dropDay(t, start)
	undisturbed := copied(t, start)
	list := filepath.Join(t.TempDir(), "events")
	if err := runChild(t, undisturbed, harnessEvents+"="+list); err != nil {
		t.Fatal(err)
	}
	want := state(t, undisturbed)
	if runs := strings.Count(want["ledger: runs"], "\n"); runs != 4 {
		t.Fatalf("%d runs, want the first inventory, two uploads and an inventory:\n%s", runs, want["ledger: files"])
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(string(text), "\n")
	points := killPoints(all)
	steps := 0
	for _, p := range points {
		if strings.HasPrefix(p, "step: ") {
			steps++
		}
	}
	if steps < 15 {
		t.Errorf("only %d marked steps", steps)
	}
	for _, point := range points {
		root := copied(t, start)
		if err := runChild(t, root, harnessKill+"="+point); err == nil {
			t.Fatalf("%s: the program was to be killed there and was not", point)
		}
		if err := runChild(t, root); err != nil {
			t.Fatalf("%s: started again: %v", point, err)
		}
		if diff := cmp.Diff(want, state(t, root)); diff != "" {
			t.Errorf("killed before %s (-undisturbed +killed):\n%s", point, diff)
		}
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	}
	t.Logf("killed and started again at %d points (%d marked steps, the others writes, syncs, renames and commits) of %d events",
		len(points), steps, len(all))
}

// killPoints are the events before which the program is killed.
func killPoints(all []string) []string {
	if os.Getenv(harnessFull) != "" {
		return all
	}
	var some []string
	for _, e := range all {
		name, n, _ := strings.Cut(e, " #")
		// Steps and commits are few and differ by file; the rest is the same again.
		if n == "1" && !strings.HasPrefix(name, "write ") || strings.HasPrefix(name, "step: ") && n == "3" {
			some = append(some, e)
		}
	}
	return some
}

// Whatever write, sync, rename or commit fails once, all comes out as if none had.
func TestEveryActFails(t *testing.T) {
	t.Parallel()
	start := fixture(t, merchantID)
	dropDay(t, start)
	want := map[string]string{}
	counts := map[string]int{}
	stride := 1
	if os.Getenv(harnessFull) == "" {
		stride = 3
	}
	tried, n := 0, 0
	for last := false; !last; n += stride {
		root := copied(t, start)
		asked, failed := 0, ""
		var mu sync.Mutex
		m, err := startMachine(t.Context(), root, func() time.Time { return noon }, func(name string) error {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasPrefix(name, "step: ") {
				return nil
			}
			if asked++; asked != n {
				return nil
			}
			failed = name
			return []error{syscall.ENOSPC, syscall.EIO}[n%2]
		}, inbox.Options{Now: advancing()})
		if err != nil {
			t.Fatalf("act %d (%s): %v", n, failed, err)
		}
		done := false
		for range 10 {
			done, err = m.settle(t.Context())
			if err == nil && done && nothingIn(root) {
				break
			}
		}
		if err != nil || !done {
			t.Errorf("act %d (%s) failed: all done %t, %v", n, failed, done, err)
		}
		// A sweep clears away the folder of a run that was done and did not know it.
		if _, err := m.settle(t.Context()); err != nil {
			t.Error(err)
		}
		if err := m.close(); err != nil {
			t.Error(err)
		}
		got := state(t, root)
		switch {
		case n == 0:
			want = got
		case failed == "":
			last = true
		default:
			tried++
			counts[kindOfAct(failed)]++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("act %d (%s) failed once (-undisturbed +failed):\n%s", n, failed, diff)
			}
		}
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	}
	for _, kind := range slices.Sorted(keysOf(counts)) {
		t.Logf("%4d  %s", counts[kind], kind)
	}
	t.Logf("%d acts failed once each (every %d. of all)", tried, stride)
	if tried < 50 {
		t.Errorf("only %d acts", tried)
	}
}

func kindOfAct(name string) string {
	if folder, ok := strings.CutPrefix(name, "sync folder "); ok {
		return "sync folder " + folder
	}
	if op, file, ok := strings.Cut(name, " "); ok {
		return op + " " + filepath.Base(file)
	}
	return name
}

func keysOf(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// number reads a number from the environment.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}
