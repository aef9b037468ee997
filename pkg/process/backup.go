package process

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"rensa/pkg/inventory"
	"rensa/pkg/storage"
)

// backupFormat is the version of a backup's form.
const backupFormat = 1

// Names in a backup beside the workspace's own.
const (
	backupHead   = "backup.json"
	backupLedger = "ledger.db"
	backupSums   = "sums.json"
)

// What a backup holds of the workspace. The first are copied while nothing moves;
// what lies in the others is never changed, so that a list of them is enough.
var (
	backupMoving = []string{"rensa.toml", "policy", "work", "inbox"}
	backupStill  = []string{"snapshots", "archive", "rejected", "reports", "outbound", "outbox"}
)

// ErrBackup says that a file is no whole backup.
var ErrBackup = errors.New("not a whole backup")

type backupHeader struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
}

// Backed is what a backup holds.
type Backed struct {
	Files int           `json:"files"`
	Bytes int64         `json:"bytes"`
	Held  time.Duration `json:"-"` // how long work stood still
}

// Backup writes the whole workspace to w: the ledger first, then the files that
// belong to it. Work on files waits while the ledger and what is on its way are
// copied; nothing is deleted until the end.
func (p *Processor) Backup(ctx context.Context, w io.Writer) (_ Backed, err error) {
	release, err := p.Keep(ctx)
	if err != nil {
		return Backed{}, err
	}
	defer func() { err = errors.Join(err, release()) }()
	b := &backup{p: p, tar: tar.NewWriter(w), sums: map[string]string{}}
	still, err := b.atRest(ctx)
	if err != nil {
		return Backed{}, err
	}
	for _, name := range still {
		if err := b.file(ctx, name, name); err != nil && !errors.Is(err, fs.ErrNotExist) { // people may take files away
			return Backed{}, err
		}
	}
	sums, err := json.Marshal(b.sums)
	if err == nil {
		err = b.bytes(backupSums, sums)
	}
	return b.Backed, errors.Join(err, b.tar.Close())
}

type backup struct {
	Backed
	p    *Processor
	tar  *tar.Writer
	sums map[string]string
}

