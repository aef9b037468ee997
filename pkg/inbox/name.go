package inbox

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"rensa/pkg/removal"
)

// sentinel is what NAME.ready ends in.
const sentinel = ".ready"

func isSentinel(name string) bool { return strings.HasSuffix(name, sentinel) && name != sentinel }

// unfinished are the endings under which programs write what is not whole yet.
var unfinished = []string{".tmp", ".part", ".crdownload", ".filepart", "~"}

// ignored tells whether a name is none of a dropped file: hidden, still being
// written, an open workbook's lock, or what desktops leave in folders.
func ignored(name string) bool {
	lower := strings.ToLower(name)
	for _, end := range unfinished {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || lower == "thumbs.db" || lower == "desktop.ini"
}

// Turn orders kinds within one look: what others are checked against comes first.
func Turn(k removal.Kind) int {
	switch {
	case k.IsInventory():
		return 0
	case k == removal.KindUpload, k == "":
		return 3
	case k == removal.KindCancelList:
		return 2
	}
	return 1
}

// advice says what to do where a file cannot be taken.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.EXDEV):
		return "the file cannot be taken: inbox and work must lie on the same file system"
	case errors.Is(err, syscall.EROFS):
		return "the file cannot be taken: the folder is read-only"
	case errors.Is(err, fs.ErrPermission):
		return "the file cannot be taken: the program must be allowed to write in the folder and in work"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "the file cannot be taken: the disk is full"
	}
	return "the file cannot be taken; it is tried again"
}
