package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/policy"
	"rensa/pkg/report"
	"rensa/pkg/storage"
	"rensa/templates"
)

func (a *app) templateCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "template FILE", Short: a.t("cli.about.template"), Long: a.t("cli.about.template_long"), Args: a.wants(1, 1),
		Example: "  rensa template removals.xlsx\n  rensa template --lang sv removals.tsv",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.template(cmd.Context(), args[0], force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, a.t("cli.flag.overwrite"))
	return c
}

// template writes an empty upload template; "-" is standard output, as TSV.
func (a *app) template(ctx context.Context, name string, force bool) error {
	format := "tsv"
	if name != "-" {
		format = strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
	}
	if formats := []string{"xlsx", "tsv", "csv"}; !slices.Contains(formats, format) {
		return usage("cli.err.template_format", "file", name).hint("cli.hint.template_format").near(format, formats)
	}
	store, texts, err := a.templateFor(ctx)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := report.Template(&b, format, store, texts); err != nil {
		return fmt.Errorf("the template: %w", err)
	}
	if name == "-" {
		_, err := a.out.Write(b.Bytes())
		return err
	}
	if err := a.write(name, &b, force); err != nil {
		return err
	}
	if a.json {
		return a.answer(map[string]string{"file": name})
	}
	a.say(a.t("cli.template.done", "file", name))
	return nil
}

// templateFor gives the store and the texts that a template is for: those of the
// merchant; where no merchant is meant, the store that new merchants get and the
// user's language. A language that was asked for goes first.
func (a *app) templateFor(ctx context.Context) (policy.Store, *templates.Texts, error) {
	_, err := findWorkspace(a.workspace, a.environ, a.cwd)
	if err != nil && a.workspace == "" && a.merchant == "" {
		set, err := policy.Load(nil)
		if err != nil {
			return policy.Store{}, nil, err
		}
		store, err := set.Store(defaultStore, a.now(), nil)
		return store, a.texts, err
	}
	ws, err := a.open(ctx)
	if err != nil {
		return policy.Store{}, nil, err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return policy.Store{}, nil, err
	}
	store, err := ws.policy.Store(m.Profile.HomeStore, a.now(), m.Profile.Policy)
	if a.langGiven {
		return store, a.texts, err
	}
	return store, templates.Load(m.Profile.Language), err
}

// write puts a file in its place whole, or not at all. One that is there stays
// unless force is given.
func (a *app) write(name string, content io.Reader, force bool) error {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.cwd, path)
	}
	d, err := storage.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer d.Close()
	put := d.Put
	if force {
		put = d.Replace
	}
	_, err = put(filepath.Base(path), content)
	if errors.Is(err, fs.ErrExist) {
		return usage("cli.err.file_exists", "file", name).hint("cli.hint.overwrite")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
