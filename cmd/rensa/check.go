package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

func (a *app) checkCommand() *cobra.Command {
	f := &fileFlags{check: true}
	c := &cobra.Command{
		Use: "check FILE…", Short: a.t("cli.about.check"), Long: a.t("cli.about.check_long"), Args: a.wants(1, -1),
		Example: "  rensa check removals.xlsx\n  rensa check --out problems removals.xlsx",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.reports != "" && f.out == "" {
				return usage("cli.err.reports_without_out")
			}
			if err := a.emptyFolder(f.out); err != nil {
				return err
			}
			return a.files(cmd.Context(), args, f)
		},
	}
	f.add(c, a)
	c.Flags().StringVar(&f.reports, "reports", "", a.t("cli.flag.reports"))
	c.Flags().StringVar(&f.out, "out", "", a.t("cli.flag.out"))
	return c
}

// emptyFolder refuses a folder that holds something: a report of an earlier check
// would pass for one of this. One that is not there yet is fine, and so is "".
func (a *app) emptyFolder(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", dir, err)
	case len(entries) > 0:
		return usage("cli.err.out_not_empty", "dir", dir).hint("cli.hint.out")
	}
	return nil
}
