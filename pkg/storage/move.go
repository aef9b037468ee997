package storage

import (
	"errors"
	"io/fs"
	"os"
)

// moveChecked renames without replacing where the kernel cannot. A file is
// linked to its new name, which fails when that is taken, and then unlinked; a
// folder is looked for first, and a rename onto a folder that came meanwhile and
// is not empty fails by itself.
func (d *Dir) moveChecked(from, to string) error {
	info, err := d.root.Lstat(from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		err := d.root.Link(from, to)
		if err == nil {
			return d.root.Remove(from)
		}
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if _, err := d.root.Lstat(to); err == nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return d.root.Rename(from, to)
}
