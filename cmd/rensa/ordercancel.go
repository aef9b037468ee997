package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

func (a *app) ordersCancel() *cobra.Command {
	sku := ""
	c := &cobra.Command{
		Use: "cancel ID", Short: a.t("cli.about.orders_cancel"), Long: a.t("cli.about.orders_cancel_long"), Args: a.wants(1, 1),
		Example: "  rensa orders cancel R261120-7KQ2M4XA\n  rensa orders cancel SPRING --sku MUG-1",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.atDesk(cmd.Context(), func(o *office) error { return o.cancel(cmd.Context(), args[0], sku) })
		},
	}
	c.Flags().StringVar(&sku, "sku", "", a.t("cli.flag.cancel_sku"))
	return c
}

// cancelDocument is the answer of orders cancel.
type cancelDocument struct {
	ID      string             `json:"id"`
	SKU     string             `json:"sku"`
	Outcome desk.CancelOutcome `json:"outcome"`
	State   removal.State      `json:"state"`
	Units   int64              `json:"units"`
	Left    int64              `json:"left"`
	File    string             `json:"file"`
	Code    string             `json:"code"`
}

func (o *office) cancel(ctx context.Context, id, sku string) error {
	result, err := o.desk.Cancel(ctx, o.merchant.ID, desk.CancelRequest{Order: id, SKU: sku, Actor: o.actor})
	if errors.Is(err, ledger.ErrNotFound) {
		if _, err := o.desk.Draft(ctx, o.merchant.ID, id); err == nil {
			return usage("cli.err.order_is_draft", "id", id).hint("cli.hint.discard", "id", id)
		}
		return usage("cli.err.order_unknown", "id", id).hint("cli.hint.orders")
	}
	if err != nil {
		return err
	}
	if err := o.showCancel(result); err != nil {
		return err
	}
	if result.Outcome == desk.CancelTooLate || result.Outcome == desk.CancelForbidden {
		return ended(exitRejected)
	}
	return nil
}

func (o *office) showCancel(c *desk.CancelResult) error {
	a := o.app
	if a.json {
		d := cancelDocument{ID: c.Order, SKU: c.SKU, Outcome: c.Outcome, State: c.State, Units: c.Units, Left: c.Left, File: c.File}
		if c.Problem != nil {
			d.Code = c.Problem.Code.String()
		}
		return a.answer(d)
	}
	switch c.Outcome {
	case desk.CancelDone:
		a.say(a.t("cli.cancel.done", "id", c.Order, "units", c.Units))
	case desk.CancelRequested, desk.CancelPartly:
		a.say(a.t("cli.cancel.requested", "id", c.Order, "units", c.Units, "file", c.File))
	case desk.CancelAlready:
		a.say(a.t("cli.cancel.already", "id", c.Order))
	}
	if c.Problem != nil {
		message, hint := report.Say(a.texts, o.policy, c.Problem)
		a.say(printable(message))
		a.say(a.style.dim(a.t("cli.problem.hint", "hint", printable(hint))))
	}
	return nil
}

func (a *app) ordersSetStatus() *cobra.Command {
	return &cobra.Command{
		Use: "set-status ID processing", Short: a.t("cli.about.orders_set_status"), Args: a.wants(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.atDesk(cmd.Context(), func(o *office) error {
				err := o.desk.SetStatus(cmd.Context(), o.merchant.ID, args[0], removal.State(strings.ToLower(args[1])), o.actor)
				if errors.Is(err, ledger.ErrNotFound) {
					return usage("cli.err.order_unknown", "id", args[0]).hint("cli.hint.orders")
				}
				if err != nil {
					return err
				}
				return a.showOrderOf(cmd.Context(), o.workspace, &o.merchant, args[0])
			})
		},
	}
}
