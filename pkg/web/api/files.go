package api

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rensa/pkg/ledger"
)

// FileEntry is a file that was given to Rensa, by whatever way.
type FileEntry struct {
	ID       string `json:"file_id"`
	Merchant string `json:"merchant"`
	Name     string `json:"name"`
	State    string `json:"state" enum:"claimed,committed,published,archived,rejected,closed" doc:"claimed: it waits or is being processed; committed, published: decided; archived: done; rejected: it could not be used; closed: nothing came of it"`
	Kind     string `json:"kind" doc:"empty while it is not known"`
	SHA256   string `json:"sha256" doc:"empty while it is not known"`
	Arrived  string `json:"arrived" format:"date-time"`
	// Run is the run that answered it, or had answered the same bytes.
	Run     string `json:"run_id" doc:"empty while there is none"`
	RunHref string `json:"run_href" doc:"empty while there is none"`
	Reason  string `json:"reason" doc:"why it was rejected or closed, or failed last: a code, or words"`
	Note    string `json:"note,omitempty" doc:"of a rejected file: what is wrong with it, in the merchant's language"`
	Tries   int    `json:"failed_attempts"`
}

type fileList struct {
	Files []FileEntry `json:"files" nullable:"false"`
	Next  string      `json:"next" doc:"the cursor of the next page; empty at the end"`
}

func (a *API) fileOperations() {
	look := need{role: ledger.RoleViewer}
	add(a, operation(http.MethodGet, "/files", "listFiles", "Files", "Files, the last taken first", ""), look, a.listFiles)
	add(a, operation(http.MethodGet, "/files/{file}", "showFile", "Files", "Where a file stands", ""), look, a.showFile)
	give := operation(http.MethodPost, "/files", "giveFile", "Files", "Give a file",
		"The file as the body, or as the part `file` of a form. Its kind is told by its content. It is put on the work list and "+
			"answered with 202 and where it stands; bytes that made or changed orders before are answered with 200 and their first run, and so is a "+
			"file that is done within `wait`. A request with an `Idempotency-Key` that was sent before is answered as the first one was.")
	give.Parameters = []*huma.Param{
		merchantQuery(),
		query("name", "what the file is called; else the name in Content-Disposition", &huma.Schema{Type: huma.TypeString}),
		query("as_of", "the date of an inventory that has no column for it", &huma.Schema{Type: huma.TypeString, Format: "date-time"}),
		query("wait", "how many seconds to wait for the run", &huma.Schema{Type: huma.TypeInteger, Minimum: number(0), Maximum: number(maxWait)}),
		inHeader("Idempotency-Key", "what the caller calls this request, up to 200 characters"),
	}
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	give.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: binary},
		"multipart/form-data": {Schema: &huma.Schema{
			Type: huma.TypeObject, Properties: map[string]*huma.Schema{"file": binary}, Required: []string{"file"},
		}},
	}}
	give.Responses = map[string]*huma.Response{
		"200": a.answer("The run of these bytes.", reflect.TypeFor[RunDetails]()),
		"202": a.answer("The file is on the work list.", reflect.TypeFor[FileEntry]()),
	}
	give.Responses["202"].Headers = map[string]*huma.Param{"Location": {Schema: text(), Description: "where to ask for it"}}
	a.addRaw(give, need{role: ledger.RoleOperator}, a.giveFile)
}

type filesInput struct {
	MerchantParam
	PageParams
	State string `query:"state" enum:"claimed,committed,published,archived,rejected,closed"`
	Open  bool   `query:"open" doc:"only those with which something is still to be done"`
}

type filesOutput struct{ Body fileList }

func (a *API) listFiles(ctx context.Context, c *call, in *filesInput) (*filesOutput, error) {
	list, next, err := a.Ledger.ListWork(ctx, ledger.WorkFilter{
		Merchant: c.merchant.ID, State: in.State, Open: in.Open, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	out := &filesOutput{Body: fileList{Files: make([]FileEntry, len(list)), Next: next}}
	for i := range list {
		out.Body.Files[i] = c.fileEntry(&list[i])
	}
	return out, nil
}

func (c *call) fileEntry(w *ledger.Work) FileEntry {
	e := FileEntry{
		ID: w.ID, Merchant: w.Merchant, Name: w.Name, State: w.State, Kind: string(w.Kind), SHA256: w.SHA256, Arrived: c.time(w.Claimed),
		Run: w.Run, Reason: w.Reason, Tries: w.Failures,
	}
	if w.Run != "" {
		e.RunHref = c.href("runs", w.Run)
	}
	return e
}

type fileInput struct {
	MerchantParam
	File string `path:"file" doc:"id of the file"`
}

type fileOutput struct{ Body FileEntry }

func (a *API) showFile(ctx context.Context, c *call, in *fileInput) (*fileOutput, error) {
	w, err := a.Ledger.Work(ctx, c.merchant.ID, in.File)
	if err != nil {
		return nil, err
	}
	e, err := a.fileDetails(ctx, c, &w)
	return &fileOutput{Body: e}, err
}

// maxNote is how much of the note beside a rejected file is shown.
const maxNote = 64 << 10

// fileDetails is a file with what its list does not tell: the first run of bytes
// that had been taken before, the note of a rejected one.
func (a *API) fileDetails(ctx context.Context, c *call, w *ledger.Work) (FileEntry, error) {
	e := c.fileEntry(w)
	if w.State == ledger.FileArchived && w.Run == "" && w.SHA256 != "" {
		run, err := a.Ledger.SeenFile(ctx, w.Merchant, w.SHA256)
		if err != nil {
			return e, err
		}
		if run != nil {
			e.Run, e.RunHref = run.ID, c.href("runs", run.ID)
		}
	}
	if w.State != ledger.FileRejected || w.Target != "" {
		return e, nil
	}
	f, err := a.Dir.Get(w.Place + ".problems.txt")
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	if err != nil {
		return e, err
	}
	defer f.Close()
	note, err := io.ReadAll(io.LimitReader(f, maxNote))
	e.Note = string(note)
	return e, err
}

// maxWait is how many seconds a request may wait for a run.
const maxWait = 60

// waitPoll is how often the ledger is asked whether a file is done.
const waitPoll = 50 * time.Millisecond

// awaited waits until a file is done, or for as long as is wanted.
func (a *API) awaited(ctx context.Context, merchant, file string, wait time.Duration) (ledger.Work, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	for {
		w, err := a.Ledger.Work(context.WithoutCancel(ctx), merchant, file)
		if err != nil || wait == 0 || !w.Open() {
			return w, err
		}
		select {
		case <-ctx.Done():
			return w, nil
		case <-tick.C:
		}
	}
}

func number(n float64) *float64 { return &n }
