package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// office is an open workspace with its desk, for one merchant.
type office struct {
	*workspace
	app      *app
	merchant removal.Merchant
	desk     *desk.Desk
}

// atDesk opens the workspace, does something at its desk and closes it.
func (a *app) atDesk(ctx context.Context, do func(o *office) error) error {
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return err
	}
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	return a.deskFault(do(&office{ws, a, m, p.Desk()}))
}

// deskFault puts what the desk answers into words.
func (a *app) deskFault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, desk.ErrNoSnapshot):
		return usage("cli.err.no_snapshot", "id", a.merchant).hint("cli.hint.inventory")
	case errors.Is(err, desk.ErrNoItem):
		return usage("cli.err.order_item").because(err)
	case errors.Is(err, desk.ErrState):
		return usage("cli.err.order_state").because(err).hint("cli.hint.order_state")
	case errors.Is(err, desk.ErrValue):
		return usage("cli.err.order_value").because(err).hint("cli.hint.order_value")
	case errors.Is(err, ledger.ErrExists):
		return usage("cli.err.order_exists").hint("cli.hint.order_exists")
	}
	return err
}

// draftFlags are what orders create and orders edit can set.
type draftFlags struct {
	id, method, notes, search string
	address                   []string
	sellable, unsellable      int64
	add, change, remove       []string
}

func (f *draftFlags) common(c *cobra.Command, a *app) {
	c.Flags().StringVar(&f.method, "method", "", a.t("cli.flag.draft_method"))
	c.Flags().StringArrayVar(&f.address, "address", nil, a.t("cli.flag.draft_address"))
	c.Flags().StringVar(&f.notes, "notes", "", a.t("cli.flag.draft_notes"))
	c.Flags().StringVar(&f.search, "search", "", a.t("cli.flag.draft_search"))
	c.Flags().Int64Var(&f.sellable, "sellable", 0, a.t("cli.flag.draft_sellable"))
	c.Flags().Int64Var(&f.unsellable, "unsellable", 0, a.t("cli.flag.draft_unsellable"))
}

func (a *app) ordersCreate() *cobra.Command {
	f, list := &draftFlags{}, &listFlags{}
	c := &cobra.Command{
		Use: "create [SKU=SELLABLE/UNSELLABLE…|-]", Short: a.t("cli.about.orders_create"), Long: a.t("cli.about.orders_create_long"), Args: a.wants(0, -1),
		Example: "  rensa orders create MUG-1=4 LAMP-2=0/3 --method disposal\n  rensa orders create --search \"coffee mug\" --sellable 4\n  rensa orders create - < items.tsv\n  rensa orders create --from-recommended --rows 1,3-5",
		RunE: func(cmd *cobra.Command, args []string) error {
			if list.given(cmd) {
				return a.createRecommended(cmd, list, args)
			}
			return a.atDesk(cmd.Context(), func(o *office) error { return o.create(cmd.Context(), f, args) })
		},
	}
	list.flags(c, a)
	c.Flags().StringVar(&f.id, "id", "", a.t("cli.flag.draft_id"))
	f.common(c, a)
	return c
}

func (o *office) create(ctx context.Context, f *draftFlags, args []string) error {
	draft := desk.Draft{Merchant: o.merchant.ID, ID: f.id, Notes: f.notes, Actor: o.actor}
	var err error
	if f.method != "" {
		word := ""
		if err := setWord(&word, "--method", f.method, methodWords()); err != nil {
			return err
		}
		draft.Method = methodOf(word)
	}
	if draft.Items, err = o.items(ctx, f, args); err != nil {
		return err
	}
	if err := setAddress(&draft.Address, f.address); err != nil {
		return err
	}
	made, err := o.desk.Create(ctx, draft)
	if err != nil {
		return err
	}
	return o.showDraft(ctx, &made)
}

