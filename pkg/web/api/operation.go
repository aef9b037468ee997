package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// MerchantParam is the merchant that a request is about. It is looked at by admit,
// and stands here for the document.
type MerchantParam struct {
	Merchant string `query:"merchant" doc:"whose; may be left out where the token sees one merchant only" example:"acme"`
}

// PageParams are those of a list.
type PageParams struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"how many at most"`
	Cursor string `query:"cursor" maxLength:"100" doc:"next of the answer before; empty for the first page"`
}

// operation describes one operation.
func operation(method, path, id, tag, summary, description string) huma.Operation {
	return huma.Operation{Method: method, Path: path, OperationID: id, Tags: []string{tag}, Summary: summary, Description: description}
}

// problems adds the answers of an operation that are faults to its description.
func (a *API) problems(op *huma.Operation) {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{
		Description: "A fault, as a problem document (RFC 9457).",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}

// add adds an operation with what it needs of its caller.
func add[I, O any](a *API, op huma.Operation, n need, do func(ctx context.Context, c *call, in *I) (*O, error)) {
	op.Metadata = map[string]any{needKey: n}
	a.problems(&op)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, callOf(ctx), in)
		if err != nil {
			return nil, a.faultOf(err)
		}
		return out, nil
	})
}

// addRaw adds an operation whose body, of the request or the answer, is a stream
// of bytes. It is described by hand.
func (a *API) addRaw(op huma.Operation, n need, do func(w http.ResponseWriter, r *http.Request, c *call) error) {
	op.Metadata = map[string]any{needKey: n}
	a.problems(&op)
	a.huma.OpenAPI().AddOperation(&op)
	a.huma.Adapter().Handle(&op, a.huma.Middlewares().Handler(func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		r = r.WithContext(hc.Context())
		if err := a.knownQuery(&op, r); err != nil {
			a.fail(hc, err)
			return
		}
		if err := do(w, r, callOf(hc.Context())); err != nil {
			a.fail(hc, err)
		}
	}))
}

// knownQuery refuses parameters that an operation does not describe, as huma does
// for the others.
func (a *API) knownQuery(op *huma.Operation, r *http.Request) error {
	known := map[string]bool{}
	for _, p := range op.Parameters {
		known[p.Name] = p.In == "query"
	}
	for name := range r.URL.Query() {
		if !known[name] {
			f := refuse(http.StatusUnprocessableEntity, "request_invalid")
			f.errors = []FieldError{{Location: "query." + name, Message: "unknown query parameter"}}
			return f
		}
	}
	return nil
}

// query describes a parameter of an operation that is described by hand.
func query(name, doc string, s *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: s}
}

// inPath describes a part of a path.
func inPath(name, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "path", Description: doc, Required: true, Schema: text()}
}

func inHeader(name, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "header", Description: doc, Schema: text()}
}

func text(of ...any) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Enum: of} }

// merchantQuery is MerchantParam for operations that are described by hand.
func merchantQuery() *huma.Param {
	return query("merchant", "whose; may be left out where the token sees one merchant only", text())
}

// download describes an answer that is a file.
func download(types ...string) map[string]*huma.Response {
	content := map[string]*huma.MediaType{}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	return map[string]*huma.Response{"200": {Description: "The file.", Content: content}}
}

// answer describes an answer that is a document.
func (a *API) answer(description string, t reflect.Type) *huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
	return &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
}
