package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rensa/pkg/desk"
	"rensa/pkg/nightly"
)

// listFlags choose what orders create takes from the recommended list.
type listFlags struct {
	recommended bool
	rows        string
}

func (f *listFlags) flags(c *cobra.Command, a *app) {
	c.Flags().BoolVar(&f.recommended, "from-recommended", false, a.t("cli.flag.from_recommended"))
	c.Flags().StringVar(&f.rows, "rows", "", a.t("cli.flag.recommended_rows"))
}

func (f *listFlags) given(c *cobra.Command) bool { return f.recommended || c.Flags().Changed("rows") }

// createRecommended makes drafts of what is recommended now: all of it, or the
// rows of the last report that were chosen, as far as they still hold.
func (a *app) createRecommended(c *cobra.Command, f *listFlags, args []string) error {
	alone := f.recommended && len(args) == 0
	c.Flags().Visit(func(flag *pflag.Flag) {
		alone = alone && (flag.Name == "from-recommended" || flag.Name == "rows" || c.Root().PersistentFlags().Lookup(flag.Name) != nil)
	})
	if !alone {
		return usage("cli.err.recommended_alone").hint("cli.hint.recommended_alone")
	}
	return a.atDesk(c.Context(), func(o *office) error { return o.createRecommended(c.Context(), f) })
}

func (o *office) createRecommended(ctx context.Context, f *listFlags) error {
	p, err := o.processor(nil)
	if err != nil {
		return err
	}
	defer p.Using(o.merchant.ID)()
	s, err := o.staff(p)
	if err != nil {
		return err
	}
	var chosen map[string]int64
	if f.rows != "" {
		if chosen, err = chooseRows(s.jobs, o.merchant.ID, f.rows); err != nil {
			return err
		}
	}
	r, err := s.jobs.Recommend(ctx, o.merchant.ID, o.now())
	if err != nil {
		return err
	}
	batches := r.Batches
	if chosen != nil {
		batches = r.Only(chosen)
	}
	if len(batches) == 0 {
		key := "cli.orders.nothing_recommended"
		if len(r.Rows) > 0 {
			key = "cli.orders.nothing_chosen"
		}
		if o.app.json {
			return o.app.answer(map[string]any{"orders": []draftDocument{}})
		}
		o.app.note(key, "date", r.CleanUp.Format("2006-01-02"))
		return nil
	}
	made, err := o.desk.CreateAll(ctx, o.merchant.ID, o.actor, batches)
	if err != nil {
		return err
	}
	return o.sayDrafts(made)
}

// draftDocument is a draft in the answer of orders create --from-recommended.
type draftDocument struct {
	ID         string `json:"id"`
	Merchant   string `json:"merchant"`
	State      string `json:"state"`
	Method     string `json:"method"`
	Lines      int    `json:"lines"`
	Sellable   int64  `json:"sellable"`
	Unsellable int64  `json:"unsellable"`
}

func (o *office) sayDrafts(made []desk.Draft) error {
	documents := []draftDocument{}
	for i := range made {
		d := draftDocument{ID: made[i].ID, Merchant: made[i].Merchant, State: "draft", Method: methodWord(made[i].Method), Lines: len(made[i].Items)}
		d.Sellable, d.Unsellable = made[i].Units()
		documents = append(documents, d)
		if !o.app.json {
			o.app.say(o.app.t("cli.orders.draft_made", "id", d.ID, "method", made[i].Method, "lines", d.Lines, "units", d.Sellable+d.Unsellable))
		}
	}
	if o.app.json {
		return o.app.answer(map[string]any{"orders": documents})
	}
	o.app.note("cli.orders.drafts_next", "id", made[0].ID)
	return nil
}

// chooseRows gives the units that the last report recommends in rows of it, by SKU.
func chooseRows(jobs *nightly.Jobs, merchant, text string) (map[string]int64, error) {
	rows, dir, err := jobs.LastRecommended(merchant)
	if err != nil {
		return nil, err
	}
	if dir == "" {
		return nil, usage("cli.err.recommended_none").hint("cli.hint.recommended_none")
	}
	chosen := map[string]int64{}
	for part := range strings.SplitSeq(text, ",") {
		from, to, ok := rowRange(part)
		if !ok || from < 1 || to < from || to > len(rows) {
			return nil, usage("cli.err.recommended_rows", "given", text, "rows", len(rows)).hint("cli.hint.recommended_rows")
		}
		for _, row := range rows[from-1 : to] {
			chosen[row.SKU] = row.Units
		}
	}
	return chosen, nil
}

// rowRange reads "3" or "3-5".
func rowRange(text string) (from, to int, ok bool) {
	first, last, isRange := strings.Cut(strings.TrimSpace(text), "-")
	from, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0, 0, false
	}
	if !isRange {
		return from, from, true
	}
	to, err = strconv.Atoi(strings.TrimSpace(last))
	return from, to, err == nil
}
