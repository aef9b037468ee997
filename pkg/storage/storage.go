// Package storage is where files lie: local folders behind Put, Get, List, Move
// and Delete, and Stage for a folder of files that appears whole.
//
// A name is there with all of its bytes, synced to the disk, or not at all:
// everything is written under a hidden name beside its place, synced, renamed
// without ever replacing what is there, and the folder synced after it. All
// names are relative, with slashes, and cannot lead out of the folder that was
// opened, whatever links lie in it. A Dir may be used from several goroutines,
// and several processes may work on one folder.
//
// It does not lock, does not retry and keeps no list of its own. Faults of the
// disk (full, read-only, permission) come back as wrapped errors with the
// system's own inside, for errors.Is.
package storage

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
	"time"
)

// File is what is known of a file that was written.
type File struct {
	Name   string
	SHA256 string // lower-case hexadecimal
	Bytes  int64
}

// Entry is one line of a List.
type Entry struct {
	Name  string // relative to the Dir, with slashes
	Bytes int64
	Time  time.Time
	IsDir bool
	// Regular is false for folders, links, sockets and devices.
	Regular bool
}

// Dir is one folder and all below it.
type Dir struct {
	root  *os.Root
	path  string
	watch Watch // nil but in tests
}

// Open opens a folder, making it and those above it where they are missing.
func Open(name string) (*Dir, error) {
	if err := os.MkdirAll(name, 0o755); err != nil {
		return nil, fmt.Errorf("storage: open: %w", err)
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("storage: open: %w", err)
	}
	return &Dir{root: root, path: name}, nil
}

// Close lets the folder go. Files got from it stay usable.
func (d *Dir) Close() error { return d.root.Close() }

// Path is the folder's path as it was opened, to tell people where files lie.
func (d *Dir) Path() string { return d.path }

// Put writes all of r as a new file, making folders above it as needed. A name
// that is taken answers fs.ErrExist, and what stands there is untouched.
func (d *Dir) Put(name string, r io.Reader) (File, error) {
	return d.put(name, r, d.moveNew)
}

// Replace is Put for a file that may be there already: readers see the old bytes
// or the new ones, nothing between.
func (d *Dir) Replace(name string, r io.Reader) (File, error) {
	return d.put(name, r, d.root.Rename)
}

// PutFile is Put with the bytes of a file that lies anywhere.
func (d *Dir) PutFile(name, source string) (File, error) {
	f, err := os.Open(source)
	if err != nil {
		return File{}, fmt.Errorf("storage: put %s: %w", name, err)
	}
	put, err := d.Put(name, f)
	return put, errors.Join(err, f.Close())
}

func (d *Dir) put(name string, r io.Reader, rename func(from, to string) error) (_ File, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("storage: put %s: %w", name, err)
		}
	}()
	if err := d.makeParent(name); err != nil {
		return File{}, err
	}
	temp := path.Join(path.Dir(name), hiddenName())
	if err := d.ask(OpCreate, name); err != nil {
		return File{}, err
	}
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return File{}, err
	}
	put, err := d.fill(f, name, r)
	if err == nil {
		err = d.ask(OpRename, name)
	}
	if err == nil {
		err = rename(temp, name)
	}
	if err != nil {
		return File{}, errors.Join(err, d.discard(temp))
	}
	put.Name = name
	return put, d.syncFolder(path.Dir(name))
}

// fill writes r into f, syncs and closes it.
func (d *Dir) fill(f *os.File, name string, r io.Reader) (File, error) {
	w := newHashing(d.watching(f, name))
	_, err := io.Copy(w, r)
	if err == nil {
		err = d.ask(OpSync, name)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return File{}, err
	}
	return w.file(), nil
}

// Get opens a file for reading. Its size is that of Stat.
func (d *Dir) Get(name string) (*os.File, error) {
	f, err := d.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("storage: get: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder: %w", name, fs.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("storage: get: %w", errors.Join(err, f.Close()))
	}
	return f, nil
}

// Exists tells whether a file or folder of this name is there.
func (d *Dir) Exists(name string) (bool, error) {
	_, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("storage: %w", err)
	}
	return true, nil
}

// List names what lies directly in a folder ("." for the Dir itself), sorted by
// name. Hidden names, among them files still being written, are left out; a
// folder that is not there is empty.
func (d *Dir) List(folder string) ([]Entry, error) { return d.list(folder, false) }

func (d *Dir) list(folder string, hidden bool) ([]Entry, error) {
	f, err := d.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("storage: list: %w", err)
	}
	names, err := f.Readdirnames(-1)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("storage: list: %w", err)
	}
	sort.Strings(names)
	var list []Entry
	for _, name := range names {
		if strings.HasPrefix(name, ".") && !hidden {
			continue
		}
		full := path.Join(folder, name)
		info, err := d.root.Lstat(full)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("storage: list: %w", err)
		}
		list = append(list, entry(full, info))
	}
	return list, nil
}

