package api

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"time"
)

// types are how files are called by their endings; a machine's own table may say
// other things.
var types = map[string]string{
	".csv": "text/csv; charset=utf-8", ".tsv": "text/tab-separated-values; charset=utf-8", ".txt": "text/plain; charset=utf-8",
	".json": "application/json", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func named(w http.ResponseWriter, name string) {
	kind := types[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// send answers with a file that lies somewhere, or a part of it.
func send(w http.ResponseWriter, r *http.Request, name string, f io.ReadSeeker) {
	named(w, name)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// sendMade answers with a file that is made for it. It is made whole before the
// first byte goes out: a part of a report is none, and a fault can still be told.
func (a *API) sendMade(w http.ResponseWriter, name string, write func(io.Writer) error) error {
	temp, err := os.CreateTemp("", "rensa-report-")
	if err != nil {
		return err
	}
	defer func() {
		if err := errors.Join(temp.Close(), os.Remove(temp.Name())); err != nil {
			a.Log.Warn().Err(err).Msg("clearing a report away")
		}
	}()
	b := bufio.NewWriterSize(temp, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if _, err := temp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	named(w, name)
	if _, err := io.Copy(w, temp); err != nil {
		a.Log.Debug().Err(err).Str("file", name).Msg("a report was not fetched to its end")
	}
	return nil
}