// items reads what is asked for from arguments, standard input or a search.
func (o *office) items(ctx context.Context, f *draftFlags, args []string) ([]desk.Item, error) {
	var items []desk.Item
	for _, arg := range args {
		if arg == "-" {
			list, err := readItems(o.app.stdin)
			if err != nil {
				return nil, err
			}
			items = append(items, list...)
			continue
		}
		it, err := parseItem(arg)
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	if f.search == "" {
		if f.sellable != 0 || f.unsellable != 0 {
			return nil, usage("cli.err.draft_quantity_alone")
		}
		return items, nil
	}
	it, err := o.find(ctx, f)
	return append(items, it), err
}

// find looks for the one SKU that a search names.
func (o *office) find(ctx context.Context, f *draftFlags) (desk.Item, error) {
	const most = 10
	found, err := o.desk.Search(ctx, o.merchant.ID, f.search, most)
	if err != nil {
		return desk.Item{}, err
	}
	if len(found) == 1 {
		if f.sellable == 0 && f.unsellable == 0 {
			return desk.Item{}, usage("cli.err.draft_quantity", "sku", found[0].SKU,
				"sellable", found[0].Sellable, "unsellable", found[0].Unsellable).hint("cli.hint.draft_quantity")
		}
		return desk.Item{SKU: found[0].SKU, Sellable: f.sellable, Unsellable: f.unsellable}, nil
	}
	if len(found) == 0 {
		return desk.Item{}, usage("cli.err.draft_search_none", "text", f.search)
	}
	fault := usage("cli.err.draft_search_many", "text", f.search)
	for _, s := range found {
		fault = fault.hint("cli.hint.draft_found", "sku", s.SKU, "title", s.Title, "sellable", s.Sellable, "unsellable", s.Unsellable)
	}
	return desk.Item{}, fault
}

// parseItem reads "SKU=4" or "SKU=4/2": sellable, unsellable.
func parseItem(arg string) (desk.Item, error) {
	at := strings.LastIndexByte(arg, '=')
	if at <= 0 {
		return desk.Item{}, usage("cli.err.draft_item", "given", arg).hint("cli.hint.draft_item")
	}
	sellable, unsellable, _ := strings.Cut(arg[at+1:], "/")
	return itemOf(arg, arg[:at], sellable, unsellable)
}

func itemOf(given, sku, sellable, unsellable string) (it desk.Item, err error) {
	it.SKU = strings.TrimSpace(sku)
	for _, q := range []struct {
		text string
		to   *int64
	}{{sellable, &it.Sellable}, {unsellable, &it.Unsellable}} {
		if q.text = strings.TrimSpace(q.text); q.text == "" {
			continue
		}
		if *q.to, err = strconv.ParseInt(q.text, 10, 32); err != nil || *q.to < 0 {
			return it, usage("cli.err.draft_item", "given", given).hint("cli.hint.draft_item")
		}
	}
	return it, nil
}

// readItems reads a list: SKU, sellable and unsellable quantity a line, with tabs,
// semicolons or commas between; a heading line is passed over.
func readItems(from io.Reader) ([]desk.Item, error) {
	var items []desk.Item
	lines := bufio.NewScanner(from)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" {
			continue
		}
		cells := cells(line)
		for len(cells) < 3 {
			cells = append(cells, "")
		}
		if n == 1 && strings.Contains(strings.ToLower(cells[0]), "sku") && strings.ContainsFunc(cells[1], isLetter) {
			continue
		}
		it, err := itemOf(line, cells[0], cells[1], cells[2])
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return items, nil
}

func isLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

func cells(line string) []string {
	for _, sep := range []string{"\t", ";", ","} {
		if strings.Contains(line, sep) {
			return strings.Split(line, sep)
		}
	}
	return strings.Fields(line)
}

