package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"rensa/pkg/ledger"
	"rensa/pkg/removal"
	"rensa/pkg/report"
)

// RunEntry is a file that was processed, in a list.
type RunEntry struct {
	ID       string    `json:"run_id"`
	Merchant string    `json:"merchant"`
	FileName string    `json:"file_name"`
	SHA256   string    `json:"sha256"`
	Bytes    int64     `json:"bytes"`
	Kind     string    `json:"kind" example:"removal_upload"`
	Status   string    `json:"status" enum:"committed,published,archived" doc:"committed: decided; published, archived: its reports are in place"`
	Started  string    `json:"started" format:"date-time"`
	Finished string    `json:"finished" doc:"empty while it is being finished"`
	Rows     Rows      `json:"rows"`
	Orders   Decided   `json:"orders"`
	Files    []RunFile `json:"files" nullable:"false" doc:"its reports"`
}

// Rows always add up: read = accepted + rejected + seen.
type Rows struct {
	Read     int64 `json:"read"`
	Accepted int64 `json:"accepted"`
	Rejected int64 `json:"rejected"`
	Seen     int64 `json:"seen"`
}

// Decided counts the orders of a file.
type Decided struct {
	Accepted int64 `json:"accepted"`
	Refused  int64 `json:"refused"`
}

// RunFile is one report of a run.
type RunFile struct {
	Name   string `json:"name" example:"errors.csv"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
	Href   string `json:"href" format:"uri-reference"`
}

// RunDetails is one run with what was found.
type RunDetails struct {
	RunEntry
	Layout        string         `json:"layout"`
	Encoding      string         `json:"encoding"`
	Delimiter     string         `json:"delimiter"`
	Container     string         `json:"container"`
	Sheet         string         `json:"sheet"`
	Snapshot      *RunSnapshot   `json:"snapshot,omitempty" doc:"the stock that rows were checked against; absent where there was none"`
	PolicyVersion string         `json:"policy_version"`
	Acceptance    string         `json:"acceptance"`
	Language      string         `json:"language" doc:"of its reports"`
	Problems      map[string]int `json:"problems" doc:"how many of each code, infos too; an order's problem counts once"`
	// What summary.json says beyond the ledger; absent where the file is not kept.
	Units    *RunUnits     `json:"units,omitempty"`
	Fees     *RunFees      `json:"fees,omitempty"`
	Outbound []RunOutbound `json:"outbound" nullable:"false" doc:"files that it made to be handed on"`
}

// RunSnapshot names a snapshot.
type RunSnapshot struct {
	ID   string `json:"id"`
	Date string `json:"date" doc:"RFC 3339, or the day alone where no time is known"`
}

// RunUnits are the units of both conditions.
type RunUnits struct {
	Sellable   UnitSum `json:"sellable"`
	Unsellable UnitSum `json:"unsellable"`
}

// UnitSum is what all rows asked for, and what was accepted.
type UnitSum struct {
	Requested int64 `json:"requested"`
	Accepted  int64 `json:"accepted"`
}

// RunFees is the estimate for all accepted lines that have a figure.
type RunFees struct {
	Amount             string `json:"amount" doc:"a decimal" example:"12.50"`
	Currency           string `json:"currency"`
	LinesWithoutFigure int64  `json:"lines_without_figure"`
}

// RunOutbound is one file to be handed on.
type RunOutbound struct {
	File   string   `json:"file"`
	SHA256 string   `json:"sha256"`
	Orders []string `json:"orders" nullable:"false"`
	Href   string   `json:"href" format:"uri-reference"`
}

type runList struct {
	Runs []RunEntry `json:"runs" nullable:"false"`
	Next string     `json:"next" doc:"the cursor of the next page; empty at the end"`
}

func (a *API) runOperations() {
	look := need{role: ledger.RoleViewer}
	add(a, operation(http.MethodGet, "/runs", "listRuns", "Runs", "Runs, the last first", ""), look, a.listRuns)
	add(a, operation(http.MethodGet, "/runs/{run}", "showRun", "Runs", "One run", "What its summary.json says, from the ledger."), look, a.showRun)
	add(a, operation(http.MethodGet, "/runs/{run}/problems", "listProblems", "Runs", "What was found in a run's file",
		"Errors and warnings with their place, value, message and hint, those of the file first, then by row, in the language of the run."),
		look, a.listProblems)
	add(a, operation(http.MethodGet, "/runs/{run}/rows/{row}", "explainRow", "Runs", "Why a row was accepted or refused", ""), look, a.explainRow)
	get := operation(http.MethodGet, "/runs/{run}/files/{name}", "getRunFile", "Runs", "Download a report of a run",
		"The file as it was written, with its SHA-256 as ETag; parts of it by Range. With `rebuild=true` it is made again from the ledger and the archived original.")
	get.Parameters = []*huma.Param{inPath("run", "id of the run"), inPath("name", "of the file, as errors.csv"), merchantQuery(),
		query("rebuild", "make it again", &huma.Schema{Type: huma.TypeBoolean})}
	get.Responses = download("text/csv", "text/tab-separated-values", "text/plain", "application/json",
		"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	a.addRaw(get, look, a.getRunFile)
}

type runsInput struct {
	MerchantParam
	PageParams
	Kind   string    `query:"kind" doc:"only files of a kind" example:"removal_upload"`
	Status string    `query:"status" enum:"committed,published,archived"`
	SHA256 string    `query:"sha256" doc:"only of these bytes"`
	Since  time.Time `query:"since" doc:"only those committed since"`
}

type runsOutput struct{ Body runList }

func (a *API) listRuns(ctx context.Context, c *call, in *runsInput) (*runsOutput, error) {
	runs, next, err := a.Ledger.Runs(ctx, ledger.RunFilter{
		Merchant: c.merchant.ID, Kind: removal.Kind(in.Kind), Status: in.Status, SHA256: in.SHA256, Since: in.Since, Limit: in.Limit, Cursor: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	out := &runsOutput{Body: runList{Runs: make([]RunEntry, len(runs)), Next: next}}
	for i := range runs {
		out.Body.Runs[i] = c.runEntry(&runs[i])
	}
	return out, nil
}

func (c *call) runEntry(r *ledger.Run) RunEntry {
	e := RunEntry{
		ID: r.ID, Merchant: r.Merchant, FileName: r.FileName, SHA256: r.SHA256, Bytes: r.Bytes, Kind: string(r.Kind), Status: r.Status,
		Started: c.time(r.Started), Finished: c.time(r.Finished), Files: make([]RunFile, len(r.Outputs)),
		Rows: Rows{r.Read, r.Accepted, r.Rejected, r.Seen}, Orders: Decided{r.OrdersAccepted, r.OrdersRefused},
	}
	for i, o := range r.Outputs {
		e.Files[i] = RunFile{o.Name, o.SHA256, o.Bytes, c.href("runs", r.ID, "files", o.Name)}
	}
	return e
}

// time is how times stand in answers: in the merchant's zone, to the second.
func (c *call) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(c.zone).Format(time.RFC3339)
}

// href is the address of something of the merchant's, on this server.
func (c *call) href(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return Prefix + "/" + path.Join(parts...) + "?" + url.Values{"merchant": {c.merchant.ID}}.Encode()
}

// RunParam is the run that a request is about.
type RunParam struct {
	MerchantParam
	Run string `path:"run" doc:"id of the run"`
}

type runOutput struct{ Body RunDetails }

func (a *API) showRun(ctx context.Context, c *call, in *RunParam) (*runOutput, error) {
	run, err := a.Ledger.Run(ctx, c.merchant.ID, in.Run)
	if err != nil {
		return nil, err
	}
	d, err := a.runDetails(ctx, c, &run)
	return &runOutput{Body: d}, err
}

func (a *API) runDetails(ctx context.Context, c *call, run *ledger.Run) (RunDetails, error) {
	d := RunDetails{
		RunEntry: c.runEntry(run), Layout: run.Layout, Encoding: run.Encoding, Delimiter: run.Delimiter, Container: run.Container,
		Sheet: run.Sheet, PolicyVersion: run.PolicyVersion, Acceptance: string(run.Acceptance), Language: run.Language,
		Outbound: []RunOutbound{}, Problems: map[string]int{},
	}
	if run.SnapshotID != "" {
		d.Snapshot = &RunSnapshot{run.SnapshotID, c.time(run.SnapshotDate)}
	}
	sent, err := a.Ledger.Sent(ctx, run.Merchant, run.ID)
	if err != nil {
		return d, err
	}
	for _, o := range sent {
		d.Outbound = append(d.Outbound, RunOutbound{o.Name, o.SHA256, append([]string{}, o.Orders...), c.href("outgoing", o.Name)})
	}
	s, err := a.summary(run)
	if s == nil || err != nil {
		if err == nil {
			err = a.countProblems(ctx, run, d.Problems)
		}
		return d, err
	}
	d.Problems, d.Finished = s.Problems, s.Finished
	if s.Snapshot != nil {
		d.Snapshot = &RunSnapshot{s.Snapshot.ID, s.Snapshot.Date}
	}
	if run.Kind.HasOutcomes() {
		d.Units = &RunUnits{UnitSum(s.Units.Sellable), UnitSum(s.Units.Unsellable)}
		d.Fees = &RunFees{s.Fees.Amount.String(), s.Fees.Currency, s.Fees.LinesWithoutFigure}
	}
	return d, nil
}

// summary reads the summary.json of a run; nil where it is not kept.
func (a *API) summary(run *ledger.Run) (*report.Summary, error) {
	f, err := a.openReport(run, report.FileName(report.Summaries))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoReport) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &report.Summary{}
	return s, json.NewDecoder(f).Decode(s)
}

// countProblems counts what was found by code, from what was decided about rows
// and orders.
func (a *API) countProblems(ctx context.Context, run *ledger.Run, counts map[string]int) error {
	for rows, err := range a.Ledger.Outcomes(ctx, run.Merchant, run.ID) {
		if err != nil {
			return err
		}
		for i := range rows {
			for _, p := range rows[i].Problems {
				counts[p.Code.String()]++
			}
		}
	}
	orders, err := a.Ledger.OrderOutcomes(ctx, run.Merchant, run.ID)
	for i := range orders {
		for _, p := range orders[i].Problems {
			counts[p.Code.String()]++
		}
	}
	return err
}

// openReport opens a report of a run where it lies. errNoReport: the run has none
// of that name. fs.ErrNotExist: it is no longer kept, or not in place yet.
func (a *API) openReport(run *ledger.Run, name string) (file, error) {
	if !slices.ContainsFunc(run.Outputs, func(o ledger.Output) bool { return o.Name == name }) {
		return nil, errNoReport
	}
	// The folder of the day is that on which the run began, in a zone that the
	// profile had then.
	day := run.Started.UTC()
	for _, d := range []int{0, 1, -1} {
		folder := path.Join("reports", run.Merchant, day.AddDate(0, 0, d).Format(time.DateOnly), run.ID, name)
		f, err := a.Dir.Get(folder)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	return nil, fs.ErrNotExist
}

// file is an open file of the workspace.
type file interface {
	io.ReadSeekCloser
	io.ReaderAt
}

func (a *API) getRunFile(w http.ResponseWriter, r *http.Request, c *call) error {
	name := r.PathValue("name")
	run, err := a.Ledger.Run(r.Context(), c.merchant.ID, r.PathValue("run"))
	if err != nil {
		return err
	}
	at := slices.IndexFunc(run.Outputs, func(o ledger.Output) bool { return o.Name == name })
	if at < 0 {
		return errNoReport
	}
	if r.URL.Query().Get("rebuild") == "true" {
		if a.Rebuild == nil {
			return ErrGone
		}
		return a.sendMade(w, name, func(to io.Writer) error {
			return a.Rebuild(r.Context(), run.Merchant, run.ID, name, to)
		})
	}
	f, err := a.openReport(&run, name)
	if errors.Is(err, fs.ErrNotExist) {
		return refuse(http.StatusGone, "report_gone", "file", name)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	w.Header().Set("ETag", `"`+run.Outputs[at].SHA256+`"`)
	send(w, r, name, f)
	return nil
}
