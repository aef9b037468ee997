package ledger

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestExplain: a lock that another program holds is known by its code.
func TestExplain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	var txs [2]*sql.Tx
	var errs [2]error
	for i := range txs {
		db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		txs[i], errs[i] = db.BeginTx(t.Context(), nil)
	}
	if errs[0] != nil || !errors.Is(explainSQLite(errs[1]), ErrBusy) {
		t.Errorf("errors are %v", errs)
	}
	if err := txs[0].Rollback(); err != nil {
		t.Error(err)
	}
	plain := errors.New("plain")
	if got := explainSQLite(plain); got != plain || explainSQLite(nil) != nil { //nolint:errorlint // it must be the very same
		t.Errorf("another error became %v", got)
	}
}

// TestDisk: what a full or read-only disk makes of a write is known as that, as with
// any other file.
func TestDisk(t *testing.T) {
	t.Parallel()
	for pragma, want := range map[string]error{"max_page_count = 1": syscall.ENOSPC, "query_only = 1": syscall.EROFS} {
		l := openAcme(t)
		if _, err := l.writer.Exec("PRAGMA " + pragma); err != nil {
			t.Fatal(err)
		}
		err := l.write(t.Context(), func(tx *tx) error {
			_, err := tx.ExecContext(t.Context(), `CREATE TABLE large AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
				SELECT i, randomblob(4000) FROM n`)
			return err
		})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", pragma, err, want)
		}
	}
}

// TestPragmas: they hold on every connection.
func TestPragmas(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	for _, db := range []*sql.DB{l.writer, l.readers} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "page_size": "8192"} {
			var got string
			if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
			}
		}
	}
	if _, err := l.readers.Exec(`DELETE FROM merchant`); err == nil {
		t.Error("a reader may write")
	}
}

// TestHoldPlans: what is held now is found without walking over all that ever was.
func TestHoldPlans(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	for _, query := range []string{holdQuery, stepQuery, coverQuery, originQuery} {
		for index, set := range map[string]holdSet{"INDEX hold_live (merchant=?)": liveHold, "INDEX hold_pool (merchant=? AND pool=?)": poolHold} {
			plan := explain(t, l.readers, set.query(&l.dialect, query))
			if !strings.Contains(plan, index) || strings.Count(plan, "(merchant=?)") != strings.Count(index, "(merchant=?)") {
				t.Errorf("%s\n%s", set.query(&l.dialect, query), plan)
			}
		}
	}
}

func explain(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	args := []any{"acme", "X1"}[:1+strings.Count(query, "$2")]
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var text string
		if err := rows.Scan(&id, &parent, &unused, &text); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(text + "\n")
	}
	return plan.String()
}
