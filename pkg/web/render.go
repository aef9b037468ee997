package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"golang.org/x/text/language"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/templates"
)

// page is one parsed page in one language.
type page struct{ *template.Template }

// parsePages parses every page in every language: texts are looked up by a
// function of the template.
func (s *Server) parsePages() (map[string]map[string]*page, error) {
	files := templates.Web()
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]*page{}
	for _, lang := range templates.Languages() {
		base, err := template.New("").Funcs(s.functions(templates.Load(lang))).ParseFS(files, "layout.html", "partials/*.html")
		if err != nil {
			return nil, fmt.Errorf("web: templates: %w", err)
		}
		all[lang] = map[string]*page{}
		for _, name := range names {
			t, err := base.Clone()
			if err == nil {
				t, err = t.ParseFS(files, name)
			}
			if err != nil {
				return nil, fmt.Errorf("web: templates: %w", err)
			}
			all[lang][path.Base(name)] = &page{t}
		}
	}
	return all, nil
}

// view is what a template sees: its dot.
type view struct {
	Data     any
	User     *ledger.User
	Merchant *removal.Merchant
	CSRF     string
	Lang     string
	Theme    string // "light", "dark"; "": the browser's
	Flash    string
	Path     string // of this page, with its query
	Nav      []navItem
	// Others are the merchants that the user may go to.
	Others []merchantLink
	server *Server
	zone   *time.Location
}

// render answers with a page. It is executed in full before anything is sent.
func (s *Server) render(w http.ResponseWriter, r *http.Request, v *visit, name string, data any) error {
	return s.respond(w, r, v, http.StatusOK, name, "layout", data)
}

// renderStatus is render with another status than 200.
func (s *Server) renderStatus(w http.ResponseWriter, r *http.Request, v *visit, status int, name string, data any) error {
	return s.respond(w, r, v, status, name, "layout", data)
}

// renderPart answers with one block of a page, for htmx.
func (s *Server) renderPart(w http.ResponseWriter, r *http.Request, v *visit, name, block string, data any) error {
	return s.respond(w, r, v, http.StatusOK, name, block, data)
}

func (s *Server) respond(w http.ResponseWriter, r *http.Request, v *visit, status int, name, block string, data any) error {
	var b bytes.Buffer
	if err := s.execute(&b, r, v, name, block, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Add("Vary", "HX-Request")
	w.WriteHeader(status)
	if _, err := b.WriteTo(w); err != nil {
		s.Log.Debug().Err(err).Msg("the client went away")
	}
	return nil
}

func (s *Server) execute(b *bytes.Buffer, r *http.Request, v *visit, name, block string, data any) error {
	t := s.pages[v.texts.Lang()][name]
	if t == nil {
		return fmt.Errorf("web: there is no page %s", name)
	}
	d := &view{
		Data: data, User: v.user, Merchant: v.merchant, CSRF: v.csrf, Lang: v.texts.Lang(),
		Path: r.URL.RequestURI(), server: s, zone: time.UTC,
	}
	if v.user != nil {
		d.Theme = v.user.Theme
	}
	if v.merchant != nil {
		if zone, err := time.LoadLocation(v.merchant.Profile.TimeZone); err == nil {
			d.zone = zone
		}
	}
	if block == "layout" {
		var err error
		if d.Others, err = s.merchantsOf(r, v); err != nil {
			return err
		}
		d.Nav = s.navigation(v, r.URL.Path)
		if v.user != nil {
			d.Flash = s.sessions.PopString(r.Context(), keyFlash)
		}
	}
	if err := t.ExecuteTemplate(b, block, d); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	return nil
}

// textsOf gives the texts in the user's language: the one chosen, else the
// browser's, else the merchant's, else English.
func (s *Server) textsOf(r *http.Request, u *ledger.User, m *removal.Merchant) *templates.Texts {
	if u != nil && u.Language != "" {
		return templates.Load(u.Language)
	}
	if tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")); err == nil {
		for _, tag := range tags {
			base, _ := tag.Base()
			for _, known := range templates.Languages() {
				if base.String() == known {
					return templates.Load(known)
				}
			}
		}
	}
	if m != nil {
		return templates.Load(m.Profile.Language)
	}
	return templates.Load("en")
}

// M is the path of something of the merchant's: $.M "files" .ID.
func (d *view) M(parts ...any) string {
	if d.Merchant == nil {
		return "/"
	}
	return merchantPath(d.Merchant.ID, parts...)
}

func merchantPath(merchant string, parts ...any) string {
	var b strings.Builder
	b.WriteString("/m/" + url.PathEscape(merchant))
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(fmt.Sprint(p)))
	}
	return b.String()
}

// When shows a moment to the minute in the merchant's zone; "" for none.
func (d *view) When(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(d.zone).Format("2006-01-02 15:04")
}

// Day shows the day of a moment in the merchant's zone; "" for none.
func (d *view) Day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(d.zone).Format(time.DateOnly)
}

// Stamp is a moment for <time datetime>.
func (d *view) Stamp(t time.Time) string { return t.In(d.zone).Format(time.RFC3339) }

// May tells whether the user may do what a role may, "operator".
func (d *view) May(role string) bool { return d.User != nil && d.User.Role.Covers(ledger.Role(role)) }

// Choices gives a template a list to range over.
func (d *view) Choices(all ...string) []string { return all }

// Everything tells whether the user looks after users and all merchants.
func (d *view) Everything() bool { return d.User != nil && d.User.Everything() }
