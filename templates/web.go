package templates

import (
	"embed"
	"io/fs"
)

//go:embed web
var web embed.FS

// Web holds the pages: layout.html and partials/*.html, which every page shares,
// pages/*.html, icons/*.svg, and static, which is served as it is.
func Web() fs.FS {
	sub, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // the name stands above
	}
	return sub
}
