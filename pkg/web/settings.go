package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"rensa/pkg/ledger"
	"rensa/pkg/report"
	"rensa/templates"
)

func (s *Server) settingRoutes() []route {
	return []route{
		{pattern: "GET /me", scope: ofUser, role: ledger.RoleViewer, handle: s.mePage},
		{pattern: "POST /me", scope: ofUser, role: ledger.RoleViewer, handle: s.setMe},
		{pattern: "POST /me/password", scope: ofUser, role: ledger.RoleViewer, handle: s.setPassword},
		{pattern: "GET /m/{merchant}/settings", scope: ofMerchant, role: ledger.RoleViewer, handle: s.settingsPage},
		{pattern: "POST /m/{merchant}/settings", scope: ofMerchant, role: ledger.RoleAdmin, handle: s.setSettings},
		{pattern: "GET /merchants", scope: ofAll, role: ledger.RoleAdmin, handle: s.merchantsPage},
		{pattern: "POST /merchants", scope: ofAll, role: ledger.RoleAdmin, handle: s.addMerchant},
		{pattern: "GET /users", scope: ofAll, role: ledger.RoleAdmin, handle: s.usersPage},
		{pattern: "POST /users", scope: ofAll, role: ledger.RoleAdmin, handle: s.addUser},
		{pattern: "GET /users/{user}", scope: ofAll, role: ledger.RoleAdmin, handle: s.userPage},
		{pattern: "POST /users/{user}", scope: ofAll, role: ledger.RoleAdmin, handle: s.setUser},
		{pattern: "POST /users/{user}/link", scope: ofAll, role: ledger.RoleAdmin, handle: s.linkUser},
		{pattern: "POST /users/{user}/remove", scope: ofAll, role: ledger.RoleAdmin, handle: s.removeUser},
		{pattern: "POST /tokens", scope: ofAll, role: ledger.RoleAdmin, handle: s.addToken},
		{pattern: "POST /tokens/{token}/remove", scope: ofAll, role: ledger.RoleAdmin, handle: s.removeToken},
		{pattern: "GET /audit", scope: ofAll, role: ledger.RoleAdmin, handle: s.auditPage},
	}
}

// settingsView is the page of a merchant's profile.
type settingsView struct {
	Value     map[string]string // by key, as typed
	Policy    string            // a line KEY=VALUE an override
	Stores    []string
	Languages []string
	Reports   []string
	Wanted    map[string]bool // reports
	Events    []ledger.Event
	Problem   string
	Hints     []string
}

// switches are the settings that are a box to tick.
var switches = []string{"partial", "split", "csv_bom", "shift_jis"}

// shownEvents is how many changes the page lists.
const shownEvents = 50

func (s *Server) settingsView(r *http.Request, v *visit) (*settingsView, error) {
	d := &settingsView{Value: map[string]string{}, Stores: s.Policy.Stores(), Languages: templates.Languages(), Reports: report.Names(), Wanted: map[string]bool{}}
	var overrides []string
	for _, set := range ledger.Settings(v.merchant.Profile) {
		if name, ok := strings.CutPrefix(set.Key, "policy."); ok {
			overrides = append(overrides, name+"="+set.Value)
			continue
		}
		d.Value[set.Key] = set.Value
	}
	d.Policy = strings.Join(overrides, "\n")
	wanted := v.merchant.Profile.Reports
	if len(wanted) == 0 {
		wanted = d.Reports
	}
	for _, name := range wanted {
		d.Wanted[name] = true
	}
	events, err := s.Ledger.Events(r.Context(), v.merchant.ID, ledger.SubjectMerchant, v.merchant.ID)
	slices.Reverse(events)
	d.Events = events[:min(len(events), shownEvents)]
	return d, err
}

func (s *Server) settingsPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.settingsView(r, v)
	if err != nil {
		return err
	}
	return s.render(w, r, v, "settings.html", d)
}

// setSettings changes what differs from what is set, all or nothing; each change
// is an event.
func (s *Server) setSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	d, err := s.settingsView(r, v)
	if err != nil {
		return err
	}
	assignments := d.assignments(r)
	if len(assignments) > 0 {
		if s.Settle == nil {
			return errForbidden
		}
		_, err = s.Settle(r.Context(), v.actor(), v.merchant.ID, assignments)
	}
	if wrong, ok := errors.AsType[Explainer](err); ok {
		d.Problem, d.Hints = wrong.Explain(v.texts)
		return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "settings.html", d)
	}
	if err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.saved"))
	return see(w, r, merchantPath(v.merchant.ID, "settings"))
}

// assignments are the changes that a form asks for; the page keeps what was typed.
func (d *settingsView) assignments(r *http.Request) []string {
	var all []string
	set := func(key, value string) {
		if before := d.Value[key]; before != value {
			all = append(all, key+"="+value)
		}
		d.Value[key] = value
	}
	for _, key := range ledger.SettingKeys() {
		switch {
		case key == "reports":
			if names := r.PostForm["reports"]; len(names) > 0 {
				joined := strings.Join(names, ",")
				if len(names) == len(d.Reports) {
					joined = "all"
				}
				set(key, joined)
				clear(d.Wanted)
				for _, n := range names {
					d.Wanted[n] = true
				}
			}
		case slices.Contains(switches, key):
			value := "false"
			if r.PostForm.Get(key) != "" {
				value = "true"
			}
			set(key, value)
		case r.PostForm.Has(key):
			set(key, strings.TrimSpace(r.PostForm.Get(key)))
		}
	}
	return append(all, d.overrides(r.PostForm.Get("policy"))...)
}

// overrides are the changes of the policy's values.
func (d *settingsView) overrides(typed string) []string {
	read := func(text string) map[string]string {
		values := map[string]string{}
		for line := range strings.Lines(text) {
			if key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key != "" {
				values[strings.TrimSpace(key)] = strings.TrimSpace(value)
			}
		}
		return values
	}
	before, after := read(d.Policy), read(typed)
	d.Policy = strings.TrimSpace(typed)
	var all []string
	for key, value := range after {
		if before[key] != value {
			all = append(all, "policy."+key+"="+value)
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			all = append(all, "policy."+key+"=")
		}
	}
	slices.Sort(all)
	return all
}

// merchantForm is the page of all merchants, with a form for another one.
type merchantForm struct {
	ID, Name, Store string
	Stores          []string
	Problem         string
	Hints           []string
}

func (s *Server) merchantsPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	return s.render(w, r, v, "merchants.html", &merchantForm{Store: "SE", Stores: s.Policy.Stores()})
}

func (s *Server) addMerchant(w http.ResponseWriter, r *http.Request, v *visit) error {
	d := &merchantForm{
		ID: strings.TrimSpace(r.PostForm.Get("id")), Name: strings.TrimSpace(r.PostForm.Get("name")),
		Store: r.PostForm.Get("store"), Stores: s.Policy.Stores(),
	}
	if s.AddMerchant == nil {
		return errForbidden
	}
	var assignments []string
	if d.Name != "" {
		assignments = append(assignments, "name="+d.Name)
	}
	err := s.AddMerchant(r.Context(), v.actor(), d.ID, d.Store, assignments)
	if wrong, ok := errors.AsType[Explainer](err); ok {
		d.Problem, d.Hints = wrong.Explain(v.texts)
		return s.renderStatus(w, r, v, http.StatusUnprocessableEntity, "merchants.html", d)
	}
	if err != nil {
		return err
	}
	s.flash(r, v.texts.T("web.merchants.added", "id", d.ID))
	return see(w, r, merchantPath(d.ID, "settings"))
}
