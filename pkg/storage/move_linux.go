package storage

import (
	"errors"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// moveNew renames without replacing, in one step of the kernel where the file
// system knows how.
func (d *Dir) moveNew(from, to string) error {
	source, err := d.root.Open(path.Dir(from))
	if err != nil {
		return err
	}
	target, err := d.root.Open(path.Dir(to))
	if err != nil {
		return errors.Join(err, source.Close())
	}
	err = renameNew(source, path.Base(from), target, path.Base(to))
	err = errors.Join(err, source.Close(), target.Close())
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP) {
		return d.moveChecked(from, to)
	}
	return err
}

func renameNew(source *os.File, from string, target *os.File, to string) error {
	err := unix.Renameat2(int(source.Fd()), from, int(target.Fd()), to, unix.RENAME_NOREPLACE)
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func syncDirectory(f *os.File) error { return f.Sync() }
