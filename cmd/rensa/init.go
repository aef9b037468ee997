package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/process"
	"rensa/pkg/storage"
	"rensa/samples"
)

// demoMerchant is the merchant of a demo workspace, unless another is named.
const demoMerchant = "demo"

func (a *app) initCommand() *cobra.Command {
	var merchant, store string
	var demo bool
	c := &cobra.Command{
		Use: "init [DIR]", Short: a.t("cli.about.init"), Args: a.wants(0, 1),
		Example: "  rensa init stock --merchant acme --home-store SE\n  rensa init trial --demo",
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := cmp.Or(a.workspace, ".")
			if len(args) > 0 {
				if a.workspace != "" {
					return usage("cli.err.init_twice", "flag", "-w")
				}
				dir = args[0]
			}
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(a.cwd, dir)
			}
			id := cmp.Or(merchant, a.merchant, map[bool]string{true: demoMerchant, false: "default"}[demo])
			return a.initWorkspace(cmd.Context(), dir, id, store, demo)
		},
	}
	c.Flags().StringVar(&merchant, "merchant", "", a.t("cli.flag.init_merchant"))
	c.Flags().StringVar(&store, "home-store", defaultStore, a.t("cli.flag.home_store"))
	c.Flags().BoolVar(&demo, "demo", false, a.t("cli.flag.demo"))
	return c
}

// initWorkspace makes a workspace whole or not at all: after a failure everything
// that it made is taken away again.
func (a *app) initWorkspace(ctx context.Context, dir, merchant, store string, demo bool) (err error) {
	if found, err := isWorkspace(dir); err != nil {
		return err
	} else if found {
		return usage("cli.err.workspace_exists", "dir", dir).hint("cli.hint.workspace_exists", "dir", dir)
	}
	if err := checkMerchantID(merchant); err != nil {
		return err
	}
	made := &undo{}
	defer func() {
		if err != nil {
			err = errors.Join(err, made.run())
		}
	}()
	if err := a.layOut(dir, made); err != nil {
		return err
	}
	ws, err := a.openAt(ctx, dir)
	if err != nil {
		return err
	}
	defer ws.Close()
	var story *samples.Case
	var profile []string
	if demo {
		if story, profile, err = a.demoCase(); err != nil {
			return err
		}
	}
	m, err := ws.newMerchant(ctx, merchant, store, profile)
	if err != nil {
		return err
	}
	var files []string
	if demo {
		if files, err = ws.takeDemo(ctx, m.ID, story, made); err != nil {
			return err
		}
	}
	if a.json {
		return a.answer(map[string]any{
			"workspace": dir, "config": filepath.Join(dir, configName), "merchant": merchantDocument(&m), "demo": orEmpty(files),
		})
	}
	a.say(a.t("cli.init.done", "dir", a.near(dir)))
	a.say(a.t("cli.init.merchant", "id", m.ID, "store", m.Profile.HomeStore))
	if !demo {
		a.say(a.t("cli.init.next", "dir", a.near(dir)))
		return nil
	}
	a.say(a.t("cli.init.demo"))
	for _, f := range files {
		a.say("  rensa -w " + a.near(dir) + " process " + a.near(f))
	}
	return nil
}

// layOut makes the folders and rensa.toml.
func (a *app) layOut(dir string, made *undo) error {
	for _, folder := range append([]string{"."}, folders...) {
		if err := made.folder(filepath.Join(dir, folder)); err != nil {
			return err
		}
	}
	made.note(filepath.Join(dir, configName))
	for _, beside := range []string{"", "-wal", "-shm", ".lock"} {
		made.note(filepath.Join(dir, defaultConfig().LedgerURL.path+beside))
	}
	d, err := storage.Open(dir)
	if err != nil {
		return fmt.Errorf("making the workspace: %w", err)
	}
	defer d.Close()
	if _, err := d.Put(configName, strings.NewReader(configText(a.texts))); err != nil {
		return fmt.Errorf("%s: %w", configName, err)
	}
	return nil
}

// demoCase is the sample that a demo is made of, with its merchant's settings. The
// store is the caller's, and its reports are in the language of whoever tries it.
func (a *app) demoCase() (*samples.Case, []string, error) {
	all, err := samples.Cases()
	if err != nil {
		return nil, nil, fmt.Errorf("the demo: %w", err)
	}
	i := slices.IndexFunc(all, func(c samples.Case) bool { return c.Demo })
	if i < 0 {
		return nil, nil, errors.New("no sample is a demo")
	}
	settings := maps.Clone(all[i].Profile)
	settings["language"] = a.texts.Lang()
	delete(settings, "home_store")
	var profile []string
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		profile = append(profile, key+"="+settings[key])
	}
	return &all[i], profile, nil
}

// takeDemo copies the demo's files into the workspace and takes its inventory
// in. It returns the uploads that are there to be processed.
func (ws *workspace) takeDemo(ctx context.Context, merchant string, story *samples.Case, made *undo) ([]string, error) {
	folder := filepath.Join(ws.dir, "demo")
	if err := made.folder(folder); err != nil {
		return nil, err
	}
	p, err := ws.processor(nil)
	if err != nil {
		return nil, err
	}
	names, err := story.Inputs()
	if err != nil {
		return nil, fmt.Errorf("the demo's files: %w", err)
	}
	var uploads []string
	for _, name := range names {
		path := filepath.Join(folder, name)
		content, err := fs.ReadFile(story.FS, name)
		if err == nil {
			err = os.WriteFile(path, content, 0o644)
		}
		if err != nil {
			return nil, fmt.Errorf("the demo's files: %w", err)
		}
		kind, err := p.Kind(ctx, merchant, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if kind.HasOutcomes() {
			uploads = append(uploads, path)
			continue
		}
		result, err := p.Process(ctx, process.Request{Merchant: merchant, Path: path, Name: name, AsOf: ws.now(), Actor: ws.actor})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if result.ExitCode != exitOK {
			return nil, fmt.Errorf("%s: exit code %d", name, result.ExitCode)
		}
	}
	return uploads, nil
}

// near gives a path as one would type it here.
func (a *app) near(path string) string {
	if rel, err := filepath.Rel(a.cwd, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// undo remembers what was made, to take it away after a failure.
type undo struct{ paths []string }

// folder makes a folder and those above it.
func (u *undo) folder(dir string) error {
	u.note(dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the workspace: %w", err)
	}
	return nil
}

// note remembers the topmost part of a path that is not there yet.
func (u *undo) note(path string) {
	missing := ""
	for ; ; path = filepath.Dir(path) {
		if _, err := os.Lstat(path); err == nil || path == filepath.Dir(path) {
			break
		}
		missing = path
	}
	if missing != "" {
		u.paths = append(u.paths, missing)
	}
}

func (u *undo) run() error {
	var failed error
	for _, path := range slices.Backward(u.paths) {
		failed = errors.Join(failed, os.RemoveAll(path))
	}
	return failed
}
