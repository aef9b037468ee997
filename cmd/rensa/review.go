package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"path"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/pkg/storage"
)

// orderOf shows a draft as the order that it would be.
func orderOf(d *desk.Draft, currency string) *removal.Order {
	o := &removal.Order{
		Merchant: d.Merchant, ID: d.ID, Family: d.ID, State: removal.StateDraft, Method: d.Method, Source: removal.SourceDraft,
		Created: d.Created, Address: d.Address, Notes: d.Notes, Currency: currency, NoFee: len(d.Items),
	}
	for _, it := range d.Items {
		o.Lines = append(o.Lines, removal.Line{
			SKU: it.SKU, AskedSellable: it.Sellable, AskedUnsellable: it.Unsellable,
			Sellable: removal.Units{Requested: it.Sellable}, Unsellable: removal.Units{Requested: it.Unsellable},
		})
	}
	return o
}

func (o *office) currency() (string, error) {
	store, err := o.policy.Store(o.merchant.Profile.HomeStore, o.now(), o.merchant.Profile.Policy)
	return store.Currency, err
}

func (o *office) showDraft(ctx context.Context, d *desk.Draft) error {
	currency, err := o.currency()
	if err != nil {
		return err
	}
	history, err := o.ledger.History(ctx, o.merchant.ID, d.ID)
	if err != nil {
		return err
	}
	order := orderOf(d, currency)
	if o.app.json {
		return o.app.answer(detailsOf(order, history, &o.merchant))
	}
	o.app.orderText(order, history, &o.merchant)
	return nil
}

// reviewDocument is the review of a draft in an answer.
type reviewDocument struct {
	orderDetails
	Review reviewFacts `json:"review"`
}

type reviewFacts struct {
	Placeable      bool              `json:"placeable"`
	UploadRequired bool              `json:"upload_required"`
	UploadFile     string            `json:"upload_file"`
	Fee            *removal.Amount   `json:"fee"` // null where no line has a figure
	Currency       string            `json:"currency"`
	NoFee          int               `json:"lines_without_figure"`
	Snapshot       string            `json:"snapshot_date"`
	Shipping       windowDocument    `json:"shipping"`
	Problems       []problemDocument `json:"problems"`
}

type windowDocument struct {
	Speed   string `json:"speed"`
	From    string `json:"from"`
	To      string `json:"to"`
	MinDays int    `json:"working_days_min"`
	MaxDays int    `json:"working_days_max"`
	Peak    bool   `json:"peak"`
}

type problemDocument struct {
	SKU      string       `json:"sku"`
	Code     removal.Code `json:"code"`
	Severity string       `json:"severity"`
	Message  string       `json:"message"`
	Hint     string       `json:"hint"`
}

// showReview shows what placing a draft would do; file is where the ready upload
// file lies, "" for none.
func (o *office) showReview(ctx context.Context, r *desk.Review, file string) error {
	history, err := o.ledger.History(ctx, o.merchant.ID, r.ID)
	if err != nil {
		return err
	}
	order := orderOf(&r.Draft, r.Currency)
	order.Fee, order.NoFee, order.NoFeeReason = r.Fee, r.NoFee, r.NoFeeReason
	for i := range r.Items {
		order.Lines[i].FNSKU = r.Items[i].FNSKU
	}
	if !r.Placeable {
		order.NoFee = len(order.Lines)
	}
	a := o.app
	if a.json {
		doc := reviewDocument{detailsOf(order, history, &o.merchant), reviewFacts{
			Placeable: r.Placeable, UploadRequired: r.UploadRequired, UploadFile: file, Currency: r.Currency, NoFee: r.NoFee,
			Snapshot: timeText(r.Snapshot.In(zoneOf(&o.merchant))),
			Shipping: windowDocument{"standard", r.Window.From.Format(time.DateOnly), r.Window.To.Format(time.DateOnly),
				r.Window.MinDays, r.Window.MaxDays, r.Window.Peak},
			Problems: []problemDocument{},
		}}
		if r.HasFee() {
			doc.Review.Fee = &r.Fee
		}
		for i := range r.Problems {
			p := &r.Problems[i]
			message, hint := o.reviewText(r.ID, p)
			doc.Review.Problems = append(doc.Review.Problems, problemDocument{p.SKU, p.Code, p.Code.Severity().String(), message, hint})
		}
		return a.answer(doc)
	}
	a.orderText(order, history, &o.merchant)
	a.say("")
	l := &labels{app: a}
	l.add("shipping", a.t("cli.review.window", "min", r.Window.MinDays, "max", r.Window.MaxDays,
		"from", r.Window.From.Format(time.DateOnly), "to", r.Window.To.Format(time.DateOnly)))
	switch {
	case r.Placeable:
		l.add("decision", a.style.green(a.t("cli.review.placeable", "id", r.ID)))
	case r.UploadRequired:
		l.add("decision", a.style.yellow(a.t("cli.review.upload", "id", r.ID)))
	default:
		l.add("decision", a.style.red(a.t("cli.review.refused")))
	}
	l.show()
	for i := range r.Problems {
		o.reviewProblem(r.ID, &r.Problems[i])
	}
	if file != "" {
		a.say("  " + a.t("cli.review.file", "file", a.near(file)))
	}
	return nil
}

