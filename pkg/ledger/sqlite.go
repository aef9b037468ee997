package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed schema
var schemas embed.FS

// dialect is what differs between databases. Everything else is SQL that both
// SQLite and PostgreSQL understand, its arguments written $1, $2.
type dialect struct {
	goose  goose.Dialect
	schema string // folder of the migrations
	// marks stands for n arguments of which the first has number from.
	marks func(from, n int) string
	// holdsSKU is a condition on an order's lines that each order with the SKU
	// fulfils (and hardly any other), and its argument.
	holdsSKU func(mark, sku string) (condition string, arg any)
	// by says which index of a table is used, where the database would guess wrong:
	// it does not know how few of the holds are live.
	by func(index string) string
	// repeats tells whether an insert broke a unique index that is not the
	// table's primary key.
	repeats func(error) bool
	// explain adds the sentinel that a driver's error stands for.
	explain func(error) error
}

var sqliteDialect = dialect{
	goose:  goose.DialectSQLite3,
	schema: "schema/sqlite",
	// Numbered arguments are looked up by name, one after the other: in a
	// statement of a thousand that takes longer than the statement.
	marks: func(_, n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") },
	holdsSKU: func(mark, sku string) (string, any) {
		return "instr(lines, " + mark + ") > 0", "[" + string(appendJSON(nil, sku)) + ","
	},
	by: func(index string) string { return "INDEXED BY " + index },
	repeats: func(err error) bool {
		var e *sqlite.Error
		return errors.As(err, &e) && e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
	},
	explain: explainSQLite,
}

func explainSQLite(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); {
	case code&0xff == sqlite3.SQLITE_BUSY, code&0xff == sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	// The disk's faults are those of any file; most often it is full where the file
	// that readers share cannot grow.
	case code&0xff == sqlite3.SQLITE_FULL, code == sqlite3.SQLITE_IOERR_SHMSIZE:
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	case code&0xff == sqlite3.SQLITE_IOERR:
		return fmt.Errorf("%w: %w", syscall.EIO, err)
	case code&0xff == sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: %w", syscall.EROFS, err)
	case code&0xff == sqlite3.SQLITE_CORRUPT, code&0xff == sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case code == sqlite3.SQLITE_CONSTRAINT_UNIQUE, code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fmt.Errorf("%w: %w", ErrExists, err)
	case code&0xff == sqlite3.SQLITE_CONSTRAINT:
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}

// pragmas hold for every connection, so they stand in the address. A new ledger has
// pages of 8 KB: the commit of a million rows takes two thirds of the time that it
// takes with 4 KB, and small commits are no slower. The journal of a large commit is
// cut back to 64 MB afterwards.
const pragmas = "_pragma=page_size(8192)&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_pragma=journal_size_limit(67108864)"

// busyFor is how long others who have the ledger are waited for.
const busyFor = 10 * time.Second

func (l *Ledger) openSQLite(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	// Addresses stand in it: made for its owner alone. SQLite gives the files
	// beside it the same rights.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	slash := filepath.ToSlash(path)
	if !strings.HasPrefix(slash, "/") {
		slash = "/" + slash // C:/…
	}
	address := "file://" + (&url.URL{Path: slash}).EscapedPath() +
		fmt.Sprintf("?_busy_timeout=%d&", busyFor.Milliseconds()) + pragmas
	// Room for 4 MB of pages: with 16 MB the commit of a million rows took 41 MB of
	// memory instead of 14 and no less time, with 1 MB a third more time.
	if l.writer, err = sql.Open("sqlite", address+"&_txlock=immediate&_pragma=cache_size(-4096)"); err != nil {
		return err
	}
	l.writer.SetMaxOpenConns(1)
	// Another program's large commit may be just about to end.
	if err := untilFree(ctx, func() error { return l.dialect.explain(l.writer.PingContext(ctx)) }); err != nil {
		return err
	}
	if err := l.migrate(ctx, path+".lock"); err != nil {
		return err
	}
	if l.readers, err = sql.Open("sqlite", address+"&_query_only=1"); err != nil {
		return err
	}
	l.readers.SetMaxOpenConns(l.mostReaders)
	l.readers.SetMaxIdleConns(l.mostReaders)
	return nil
}

// migrate brings the schema up to the program's. goose knows no lock for SQLite,
// so a file beside the ledger keeps two programs from doing it at once.
func (l *Ledger) migrate(ctx context.Context, lockPath string) (err error) {
	migrations, err := fs.Sub(schemas, l.dialect.schema)
	if err != nil {
		return err
	}
	if current, err := l.isCurrent(ctx, migrations); current || err != nil {
		return err
	}
	lock := flock.New(lockPath, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()

	p, err := goose.NewProvider(l.dialect.goose, l.writer, migrations,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read its version: %w", err)
	}
	if have > known {
		return fmt.Errorf("its schema is %d, this program knows up to %d: %w", have, known, ErrNewer)
	}
	if have < known {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate from %d to %d: %w", have, known, err)
		}
	}
	return nil
}

// isCurrent tells whether the last migration there is has been made, as it nearly
// always has: goose reads all of them and asks ten times as much to find it out.
func (l *Ledger) isCurrent(ctx context.Context, migrations fs.FS) (bool, error) {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return false, err
	}
	var known, have int64
	for _, name := range names {
		n, err := goose.NumericComponent(name)
		if err != nil {
			return false, err
		}
		known = max(known, n)
	}
	// Whatever is wrong with the answer, goose says what to do about it.
	err = l.writer.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`).Scan(&have)
	return err == nil && have == known, nil
}
