package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
	_ "modernc.org/sqlite"
)

// bytesOnly does what a run does with bytes and nothing else: the upload is hashed and
// copied, files as long as those that the run made are written, hashed and synced, as
// many bytes as the ledger grew by are committed, and the files are given their places.
// No row is looked at; the snapshot, and what the run keeps for a while in a file of its
// own, are left out. No program that gives the same answer in the same files can be
// quicker than that.
//
// list has the upload on its first line and then a length a line, the first that of
// what is committed.
func bytesOnly(list, dir string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	upload, rest, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	var lengths []int64
	for line := range strings.FieldsSeq(rest) {
		n, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			return err
		}
		lengths = append(lengths, n)
	}
	if len(lengths) < 2 {
		return fmt.Errorf("%s: %d lengths", list, len(lengths))
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	staged := func(n int) string { return filepath.Join(dir, fmt.Sprintf("%d.part", n)) }
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	work.Go(func() error { return copyUpload(upload, staged(0)) })
	for i, length := range lengths[1:] {
		work.Go(func() error { return writeHashed(staged(i+1), io.LimitReader(zeros{}, length)) })
	}
	if err := work.Wait(); err != nil {
		return err
	}
	if err := commitBytes(filepath.Join(dir, "ledger.db"), lengths[0]); err != nil {
		return err
	}
	for i := range lengths {
		if err := os.Rename(staged(i), strings.TrimSuffix(staged(i), ".part")); err != nil {
			return err
		}
	}
	fmt.Println(len(lengths), "files")
	return nil
}

// block is how much is written at a time.
const block = 512 << 10

func copyUpload(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	return errors.Join(writeHashed(to, r), r.Close())
}

// zeros is content that costs nothing to make.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func writeHashed(name string, r io.Reader) error {
	w, err := os.Create(name)
	if err != nil {
		return err
	}
	sum := sha256.New()
	// Without the files' own ways of copying: each block is hashed while it is at hand.
	_, err = io.CopyBuffer(io.MultiWriter(w, sum), struct{ io.Reader }{r}, make([]byte, block))
	return errors.Join(err, w.Sync(), w.Close())
}

// commitBytes commits blocks to a database of its own, in the quickest durable way.
func commitBytes(name string, length int64) (err error) {
	db, err := sql.Open("sqlite", "file:"+name+"?_pragma=journal_mode(TRUNCATE)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.Exec("CREATE TABLE blocks (id INTEGER PRIMARY KEY, block BLOB)"); err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	const row = 128 << 10
	data := bytes.Repeat([]byte("row "), row/4)
	for ; length > 0; length -= row {
		if _, err := tx.Exec("INSERT INTO blocks (block) VALUES (?)", data[:min(length, row)]); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

// bytesOnly is what a run over the upload does with bytes and nothing else.
func (b *bench) bytesOnly() side {
	self, err := os.Executable()
	out := filepath.Join(b.dir, "bytes")
	return side{
		name: "bytes alone", counts: lastLine,
		prepare: func() error { return errors.Join(err, os.RemoveAll(out)) },
		command: func() []string { return []string{self, "bytes-only", b.made, out} },
	}
}

// listMade runs the program over the upload and writes down what it made.
func (b *bench) listMade(ctx context.Context) error {
	upload := b.process("", b.stocked, b.csv)
	if _, err := upload.run(ctx); err != nil {
		return err
	}
	before, err := os.Stat(filepath.Join(b.stocked, "rensa.db"))
	if err != nil {
		return err
	}
	after, err := os.Stat(filepath.Join(b.work(), "rensa.db"))
	if err != nil {
		return err
	}
	list := fmt.Sprintf("%s\n%d\n", b.csv, after.Size()-before.Size())
	for _, folder := range []string{"reports", "outbound"} {
		err = errors.Join(err, filepath.WalkDir(filepath.Join(b.work(), folder), func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				list += fmt.Sprintln(info.Size())
			}
			return err
		}))
	}
	return errors.Join(err, os.WriteFile(b.made, []byte(list), 0o644))
}
