package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/ledger"
	"rensa/pkg/web"
)

func (a *app) tokensCommand() *cobra.Command {
	return a.group("tokens", "cli.about.tokens", a.tokensAdd(), a.tokensList(), a.tokensRemove())
}

func (a *app) tokensAdd() *cobra.Command {
	var scope scopeFlags
	expires := days{n: 365}
	given := ""
	c := &cobra.Command{
		Use: "add NAME", Short: a.t("cli.about.tokens_add"), Long: a.t("cli.about.tokens_add_long"), Args: a.wants(1, 1),
		Example: "  rensa tokens add connector --role operator --merchants acme --expires '90 days'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if given != "" {
				if err := expires.UnmarshalText([]byte(given)); err != nil {
					return valueFault(usage("cli.err.flag_value", "flag", "--expires", "given", given), err)
				}
			}
			return a.addToken(cmd.Context(), args[0], &scope, expires.n)
		},
	}
	scope.add(a, c)
	c.Flags().StringVar(&given, "expires", "", a.t("cli.flag.expires"))
	return c
}

func (a *app) addToken(ctx context.Context, name string, scope *scopeFlags, forDays int) error {
	if err := plainText("name", name, 100); err != nil {
		return err
	}
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	k := ledger.Token{Name: name}
	if k.Access, err = scope.access(ctx, a, ws); err != nil {
		return err
	}
	if forDays > 0 {
		k.Expires = ws.now().Add(time.Duration(forDays) * 24 * time.Hour)
	}
	k, secret, err := web.NewToken(ctx, ws.ledger, k, ws.actor)
	if err != nil {
		return err
	}
	if a.json {
		d := tokenDocument(&k)
		d["token"] = secret
		return a.answer(d)
	}
	a.note("cli.tokens.added", "id", k.ID, "name", name)
	a.plain(secret)
	return nil
}

func tokenDocument(k *ledger.Token) map[string]any {
	return map[string]any{
		"id": k.ID, "name": k.Name, "role": k.Role, "all_merchants": k.AllMerchants, "merchants": orEmpty(k.Merchants),
		"user": k.User, "created": timeText(k.Created), "expires": timeText(k.Expires), "used": timeText(k.Used),
	}
}

func (a *app) tokensList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: a.t("cli.about.tokens_list"), Args: a.wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ws, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer ws.Close()
			all, err := ws.ledger.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				documents := make([]map[string]any, len(all))
				for i := range all {
					documents[i] = tokenDocument(&all[i])
				}
				return a.answer(map[string]any{"tokens": documents})
			}
			if len(all) == 0 {
				a.note("cli.tokens.none")
				return nil
			}
			t := &table{}
			t.add(a.t("cli.col.token"), a.t("cli.col.name"), a.t("cli.col.role"), a.t("cli.col.merchants"), a.t("cli.col.expires"), a.t("cli.col.used"))
			for i := range all {
				k := &all[i]
				t.add(k.ID, k.Name, string(k.Role), scopeText(&k.Access), dayText(k.Expires), dayText(k.Used))
			}
			a.show(t, "")
			return nil
		},
	}
}

// dayText is a moment's day; a dash for none.
func dayText(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.Format(time.DateOnly)
}

func (a *app) tokensRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Short: a.t("cli.about.tokens_remove"), Args: a.wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ws, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer ws.Close()
			err = ws.ledger.RemoveToken(cmd.Context(), args[0], ledger.Note{Actor: ws.actor, What: "token removed", Subject: args[0]})
			if errors.Is(err, ledger.ErrNotFound) {
				return usage("cli.err.token_unknown", "given", args[0])
			}
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(map[string]any{"removed": args[0]})
			}
			a.say(a.t("cli.tokens.removed", "id", args[0]))
			return nil
		},
	}
}
