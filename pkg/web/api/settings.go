package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"rensa/pkg/ledger"
)

// NewMerchant is what a merchant is made of.
type NewMerchant struct {
	ID        string            `json:"id" minLength:"1" maxLength:"40" pattern:"^[A-Za-z0-9_][A-Za-z0-9._-]*$"`
	HomeStore string            `json:"home_store" minLength:"2" maxLength:"2" example:"SE"`
	Settings  map[string]string `json:"settings,omitempty" doc:"by key"`
}

func (a *API) settingOperations() {
	add(a, operation(http.MethodPatch, "/merchants/{merchant}", "setMerchant", "Merchants", "Change settings of a merchant",
		"By key, as `merchants set` takes them; all of them or none. Every change stands in the merchant's history."),
		need{ledger.RoleAdmin, ofPath}, a.setMerchant)
	create := operation(http.MethodPost, "/merchants", "addMerchant", "Merchants", "Add a merchant", "")
	create.DefaultStatus = http.StatusCreated
	add(a, create, need{ledger.RoleAdmin, ofAll}, a.addMerchant)
}

type setInput struct {
	Merchant string `path:"merchant" doc:"id of the merchant"`
	Body     struct {
		Settings map[string]string `json:"settings" doc:"by key; an empty value takes a text, a list or an override away"`
	}
}

// assignments writes settings as KEY=VALUE: the store first, since others are held
// against it.
func assignments(settings map[string]string) []string {
	keys := slices.SortedFunc(maps.Keys(settings), func(x, y string) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x, y))
	})
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k + "=" + settings[k]
	}
	return all
}

func rank(key string) int {
	if key == "home_store" {
		return 0
	}
	return 1
}

var errNotOffered = refuse(http.StatusNotImplemented, "not_offered")

func (a *API) setMerchant(ctx context.Context, c *call, in *setInput) (*merchantOutput, error) {
	if a.Settle == nil {
		return nil, errNotOffered
	}
	if _, err := a.Settle(context.WithoutCancel(ctx), c.actor(), c.merchant.ID, assignments(in.Body.Settings)); err != nil {
		return nil, err
	}
	m, err := a.Ledger.Merchant(ctx, c.merchant.ID)
	return &merchantOutput{Body: merchantOf(&m)}, err
}

type addInput struct{ Body NewMerchant }

func (a *API) addMerchant(ctx context.Context, c *call, in *addInput) (*merchantOutput, error) {
	if a.AddMerchant == nil {
		return nil, errNotOffered
	}
	b := &in.Body
	if _, err := a.Ledger.Merchant(ctx, b.ID); !errors.Is(err, ledger.ErrNotFound) {
		return nil, cmp.Or(err, error(refuse(http.StatusConflict, "merchant_exists", "id", b.ID)))
	}
	if err := a.AddMerchant(context.WithoutCancel(ctx), c.actor(), b.ID, b.HomeStore, assignments(b.Settings)); err != nil {
		return nil, err
	}
	m, err := a.Ledger.Merchant(ctx, b.ID)
	return &merchantOutput{Body: merchantOf(&m)}, err
}
