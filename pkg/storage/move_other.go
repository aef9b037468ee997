//go:build !linux

package storage

import (
	"os"
	"runtime"
)

func (d *Dir) moveNew(from, to string) error { return d.moveChecked(from, to) }

// syncDirectory: Windows has no sync of a folder and writes names through.
func syncDirectory(f *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return f.Sync()
}
