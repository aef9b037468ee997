package storage

import (
	"fmt"
	"io/fs"
)

// MakeDir makes a folder and those above it, durably, where they are missing.
func (d *Dir) MakeDir(name string) error {
	if err := d.makeParent(name + "/x"); err != nil {
		return fmt.Errorf("storage: make folder: %w", err)
	}
	return nil
}

// Stat tells what lies under a name, without following a link. fs.ErrNotExist:
// nothing does.
func (d *Dir) Stat(name string) (Entry, error) {
	info, err := d.root.Lstat(name)
	if err != nil {
		return Entry{}, fmt.Errorf("storage: %w", err)
	}
	return entry(name, info), nil
}

func entry(name string, info fs.FileInfo) Entry {
	return Entry{Name: name, Bytes: info.Size(), Time: info.ModTime(), IsDir: info.IsDir(), Regular: info.Mode().IsRegular()}
}

// ListAll is List with the hidden names.
func (d *Dir) ListAll(folder string) ([]Entry, error) { return d.list(folder, true) }
