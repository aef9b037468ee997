package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"rensa/templates"
)

// assets are the files that pages load, each under a path with its hash in it, so
// that browsers may keep it for ever.
type assets struct {
	paths   map[string]string // by name
	content map[string][]byte // by path after /static/
	icons   map[string]template.HTML
}

func loadAssets() (*assets, error) {
	files := templates.Web()
	a := &assets{paths: map[string]string{}, content: map[string][]byte{}, icons: map[string]template.HTML{}}
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		short := strings.TrimPrefix(name, "static/")
		sum := sha256.Sum256(body)
		hashed := hex.EncodeToString(sum[:6]) + "/" + short
		a.paths[short], a.content[hashed] = "/static/"+hashed, body
		return nil
	})
	if err != nil {
		return nil, err
	}
	// The stylesheet names the fonts beside it, which have paths of their own.
	if err := a.resolve("app.css"); err != nil {
		return nil, err
	}
	icons, err := fs.Glob(files, "icons/*.svg")
	if err != nil {
		return nil, err
	}
	for _, name := range icons {
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		_, drawing, ok := strings.Cut(string(body), "<svg")
		if !ok {
			return nil, fmt.Errorf("web: %s is no drawing", name)
		}
		short := strings.TrimSuffix(path.Base(name), ".svg")
		a.icons[short] = template.HTML(`<svg aria-hidden="true" focusable="false"` + drawing)
	}
	return a, nil
}

// resolve puts the paths of other files into one that names them as asset(NAME).
func (a *assets) resolve(name string) error {
	old, ok := a.paths[name]
	if !ok {
		return fmt.Errorf("web: there is no %s", name)
	}
	body := a.content[strings.TrimPrefix(old, "/static/")]
	for other, p := range a.paths {
		body = bytes.ReplaceAll(body, []byte("asset("+other+")"), []byte("url("+p+")"))
	}
	if i := bytes.Index(body, []byte("asset(")); i >= 0 {
		return fmt.Errorf("web: %s names a file that is not there: %.40s", name, body[i:])
	}
	delete(a.content, strings.TrimPrefix(old, "/static/"))
	sum := sha256.Sum256(body)
	hashed := hex.EncodeToString(sum[:6]) + "/" + name
	a.paths[name], a.content[hashed] = "/static/"+hashed, body
	return nil
}

func (a *assets) path(name string) (string, error) {
	if p, ok := a.paths[name]; ok {
		return p, nil
	}
	return "", fmt.Errorf("there is no file static/%s", name)
}

func (a *assets) icon(name string) (template.HTML, error) {
	if i, ok := a.icons[name]; ok {
		return i, nil
	}
	return "", fmt.Errorf("there is no icon %s", name)
}

func (s *Server) staticRoutes() []route {
	return []route{
		{pattern: "GET /static/", bare: http.HandlerFunc(s.serveAsset)},
		{pattern: "GET /favicon.ico", bare: http.HandlerFunc(s.serveFavicon)},
	}
}

func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/static/")
	body, ok := s.assets.content[name]
	if !ok {
		s.fail(w, r, &visit{texts: s.textsOf(r, nil, nil)}, errNotFound)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(body))
}

// serveFavicon sends browsers that ask for the old name to the drawing.
func (s *Server) serveFavicon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, s.assets.paths["favicon.svg"], http.StatusFound)
}
