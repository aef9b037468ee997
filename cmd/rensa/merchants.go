package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

func (a *app) merchantsCommand() *cobra.Command {
	return a.group("merchants", "cli.about.merchants",
		a.merchantsAdd(), a.merchantsSet(), a.merchantsShow(), a.merchantsList())
}

func (a *app) merchantsAdd() *cobra.Command {
	var store string
	c := &cobra.Command{
		Use: "add ID [KEY=VALUE…]", Short: a.t("cli.about.merchants_add"), Args: a.wants(1, -1),
		Example: "  rensa merchants add acme --home-store DE name='Acme GmbH' acceptance=order",
		RunE: func(cmd *cobra.Command, args []string) error {
			ws, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer ws.Close()
			m, err := ws.newMerchant(cmd.Context(), args[0], store, args[1:])
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(merchantDocument(&m))
			}
			a.say(a.t("cli.merchants.added", "id", m.ID, "store", m.Profile.HomeStore))
			return nil
		},
	}
	c.Flags().StringVar(&store, "home-store", defaultStore, a.t("cli.flag.home_store"))
	return c
}

// newMerchant adds a merchant with its event, once everything about it is known to be right.
func (ws *workspace) newMerchant(ctx context.Context, id, store string, assignments []string) (removal.Merchant, error) {
	var none removal.Merchant
	if err := checkMerchantID(id); err != nil {
		return none, err
	}
	home, err := findStore(ws.policy, store, ws.now())
	if err != nil {
		return none, err
	}
	e := &profileEdit{Profile: defaultProfile(home), policy: ws.policy, on: ws.now()}
	if err := e.applyAll(assignments); err != nil {
		return none, err
	}
	all, err := ws.ledger.Merchants(ctx)
	if err != nil {
		return none, err
	}
	for _, m := range all {
		// Folders are named for merchants, and some file systems know no case.
		if strings.EqualFold(m.ID, id) {
			return none, usage("cli.err.merchant_exists", "id", m.ID).hint("cli.hint.merchants_set", "id", m.ID)
		}
	}
	m := removal.Merchant{ID: id, Profile: e.Profile, Created: ws.now()}
	added := ledger.Event{At: ws.now(), Actor: ws.actor, Subject: ledger.SubjectMerchant, ID: id, What: "added"}
	if err := ws.ledger.AddMerchant(ctx, m, added); err != nil {
		return none, err
	}
	return ws.ledger.Merchant(ctx, id)
}

func (e *profileEdit) applyAll(assignments []string) error {
	for _, as := range assignments {
		if err := e.apply(as); err != nil {
			return err
		}
	}
	return e.finish()
}

// checkMerchantID allows what can name a folder everywhere.
func checkMerchantID(id string) error {
	good := len(id) >= 1 && len(id) <= 40 && id[0] != '.' && id[0] != '-' && id[len(id)-1] != '.'
	for _, r := range id {
		good = good && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}
	if !good {
		return usage("cli.err.merchant_id", "id", id).hint("cli.hint.merchant_id")
	}
	return nil
}

func (a *app) merchantsSet() *cobra.Command {
	return &cobra.Command{
		Use: "set ID KEY=VALUE…", Short: a.t("cli.about.merchants_set"), Args: a.wants(2, -1),
		Example: "  rensa merchants set acme language=de policy.snapshot_max_age_days=5",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			ws, err := a.open(ctx)
			if err != nil {
				return err
			}
			defer ws.Close()
			changes, m, err := ws.setMerchant(ctx, args[0], args[1:])
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(merchantDocument(&m))
			}
			if len(changes) == 0 {
				a.say(a.t("cli.merchants.unchanged", "id", m.ID))
			}
			for _, c := range changes {
				a.say(a.t("cli.merchants.changed", "id", m.ID, "key", c.What, "from", cmp.Or(c.From, "–"), "to", cmp.Or(c.To, "–")))
			}
			return nil
		},
	}
}

