package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"rensa/pkg/ledger"
)

// How long things are good that let people in.
const (
	// LinkFor is how long a one-time sign-in link is good.
	LinkFor    = 72 * time.Hour
	sessionFor = 7 * 24 * time.Hour
)

// ErrUserName says that a name cannot be one to sign in with.
var ErrUserName = errors.New("not a name to sign in with")

// UserName gives the form in which a name to sign in with is kept: lower case, 1
// to 64 letters, digits and . _ - @. ErrUserName.
func UserName(name string) (string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-@+", r)) {
			return "", ErrUserName
		}
	}
	if name == "" || len(name) > 64 {
		return "", ErrUserName
	}
	return name, nil
}

// NewLink gives a user a one-time link to choose a password, and returns its path
// with the secret, to be put after the server's address.
func NewLink(ctx context.Context, l *ledger.Ledger, user, actor string, now time.Time) (string, error) {
	secret := newSecret()
	note := ledger.Note{Actor: actor, What: "sign-in link made", Subject: user}
	if err := l.AddLink(ctx, user, hashSecret(secret), now.Add(LinkFor), note); err != nil {
		return "", err
	}
	return "/welcome?" + url.Values{"link": {secret}}.Encode(), nil
}

// FirstUser is the name of the user that is made where there is none.
const FirstUser = "admin"

// FirstLink gives the path of a one-time link to the first user, made where there
// is none; "" once anybody has a password.
func FirstLink(ctx context.Context, l *ledger.Ledger, now time.Time) (string, error) {
	users, err := l.Users(ctx)
	if err != nil {
		return "", err
	}
	first := -1
	for i := range users {
		if users[i].Password != "" {
			return "", nil
		}
		if users[i].Everything() && first < 0 {
			first = i
		}
	}
	if first >= 0 {
		return NewLink(ctx, l, users[first].ID, "serve", now)
	}
	u := ledger.User{ID: FirstUser, Access: ledger.Access{Role: ledger.RoleAdmin, AllMerchants: true}}
	err = l.AddUser(ctx, u, ledger.Note{Actor: "serve", What: "user added", Subject: u.ID})
	if err != nil && !errors.Is(err, ledger.ErrExists) { // another process was first
		return "", err
	}
	return NewLink(ctx, l, u.ID, "serve", now)
}

// tokenPrefix begins every API token, so that scanners for leaked secrets can
// tell what it is.
const tokenPrefix = "rensa_"

// NewToken adds an API token and returns its secret, which is kept nowhere.
func NewToken(ctx context.Context, l *ledger.Ledger, k ledger.Token, actor string) (ledger.Token, string, error) {
	secret := tokenPrefix + newSecret() + newSecret()
	k.ID, k.Hash = newSecret()[:10], hashSecret(secret)
	note := ledger.Note{Actor: actor, What: "token added", Subject: k.ID, Detail: k.Name + ": " + Describe(&k.Access)}
	if err := l.AddToken(ctx, k, note); err != nil {
		return ledger.Token{}, "", err
	}
	return k, secret, nil
}

// Describe tells what somebody may do, for the audit.
func Describe(a *ledger.Access) string {
	scope := "all merchants"
	if !a.AllMerchants {
		names := slices.Clone(a.Merchants)
		slices.Sort(names)
		scope = strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s of %s", a.Role, scope)
}