// Delete removes a file, or a folder with all in it. What is not there is gone
// already: no error.
func (d *Dir) Delete(name string) error {
	if path.Clean(name) == "." {
		return fmt.Errorf("storage: delete: %w", fs.ErrInvalid)
	}
	if err := d.ask(OpDelete, name); err != nil {
		return fmt.Errorf("storage: delete: %w", err)
	}
	if err := d.root.RemoveAll(name); err != nil {
		return fmt.Errorf("storage: delete: %w", err)
	}
	err := d.syncFolder(path.Dir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Move renames a file or folder within the Dir, durably and without ever
// replacing: a name that is taken answers fs.ErrExist.
func (d *Dir) Move(from, to string) error {
	if err := d.makeParent(to); err != nil {
		return fmt.Errorf("storage: move: %w", err)
	}
	if err := d.ask(OpRename, to); err != nil {
		return fmt.Errorf("storage: move: %w", err)
	}
	if err := d.moveNew(from, to); err != nil {
		return fmt.Errorf("storage: move: %w", err)
	}
	return d.syncMoved(path.Dir(from), path.Dir(to))
}

// MoveOnce is Move that may be called again after a failure or a crash: what is in
// its place already stays there and is made durable; fs.ErrNotExist: it is in
// neither place.
func (d *Dir) MoveOnce(from, to string) error {
	if err := d.moveMissing(from, to); err != nil {
		return fmt.Errorf("storage: move: %w", err)
	}
	return d.syncMoved(path.Dir(from), path.Dir(to))
}

// MoveAll is MoveOnce for files of one folder that go to another, in the order of
// names; all of it is made durable at the end.
func (d *Dir) MoveAll(from, to string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	for _, name := range names {
		if err := d.moveMissing(path.Join(from, name), path.Join(to, name)); err != nil {
			return fmt.Errorf("storage: move: %w", err)
		}
	}
	return d.syncMoved(from, to)
}

// syncMoved makes durable what was moved from one folder to another. The first may
// be gone by now.
func (d *Dir) syncMoved(from, to string) error {
	if err := d.syncFolder(to); err != nil || from == to {
		return err
	}
	if ok, err := d.Exists(from); err != nil || !ok {
		return err
	}
	return d.syncFolder(from)
}

// moveMissing moves a file or folder where it is not in its place yet.
func (d *Dir) moveMissing(from, to string) error {
	if ok, err := d.Exists(to); err != nil || ok {
		return err
	}
	failed := d.makeParent(to)
	if failed == nil {
		failed = d.ask(OpRename, to)
	}
	if failed == nil {
		failed = d.moveNew(from, to)
	}
	if errors.Is(failed, fs.ErrNotExist) || errors.Is(failed, fs.ErrExist) {
		// Another process may have moved it meanwhile.
		if ok, err := d.Exists(to); err != nil || ok {
			return err
		}
	}
	return failed
}

// makeParent makes the folders above name, each durable before it is used.
func (d *Dir) makeParent(name string) error {
	parent := path.Dir(name)
	if _, err := d.root.Stat(parent); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := d.makeParent(parent); err != nil {
		return err
	}
	if err := d.ask(OpCreate, parent); err != nil {
		return err
	}
	if err := d.root.Mkdir(parent, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.syncFolder(path.Dir(parent))
}

// discard takes away an unfinished file or folder.
func (d *Dir) discard(name string) error { return d.root.RemoveAll(name) }

func (d *Dir) syncFolder(name string) error {
	if err := d.ask(OpSyncFolder, name); err != nil {
		return fmt.Errorf("storage: sync folder %s: %w", name, err)
	}
	f, err := d.root.Open(name)
	if err != nil {
		return fmt.Errorf("storage: sync folder: %w", err)
	}
	if err := errors.Join(syncDirectory(f), f.Close()); err != nil {
		return fmt.Errorf("storage: sync folder %s: %w", name, err)
	}
	return nil
}

// Unfinished begins the names of files that are being written.
const Unfinished = ".tmp-"

// hiddenName is a name that no other writer has.
func hiddenName() string { return Unfinished + strings.ToLower(rand.Text()) }

// hashing counts and hashes what goes through it.
type hashing struct {
	w     io.Writer
	sum   hash.Hash
	bytes int64
}

func newHashing(w io.Writer) *hashing { return &hashing{w: w, sum: sha256.New()} }

func (h *hashing) Write(p []byte) (int, error) {
	n, err := h.w.Write(p)
	h.sum.Write(p[:n])
	h.bytes += int64(n)
	return n, err
}

// Sum is the SHA-256 of what was written, in hexadecimal, and its length.
func (h *hashing) Sum() (sum string, bytes int64) {
	return hex.EncodeToString(h.sum.Sum(nil)), h.bytes
}

func (h *hashing) file() File {
	return File{SHA256: hex.EncodeToString(h.sum.Sum(nil)), Bytes: h.bytes}
}
