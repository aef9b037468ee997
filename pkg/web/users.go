package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rensa/pkg/ledger"
)

// usersView is the page of users and tokens.
type usersView struct {
	Users     []ledger.User
	Tokens    []ledger.Token
	Merchants []string
	Roles     []ledger.Role
	// What was typed, where it has to be typed again.
	Form    userForm
	Token   userForm
	Problem string
	// Secret is shown once: a link for a user, or a token.
	Link, LinkFor, Secret string
	Now                   time.Time
}

// userForm is what somebody may do, as typed.
type userForm struct {
	Name    string
	Role    ledger.Role
	All     bool
	Chosen  map[string]bool // merchants
	Expires string          // days
}

func (s *Server) usersView(r *http.Request) (*usersView, error) {
	d := &usersView{Roles: ledger.Roles(), Now: s.Now(), Form: userForm{Role: ledger.RoleViewer}, Token: userForm{Role: ledger.RoleViewer, Expires: "365"}}
	var err error
	if d.Users, err = s.Ledger.Users(r.Context()); err != nil {
		return nil, err
	}
	if d.Tokens, err = s.Ledger.Tokens(r.Context()); err != nil {
		return nil, err
	}
	all, err := s.Ledger.Merchants(r.Context())
	for i := range all {
		d.Merchants = append(d.Merchants, all[i].ID)
	}
	return d, err
}

// scopeForm reads what somebody may do. A form without a merchant is refused:
// such a user could do nothing.
func (d *usersView) scopeForm(r *http.Request) (userForm, ledger.Access, bool) {
	f := userForm{
		Name: strings.TrimSpace(r.PostForm.Get("name")), Role: ledger.Role(r.PostForm.Get("role")), All: r.PostForm.Get("all") != "",
		Chosen: map[string]bool{}, Expires: r.PostForm.Get("expires"),
	}
	a := ledger.Access{Role: f.Role, AllMerchants: f.All}
	for _, m := range r.PostForm["merchants"] {
		if slices.Contains(d.Merchants, m) && !f.Chosen[m] {
			f.Chosen[m] = true
			a.Merchants = append(a.Merchants, m)
		}
	}
	if a.AllMerchants {
		a.Merchants = nil
	}
	return f, a, f.Role.Known() && (f.All || len(a.Merchants) > 0)
}

func (s *Server) usersPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.usersView(r)
	if err != nil {
		return err
	}
	return s.render(w, r, v, "users.html", d)
}

func (s *Server) addUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.usersView(r)
	if err != nil {
		return err
	}
	var access ledger.Access
	var ok bool
	d.Form, access, ok = d.scopeForm(r)
	name, err := UserName(d.Form.Name)
	switch {
	case err != nil:
		d.Problem = v.texts.T("web.users.name_bad")
	case !ok:
		d.Problem = v.texts.T("web.users.scope_missing")
	default:
		note := ledger.Note{Actor: v.actor(), What: "user added", Subject: name, Detail: Describe(&access), Address: s.client(r)}
		err = s.Ledger.AddUser(r.Context(), ledger.User{ID: name, Access: access}, note)
		if errors.Is(err, ledger.ErrExists) {
			d.Problem = v.texts.T("web.users.exists", "name", name)
		} else if err != nil {
			return err
		}
	}
	if d.Problem != "" {
		return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "users.html", d)
	}
	return s.showLink(w, r, v, name)
}

// showLink makes a link for a user and shows it, once.
func (s *Server) showLink(w http.ResponseWriter, r *http.Request, v *visit, user string) error {
	path, err := NewLink(r.Context(), s.Ledger, user, v.actor(), s.Now())
	if errors.Is(err, ledger.ErrRefused) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	d, err := s.usersView(r)
	if err != nil {
		return err
	}
	d.Link, d.LinkFor = s.Address()+path, user
	return s.render(w, r, v, "users.html", d)
}

func (s *Server) linkUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.showLink(w, r, v, r.PathValue("user"))
}

// userView is the page of one user.
type userView struct {
	usersView
	Of   ledger.User
	Self bool
}

