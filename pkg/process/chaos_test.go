package process_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rensa/pkg/inbox"
	"rensa/pkg/process"
)

// serveChild serves a workspace as the program does, with less patience.
func serveChild(ctx context.Context, dir string) error {
	m, err := startMachine(ctx, dir, time.Now, func(string) error { return nil }, inbox.Options{Rest: 50 * time.Millisecond, Poll: 50 * time.Millisecond})
	if ctx.Err() != nil {
		return nil // told to end before it had begun
	}
	if err != nil {
		return err
	}
	wake := make(chan struct{}, 1)
	worked := make(chan error, 1)
	go func() {
		worked <- m.processor.Work(ctx, wake, process.WorkOptions{Poll: 50 * time.Millisecond, Sweep: 300 * time.Millisecond})
	}()
	err = m.inbox.Run(ctx, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	return firstError(err, <-worked, m.close())
}

// crew are the processes that share a workspace.
type crew struct {
	t                      *testing.T
	root                   string
	members                []*exec.Cmd
	kills, stops, restarts int
}

func (c *crew) start(i int) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), harnessDir+"="+c.root, harnessServe+"=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.members[i] = cmd
}

// end ends a process, in order or at once.
func (c *crew) end(i int, how syscall.Signal) {
	if err := c.members[i].Process.Signal(how); err != nil {
		c.t.Fatal(err)
	}
	err := c.members[i].Wait()
	state, ok := c.members[i].ProcessState.Sys().(syscall.WaitStatus)
	if ok && state.Signaled() && state.Signal() == how {
		return // one that was just starting does not hear of the end in order yet
	}
	if err != nil {
		c.t.Errorf("a process that was told to end: %v", err)
	}
}

