package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Conditions are quantities by condition.
type Conditions struct {
	Sellable   int64 `json:"sellable"`
	Unsellable int64 `json:"unsellable"`
}

// Snapshot is the stock of a merchant at one moment.
type Snapshot struct {
	ID         string `json:"id"`
	Date       string `json:"date" doc:"RFC 3339, or the day alone where no time is known"`
	Kind       string `json:"kind"`
	SKUs       int64  `json:"skus"`
	Pools      int64  `json:"pools"`
	Sellable   int64  `json:"sellable"`
	Unsellable int64  `json:"unsellable"`
}

// Stock is one SKU of the current stock.
type Stock struct {
	SKU       string     `json:"sku"`
	FNSKU     string     `json:"fnsku"`
	ASIN      string     `json:"asin"`
	Title     string     `json:"title"`
	Pool      Conditions `json:"pool" doc:"units of its pool in the snapshot"`
	Open      Conditions `json:"open" doc:"what removals take of them that the snapshot does not show"`
	Available Conditions `json:"available"`
	Snapshot  Snapshot   `json:"snapshot"`
}

// StockFound is one SKU that a search found.
type StockFound struct {
	SKU       string     `json:"sku"`
	FNSKU     string     `json:"fnsku"`
	ASIN      string     `json:"asin"`
	Title     string     `json:"title"`
	Available Conditions `json:"available"`
}

func (a *API) stockOperations() {
	look := need{role: ledger.RoleViewer}
	add(a, operation(http.MethodGet, "/inventory", "showInventory", "Inventory", "The current stock as a whole", ""), look, a.showInventory)
	add(a, operation(http.MethodGet, "/inventory/skus", "searchStock", "Inventory", "Search the stock",
		"By title, MSKU, ASIN or FNSKU."), look, a.searchStock)
	add(a, operation(http.MethodGet, "/inventory/skus/{sku}", "showStock", "Inventory", "One SKU of the stock", ""), look, a.showStock)
}

type inventoryInput struct{ MerchantParam }

type inventoryOutput struct {
	Body struct {
		Snapshot Snapshot   `json:"snapshot"`
		Open     Conditions `json:"open" doc:"what removals take of it that it does not show"`
	}
}

func (a *API) showInventory(ctx context.Context, c *call, _ *inventoryInput) (*inventoryOutput, error) {
	t, err := a.Desk.Totals(ctx, c.merchant.ID)
	if err != nil {
		return nil, err
	}
	out := &inventoryOutput{}
	out.Body.Open = Conditions{t.OpenSellable, t.OpenUnsellable}
	out.Body.Snapshot, err = a.snapshot(ctx, c)
	return out, err
}

// snapshot tells of the current one. ErrNoSnapshot.
func (a *API) snapshot(ctx context.Context, c *call) (Snapshot, error) {
	s, err := a.Ledger.Snapshot(ctx, c.merchant.ID)
	if err == nil && s == nil {
		err = desk.ErrNoSnapshot
	}
	if err != nil {
		return Snapshot{}, err
	}
	layout := time.RFC3339
	if !s.DateHasTime {
		layout = time.DateOnly
	}
	return Snapshot{s.ID, s.Date.In(c.zone).Format(layout), string(s.Kind), s.SKUs, s.Pools, s.Sellable, s.Unsellable}, nil
}

type searchInput struct {
	MerchantParam
	Text  string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"all words of it must be found in one SKU's title, MSKU, ASIN or FNSKU"`
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"20"`
}

type searchOutput struct {
	Body struct {
		SKUs  []StockFound `json:"skus" nullable:"false"`
		Total int          `json:"total" doc:"how many there are"`
	}
}

func (a *API) searchStock(ctx context.Context, c *call, in *searchInput) (*searchOutput, error) {
	found, err := a.Desk.Find(ctx, c.merchant.ID, in.Text, 0, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &searchOutput{}
	out.Body.SKUs, out.Body.Total = make([]StockFound, len(found.Items)), found.Total
	for i, f := range found.Items {
		out.Body.SKUs[i] = StockFound{f.SKU, f.FNSKU, f.ASIN, f.Title, Conditions{f.Sellable, f.Unsellable}}
	}
	return out, nil
}

type stockInput struct {
	MerchantParam
	SKU string `path:"sku" doc:"exactly"`
}

type stockOutput struct{ Body Stock }

func (a *API) showStock(ctx context.Context, c *call, in *stockInput) (*stockOutput, error) {
	found, err := a.Desk.Item(ctx, c.merchant.ID, in.SKU)
	if errors.Is(err, desk.ErrNoItem) {
		return nil, a.unknownSKU(ctx, c, in.SKU)
	}
	if err != nil {
		return nil, err
	}
	s := &found.Items[0]
	out := &stockOutput{Body: Stock{
		SKU: s.SKU, FNSKU: s.FNSKU, ASIN: s.ASIN, Title: s.Title, Pool: Conditions{s.PoolSellable, s.PoolUnsellable},
		Open:      Conditions{s.OpenSellable, s.OpenUnsellable},
		Available: Conditions{s.PoolSellable - s.OpenSellable, s.PoolUnsellable - s.OpenUnsellable},
	}}
	out.Body.Snapshot, err = a.snapshot(ctx, c)
	return out, err
}

// unknownSKU answers for a SKU that the stock has not with what was probably meant.
func (a *API) unknownSKU(ctx context.Context, c *call, sku string) error {
	why, err := a.Desk.Suggest(ctx, c.merchant.ID, sku)
	if err != nil {
		return err
	}
	return refuseFor(http.StatusNotFound, removal.Problem{
		Code: why.Code, Field: removal.FieldSKU, Value: sku, Args: removal.Args{}.Arg("candidates", strings.Join(why.Candidates, "\n")),
	})
}
