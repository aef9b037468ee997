package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"rensa/pkg/inbox"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
)

// maxKey is how long a key of a request may be.
const maxKey = 200

// giveFile takes a file in and puts it on the work list.
func (a *API) giveFile(w http.ResponseWriter, r *http.Request, c *call) error {
	asOf, wait, err := giveParams(r)
	if err != nil {
		return err
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey || strings.ContainsFunc(key, unicode.IsControl) {
		return badParam("header.Idempotency-Key", "up to 200 printable characters")
	}
	d, err := a.receive(w, r, c)
	if err != nil {
		return err
	}
	defer func() {
		if err := d.Discard(); err != nil {
			a.Log.Warn().Err(err).Str("merchant", c.merchant.ID).Msg("clearing away a file that was brought")
		}
	}()
	if d.Bytes == 0 {
		return removal.NewFileError(removal.FileEmpty)
	}
	if !asOf.IsZero() {
		if err := a.Dir.SetTime(d.File.Name, asOf); err != nil {
			return err
		}
	}
	// Whoever asked may be gone; what was begun is ended all the same.
	ctx := context.WithoutCancel(r.Context())
	file, err := a.enter(ctx, c, d, key)
	if err != nil {
		return err
	}
	return a.answerFile(w, r, c, d, file, wait)
}

func giveParams(r *http.Request) (asOf time.Time, wait time.Duration, err error) {
	q := r.URL.Query()
	if v := q.Get("as_of"); v != "" {
		if asOf, err = time.Parse(time.RFC3339, v); err != nil {
			return asOf, 0, badParam("query.as_of", "a time as 2026-11-20T06:00:00+01:00")
		}
	}
	if v := q.Get("wait"); v != "" {
		seconds, err := strconv.Atoi(v)
		if err != nil || seconds < 0 || seconds > maxWait {
			return asOf, 0, badParam("query.wait", "0 to 60 seconds")
		}
		wait = time.Duration(seconds) * time.Second
	}
	return asOf, wait, nil
}

func badParam(where, want string) error {
	f := refuse(http.StatusUnprocessableEntity, "request_invalid")
	f.errors = []FieldError{{Location: where, Message: "expected " + want}}
	return f
}

// enter puts a received file on the list, once for one key. The answer is the
// file's id, "" for bytes that were taken before.
func (a *API) enter(ctx context.Context, c *call, d *inbox.Delivery, key string) (string, error) {
	seen, err := a.Ledger.SeenFile(ctx, c.merchant.ID, d.SHA256)
	if err != nil || seen != nil {
		return "", err
	}
	// A request that is sent again takes no number of arrival.
	if k, err := a.Ledger.KeyOf(ctx, c.merchant.ID, ledger.KeyFile, key); !errors.Is(err, ledger.ErrNotFound) {
		return k.Answer, sameRequest(&k, d.SHA256, err)
	}
	first := ""
	t, err := d.Take(ctx, a.Book, func(t inbox.Ticket) error {
		if key == "" {
			return nil
		}
		k, kept, err := a.Ledger.KeepKey(ctx, ledger.RequestKey{
			Merchant: t.Merchant, Scope: ledger.KeyFile, Key: key, SHA256: d.SHA256, Answer: t.ID,
		})
		if err == nil && !kept {
			if err = sameRequest(&k, d.SHA256, nil); err == nil {
				first, err = k.Answer, errSentBefore
			}
		}
		return err
	})
	if errors.Is(err, errSentBefore) {
		return first, nil
	}
	if err == nil {
		a.Wake()
		a.Log.Info().Str("merchant", t.Merchant).Str("file", d.Name).Str("claim", t.ID).Int64("bytes", d.Bytes).Str("by", c.actor()).Msg("file given")
	}
	return t.ID, err
}

// sameRequest refuses a key under which something else was sent before.
func sameRequest(k *ledger.RequestKey, sum string, err error) error {
	if err == nil && k.SHA256 != sum {
		err = refuse(http.StatusUnprocessableEntity, "key_reused", "key", k.Key)
	}
	return err
}

var errSentBefore = errors.New("the request was sent before")

// answerFile answers with the run of a file that is done, else with where it
// stands.
func (a *API) answerFile(w http.ResponseWriter, r *http.Request, c *call, d *inbox.Delivery, file string, wait time.Duration) error {
	ctx := r.Context()
	runID := ""
	var e FileEntry
	if file == "" {
		seen, err := a.Ledger.SeenFile(ctx, c.merchant.ID, d.SHA256)
		if err == nil && seen == nil {
			err = ledger.ErrNotFound
		}
		if err != nil {
			return err
		}
		runID = seen.ID
	} else {
		work, err := a.awaited(ctx, c.merchant.ID, file, wait)
		if err != nil {
			return err
		}
		if e, err = a.fileDetails(ctx, c, &work); err != nil {
			return err
		}
		if !work.Open() {
			runID = e.Run
		}
	}
	if runID != "" {
		run, err := a.Ledger.Run(ctx, c.merchant.ID, runID)
		if err != nil {
			return err
		}
		details, err := a.runDetails(ctx, c, &run)
		if err != nil {
			return err
		}
		w.Header().Set("Location", c.href("runs", runID))
		return a.sendJSON(w, http.StatusOK, details)
	}
	w.Header().Set("Location", c.href("files", e.ID))
	return a.sendJSON(w, http.StatusAccepted, e)
}

// sendJSON answers with a document. That it could not be sent is no fault of ours.
func (a *API) sendJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		a.Log.Debug().Err(err).Msg("an answer was not fetched")
	}
	return nil
}

// receive reads the body's file into the workspace.
func (a *API) receive(w http.ResponseWriter, r *http.Request, c *call) (*inbox.Delivery, error) {
	tooLarge := removal.NewFileError(removal.FileTooLarge, "limit", "bytes", "max", a.MaxFile)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return nil, refuse(http.StatusUnsupportedMediaType, "media_type")
	}
	form := kind == "multipart/form-data"
	if r.ContentLength > a.MaxFile && !form {
		return nil, refuseFor(http.StatusRequestEntityTooLarge, tooLarge.Problem())
	}
	body := &reading{r: r.Body, patience: func() {
		// The network's time, not that of decisions. A server that knows no deadlines
		// of single requests has one of its own.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readPatience))
	}}
	name := nameOf(r.URL.Query().Get("name"), r.Header.Get("Content-Disposition"))
	from := io.Reader(body)
	var parts *parts
	if form {
		if parts, err = openForm(body, params["boundary"]); err != nil {
			return nil, bodyFault(err)
		}
		from = parts.file
		if name == "" {
			name = parts.file.FileName()
		}
	}
	limited := &limitedReader{r: from, left: a.MaxFile}
	d, err := inbox.Receive(a.Dir, c.merchant.ID, safeName(name), limited)
	switch {
	case limited.passed:
		return nil, refuseFor(http.StatusRequestEntityTooLarge, tooLarge.Problem())
	case err != nil && limited.err != nil:
		return nil, bodyFault(limited.err)
	case err != nil:
		return nil, err
	}
	if form {
		if err := parts.end(); err != nil {
			return nil, errors.Join(bodyFault(err), d.Discard())
		}
	}
	return d, nil
}

// bodyFault tells whoever sends that the body did not come whole, or is no form.
func bodyFault(err error) error {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	return refuse(http.StatusBadRequest, "body_incomplete", "why", err.Error())
}
