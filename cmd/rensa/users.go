package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/ledger"
	"rensa/pkg/web"
)

func (a *app) usersCommand() *cobra.Command {
	return a.group("users", "cli.about.users", a.usersAdd(), a.usersList(), a.usersRemove())
}

// scopeFlags say what somebody may do, and with which merchants.
type scopeFlags struct {
	role      string
	merchants []string
}

func (f *scopeFlags) add(a *app, c *cobra.Command) {
	c.Flags().StringVar(&f.role, "role", string(ledger.RoleViewer), a.t("cli.flag.role"))
	c.Flags().StringSliceVar(&f.merchants, "merchants", nil, a.t("cli.flag.merchants"))
}

// access reads the flags; without --merchants it is the one merchant that -m names
// or that there is.
func (f *scopeFlags) access(ctx context.Context, a *app, ws *workspace) (ledger.Access, error) {
	var all ledger.Access
	var roles []string
	for _, r := range ledger.Roles() {
		roles = append(roles, string(r))
	}
	if all.Role = ledger.Role(strings.ToLower(f.role)); !all.Role.Known() {
		u := usage("cli.err.role_unknown", "given", f.role).near(f.role, roles)
		u.hints = append(u.hints, oneOf(roles))
		return all, u
	}
	if slices.Equal(f.merchants, []string{"all"}) {
		all.AllMerchants = true
		return all, nil
	}
	ids := f.merchants
	if len(ids) == 0 {
		ids = []string{a.merchant}
	}
	for _, id := range ids {
		m, err := ws.merchant(ctx, strings.TrimSpace(id))
		if err != nil {
			return all, err
		}
		if !slices.Contains(all.Merchants, m.ID) {
			all.Merchants = append(all.Merchants, m.ID)
		}
	}
	return all, nil
}

func (a *app) usersAdd() *cobra.Command {
	var scope scopeFlags
	var fromInput bool
	c := &cobra.Command{
		Use: "add NAME", Short: a.t("cli.about.users_add"), Long: a.t("cli.about.users_add_long"), Args: a.wants(1, 1),
		Example: "  rensa users add anna@example.com --role operator --merchants acme,beta\n  rensa users add boss --role admin --merchants all",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.addUser(cmd.Context(), args[0], &scope, fromInput)
		},
	}
	scope.add(a, c)
	c.Flags().BoolVar(&fromInput, "password-stdin", false, a.t("cli.flag.password_stdin"))
	return c
}

func (a *app) addUser(ctx context.Context, given string, scope *scopeFlags, fromInput bool) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	name, err := web.UserName(given)
	if err != nil {
		return usage("cli.err.user_name", "given", given).hint("cli.hint.user_name")
	}
	u := ledger.User{ID: name}
	if u.Access, err = scope.access(ctx, a, ws); err != nil {
		return err
	}
	if fromInput {
		if u.Password, err = a.readPassword(name); err != nil {
			return err
		}
	}
	note := ledger.Note{Actor: ws.actor, What: "user added", Subject: name, Detail: web.Describe(&u.Access)}
	err = ws.ledger.AddUser(ctx, u, note)
	if errors.Is(err, ledger.ErrExists) {
		return usage("cli.err.user_exists", "name", name)
	}
	if err != nil {
		return err
	}
	link := ""
	if !fromInput {
		path, err := web.NewLink(ctx, ws.ledger, name, ws.actor, ws.now())
		if err != nil {
			return err
		}
		link = (&web.Options{
			Listen: ws.config.Listen.text, PublicURL: ws.config.PublicURL.text, TLSCert: ws.config.TLSCert.text,
		}).Address() + path
	}
	if a.json {
		d := userDocument(&u)
		d["link"] = link
		return a.answer(d)
	}
	a.say(a.t("cli.users.added", "name", name, "role", u.Role))
	if link != "" {
		a.say(a.t("cli.users.link", "link", link, "hours", int(web.LinkFor.Hours())))
	}
	return nil
}

// readPassword reads a password from standard input, its first line.
func (a *app) readPassword(user string) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("standard input: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if err := web.CheckPassword(user, line); err != nil {
		return "", usage("cli.err.password").hint("cli.hint.password")
	}
	return web.HashPassword(line), nil
}

func (a *app) usersList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: a.t("cli.about.users_list"), Args: a.wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ws, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer ws.Close()
			all, err := ws.ledger.Users(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				documents := make([]map[string]any, len(all))
				for i := range all {
					documents[i] = userDocument(&all[i])
				}
				return a.answer(map[string]any{"users": documents})
			}
			if len(all) == 0 {
				a.note("cli.users.none")
				return nil
			}
			t := &table{}
			t.add(a.t("cli.col.user"), a.t("cli.col.role"), a.t("cli.col.merchants"), a.t("cli.col.password"))
			for i := range all {
				set := a.t("cli.users.no_password")
				if all[i].Password != "" {
					set = a.t("cli.users.password")
				}
				t.add(all[i].ID, string(all[i].Role), scopeText(&all[i].Access), set)
			}
			a.show(t, "")
			return nil
		},
	}
}

func scopeText(c *ledger.Access) string {
	if c.AllMerchants {
		return "all"
	}
	return strings.Join(c.Merchants, ",")
}

func userDocument(u *ledger.User) map[string]any {
	return map[string]any{
		"name": u.ID, "role": u.Role, "all_merchants": u.AllMerchants, "merchants": orEmpty(u.Merchants),
		"password": u.Password != "", "created": timeText(u.Created),
	}
}

func (a *app) usersRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: a.t("cli.about.users_remove"), Args: a.wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ws, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer ws.Close()
			name := strings.ToLower(args[0])
			err = ws.ledger.RemoveUser(cmd.Context(), name, ledger.Note{Actor: ws.actor, What: "user removed", Subject: name})
			if errors.Is(err, ledger.ErrNotFound) {
				return a.unknownUser(cmd.Context(), ws, args[0])
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(map[string]any{"removed": name})
			}
			a.say(a.t("cli.users.removed", "name", name))
			return nil
		},
	}
}

func (a *app) unknownUser(ctx context.Context, ws *workspace, given string) error {
	all, err := ws.ledger.Users(ctx)
	if err != nil {
		return err
	}
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].ID
	}
	return usage("cli.err.user_unknown", "given", given).near(given, names)
}
