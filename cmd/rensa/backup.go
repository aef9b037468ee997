package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rensa/pkg/process"
)

func (a *app) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: a.t("cli.about.backup"), Long: a.t("cli.about.backup_long"), Args: a.wants(1, 1),
		Example: "  rensa backup /mnt/backups/rensa.tar.gz",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.backup(cmd.Context(), args[0]) },
	}
}

// backup writes beside the file and gives it its name once it is whole.
func (a *app) backup(ctx context.Context, name string) (err error) {
	if _, err := os.Lstat(name); err == nil {
		return usage("cli.err.file_exists", "file", name)
	}
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".rensa-backup-*")
	if err != nil {
		return usage("cli.err.backup_write", "file", name).because(err)
	}
	defer func() {
		if e := os.Remove(f.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	z, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	done, err := p.Backup(ctx, z)
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil { // fails where the name was taken meanwhile
		if errors.Is(err, fs.ErrExist) {
			return usage("cli.err.file_exists", "file", name)
		}
		if err := os.Rename(f.Name(), name); err != nil {
			return usage("cli.err.backup_write", "file", name).because(err)
		}
	}
	ws.log.Info().Int("files", done.Files).Int64("bytes", done.Bytes).Dur("held", done.Held).Msg("backup written")
	if a.json {
		return a.answer(map[string]any{"file": name, "files": done.Files, "bytes": done.Bytes, "held_ms": done.Held.Milliseconds()})
	}
	a.say(a.t("cli.backup.done", "file", name, "files", done.Files, "ms", done.Held.Milliseconds()))
	return nil
}

func (a *app) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE [DIR]", Short: a.t("cli.about.restore"), Long: a.t("cli.about.restore_long"), Args: a.wants(1, 2),
		Example: "  rensa restore /mnt/backups/rensa.tar.gz shop",
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := a.workspace
			if len(args) > 1 {
				dir = args[1]
			}
			if dir == "" {
				dir = "."
			}
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(a.cwd, dir)
			}
			return a.restore(cmd.Context(), args[0], dir)
		},
	}
}

func (a *app) restore(ctx context.Context, name, dir string) (err error) {
	if found, err := isWorkspace(dir); err != nil {
		return err
	} else if found {
		return usage("cli.err.workspace_exists", "dir", dir).hint("cli.hint.restore_elsewhere")
	}
	f, err := os.Open(name)
	if err != nil {
		return usage("cli.err.file").because(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return usage("cli.err.backup_bad", "file", name).because(err)
	}
	done, err := process.Restore(ctx, z, dir, func(folder string) (string, error) {
		c, err := readConfig(folder, a.environ)
		if err != nil {
			return "", err
		}
		place := c.LedgerURL.in(dir)
		if _, err := os.Lstat(place); err == nil {
			return "", usage("cli.err.file_exists", "file", place)
		}
		return place, nil
	})
	switch {
	case errors.Is(err, process.ErrBackup), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return usage("cli.err.backup_bad", "file", name).because(err)
	case errors.Is(err, fs.ErrExist):
		return usage("cli.err.restore_taken", "dir", dir).because(err).hint("cli.hint.restore_elsewhere")
	case err != nil:
		return fmt.Errorf("restore: %w", err)
	}
	for _, folder := range folders { // empty ones are not in a backup
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return err
		}
	}
	if a.json {
		return a.answer(map[string]any{"workspace": dir, "files": done.Files, "bytes": done.Bytes})
	}
	a.say(a.t("cli.restore.done", "dir", a.near(dir), "files", done.Files))
	return nil
}