func (s *Server) userView(r *http.Request, v *visit) (*userView, error) {
	all, err := s.usersView(r)
	if err != nil {
		return nil, err
	}
	u, err := s.Ledger.User(r.Context(), r.PathValue("user"))
	if err != nil {
		return nil, err
	}
	d := &userView{usersView: *all, Of: u, Self: u.ID == v.user.ID}
	d.Form = userForm{Name: u.Name, Role: u.Role, All: u.AllMerchants, Chosen: map[string]bool{}}
	for _, m := range u.Merchants {
		d.Form.Chosen[m] = true
	}
	return d, nil
}

func (s *Server) userPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.userView(r, v)
	if err != nil {
		return err
	}
	return s.render(w, r, v, "user.html", d)
}

// setUser changes what somebody else may do: nobody takes rights from oneself, so
// that there is always one who can give them.
func (s *Server) setUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.userView(r, v)
	if err != nil {
		return err
	}
	if d.Self {
		return refuse(http.StatusConflict, "web.err.oneself")
	}
	u := d.Of
	var ok bool
	d.Form, u.Access, ok = d.scopeForm(r)
	if !ok {
		d.Problem = v.texts.T("web.users.scope_missing")
		return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "user.html", d)
	}
	note := ledger.Note{
		Actor: v.actor(), What: "user changed", Subject: u.ID, Address: s.client(r),
		Detail: Describe(&d.Of.Access) + " → " + Describe(&u.Access),
	}
	if err := s.Ledger.SetUser(r.Context(), u, note); err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.saved"))
	return see(w, r, "/users")
}

func (s *Server) removeUser(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.PathValue("user")
	if id == v.user.ID {
		return refuse(http.StatusConflict, "web.err.oneself")
	}
	note := ledger.Note{Actor: v.actor(), What: "user removed", Subject: id, Address: s.client(r)}
	if err := s.Ledger.RemoveUser(r.Context(), id, note); err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.users.removed", "name", id))
	return see(w, r, "/users")
}

// addToken shows the secret of a new token, once.
func (s *Server) addToken(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.usersView(r)
	if err != nil {
		return err
	}
	var access ledger.Access
	var ok bool
	d.Token, access, ok = d.scopeForm(r)
	expires, err := strconv.Atoi(d.Token.Expires)
	switch {
	case d.Token.Name == "" || len(d.Token.Name) > 100:
		d.Problem = v.texts.T("web.tokens.name_missing")
	case !ok:
		d.Problem = v.texts.T("web.users.scope_missing")
	case err != nil || expires < 1 || expires > 3650:
		d.Problem = v.texts.T("web.tokens.expires_bad")
	}
	if d.Problem != "" {
		return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "users.html", d)
	}
	k := ledger.Token{Name: d.Token.Name, Access: access, User: v.user.ID, Expires: s.Now().AddDate(0, 0, expires)}
	_, secret, err := NewToken(r.Context(), s.Ledger, k, v.actor())
	if err != nil {
		return err
	}
	if d, err = s.usersView(r); err != nil {
		return err
	}
	d.Secret = secret
	return s.render(w, r, v, "users.html", d)
}

func (s *Server) removeToken(w http.ResponseWriter, r *http.Request, v *visit) error {
	id := r.PathValue("token")
	note := ledger.Note{Actor: v.actor(), What: "token removed", Subject: id, Address: s.client(r)}
	if err := s.Ledger.RemoveToken(r.Context(), id, note); err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.tokens.removed"))
	return see(w, r, "/users")
}

// auditView is a page of what was done by and to users.
type auditView struct {
	Notes       []ledger.Note
	Next, First string
}

func (s *Server) auditPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	d := &auditView{}
	cursor := r.URL.Query().Get("cursor")
	list, next, err := s.Ledger.Notes(r.Context(), 100, cursor)
	if err != nil {
		return err
	}
	d.Notes = list
	if next != "" {
		d.Next = "/audit?cursor=" + next
	}
	if cursor != "" {
		d.First = "/audit"
	}
	return s.render(w, r, v, "audit.html", d)
}
