package storage

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
)

// Taken is a file that Take has copied. Its bytes are there to be read; they are
// durable once Sync has returned nil.
type Taken struct {
	File
	synced chan struct{}
	err    error
}

// Sync waits until the file is durable under its name.
func (t *Taken) Sync() error {
	<-t.synced
	return t.err
}

// Take is PutFile for a file that is read before it must be durable: it returns
// when the copy is whole, and the disk works on beside. Whoever takes a file must
// call Sync before anything depends on it, and before the Dir is closed.
func (d *Dir) Take(name, source string) (_ *Taken, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("storage: take %s: %w", name, err)
		}
	}()
	from, err := os.Open(source)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := d.makeParent(name); err != nil {
		return nil, err
	}
	if err := d.ask(OpCreate, name); err != nil {
		return nil, err
	}
	temp := path.Join(path.Dir(name), hiddenName())
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	file, err := copyHashed(d.watching(f, name), from)
	if err == nil {
		err = d.ask(OpRename, name)
	}
	if err == nil {
		err = d.moveNew(temp, name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), d.discard(temp))
	}
	file.Name = name
	t := &Taken{File: file, synced: make(chan struct{})}
	go func() {
		defer close(t.synced)
		if t.err = d.ask(OpSync, name); t.err == nil {
			t.err = f.Sync()
		}
		if t.err = errors.Join(t.err, f.Close()); t.err == nil {
			t.err = d.syncFolder(path.Dir(name))
		}
		if t.err != nil {
			t.err = fmt.Errorf("storage: take %s: %w", name, t.err)
		}
	}()
	return t, nil
}

// Blocks that copyHashed has in hand: large ones, since a write of 32 KiB costs a
// third more, and few, since the hash is what it waits for.
const (
	copyBlock  = 512 << 10
	copyBlocks = 4
)

// copyHashed copies all of from. The hash, the slowest part of it, is made beside
// the copying.
func copyHashed(to io.Writer, from *os.File) (File, error) {
	info, err := from.Stat()
	if err != nil {
		return File{}, err
	}
	size := int(min(info.Size()+1, copyBlock))
	free, full := make(chan []byte, copyBlocks), make(chan []byte, copyBlocks)
	for range min(copyBlocks, info.Size()/int64(size)+1) {
		free <- make([]byte, size)
	}
	hashed := make(chan string, 1)
	go func() {
		sum := sha256.New()
		for b := range full {
			sum.Write(b)
			free <- b[:cap(b)]
		}
		hashed <- hex.EncodeToString(sum.Sum(nil))
	}()
	var n int64
	for err == nil {
		b := <-free
		var k int
		k, err = io.ReadFull(from, b)
		if k > 0 {
			if _, e := to.Write(b[:k]); e != nil {
				err = e
			}
			n += int64(k)
		}
		full <- b[:k]
	}
	close(full)
	file := File{SHA256: <-hashed, Bytes: n}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return file, err
}