// Many files of several merchants, copies among them, come to three processes that
// share the folder and the ledger and are killed and started again at random: every
// file is answered once.
func TestChaos(t *testing.T) {
	t.Parallel()
	files, copies := number("RENSA_HARNESS_FILES", 200), number("RENSA_HARNESS_COPIES", 40)
	seed := uint64(number("RENSA_HARNESS_SEED", int(time.Now().UnixNano()%1e6)))
	t.Logf("RENSA_HARNESS_SEED=%d", seed)
	r := rand.New(rand.NewPCG(seed, 4))
	merchants := []string{"m1", "m2", "m3", "m4", "m5"}
	root := fixture(t, merchants...)
	dropped := map[string]int{} // sha256 of what was dropped
	plan := chaosFiles(r, merchants, files, copies)

	c := &crew{t: t, root: root, members: make([]*exec.Cmd, 3)}
	for i := range c.members {
		c.start(i)
	}
	db, err := sql.Open("sqlite", filepath.Join(root, "rensa.db")+"?_query_only=1&_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	begun := time.Now()
	pulse := time.NewTicker(20 * time.Millisecond)
	defer pulse.Stop()
	for ticks := 0; ; ticks++ {
		<-pulse.C
		for range min(len(plan), 1+r.IntN(3)) {
			f := plan[0]
			plan = plan[1:]
			dropped[fmt.Sprintf("%x", sha256.Sum256(f.content))]++
			f.drop(t, r, root)
		}
		if r.IntN(12) == 0 && (len(plan) > 0 || c.kills < 30) {
			i := r.IntN(len(c.members))
			how := syscall.SIGKILL
			if r.IntN(5) == 0 {
				how = syscall.SIGTERM
				c.stops++
			} else {
				c.kills++
			}
			c.end(i, how)
			c.start(i)
			c.restarts++
		}
		if len(plan) == 0 && ticks%10 == 0 {
			if n := count(t, db, `SELECT count(*) FROM file WHERE state = 'archived' AND target IS NULL AND name NOT LIKE 'inventory%'`); n >= files {
				break
			}
			if time.Since(begun) > 4*time.Minute {
				t.Errorf("not done after %s:\n%s", time.Since(begun), table(t, db, `SELECT * FROM file WHERE state NOT IN ('archived', 'closed')`))
				break
			}
		}
	}
	took := time.Since(begun)
	for i := range c.members {
		c.end(i, syscall.SIGTERM)
	}
	orders := count(t, db, `SELECT count(*) FROM removal_order`)
	t.Logf("%d files, %d of them copies; 3 processes: %d kills, %d stops, %d restarts in %.1f s; %d orders made, %d expected; %d claims were made anew",
		files, copies, c.kills, c.stops, c.restarts, took.Seconds(), orders, files-copies, count(t, db, `SELECT count(*) FROM file WHERE state = 'closed'`))
	if orders != files-copies {
		t.Errorf("%d orders, want %d", orders, files-copies)
	}
	if n := count(t, db, `SELECT count(*) FROM file WHERE state = 'archived' AND reason = 'file_seen'`); n != copies {
		t.Errorf("%d files were seen before, want %d", n, copies)
	}
	for _, m := range merchants {
		wanted := count(t, db, `SELECT count(*) FROM run WHERE kind = 'removal_upload' AND merchant = '`+m+`'`)
		taken := count(t, db, `SELECT coalesce(sum(sellable_requested), 0) FROM order_line WHERE sku = 'SCARCE' AND merchant = '`+m+`'`)
		if taken != min(40, wanted) {
			t.Errorf("%s: %d of 40 scarce units were taken, %d wanted one", m, taken, wanted)
		}
	}
	if n := count(t, db, `SELECT count(*) FROM order_line WHERE sku <> 'SCARCE' AND sellable_requested <> 1`); n > 0 {
		t.Errorf("%d lines of other quantities than asked", n)
	}
	kept := map[string]int{}
	lost := []string{}
	for name := range state(t, root) {
		if top, _, _ := strings.Cut(name, "/"); top == "inbox" || top == "work" || top == "rejected" {
			lost = append(lost, name)
		}
	}
	for _, m := range merchants {
		entries, err := os.ReadDir(filepath.Join(root, "archive", m))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), "_inventory.txt") {
				continue
			}
			content, err := os.ReadFile(filepath.Join(root, "archive", m, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			kept[fmt.Sprintf("%x", sha256.Sum256(content))]++
		}
	}
	if diff := cmp.Diff(dropped, kept); diff != "" || len(lost) > 0 {
		t.Errorf("files lost or doubled (-dropped +archived):\n%s\nleft: %v", diff, lost)
	}
	reports, err := filepath.Glob(filepath.Join(root, "reports", "*", "*", "*", "summary.json"))
	if err != nil || len(reports) != files-copies+len(merchants) {
		t.Errorf("%d summaries, want one for each of %d runs: %v", len(reports), files-copies+len(merchants), err)
	}
	outgoing, err := filepath.Glob(filepath.Join(root, "outbound", "*", "*.tsv"))
	if err != nil || len(outgoing) != files-copies {
		t.Errorf("%d outgoing files, want %d: %v", len(outgoing), files-copies, err)
	}
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// chaosFile is a file that is going to be dropped.
type chaosFile struct {
	merchant, name string
	content        []byte
}

// chaosFiles makes the files: each one order with rows of its own and one scarce
// unit; some of them come again under another name.
func chaosFiles(r *rand.Rand, merchants []string, files, copies int) []chaosFile {
	var all []chaosFile
	for i := range files - copies {
		m := merchants[i%len(merchants)]
		var b strings.Builder
		b.WriteString("MerchantRemovalOrderID\tRemovalDisposition\tMerchantSKU\tSellableQuantity\n")
		id := fmt.Sprintf("%s-%d", m, i)
		for _, k := range r.Perm(100)[:1] {
			fmt.Fprintf(&b, "%s\tDisposal\tSKU-%03d å\t1\n", id, k)
		}
		fmt.Fprintf(&b, "%s\tDisposal\tSCARCE\t1\n", id)
		all = append(all, chaosFile{m, fmt.Sprintf("upload %d.tsv", i), []byte(b.String())})
	}
	for i := range copies {
		f := all[r.IntN(files-copies)]
		f.name = fmt.Sprintf("copy %d of %s", i, f.name)
		all = append(all, f)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// drop puts the file into its inbox in one of the ways in which files come.
func (f *chaosFile) drop(t *testing.T, r *rand.Rand, root string) {
	t.Helper()
	place := filepath.Join(root, "inbox", f.merchant, f.name)
	var err error
	switch r.IntN(3) {
	case 0: // written in place
		err = os.WriteFile(place, f.content, 0o600)
	case 1: // under another name first
		if err = os.WriteFile(place+".part", f.content, 0o600); err == nil {
			err = os.Rename(place+".part", place)
		}
	case 2: // with a sentinel
		if err = os.WriteFile(place, f.content, 0o600); err == nil {
			err = os.WriteFile(place+".ready", nil, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