// reviewText gives message and hint of a problem of a draft, which has no columns and
// rows that a hint could speak of.
func (o *office) reviewText(id string, p *removal.Problem) (message, hint string) {
	message, hint = report.Say(o.app.texts, o.policy, p)
	if desk.SpeaksOfFile(p.Code) {
		hint = ""
	}
	if p.Code == removal.AddressFieldMissing {
		hint = o.app.t("cli.review.address", "id", id, "part", p.Args.Get("field"))
	}
	return message, hint
}

func (o *office) reviewProblem(id string, p *removal.Problem) {
	a := o.app
	message, hint := o.reviewText(id, p)
	code := a.style.yellow(p.Code.String())
	if p.Code.IsError() {
		code = a.style.red(p.Code.String())
	}
	a.say("    " + printable(cmp.Or(p.SKU, id)) + "  " + code)
	a.say("      " + printable(message))
	if hint != "" {
		a.say("      " + a.style.dim(a.t("cli.problem.hint", "hint", printable(hint))))
	}
}

// reviewDraft is orders show --review.
func (o *office) reviewDraft(ctx context.Context, id string) error {
	r, err := o.desk.Review(ctx, o.merchant.ID, id)
	if errors.Is(err, ledger.ErrNotFound) {
		return noDraft(id)
	}
	if err != nil {
		return err
	}
	return o.showReview(ctx, r, "")
}

func (a *app) ordersPlace() *cobra.Command {
	return &cobra.Command{
		Use: "place ID", Short: a.t("cli.about.orders_place"), Long: a.t("cli.about.orders_place_long"), Args: a.wants(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.atDesk(cmd.Context(), func(o *office) error { return o.place(cmd.Context(), args[0]) })
		},
	}
}

// place places a draft and hands on what is due. One that cannot be placed is
// answered with its review, and exit code 3.
func (o *office) place(ctx context.Context, id string) error {
	placed, err := o.desk.Place(ctx, o.merchant.ID, id, o.actor)
	if errors.Is(err, ledger.ErrNotFound) {
		return noDraft(id)
	}
	if not, ok := errors.AsType[*desk.NotPlaced](err); ok {
		file, err := o.offer(not.Review)
		if err != nil {
			return err
		}
		if err := o.showReview(ctx, not.Review, file); err != nil {
			return err
		}
		return ended(exitRejected)
	}
	if err != nil {
		return err
	}
	if _, err := o.desk.ReleaseDue(ctx, o.merchant.ID); err != nil {
		return err
	}
	return o.app.showOrderOf(ctx, o.workspace, &o.merchant, placed[0].ID)
}

// offer writes the ready upload file of an order that can be made by file only.
func (o *office) offer(r *desk.Review) (file string, err error) {
	if !r.UploadRequired {
		return "", nil
	}
	d, err := storage.Open(o.dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	name := path.Join("reports", o.merchant.ID, r.UploadName)
	if _, err := d.Replace(name, bytes.NewReader(r.Upload)); err != nil {
		return "", err
	}
	return filepath.Join(o.dir, filepath.FromSlash(name)), nil
}
