package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rensa/pkg/inbox"
	"rensa/pkg/removal"
)

// filesOfOne is how many files one form may bring.
const filesOfOne = 50

// upload streams the files of a form into the merchant's inbox and puts them on
// the list, those that others are checked against first.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, v *visit) (err error) {
	control := http.NewResponseController(w)
	if r.ContentLength > s.MaxUpload+maxForm {
		w.Header().Set("Connection", "close")
		return s.tooLarge()
	}
	var received []*inbox.Delivery
	defer func() {
		for _, d := range received {
			err = errors.Join(err, d.Discard())
		}
	}()
	for {
		part, e := v.parts.NextPart()
		if errors.Is(e, io.EOF) {
			break
		}
		if e != nil {
			return badForm(e)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		if len(received) == filesOfOne {
			return refuse(http.StatusRequestEntityTooLarge, "web.err.many_files", "max", filesOfOne)
		}
		d, e := s.receive(control, v.merchant.ID, part)
		if e != nil {
			w.Header().Set("Connection", "close")
			return e
		}
		received = append(received, d)
	}
	if len(received) == 0 {
		return refuse(http.StatusUnprocessableEntity, "web.err.no_file")
	}
	tickets, err := s.takeAll(r.Context(), v, received)
	if err != nil {
		return err
	}
	to := merchantPath(v.merchant.ID, "files")
	if len(tickets) == 1 {
		to = merchantPath(v.merchant.ID, "files", tickets[0].ID)
	}
	if r.Header.Get("Accept") == "application/json" { // the script, which shows how far it is
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(map[string]string{"to": to})
	}
	return see(w, r, to)
}

func (s *Server) tooLarge() error {
	return refuse(http.StatusRequestEntityTooLarge, "web.err.file_large", "max", s.MaxUpload)
}

// errTooLarge ends the reading of a file that passes the limit.
var errTooLarge = errors.New("the file is too large")

// receive writes one file to its end.
func (s *Server) receive(control *http.ResponseController, merchant string, part *multipart.Part) (*inbox.Delivery, error) {
	from := &uploadReader{r: part, left: s.MaxUpload, control: control, now: s.Now}
	d, err := inbox.Receive(s.Dir, merchant, uploadName(part.FileName()), from)
	s.metrics.uploaded.Add(float64(s.MaxUpload - from.left))
	switch {
	case errors.Is(err, errTooLarge):
		return nil, s.tooLarge()
	case err != nil && from.err != nil: // the client's end, not the disk
		return nil, refuse(http.StatusBadRequest, "web.err.broken_off").because(err)
	}
	return d, err
}

// uploadReader reads what a client sends: no more than a limit, and from one that
// sends nothing not for ever.
type uploadReader struct {
	r       io.Reader
	left    int64
	control *http.ResponseController
	now     func() time.Time
	extend  time.Time
	err     error
}

func (u *uploadReader) Read(p []byte) (int, error) {
	if now := u.now(); now.After(u.extend) {
		u.extend = now.Add(patience / 4)
		if err := u.control.SetReadDeadline(now.Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return 0, err
		}
	}
	n, err := u.r.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, errTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
	}
	return n, err
}

// takeAll puts files on the list: inventory first, uploads last, else as they came.
func (s *Server) takeAll(ctx context.Context, v *visit, all []*inbox.Delivery) ([]inbox.Ticket, error) {
	if len(all) > 1 {
		kinds := map[*inbox.Delivery]removal.Kind{}
		for _, d := range all {
			kind, err := s.Book.Kind(ctx, d.Merchant, filepath.Join(s.Dir.Path(), filepath.FromSlash(d.File.Name)))
			if err != nil { // it is answered when its turn comes
				s.Log.Debug().Err(err).Str("merchant", d.Merchant).Msg("the kind cannot be told")
			}
			kinds[d] = kind
		}
		slices.SortStableFunc(all, func(a, b *inbox.Delivery) int { return cmp.Compare(inbox.Turn(kinds[a]), inbox.Turn(kinds[b])) })
	}
	var tickets []inbox.Ticket
	for _, d := range all {
		t, err := d.Take(ctx, s.Book, nil)
		if err != nil {
			return nil, fmt.Errorf("taking %s of %s: %w", d.Name, d.Merchant, err)
		}
		s.Log.Info().Str("merchant", d.Merchant).Str("claim", t.ID).Str("user", v.actor()).Int64("bytes", d.Bytes).Msg("file brought")
		tickets = append(tickets, t)
	}
	s.Wake()
	return tickets, nil
}

// uploadName is what a browser calls a file, as a name without folders and without
// what turns the text after it round.
func uploadName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	for len(name) > 200 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name = strings.TrimSpace(name); name == "" || name == "." || name == ".." {
		return "file"
	}
	return name
}

func baseName(name string) string { return path.Base(name) }
