package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

const (
	// spoolRoom is how much of a spool stays in memory: a job that has no more
	// makes no file.
	spoolRoom = 1 << 20
	// spoolPiece is how much is written at a time.
	spoolPiece = 256 << 10
)

// Spool holds bytes of one job that would be too many for memory, in the order in
// which they were appended: the first in memory, the others in a file without a
// name, gone with the process. Nothing of it is durable. Its methods may be called
// by several goroutines.
type Spool struct {
	dir   string
	watch Watch

	mu     sync.Mutex
	closed bool
	memory []byte // the first bytes
	full   bool   // no more go to memory
	file   *os.File
	name   string // where it still has one
	filed  int64  // bytes in file
	tail   []byte // those after them

	ahead readAhead
}

// Ref is where bytes of a Spool stand.
type Ref struct {
	Off int64
	Len int32
}

// NewSpool begins a spool whose file, if there will be one, lies in the folder dir.
func NewSpool(dir string) *Spool { return &Spool{dir: dir} }

// SetWatch is Dir.SetWatch for the acts on the spool's file.
func (s *Spool) SetWatch(w Watch) { s.watch = w }

func (s *Spool) ask(op Op) error {
	if s.watch == nil {
		return nil
	}
	return s.watch(op, "spool")
}

// Append adds b, of which nothing is kept, and tells where it stands. After an
// error b is not in the spool, all that was appended before still is, and the same
// call may be tried again.
func (s *Spool) Append(b []byte) (_ Ref, err error) {
	defer wrapSpool(&err)
	if len(b) > math.MaxInt32 {
		return Ref{}, fmt.Errorf("%d bytes at once: %w", len(b), fs.ErrInvalid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Ref{}, fs.ErrClosed
	}
	r := Ref{Off: s.size(), Len: int32(len(b))}
	if s.full = s.full || len(s.memory)+len(b) > spoolRoom; !s.full {
		if n := len(s.memory) + len(b); n > cap(s.memory) {
			s.memory = slices.Grow(s.memory, min(n, spoolRoom-len(s.memory))) // twice as much
		}
		s.memory = append(s.memory, b...)
		return r, nil
	}
	if len(s.tail)+len(b) > spoolPiece {
		if err := s.write(s.tail); err != nil {
			return Ref{}, err
		}
		s.tail = s.tail[:0]
	}
	if len(b) > spoolPiece {
		return r, s.write(b)
	}
	s.tail = append(slices.Grow(s.tail, spoolPiece-len(s.tail)), b...)
	return r, nil
}

// size is how many bytes were appended.
func (s *Spool) size() int64 { return int64(len(s.memory)) + s.filed + int64(len(s.tail)) }

// write puts bytes at the end of the file. Where it fails, they are written again
// over what came there.
func (s *Spool) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if s.file == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	if err := s.ask(OpWrite); err != nil {
		return err
	}
	if _, err := s.file.WriteAt(b, s.filed); err != nil {
		return err
	}
	s.filed += int64(len(b))
	return nil
}

// create makes the file, for its owner alone: addresses may go through it.
func (s *Spool) create() error {
	if err := s.ask(OpCreate); err != nil {
		return err
	}
	name := filepath.Join(s.dir, hiddenName())
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	s.file = f
	if os.Remove(name) != nil { // not every system lets an open file go
		s.name = name
	}
	return nil
}

// Read gives the bytes that stand at r, in dst's room where they fit.
func (s *Spool) Read(dst []byte, r Ref) (_ []byte, err error) {
	defer wrapSpool(&err)
	s.mu.Lock()
	size, kept, filed := s.size(), int64(len(s.memory)), s.filed
	end := r.Off + int64(r.Len)
	if s.closed || r.Off < 0 || r.Len < 0 || end > size {
		s.mu.Unlock()
		if s.closed {
			return nil, fs.ErrClosed
		}
		return nil, fmt.Errorf("%d bytes at %d of %d: %w", r.Len, r.Off, size, fs.ErrInvalid)
	}
	dst = slices.Grow(dst[:0], int(r.Len))[:r.Len]
	switch {
	case end <= kept:
		copy(dst, s.memory[r.Off:])
	case r.Off >= kept+filed:
		copy(dst, s.tail[r.Off-kept-filed:])
	case r.Off < kept || end > kept+filed:
		err = fmt.Errorf("%d bytes at %d were not appended as one: %w", r.Len, r.Off, fs.ErrInvalid)
	default:
		f := s.file
		s.mu.Unlock() // what stands in the file changes no more
		return dst, s.ahead.read(f, filed, dst, r.Off-kept)
	}
	s.mu.Unlock()
	return dst, err
}

// Close lets go of all of it. It may be called more than once.
func (s *Spool) Close() (err error) {
	defer wrapSpool(&err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed, s.memory, s.tail = true, nil, nil
	if s.file != nil {
		err = s.file.Close()
	}
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}

func wrapSpool(err *error) {
	if *err != nil {
		*err = fmt.Errorf("storage: spool: %w", *err)
	}
}
