package web

import (
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

// goTo sends the browser to another page of the merchant's, given by its path and
// query after /m/{merchant}/.
func goTo(w http.ResponseWriter, r *http.Request, v *visit, page string) error {
	return see(w, r, merchantPath(v.merchant.ID)+"/"+page)
}

// attachmentTypes are what the files that people get are, by the ends of their names.
var attachmentTypes = map[string]string{
	".tsv":  "text/tab-separated-values; charset=utf-8",
	".csv":  "text/csv; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
	".json": "application/json",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// attachment says that an answer is a file to be kept under a name, not a page.
func attachment(w http.ResponseWriter, name string) {
	kind := attachmentTypes[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// sendFile answers with a file of the workspace, under a name for people. Whoever
// calls it has made sure that the file is the merchant's.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, file, name string) error {
	f, err := s.Dir.Get(file)
	if errors.Is(err, fs.ErrNotExist) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errNotFound
	}
	attachment(w, name)
	http.ServeContent(w, r, name, info.ModTime(), f)
	return nil
}

// sendBytes answers with a file that was made for the request.
func (s *Server) sendBytes(w http.ResponseWriter, r *http.Request, name string, body io.ReadSeeker) error {
	attachment(w, name)
	http.ServeContent(w, r, name, time.Time{}, body)
	return nil
}
