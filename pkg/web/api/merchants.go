package api

import (
	"context"
	"net/http"
	"time"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// Merchant is a merchant with its settings.
type Merchant struct {
	ID       string            `json:"id"`
	Created  string            `json:"created" format:"date-time"`
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings" doc:"by key, as merchants set takes them" example:"{\"home_store\":\"SE\",\"acceptance\":\"row\"}"`
}

// Caller says what a token may do.
type Caller struct {
	Name      string   `json:"name"`
	Role      string   `json:"role" enum:"viewer,operator,admin"`
	All       bool     `json:"all_merchants"`
	Merchants []string `json:"merchants" nullable:"false"`
	Expires   string   `json:"expires" doc:"empty: never"`
}

func (a *API) merchantOperations() {
	add(a, operation(http.MethodGet, "/caller", "showCaller", "Merchants", "What this token may do", ""),
		need{ledger.RoleViewer, ofCaller}, a.showCaller)
	add(a, operation(http.MethodGet, "/merchants", "listMerchants", "Merchants", "The merchants that this token sees", ""),
		need{ledger.RoleViewer, ofCaller}, a.listMerchants)
	add(a, operation(http.MethodGet, "/merchants/{merchant}", "showMerchant", "Merchants", "One merchant with its settings", ""),
		need{ledger.RoleViewer, ofPath}, a.showMerchant)
}

type callerOutput struct{ Body Caller }

func (a *API) showCaller(ctx context.Context, c *call, _ *struct{}) (*callerOutput, error) {
	ids, err := a.seen(ctx, &c.Access)
	if err != nil {
		return nil, err
	}
	return &callerOutput{Body: Caller{c.Name, string(c.Role), c.AllMerchants, append([]string{}, ids...), c.time(c.Expires)}}, nil
}

type merchantsOutput struct {
	Body struct {
		Merchants []Merchant `json:"merchants" nullable:"false"`
	}
}

func (a *API) listMerchants(ctx context.Context, c *call, _ *struct{}) (*merchantsOutput, error) {
	all, err := a.Ledger.Merchants(ctx)
	if err != nil {
		return nil, err
	}
	out := &merchantsOutput{}
	out.Body.Merchants = []Merchant{}
	for i := range all {
		if c.Sees(all[i].ID) {
			out.Body.Merchants = append(out.Body.Merchants, merchantOf(&all[i]))
		}
	}
	return out, nil
}

func merchantOf(m *removal.Merchant) Merchant {
	d := Merchant{ID: m.ID, Created: m.Created.UTC().Format(time.RFC3339), Name: m.Profile.Name, Settings: map[string]string{}}
	for _, s := range ledger.Settings(m.Profile) {
		d.Settings[s.Key] = s.Value
	}
	return d
}

type merchantInput struct {
	Merchant string `path:"merchant" doc:"id of the merchant"`
}

type merchantOutput struct{ Body Merchant }

func (a *API) showMerchant(_ context.Context, c *call, _ *merchantInput) (*merchantOutput, error) {
	return &merchantOutput{Body: merchantOf(&c.merchant)}, nil
}