// setAddress sets parts of an address from KEY=VALUE.
func setAddress(a *removal.Address, parts []string) error {
	fields := map[string]*string{
		"name": &a.Name, "line1": &a.Line1, "line2": &a.Line2, "line3": &a.Line3, "city": &a.City,
		"country": &a.Country, "postal_code": &a.PostalCode, "state": &a.State, "phone": &a.Phone,
	}
	known := []string{"name", "line1", "line2", "line3", "city", "country", "postal_code", "state", "phone"}
	for _, p := range parts {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			return usage("cli.err.assignment", "given", p)
		}
		field := fields[key]
		if field == nil {
			return usage("cli.err.draft_address", "key", key).near(key, known).hint("cli.want.one_of", "words", strings.Join(known, ", "))
		}
		*field = strings.TrimSpace(value)
	}
	return nil
}

func (a *app) ordersEdit() *cobra.Command {
	f := &draftFlags{}
	c := &cobra.Command{
		Use: "edit ID", Short: a.t("cli.about.orders_edit"), Args: a.wants(1, 1),
		Example: "  rensa orders edit SPRING --add MUG-1=4 --change LAMP-2=1/0 --remove VASE-3 --address city=Lund",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.atDesk(cmd.Context(), func(o *office) error { return o.edit(cmd, f, args[0]) })
		},
	}
	c.Flags().StringArrayVar(&f.add, "add", nil, a.t("cli.flag.draft_add"))
	c.Flags().StringArrayVar(&f.change, "change", nil, a.t("cli.flag.draft_change"))
	c.Flags().StringArrayVar(&f.remove, "remove", nil, a.t("cli.flag.draft_remove"))
	c.Flags().StringVar(&f.id, "new-id", "", a.t("cli.flag.draft_new_id"))
	f.common(c, a)
	return c
}

// edit makes all changes at once, or none.
func (o *office) edit(cmd *cobra.Command, f *draftFlags, id string) error {
	ctx := cmd.Context()
	add, err := o.items(ctx, f, f.add)
	if err != nil {
		return err
	}
	var change []desk.Item
	for _, arg := range f.change {
		it, err := parseItem(arg)
		if err != nil {
			return err
		}
		change = append(change, it)
	}
	word := ""
	if f.method != "" {
		if err := setWord(&word, "--method", f.method, methodWords()); err != nil {
			return err
		}
	}
	var what []string
	cmd.Flags().Visit(func(flag *pflag.Flag) { what = append(what, flag.Name) })
	draft, err := o.desk.Edit(ctx, o.merchant.ID, id, o.actor, strings.Join(what, ", "), func(d *desk.Draft) error {
		if err := d.Add(add...); err != nil {
			return err
		}
		if err := d.Change(change...); err != nil {
			return err
		}
		if err := d.Remove(f.remove...); err != nil {
			return err
		}
		if word != "" {
			d.Method = methodOf(word)
			if d.Method == removal.Return && d.Address.IsZero() {
				d.Address = o.merchant.Profile.ReturnAddress
			}
		}
		if cmd.Flags().Changed("notes") {
			d.Notes = f.notes
		}
		if f.id != "" {
			d.ID = f.id
		}
		return setAddress(&d.Address, f.address)
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return noDraft(id)
	}
	if err != nil {
		return err
	}
	return o.showDraft(ctx, &draft)
}

func noDraft(id string) error {
	return usage("cli.err.draft_unknown", "id", id).hint("cli.hint.drafts")
}

func (a *app) ordersDiscard() *cobra.Command {
	return &cobra.Command{
		Use: "discard ID", Short: a.t("cli.about.orders_discard"), Args: a.wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.atDesk(cmd.Context(), func(o *office) error {
				err := o.desk.Discard(cmd.Context(), o.merchant.ID, args[0], o.actor)
				if errors.Is(err, ledger.ErrNotFound) {
					return noDraft(args[0])
				}
				if err != nil {
					return err
				}
				if a.json {
					return a.answer(map[string]string{"id": args[0], "discarded": "draft"})
				}
				a.say(a.t("cli.orders.discarded", "id", args[0]))
				return nil
			})
		},
	}
}
