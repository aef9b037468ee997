package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rensa/pkg/ledger"
)

// Access is what somebody may do, and with which merchants.
type Access struct {
	Role      string   `json:"role" enum:"viewer,operator,admin"`
	All       bool     `json:"all_merchants" required:"false" doc:"every merchant, those too that are added later"`
	Merchants []string `json:"merchants" required:"false" nullable:"false" maxItems:"1000"`
}

func accessOf(a *ledger.Access) Access {
	return Access{string(a.Role), a.AllMerchants, append([]string{}, a.Merchants...)}
}

func (a *Access) domain() (ledger.Access, error) {
	if a.All == (len(a.Merchants) > 0) {
		return ledger.Access{}, badParam("body.merchants", "all_merchants, or the merchants by name")
	}
	return ledger.Access{Role: ledger.Role(a.Role), AllMerchants: a.All, Merchants: a.Merchants}, nil
}

// Token is a token without its secret.
type Token struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Access
	User    string `json:"user" doc:"who made it and with whom it ends; empty where nobody did"`
	Created string `json:"created" format:"date-time"`
	Expires string `json:"expires" doc:"empty: never"`
	Used    string `json:"used" doc:"last, to the hour; empty: never"`
}

// User is somebody who may sign in to the page.
type User struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Access
	HasPassword bool   `json:"has_password" doc:"false: nobody can sign in yet"`
	Created     string `json:"created" format:"date-time"`
}

func (a *API) peopleOperations() {
	boss := need{ledger.RoleAdmin, ofAll}
	op := func(method, path, id, summary, description string) huma.Operation {
		o := operation(method, path, id, "Access", summary, description)
		if method == http.MethodPost {
			o.DefaultStatus = http.StatusCreated
		}
		return o
	}
	add(a, op(http.MethodGet, "/tokens", "listTokens", "Tokens, the newest first", ""), boss, a.listTokens)
	add(a, op(http.MethodPost, "/tokens", "addToken", "Add a token", "Its secret stands in this answer and nowhere else."), boss, a.addToken)
	add(a, op(http.MethodDelete, "/tokens/{token}", "removeToken", "Take a token away", ""), boss, a.removeToken)
	add(a, op(http.MethodGet, "/users", "listUsers", "Users", ""), boss, a.listUsers)
	add(a, op(http.MethodPost, "/users", "addUser", "Add a user",
		"Answered with a one-time link by which the user chooses a password."), boss, a.addUser)
	add(a, op(http.MethodDelete, "/users/{user}", "removeUser", "Take a user away", "With the tokens that the user made."), boss, a.removeUser)
	add(a, op(http.MethodPost, "/users/{user}/link", "linkUser", "Give a user a new one-time link", ""), boss, a.linkUser)
}

type tokensOutput struct {
	Body struct {
		Tokens []Token `json:"tokens" nullable:"false"`
	}
}

func (a *API) listTokens(ctx context.Context, c *call, _ *struct{}) (*tokensOutput, error) {
	all, err := a.Ledger.Tokens(ctx)
	out := &tokensOutput{}
	out.Body.Tokens = make([]Token, len(all))
	for i := range all {
		out.Body.Tokens[i] = c.token(&all[i])
	}
	return out, err
}

func (c *call) token(k *ledger.Token) Token {
	return Token{k.ID, k.Name, accessOf(&k.Access), k.User, c.time(k.Created), c.time(k.Expires), c.time(k.Used)}
}

type addTokenInput struct {
	Body struct {
		Name string `json:"name" minLength:"1" maxLength:"100" doc:"what it is for"`
		Access
		Expires time.Time `json:"expires,omitempty" doc:"absent: never"`
	}
}

type addTokenOutput struct {
	Body struct {
		Token
		Secret string `json:"secret" doc:"shown this once"`
	}
}

