package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"strings"
	"sync"
)

// Stage is a folder of files that is filled under a hidden name and then appears
// whole under its own. Create may be called from several goroutines; each file
// is written by one.
type Stage struct {
	dir  *Dir
	temp string

	mu     sync.Mutex
	files  map[string]*stageFile
	synced bool
	gone   bool

	syncing chan struct{} // has an entry for each file that is being synced
	pending sync.WaitGroup
}

// syncsAtOnce is how many files are synced side by side. A disk takes hardly longer
// for several than for one.
const syncsAtOnce = 8

// Stage begins a folder under a temporary name, which must be free and should be
// hidden (begin with a dot), so that List does not show it. It lies in the same
// Dir as the final place. What a crash left behind under a temporary name can be
// found by that name: moved to its place with Move, if Sync had returned, or
// deleted.
func (d *Dir) Stage(temp string) (*Stage, error) {
	if err := d.makeParent(temp); err != nil {
		return nil, fmt.Errorf("storage: stage: %w", err)
	}
	if err := d.ask(OpCreate, temp); err != nil {
		return nil, fmt.Errorf("storage: stage: %w", err)
	}
	if err := d.root.Mkdir(temp, 0o755); err != nil {
		return nil, fmt.Errorf("storage: stage: %w", err)
	}
	return &Stage{dir: d, temp: temp, files: map[string]*stageFile{}, syncing: make(chan struct{}, syncsAtOnce)}, nil
}

// Create begins a file of the folder; the name has no slash and is new. The file
// is whole once its Close has returned nil, and the disk works on beside: Sync waits
// for it.
func (s *Stage) Create(name string) (io.WriteCloser, error) {
	if name == "" || strings.ContainsAny(name, `/\`) || strings.HasPrefix(name, ".") {
		return nil, fmt.Errorf("storage: stage: name %q: %w", name, fs.ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, fmt.Errorf("storage: stage: %s: %w", name, fs.ErrClosed)
	}
	full := path.Join(s.temp, name)
	if err := s.dir.ask(OpCreate, full); err != nil {
		return nil, fmt.Errorf("storage: stage: %w", err)
	}
	f, err := s.dir.root.OpenFile(full, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("storage: stage: %w", err)
	}
	sf := &stageFile{stage: s, name: full, f: f, hashing: newHashing(s.dir.watching(f, full))}
	s.files[name] = sf
	s.synced = false
	return sf, nil
}

// Put makes a file of the folder with its whole content.
func (s *Stage) Put(name string, content []byte) (File, error) {
	w, err := s.Create(name)
	if err != nil {
		return File{}, err
	}
	_, err = w.Write(content)
	if err = errors.Join(err, w.Close()); err != nil {
		return File{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.files[name].file()
	f.Name = name
	return f, nil
}

// Sync makes what was written durable under the temporary name. It fails where a
// file is not closed yet, could not be written whole or could not be synced.
func (s *Stage) Sync() error {
	s.mu.Lock()
	err := s.whole()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.pending.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.whole(); err != nil {
		return err
	}
	if s.synced {
		return nil
	}
	if err := s.dir.syncFolder(s.temp); err != nil {
		return err
	}
	if err := s.dir.syncFolder(path.Dir(s.temp)); err != nil {
		return err
	}
	s.synced = true
	return nil
}

// whole tells what is wrong with the files so far.
func (s *Stage) whole() error {
	if s.gone {
		return fmt.Errorf("storage: stage: %w", fs.ErrClosed)
	}
	for name, f := range s.files {
		if !f.done {
			return fmt.Errorf("storage: stage: %s is still open", name)
		}
		if f.err != nil {
			return fmt.Errorf("storage: stage: %s: %w", name, f.err)
		}
	}
	return nil
}

// Commit gives the folder its final name, which must be free (fs.ErrExist), and
// returns its files sorted by name. After an error the staged folder is still
// there: Commit again, or Discard.
func (s *Stage) Commit(final string) ([]File, error) {
	if err := s.Sync(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.dir.Move(s.temp, final); err != nil {
		return nil, err
	}
	s.gone = true
	return s.list(), nil
}

// Files lists what was created so far and is whole, sorted by name.
func (s *Stage) Files() []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list()
}

func (s *Stage) list() []File {
	var list []File
	for name, f := range s.files {
		if f.done && f.err == nil {
			file := f.file()
			file.Name = name
			list = append(list, file)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// Discard takes the folder away with all in it. After Commit it does nothing, so
// that it can be deferred.
func (s *Stage) Discard() error {
	s.pending.Wait() // nothing more is done with a file of a folder that is gone
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil
	}
	var err error
	for _, f := range s.files {
		if !f.closed {
			f.closed = true
			err = errors.Join(err, f.f.Close())
		}
	}
	if err = errors.Join(err, s.dir.discard(s.temp)); err != nil {
		return fmt.Errorf("storage: discard: %w", err)
	}
	s.gone = true
	return nil
}

type stageFile struct {
	*hashing
	stage *Stage
	name  string
	f     *os.File
	err   error // of a write or of the sync
	// closed is set where Close begins, done where it has ended: it waits
	// without the lock, so that other files go on.
	closed, done bool
}

func (f *stageFile) Write(p []byte) (int, error) {
	n, err := f.hashing.Write(p)
	if err != nil {
		err = fmt.Errorf("storage: stage: %w", err)
		f.err = err
	}
	return n, err
}

func (f *stageFile) Close() error {
	f.stage.mu.Lock()
	closed := f.closed
	f.closed = true
	f.stage.mu.Unlock()
	if closed {
		return f.err
	}
	err := f.err
	if err == nil {
		err = f.stage.dir.ask(OpSync, f.name)
	}
	if err != nil {
		err = errors.Join(err, f.f.Close())
	} else {
		f.stage.syncing <- struct{}{}
		f.stage.pending.Go(func() {
			f.fail(errors.Join(f.f.Sync(), f.f.Close()))
			<-f.stage.syncing
		})
	}
	f.fail(err)
	f.stage.mu.Lock()
	defer f.stage.mu.Unlock()
	f.done = true
	return f.err
}

// fail remembers why the file cannot be used.
func (f *stageFile) fail(err error) {
	if err == nil {
		return
	}
	f.stage.mu.Lock()
	defer f.stage.mu.Unlock()
	f.err = fmt.Errorf("storage: stage: %w", err)
}