// atRest copies what moves while nothing does, and lists the rest.
func (b *backup) atRest(ctx context.Context) (still []string, err error) {
	resume, err := b.p.Pause(ctx)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	defer func() {
		err = errors.Join(err, resume())
		b.Held = time.Since(begun)
	}()
	head, err := json.Marshal(backupHeader{Format: backupFormat, Created: b.p.Now().UTC()})
	if err == nil {
		err = b.bytes(backupHead, head)
	}
	if err != nil {
		return nil, err
	}
	copied := "work/.backup-" + strings.ToLower(rand.Text())
	defer func() { err = errors.Join(err, b.p.dir.Delete(copied)) }()
	if err := b.p.Ledger.Copy(ctx, b.p.path(copied)); err != nil {
		return nil, err
	}
	if err := b.file(ctx, backupLedger, copied); err != nil {
		return nil, err
	}
	moving, err := b.list(backupMoving)
	if err != nil {
		return nil, err
	}
	for _, name := range moving {
		if err := b.file(ctx, name, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return b.list(backupStill)
}

// list gives all files below some names of the workspace.
func (b *backup) list(names []string) (all []string, err error) {
	for _, top := range names {
		err := fs.WalkDir(os.DirFS(b.p.Root), top, func(name string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case d.Type().IsRegular() && !ofNoUse(path.Base(name)):
				all = append(all, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ofNoUse tells of the files that mean something only to a program that runs, or
// that are made again when they are needed.
func ofNoUse(name string) bool {
	for _, begin := range []string{ownerFile, ".pause", ".gate", ".keep", ".taking", ".backup-", ".tmp-", ".words-"} {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return strings.HasSuffix(name, inventory.WordsSuffix)
}

func (b *backup) bytes(name string, content []byte) error {
	err := b.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: b.p.Now()})
	if err == nil {
		_, err = b.tar.Write(content)
	}
	return err
}

func (b *backup) file(ctx context.Context, name, from string) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := b.p.dir.Get(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = b.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX})
	if err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(b.tar, sum), f, info.Size()); err != nil {
		return fmt.Errorf("%s changed while it was copied: %w", from, err)
	}
	b.sums[name] = hex.EncodeToString(sum.Sum(nil))
	b.Files++
	b.Bytes += info.Size()
	return nil
}

// Restore makes a workspace of a backup: dir must hold none. ledgerAt tells, once
// the files stand under folder, where the ledger belongs. What is there at the end
// is whole: rensa.toml comes last. ErrBackup: r is no whole backup.
func Restore(ctx context.Context, r io.Reader, dir string, ledgerAt func(folder string) (string, error)) (_ Backed, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Backed{}, err
	}
	temp, err := os.MkdirTemp(dir, ".restore-")
	if err != nil {
		return Backed{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	done, err := unpack(ctx, r, temp)
	if err != nil {
		return Backed{}, err
	}
	place, err := ledgerAt(temp)
	if err != nil {
		return Backed{}, err
	}
	entries, err := os.ReadDir(temp)
	if err != nil {
		return Backed{}, err
	}
	var last string
	for _, e := range entries {
		to := filepath.Join(dir, e.Name())
		switch e.Name() {
		case "rensa.toml":
			last = to
			continue
		case backupLedger:
			to = place
		}
		if err := moveNew(filepath.Join(temp, e.Name()), to); err != nil {
			return Backed{}, err
		}
	}
	if last == "" {
		return Backed{}, fmt.Errorf("it holds no rensa.toml: %w", ErrBackup)
	}
	return done, moveNew(filepath.Join(temp, "rensa.toml"), last)
}

// moveNew moves a file or folder to a place where nothing may be but an empty
// folder.
func moveNew(from, to string) error {
	info, err := os.Lstat(to)
	if err == nil && info.IsDir() {
		err = os.Remove(to) // fails where it is not empty
	} else if err == nil {
		err = fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// unpack writes the files of a backup and holds them against its sums.
func unpack(ctx context.Context, r io.Reader, folder string) (done Backed, err error) {
	dir, err := storage.Open(folder)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	source := &noting{Reader: r}
	in, first := tar.NewReader(source), true
	defer func() {
		if source.err != nil {
			err = fmt.Errorf("%w: %w", ErrBackup, source.err)
		}
	}()
	got, want := map[string]string{}, map[string]string(nil)
	for {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return done, fmt.Errorf("%w: %w", ErrBackup, err)
		}
		if first != (h.Name == backupHead) || !filepath.IsLocal(h.Name) || h.Typeflag != tar.TypeReg {
			return done, fmt.Errorf("%q in it: %w", h.Name, ErrBackup)
		}
		first = false
		switch h.Name {
		case backupHead:
			var head backupHeader
			if err := json.NewDecoder(in).Decode(&head); err != nil || head.Format != backupFormat {
				return done, fmt.Errorf("format %d: %w", head.Format, ErrBackup)
			}
			continue
		case backupSums:
			if err := json.NewDecoder(in).Decode(&want); err != nil {
				return done, fmt.Errorf("%w: %w", ErrBackup, err)
			}
			continue
		}
		f, err := dir.Put(h.Name, in)
		if err != nil {
			return done, err
		}
		if err := os.Chtimes(filepath.Join(folder, filepath.FromSlash(h.Name)), h.ModTime, h.ModTime); err != nil {
			return done, err
		}
		got[h.Name] = f.SHA256
		done.Files++
		done.Bytes += f.Bytes
	}
	if len(got) != len(want) || want == nil || got[backupLedger] == "" {
		return done, fmt.Errorf("%d files of %d: %w", len(got), len(want), ErrBackup)
	}
	for name, sum := range want {
		if got[name] != sum {
			return done, fmt.Errorf("%s is damaged: %w", name, ErrBackup)
		}
	}
	if err := os.Chmod(filepath.Join(folder, backupLedger), 0o600); err != nil {
		return done, err
	}
	return done, nil
}

// noting remembers how reading failed, to tell it from a failure of writing.
type noting struct {
	io.Reader
	err error
}

func (n *noting) Read(p []byte) (int, error) {
	got, err := n.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return got, err
}
