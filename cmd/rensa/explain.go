package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"rensa/pkg/process"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain RUN ROW", Short: a.t("cli.about.explain"), Long: a.t("cli.about.explain_long"), Args: a.wants(2, 2),
		Example: "  rensa explain last 5",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.explain(cmd.Context(), args[0], args[1])
		},
	}
}

func (a *app) explain(ctx context.Context, id, row string) error {
	n, err := strconv.Atoi(row)
	if err != nil || n < 1 {
		return usage("cli.err.row", "given", row).hint("cli.hint.row")
	}
	ws, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer ws.Close()
	m, err := ws.merchant(ctx, a.merchant)
	if err != nil {
		return err
	}
	run, err := ws.findRun(ctx, &m, id, removal.KindUpload)
	if err != nil {
		return err
	}
	p, err := ws.processor(nil)
	if err != nil {
		return err
	}
	e, err := p.Explain(ctx, m.ID, run.ID, n)
	if errors.Is(err, process.ErrNoRow) {
		return usage("cli.err.row_unknown", "run", run.ID, "row", n).hint("cli.hint.row")
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.answer(a.explanation(ws, e, &m))
	}
	return a.explainText(ws, e, &m)
}

type findingDocument struct {
	Code     string            `json:"code"`
	Severity string            `json:"severity"`
	Field    string            `json:"field"`
	Message  string            `json:"message"`
	Hint     string            `json:"hint"`
	Facts    map[string]string `json:"facts"`
}

func (a *app) explanation(ws *workspace, e *process.Explanation, m *removal.Merchant) map[string]any {
	findings := make([]findingDocument, len(e.Findings))
	for i := range e.Findings {
		p := &e.Findings[i].Problem
		message, hint := report.Say(a.texts, ws.policy, p)
		findings[i] = findingDocument{
			Code: p.Code.String(), Severity: p.Code.Severity().String(), Field: p.Field.String(),
			Message: message, Hint: hint, Facts: map[string]string{},
		}
		for _, arg := range p.Args {
			findings[i].Facts[arg.Name] = arg.Value
		}
	}
	o := &e.Outcome
	d := map[string]any{
		"run_id": e.Run.ID, "merchant": m.ID, "file_name": e.Run.FileName, "row": o.Row, "line": o.Line,
		"order_id": e.OrderID, "method": e.Order.Method.String(), "sku": e.SKU, "fnsku": e.FNSKU, "status": o.Status.String(),
		"requested": conditions{o.Sellable, o.Unsellable}, "accepted": conditions{o.TakenSellable, o.TakenUnsellable},
		"fee": nil, "policy_version": e.Run.PolicyVersion, "acceptance": e.Run.Acceptance,
		"snapshot": nil, "problems": findings,
	}
	if o.HasFee {
		d["fee"] = o.Fee
	}
	if e.Snapshot != nil {
		d["snapshot"] = snapshotFacts(e.Snapshot, m)
	}
	return d
}

func (a *app) explainText(ws *workspace, e *process.Explanation, m *removal.Merchant) error {
	o := &e.Outcome
	place := a.t("cli.problem.place", "row", o.Row)
	a.say(a.style.bold(place) + a.style.dim("  "+printable(e.Run.FileName)+"  "+e.Run.ID))
	l := &labels{app: a}
	status := a.t("word.status." + o.Status.String())
	switch o.Status {
	case removal.Accepted:
		status = a.style.green(status)
	case removal.Rejected:
		status = a.style.red(status)
	case removal.Seen:
		status = a.style.yellow(status)
	}
	l.add("decision", status)
	order := printable(e.OrderID)
	if e.Order.Method != removal.MethodNone {
		order = strings.TrimSpace(order + " (" + a.t("word.method."+e.Order.Method.String()) + ")")
	}
	if order != "" {
		l.add("order", order)
	}
	if e.SKU != "" {
		l.add("pool", printable(e.SKU)+" "+printable(e.FNSKU))
	}
	l.add("asked", a.t("cli.run.units", "sellable", o.Sellable, "unsellable", o.Unsellable))
	if o.Status == removal.Accepted {
		l.add("taken", a.t("cli.run.units", "sellable", o.TakenSellable, "unsellable", o.TakenUnsellable))
	}
	if o.HasFee {
		store, err := ws.policy.Store(m.Profile.HomeStore, e.Run.Started, m.Profile.Policy)
		if err != nil {
			return fmt.Errorf("the merchant's store: %w", err)
		}
		l.add("fee", a.fee(&o.Fee, store.Currency))
	}
	if e.Snapshot != nil {
		l.add("snapshot", a.t("cli.run.snapshot", "date", snapshotFacts(e.Snapshot, m).Date))
	}
	l.add("policy", e.Run.PolicyVersion)
	l.show()
	if len(e.Findings) == 0 {
		a.say("  " + a.t("cli.explain.nothing"))
		return nil
	}
	for i := range e.Findings {
		a.problem(ws.policy, &e.Findings[i].Problem)
	}
	return nil
}