// setMerchant changes a profile, one event a key that became another. Where
// somebody changed the merchant meanwhile it looks again.
func (ws *workspace) setMerchant(ctx context.Context, id string, assignments []string) ([]ledger.Event, removal.Merchant, error) {
	for attempt := 0; ; attempt++ {
		m, err := ws.merchant(ctx, id)
		if err != nil {
			return nil, m, err
		}
		e := &profileEdit{Profile: m.Profile, policy: ws.policy, on: ws.now()}
		if err := e.applyAll(assignments); err != nil {
			return nil, m, err
		}
		events := ws.changes(m.ID, &m.Profile, &e.Profile)
		if len(events) == 0 {
			return nil, m, nil
		}
		err = ws.ledger.SetMerchant(ctx, m.ID, m.Revision, e.Profile, events...)
		if errors.Is(err, ledger.ErrConflict) && attempt < 5 {
			continue
		}
		if err != nil {
			return nil, m, err
		}
		m, err = ws.ledger.Merchant(ctx, m.ID)
		return events, m, err
	}
}

// changes lists what differs between two profiles as events.
func (ws *workspace) changes(id string, from, to *removal.Profile) []ledger.Event {
	var events []ledger.Event
	note := func(key, was, is string) {
		if was != is {
			events = append(events, ledger.Event{
				At: ws.now(), Actor: ws.actor, Subject: ledger.SubjectMerchant, ID: id, What: key, From: was, To: is,
			})
		}
	}
	for _, k := range profileKeys() {
		note(k.name, k.get(from), k.get(to))
	}
	names := append(policyNames(from), policyNames(to)...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		note(policyPrefix+name, from.Policy[name], to.Policy[name])
	}
	return events
}

func (a *app) merchantsShow() *cobra.Command {
	return &cobra.Command{
		Use: "show [ID]", Short: a.t("cli.about.merchants_show"), Args: a.wants(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ws, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer ws.Close()
			id := a.merchant
			if len(args) > 0 {
				id = args[0]
			}
			m, err := ws.merchant(cmd.Context(), id)
			if err != nil {
				return err
			}
			if a.json {
				return a.answer(merchantDocument(&m))
			}
			a.say(a.style.bold(m.ID))
			for _, k := range profileKeys() {
				if v := k.get(&m.Profile); v != "" {
					a.say("  " + pad(k.name, 28, false) + " " + v)
				}
			}
			for _, name := range policyNames(&m.Profile) {
				a.say("  " + pad(policyPrefix+name, 28, false) + " " + m.Profile.Policy[name])
			}
			return nil
		},
	}
}

func (a *app) merchantsList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: a.t("cli.about.merchants_list"), Args: a.wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ws, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer ws.Close()
			all, err := ws.ledger.Merchants(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				documents := make([]map[string]any, len(all))
				for i := range all {
					documents[i] = merchantDocument(&all[i])
				}
				return a.answer(map[string]any{"merchants": documents})
			}
			t := &table{}
			t.add(a.t("cli.col.merchant"), a.t("cli.col.store"), a.t("cli.col.language"), a.t("cli.col.acceptance"), a.t("cli.col.name"))
			for _, m := range all {
				t.add(m.ID, m.Profile.HomeStore, m.Profile.Language, string(m.Profile.Acceptance), m.Profile.Name)
			}
			if len(all) == 0 {
				a.note("cli.merchants.none")
				return nil
			}
			a.show(t, "")
			return nil
		},
	}
}

// merchantDocument is a merchant as JSON: its keys as `merchants set` knows them.
func merchantDocument(m *removal.Merchant) map[string]any {
	p := &m.Profile
	d := map[string]any{
		"id": m.ID, "created": timeText(m.Created), "name": p.Name, "home_store": p.HomeStore,
		"language": p.Language, "time_zone": p.TimeZone, "notify": orEmpty(p.Notify),
		"default_method": methodWord(p.DefaultMethod), "acceptance": p.Acceptance,
		"partial": p.Partial, "split": p.Split, "resubmit": p.Resubmit, "release_delay": delayText(p.ReleaseDelay),
		"auto_dispose": p.AutoDispose, "csv_bom": p.CSVBOM, "shift_jis": p.ShiftJIS, "reports": strings.Split(joinReports(p.Reports), ","),
		"return_address": nil, "policy": map[string]string{},
	}
	if !p.ReturnAddress.IsZero() {
		d["return_address"] = p.ReturnAddress
	}
	if len(p.Policy) > 0 {
		d["policy"] = p.Policy
	}
	return d
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
