package api

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"path"

	"github.com/danielgtaylor/huma/v2"

	"rensa/pkg/ledger"
)

// Outgoing is a file that is to be handed on.
type Outgoing struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind" enum:"orders,cancel"`
	SHA256   string   `json:"sha256"`
	Bytes    int64    `json:"bytes"`
	Created  string   `json:"created" format:"date-time"`
	Run      string   `json:"run_id" doc:"the run that made it; empty where none did"`
	Orders   []string `json:"orders" nullable:"false"`
	Answered string   `json:"answered_by" doc:"the run of the processing report that answered it; empty while none has"`
	Href     string   `json:"href" format:"uri-reference"`
}

func (a *API) outgoingOperations() {
	look := need{role: ledger.RoleViewer}
	add(a, operation(http.MethodGet, "/outgoing", "listOutgoing", "Outgoing", "Outgoing files, the newest first",
		"Each order stands in exactly one file of orders."), look, a.listOutgoing)
	get := operation(http.MethodGet, "/outgoing/{name}", "getOutgoing", "Outgoing", "Download an outgoing file", "")
	get.Parameters = []*huma.Param{inPath("name", "of the file"), merchantQuery()}
	get.Responses = download("text/tab-separated-values")
	a.addRaw(get, look, a.getOutgoing)
}

type outgoingInput struct {
	MerchantParam
	PageParams
	Kind       string `query:"kind" enum:"orders,cancel"`
	Unanswered bool   `query:"unanswered" doc:"only files of orders that no processing report has answered"`
}

type outgoingOutput struct {
	Body struct {
		Files []Outgoing `json:"files" nullable:"false"`
		Next  string     `json:"next" doc:"the cursor of the next page; empty at the end"`
	}
}

func (a *API) listOutgoing(ctx context.Context, c *call, in *outgoingInput) (*outgoingOutput, error) {
	list, next, err := a.Ledger.ListSent(ctx, ledger.SentFilter{
		Merchant: c.merchant.ID, Kind: in.Kind, Unanswered: in.Unanswered, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	out := &outgoingOutput{}
	out.Body.Files, out.Body.Next = make([]Outgoing, len(list)), next
	for i, f := range list {
		out.Body.Files[i] = Outgoing{
			f.Name, f.Kind, f.SHA256, f.Bytes, c.time(f.Created), f.Run, append([]string{}, f.Orders...), f.Answered, c.href("outgoing", f.Name),
		}
	}
	return out, nil
}

func (a *API) getOutgoing(w http.ResponseWriter, r *http.Request, c *call) error {
	name := r.PathValue("name")
	// The ledger knows what is an outgoing file of this merchant's; a path is made
	// only of such a name.
	list, _, err := a.Ledger.ListSent(r.Context(), ledger.SentFilter{Merchant: c.merchant.ID, Name: name})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return refuse(http.StatusNotFound, "not_found", "what", name)
	}
	f, err := a.Dir.Get(path.Join("outbound", c.merchant.ID, list[0].Name))
	if errors.Is(err, fs.ErrNotExist) {
		if list[0].Written {
			return refuse(http.StatusGone, "report_gone", "file", name)
		}
		return ledger.ErrBusy // it is written in a moment
	}
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("ETag", `"`+list[0].SHA256+`"`)
	send(w, r, name, f)
	return nil
}
