package ledger_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"rensa/pkg/ledger"
	"rensa/pkg/ledger/ledgertest"
	"rensa/pkg/removal"
)

func open(t testing.TB, path string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) *ledger.Ledger {
		return open(t, filepath.Join(t.TempDir(), "ledger.db"))
	})
}

// TestReopen: what was committed is there for the next program, in a folder
// whose name needs care in an address.
func TestReopen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a b?c#d%20å")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ledger.db")
	l, err := ledger.Open(t.Context(), "sqlite:"+path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := removal.Merchant{ID: "acme", Profile: ledger.DefaultProfile()}
	if err := l.AddMerchant(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the ledger is open to others: %v, %v", info.Mode(), err)
	}
	if _, err := open(t, path).Merchant(t.Context(), "acme"); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"no folder": filepath.Join(t.TempDir(), "none", "ledger.db"),
		"scheme":    "postgres://localhost/rensa",
	} {
		if l, err := ledger.Open(t.Context(), path, ledger.Options{}); err == nil {
			t.Errorf("%s: opened", name)
			_ = l.Close()
		}
	}
	rubbish := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(rubbish, []byte("this is a letter and not a database, however long one reads"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := ledger.Open(t.Context(), rubbish, ledger.Options{}); err == nil {
		t.Error("rubbish was opened")
		_ = l.Close()
	}
}

// TestNewerSchema: an older program leaves a newer ledger alone.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	raw := openRaw(t, path)
	if _, err := raw.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if l, err := ledger.Open(t.Context(), path, ledger.Options{}); !errors.Is(err, ledger.ErrNewer) {
		t.Errorf("opened a newer ledger: %v", err)
		if l != nil {
			_ = l.Close()
		}
	}
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	raw, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
	})
	return raw
}

// TestOpenTogether: programs that start at once on a new ledger all get it.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			l, err := ledger.Open(t.Context(), path, ledger.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestTwoPrograms: two programs that decide on one revision cannot both win, and
// one sees at once what the other committed.
func TestTwoPrograms(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	a, b := open(t, path), open(t, path)
	if err := a.AddMerchant(t.Context(), removal.Merchant{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	commit := func(run, sha string) *ledger.Commit {
		return &ledger.Commit{Merchant: "acme", Run: ledger.Run{ID: run, Kind: removal.KindUpload, SHA256: sha, Read: 1, Accepted: 1},
			Packed: ledgertest.Pack(t, run, removal.Order{ID: "O-" + run, State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload})}
	}
	errs := make([]error, 2)
	var both sync.WaitGroup
	both.Go(func() { errs[0] = a.Commit(t.Context(), commit("a", "same")) })
	both.Go(func() { errs[1] = b.Commit(t.Context(), commit("b", "same")) })
	both.Wait()
	if won := (errs[0] == nil) != (errs[1] == nil); !won || !errors.Is(errors.Join(errs...), ledger.ErrSeen) {
		t.Errorf("the same bytes: %v", errs)
	}
	if err := b.Commit(t.Context(), commit("c", "other")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("an old revision: %v", err)
	}
	maybe, err := b.IDs(t.Context(), "acme")
	if err != nil || !maybe.Maybe([]byte("O-a")) && !maybe.Maybe([]byte("O-b")) {
		t.Errorf("the other program's order is taken for new, %v", err)
	}
}

// TestSchemaGuards: what the program keeps to, the schema keeps to by itself.
func TestSchemaGuards(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path)
	if err := l.AddMerchant(t.Context(), removal.Merchant{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	raw := openRaw(t, path)
	run := func(id string, accepted int) error {
		_, err := raw.Exec(`INSERT INTO run VALUES ('acme', ?1, ?2, 'removal_upload', '', 'same', 0, '', '', '', '', '', 0, '', NULL, '', '', NULL, NULL, 0,
			?2, ?2, 0, 0, 0, 0, 1, 0, 0, 'committed', 0, '', '', NULL)`, id, accepted)
		return err
	}
	if err := errors.Join(run("a", 1), run("none", 0)); err != nil {
		t.Fatal(err)
	}
	if run("b", 2) == nil {
		t.Error("the same bytes made orders twice")
	}
	for _, wrong := range []string{
		`UPDATE run SET rows_read = 7`,
		`UPDATE run SET status = 'lost'`,
		`UPDATE merchant SET id = ''`,
		`INSERT INTO file VALUES ('acme', 'f', 1, '', '', '', '', 0, 'lost', NULL, 0, NULL, NULL, 0, NULL)`,
	} {
		if _, err := raw.Exec(wrong); err == nil {
			t.Errorf("the schema lets through: %s", wrong)
		}
	}
}

// TestOrderLineView: people see the lines as rows.
func TestOrderLineView(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path)
	if err := l.AddMerchant(t.Context(), removal.Merchant{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	err := l.Commit(t.Context(), &ledger.Commit{Merchant: "acme", Run: ledger.Run{ID: "r"},
		Change: &ledger.Change{New: []ledger.Record{
			{Order: removal.Order{ID: "O", State: removal.StatePending, Method: removal.Disposal, Source: removal.SourceUpload, Lines: []removal.Line{
				{SKU: "A", FNSKU: "X", AskedSellable: 9, Sellable: removal.Units{Requested: 8, Cancelled: 1, Disposed: 2, Shipped: 3},
					Unsellable: removal.Units{Requested: 7, Cancelled: 4}, Fee: 12500, HasFee: true},
				{SKU: "B", Unsellable: removal.Units{Requested: 5}}}}},
		}}})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := openRaw(t, path).Query(`SELECT printf('%s|%s|%d|%s|%s|%d|%d|%d|%d|%d|%d|%d|%d|%d|%s', merchant, order_id, line, sku, fnsku,
		sellable_asked, sellable_requested, sellable_cancelled, sellable_disposed, sellable_shipped,
		unsellable_requested, unsellable_cancelled, unsellable_disposed, unsellable_shipped, fee) FROM order_line ORDER BY line`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, want := range []string{"acme|O|1|A|X|9|8|1|2|3|7|4|0|0|1.25", "acme|O|2|B||0|0|0|0|0|5|0|0|0|"} {
		var got string
		if !rows.Next() || rows.Scan(&got) != nil || got != want {
			t.Errorf("line is %s, want %s", got, want)
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}
