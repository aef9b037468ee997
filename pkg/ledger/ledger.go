// Package ledger is the durable state: merchants, files and runs, snapshots,
// orders with their lines, what removals took of the stock, what was decided
// about each row, and the history of it all.
//
// A public method is a transaction. What changes a merchant's stock, orders or
// settings names the revision on which it was decided and is refused with
// ErrConflict once another change came first. A file's whole effect is one
// Commit: it is there after a crash, or it is not.
//
// The ledger is one SQLite file: one writer at a time, also over several
// processes, any number of readers beside it, none of them on another machine.
// It decides nothing: rules stand in validate, the way of a file in process.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// What the methods answer besides failures of the database.
var (
	// ErrConflict says that the merchant's revision moved: nothing was changed,
	// decide again.
	ErrConflict = errors.New("the merchant changed meanwhile")
	// ErrSeen says that the same bytes have made orders already: nothing was changed.
	ErrSeen = errors.New("the same file was processed already")
	// ErrNotFound says that there is no such merchant, run or other thing.
	ErrNotFound = errors.New("not found")
	// ErrExists says that the id is in use already.
	ErrExists = errors.New("exists already")
	// ErrBusy says that another process held the database too long; try again.
	ErrBusy = errors.New("the ledger is busy")
	// ErrRefused says that the database refused a value that can never be
	// right, as a quantity below zero: a fault of the program.
	ErrRefused = errors.New("the ledger refused a value")
	// ErrUnbalanced says that a run's rows do not add up: read must be
	// accepted + rejected + seen. A fault of the program.
	ErrUnbalanced = errors.New("rows read are not rows accepted, rejected and seen")
	// ErrCursor says that a cursor is not one that a list gave.
	ErrCursor = errors.New("not a cursor of this list")
)

// Ledger is an open ledger. Its methods may be called by several goroutines.
// Within a callback that a method takes or an iteration that it gives, other
// methods may read but not write; within those of a Commit whose Last is set, neither.
type Ledger struct {
	now     func() time.Time
	dialect dialect
	// writer has one connection, so that writers queue here and not in the
	// database, where they would wait by polling.
	writer, readers *sql.DB
	mostReaders     int
	watch           func(op string) error // nil but in tests
	// beside is work on the file that nobody waits for but Close.
	beside sync.WaitGroup
}

// Options are what Open can be told; the zero value serves.
type Options struct {
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Readers is how many may read at once; default 4.
	Readers int
	// Watch lets a test fail a transaction that writes: asked "commit", an error
	// undoes it; asked "committed", an error is its answer although it holds.
	// Default: nobody is asked.
	Watch func(op string) error
}

// Open opens the ledger at a path, "sqlite:PATH" being another way to say PATH,
// and makes or migrates it where needed. A ledger of a newer program is refused
// with ErrNewer and left as it is. It waits while another process migrates.
func Open(ctx context.Context, path string, opt Options) (*Ledger, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Readers <= 0 {
		opt.Readers = 4
	}
	path = strings.TrimPrefix(path, "sqlite:")
	if scheme, _, ok := strings.Cut(path, "://"); ok {
		return nil, fmt.Errorf("ledger %s://…: only a file, as sqlite:PATH, is supported", scheme)
	}
	l := &Ledger{now: opt.Now, dialect: sqliteDialect, watch: opt.Watch, mostReaders: opt.Readers}
	if err := l.openSQLite(ctx, path); err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, errors.Join(l.dialect.explain(err), l.Close()))
	}
	return l, nil
}

