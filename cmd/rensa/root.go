package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rensa/templates"
)

// root builds the commands. Each has its own file.
func (a *app) root() *cobra.Command {
	root := a.group("rensa", "cli.about",
		a.initCommand(), a.processCommand(), a.checkCommand(), a.templateCommand(),
		a.merchantsCommand(), a.ordersCommand(), a.reportsCommand(), a.inventoryCommand(),
		a.serveCommand(), a.usersCommand(), a.tokensCommand(), a.runCommand(), a.scheduleCommand(), a.doctorCommand(), a.backupCommand(), a.restoreCommand(),
		a.explainCommand(), a.versionCommand(), a.completionCommand(),
	)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetOut(a.out)
	root.SetErr(a.stderr)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd) })
	root.SetFlagErrorFunc(flagFault)
	root.SetHelpCommand(a.helpCommand())
	cobra.EnableCommandSorting = false

	flags, lang := root.PersistentFlags(), ""
	flags.SortFlags = false
	flags.StringVarP(&a.workspace, "workspace", "w", "", a.t("cli.flag.workspace"))
	flags.StringVarP(&a.merchant, "merchant", "m", "", a.t("cli.flag.merchant"))
	flags.BoolVar(&a.json, "json", false, a.t("cli.flag.json"))
	flags.BoolVarP(&a.quiet, "quiet", "q", false, a.t("cli.flag.quiet"))
	flags.Bool("no-color", false, a.t("cli.flag.no_color"))
	flags.StringVar(&lang, "lang", "", a.t("cli.flag.lang"))
	flags.BoolP("help", "h", false, a.t("cli.flag.help"))
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if known := templates.Languages(); lang != "" && lang != a.texts.Lang() {
			return usage("cli.err.lang", "given", lang).hint("cli.want.one_of", "words", strings.Join(known, ", "))
		}
		return nil
	}
	return root
}

// group is a command that only holds others: alone it shows its help, and a word
// that none of them is called is answered with the nearest.
func (a *app) group(use, about string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: a.t(about)}
	c.AddCommand(commands...)
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			a.help(cmd)
			return nil
		}
		names := make([]string, 0, len(commands))
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		return usage("cli.err.command_unknown", "command", cmd.CommandPath()+" "+args[0]).
			near(args[0], names).hint("cli.hint.commands", "names", strings.Join(names, ", "))
	}
	return c
}

func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: a.t("cli.about.help"),
		RunE: func(cmd *cobra.Command, args []string) error {
			target, rest, err := cmd.Root().Find(args)
			if err == nil && len(rest) > 0 {
				return target.RunE(target, rest[:1])
			}
			if err == nil {
				a.help(target)
			}
			return err
		},
	}
}

// help shows what a command does, its form, its parts and, where a script cares,
// the exit codes.
func (a *app) help(cmd *cobra.Command) {
	w := a.out
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " " + a.t("cli.help.command")
	}
	fmt.Fprintf(w, "%s\n\n%s\n  %s\n", about, a.style.bold(a.t("cli.help.usage")), use)
	if cmd.Example != "" {
		fmt.Fprintf(w, "\n%s\n%s\n", a.style.bold(a.t("cli.help.examples")), cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s\n", a.style.bold(a.t("cli.help.commands")))
		width := 0
		for _, c := range cmd.Commands() {
			width = max(width, displayWidth(c.Name()))
		}
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				fmt.Fprintf(w, "  %-*s  %s\n", width, c.Name(), c.Short)
			}
		}
	}
	if own := cmd.LocalNonPersistentFlags(); own.HasAvailableFlags() {
		fmt.Fprintf(w, "\n%s\n%s", a.style.bold(a.t("cli.help.flags")), own.FlagUsages())
	}
	fmt.Fprintf(w, "\n%s\n%s", a.style.bold(a.t("cli.help.global")), cmd.Root().PersistentFlags().FlagUsages())
	if !cmd.HasParent() || cmd.Name() == "process" || cmd.Name() == "check" {
		fmt.Fprintf(w, "\n%s\n", a.style.bold(a.t("cli.help.exit")))
		for _, code := range []int{exitOK, exitInternal, exitUsage, exitRejected, exitRefused, exitTemporary, exitSeen, exitInterrupted} {
			fmt.Fprintf(w, "  %3d  %s\n", code, a.t(fmt.Sprintf("cli.exit.%d", code)))
		}
	}
}