func (a *API) addToken(ctx context.Context, c *call, in *addTokenInput) (*addTokenOutput, error) {
	access, err := in.Body.domain()
	if err != nil {
		return nil, err
	}
	if e := in.Body.Expires; !e.IsZero() && !e.After(a.Now()) {
		return nil, badParam("body.expires", "a time to come")
	}
	k, secret, err := a.NewToken(context.WithoutCancel(ctx), ledger.Token{Name: in.Body.Name, Access: access, Expires: in.Body.Expires, User: c.User}, c.actor())
	if errors.Is(err, ledger.ErrRefused) {
		err = badParam("body.merchants", "merchants that there are")
	}
	if err != nil {
		return nil, err
	}
	out := &addTokenOutput{}
	if k.Created.IsZero() {
		k.Created = a.Now()
	}
	out.Body.Token, out.Body.Secret = c.token(&k), secret
	return out, nil
}

type tokenInput struct {
	Token string `path:"token" doc:"id of the token"`
}

func (a *API) removeToken(ctx context.Context, c *call, in *tokenInput) (*struct{}, error) {
	return nil, a.Ledger.RemoveToken(context.WithoutCancel(ctx), in.Token, ledger.Note{Actor: c.actor(), What: "token removed", Subject: in.Token})
}

type usersOutput struct {
	Body struct {
		Users []User `json:"users" nullable:"false"`
	}
}

func (a *API) listUsers(ctx context.Context, c *call, _ *struct{}) (*usersOutput, error) {
	all, err := a.Ledger.Users(ctx)
	out := &usersOutput{}
	out.Body.Users = make([]User, len(all))
	for i := range all {
		out.Body.Users[i] = c.user(&all[i])
	}
	return out, err
}

func (c *call) user(u *ledger.User) User {
	return User{u.ID, u.Shown(), accessOf(&u.Access), u.Password != "", c.time(u.Created)}
}

type addUserInput struct {
	Body struct {
		ID   string `json:"id" minLength:"1" maxLength:"64" doc:"the name to sign in with"`
		Name string `json:"name,omitempty" maxLength:"100"`
		Access
	}
}

type linkOutput struct {
	Body struct {
		User string `json:"user"`
		Link string `json:"link" format:"uri-reference" doc:"path on this server, good once and for three days"`
	}
}

func (a *API) addUser(ctx context.Context, c *call, in *addUserInput) (*linkOutput, error) {
	access, err := in.Body.domain()
	if err != nil {
		return nil, err
	}
	id, err := a.UserName(in.Body.ID)
	if err != nil {
		return nil, badParam("body.id", "letters, digits and . _ - @ +")
	}
	ctx = context.WithoutCancel(ctx)
	err = a.Ledger.AddUser(ctx, ledger.User{ID: id, Name: in.Body.Name, Access: access}, ledger.Note{Actor: c.actor(), What: "user added", Subject: id})
	switch {
	case errors.Is(err, ledger.ErrRefused):
		return nil, badParam("body.merchants", "merchants that there are")
	case errors.Is(err, ledger.ErrExists):
		return nil, refuse(http.StatusConflict, "user_exists", "id", id)
	case err != nil:
		return nil, err
	}
	return a.linkUser(ctx, c, &userInput{User: id})
}

type userInput struct {
	User string `path:"user" doc:"the name to sign in with"`
}

func (a *API) linkUser(ctx context.Context, c *call, in *userInput) (*linkOutput, error) {
	if _, err := a.Ledger.User(ctx, in.User); err != nil {
		return nil, err
	}
	link, err := a.NewLink(context.WithoutCancel(ctx), in.User, c.actor())
	out := &linkOutput{}
	out.Body.User, out.Body.Link = in.User, link
	return out, err
}

func (a *API) removeUser(ctx context.Context, c *call, in *userInput) (*struct{}, error) {
	return nil, a.Ledger.RemoveUser(context.WithoutCancel(ctx), in.User, ledger.Note{Actor: c.actor(), What: "user removed", Subject: in.User})
}
