package inbox

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rensa/pkg/storage"
)

// maxName is the longest name under which a file is put, in bytes: room is left
// for a number and for what is put beside it.
const maxName = 120

// Put puts a file of somebody's into a merchant's folder, whole or not at all,
// under a name near to the given one that is free. It is taken once it has
// rested, or at once after Ready. The file's name is the last part of the
// answer's.
func Put(dir *storage.Dir, merchant, name string, now time.Time, r io.Reader) (storage.File, error) {
	name = plainName(name)
	if err := clearUnfinished(dir, path.Join(Folder, merchant), now); err != nil {
		return storage.File{}, fmt.Errorf("inbox: %w", err)
	}
	// The bytes are written once, under a hidden name, which is left alone.
	staged, err := dir.Put(path.Join(Folder, merchant, unfinishedPut+strings.ToLower(rand.Text())), r)
	if err != nil {
		return storage.File{}, fmt.Errorf("inbox: %w", err)
	}
	for n := 1; ; n++ {
		place := path.Join(Folder, merchant, numberedName(name, n))
		err := free(dir, place)
		if err == nil {
			err = dir.Move(staged.Name, place)
		}
		if err == nil {
			staged.Name = place
			return staged, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return storage.File{}, errors.Join(fmt.Errorf("inbox: %w", err), dir.Delete(staged.Name))
		}
	}
}

// unfinishedPut begins the names under which Put writes.
const unfinishedPut = ".put-"

// clearUnfinished takes away what crashes left of earlier files.
func clearUnfinished(dir *storage.Dir, folder string, now time.Time) error {
	all, err := dir.ListAll(folder)
	if err != nil {
		return err
	}
	for _, e := range all {
		if strings.HasPrefix(path.Base(e.Name), unfinishedPut) && now.Sub(e.Time) > 24*time.Hour {
			if err := dir.Delete(e.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// free answers fs.ErrExist where a sentinel of an earlier file of the name stands:
// what it says would be taken to be said of the new one.
func free(dir *storage.Dir, place string) error {
	there, err := dir.Exists(place + sentinel)
	if err == nil && there {
		err = fs.ErrExist
	}
	return err
}

// Ready says that a file which Put has put is whole and need not rest.
func Ready(dir *storage.Dir, f storage.File) error {
	_, err := dir.Put(f.Name+sentinel, strings.NewReader(""))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("inbox: %w", err)
	}
	return nil
}

// plainName makes a name that the inbox does not ignore and every file system takes.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || strings.ContainsRune(`:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	name = strings.TrimLeft(strings.TrimSpace(name), ".~")
	ext := path.Ext(name)
	if len(ext) > 12 {
		ext = ""
	}
	stem := strings.TrimSuffix(name, ext)
	for len(stem)+len(ext) > maxName {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	name = strings.TrimRight(stem+ext, " .")
	if name == "" {
		return "file"
	}
	if ignored(name) || isSentinel(name) {
		return name + ".file"
	}
	return name
}

// numberedName is the name for n = 1, then "name (2).tsv" and so on.
func numberedName(name string, n int) string {
	if n == 1 {
		return name
	}
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + " (" + strconv.Itoa(n) + ")" + ext
}
