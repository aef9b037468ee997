package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"rensa/pkg/removal"
)

func takenOf(t *testing.T, l *Ledger) (all []Movement) {
	t.Helper()
	if err := l.Taken(t.Context(), "acme", func(m Movement) error {
		all = append(all, m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// openAt opens a ledger whose schema stops at a version.
func openAt(t *testing.T, path string, version int64) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?"+pragmas)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider(t, db).UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return db
}

func provider(t *testing.T, db *sql.DB) *goose.Provider {
	t.Helper()
	migrations, err := fs.Sub(schemas, "schema/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestMovementsOfBefore: a ledger whose commits had one block of movements each tells
// the same, and goes on; back it goes only while no commit has more.
func TestMovementsOfBefore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	db := openAt(t, path, 43)
	ms := movementsOf(30)
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO merchant (id, revision, created) VALUES ('acme', 2, 1)`)
	for i, kind := range []string{"base", "commit"} {
		exec(`INSERT INTO movement (merchant, seq, kind, run, entries, block) VALUES ('acme', $1, $2, 'r', 15, $3)`,
			i+1, kind, EncodeMovements(nil, ms[15*i:15*i+15]))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	l, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var want []Movement
	for _, some := range [][]Movement{ms[:15], ms[15:]} {
		sorted, err := DecodeMovements(EncodeMovements(nil, some))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, sorted...)
	}
	if diff := cmp.Diff(want, takenOf(t, l)); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
	back := func() error {
		_, err := provider(t, l.writer).DownTo(t.Context(), 43)
		return err
	}
	if err := back(); err != nil {
		t.Errorf("back: %v", err)
	}
	if _, err := provider(t, l.writer).Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	more := movementsOf(20)
	if err := l.Commit(t.Context(), &Commit{Merchant: "acme", Revision: 2, Run: Run{ID: "r2"}, PackedMovements: inBlocks(more, 8)}); err != nil {
		t.Fatal(err)
	}
	if got := takenOf(t, l); len(got) != 50 {
		t.Errorf("%d movements", len(got))
	}
	if err := back(); err == nil {
		t.Error("a commit of three blocks was made one of one")
	}
	if got := takenOf(t, l); len(got) != 50 {
		t.Errorf("%d movements after it failed", len(got))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// inBlocks gives movements as a commit of several blocks has them.
func inBlocks(ms []Movement, size int) func(func(MovementBlock) error) error {
	return func(yield func(MovementBlock) error) error {
		for from := 0; from < len(ms); from += size {
			some := ms[from:min(from+size, len(ms))]
			if err := yield(MovementBlock{Entries: len(some), Bytes: EncodeMovements(nil, some)}); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestMergeLeavesParts: small changes become one block, and the blocks of a large
// commit among them stay as they are, in their order.
func TestMergeLeavesParts(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	ctx := context.Background()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var want []string
	of := func(n int) []Movement {
		ms := make([]Movement, n)
		for i := range ms {
			id := fmt.Sprintf("O-%03d", len(want))
			ms[i] = Movement{At: at, PoolKey: "X1", Order: id, Run: "r", Row: i, Sellable: 1}
			want = append(want, id)
		}
		return ms
	}
	revision := int64(0)
	small := func(n int) {
		for range n {
			if err := l.Change(ctx, &Change{Merchant: "acme", Revision: revision, Movements: of(1)}); err != nil {
				t.Fatal(err)
			}
			revision++
		}
	}
	small(10)
	if err := l.Commit(ctx, &Commit{Merchant: "acme", Revision: revision, Run: Run{ID: "large", Kind: removal.KindUpload},
		PackedMovements: inBlocks(of(7), 2)}); err != nil {
		t.Fatal(err)
	}
	revision++
	small(60)
	var got []string
	for _, m := range takenOf(t, l) {
		got = append(got, m.Order)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("movements (-want +got):\n%s", diff)
	}
	var blocks, parts int
	err := l.readers.QueryRow(`SELECT count(*), sum(seq = 11) FROM movement WHERE merchant = 'acme'`).Scan(&blocks, &parts)
	// Of the changes before 10, of those after two blocks of 21 and 32, and 7.
	if err != nil || parts != 4 || blocks != 10+4+1+7 {
		t.Errorf("%d blocks, %d of the large commit, %v", blocks, parts, err)
	}
	bad := errors.New("no more")
	err = l.Commit(ctx, &Commit{Merchant: "acme", Revision: revision, Run: Run{ID: "broken"},
		PackedMovements: func(yield func(MovementBlock) error) error {
			return errors.Join(inBlocks(of(3), 2)(yield), bad)
		}})
	if !errors.Is(err, bad) {
		t.Errorf("a commit whose blocks ended early: %v", err)
	}
	if left := takenOf(t, l); len(left) != len(got) {
		t.Errorf("it left %d movements", len(left)-len(got))
	}
}

// TestMovementMarks: a block says of itself whether orders were only placed in it,
// whatever wrote it.
func TestMovementMarks(t *testing.T) {
	t.Parallel()
	l := openAcme(t)
	ctx := t.Context()
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	check := func(when string, alone bool, want ...bool) { // alone: placings stand in blocks of their own
		t.Helper()
		var marks []bool
		rows, err := l.writer.QueryContext(ctx, `SELECT moves, block FROM movement WHERE merchant = 'acme' ORDER BY seq, part`)
		if err != nil {
			t.Fatal(err)
		}
		if err := eachRow(rows, func(rows *sql.Rows) error {
			var mark bool
			var block []byte
			if err := rows.Scan(&mark, &block); err != nil {
				return err
			}
			ms, err := DecodeMovements(block)
			moved := false
			for _, m := range ms {
				moved = moved || m.Kind != MovementOpened || m.Sellable < 0 || m.Unsellable < 0
			}
			if mark != moved {
				t.Errorf("%s: block %d: mark %v, moved %v", when, len(marks), mark, moved)
			}
			marks = append(marks, mark)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, marks); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		seen := map[string]bool{}
		c := &MovementChunk{}
		if err := l.ReadMovements(ctx, "acme", func(ms *Movements) error {
			return ms.Moving(func() *MovementChunk { return c }, func(c *MovementChunk) error {
				for _, id := range c.Orders {
					seen[id] = true
				}
				return nil
			})
		}); err != nil || seen["placed"] == alone {
			t.Errorf("%s: moving are %v, %v", when, seen, err)
		}
	}
	placing := Movement{At: at, PoolKey: "X1", Order: "placed", Run: "r", Sellable: 3}
	shipped := Movement{Kind: MovementLeft, At: at, PoolKey: "X2", Order: "shipped", Run: "r", Sellable: 1}
	cancelled := Movement{At: at, PoolKey: "X2", Order: "cancelled", Run: "r", Unsellable: -1}
	packer := NewMovementPacker("r", at)
	if err := errors.Join(packer.Begin([]string{"placed"}, 1), packer.Pool([]byte("X1"))); err != nil {
		t.Fatal(err)
	}
	packer.Add(0, 1, 2, 0)
	packed, err := packer.Block()
	if err != nil {
		t.Fatal(err)
	}
	commit := Commit{Merchant: "acme", Run: Run{ID: "r"}, PackedMovements: func(yield func(MovementBlock) error) error { return yield(packed) }}
	if err := l.Commit(ctx, &commit); err != nil {
		t.Fatal(err)
	}
	for i, ms := range [][]Movement{{placing}, {shipped}, {cancelled}} {
		if err := l.Change(ctx, &Change{Merchant: "acme", Revision: int64(i + 1), Movements: ms}); err != nil {
			t.Fatal(err)
		}
	}
	check("written", true, false, false, true, true)
	if _, err := l.writer.Exec(`UPDATE merchant SET revision = $1`, mergeEvery-1); err != nil {
		t.Fatal(err)
	}
	if err := l.Change(ctx, &Change{Merchant: "acme", Revision: mergeEvery - 1, Movements: []Movement{shipped}}); err != nil {
		t.Fatal(err)
	}
	check("merged", false, true)
	if _, err := l.Fold(ctx, "acme", at, true); err != nil {
		t.Fatal(err)
	}
	check("folded", false, true, true)
}
