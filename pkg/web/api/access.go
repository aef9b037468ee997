package api

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

// scope is whose things an operation is about.
type scope uint8

const (
	// ofMerchant: one merchant's, named by the parameter merchant or by the token.
	ofMerchant scope = iota
	// ofPath: one merchant's, named in the path.
	ofPath
	// ofCaller: nobody's but the caller's own; the handler looks at the scope.
	ofCaller
	// ofAll: everybody's; only who sees all merchants may.
	ofAll
)

// need is what an operation asks of its caller.
type need struct {
	role  ledger.Role
	scope scope
}

// call is a request that may be answered: who makes it, and for which merchant.
type call struct {
	ledger.Token
	merchant removal.Merchant // of scopes ofMerchant and ofPath
	zone     *time.Location
	texts    *templates.Texts
}

// actor is the caller as the history has it.
func (c *call) actor() string { return "api:" + cmp.Or(c.Name, c.ID) }

type contextKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(contextKey{}).(*call)
	return c
}

// needKey is under which name an operation's need stands in its metadata.
const needKey = "need"

// access is the one place where it is decided whether a request is answered.
func (a *API) access(hc huma.Context, next func(huma.Context)) {
	c, err := a.admit(hc)
	if err != nil {
		a.fail(hc, err)
		return
	}
	next(huma.WithValue(hc, contextKey{}, c))
}

func (a *API) admit(hc huma.Context) (*call, error) {
	need, ok := hc.Operation().Metadata[needKey].(need)
	if !ok {
		return nil, errors.New("an operation that says not what it needs: " + hc.Operation().OperationID)
	}
	caller, err := a.caller(hc)
	if err != nil {
		return nil, err
	}
	c := &call{Token: caller, texts: a.language(hc, "en"), zone: time.UTC}
	if !caller.Role.Covers(need.role) {
		return nil, refuse(http.StatusForbidden, "forbidden", "role", need.role, "has", caller.Role)
	}
	if need.scope == ofAll && !caller.AllMerchants {
		return nil, refuse(http.StatusForbidden, "forbidden_scope")
	}
	if need.scope != ofMerchant && need.scope != ofPath {
		return c, nil
	}
	given := hc.Query("merchant")
	if need.scope == ofPath {
		given = hc.Param("merchant")
	}
	if c.merchant, err = a.merchantOf(hc.Context(), &caller.Access, given); err != nil {
		return nil, err
	}
	c.texts = a.language(hc, c.merchant.Profile.Language)
	if c.zone, err = time.LoadLocation(c.merchant.Profile.TimeZone); err != nil {
		return nil, err
	}
	return c, nil
}

// caller finds out who asks, and counts the request.
func (a *API) caller(hc huma.Context) (ledger.Token, error) {
	var err error
	scheme, token, _ := strings.Cut(hc.Header("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		err = ledger.ErrNotFound
	} else {
		var caller ledger.Token
		if caller, err = a.Token(hc.Context(), token); err == nil {
			if wait, ok := a.callers.take(caller.ID); !ok {
				return ledger.Token{}, tooMany(wait)
			}
			return caller, nil
		}
	}
	if !errors.Is(err, ledger.ErrNotFound) {
		return ledger.Token{}, err
	}
	r, _ := humago.Unwrap(hc)
	address := a.Client(r)
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	if wait, ok := a.unknown.take(address); !ok {
		return ledger.Token{}, tooMany(wait)
	}
	f := refuse(http.StatusUnauthorized, "unauthorized")
	f.header = http.Header{"Www-Authenticate": {`Bearer realm="rensa"`}}
	return ledger.Token{}, f
}

func tooMany(wait time.Duration) error {
	f := refuse(http.StatusTooManyRequests, "rate_limited")
	f.header = http.Header{"Retry-After": {strconv.Itoa(int(wait/time.Second) + 1)}}
	return f
}

// merchantOf finds the merchant that is meant. One outside the caller's scope is
// answered like one that there is not.
func (a *API) merchantOf(ctx context.Context, caller *ledger.Access, given string) (removal.Merchant, error) {
	if given == "" {
		ids, err := a.seen(ctx, caller)
		if err != nil {
			return removal.Merchant{}, err
		}
		if len(ids) != 1 {
			return removal.Merchant{}, refuse(http.StatusUnprocessableEntity, "merchant_missing", "merchants", strings.Join(ids, ", "))
		}
		given = ids[0]
	}
	unknown := refuse(http.StatusNotFound, "merchant_unknown", "merchant", given)
	if !caller.Sees(given) {
		return removal.Merchant{}, unknown
	}
	m, err := a.Ledger.Merchant(ctx, given)
	if errors.Is(err, ledger.ErrNotFound) {
		err = unknown
	}
	return m, err
}

// seen are the ids of the merchants that a caller may see.
func (a *API) seen(ctx context.Context, caller *ledger.Access) ([]string, error) {
	if !caller.AllMerchants {
		return caller.Merchants, nil
	}
	all, err := a.Ledger.Merchants(ctx)
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	return ids, err
}
