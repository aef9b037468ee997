package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/text/language"

	"rensa/pkg/desk"
	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
	"rensa/templates"
)

// Problem is a fault as callers see it, a problem document of RFC 9457.
type Problem struct {
	Type   string `json:"type" doc:"urn:rensa:problem: and the code" example:"urn:rensa:problem:snapshot_missing"`
	Title  string `json:"title" doc:"what kind of fault it is, in the caller's language"`
	Status int    `json:"status" doc:"the HTTP status"`
	Detail string `json:"detail,omitempty" doc:"what is wrong this time"`
	Code   string `json:"code" doc:"stable: a code of the catalogue, or one of the API's own" example:"snapshot_missing"`
	Hint   string `json:"hint,omitempty" doc:"what to do about it"`
	// Instance names this one fault in the log of the server.
	Instance string       `json:"instance,omitempty" doc:"names an internal fault in the server's log"`
	Errors   []FieldError `json:"errors,omitempty" doc:"what is wrong with the request, part by part"`
	Review   *Review      `json:"review,omitempty" doc:"why a draft cannot be placed"`
}

// FieldError is what is wrong with one part of a request.
type FieldError struct {
	Location string `json:"location" doc:"where, as body.items[0].sku or query.limit"`
	Message  string `json:"message"`
}

const problemType = "urn:rensa:problem:"

// fault is a fault before it is put into words.
type fault struct {
	status int
	code   string
	args   []any
	// problem is what is wrong in terms of the catalogue; nil: texts of our own.
	problem *removal.Problem
	errors  []FieldError
	review  *Review
	why     Explainer // tells it better
	header  http.Header
}

// refuse makes a fault with texts of our own, api.CODE.title and .detail.
func refuse(status int, code string, args ...any) *fault {
	return &fault{status: status, code: code, args: args}
}

// refuseFor makes a fault of a problem of the catalogue.
func refuseFor(status int, p removal.Problem) *fault {
	return &fault{status: status, code: p.Code.String(), problem: &p}
}

func (f *fault) Error() string { return f.code }

// GetStatus and ContentType let huma write a fault that a handler returned; what
// it writes is what transform makes of it.
func (f *fault) GetStatus() int { return f.status }

// ContentType is that of problem documents.
func (f *fault) ContentType(string) string { return "application/problem+json" }

// GetHeaders are what goes beside the document.
func (f *fault) GetHeaders() http.Header { return f.header }

// faultOf makes a fault of any error: what callers can do something about is told
// to them, all else is an internal fault.
func (a *API) faultOf(err error) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		return f
	}
	if bad, ok := errors.AsType[*removal.FileError](err); ok {
		return refuseFor(http.StatusUnprocessableEntity, bad.Problem())
	}
	if why, ok := errors.AsType[Explainer](err); ok {
		f := refuse(http.StatusUnprocessableEntity, "settings_invalid")
		f.why = why
		return f
	}
	for _, known := range []struct {
		err    error
		status int
		code   string
	}{
		{ledger.ErrNotFound, http.StatusNotFound, "not_found"},
		{ledger.ErrExists, http.StatusConflict, "order_exists"},
		{ledger.ErrCursor, http.StatusUnprocessableEntity, "cursor_invalid"},
		{desk.ErrNoItem, http.StatusUnprocessableEntity, "no_item"},
		{desk.ErrState, http.StatusConflict, "state_forbids"},
		{desk.ErrValue, http.StatusUnprocessableEntity, "value_invalid"},
		{desk.ErrNoSnapshot, http.StatusConflict, "no_snapshot"},
		{errNoReport, http.StatusNotFound, "report_unknown"},
		{ErrGone, http.StatusGone, "original_gone"},
		{ledger.ErrConflict, http.StatusServiceUnavailable, "temporary"},
		{ledger.ErrBusy, http.StatusServiceUnavailable, "temporary"},
		{syscall.ENOSPC, http.StatusInsufficientStorage, "disk_full"},
	} {
		if errors.Is(err, known.err) {
			f := refuse(known.status, known.code, "why", err.Error())
			if known.status == http.StatusServiceUnavailable {
				f.header = http.Header{"Retry-After": {"1"}}
			}
			return f
		}
	}
	id := "urn:rensa:fault:" + strings.ToLower(rand.Text()[:16])
	a.Log.Error().Err(err).Str("fault", id).Msg("a request failed")
	return refuse(http.StatusInternalServerError, "internal", "instance", id)
}

// document puts a fault into words.
func (a *API) document(f *fault, texts *templates.Texts) *Problem {
	p := &Problem{Type: problemType + f.code, Status: f.status, Code: f.code, Errors: f.errors, Review: f.review}
	if f.problem != nil {
		p.Title = texts.T("api.file_problem.title")
		p.Detail, p.Hint = report.Say(texts, a.Policy, f.problem)
		return p
	}
	p.Title = texts.T("api."+f.code+".title", f.args...)
	for key, to := range map[string]*string{"detail": &p.Detail, "hint": &p.Hint} {
		if key = "api." + f.code + "." + key; texts.Has(key) {
			*to = texts.T(key, f.args...)
		}
	}
	if f.why != nil {
		var hints []string
		p.Detail, hints = f.why.Explain(texts)
		p.Hint = strings.Join(hints, "; ")
	}
	for i := 0; i+1 < len(f.args); i += 2 {
		if f.args[i] == "instance" {
			p.Instance = fmt.Sprint(f.args[i+1])
		}
	}
	return p
}

// fail answers a request with a fault.
func (a *API) fail(hc huma.Context, err error) {
	f := a.faultOf(err)
	for name, values := range f.header {
		for _, v := range values {
			hc.AppendHeader(name, v)
		}
	}
	hc.SetHeader("Content-Type", "application/problem+json")
	hc.SetStatus(f.status)
	if err := json.NewEncoder(hc.BodyWriter()).Encode(a.document(f, a.textsOf(hc))); err != nil {
		a.Log.Debug().Err(err).Msg("a fault was not fetched")
	}
}

// transform puts faults into words when huma is about to write them: those of
// handlers, and its own about requests that do not fit the document.
func (a *API) transform(hc huma.Context, _ string, v any) (any, error) {
	switch v := v.(type) {
	case *fault:
		return a.document(v, a.textsOf(hc)), nil
	case *huma.ErrorModel:
		return a.document(ofRequest(v), a.textsOf(hc)), nil
	}
	return v, nil
}

// ofRequest is what huma found wrong with a request. Values are not sent back.
func ofRequest(e *huma.ErrorModel) *fault {
	f := refuse(e.Status, "request_invalid")
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		f.code = "request_too_large"
	case http.StatusUnsupportedMediaType:
		f.code = "media_type"
	case http.StatusRequestTimeout:
		f.code = "request_timeout"
	}
	for _, d := range e.Errors {
		if d != nil {
			f.errors = append(f.errors, FieldError{Location: d.Location, Message: d.Message})
		}
	}
	return f
}

func (a *API) textsOf(hc huma.Context) *templates.Texts {
	if c := callOf(hc.Context()); c != nil {
		return c.texts
	}
	return a.language(hc, "en")
}

// language gives the texts in the first language of the request that there are
// texts in, else in another.
func (a *API) language(hc huma.Context, otherwise string) *templates.Texts {
	tags, _, err := language.ParseAcceptLanguage(hc.Header("Accept-Language"))
	if err != nil {
		tags = nil // as if none were wanted
	}
	for _, tag := range tags {
		base, _ := tag.Base()
		if t := templates.Load(tag.String()); t.Lang() == base.String() {
			return t
		}
	}
	return templates.Load(otherwise)
}