// Close closes the ledger. It may be called more than once.
func (l *Ledger) Close() error {
	l.beside.Wait()
	var errs []error
	for _, db := range []*sql.DB{l.readers, l.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// tx is a transaction with its one time.
type tx struct {
	*sql.Tx
	dialect  *dialect
	now      time.Time
	prepared map[string]*sql.Stmt
}

// write runs fn in a transaction that is committed when fn gives no error.
func (l *Ledger) write(ctx context.Context, fn func(*tx) error) error {
	if l.watch == nil {
		return l.in(ctx, l.writer, fn)
	}
	err := l.in(ctx, l.writer, func(tx *tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return l.watch("commit")
	})
	if err != nil {
		return err
	}
	return l.watch("committed")
}

// read runs fn in a transaction of its own that sees one state of the ledger.
func (l *Ledger) read(ctx context.Context, fn func(*tx) error) error {
	return l.in(ctx, l.readers, fn)
}

func (l *Ledger) in(ctx context.Context, db *sql.DB, fn func(*tx) error) (err error) {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return l.dialect.explain(err)
	}
	defer func() {
		if err != nil {
			// Whatever went wrong before says more than a failed rollback,
			// which leaves nothing behind either.
			_ = t.Rollback()
			err = l.dialect.explain(err)
		}
	}()
	if err := fn(&tx{Tx: t, dialect: &l.dialect, now: micro(l.now())}); err != nil {
		return err
	}
	return t.Commit()
}

// repeat is ExecContext for a statement that runs many times in the transaction: to
// read it anew each time took a sixth of a large commit.
func (t *tx) repeat(ctx context.Context, query string, args ...any) error {
	stmt := t.prepared[query]
	if stmt == nil {
		var err error
		if stmt, err = t.PrepareContext(ctx, query); err != nil { //nolint:sqlclosecheck // the transaction closes it
			return err
		}
		if t.prepared == nil {
			t.prepared = map[string]*sql.Stmt{}
		}
		t.prepared[query] = stmt
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// For a context that can end the driver starts a goroutine each time.
	_, err := stmt.ExecContext(context.WithoutCancel(ctx), args...)
	return err
}

// one runs a statement that must change exactly one row, else ErrNotFound.
func (t *tx) one(ctx context.Context, query string, args ...any) error {
	res, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n != 1 {
		return ErrNotFound
	}
	return err
}

// each runs a query and calls scan for every row.
func (t *tx) each(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

func eachRow(rows *sql.Rows, scan func(*sql.Rows) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// probeSize is how many ids one statement asks for; BenchmarkUsedIDs chose it.
const probeSize = 500

// probe runs a query for any number of ids in batches: query gets the marks
// that stand for the ids of a batch, the merchant being the first argument.
func (t *tx) probe(ctx context.Context, merchant string, ids []string, query func(marks string) string, scan func(*sql.Rows) error) (err error) {
	if len(ids) == 0 {
		return nil
	}
	size := min(len(ids), probeSize)
	stmt, err := t.PrepareContext(ctx, query(t.dialect.marks(2, size)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	args := make([]any, 1+size)
	args[0] = merchant
	for len(ids) > 0 {
		for i := range size {
			// The last batch is filled up with an id that it has already.
			args[1+i] = ids[min(i, len(ids)-1)]
		}
		ids = ids[min(size, len(ids)):]
		rows, err := stmt.QueryContext(ctx, args...)
		if err != nil {
			return err
		}
		if err := eachRow(rows, scan); err != nil {
			return err
		}
	}
	return nil
}

// micro gives a time as the ledger keeps it: UTC, whole microseconds.
func micro(t time.Time) time.Time { return t.Truncate(time.Microsecond).UTC() }

// stamp is a time as a column has it: microseconds, NULL for none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// moment scans a time that stamp wrote into *t.
type moment struct{ t *time.Time }

func (m moment) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*m.t = time.Time{}
	case int64:
		*m.t = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time of type %T", v)
	}
	return nil
}

// null gives NULL for an empty text.
func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// text scans a column that null wrote into *s.
type text struct{ s *string }

func (n text) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*n.s = ""
	case string:
		*n.s = v
	default:
		return fmt.Errorf("a text of type %T", v)
	}
	return nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
